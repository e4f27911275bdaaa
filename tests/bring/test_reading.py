"""Stranger's model files read as data: what is taken, and that all that holds or names code is refused unopened."""

from __future__ import annotations

import json
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import model_files as files
import numpy as np
import pytest

from fer_core.bring.kinds import Kind, OtherFrameworkError, kind_of_model
from fer_core.bring.reading import read_keras
from fer_core.errors import ModelError


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def refusal(path: Path, scratch: Path, weights: Path | None = None) -> str:
    """The one sentence or two that it is refused with; nothing that Keras could open is left."""
    with pytest.raises(ModelError) as refused:
        read_keras(path, scratch, weights)
    assert not list(scratch.glob("clean*"))
    return str(refused.value)


def test_what_notebooks_save_is_read(tmp_path: Path, scratch: Path) -> None:
    keras = read_keras(files.write_keras(tmp_path / "a.keras", files.sequential()), scratch)
    assert (keras.kind, keras.keras, keras.clean.name) == (Kind.KERAS, "3.15.1", "clean.keras")
    assert keras.architecture.classes == ("Dense", "GlobalAveragePooling2D", "InputLayer")
    hdf5 = read_keras(files.write_hdf5(tmp_path / "a.h5", files.keras_2_sequential(), version="2.15.0"), scratch)
    assert (hdf5.kind, hdf5.keras, hdf5.clean.name) == (Kind.HDF5, "2.15.0", "clean.h5")
    path = tmp_path / "a.json"
    path.write_text(json.dumps(files.sequential()))
    assert read_keras(path, scratch, files.write_weights(tmp_path / "a.weights.h5")).clean.name == "clean.keras"
    # Named by what it is, whatever it is called.
    files.write_hdf5(tmp_path / "really.keras", files.sequential())
    assert kind_of_model(tmp_path / "really.keras") == Kind.HDF5


def test_losses_and_metrics_of_somebody_are_left_out(tmp_path: Path, scratch: Path) -> None:
    config = files.sequential() | {
        "compile_config": {"loss": {"class_name": "FocalLoss", "module": "os", "config": {}}}
    }
    clean = read_keras(files.write_keras(tmp_path / "a.keras", config), scratch).clean
    with zipfile.ZipFile(clean) as archive:
        assert "Focal" not in archive.read("config.json").decode()
    with h5py.File(read_keras(files.write_hdf5(tmp_path / "a.h5", files.sequential()), scratch).clean) as file:
        assert "training_config" not in file.attrs


def test_half_precision_becomes_single(tmp_path: Path, scratch: Path) -> None:
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}
    config = files.sequential(files.layer("ReLU", {"name": "relu", "dtype": policy}))
    built = read_keras(files.write_keras(tmp_path / "a.keras", config), scratch).architecture.config
    assert "float16" not in json.dumps(built)


def os_system() -> dict[str, Any]:
    return {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}


HOSTILE: dict[str, Callable[[], dict[str, Any]]] = {
    "Lambda": lambda: files.sequential(files.lambda_layer()),
    "a Python lambda": lambda: files.sequential(activation={"class_name": "__lambda__", "config": {"value": "x"}}),
    "system": lambda: files.sequential(activation=os_system()),
    "get_file": lambda: files.sequential(
        activation={"module": "keras.utils", "class_name": "function", "config": "get_file", "registered_name": "x"}
    ),
    "Popen": lambda: files.sequential(files.layer("Popen", {"args": ["true"]}, module="subprocess")),
    "Dense": lambda: files.sequential(files.layer("Dense", {"units": 3}, module="evil")),
    "Mine>Dense": lambda: files.sequential(files.layer("Dense", {"units": 3}) | {"registered_name": "Mine>Dense"}),
    "Attention2": lambda: files.sequential(files.layer("Attention2", {}, module="__main__")),
    "SavedModel": lambda: files.sequential(files.layer("TFSMLayer", {"filepath": "/tmp/x"})),
    "StringLookup": lambda: files.sequential(files.layer("StringLookup", {"vocabulary": "/etc/passwd"})),
    "__typespec__": lambda: files.sequential(
        activation={"class_name": "__typespec__", "module": "os", "config": [], "registered_name": None}
    ),
    "units": lambda: files.sequential(files.layer("Dense", {"name": "wide", "units": 10**9})),
    "Emotion": lambda: files.layer("EmotionNet", {}, module="__main__"),
}


@pytest.mark.parametrize("word", HOSTILE)
@pytest.mark.parametrize("write", [files.write_keras, files.write_hdf5])
def test_code_and_what_is_unknown_is_refused(word: str, write: Any, tmp_path: Path, scratch: Path) -> None:
    """In ``.h5`` as in ``.keras``: Keras' own safe mode was ignored there."""
    assert word.split(">")[0] in refusal(write(tmp_path / "model", HOSTILE[word]()), scratch)


def test_lambda_within_nested_models_and_wrappers_is_found(tmp_path: Path, scratch: Path) -> None:
    nested = files.layer("TimeDistributed", {"layer": files.sequential(files.lambda_layer())})
    assert "Lambda" in refusal(files.write_keras(tmp_path / "a.keras", files.sequential(nested)), scratch)


def test_models_of_keras_2_in_keras_files_are_named(tmp_path: Path, scratch: Path) -> None:
    words = refusal(files.write_keras(tmp_path / "a.keras", files.keras_2_sequential(), version="2.15.0"), scratch)
    assert "Keras 2.15.0" in words
    assert "model.h5" in words


def test_zip_bombs_are_refused(tmp_path: Path, scratch: Path) -> None:
    words = refusal(files.write_keras(tmp_path / "a.keras", files.sequential(), weights=bytes(100 * 1024**2)), scratch)
    assert "bomb" in words or "unpack" in words


def test_arrays_that_unpack_without_end_are_refused(tmp_path: Path, scratch: Path) -> None:
    path = files.write_hdf5(tmp_path / "a.h5", files.sequential())
    with h5py.File(path, "a") as file:
        file["model_weights"].create_dataset("giant", shape=(10**6, 10**6), dtype="f4", chunks=(1000, 1000))
    assert "unpack" in refusal(path, scratch)


@pytest.mark.parametrize("link", [h5py.ExternalLink("/etc/other.h5", "/"), h5py.SoftLink("/model_weights")])
def test_links_out_of_a_file_of_weights_are_refused(link: Any, tmp_path: Path, scratch: Path) -> None:
    path = files.write_hdf5(tmp_path / "a.h5", files.sequential())
    with h5py.File(path, "a") as file:
        file["model_weights/elsewhere"] = link
    assert "link" in refusal(path, scratch)


def test_arrays_kept_in_other_files_are_refused(tmp_path: Path, scratch: Path) -> None:
    """They would be read from any path of this computer."""
    path = files.write_hdf5(tmp_path / "a.h5", files.sequential())
    with h5py.File(path, "a") as file:
        file["model_weights"].create_dataset("secret", (4,), "u1", external=[("/etc/passwd", 0, 4)])
    assert "link" in refusal(path, scratch)


@pytest.mark.parametrize("name", ["a.keras", "a.h5"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_files_cut_off_are_refused(name: str, share: float, tmp_path: Path, scratch: Path) -> None:
    write = files.write_keras if name == "a.keras" else files.write_hdf5
    content = write(tmp_path / name, files.sequential()).read_bytes()
    (tmp_path / name).write_bytes(content[: int(len(content) * share)])
    assert re.search("cut off|damaged", refusal(tmp_path / name, scratch))


def test_weights_alone_and_architectures_alone_ask_for_the_other(tmp_path: Path, scratch: Path) -> None:
    assert "--weights" in refusal(files.write_weights(tmp_path / "model.weights.h5"), scratch)
    path = tmp_path / "model.json"
    path.write_text(json.dumps(files.sequential()))
    assert "--weights" in refusal(path, scratch)
    (tmp_path / "w.h5").write_bytes(pickle.dumps([1]))
    assert "HDF5" in refusal(path, scratch, tmp_path / "w.h5")
    path.write_text("{ not json")
    assert "JSON" in refusal(path, scratch)
    path.write_text(json.dumps({"class_name": "Sequential", "config": None}))
    assert "architecture" in refusal(path, scratch)


def torch_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", pickle.dumps([1]))


OTHERS: dict[str, Callable[[Path], object]] = {
    "PyTorch": torch_zip,
    "pickle": lambda path: path.write_bytes(pickle.dumps({"weights": [1]}, protocol=4)),
    "ONNX": lambda path: path.write_bytes(b"\x08\x07\x12\x07pytorch\x1a\x03" + bytes(200)),
    "safetensors": lambda path: path.write_bytes((40).to_bytes(8, "little") + b'{"a":{"dtype":"F32"}}' + bytes(40)),
}


@pytest.mark.parametrize("word", OTHERS)
@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.pt"])
def test_other_frameworks_are_told_how_to_bring_probabilities(word: str, name: str, tmp_path: Path) -> None:
    """Whatever the file is called."""
    OTHERS[word](tmp_path / name)
    with pytest.raises(OtherFrameworkError, match="probabilities") as refused:
        kind_of_model(tmp_path / name)
    assert word in str(refused.value)
    assert len(refused.value.script) == 3
    compile("\n".join(refused.value.script), "script", "exec")


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.zeros(3))
    (tmp_path / "empty.h5").write_bytes(b"")
    (tmp_path / "picture.keras").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (tmp_path / "folder").mkdir()
    for name, word in {
        "p.npy": "predictions import",
        "empty.h5": "empty",
        "picture.keras": "no model",
        "folder": "SavedModel",
        "nothing.h5": "no file",
    }.items():
        with pytest.raises(ModelError, match=word):
            kind_of_model(tmp_path / name)
