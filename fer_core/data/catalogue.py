"""The datasets at hand: everything imported, and the drawn sample."""

from __future__ import annotations

import threading
from pathlib import Path

from fer_core.data.half_written import bring_back
from fer_core.data.info import DatasetInfo, read_info
from fer_core.errors import DataError
from fer_core.formatting import is_plain
from fer_core.settings import settings

SAMPLE_NAME = "sample"
_drawing = threading.Lock()
"""Who comes while the sample is being drawn waits for it: drawing it twice at once takes twice as long for both."""


def list_datasets() -> list[DatasetInfo]:
    """Complete dataset folders in ``settings().datasets_dir``: real data, newest first, then samples."""
    found = [info for info, _ in _scan() if info is not None]
    return sorted(sorted(found, key=lambda info: info.created, reverse=True), key=lambda info: info.is_sample)


def list_damaged() -> list[str]:
    """One sentence for each dataset folder that :func:`list_datasets` leaves out because it is damaged."""
    return [message for info, message in _scan() if info is None]


def ensure_sample() -> Path:
    """The folder of the drawn sample, which is written first when it is not there.

    Two processes may call this at once: both draw, one writes, both get the same folder. Raises ``DataError``
    when it cannot be written.
    """
    path = settings().datasets_dir / SAMPLE_NAME
    if _is_sample(path):
        return path
    from fer_core.data.importer import import_dataset

    with _drawing:
        if _is_sample(path):
            return path
        try:
            # A damaged sample is replaced: nothing is lost, it is drawn from its seed.
            import_dataset("sample", path, overwrite=(path / "dataset.json").exists())
        except DataError:
            if not _is_sample(path):
                raise
    return path


def _is_sample(path: Path) -> bool:
    try:
        return read_info(path).is_sample
    except DataError:
        return False


def _scan() -> list[tuple[DatasetInfo | None, str]]:
    folder = settings().datasets_dir
    result: list[tuple[DatasetInfo | None, str]] = []
    if not folder.is_dir():
        return result
    bring_back(folder)
    for path in sorted(folder.iterdir()):
        # Names with a leading dot are imports that are still being written.
        if path.name.startswith(".") or not (path / "dataset.json").is_file():
            continue
        if not is_plain(path.name):
            # Names of datasets stand in sentences and links, which would take these signs for a format.
            why = f"The name of the folder {path} holds signs with a meaning in Markdown or HTML. Rename the folder."
            result.append((None, why))
            continue
        try:
            result.append((read_info(path), ""))
        except DataError as error:
            result.append((None, str(error)))
    return result
