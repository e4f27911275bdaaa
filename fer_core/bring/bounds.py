"""What opening a stranger's model may take: for the owner, and for visitors, who are many and unknown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """Bounds of one model.

    Attributes:
        seconds: on the wall's clock, from start to end.
        memory: resident bytes of the process that opens it.
        asked: bytes that LiteRT may take to answer a batch, which the app's own process takes later; None: any.
        keras_alone: whether nothing but Keras files is opened. What comes as a graph (LiteRT, SavedModel) reaches the
            app's process as it was written; of a Keras file only layers of Keras do.
    """

    seconds: float
    memory: float
    asked: float | None = None
    keras_alone: bool = False


OWNERS = Bounds(seconds=1800.0, memory=4 * 1024**3)
"""Three times what the largest networks take on one idle core. TensorFlow takes 0.5 GB, VGG16 at 224 pixels with its
gradients' room 1.5."""
VISITORS = Bounds(seconds=600.0, memory=1.5 * 1024**3, asked=300e6, keras_alone=True)
"""The shipped VGG16 takes 1.1 GB to open, and 170 MB to answer."""
