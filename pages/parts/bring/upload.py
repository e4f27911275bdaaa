"""Uploaded files on this computer's disk, in a folder of their own, for a command to read."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.errors import ModelError
from fer_core.leftovers import temporary_folder
from fer_core.settings import settings
from fer_core.writable import explained
from pages.parts import uploads

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile


@dataclass(frozen=True)
class Files:
    """What was uploaded together, in one folder: ``source``, and of a model perhaps its weights and its history."""

    source: Path
    weights: Path | None = None
    history: Path | None = None

    def forget(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.source.parent, ignore_errors=True)


def kept(source: UploadedFile, weights: UploadedFile | None = None, history: UploadedFile | None = None) -> Files:
    """The files, which are the caller's to forget; where it is killed, the next server does. Raises ``ModelError``."""
    cache = settings().cache_dir
    with explained(f"The upload could not be written to {cache}", ModelError):
        cache.mkdir(parents=True, exist_ok=True)
        folder = temporary_folder("upload", cache)
        # They may be called alike.
        return Files(
            _written(source, folder),
            _written(weights, folder / "weights") if weights else None,
            _written(history, folder / "history") if history else None,
        )


def _written(file: UploadedFile, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / uploads.file_name(file)
    with path.open("wb") as target:
        file.seek(0)
        shutil.copyfileobj(file, target)
    return path
