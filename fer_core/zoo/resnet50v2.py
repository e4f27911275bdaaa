"""ResNet50V2 up to its fourth stage (He et al., 2016, https://arxiv.org/abs/1603.05027), then a small head.

This is the worked example of ``docs/add-an-architecture.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

# The stage's last block halves the grid, so we leave just before it, after normalisation and ReLU: 6×6 at 96 pixels.
LAST_LAYER = "conv4_block6_preact_relu"


def build(input_size: int, weights: str, load: bool) -> keras.Model:
    """Build the network. ``weights``: ``none``, ``imagenet``, or a local ``.h5`` or ``.npz`` file of the backbone."""
    import keras

    from fer_core.zoo.heads import average_head, face_input, scaled_input
    from fer_core.zoo.weights import load_backbone

    faces = face_input()
    # V2 was trained on pixels in -1..1, which is what prepare() does unless told otherwise.
    x = scaled_input(faces, input_size, channels=3)
    backbone = keras.applications.ResNet50V2(include_top=False, weights=None, input_tensor=x)
    if load:
        load_backbone(backbone, "resnet50v2", weights)
    return average_head(faces, backbone.get_layer(LAST_LAYER).output, name="resnet50v2", dropout=0.5)
