"""Two servers on one home, a browser at each: one training, seen by both, which outlives the server it came from."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from browser import AppServer
from playwright.sync_api import expect

from fer_core.training import jobs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
MINUTE = 60_000
TRAIN = "train?custom_cnn.minute.epochs=500&custom_cnn.minute.precision=float32"


@pytest.fixture
def servers(home: Path, sample: Path, tmp_path: Path) -> Iterator[list[AppServer]]:
    # After the sample: a server that finds none lays it out by itself.
    running = [AppServer(tmp_path / f"server{number}.log").start() for number in range(2)]
    yield running
    for server in running:
        server.stop()
    for child in psutil.process_iter(["cmdline"]):
        # Trainings are sessions of their own: they outlive everybody. The folder of this test tells whose they are.
        if str(home) in " ".join(child.info["cmdline"] or []):
            child.kill()


def state(page: Page) -> Locator:
    return page.locator(".st-key-job-state")


def test_one_home_has_one_training_whoever_looks_and_whichever_server_is_killed(
    chromium: Browser, servers: list[AppServer], home: Path, sample: Path
) -> None:
    here, there = (chromium.new_context().new_page() for _ in servers)
    here.goto(servers[0].url(TRAIN))
    button = here.get_by_role("button", name="Start training")
    expect(button).to_be_enabled(timeout=MINUTE)
    # Opened before there is a training: this page does not know of it when its button is clicked.
    there.goto(servers[1].url(TRAIN))
    second = there.get_by_role("button", name="Start training")
    expect(second).to_be_enabled(timeout=MINUTE)
    button.click()
    expect(state(here)).to_have_text(re.compile("starting|training"), timeout=MINUTE)
    (run,) = (path for path in (home / "runs").iterdir() if path.is_dir())
    second.click()
    expect(there.get_by_text(f"{run.name} is training").first).to_be_visible(timeout=MINUTE)
    assert [path for path in (home / "runs").iterdir() if path.is_dir()] == [run]

    first = servers[0].pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    # The other server's page goes on: it sees the training live, and can stop it.
    there.goto(servers[1].url(f"train?run={run.name}"))
    expect(there.get_by_text(re.compile(r"Epoch \d+ of 500")).first).to_be_visible(timeout=2 * MINUTE)
    assert jobs.status(run).alive
    there.get_by_role("button", name="Stop", exact=True).click()
    expect(state(there)).to_contain_text("stopped", timeout=3 * MINUTE)
    assert not jobs.status(run).alive
    for page in (here, there):
        page.context.close()
