"""Export to LiteRT with class maps, and refuse when the exported model does not agree. Child processes only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_core.data.face_rows import Images, in_batches
from fer_core.emotions import COUNT
from fer_core.errors import ExportError
from fer_core.evaluation.half_precision_litert import halve_litert
from fer_core.files import replacing
from fer_core.formatting import percent
from fer_core.inference.predictor import Predictor
from fer_core.zoo.class_maps import with_class_maps
from fer_core.zoo.keras_model import predict

if TYPE_CHECKING:
    import keras

TOLERANCE_FLOAT32 = 1e-4
TOLERANCE_FLOAT16 = 5e-3
MAP_TOLERANCE_FLOAT32 = 1e-3
MAP_TOLERANCE_FLOAT16 = 1e-2
"""Of the largest map value. Our shipped models are at 4e-5; a converter that rounded too much was at 1.7e-2."""
MIN_AGREEMENT_FLOAT16 = 0.998
PARITY_FACES = 256


@dataclass(frozen=True)
class Parity:
    """How far the exported model is from the Keras model: largest |Δp|, and the share of equal answers (0..1)."""

    faces: int
    largest_difference: float
    agreement: float
    largest_map_difference: float

    def agrees(self, *, half_precision: bool) -> bool:
        """Whether the two are the same model. False where anything is NaN.

        In half precision a rounding error may tip a face that sits on the fence; more than that is a defect.
        """
        if half_precision:
            return (
                self.largest_difference < TOLERANCE_FLOAT16
                and self.agreement >= MIN_AGREEMENT_FLOAT16
                and self.largest_map_difference < MAP_TOLERANCE_FLOAT16
            )
        return self.largest_difference < TOLERANCE_FLOAT32 and self.largest_map_difference < MAP_TOLERANCE_FLOAT32


def export_litert(
    model: keras.Model, path: Path, faces: Images, *, half_precision: bool = False, maps: bool = True
) -> Parity:
    """Write ``path`` (LiteRT: probabilities and class maps) from a float32 Keras model.

    ``faces`` uint8 (n, 48, 48) are what parity is checked on; ``half_precision`` stores large kernels as float16;
    without ``maps`` there are probabilities alone, for heads that have no closed form. Nothing is written where the two
    disagree: ``ExportError`` says by how much.
    """
    # Beside the target, so that the last step is a rename on one file system.
    with replacing(path) as temporary:
        convert(with_class_maps(model) if maps else model, temporary, half_precision=half_precision)
        parity = check_parity(model, temporary, faces)
        if not parity.agrees(half_precision=half_precision):
            raise ExportError(
                f"the exported model disagrees with model.keras: probabilities differ by up to "
                f"{parity.largest_difference:.2g}, {percent(1 - parity.agreement, 2)} of {parity.faces} answers "
                f"change, and class maps differ by up to {percent(parity.largest_map_difference, 2)} of the largest "
                f"value. {path.name} was not written."
            )
    return parity


def check_parity(model: keras.Model, tflite: Path, faces: Images) -> Parity:
    """Compare a LiteRT file with the Keras model it came from on ``faces`` uint8 (n, 48, 48), n ≥ 1.

    The map difference is relative to the largest map value; 0 where the file has no maps.
    """
    predictor = Predictor(tflite)
    expected = predict(model, faces)
    actual = in_batches(predictor.predict, faces, (COUNT,))
    largest_difference = float(np.abs(expected - actual).max())
    agreement = float(np.mean(expected.argmax(axis=1) == actual.argmax(axis=1)))
    if not predictor.has_maps:
        return Parity(len(faces), largest_difference, agreement, 0.0)
    first = np.asarray(faces[:PARITY_FACES])
    maps = predictor.explain(first)[1]
    expected_maps = np.asarray(with_class_maps(model).predict_on_batch(first[..., None].astype(np.float32))[1])
    largest = float(np.abs(expected_maps).max()) or 1.0
    return Parity(
        faces=len(faces),
        largest_difference=largest_difference,
        agreement=agreement,
        largest_map_difference=float(np.abs(expected_maps - maps).max()) / largest,
    )


def convert(model: keras.Model, path: Path, *, half_precision: bool) -> None:
    """Write the LiteRT file of a two-output model, batch size free."""
    import tensorflow as tf

    options: dict[str, Any] = {
        # Built-in operations only: anything else would need TensorFlow again where the model is used.
        "target_spec": {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    }
    # Through a SavedModel, as Keras does it. Converting a concrete function of the model directly goes wrong without
    # a word: its batch normalisation comes out as NaN (TensorFlow 2.21, Keras 3.15).
    try:
        model.export(path, format="litert", verbose=False, **options)
    except Exception as error:  # the converter raises bare exceptions of several kinds
        raise ExportError(f"{model.name} could not be converted to LiteRT: {error}") from error
    if half_precision:
        halve_litert(path)
