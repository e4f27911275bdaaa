"""The frame: navigation, the theme, and deep links on a fresh server (in a real browser)."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from browser import ROOT, AppServer
from factories import make_run
from streamlit.testing.v1 import AppTest

from fer_core.settings import settings

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGES = {
    "home": "FER Explorer",
    "dataset": "Dataset",
    "train": "Train",
    "bring": "Bring yours",
    "sweeps": "Sweeps",
    "compare": "Compare",
    "mistakes": "Mistakes",
    "explain": "Explain",
    "leaderboard": "Leaderboard",
    "photo": "Photo",
    "poke": "Poke",
    "run": "Run card",
    "limits": "Limits",
    "lessons": "Lessons",
}
"""All but Live, which AppTest cannot open as it is: see ``live_page.py``."""


@pytest.mark.parametrize("runs", [0, 1])
@pytest.mark.parametrize(("name", "title"), PAGES.items())
def test_every_page_opens_cold(
    open_app: Callable[..., AppTest], sample: Path, name: str, title: str, runs: int
) -> None:
    for number in range(runs):
        make_run(settings().runs_dir / f"mine-{number}")
    app = open_app(name)
    assert not app.exception
    assert app.title[0].value == title


def test_the_chosen_data_outlives_a_page_change(open_app: Callable[..., AppTest], sample: Path) -> None:
    shutil.copytree(sample, sample.with_name("second"))
    app = open_app("dataset")
    first = app.selectbox(key="data").value
    other = next(name for name in ("sample", "second") if name != first)
    app.selectbox(key="data").set_value(other).run()
    app.switch_page("pages/train.py").run()
    assert app.selectbox(key="data").value == other


def test_a_dataset_that_is_gone_is_not_chosen_any_more(open_app: Callable[..., AppTest], sample: Path) -> None:
    second = shutil.copytree(sample, sample.with_name("second"))
    app = open_app("dataset")
    app.selectbox(key="data").set_value("second").run()
    shutil.rmtree(second)
    app.run()
    assert not app.exception
    assert app.selectbox(key="data").value == "sample"


def test_both_themes_are_whole() -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    assert set(theme["light"]) == set(theme["dark"])
    assert {"primaryColor", "backgroundColor", "secondaryBackgroundColor", "textColor"} <= set(theme["dark"])


def query_of(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


@pytest.mark.browser
def test_the_first_deep_link_of_a_fresh_server_keeps_frame_page_and_query(
    sample: Path, app: AppServer, open_page: Callable[..., Page]
) -> None:
    from playwright.sync_api import expect

    page = open_page("dataset?split=PublicTest&class=fear&face=17&data=sample")
    expect(page.get_by_role("heading", name="Dataset", exact=True)).to_be_visible(timeout=30_000)
    expect(page.get_by_text("30 of 2,100 faces")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Row 17, labelled")).to_be_visible()
    navigation = page.get_by_test_id("stSidebarNavLink")
    expect(navigation).to_have_count(len(PAGES) + 1)
    # Titles with their icons: the automatic menu has neither, and calls the entry "streamlit app".
    expect(navigation.last).to_contain_text("Limits")
    query = query_of(page)
    assert query["split"] == ["PublicTest"]
    assert query["class"] == ["fear"]
    assert query["face"] == ["17"]
    # Four groups, and the tab of the browser says which page it is.
    expect(page.get_by_test_id("stNavSectionHeader")).to_contain_text(["Play", "Understand", "Make", "Reference"])
    expect(page).to_have_title("Dataset · FER Explorer")
    # The button copies the address as it is after a click, not as it was when the page was drawn.
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Next", exact=False).last.click()
    expect(page.get_by_text("Row 17, labelled")).to_have_count(0)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    assert query_of(page)["face"] != ["17"]
    # And it goes on from there, at the top of the next page.
    scrolled = "document.querySelector('[data-testid=stMain]').scrollTop"
    page.mouse.move(800, 500)
    page.mouse.wheel(0, 900)
    page.wait_for_function(f"{scrolled} > 300")
    navigation.filter(has_text="Photo").click()
    expect(page.get_by_role("heading", name="Photo", exact=True)).to_be_visible()
    expect(page).to_have_title("Photo · FER Explorer")
    page.wait_for_function(f"{scrolled} == 0")
    navigation.filter(has_text="Dataset").click()
    expect(page.get_by_text("30 of 2,100 faces")).to_be_visible()


@pytest.mark.browser
def test_a_click_on_the_contact_sheet_shows_the_face_and_is_in_the_address(
    sample: Path, open_page: Callable[..., Page]
) -> None:
    from playwright.sync_api import expect

    page = open_page("dataset")
    chart = page.locator(".stPlotlyChart .main-svg").first
    expect(chart).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Row 0, labelled")).to_be_visible()
    box = chart.bounding_box()
    assert box is not None
    # The second face of the second line: twelve in a line, eight lines.
    page.mouse.move(box["x"] + box["width"] * 1.5 / 12, box["y"] + box["width"] * 1.5 / 12)
    page.wait_for_timeout(300)
    page.mouse.click(box["x"] + box["width"] * 1.5 / 12, box["y"] + box["width"] * 1.5 / 12)
    expect(page.get_by_text("Row 13, labelled")).to_be_visible()
    assert query_of(page)["face"] == ["13"]
    page.get_by_role("button", name="Next", exact=False).last.click()
    expect(page.get_by_text("Row 14, labelled")).to_be_visible()
    assert query_of(page)["face"] == ["14"]


@pytest.mark.browser
def test_nothing_is_fetched_from_elsewhere(sample: Path, app: AppServer, open_page: Callable[..., Page]) -> None:
    from playwright.sync_api import expect

    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(page.get_by_role("heading", name="FER Explorer")).to_be_visible(timeout=30_000)
    page.wait_for_timeout(1000)
    assert asked
    assert [url for url in asked if not url.startswith((app.url(), "data:", "blob:"))] == []
