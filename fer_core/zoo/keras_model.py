"""A saved Keras model: opening it for inference, and asking it. Child processes only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.data.face_rows import Images, in_batches
from fer_core.emotions import COUNT
from fer_core.errors import RunError

if TYPE_CHECKING:
    import keras

PREDICT_BATCH = 256


def predict(model: keras.Model, images: Images) -> npt.NDArray[np.float32]:
    """Probabilities float32 (n, 7) of uint8 faces (n, 48, 48), batch by batch, with ``training=False``."""

    def answer(batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return np.asarray(model.predict_on_batch(batch.astype(np.float32)[..., None]), dtype=np.float32)

    return in_batches(answer, images, (COUNT,), PREDICT_BATCH)


def load_keras(path: Path) -> keras.Model:
    """A run's ``model.keras``, for inference. Raises ``RunError`` if it is missing or damaged."""
    import keras

    if not path.exists():
        raise RunError(f"{path.parent} has no {path.name}: no epoch of this training has ended.")
    try:
        return keras.models.load_model(path, compile=False)
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
