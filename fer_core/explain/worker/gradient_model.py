"""A model opened for gradients: with logits in place of probabilities, and one visualiser a method, made once.

Runs in the worker's process only (imports Keras and tf-keras-vis, inside functions).
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT
from fer_core.errors import ExplainError, RunError
from fer_core.explain.base import Faces
from fer_core.explain.worker.serve import Watch
from fer_core.runs.contracts import FileRecord
from fer_core.runs.folder import RunFolder
from fer_core.runs.integrity import check_promised

if TYPE_CHECKING:
    import keras

Floats = npt.NDArray[np.float32]
PIECE = 8
"""Faces in one go: cancelling waits for as many."""
# tf-keras-vis hands one tensor over in a list, Keras asks for it bare, and takes it all the same.
warnings.filterwarnings("ignore", message="The structure of `inputs` doesn't match")


class GradientModel:
    """One model. ``model`` maps faces float32 (B, 48, 48, 1), grey 0..255, to logits (B, 7); ``watch`` is that of the
    map being drawn.
    """

    def __init__(self, model: keras.Model) -> None:
        """``model``: ours, with probabilities; it is changed, so it must be nobody else's."""
        self.model = without_softmax(model)
        self.watch = Watch()
        self._tools: dict[type, Any] = {}

    @classmethod
    def load(cls, folder: str, seal: str) -> GradientModel:
        """Open a run's ``model.keras``. Raises ``ExplainError`` where it is damaged or not the one asked for."""
        import keras

        run = RunFolder(Path(folder))
        try:
            promised = {"model.keras": FileRecord(sha256=seal, bytes=run.keras_path.stat().st_size)}
            check_promised(run.manifest_path, promised, "model.keras", "Restore it, or train the run again.")
            # Kernels stored in half precision become float32 here: the layers ask for it.
            model = keras.models.load_model(run.keras_path, compile=False)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ExplainError(f"{run.keras_path} cannot be opened by Keras ({error}).") from error
        except RunError as error:
            raise ExplainError(str(error)) from error
        return cls(model)

    def tool(self, kind: type) -> Any:
        """The visualiser of that class of tf-keras-vis for this model. One anew for each map would be slow and leak."""
        if kind not in self._tools:
            # Without a modifier nothing is cloned: the softmax is gone already.
            self._tools[kind] = kind(self._in_pieces())
        return self._tools[kind]

    def _in_pieces(self) -> keras.Model:
        import keras

        class InPieces(keras.Model):
            """``predict`` is where ScoreCAM spends its time: all masked faces in one call."""

            def predict(self, x: list[Floats], batch_size: int | None = None) -> Floats:
                return gradient_model.logits_in_pieces(np.asarray(x[0], dtype=np.float32))

        gradient_model = self
        return InPieces(self.model.inputs, self.model.outputs)

    def logits_in_pieces(self, batch: Floats) -> Floats:
        """The same as :meth:`logits`, telling ``watch`` how far it is."""
        answers = []
        for start in range(0, len(batch), PIECE):
            answers.append(self.logits(batch[start : start + PIECE]))
            self.watch.step(min(len(batch), start + PIECE), len(batch))
        return np.concatenate(answers)

    def logits(self, batch: Floats) -> Floats:
        """Logits float32 (B, 7) of faces float32 (B, 48, 48, 1)."""
        # Never a bare call: Keras 3.15 may take it for training (keras-team/keras#23166).
        return np.asarray(self.model([batch], training=False), dtype=np.float32)

    def probabilities(self, face: Faces) -> Floats:
        """Probabilities float32 (7,) of one face uint8 (48, 48)."""
        logits = self.logits(as_batch(face))[0]
        powers = np.exp(logits - logits.max())
        return np.asarray(powers / powers.sum(), dtype=np.float32)


def as_batch(face: Faces, n: int = 1) -> Floats:
    """``n`` times the face uint8 (48, 48) as float32 (n, 48, 48, 1)."""
    return np.repeat(face.astype(np.float32)[np.newaxis, ..., np.newaxis], n, axis=0)


def without_softmax(model: keras.Model) -> keras.Model:
    """The same weights with logits (B, 7) as output. Changes the last layer of ``model`` for good.

    Gradients of a probability vanish where a model is sure, so every method here explains the logit. Raises
    ``ExplainError`` where the last layer is no softmax over seven classes.
    """
    import keras

    last = model.output._keras_history.operation
    if isinstance(last, keras.layers.Softmax):
        output = last.input
    elif getattr(last, "activation", None) is keras.activations.softmax:
        last.activation = keras.activations.linear
        output = model.output
    else:
        output = None
    if output is None or tuple(output.shape) != (None, COUNT):
        raise ExplainError(
            f"{model.name} does not end in a softmax over {COUNT} classes, so it has no logits to explain."
        )
    return keras.Model(model.inputs, [output], name=f"{model.name}_logits")
