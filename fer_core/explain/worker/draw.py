"""One map by one method of tf-keras-vis, in pieces, so that it tells its progress and can be cancelled.

Runs in the worker's process only (imports Keras and tf-keras-vis, inside functions).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fer_core.errors import ExplainError
from fer_core.explain.base import Faces
from fer_core.explain.methods import (
    GRADCAM,
    GRADCAM_PP,
    LAYERCAM,
    SALIENCY,
    SCORECAM,
    SCORECAM_CHANNELS,
    SMOOTHGRAD,
    SMOOTHGRAD_NOISE,
    SMOOTHGRAD_SAMPLES,
    method,
)
from fer_core.explain.worker.gradient_model import PIECE, GradientModel, as_batch
from fer_core.explain.worker.serve import Watch

Floats = npt.NDArray[np.float32]


def draw_map(gradient_model: GradientModel, face: Faces, label: int, name: str, layer: str, watch: Watch) -> Floats:
    """The map of class ``label`` for one face uint8 (48, 48): float32 (h, w) ≥ 0, (48, 48) for methods on pixels.

    Values are the method's own, neither stretched nor enlarged: those of Grad-CAM and its kin are in units of the
    logit, of saliency in logits per grey level. Raises ``ExplainError`` for an unknown layer or a map that is not
    finite, :class:`~fer_core.explain.worker.serve.Cancelled` when asked to stop.
    """
    watch.begin("passes", f"Drawing {method(name).title}")
    gradient_model.watch = watch
    if name in (GRADCAM, GRADCAM_PP, LAYERCAM):
        values = _by_gradient(gradient_model, face, label, name, layer)
    elif name == SCORECAM:
        values = _scorecam(gradient_model, face, label, layer)
    elif name in (SALIENCY, SMOOTHGRAD):
        values = _on_pixels(gradient_model, face, label, watch, samples=SMOOTHGRAD_SAMPLES if name == SMOOTHGRAD else 0)
    else:
        raise ExplainError(f"{name} is not drawn by the gradient worker.")
    values = np.asarray(values, dtype=np.float32)
    if not np.isfinite(values).all():
        raise ExplainError(f"{method(name).title} gave values that are not finite at this layer. Choose another layer.")
    return values


def _at(gradient_model: GradientModel, layer: str) -> dict[str, object]:
    if all(known.name != layer for known in gradient_model.model.layers):
        raise ExplainError(f"the model has no layer called {layer!r}.")
    return {
        "penultimate_layer": layer,
        # Else it walks back to the last convolution, before normalisation and ReLU.
        "seek_penultimate_conv_layer": False,
        "expand_cam": False,
        "normalize_cam": False,
    }


def _by_gradient(gradient_model: GradientModel, face: Faces, label: int, name: str, layer: str) -> Floats:
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
    from tf_keras_vis.layercam import Layercam
    from tf_keras_vis.utils.scores import CategoricalScore

    kind = {GRADCAM: Gradcam, GRADCAM_PP: GradcamPlusPlus, LAYERCAM: Layercam}[name]
    return np.asarray(
        gradient_model.tool(kind)(CategoricalScore([label]), as_batch(face), **_at(gradient_model, layer))
    )[0]


def _scorecam(gradient_model: GradientModel, face: Faces, label: int, layer: str) -> Floats:
    from tf_keras_vis.scorecam import Scorecam
    from tf_keras_vis.utils.scores import CategoricalScore

    at = _at(gradient_model, layer)
    channels = int(gradient_model.model.get_layer(layer).output.shape[-1])
    # tf-keras-vis takes the softmax of what the model says by itself, so it wants logits, too.
    score = CategoricalScore([label])
    return np.asarray(
        gradient_model.tool(Scorecam)(score, as_batch(face), max_N=min(SCORECAM_CHANNELS, channels), **at)
    )[0]


def _on_pixels(gradient_model: GradientModel, face: Faces, label: int, watch: Watch, *, samples: int) -> Floats:
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.utils.scores import CategoricalScore

    tool = gradient_model.tool(Saliency)
    if not samples:
        return np.asarray(tool(CategoricalScore([label]), as_batch(face), normalize_map=False))[0]
    # tf-keras-vis draws from NumPy's global generator: the same face shall give the same map.
    np.random.seed(0)
    total = np.zeros(face.shape, dtype=np.float64)
    for done in range(0, samples, PIECE):
        several = as_batch(face, PIECE)
        noisy = tool(
            CategoricalScore([label] * PIECE),
            several,
            smooth_samples=1,
            smooth_noise=SMOOTHGRAD_NOISE,
            normalize_map=False,
        )
        total += np.asarray(noisy).sum(axis=0)
        watch.step(done + PIECE, samples)
    return np.asarray(total / samples, dtype=np.float32)
