"""Model files of all kinds, made without Keras: what a course notebook leaves, and what somebody means to harm with."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np

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
