"""A real server and a real Chromium for the tests marked ``browser``.

``tests/pages/conftest.py`` offers these as fixtures: ``app`` (a server on a free port, in the test's own home),
``chromium`` and ``open_page``.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ONE_TRY = 5000
"""Milliseconds in which a list that stays open shows its options, and a click on one arrives."""


def chromium_path() -> str | None:
    """The browser: ``CHROMIUM_PATH``, or what the machine has; None leaves the choice to Playwright."""
    return os.environ.get("CHROMIUM_PATH") or shutil.which("chromium") or shutil.which("chromium-browser")


def choose_option(box: Locator, name: str | re.Pattern[str]) -> None:
    """Open a list and choose from it; up to a minute.

    A list closes when the page around it moves or is drawn anew, which a slow machine still does while the next step is
    taken. A person opens it again.
    """
    option = box.page.get_by_role("option", name=name, exact=True)

    def choose() -> None:
        if not option.is_visible():
            box.click(timeout=ONE_TRY)
        option.click(timeout=ONE_TRY)

    _try_again(choose)


def press_until(page: Page, key: str, then: Locator) -> None:
    """Press a key until what it leads to is there; up to a minute.

    A shortcut is heard a moment after its button is seen, and on a slow machine a key pressed meanwhile is lost. A
    person presses it again.
    """

    def press() -> None:
        page.keyboard.press(key)
        then.wait_for(timeout=ONE_TRY)

    _try_again(press)


def click_until(button: Locator, then: Locator) -> None:
    """Click until what it leads to is there; up to a minute.

    While a page is laid out anew a click may miss, since what it was meant for has moved. A person clicks again.
    """

    def click() -> None:
        if not then.is_visible():
            button.click(timeout=ONE_TRY)
        then.wait_for(timeout=ONE_TRY)

    _try_again(click)


def _try_again(attempt: Callable[[], None]) -> None:
    from playwright.sync_api import TimeoutError as NotInTime  # where there is no Playwright, other tests run

    deadline = time.monotonic() + 60
    while True:
        try:
            attempt()
            return
        except NotInTime:
            if time.monotonic() > deadline:
                raise


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class AppServer:
    """``streamlit run streamlit_app.py`` in a child process. The environment decides home and models."""

    def __init__(
        self, log: Path, port: int | None = None, *, options: Sequence[str] = (), prefix: Sequence[str] = ()
    ) -> None:
        """``options``: of ``streamlit run``, besides those that every test needs.

        ``prefix``: a command that replaces itself by the server's, which follows it.
        """
        self.port, self._options = port or free_port(), options
        self.log_path = log
        self._prefix = tuple(prefix)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = 60) -> AppServer:
        """Start and wait until the server answers; raises ``RuntimeError`` with its log where it does not."""
        command = [
            *self._prefix,
            *(sys.executable, "-m", "streamlit", "run", "streamlit_app.py"),
            *("--server.port", str(self.port), "--server.address", "127.0.0.1"),
            *("--server.headless", "true", "--server.fileWatcherType", "none"),
            *self._options,
        ]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(self.url("_stcore/health"), timeout=1):
                    return self
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"the server did not start:\n{self.log()}")

    def stop(self) -> None:
        """End the server, as Ctrl+C would; jobs that it started live on."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def restart(self) -> AppServer:
        self.stop()
        return self.start()

    @property
    def pid(self) -> int | None:
        """The process, while there is one: also after it has ended by itself."""
        return None if self._process is None else self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}/{path.lstrip('/')}"

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")
