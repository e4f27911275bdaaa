"""Every way there is here to draw a map of one class for one face: what it shows, what it costs, who thought of it.

Imports no TensorFlow: pages list methods in the app's process. Those of the gradient worker are drawn by
:mod:`fer_core.explain.worker`, the others by any function that predicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fer_core.errors import ExplainError

Where = Literal["model", "worker", "litert"]
"""What draws it: the exported model itself, together with its answer; the gradient worker; many predictions of the
exported model."""
CLASS_MAP, OCCLUSION, RISE = "class_map", "occlusion", "rise"
GRADCAM, GRADCAM_PP, LAYERCAM, SCORECAM = "gradcam", "gradcam_plus_plus", "layercam", "scorecam"
SALIENCY, SMOOTHGRAD = "saliency", "smoothgrad"
SCORECAM_CHANNELS = 64
"""Channels that ScoreCAM tries: those that vary most over the face ("Faster-ScoreCAM"). All 1,024 of a ResNet take
minutes, and most are nearly flat, so that they weigh next to nothing."""
SMOOTHGRAD_SAMPLES = 48
"""Noisy copies of the face. The paper finds little change beyond 50."""
SMOOTHGRAD_NOISE = 0.15
"""Standard deviation of the noise as a share of the face's own range of grey; the paper recommends 0.1 to 0.2."""


@dataclass(frozen=True)
class Method:
    """One method.

    Attributes:
        name: what links and requests call it.
        title: what people read.
        shows: one plain sentence.
        cost: what it takes, in words.
        paper: authors and year, and where to read it.
        where: what draws it.
        layered: whether it looks at a layer that can be chosen; otherwise at the pixels themselves.
    """

    name: str
    title: str
    shows: str
    cost: str
    paper: str
    url: str
    where: Where
    layered: bool = False


_METHODS = (
    Method(
        CLASS_MAP,
        "Class map",
        "Which cells of the last layer raise the class's score; it is what every other page draws.",
        "nothing: it comes with the answer",
        "Grad-CAM in closed form, Selvaraju et al., 2016",
        "https://arxiv.org/abs/1610.02391",
        "model",
    ),
    Method(
        GRADCAM,
        "Grad-CAM",
        "Weighs each channel of a layer by how much the class's score rises with it, on average over the face.",
        "1 pass with gradients",
        "Selvaraju et al., 2016",
        "https://arxiv.org/abs/1610.02391",
        "worker",
        layered=True,
    ),
    Method(
        GRADCAM_PP,
        "Grad-CAM++",
        "Like Grad-CAM, but places where a channel matters more count more, so that several spots show side by side.",
        "1 pass with gradients",
        "Chattopadhyay et al., 2017",
        "https://arxiv.org/abs/1710.11063",
        "worker",
        layered=True,
    ),
    Method(
        LAYERCAM,
        "LayerCAM",
        "Weighs every cell of a layer by its own gradient, which makes it sharper in early layers.",
        "1 pass with gradients",
        "Jiang et al., 2021",
        "https://doi.org/10.1109/TIP.2021.3089943",
        "worker",
        layered=True,
    ),
    Method(
        SCORECAM,
        "ScoreCAM",
        "Uses no gradient: shows the model the face through each channel of a layer and asks how sure it still is.",
        f"{SCORECAM_CHANNELS} passes",
        "Wang et al., 2019",
        "https://arxiv.org/abs/1910.01279",
        "worker",
        layered=True,
    ),
    Method(
        SALIENCY,
        "Saliency",
        "How much the class's score would move if a single pixel changed a little; noisy by nature.",
        "1 pass with gradients",
        "Simonyan et al., 2013",
        "https://arxiv.org/abs/1312.6034",
        "worker",
    ),
    Method(
        SMOOTHGRAD,
        "SmoothGrad",
        "Saliency averaged over noisy copies of the face, so that what is left does not hang on single pixels.",
        f"{SMOOTHGRAD_SAMPLES} passes with gradients",
        "Smilkov et al., 2017",
        "https://arxiv.org/abs/1706.03825",
        "worker",
    ),
    Method(
        OCCLUSION,
        "Occlusion",
        "Covers one square after the other and notes how far the class's probability falls.",
        "1 prediction a square, 121 as it is set",
        "Zeiler and Fergus, 2014",
        "https://arxiv.org/abs/1311.2901",
        "litert",
    ),
    Method(
        RISE,
        "RISE",
        "Shows the face through random masks and keeps what the sure answers had in common.",
        "1 prediction a mask, 2,000 as it is set",
        "Petsiuk et al., 2018",
        "https://arxiv.org/abs/1806.07421",
        "litert",
    ),
)
METHODS = {method.name: method for method in _METHODS}
"""By name, in the order in which pages show them."""
WORKER_METHODS = tuple(method.name for method in _METHODS if method.where == "worker")


def method(name: str) -> Method:
    """The method of that name. Raises ``ExplainError`` listing the known ones."""
    if name not in METHODS:
        raise ExplainError(f"there is no method called {name!r}. Known: {', '.join(METHODS)}.")
    return METHODS[name]
