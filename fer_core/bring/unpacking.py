"""A zip that holds a model: unpacked into the scratch folder, and the one model in it found. Child processes only."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path, PurePosixPath

from fer_core.bring.kinds import MOST_BYTES, SAVED_MODEL
from fer_core.data.archives import check_names, files_of, is_clutter, open_zip
from fer_core.errors import DataError, ModelError

MOST_FILES = 500
_ALONE = (".keras", ".h5", ".hdf5", ".tflite")
_DAMAGE = (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)


def unpack(path: Path, out: Path, where: str) -> Path:
    """Write the files of a zip into the new folder ``out``, without clutter and links. Returns ``out``.

    Raises ``ModelError``, which names it as ``where``, for one that is damaged, locked or a bomb, leads out of its
    folder, or holds more than :data:`MOST_FILES` files or 1 GB.
    """
    try:
        with open_zip(path) as archive:
            names = [name for name in files_of(archive) if not is_clutter(name)]
            check_names(path, names)
            if len(names) > MOST_FILES:
                raise ModelError(f"{where} holds {len(names):,} files, and no model has so many.")
            if sum(archive.getinfo(name).file_size for name in names) > MOST_BYTES:
                raise ModelError(f"{where} would unpack to more than {MOST_BYTES / 1e9:.1f} GB.")
            for name in names:
                target = out / PurePosixPath(name.replace("\\", "/"))
                target.parent.mkdir(parents=True, exist_ok=True)
                # What comes out is no more than its list of files says: zipfile ends there, and compares checksums.
                with archive.open(name) as source, target.open("xb") as file:
                    shutil.copyfileobj(source, file)
    except DataError as error:
        raise ModelError(f"{where} cannot be unpacked: {str(error).replace(str(path), path.name)}") from None
    except _DAMAGE as error:
        raise ModelError(f"{where} is damaged, and cannot be unpacked: {str(error)[:100]}. Pack it again.") from None
    return out


def model_in(folder: Path, where: str) -> tuple[Path, Path | None]:
    """The one model in an unpacked folder, and the weights of an architecture in JSON. Raises ``ModelError``."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    saved = [path.parent for path in files if path.name == SAVED_MODEL]
    architectures = [path for path in files if path.suffix.lower() == ".json"]
    alone = [path for path in files if path.suffix.lower() in _ALONE]
    if len(saved) == 1:
        return saved[0], None
    if not saved and len(alone) == 1:
        one = alone[0]
        # A .json beside a whole .h5 may be anything; beside weights it is their architecture.
        pair = architectures if one.name.endswith((".weights.h5", "weights.hdf5")) or _is_weights(one) else []
        return (pair[0], one) if len(pair) == 1 else (one, None)
    found = ", ".join(path.relative_to(folder).as_posix() for path in [*saved, *alone][:4])
    raise ModelError(
        f"{where} should hold one model: a Keras file, a .json with its .h5 of weights, a LiteRT file, or the files of "
        f"a SavedModel. It holds {found or 'none'}."
    )


def _is_weights(path: Path) -> bool:
    """Whether an HDF5 file holds no architecture of its own."""
    from fer_core.bring.stored import opened

    if path.suffix.lower() not in (".h5", ".hdf5"):
        return False
    with opened(path, path.name) as file:
        return "model_config" not in file.attrs
