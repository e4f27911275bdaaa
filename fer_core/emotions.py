"""The seven expression classes of FER-2013: order, names, colours, symbols.

The order is FER-2013's own (Goodfellow et al., 2013, https://arxiv.org/abs/1307.0414): a label *is* the index
into :data:`EMOTIONS`. Colours are Okabe and Ito's palette, which people with any common form of colour
blindness can tell apart (https://jfly.uni-koeln.de/color/); the same colour means the same class on every page.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Emotion:
    """One class. ``index`` is the label 0..6; ``colour`` is a hex string; ``icon`` is an emoji.

    ``name`` is what people read, and what files, links and commands hold: ``per_class`` of ``metrics.json``, columns of
    Parquet files, addresses, ``--expression``. It therefore never changes: runs and links of others would lose it.
    """

    index: int
    name: str
    colour: str
    icon: str


EMOTIONS: tuple[Emotion, ...] = (
    Emotion(0, "angry", "#D55E00", "😠"),
    Emotion(1, "disgust", "#009E73", "🤢"),
    Emotion(2, "fear", "#CC79A7", "😨"),
    Emotion(3, "happy", "#E69F00", "😊"),
    Emotion(4, "sad", "#0072B2", "😢"),
    Emotion(5, "surprise", "#56B4E9", "😲"),
    Emotion(6, "neutral", "#7F7F7F", "😐"),
)
NAMES: tuple[str, ...] = tuple(emotion.name for emotion in EMOTIONS)
COLOURS: tuple[str, ...] = tuple(emotion.colour for emotion in EMOTIONS)
COUNT = len(EMOTIONS)

TRAINING, PUBLIC_TEST, PRIVATE_TEST = "Training", "PublicTest", "PrivateTest"
SPLITS: tuple[str, ...] = (TRAINING, PUBLIC_TEST, PRIVATE_TEST)
TEST_SPLITS = (PUBLIC_TEST, PRIVATE_TEST)

IMAGE_SIZE = 48
"""FER-2013's faces are 48×48 pixels, greyscale."""


def index_of(name: str) -> int:
    """The label 0..6 of a class name, whatever its case. Raises ``KeyError`` for an unknown name."""
    return _INDEX[name.strip().lower()]


_INDEX = {emotion.name: emotion.index for emotion in EMOTIONS}
