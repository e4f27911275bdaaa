"""Activation maximisation by tf-keras-vis, first kernels, and what a face sets off in each layer.

Runs in the worker's process only (imports Keras and tf-keras-vis, inside functions).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.data.sample.redraw import new_face
from fer_core.emotions import COUNT
from fer_core.errors import ExplainError
from fer_core.explain.base import Faces, to_grey
from fer_core.explain.inside import MOST_KERNELS, Inside, LayerResponse, response
from fer_core.explain.worker.gradient_model import GradientModel, as_batch
from fer_core.explain.worker.serve import Watch

if TYPE_CHECKING:
    import tensorflow as tf

Floats = npt.NDArray[np.float32]
STEPS = 50
RATE = 8.0
"""Grey levels that a pixel may move in a step, about."""
SMOOTH = 0.4
"""Standard deviation in pixels of the blur between steps: without it the pictures are fine-grained noise."""
SHIFT = 1
"""Pixels that the picture is moved by at most before a step, at random, and back after it."""
VARIATION = 0.05
"""Weight of the total variation, which keeps neighbouring pixels alike."""
FIRST_FACE = 51
"""The drawn face, at rest, from which all seven pictures begin."""


def draw_inside(gradient_model: GradientModel, seal: str, watch: Watch) -> Inside:
    """Kernels and ideal pictures. Raises ``ExplainError`` where the model begins with no convolution."""
    layer, kernels = first_kernels(gradient_model)
    ideals = ideal_pictures(gradient_model, watch)
    logits = gradient_model.logits(ideals.astype(np.float32)[..., np.newaxis])
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return Inside(seal, layer, kernels, ideals, (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32))


def first_kernels(gradient_model: GradientModel) -> tuple[str, Floats]:
    """The first convolution's name, and its kernels float32 (n, h, w) summed over the input's channels, which are equal
    for a grey face.
    """
    import keras

    for layer in gradient_model.model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernels = np.asarray(layer.kernel, dtype=np.float32).sum(axis=2)
            return layer.name, np.moveaxis(kernels, 2, 0)[:MOST_KERNELS]
    raise ExplainError("the model has no convolution, so there are no kernels to show.")


def ideal_pictures(gradient_model: GradientModel, watch: Watch) -> Faces:
    """uint8 (7, 48, 48): for each class the picture that the model would call most so, from the same drawn face.

    Seven at once: the pictures do not touch each other.
    """
    import keras
    from tf_keras_vis.activation_maximization import ActivationMaximization
    from tf_keras_vis.activation_maximization.callbacks import Callback
    from tf_keras_vis.activation_maximization.regularizers import TotalVariation2D
    from tf_keras_vis.utils.scores import CategoricalScore

    class Tell(Callback):
        def __call__(self, i: int, *_: Any, **__: Any) -> None:
            watch.step(i + 1, STEPS)

    watch.begin("steps", "Changing pictures")
    around = _Around()
    found = gradient_model.tool(ActivationMaximization)(
        CategoricalScore(list(range(COUNT))),
        seed_input=as_batch(new_face(FIRST_FACE).draw()[0], COUNT),
        input_range=(0, 255),
        input_modifiers=[around],
        regularizers=[TotalVariation2D(VARIATION)],
        steps=STEPS,
        # One of its own each time: an optimiser remembers the variables of its first run.
        optimizer=keras.optimizers.Adam(RATE),
        callbacks=[Tell()],
        training=False,
    )
    return to_grey(np.asarray(around.back(found))[..., 0])


def activations(gradient_model: GradientModel, face: Faces, layers: Sequence[str], watch: Watch) -> list[LayerResponse]:
    """What each of these layers does for a face uint8 (48, 48). Raises ``ExplainError`` for an unknown layer."""
    import keras

    watch.begin("layers", "Looking at layers")
    known = {layer.name: layer for layer in gradient_model.model.layers}
    for name in layers:
        if name not in known:
            raise ExplainError(f"the model has no layer called {name!r}.")
    outputs = keras.Model(gradient_model.model.inputs, [known[name].output for name in layers])
    found = outputs([as_batch(face)], training=False)
    found = found if isinstance(found, (list, tuple)) else [found]
    return [response(name, np.asarray(one)[0]) for name, one in zip(layers, found, strict=True)]


class _Around:
    """Between steps: both halves of the face made alike, a slight blur, and another shift.

    tf-keras-vis goes on from what its modifiers return. Its own ``Jitter`` therefore wanders off, and its ``Rotate2D``
    blurs more with every step; this one takes its last shift back first.
    """

    def __init__(self) -> None:
        import cv2

        line = cv2.getGaussianKernel(7, SMOOTH)
        self._kernel = (line @ line.T).astype(np.float32)[..., np.newaxis, np.newaxis]
        self._random = np.random.default_rng(0)
        self._at = (0, 0)

    def back(self, pictures: tf.Tensor) -> tf.Tensor:
        """The pictures where they were before the last shift."""
        import tensorflow as tf

        return tf.roll(pictures, [-self._at[0], -self._at[1]], [1, 2])

    def __call__(self, pictures: tf.Tensor) -> tf.Tensor:
        import tensorflow as tf

        pictures = self.back(pictures)
        pictures = (pictures + tf.reverse(pictures, [2])) / 2
        padded = tf.pad(pictures, [[0, 0], [3, 3], [3, 3], [0, 0]], "SYMMETRIC")
        down, right = self._random.integers(-SHIFT, SHIFT + 1, 2)
        self._at = (int(down), int(right))
        return tf.roll(tf.nn.conv2d(padded, self._kernel, 1, "VALID"), self._at, [1, 2])
