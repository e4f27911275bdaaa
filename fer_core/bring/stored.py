"""HDF5 files of weights looked at before Keras reads them: no links out of the file, nothing that unpacks without end.

Child processes only: h5py itself reads the stranger's file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fer_core.errors import ModelError
from fer_core.reading import MOST_BYTES as MOST_TEXT_BYTES
from fer_core.regular_files import open_file
from fer_core.settings import settings

MOST_WEIGHT_BYTES = 2 * 1024**3
"""All arrays of a file, unpacked. VGG16 with its dense layers has 0.55 GB, and optimisers keep two more of each."""
MOST_OBJECTS = 50_000
_RATIO_FLOOR_BYTES = 64 * 1024**2
"""Below this no file is a bomb, however well it packs."""


@contextmanager
def opened(path: Path, where: str) -> Iterator[Any]:
    """The ``h5py.File``, checked by :func:`check`. ``where`` names it in messages. Raises ``ModelError``."""
    import h5py

    try:
        with open_file(path) as raw, h5py.File(raw, "r") as file:
            check(file, path.stat().st_size, where)
            yield file
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise ModelError(f"{where} is cut off or damaged: {_first(error)}. Copy or save it again.") from None


def check(file: Any, size: int, where: str) -> None:
    """Walk through all objects of an open file of ``size`` bytes. Raises ``ModelError``."""
    import h5py

    total, seen, waiting = 0, set(), [file]
    while waiting:
        group = waiting.pop()
        for name in group:
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise ModelError(f"{where} holds a link to other files or places, so it is not opened.")
            one = group[name]
            address = h5py.h5o.get_info(one.id).addr
            if address in seen:
                continue
            seen.add(address)
            if len(seen) > MOST_OBJECTS:
                raise ModelError(f"{where} holds more than {MOST_OBJECTS:,} arrays, and no model has so many.")
            if isinstance(one, h5py.Group):
                waiting.append(one)
            elif isinstance(one, h5py.Dataset):
                total += _bytes_of(one, where)
                check_total(total, size, where)


def check_total(total: int, size: int, where: str) -> None:
    """Raises ``ModelError`` where a file of ``size`` bytes holds ``total`` bytes: too many, or packed too well."""
    if total > MOST_WEIGHT_BYTES:
        raise ModelError(
            f"{where} would unpack to {total / 1e9:,.1f} GB; models of at most {MOST_WEIGHT_BYTES / 1e9:.1f} GB are "
            "opened."
        )
    if total > max(_RATIO_FLOOR_BYTES, settings().max_archive_ratio * size):
        raise ModelError(f"{where} unpacks to {total // max(size, 1):,} times its size: that is no model, but a bomb.")


def text_of(holder: Any, name: str, where: str) -> str | None:
    """The text attribute ``name`` of a group, None where there is none."""
    if name not in holder.attrs:
        return None
    value = holder.attrs[name]
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    if not isinstance(text, str) or len(text) > MOST_TEXT_BYTES:
        raise ModelError(f"{where} is damaged: its {name} is no text, or too long.")
    return text


def _bytes_of(array: Any, where: str) -> int:
    if array.external or array.is_virtual:
        raise ModelError(f"{where} holds a link to other files or places, so it is not opened.")
    return int(array.size or 0) * int(array.dtype.itemsize)


def _first(error: Exception) -> str:
    words = str(error).splitlines()[0] if str(error) else type(error).__name__
    return words[:160].rstrip(". ")
