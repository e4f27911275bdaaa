"""VGG16 without its last poolings (Simonyan and Zisserman, 2014, https://arxiv.org/abs/1409.1556), then a small head.

Five poolings would leave class maps of 1×1 at 48 pixels. We keep three of them below 96 pixels and four from there on,
so that the maps are 6×6 at 48 and at 96.

Trained from scratch (``weights="none"``), each convolution is followed by batch normalisation (Ioffe and Szegedy,
2015): thirteen plain layers hardly learn from random numbers. With pretrained weights it is VGG16 as published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
HIDDEN_UNITS = 256
QUIET = 0.1
"""What the head's random kernels are multiplied by where ImageNet's features come in."""


def build(input_size: int, weights: str, load: bool) -> keras.Model:
    """Build the network. ``weights``: ``none``, ``imagenet``, or a local ``.h5`` or ``.npz`` file of the backbone."""
    from keras import layers

    from fer_core.zoo.heads import IMAGENET_MEAN_BGR, face_input, flatten_head, scaled_input

    normalized = weights == "none"
    faces = face_input()
    if normalized:
        x = scaled_input(faces, input_size, channels=3)
    else:
        x = scaled_input(faces, input_size, channels=3, scale=1.0, offset=IMAGENET_MEAN_BGR)
    for block, (convolutions, width) in enumerate(BLOCKS, start=1):
        for index in range(1, convolutions + 1):
            name = f"block{block}_conv{index}"
            if normalized:
                x = layers.Conv2D(width, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name=name)(
                    x
                )
                x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
                x = layers.ReLU(name=f"{name}_relu")(x)
            else:
                x = layers.Conv2D(width, 3, padding="same", activation="relu", name=name)(x)
        if block <= (3 if input_size < 96 else 4):
            x = layers.MaxPooling2D(name=f"block{block}_pool")(x)
    model = flatten_head(faces, x, name="vgg16", units=HIDDEN_UNITS, dropout=0.5)
    if load and not normalized:
        _load(model, weights)
    return model


def _load(model: keras.Model, weights: str) -> None:
    """Fill the convolutions by way of the whole published backbone, whose layers the files describe."""
    import keras

    from fer_core.zoo.weights import load_backbone

    published = keras.applications.VGG16(include_top=False, weights=None, input_shape=(48, 48, 3), name="vgg16")
    load_backbone(published, "vgg16", weights)
    for layer in published.layers:
        if layer.weights:
            model.get_layer(layer.name).set_weights(layer.get_weights())
    _quieten(model)


def _quieten(model: keras.Model) -> None:
    """Make the head's random kernels smaller.

    ImageNet's features here are in the tens and hundreds. A head drawn for features of about one answers them with
    logits so large that training starts at a loss of 24, where guessing has 1.95, and spends its first epoch on that.
    """
    from fer_core.zoo.heads import HIDDEN, PROBABILITIES

    for name in (HIDDEN, PROBABILITIES):
        kernel = model.get_layer(name).kernel
        kernel.assign(kernel * QUIET)
