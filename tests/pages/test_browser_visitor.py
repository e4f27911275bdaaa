"""A hosted app with an empty home, behind a proxy, in the browser of somebody who has only its link."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import ROOT, AppServer
from playwright.sync_api import Browser, Page, expect
from proxy import forwarding

pytestmark = pytest.mark.browser

PAGES = {
    "": "FER Explorer",
    "dataset": "Dataset",
    "train": "Train",
    "bring": "Bring yours",
    "sweeps": "Sweeps",
    "compare": "Compare",
    "mistakes": "Mistakes",
    "explain": "Explain",
    "leaderboard": "Leaderboard",
    "photo": "Photo",
    "live": "Live",
    "poke": "Poke",
    "run?run=custom_cnn": "Run card",
    "limits": "Limits",
    "lessons": "Lessons",
}
FACES = ("dataset", "mistakes", "explain")
"""Pages that show faces to whoever opens them."""
OWNERS = (
    "Bring real data", "Look at the file", "Look at what is there", "Import the data", "Audit these faces", "Delete",
    "Remove", "Lock again", "Bring them",
    "Fetch YuNet now",
)  # fmt: skip
"""Words of buttons, tabs and links that are the owner's alone."""


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Page]:
    """The browser of somebody behind a proxy, at an app that has the models that ship and nothing else."""
    folder = tmp_path_factory.mktemp("hosted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_EXPLORER_HOME", str(folder / "home"))
        patch.setenv("FER_EXPLORER_MODELS", str(ROOT / "models"))
        patch.delenv("FER_EXPLORER_OWNER", raising=False)
        server = AppServer(folder / "log").start()
    with forwarding(server.port) as port:
        context = chromium.new_context(base_url=f"http://127.0.0.1:{port}/", viewport={"width": 1280, "height": 900})
        yield context.new_page()
        context.close()
    server.stop()
    assert "Traceback" not in server.log()


def opened(page: Page, address: str) -> None:
    """Open the page, and wait until its script has run."""
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[address], timeout=90_000)
    # While it runs, Streamlit marks the app so. A page that begins anew, as where the sample is drawn, runs again.
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible(timeout=90_000)


@pytest.mark.parametrize("address", PAGES)
def test_every_page_is_whole_and_offers_nothing_of_the_owners(stranger: Page, address: str) -> None:
    opened(stranger, address)
    expect(stranger.get_by_test_id("stException")).to_have_count(0)
    for word in ("Something on this server", "There is no model", "not on this computer"):
        expect(stranger.get_by_text(word)).to_have_count(0)
    offered = stranger.locator("button, a, [role=tab]").all_inner_texts()
    assert offered
    assert not [one for one in offered if any(word in one for word in OWNERS)]
    body = stranger.locator("body").inner_text()
    assert not [one for one in (str(ROOT), str(Path.home()), "/tmp/") if one in body]


@pytest.mark.parametrize("address", FACES)
def test_a_first_visit_sees_faces(stranger: Page, address: str) -> None:
    opened(stranger, address)
    picture = (
        stranger.get_by_test_id("stMain").locator("img, canvas, svg image, button .face").filter(visible=True).first
    )
    expect(picture).to_be_visible(timeout=60_000)
