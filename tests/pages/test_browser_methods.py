"""The gradient worker killed in the middle of a ScoreCAM, in a real browser: the page says so, and recovers."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from factories import make_run
from playwright.sync_api import expect

from fer_core.data.dataset import load_dataset
from fer_core.settings import settings

if TYPE_CHECKING:
    from browser import AppServer
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]
MINUTE = 60_000
ADDRESS = (
    "explain?explain.view=Methods&explain.row=100&explain.by.class_map=false&explain.by.gradcam_plus_plus=false"
    "&explain.by.layercam=false&explain.by.occlusion=false&explain.by.scorecam=true"
)


def only_worker() -> psutil.Process:
    """The gradient worker of the server that this test started, by its command."""
    found = [
        child
        for child in psutil.Process().children(recursive=True)
        if "fer_core.explain.worker" in " ".join(child.cmdline())
    ]
    (only,) = found
    return only


@pytest.mark.skipif(os.name == "nt", reason="a process cannot be held in the middle of its work there")
def test_killed_in_the_middle_of_a_scorecam_the_page_says_so_and_recovers(
    sample: Path, app: AppServer, open_page: Callable[..., Page]
) -> None:
    dataset = load_dataset(sample)
    about = {"fingerprint": dataset.info.fingerprint}
    make_run(settings().runs_dir / "one", labels=dataset.labels, splits=dataset.splits, data=about)
    page = open_page(ADDRESS)
    panel = page.locator(".st-key-gradient-worker")
    expect(panel).to_contain_text("Gradient worker: off", timeout=2 * MINUTE)
    panel.get_by_role("button", name="Start").click()
    expect(panel).to_contain_text("Gradient worker: idle", timeout=8 * MINUTE)

    # Held still, so that it cannot be done before it is killed.
    worker = only_worker()
    worker.send_signal(signal.SIGSTOP)
    page.get_by_role("button", name="Draw 1 map").click()
    expect(panel).to_contain_text("Gradient worker: busy. ScoreCAM of one", timeout=MINUTE)
    # The page is alive meanwhile.
    page.get_by_text("Class map", exact=True).first.click()
    expect(page.get_by_role("img", name=re.compile("one, Class map"))).to_be_visible(timeout=MINUTE)
    worker.kill()
    expect(panel).to_contain_text("ended unexpectedly in the middle of this map", timeout=MINUTE)
    expect(panel).to_contain_text("Gradient worker: crashed")

    page.get_by_role("button", name="Draw 1 map").click()
    expect(page.get_by_role("img", name=re.compile("one, ScoreCAM"))).to_be_visible(timeout=8 * MINUTE)
    expect(panel).to_contain_text("Gradient worker: idle", timeout=MINUTE)
    expect(panel).not_to_contain_text("ended unexpectedly")
    assert only_worker().pid != worker.pid
    assert not any(name in app.log() for name in ("Traceback", "Error"))
