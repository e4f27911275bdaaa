"""A server of the app and a real Chromium, for benchmarks that time what a person sees."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
# The tests know how to start a server and a browser. They are no package.
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fer_core.errors import FerError  # noqa: E402

if TYPE_CHECKING:
    from browser import AppServer  # type: ignore[import-not-found]
    from playwright.sync_api import Page

MINUTE = 60_000
PACKAGES = ("streamlit", "numpy", "playwright", "ai-edge-litert")


@contextmanager
def served_page(
    path: str, *, prefix: Sequence[str] = (), more_args: Sequence[str] = ()
) -> Iterator[tuple[AppServer, Page]]:
    """A server and a page that shows ``path``, ended afterwards.

    ``prefix``: see ``AppServer``. ``more_args``: further arguments for Chromium. Raises ``FerError`` with the end of
    the server's log where the page cannot be used.
    """
    from browser import CHROMIUM_ARGS, AppServer, chromium_path
    from playwright.sync_api import Error, sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        server = AppServer(Path(folder) / "server.log", prefix=prefix).start()
        try:
            with sync_playwright() as playwright:
                chromium = playwright.chromium.launch(
                    executable_path=chromium_path(), args=[*CHROMIUM_ARGS, *more_args]
                )
                page = chromium.new_page(viewport={"width": 1280, "height": 1000})
                page.set_default_timeout(3 * MINUTE)
                page.goto(server.url(path), timeout=3 * MINUTE)
                yield server, page
                chromium.close()
        except Error as error:
            raise FerError(f"the page could not be used: {error.message}\n{server.log()[-1000:]}") from error
        finally:
            server.stop()
