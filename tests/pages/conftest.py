"""Fixtures for the pages: the app under Streamlit's own ``AppTest``, and in a real Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import apptest
import pytest
from apptest import WarmPagesManager
from browser import CHROMIUM_ARGS, AppServer, chromium_path
from factories import make_run, make_vote
from streamlit.testing.v1 import AppTest

from fer_core.settings import PROJECT_ROOT, settings

if TYPE_CHECKING:
    from live_page import FakeBrowser
    from playwright.sync_api import Browser, Page

MINUTE = 60_000
"""Milliseconds."""


@pytest.fixture(autouse=True)
def warm_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every ``AppTest`` runs the entry, not the page alone: see :class:`apptest.WarmPagesManager`."""
    monkeypatch.setattr("streamlit.testing.v1.app_test.PagesManager", WarmPagesManager)
    monkeypatch.setattr(
        "streamlit.components.v2.manifest_scanner.scan_component_manifests", apptest.component_manifests
    )


@pytest.fixture
def open_app(home: Path) -> Callable[..., AppTest]:
    """``open_app("dataset", split="PublicTest")``, see :func:`apptest.open_app`, in the test's own, empty home."""
    return apptest.open_app


@pytest.fixture
def visitor(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The pages as a visitor sees them: ``AppTest`` has no connection that could be the owner's."""
    monkeypatch.setenv("FER_EXPLORER_OWNER", "")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def sample(home: Path, drawn_sample: Path) -> Path:
    """The drawn sample in the test's home."""
    out = settings().datasets_dir / "sample"
    shutil.copytree(drawn_sample, out)
    return out


@pytest.fixture
def shipped(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The models that ship, so that every page has something to show."""
    monkeypatch.setenv("FER_EXPLORER_MODELS", str(PROJECT_ROOT / "models"))
    settings.cache_clear()


@pytest.fixture
def models(home: Path) -> None:
    """Two runs and a vote of them."""
    members = [make_run(settings().runs_dir / name) for name in ("first", "second")]
    make_vote(settings().runs_dir / "poll", members)


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBrowser]:
    """In place of the camera on Live: see :mod:`live_page`."""
    from aiortc.contrib.media import MediaRelay
    from live_page import FakeBrowser, MadeDetector

    from fer_core.inference.stream import connection
    from pages.parts.live import camera as live_camera

    fake = FakeBrowser()
    monkeypatch.setattr(live_camera, "webrtc_streamer", fake)
    # It belongs to a running server, which AppTest is not.
    monkeypatch.setattr(live_camera, "get_global_relay", MediaRelay)
    monkeypatch.setattr("pages.parts.detection.choose_detector", MadeDetector)
    # A slow computer must not look like a broken camera.
    monkeypatch.setattr(connection, "STALL_S", 600.0)
    yield fake
    if fake.options:
        fake.options["on_video_ended"]()


@pytest.fixture
def app(home: Path, tmp_path: Path) -> Iterator[AppServer]:
    """A fresh server in the test's own, empty home."""
    server = AppServer(tmp_path / "server.log").start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import expect, sync_playwright

    # Playwright's five seconds are less than a page takes on a slow machine. What holds at once waits for nothing.
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser, app: AppServer) -> Iterator[Callable[..., Page]]:
    """``open_page("dataset?split=PublicTest", width=1280)``: a new visitor's tab at that address."""
    contexts = []

    def open_it(path: str = "", *, width: int = 1280, height: int = 900, dark: bool = False) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        # As long as any page may take: a busy server hands out its files late, too.
        context.set_default_timeout(MINUTE)
        page = context.new_page()
        page.goto(app.url(path))
        return page

    yield open_it
    for context in contexts:
        context.close()
