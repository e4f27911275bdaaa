"""VGG16 without its last pooling (Simonyan and Zisserman, 2014, https://arxiv.org/abs/1409.1556), then a small head.

The last pooling would leave class maps of 3×3 at 96 pixels; without it they are 6×6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

LAST_LAYER = "block5_conv3"
HIDDEN_UNITS = 256


def build(input_size: int, weights: str) -> keras.Model:
    """Build the network. ``weights``: ``none``, ``imagenet``, or a local ``.h5`` or ``.npz`` file of the backbone."""
    import keras

    from fer_core.zoo.heads import IMAGENET_MEAN_BGR, face_input, flatten_head, prepare
    from fer_core.zoo.weights import load_backbone

    faces = face_input()
    x = prepare(faces, input_size, channels=3, scale=1.0, offset=IMAGENET_MEAN_BGR)
    backbone = keras.applications.VGG16(include_top=False, weights=None, input_tensor=x)
    load_backbone(backbone, "vgg16", weights)
    features = backbone.get_layer(LAST_LAYER).output
    return flatten_head(faces, features, name="vgg16", units=HIDDEN_UNITS, dropout=0.5)
