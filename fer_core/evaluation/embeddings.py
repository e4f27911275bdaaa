"""Make a run's ``embeddings.parquet`` with Keras. Child processes only.

How many neighbours are looked for, and how many dimensions are kept: :mod:`fer_core.runs.embeddings`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.data.face_rows import FaceRows, batches
from fer_core.data.spooled_rows import SpooledRows
from fer_core.emotions import TRAINING
from fer_core.errors import RunError
from fer_core.runs.embeddings import write_embeddings
from fer_core.zoo.heads import PROBABILITIES
from fer_core.zoo.keras_model import PREDICT_BATCH

if TYPE_CHECKING:
    import keras

    from fer_core.data.dataset import Dataset


def write_embeddings_of(path: Path, dataset: Dataset, model: keras.Model, rows: npt.NDArray[np.intp]) -> None:
    """``embeddings.parquet``: the faces of ``rows`` as the last dense layer reads them, and their nearest in Training.

    The model sees each Training face once. All embeddings lie on disk meanwhile, 4 bytes a number: 290 MB for FER-2013
    with 2,048 dimensions. Raises ``RunError`` where the model has another head than ours, answers with numbers that are
    not finite.
    """
    training = dataset.rows(TRAINING)
    head = embedding_model(model)
    with SpooledRows(path.parent) as faces, SpooledRows(path.parent) as known:
        for which, spooled in ((rows, faces), (training, known)):
            for batch in batches(FaceRows(dataset.images, which), PREDICT_BATCH):
                found = embed(head, batch)
                if not np.isfinite(found).all():
                    raise RunError(
                        "the model gives embeddings that are not finite, so its weights are damaged. Train it again."
                    )
                spooled.append(found)
        write_embeddings(path, rows, dataset.splits[rows], faces, training, known, fingerprint=dataset.info.fingerprint)


def embedding_model(model: keras.Model) -> keras.Model:
    """The model up to the input of its last layer: float (B, d). Raises ``RunError`` for an unknown head.

    With the average head that is the mean of the feature map; with the flatten head, the hidden layer. Dropout lies
    in between and does nothing outside training.
    """
    from keras import Model

    if all(layer.name != PROBABILITIES for layer in model.layers):
        raise RunError(
            f"{model.name} has no layer called {PROBABILITIES!r}, so there is no telling what its answer is made "
            "from: build its head with fer_core.zoo.heads."
        )
    tensor = model.get_layer(PROBABILITIES).input
    if len(tensor.shape) != 2:
        raise RunError(
            f"the layer {PROBABILITIES!r} of {model.name} reads {tensor.shape} instead of one vector a face."
        )
    return Model(model.input, tensor, name=f"{model.name}_embedding")


def embed(model: keras.Model, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Embeddings float32 (n, d) of faces uint8 (n, 48, 48), in one batch, with ``training=False``.

    ``model`` is from :func:`embedding_model`; it may compute in half precision.
    """
    return np.asarray(model.predict_on_batch(images.astype(np.float32)[..., None]), dtype=np.float32)
