"""A stranger's Keras model read as data, and written anew from what was checked: what Keras then opens is ours.

Child processes only. Nothing here imports Keras or TensorFlow, so whatever is refused costs a fraction of a second.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

from fer_core.bring.configuration import Architecture, check_configuration
from fer_core.bring.kinds import HDF5, Kind, kind_of_model
from fer_core.bring.stored import check_total, opened, text_of
from fer_core.data.archives import open_zip
from fer_core.errors import DataError, ModelError
from fer_core.reading import MOST_BYTES as MOST_TEXT_BYTES
from fer_core.reading import UnreadableError, read_bytes
from fer_core.regular_files import open_file
from fer_core.runs.reading import shown

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_BLOCK = 1024**2


@dataclass(frozen=True)
class Reading:
    """A Keras model that was found free of code.

    Attributes:
        kind: of the stranger's file.
        architecture: what was checked.
        keras: the version of Keras that saved it, empty where it does not say.
        clean: a file for ``keras.models.load_model``, made of the checked architecture and the weights.
    """

    kind: Kind
    architecture: Architecture
    keras: str
    clean: Path


def read_keras(path: Path, scratch: Path, weights: Path | None = None) -> Reading:
    """Read a ``.keras``, whole ``.h5`` or ``.json`` file (with its ``weights``), and write it anew into ``scratch``.

    Raises ``ModelError`` for what is no model, is damaged, names or holds code, or would unpack to too much.
    """
    kind = kind_of_model(path)
    if weights is not None and kind != Kind.JSON:
        raise ModelError(f"{shown(path)} is a {kind}, which holds its weights itself: leave --weights out.")
    if kind == Kind.KERAS:
        return _keras_zip(path, scratch)
    if kind == Kind.HDF5:
        return _hdf5(path, scratch)
    if kind == Kind.JSON:
        return _json(path, scratch, weights)
    raise ModelError(f"{shown(path)} is a {kind}, which Keras does not open.")


def _keras_zip(path: Path, scratch: Path) -> Reading:
    where = shown(path)
    try:
        with open_zip(path) as archive:
            names = archive.namelist()
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ModelError(f"{where} holds {shown(twice[0])[:60]} twice, so it is not clear which counts.")
            version = _version(_member(archive, METADATA, where), where)
            # Said first: what it holds would be refused one by one.
            if version.startswith("2."):
                raise ModelError(
                    f"{where} was saved by Keras {version}, whose .keras files Keras 3 does not read. Open it there, "
                    "save it with model.save('model.h5'), and bring that file."
                )
            architecture = check_configuration(_parsed(_member(archive, CONFIG, where), where, CONFIG), where)
            if WEIGHTS not in names:
                raise ModelError(f"{where} lacks {WEIGHTS}: it is an architecture without weights. Save it again.")
            stored = scratch / "stored.weights.h5"
            _unpack(archive, WEIGHTS, stored, path, where)
    except DataError as error:
        raise ModelError(str(error).replace("Download it again", "Copy or save it again")) from None
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, RuntimeError, NotImplementedError) as error:
        raise ModelError(f"{where} is cut off or damaged: {str(error)[:160]}. Copy or save it again.") from None
    with opened(stored, f"{WEIGHTS} in {where}"):
        pass
    return Reading(Kind.KERAS, architecture, version, _write_zip(scratch, architecture, version, stored))


def _hdf5(path: Path, scratch: Path) -> Reading:
    where = shown(path)
    with opened(path, where) as file:
        text = text_of(file, "model_config", where)
        if text is None:
            raise ModelError(
                f"{where} holds weights without an architecture. Save the whole model with model.save, or write "
                f"model.to_json() to a file and give that with --weights {shown(path.name)}."
            )
        architecture = check_configuration(_parsed(text.encode(), where, "model_config"), where)
        version = text_of(file, "keras_version", where) or ""
        if "model_weights" not in file:
            raise ModelError(f"{where} holds an architecture without weights. Save it again with model.save.")
        clean = scratch / "clean.h5"
        _write_hdf5(clean, architecture, version, file["model_weights"])
    return Reading(Kind.HDF5, architecture, version, clean)


def _json(path: Path, scratch: Path, weights: Path | None) -> Reading:
    where = shown(path)
    try:
        value = _parsed(read_bytes(path), where, "it")
    except UnreadableError as error:
        raise ModelError(f"{where} cannot be read: {error}.") from None
    if isinstance(value, str):  # json.dumps(model.to_json()) is a text that holds the JSON
        value = _parsed(value.encode(), where, "it")
    if isinstance(value, dict) and "modelTopology" in value:
        raise ModelError(f"{where} is a model of TensorFlow.js. Bring the Keras file that it was made from.")
    architecture = check_configuration(value, where)
    version = str(value.get("keras_version", "")) if isinstance(value, dict) else ""
    if weights is None:
        raise ModelError(f"{where} is an architecture without weights: give the file of the weights with --weights.")
    stored = shown(weights)
    try:
        with open_file(weights) as raw:
            head = raw.read(len(HDF5))
    except OSError as error:
        raise ModelError(f"{stored} cannot be read: {error.strerror or error}.") from None
    if head != HDF5:
        raise ModelError(f"{stored} is no HDF5 file: give what model.save_weights wrote, a file ending in .h5.")
    with opened(weights, stored) as file:
        if "layer_names" in file.attrs or "model_weights" in file:
            clean = scratch / "clean.h5"
            _write_hdf5(clean, architecture, version, file.get("model_weights", file))
            return Reading(Kind.JSON, architecture, version, clean)
    return Reading(Kind.JSON, architecture, version, _write_zip(scratch, architecture, version or "3", weights))


def _write_hdf5(clean: Path, architecture: Architecture, version: str, weights: object) -> None:
    import h5py

    with h5py.File(clean, "w") as out:
        out.attrs["model_config"] = json.dumps(architecture.config)
        out.attrs["keras_version"] = version
        out.attrs["backend"] = "tensorflow"
        source: h5py.Group = weights
        group = out.create_group("model_weights")
        for name, value in source.attrs.items():
            group.attrs[name] = value
        for name in source:
            source.copy(name, group)


def _write_zip(scratch: Path, architecture: Architecture, version: str, weights: Path) -> Path:
    clean = scratch / "clean.keras"
    with zipfile.ZipFile(clean, "w") as out:
        out.writestr(METADATA, json.dumps({"keras_version": version, "date_saved": ""}))
        out.writestr(CONFIG, json.dumps(architecture.config))
        out.write(weights, WEIGHTS)
    return clean


def _member(archive: zipfile.ZipFile, name: str, where: str) -> bytes:
    with archive.open(name) as file:
        content = file.read(MOST_TEXT_BYTES + 1)
    if len(content) > MOST_TEXT_BYTES:
        raise ModelError(f"{name} in {where} is larger than {MOST_TEXT_BYTES / 1024**2:.0f} MB.")
    return content


def _unpack(archive: zipfile.ZipFile, name: str, out: Path, path: Path, where: str) -> None:
    """Counted as it comes, whatever the archive's own account says."""
    total, size = 0, path.stat().st_size
    with archive.open(name) as file, out.open("wb") as target:
        while block := file.read(_BLOCK):
            total += len(block)
            check_total(total, size, where)
            target.write(block)


def _version(content: bytes, where: str) -> str:
    value = _parsed(content, where, METADATA)
    version = value.get("keras_version") if isinstance(value, dict) else None
    return version[:20] if isinstance(version, str) else ""


def _parsed(content: bytes, where: str, what: str) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ModelError(f"{where} is damaged: {what} is no JSON ({reason[:100]}).") from None
