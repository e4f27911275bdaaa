"""An uploaded file on this computer's disk, in a folder of its own, for a command to read."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.errors import ModelError
from fer_core.leftovers import temporary_folder
from fer_core.settings import settings
from fer_core.writable import explained
from pages.parts import uploads

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile


def kept(file: UploadedFile) -> Path:
    """The file's path. Its folder is the caller's to delete; killed, the next server does. Raises ``ModelError``."""
    cache = settings().cache_dir
    with explained(f"The upload could not be written to {cache}", ModelError):
        cache.mkdir(parents=True, exist_ok=True)
        path = temporary_folder("upload", cache) / uploads.file_name(file)
        with path.open("wb") as target:
            file.seek(0)
            shutil.copyfileobj(file, target)
    return path
