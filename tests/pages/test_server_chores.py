"""What the server does by itself beside its visitors."""

from __future__ import annotations

import asyncio
import gc
import threading
import tomllib
import weakref
from pathlib import Path

import pytest

from fer_core.data.catalogue import ensure_sample
from fer_core.data.importer import import_dataset
from fer_core.settings import PROJECT_ROOT
from pages.parts import server


class _Cycle:
    def __init__(self) -> None:
        self.itself = self


def test_each_click_looked_for_garbage_and_now_the_server_does(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Streamlit's search after each run of a script was half of a click's CPU time; without it somebody has to."""
    config = tomllib.loads((PROJECT_ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["runner"]["postScriptGC"] is False
    monkeypatch.setattr(server, "TRIM_S", 0.01)
    # Python's own search, which comes when it wants, must not be what finds it.
    gc.disable()
    request.addfinalizer(gc.enable)
    left = weakref.ref(_Cycle())

    async def until_it_is_gone() -> None:
        chore = asyncio.create_task(server._trim())
        async with asyncio.timeout(5):
            while left() is not None:
                await asyncio.sleep(0.01)
        chore.cancel()

    asyncio.run(until_it_is_gone())


def test_the_first_visitor_of_an_empty_home_finds_the_sample_drawn_once(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each drew it, one beside the other, and the page came after six seconds."""
    drawn: list[Path] = []

    def slowly(_: str, path: Path, *, overwrite: bool) -> None:
        drawn.append(path)
        began.set()
        assert waits.wait(30)
        import_dataset("sample", path, overwrite=overwrite)

    began, waits = threading.Event(), threading.Event()
    monkeypatch.setattr("fer_core.data.importer.import_dataset", slowly)

    async def server_and_visitor() -> Path:
        chore = asyncio.create_task(server._draw())
        await asyncio.to_thread(began.wait, 30)
        visitor = asyncio.create_task(asyncio.to_thread(ensure_sample))
        waits.set()
        await chore
        return await visitor

    assert asyncio.run(server_and_visitor()) == home / "datasets" / "sample"
    assert len(drawn) == 1
