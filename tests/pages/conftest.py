"""Fixtures for the pages: the app under Streamlit's own ``AppTest``, and in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import CHROMIUM_ARGS, ROOT, AppServer, chromium_path
from streamlit.testing.v1 import AppTest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

OpenApp = Callable[..., AppTest]


@pytest.fixture
def open_app(home: Path) -> OpenApp:
    """``open_app("dataset", split="PublicTest")``: the app at that page, run once, as by a link with that query."""

    def open_it(page: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()
        assert not app.exception, app.exception
        app.switch_page(f"pages/{page}.py")
        for key, value in query.items():
            app.query_params[key] = value
        return app.run()

    return open_it


@pytest.fixture
def app(home: Path, tmp_path: Path) -> Iterator[AppServer]:
    """A fresh server in the test's own, empty home."""
    server = AppServer(tmp_path / "server.log").start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

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
        page = context.new_page()
        page.goto(app.url(path))
        return page

    yield open_it
    for context in contexts:
        context.close()
