"""Store a run's weights in half precision: half the bytes, the same answers. Child processes only.

Large kernels become float16 in the file and float32 again when Keras loads it. Vectors (biases, batch normalisation)
stay float32: they are few, and a variance may be too large or too small for float16. So do small kernels, above all the
first, which sees raw pixels: rounding all of ResNet50's moves one probability of 3,589 × 7 by 0.0086, rounding only the
large ones by 0.0003, for 1 MB.
"""

from __future__ import annotations

import io
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fer_core.data.face_rows import FaceRows
from fer_core.emotions import PUBLIC_TEST
from fer_core.errors import ExportError
from fer_core.evaluation.export import Parity
from fer_core.evaluation.half_precision_litert import fit_kernels, is_large
from fer_core.formatting import percent
from fer_core.leftovers import temporary_folder
from fer_core.zoo.keras_model import load_keras, predict

if TYPE_CHECKING:
    import h5py

    from fer_core.data.dataset import Dataset

WEIGHTS = "model.weights.h5"
MAX_ACCURACY_CHANGE = 1e-3
LARGEST = float(np.finfo(np.float16).max)


def halve_keras(source: Path, target: Path, dataset: Dataset, *, fit: bool = False) -> Parity:
    """Write ``model.keras`` with large kernels in float16 to ``target`` and return how far it is from ``source``.

    ``fit``: so that ``model.tflite`` can hold the same kernels in half precision (see :func:`fit_kernels`).

    Checked on PublicTest first: probabilities, answers, and accuracy within 0.1 point. Where that fails, or a kernel
    does not fit float16, ``ExportError`` says so and nothing is written.
    """
    import keras

    rows = dataset.rows(PUBLIC_TEST)
    if not len(rows):
        raise ExportError(f"{dataset.info.path} has no {PUBLIC_TEST} faces to compare the two precisions on.")
    faces, labels = FaceRows(dataset.images, rows), np.asarray(dataset.labels[rows])
    before = predict(load_keras(source), faces)
    folder = temporary_folder(".half", target.parent)
    try:
        halved, fitted = folder / "half.keras", folder / "fitted.keras"
        if fit:
            model = load_keras(source)
            fit_kernels(model)
            model.save(fitted)
        _rewrite(fitted if fit else source, halved)
        after = predict(keras.models.load_model(halved, compile=False), faces)
        same = before.argmax(axis=1) == after.argmax(axis=1)
        parity = Parity(len(faces), float(np.abs(before - after).max()), float(np.mean(same)), 0.0)
        change = abs(float(np.mean(after.argmax(axis=1) == labels) - np.mean(before.argmax(axis=1) == labels)))
        if not parity.agrees(half_precision=True) or change > MAX_ACCURACY_CHANGE:
            raise ExportError(
                f"half precision changes this model too much: probabilities by up to {parity.largest_difference:.2g}, "
                f"{percent(1 - parity.agreement, 2)} of {len(faces)} answers, accuracy by {percent(change, 2)}. "
                "model.keras stays as it is."
            )
        halved.replace(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return parity


def _rewrite(source: Path, target: Path) -> None:
    """Copy a ``.keras`` archive with the large float32 kernels of its weights file as float16."""
    import h5py

    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == WEIGHTS:
                halved = io.BytesIO()
                with h5py.File(io.BytesIO(content)) as given, h5py.File(halved, "w") as written:
                    _copy(given, written)
                content = halved.getvalue()
            new.writestr(name, content)


def _copy(source: h5py.Group, target: h5py.Group) -> None:
    import h5py

    target.attrs.update(source.attrs)
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            _copy(item, target.create_group(name))
            continue
        values = item[()]
        if values.dtype == np.float32 and is_large(values.shape):
            if float(np.abs(values).max(initial=0)) > LARGEST:
                raise ExportError(f"{item.name} holds values beyond float16's range: half precision cannot store it.")
            values = values.astype(np.float16)
        target.create_dataset(name, data=values).attrs.update(item.attrs)
