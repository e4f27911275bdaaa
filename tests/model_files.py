"""Model files of all kinds, made without Keras: what a course notebook leaves, and what somebody means to harm with."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from fer_core.emotions import NAMES

SIZE = 8
CLASSES = 7


def layer(name: str, config: dict[str, Any], *, module: str = "keras.layers", **more: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": None, **more}


def sequential(
    *between: dict[str, Any], size: int = SIZE, channels: int = 1, classes: int = CLASSES, activation: Any = "softmax"
) -> dict[str, Any]:
    """A Sequential as Keras 3 writes it: input, ``between``, average, dense."""
    layers = [
        layer("InputLayer", {"batch_shape": [None, size, size, channels], "dtype": "float32", "name": "input"}),
        *between,
        layer("GlobalAveragePooling2D", {"name": "average_pooling"}),
        layer("Dense", {"name": "dense", "units": classes, "activation": activation}),
    ]
    return layer("Sequential", {"name": "sequential", "layers": layers}, module="keras")


def lambda_layer() -> dict[str, Any]:
    code = {"class_name": "__lambda__", "config": {"value": ["4wEAAAA=", None, None]}}
    return layer("Lambda", {"name": "lambda", "function": code})


def write_weights(path: Path, channels: int = 1, classes: int = CLASSES) -> Path:
    with h5py.File(path, "w") as file:
        variables = file.create_group("layers/dense/vars")
        variables["0"] = np.random.default_rng(0).normal(size=(channels, classes)).astype(np.float32)
        variables["1"] = np.zeros(classes, np.float32)
    return path


def write_keras(path: Path, config: dict[str, Any], *, version: str = "3.15.1", weights: bytes | None = None) -> Path:
    if weights is None:
        stored = write_weights(path.with_suffix(".weights.h5"))
        weights = stored.read_bytes()
        stored.unlink()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": version, "date_saved": "2026-01-01@00:00:00"}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", weights)
    return path


def write_hdf5(path: Path, config: dict[str, Any], *, version: str = "3.15.1") -> Path:
    """As ``model.save("model.h5")`` writes it."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = version
        file.attrs["training_config"] = json.dumps({"loss": {"class_name": "Evil", "config": {}}})
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = np.array([b"input", b"average_pooling", b"dense"])
        weights.attrs["backend"] = b"tensorflow"
        weights.attrs["keras_version"] = version.encode()
        for name in ("input", "average_pooling"):
            weights.create_group(name).attrs["weight_names"] = np.array([], dtype="S1")
        dense = weights.create_group("dense")
        dense.attrs["weight_names"] = np.array([b"dense/kernel", b"dense/bias"])
        dense["dense/kernel"] = np.random.default_rng(0).normal(size=(1, CLASSES)).astype(np.float32)
        dense["dense/bias"] = np.zeros(CLASSES, np.float32)
    return path


def keras_2_sequential() -> dict[str, Any]:
    """As Keras 2 writes it into ``.h5``: no modules, ``batch_input_shape``."""
    return {
        "class_name": "Sequential",
        "config": {
            "name": "sequential",
            "layers": [
                {
                    "class_name": "InputLayer",
                    "config": {
                        "batch_input_shape": [None, SIZE, SIZE, 1],
                        "dtype": "float32",
                        "sparse": False,
                        "name": "input",
                    },
                },
                {"class_name": "GlobalAveragePooling2D", "config": {"name": "average_pooling", "dtype": "float32"}},
                {
                    "class_name": "Dense",
                    "config": {
                        "name": "dense",
                        "dtype": "float32",
                        "units": CLASSES,
                        "activation": "softmax",
                        "use_bias": True,
                        "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}},
                        "bias_initializer": {"class_name": "Zeros", "config": {}},
                    },
                },
            ],
        },
    }


GREY, BRIGHT = 100, 200
"""Faces of :func:`spot_faces` are grey, with one bright spot that tells the class."""


def spot_faces(n: int = 420) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int8], npt.NDArray[np.str_]]:
    """Faces whose class is where they are bright, labels of which one in five is wrong, and splits, a third each."""
    generator = np.random.default_rng(0)
    labels = (np.arange(n) % 7).astype(np.int8)
    images = generator.integers(GREY - 20, GREY + 20, (n, 48, 48)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), 3)
        image[16 * row : 16 * row + 16, 16 * column : 16 * column + 16] += BRIGHT - GREY
    wrong = generator.random(n) < 0.2
    labels[wrong] = generator.integers(0, 7, int(wrong.sum()))
    splits = np.array(["Training", "PublicTest", "PrivateTest"])[np.arange(n) // 7 % 3]
    return images, labels, splits


def write_spot_model(
    path: Path, classes: tuple[str, ...], *, channels: int = 3, logits: bool = False, suffix: str = ".h5"
) -> Path:
    """A network that reads :func:`spot_faces` with pixels 0..1, its answers in the order ``classes``.

    With pixels 0..255 all is bright to it.
    """
    layers = [
        layer("InputLayer", {"batch_shape": [None, 48, 48, channels], "dtype": "float32", "name": "input"}),
        layer("Rescaling", {"name": "steep", "scale": 30.0, "offset": -18.0}),
        layer("Activation", {"name": "threshold", "activation": "sigmoid"}),
        layer("AveragePooling2D", {"name": "cells", "pool_size": [16, 16], "strides": [16, 16]}),
        layer("Flatten", {"name": "flatten"}),
        layer("Dropout", {"name": "dropout", "rate": 0.5}),
        layer("Dense", {"name": "dense", "units": len(classes), "activation": "linear" if logits else "softmax"}),
    ]
    config = layer("Sequential", {"name": "sequential", "layers": layers}, module="keras")
    kernel = np.zeros((9 * channels, len(classes)), np.float32)
    for column, name in enumerate(classes):
        if name in NAMES:
            cell = NAMES.index(name)
            kernel[cell * channels : (cell + 1) * channels, column] = 6 / channels
    arrays = {"kernel": kernel, "bias": np.zeros(len(classes), np.float32)}
    if suffix == ".keras":
        stored = path.with_suffix(".weights.h5")
        with h5py.File(stored, "w") as file:
            variables = file.create_group("layers/dense/vars")
            variables["0"], variables["1"] = arrays.values()
        return write_keras(path, config, weights=stored.read_bytes())
    with h5py.File(path, "w") as file:
        file.attrs["model_config"], file.attrs["keras_version"] = json.dumps(config), "3.15.1"
        weights = file.create_group("model_weights")
        names = [str(one["config"]["name"]) for one in layers]
        weights.attrs["layer_names"] = np.array([name.encode() for name in names])
        for name in names:
            group = weights.create_group(name)
            group.attrs["weight_names"] = np.array(
                [b"dense/kernel", b"dense/bias"] if name == "dense" else [], dtype="S12"
            )
        for name, array in arrays.items():
            weights["dense"][f"dense/{name}"] = array
    return path
