"""What kind of model file something is, by its first bytes and never by its name, and what to say of other kinds."""

from __future__ import annotations

import re
import zipfile
from enum import StrEnum
from pathlib import Path

from fer_core.errors import ModelError
from fer_core.regular_files import kind_of, open_file
from fer_core.runs.reading import shown

SAVED_MODEL = "saved_model.pb"
MOST_BYTES = 1024**3
"""The largest model file that is opened. VGG16 with its dense layers of 4,096 units has 0.55 GB."""
HDF5 = b"\x89HDF\r\n\x1a\n"
_TORCH_MAGIC = bytes.fromhex("6cfc9c46f9206aa85019")
"""What PyTorch wrote first until version 1.6, and writes still where asked to."""
_HEAD = 512


class Kind(StrEnum):
    """The kinds of model that can be brought."""

    KERAS = "Keras file"
    HDF5 = "HDF5 file"
    JSON = "architecture"
    SAVED_MODEL = "SavedModel"
    LITERT = "LiteRT file"
    ZIP = "zip"
    """Packed: one of the others, or several, or none."""


class OtherFrameworkError(ModelError):
    """A model of another framework: it cannot be opened here, and its probabilities can be brought.

    Attributes:
        script: three lines of Python that write them.
    """

    def __init__(self, message: str, script: tuple[str, ...]) -> None:
        super().__init__(message)
        self.script = script

    def details(self) -> dict[str, object]:
        return {"script": list(self.script)}


_TORCH = (
    "import numpy, torch",
    "p = torch.softmax(model.eval()(faces), dim=1)  # faces: the dataset's images.npy, prepared as for your training",
    'numpy.save("probabilities.npy", p.detach().numpy())',
)
_ONNX = (
    "import numpy, onnxruntime",
    "p = onnxruntime.InferenceSession(FILE).run(None, {INPUT: faces})[0]  # faces: images.npy, prepared as in training",
    'numpy.save("probabilities.npy", p)',
)
_ANY = (
    "import numpy",
    "p = model.predict_proba(faces)  # faces: the dataset's images.npy, prepared as for your training",
    'numpy.save("probabilities.npy", p)',
)


def kind_of_model(path: Path) -> Kind:
    """The kind of the model at ``path``, a file or a folder. Reads the first bytes and, of a zip, its list of files.

    Raises :class:`OtherFrameworkError` for models of other frameworks, ``ModelError`` for whatever else it is.
    """
    where = shown(path)
    try:
        if kind_of(path) == "a folder":
            return _folder(path)
        size = path.stat().st_size
        with open_file(path) as file:
            head = file.read(_HEAD)
    except FileNotFoundError:
        raise ModelError(f"there is no file {where}.") from None
    except OSError as error:
        raise ModelError(f"{where} cannot be read: {error.strerror or error}.") from None
    if not head:
        raise ModelError(f"{where} is empty. Save the model again.")
    if size > MOST_BYTES:
        raise ModelError(f"{where} has {size / 1e9:.1f} GB; models of at most {MOST_BYTES / 1e9:.1f} GB are opened.")
    if head.startswith(HDF5):
        return Kind.HDF5
    if head[4:8] == b"TFL3":
        return Kind.LITERT
    if head.startswith(b"PK"):
        return _zip(path, where)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b'"{')):
        return Kind.JSON
    raise _other(path, where, head)


def _folder(path: Path) -> Kind:
    if (path / SAVED_MODEL).is_file():
        return Kind.SAVED_MODEL
    if (path / "run.json").is_file():
        raise ModelError(f"{shown(path)} is a run folder of this program already: copy it into the folder runs.")
    raise ModelError(
        f"{shown(path)} is a folder without {SAVED_MODEL}, so it is no SavedModel. Give the model's file, or the "
        f"folder that holds {SAVED_MODEL}."
    )


def _zip(path: Path, where: str) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError):
        raise ModelError(f"{where} is cut off or damaged: it is no whole zip. Copy or save it again.") from None
    if {"config.json", "metadata.json"} <= names:
        return Kind.KERAS
    if any(name.endswith("data.pkl") for name in names):
        raise _torch(where)
    if any(name.endswith((SAVED_MODEL, ".keras", ".h5", ".hdf5", ".tflite")) for name in names):
        return Kind.ZIP
    raise ModelError(f"{where} is a zip, and no model that Keras saved: it lacks config.json and metadata.json.")


def _torch(where: str) -> OtherFrameworkError:
    return _elsewhere(where, "a PyTorch file, which can run any program when it is opened", _TORCH)


def _elsewhere(where: str, what: str, script: tuple[str, ...]) -> OtherFrameworkError:
    return OtherFrameworkError(
        f"{where} is {what}, so it cannot be opened here: bring its probabilities instead, with python -m "
        "fer_core predictions import probabilities.npy --data DATASET. Three lines of Python write that file.",
        script,
    )


def _other(path: Path, where: str, head: bytes) -> ModelError:
    if re.match(rb"\x80[\x02-\x05]", head):
        if b"torch" in head or _TORCH_MAGIC in head:
            return _torch(where)
        return _elsewhere(where, "a Python pickle, which can run any program when it is opened", _ANY)
    # An ONNX file begins with its version (field 1, a number) and who made it (field 2, a text).
    if re.match(rb"\x08[\x01-\x20][\x12\x3a\x42]", head):
        return _elsewhere(where, "an ONNX file", _ONNX)
    if re.match(rb".{3,4}\x00{3,5}\{\"", head, re.DOTALL):
        return _elsewhere(where, "a file of weights alone (safetensors)", _TORCH)
    if head.startswith(b"\x1f\x8b"):
        return ModelError(f"{where} is packed with gzip. Unpack it and give what is in it.")
    if head.startswith(b"\x93NUMPY"):
        return ModelError(
            f"{where} is a NumPy array and no model. Are these probabilities? Bring them with: "
            "python -m fer_core predictions import FILE --data DATASET"
        )
    if path.suffix.lower() == ".pb":
        return ModelError(f"{where} is one file of a SavedModel: give the folder that holds it and its variables.")
    return ModelError(
        f"{where} is no model file, or it is damaged: .keras, .h5, .json with its weights, .tflite and "
        "SavedModels can be brought."
    )
