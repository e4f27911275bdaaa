"""ResNet50 up to its fourth stage (He et al., 2015, https://arxiv.org/abs/1512.03385), then a small head.

The fifth stage is left out: at 96 pixels it would leave class maps of 3×3, the fourth gives 6×6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

LAST_LAYER = "conv4_block6_out"


def build(input_size: int, weights: str, load: bool) -> keras.Model:
    """Build the network. ``weights``: ``none``, ``imagenet``, or a local ``.h5`` or ``.npz`` file of the backbone."""
    import keras

    from fer_core.zoo.heads import IMAGENET_MEAN_BGR, average_head, face_input, scaled_input
    from fer_core.zoo.weights import load_backbone

    faces = face_input()
    x = scaled_input(faces, input_size, channels=3, scale=1.0, offset=IMAGENET_MEAN_BGR)
    backbone = keras.applications.ResNet50(include_top=False, weights=None, input_tensor=x)
    if load:
        load_backbone(backbone, "resnet50", weights)
    return average_head(faces, backbone.get_layer(LAST_LAYER).output, name="resnet50", dropout=0.5)
