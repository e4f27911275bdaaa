"""What every architecture shares: the input, the preparation of faces, and the two classification heads.

Heads use fixed layer names, so that :mod:`fer_core.zoo.class_maps` finds the features and the dense kernels in any
model, also in one loaded from a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer_core.emotions import COUNT, IMAGE_SIZE

if TYPE_CHECKING:
    import keras

AVERAGE = "average"
FLATTEN = "flatten"
HIDDEN = "hidden"
PROBABILITIES = "probabilities"
HEAD_LAYERS = (AVERAGE, FLATTEN, HIDDEN, "head_dropout", "hidden_dropout", PROBABILITIES)
"""Layers that belong to the head; everything else is the backbone."""


IMAGENET_MEAN_BGR = (-103.939, -116.779, -123.68)
"""What ResNet50's and VGG16's ImageNet weights expect: blue, green, red with ImageNet's mean taken off
(``keras.applications``, mode "caffe"). A grey face has the same value in all three."""


def face_input() -> keras.KerasTensor:
    """The input of every model: (48, 48, 1) float32, grey values 0..255."""
    from keras import layers

    return layers.Input((IMAGE_SIZE, IMAGE_SIZE, 1), name="faces")


def scaled_input(
    faces: keras.KerasTensor,
    input_size: int,
    *,
    channels: int,
    scale: float = 1 / 127.5,
    offset: tuple[float, ...] = (-1.0,),
) -> keras.KerasTensor:
    """Resize, repeat the grey channel, and rescale: ``x · scale + offset`` (one offset, or one a channel).

    Plain operations only. Keras' ``Resizing`` layer leaks ``training=True`` into later layers in Keras 3.15
    (keras-team/keras#23166), which silently changes batch normalisation.
    """
    from keras import layers, ops

    x = faces
    if input_size % IMAGE_SIZE == 0 and input_size > IMAGE_SIZE:
        x = layers.UpSampling2D(input_size // IMAGE_SIZE, interpolation="bilinear", name="resize")(x)
    elif input_size != IMAGE_SIZE:
        x = ops.image.resize(x, (input_size, input_size), interpolation="bilinear")
    if channels > 1:
        x = layers.Concatenate(name="repeat_grey")([x] * channels)
    return layers.Rescaling(scale, offset[0] if len(offset) == 1 else list(offset), name="rescale")(x)


def average_head(faces: keras.KerasTensor, features: keras.KerasTensor, *, name: str, dropout: float) -> keras.Model:
    """Global average pooling, dropout, seven-way softmax.

    With this head the class map is exact: its mean plus the bias *is* the logit (Zhou et al., 2015,
    https://arxiv.org/abs/1512.04150).
    """
    from keras import Model, layers

    x = layers.GlobalAveragePooling2D(name=AVERAGE)(features)
    x = layers.Dropout(dropout, name="head_dropout")(x)
    # float32 also under a half-precision policy: softmax and loss need the digits.
    x = layers.Dense(COUNT, activation="softmax", dtype="float32", name=PROBABILITIES)(x)
    return Model(faces, x, name=name)


def flatten_head(
    faces: keras.KerasTensor, features: keras.KerasTensor, *, name: str, units: int, dropout: float
) -> keras.Model:
    """Flatten, dense with ReLU, dropout, seven-way softmax: VGG's own kind of head, smaller."""
    from keras import Model, layers

    x = layers.Flatten(name=FLATTEN)(features)
    x = layers.Dropout(dropout, name="head_dropout")(x)
    x = layers.Dense(units, activation="relu", kernel_initializer="he_normal", name=HIDDEN)(x)
    x = layers.Dropout(dropout, name="hidden_dropout")(x)
    x = layers.Dense(COUNT, activation="softmax", dtype="float32", name=PROBABILITIES)(x)
    return Model(faces, x, name=name)
