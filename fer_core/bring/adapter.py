"""From our faces to a stranger's pixels: how values may be scaled, and the layers that do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fer_core.emotions import IMAGE_SIZE
from fer_core.zoo.heads import IMAGENET_MEAN_BGR, face_input

if TYPE_CHECKING:
    import keras

_MEAN_RGB, _DEVIATION_RGB = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Scale:
    """What a network wants a grey value 0..255 to be: ``value · scale + offset``, one of each or one a channel.

    Attributes:
        name: what to type for it.
        words: what people call it.
        colours: for three channels whose values differ, which comes first: ``rgb`` or ``bgr``. A grey face is the same
            in all three, so elsewhere the order makes no difference.
    """

    name: str
    words: str
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    colours: str = ""

    def fits(self, channels: int) -> bool:
        """Whether a network with so many channels may want it."""
        return len(self.offset) in (1, channels)


RAW = "raw"
_TORCH_SCALE = tuple(1 / (255 * one) for one in _DEVIATION_RGB)
_TORCH_OFFSET = tuple(-mean / one for mean, one in zip(_MEAN_RGB, _DEVIATION_RGB, strict=True))
SCALES = (
    Scale("unit", "0..1", (1 / 255,), (0.0,)),
    Scale("signed", "−1..1", (1 / 127.5,), (-1.0,)),
    Scale(RAW, "0..255", (1.0,), (0.0,)),
    Scale("caffe", "ImageNet's mean taken off, BGR", (1.0,), IMAGENET_MEAN_BGR, "bgr"),
    Scale("caffe-rgb", "ImageNet's mean taken off, RGB", (1.0,), tuple(reversed(IMAGENET_MEAN_BGR)), "rgb"),
    Scale("torch", "ImageNet's mean and deviation, RGB", _TORCH_SCALE, _TORCH_OFFSET, "rgb"),
    Scale("torch-bgr", "ImageNet's mean and deviation, BGR", _TORCH_SCALE[::-1], _TORCH_OFFSET[::-1], "bgr"),
)
"""What networks commonly want."""
SCALE_NAMES = tuple(scale.name for scale in SCALES)


def scale_called(name: str) -> Scale:
    """The scale of that name. Raises ``KeyError``."""
    return {scale.name: scale for scale in SCALES}[name]


_RESIZE, _CHANNELS, _SCALE = ADAPTER_LAYERS = ("adapter_resize", "adapter_channels", "adapter_scale")
"""Names of layers that no other may have."""


def candidates(channels: int, scale: str = "", colours: str = "") -> tuple[Scale, ...]:
    """The scales to try on a network of so many channels: all that fit, or those that were asked for."""
    return tuple(
        one
        for one in SCALES
        if one.fits(channels) and scale in ("", one.name) and (not colours or one.colours in ("", colours))
    )


def adapted_faces(scale: Scale, height: int, width: int, channels: int) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """The input of our models (48, 48, 1), and what the stranger's network reads of it: (height, width, channels).

    Plain operations only, as in :func:`fer_core.zoo.heads.scaled_input`. Child processes only.
    """
    from keras import layers, ops

    faces = face_input()
    x = faces
    if height == width and height % IMAGE_SIZE == 0:
        if height > IMAGE_SIZE:
            x = layers.UpSampling2D(height // IMAGE_SIZE, interpolation="bilinear", name=_RESIZE)(x)
    else:
        x = ops.image.resize(x, (height, width), interpolation="bilinear")
    if channels > 1:
        x = layers.Concatenate(name=_CHANNELS)([x] * channels)
    if scale.name != RAW:
        factor, offset = (list(one) if len(one) > 1 else one[0] for one in (scale.scale, scale.offset))
        x = layers.Rescaling(factor, offset, name=_SCALE)(x)
    return faces, x
