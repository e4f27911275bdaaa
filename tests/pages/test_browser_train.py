"""Training in a real browser: to the end, reloaded, stopped, killed, resumed, and with the server restarted."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest
from browser import click_until
from playwright.sync_api import expect

from fer_core.data.dataset import load_dataset, write_dataset
from fer_core.training import jobs
from fer_core.training.lock import holder

if TYPE_CHECKING:
    from browser import AppServer
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]
MINUTE = 60_000
CURVES = ".st-key-job-curves canvas"
PICTURES = "all => all.map(one => one.toDataURL()).join()"


@pytest.fixture(autouse=True)
def third_of_the_sample(home: Path, drawn_sample: Path) -> None:
    """Every third drawn face in place of all: an epoch still takes some seconds, and everything after it a third."""
    drawn = load_dataset(drawn_sample)
    write_dataset(
        home / "datasets" / "sample",
        np.asarray(drawn.images[::3]),
        drawn.labels[::3],
        drawn.splits[::3],
        kind="sample",
        title=drawn.info.title,
    )


@pytest.fixture(autouse=True)
def no_training_left_behind(home: Path):
    """Whatever a test leaves training is ended with it."""
    yield
    found = holder()
    if found:
        process = psutil.Process(found.pid)
        process.kill()
        process.wait(10)


def address(epochs: int) -> str:
    return f"train?custom_cnn.minute.epochs={epochs}&custom_cnn.minute.precision=float32"


def start(page: Page) -> None:
    button = page.get_by_role("button", name="Start training")
    expect(button).to_be_enabled(timeout=MINUTE)
    button.click()
    expect(state(page)).to_have_text(re.compile("starting|training"), timeout=MINUTE)


def state(page: Page) -> Locator:
    return page.locator(".st-key-job-state")


def only_run(home: Path) -> Path:
    (run,) = (path for path in (home / "runs").iterdir() if path.is_dir())
    return run


def test_train_to_the_end_and_find_it_in_compare(open_page: Callable[..., Page], home: Path):
    page = open_page(address(4))
    start(page)
    run = only_run(home)
    expect(page).to_have_url(re.compile(rf"run={run.name}"))

    # The curves move within an epoch: another picture, and no further epoch has ended.
    curves = page.locator(CURVES)
    expect(curves).to_have_count(2, timeout=3 * MINUTE)
    # Were they made anew each second, they would flash.
    curves.evaluate_all("all => all.forEach(one => { one.dataset.mine = 'yes' })")
    seen = []
    while len(jobs.status(run).epochs) < 3:
        epochs = len(jobs.status(run).epochs)
        pictures = curves.evaluate_all(PICTURES)
        if len(jobs.status(run).epochs) == epochs:
            seen.append((epochs, pictures))
        page.wait_for_timeout(300)
    within = [{pictures for epochs, pictures in seen if epochs == epoch} for epoch in range(3)]
    assert max(map(len, within)) > 1, [epochs for epochs, _ in seen]
    for curve in curves.all():
        expect(curve).to_have_attribute("data-mine", "yes")

    # Reload in the middle, and a second visitor without any link: both find the job.
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.reload()
    expect(page.get_by_role("heading", name="My CNN 1")).to_be_visible(timeout=MINUTE)
    second = open_page("train")
    expect(second.get_by_role("heading", name="My CNN 1")).to_be_visible(timeout=MINUTE)

    expect(state(page)).to_contain_text("finished", timeout=3 * MINUTE)
    expect(page.get_by_text(re.compile("Done: 4 epochs"))).to_have_count(1, timeout=MINUTE)
    expect(page.get_by_text(re.compile("After epoch 4 the model gets")).first).to_be_visible(timeout=MINUTE)
    assert (run / "run.json").exists()

    # While the job lived the page asked each second; now that it has ended, it is still.
    assert len(sent) >= 3
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=MINUTE)
    page.wait_for_timeout(1000)
    asked = len(sent)
    page.wait_for_timeout(2500)
    assert len(sent) == asked

    page.get_by_role("link", name="Compare it").click()
    expect(page.get_by_role("heading", name="Accuracy on PrivateTest")).to_be_visible(timeout=MINUTE)
    expect(page.get_by_text("My CNN 1").first).to_be_visible()

    page.get_by_text("All figures").click()
    expect(page.get_by_text(re.compile("Measured on.*sample")).first).to_be_visible(timeout=MINUTE)
    # The table that was opened moves what is below it.
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=MINUTE)
    page.wait_for_timeout(500)
    page.get_by_role("link", name="Card of My CNN 1").click()
    expect(page.get_by_role("heading", name="My CNN 1")).to_be_visible(timeout=MINUTE)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=MINUTE)
    page.get_by_text("Downloads", exact=True).click()
    with page.expect_download(timeout=MINUTE) as download:
        page.get_by_role("button", name=re.compile("Keras model")).click()
    assert Path(download.value.path()).read_bytes() == (run / "model.keras").read_bytes()


def test_twins_are_seen_in_step_and_found_in_compare(open_page: Callable[..., Page], home: Path):
    page = open_page(address(2))
    page.get_by_text("And then the same with augmentation").click()
    expect(page.get_by_role("checkbox", name=re.compile("the same with"))).to_be_checked(timeout=MINUTE)
    start(page)
    expect(page.get_by_text("Next comes the same with augmentation.")).to_be_visible(timeout=MINUTE)

    # The second begins by itself, and its curves lie over those of the first.
    expect(page.get_by_text(re.compile("After epoch 1 of both"))).to_be_visible(timeout=4 * MINUTE)
    expect(page.get_by_text(re.compile("Augmentation .* on PublicTest"))).to_be_visible(timeout=4 * MINUTE)
    expect(page.locator(CURVES)).to_have_count(2, timeout=MINUTE)
    names = sorted(path.name for path in (home / "runs").iterdir() if path.is_dir())
    assert [jobs.status(home / "runs" / name).state for name in names] == ["done", "done"]

    page.get_by_role("link", name="Compare both").click()
    expect(page.get_by_role("heading", name="Accuracy on PrivateTest")).to_be_visible(timeout=MINUTE)
    for name in names:
        expect(page).to_have_url(re.compile(rf"runs={name}(&|$)"))
    for title in ("My CNN 1", "My CNN 1, augmented"):
        expect(page.get_by_text(title, exact=True).first).to_be_visible(timeout=MINUTE)


def test_stop_resume_restart_and_kill(open_page: Callable[..., Page], app: AppServer, home: Path):
    page = open_page(address(150))
    start(page)
    run = only_run(home)
    expect(page.get_by_text(re.compile(r"After epoch \d+ the model")).first).to_be_visible(timeout=4 * MINUTE)

    click_until(page.get_by_role("button", name="Pause"), state(page).filter(has_text="paus"))
    expect(state(page)).to_contain_text("paused", timeout=MINUTE)
    page.get_by_role("button", name="Go on").click()
    expect(state(page)).to_contain_text("training", timeout=MINUTE)
    expect(page.get_by_role("button", name="Pause")).to_be_visible(timeout=MINUTE)
    click_until(page.get_by_role("button", name="Stop"), state(page).filter(has_text="stop"))
    expect(state(page)).to_contain_text("stopped", timeout=2 * MINUTE)
    stopped = jobs.status(run)
    assert stopped.state == "stopped"
    assert (run / "run.json").exists()
    epochs = len(stopped.epochs)

    page.get_by_role("button", name=f"Resume after epoch {epochs}").click()
    expect(state(page)).to_contain_text("training", timeout=MINUTE)

    # The server restarts in the middle: the training goes on, and a fresh visitor finds it.
    app.restart()
    page.goto(app.url("train"))
    expect(page.get_by_role("heading", name="My CNN 1")).to_be_visible(timeout=MINUTE)
    expect(state(page)).to_contain_text("training", timeout=MINUTE)
    page.wait_for_function(
        "count => document.body.innerText.includes(`After epoch ${count} the model`)",
        arg=epochs + 1,
        timeout=2 * MINUTE,
    )
    assert [event["epoch"] for event in jobs.status(run).epochs] == list(range(1, len(jobs.status(run).epochs) + 1))

    found = holder()
    assert found
    os.kill(found.pid, signal.SIGKILL)
    expect(state(page)).to_contain_text("died", timeout=MINUTE)
    expect(page.get_by_role("button", name=re.compile("Resume after epoch"))).to_be_visible()
