"""Files of an archive that must lie on the disk for a while: arrays and Parquet, which are read here and there."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import TracebackType
from typing import Protocol

from fer_core.errors import DataError
from fer_core.leftovers import temporary_folder
from fer_core.writable import explained

BLOCK = 1024**2


class Source(Protocol):
    """What is copied, in pieces; at its end comes nothing."""

    def read(self, size: int, /) -> bytes | None: ...


class Unpacked:
    """A folder of our own in ``cache``, made when the first file is written. A context manager: then it is gone.

    Whoever is killed leaves it to the next server, which takes it away.
    """

    def __init__(self, archive: Path, cache: Path) -> None:
        """``archive``: in whose name errors speak of what came out of it."""
        self._label, self._cache = str(archive), cache
        self._folder: Path | None = None

    def write(self, name: str, source: Source, where: str) -> Path:
        """Copy ``source`` to the file ``name``, which climbs nowhere. Raises ``DataError`` where there is no room."""
        with explained(f"{where} could not be unpacked in {self._cache}", DataError):
            if self._folder is None:
                self._cache.mkdir(parents=True, exist_ok=True)
                self._folder = temporary_folder("upload", self._cache)
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as target:
                while data := source.read(BLOCK):
                    target.write(data)
        return path

    def __enter__(self) -> Unpacked:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._folder is not None:
            if isinstance(error, DataError):
                # Where it lay for a moment tells nobody anything.
                error.args = (str(error).replace(f"{self._folder}", self._label),)
            shutil.rmtree(self._folder, ignore_errors=True)
