"""The architectures there are. Looking one up imports no Keras; building one does.

To add one, see ``docs/add-an-architecture.md``: a file of about 40 lines and one entry here.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fer_core.errors import RecipeError

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Architecture:
    """One entry of the registry.

    ``module`` holds ``build(input_size: int, weights: str, load: bool) -> keras.Model``: a flat functional graph from
    (48, 48, 1) grey values 0..255 to seven probabilities. ``transfer`` architectures accept ``weights`` other than
    ``none`` and can be trained head first. ``augmented`` entries switch augmentation on in the presets.
    ``default_input_size`` is in pixels. ``fine_tune_from`` is the default first layer that fine-tuning trains.
    """

    name: str
    title: str
    summary: str
    module: str
    transfer: bool = False
    augmented: bool = False
    default_input_size: int = 48
    fine_tune_from: str = ""

    def build_default(self) -> keras.Model:
        """The network as its pretrained weights want it, unfilled: what layer tables and diagrams describe."""
        return self.build(weights="imagenet" if self.transfer else "none", load=False)

    def build(self, *, input_size: int = 0, weights: str = "none", load: bool = True) -> keras.Model:
        """Build the Keras model (imports Keras: child processes only).

        ``weights``: ``none``, ``imagenet``, or the path of a local file (transfer architectures). ``load=False`` builds
        the very same network without reading them, for weights that come from elsewhere.
        Raises ``RecipeError`` for weights the architecture cannot take, ``DownloadError`` if fetching fails.
        """
        if weights != "none" and not self.transfer:
            raise RecipeError(f"{self.name} is trained from scratch; it takes no initial weights.")
        module = importlib.import_module(self.module)
        return module.build(input_size or self.default_input_size, weights, load)


_ARCHITECTURES = (
    Architecture(
        name="custom_cnn",
        title="Custom CNN",
        summary="Eight 3×3 convolutions in four blocks (32, 64, 128, 256 channels), trained from scratch on the "
        "faces as they are. Compare it with the same network, augmented: what does augmentation alone do?",
        module="fer_core.zoo.custom_cnn",
    ),
    Architecture(
        name="custom_cnn_augmented",
        title="Custom CNN + augmentation",
        summary="The very same network as Custom CNN. In training each face is shifted, turned, mirrored and zoomed "
        "at random, so the network never sees the same picture twice.",
        module="fer_core.zoo.custom_cnn",
        augmented=True,
    ),
    Architecture(
        name="resnet50",
        title="ResNet50 transfer",
        summary="ResNet50 (He et al., 2015) up to its fourth stage, with ImageNet weights, then a small head. "
        "Cut there because at face size the fifth stage leaves an explanation map of 3×3.",
        module="fer_core.zoo.resnet50",
        transfer=True,
        augmented=True,
        default_input_size=96,
        fine_tune_from="conv3_block1_1_conv",
    ),
    Architecture(
        name="vgg16",
        title="VGG16 transfer",
        summary="VGG16's thirteen convolutions (Simonyan and Zisserman, 2014) without the last poolings, so that the "
        "explanation map is 6×6, then a small dense head. Its card says whether it started from ImageNet weights.",
        module="fer_core.zoo.vgg16",
        transfer=True,
        augmented=True,
        default_input_size=48,
        fine_tune_from="block3_conv1",
    ),
    Architecture(
        name="tiny",
        title="Tiny",
        summary="Nine depthwise separable convolutions with shortcuts: a twelfth of the custom CNN's work a face, for "
        "phones, small hosts and live pictures. Its card says whether it also learnt from larger models' answers.",
        module="fer_core.zoo.tiny",
        augmented=True,
    ),
    Architecture(
        name="resnet50v2",
        title="ResNet50V2 transfer",
        summary="ResNet50V2 (He et al., 2016) up to its fourth stage: the worked example of adding an "
        "architecture. No trained weights ship with it.",
        module="fer_core.zoo.resnet50v2",
        transfer=True,
        augmented=True,
        default_input_size=96,
        fine_tune_from="conv3_block1_preact_bn",
    ),
)
_BY_NAME = {architecture.name: architecture for architecture in _ARCHITECTURES}
TITLES = {architecture.name: architecture.title for architecture in _ARCHITECTURES}


def names() -> tuple[str, ...]:
    """Names of all architectures, in the order every page shows them."""
    return tuple(_BY_NAME)


def get(name: str) -> Architecture:
    """The architecture of that name. Raises ``RecipeError`` listing the known ones."""
    if name not in _BY_NAME:
        raise RecipeError(f"there is no architecture called {name!r}. Known: {', '.join(names())}.")
    return _BY_NAME[name]
