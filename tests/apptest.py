"""The app under Streamlit's own ``AppTest``, as it is on a server that has shown the entry before."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from streamlit.components.v2.manifest_scanner import scan_component_manifests
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from fer_core.settings import settings

ROOT = Path(__file__).resolve().parent.parent


def open_app(page: str = "home", /, **query: str | list[str]) -> AppTest:
    """The app at ``pages/<page>.py``, run once, as by a link with that query, in the home of the environment."""
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=240)
    if page != "home":
        # Before the first run, Streamlit goes by the file's name, which is the address of every page but Home.
        app.switch_page(f"pages/{page}.py")
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


class WarmPagesManager(PagesManager):
    """``AppTest`` makes every run the first one of a server, so that each takes the folder ``pages`` for an app of
    the old kind and leaves out the entry. Put in its place, this makes every run a later one. (What the very first
    one does is tested in a real browser.)
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        PagesManager.uses_pages_directory = False


component_manifests = functools.cache(scan_component_manifests)
"""What Streamlit finds out about installed packages for each new ``AppTest`` (0.1 s), found out once."""


@contextmanager
def owners_home(folder: Path) -> Iterator[Path]:
    """An empty home, and an empty folder of shipped models, in ``folder``, for all tests of a module. The pages are
    opened by their owner, as with ``open_app``.
    """
    with pytest.MonkeyPatch.context() as patch:
        for variable, name in (("FER_EXPLORER_HOME", "home"), ("FER_EXPLORER_MODELS", "models")):
            (folder / name).mkdir()
            patch.setenv(variable, str(folder / name))
        patch.setenv("FER_EXPLORER_OWNER", "everyone")
        settings.cache_clear()
        patch.setattr("streamlit.testing.v1.app_test.PagesManager", WarmPagesManager)
        yield folder / "home"
    settings.cache_clear()
