"""What chose the models, in words: said once here, and shown wherever a figure for PrivateTest stands."""

from __future__ import annotations

from collections.abc import Iterable

from fer_core.runs.listing import ModelInfo

WHAT_CHOSE = (
    "PublicTest chooses each model's epoch and temperature, and the weights of a vote; PrivateTest is only scored. "
    "Whoever picks among models by their PrivateTest figures makes the best of them look too good."
)
KEPT_ASIDE = "PrivateTest: faces kept aside for scoring. How far that holds, and for which models not: see Limits."
CHOOSING = "PublicTest: faces that no model learned from, but by which the best moment of each was chosen."
EXCEPTION = (
    "One choice was made with PrivateTest's figure in view: `custom_cnn_augmented` ships after 75 epochs and not after "
    "30. Its PrivateTest figure, 2.8 points higher, was known by then; PublicTest could not tell the two apart in "
    "accuracy. So take its figure as lucky in part, and that of `vote`, of which it is a member."
)
TWINS = (
    "In FER-2013, 14.6 % of PrivateTest's faces also stand in Training, exactly or nearly: figures without twins leave "
    "them out."
)
CHOSEN_IN_VIEW = ("custom_cnn_augmented", "vote")
"""The shipped runs that :data:`EXCEPTION` is about."""


COPIES = {
    "ab79c2b6eb44bdcae18f78183e20f71792f3c5adebaaa03049b80490d925de3f": (
        "In this copy of FER-2013 177 faces (151 of Training, 10 of PublicTest, 16 of PrivateTest) are stretched in "
        "contrast, and their labels are shuffled within their split: those that FER+ calls no face."
    )
}
"""What is known of a copy of a dataset, by its fingerprint."""


def copy_note(fingerprint: str) -> str:
    """What is peculiar to the copy of the data with that fingerprint; empty where nothing is known."""
    return COPIES.get(fingerprint, "")


def footnote(name: str, shipped: bool) -> str:
    """:data:`EXCEPTION` for a shipped run that it is about; else empty."""
    return EXCEPTION if shipped and name in CHOSEN_IN_VIEW else ""


def footnotes(infos: Iterable[ModelInfo]) -> str:
    """:data:`TWINS`, and :data:`EXCEPTION` where one of these runs is what it is about."""
    about = any(footnote(info.name, info.shipped) for info in infos)
    return f"{TWINS} {EXCEPTION}" if about else TWINS
