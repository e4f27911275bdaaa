"""A stranger's network, opened: what it takes, what it gives, and how it is asked. Child processes only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.bring.last_layer import keras_is_linear, litert_is_linear
from fer_core.bring.litert_file import free_batch
from fer_core.bring.litert_graph import LitertGraph
from fer_core.bring.orders import check_count
from fer_core.bring.whole_numbers import in_real_numbers, step_of
from fer_core.emotions import IMAGE_SIZE
from fer_core.errors import ModelError
from fer_core.formatting import plural

if TYPE_CHECKING:
    import keras

LARGEST_SIDE = 512
"""Pixels. Networks commonly take 224 or 299."""

Floats = npt.NDArray[np.float32]


class KerasNetwork:
    """A network that Keras has opened.

    Attributes:
        model: with one input and one output.
        height, width, channels: of a picture that it takes.
        count: answers a face.
        linear: whether the file tells that nothing brings its answers into a range: sums, as logits are.
        step: in which its answers come where they are computed in whole numbers; 0 where they come in none.
    """

    step = 0.0

    def __init__(self, path: Path) -> None:
        """``path``: as :func:`fer_core.bring.reading.read_keras` wrote it. Raises ``ModelError``."""
        import keras

        try:
            model = keras.models.load_model(path, compile=False, safe_mode=True)
        except (MemoryError, KeyboardInterrupt):
            raise
        except Exception as error:  # Keras and TensorFlow raise all kinds
            raise ModelError(f"Keras {keras.__version__} cannot build it: {_words(error)}") from error
        self.height, self.width, self.channels, self.count = _shapes(model)
        # Of other models inputs and outputs may have names, in a dictionary, or stand in a list.
        sequential = isinstance(model, keras.Sequential)
        self.model = model if sequential else keras.Model(model.inputs[0], model.outputs[0])
        self.linear = keras_is_linear(self.model)

    def __call__(self, pictures: Floats) -> Floats:
        """Its answers float32 (B, K) to pictures float32 (B, height, width, channels). Raises ``ModelError``."""
        try:
            return np.asarray(self.model.predict_on_batch(pictures), dtype=np.float32)
        except (MemoryError, KeyboardInterrupt):
            raise
        except Exception as error:  # Keras and TensorFlow raise all kinds
            raise ModelError(
                f"it was opened, and cannot be asked about {plural(len(pictures), 'face')}: {_words(error)}"
            ) from error


class LitertNetwork:
    """A network in a LiteRT file. Attributes as of :class:`KerasNetwork`; ``model`` is its tree of objects."""

    def __init__(self, model: Any, scratch: Path) -> None:
        """``model``: from :func:`fer_core.bring.litert_file.read_litert`. Raises ``ModelError``."""
        in_real_numbers(model)
        free_batch(model)
        self.model = model
        try:
            self._graph = LitertGraph(model, scratch / "network.tflite")
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"LiteRT cannot open it: {_words(error)}") from error
        self.height, self.width, self.channels = picture_shape(self._graph.takes)
        self.count = answers((None, *self._graph.gives[1:]))
        self.step, self.linear = step_of(model), litert_is_linear(model)
        self._check_batches()

    def __call__(self, pictures: Floats) -> Floats:
        """Its answers float32 (B, K) to pictures float32 (B, height, width, channels)."""
        return self._graph(pictures)

    def _check_batches(self) -> None:
        pictures = np.random.default_rng(0).uniform(0, 1, (3, self.height, self.width, self.channels))
        try:
            together = self(pictures.astype(np.float32))
            alone = np.concatenate([self(one[None].astype(np.float32)) for one in pictures])
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"it cannot be asked about one face and about several: {_words(error)}. Convert it with any number of "
                "pictures, or with one."
            ) from error
        if together.shape != alone.shape or not np.allclose(together, alone, atol=1e-4):
            raise ModelError("it answers otherwise when it is asked about several faces at once.")


def _shapes(model: keras.Model) -> tuple[int, int, int, int]:
    if not model.built or not getattr(model, "inputs", None):
        raise ModelError("it does not say what its input is. Call it on one picture before you save it.")
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ModelError(
            f"it has {plural(len(model.inputs), 'input')} and {plural(len(model.outputs), 'output')}, and models with "
            "one of each can be brought. Save the part that goes from a picture to the expressions."
        )
    given, answer = tuple(model.inputs[0].shape), tuple(model.outputs[0].shape)
    return (*picture_shape(given), answers(answer))


def picture_shape(shape: tuple[Any, ...]) -> tuple[int, int, int]:
    """Height, width and channels of an input (batch, height, width, channels); sizes that are free become 48.

    Raises ``ModelError`` for any other input.
    """
    words = "×".join("any" if size is None else str(size) for size in shape[1:])
    if len(shape) != 4 or shape[3] not in (1, 3):
        channels_first = len(shape) == 4 and shape[1] in (1, 3)
        raise ModelError(
            f"its input is {words or 'one number'}, and pictures of height × width × 1 or 3 channels are given."
            + (" Turn the channels to the end with a Permute layer before it." if channels_first else "")
        )
    height, width = (IMAGE_SIZE if size is None else int(size) for size in shape[1:3])
    if not (4 <= height <= LARGEST_SIDE and 4 <= width <= LARGEST_SIDE):
        raise ModelError(f"it takes pictures of {words}; 4 to {LARGEST_SIDE} pixels a side can be given.")
    return height, width, int(shape[3])


def answers(shape: tuple[Any, ...]) -> int:
    """The number of classes of an output (batch, classes). Raises ``ModelError`` for any other output."""
    if len(shape) != 2 or shape[1] is None:
        words = "×".join("any" if size is None else str(size) for size in shape[1:])
        raise ModelError(f"its output is {words or 'one number'}, and one list of answers a face was expected.")
    check_count(int(shape[1]))
    return int(shape[1])


def _words(error: Exception) -> str:
    """The first line of a library's message, and the next where the first only leads to it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    led = lines[0].endswith(":") and len(lines) > 1
    return " ".join(lines[: 2 if led else 1])[:300]
