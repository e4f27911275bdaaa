"""The custom CNN: four blocks of two 3×3 convolutions, then global average pooling and a dense head.

The design is VGG's (Simonyan and Zisserman, 2014) with batch normalisation (Ioffe and Szegedy, 2015), made small
for 48×48 faces: 1.2 million parameters. The last block is not pooled, so the class maps are 6×6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

WIDTHS = (32, 64, 128, 256)
DROPOUT = 0.25


def build(input_size: int, weights: str, load: bool) -> keras.Model:
    """Build the network. ``input_size`` other than 48 resizes the faces inside; ``weights`` must be ``none``."""
    from keras import layers

    from fer_core.zoo.heads import average_head, face_input, scaled_input

    faces = face_input()
    x = scaled_input(faces, input_size, channels=1)
    for block, width in enumerate(WIDTHS, start=1):
        for index in (1, 2):
            name = f"block{block}_conv{index}"
            x = layers.Conv2D(width, 3, padding="same", use_bias=False, kernel_initializer="he_normal", name=name)(x)
            # 0.9 instead of Keras' 0.99: short trainings would evaluate on stale statistics.
            x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
            x = layers.ReLU(name=f"{name}_relu")(x)
        if block < len(WIDTHS):
            x = layers.MaxPooling2D(name=f"block{block}_pool")(x)
        x = layers.Dropout(DROPOUT, name=f"block{block}_dropout")(x)
    return average_head(faces, x, name="custom_cnn", dropout=0.5)
