"""Facial action units, and which of them make which expression.

The Facial Action Coding System names what single facial muscles do (Ekman and Friesen, "Facial Action Coding
System", Consulting Psychologists Press, 1978). Which units go together in an expression follows EMFACS (Friesen
and Ekman, "EMFACS-7", unpublished manual, University of California, 1983): happy 6+12, sad 1+4+15, surprise
1+2+5+26, fear 1+2+4+5+20+26, angry 4+5+7+23, disgust 9 or 10 with 15, 16 or 17, neutral none of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fer_core import emotions

ACTION_UNITS: dict[str, str] = {
    "AU1": "inner brow raiser",
    "AU2": "outer brow raiser",
    "AU4": "brow lowerer",
    "AU5": "upper lid raiser",
    "AU6": "cheek raiser",
    "AU7": "lid tightener",
    "AU9": "nose wrinkler",
    "AU10": "upper lip raiser",
    "AU12": "lip corner puller",
    "AU15": "lip corner depressor",
    "AU16": "lower lip depressor",
    "AU17": "chin raiser",
    "AU20": "lip stretcher",
    "AU23": "lip tightener",
    "AU24": "lip pressor",
    "AU25": "lips part",
    "AU26": "jaw drop",
    "AU27": "mouth stretch",
    "AU43": "eyes closed",
    "AU61": "eyes turned to the picture's left",
    "AU62": "eyes turned to the picture's right",
    "AU63": "eyes up",
    "AU64": "eyes down",
}
"""Every unit that the renderer can move, in FACS order, with its FACS name. Intensities run from 0 to 1."""

NAMES: tuple[str, ...] = tuple(ACTION_UNITS)
_COLUMN = {name: column for column, name in enumerate(NAMES)}


@dataclass(frozen=True)
class Prototype:
    """One way to show an expression: units with their share of the face's intensity (0..1).

    ``maybe`` holds units that join only sometimes: unit -> (probability, share).
    """

    weight: float
    units: dict[str, float]
    maybe: dict[str, tuple[float, float]] = field(default_factory=dict)


PROTOTYPES: dict[str, tuple[Prototype, ...]] = {
    "angry": (
        Prototype(
            0.6, {"AU4": 1, "AU7": 0.8, "AU23": 0.8}, {"AU5": (0.6, 0.6), "AU24": (0.5, 0.8), "AU17": (0.4, 0.6)}
        ),
        Prototype(
            0.4,
            {"AU4": 1, "AU7": 0.7, "AU25": 0.9, "AU10": 0.5},
            {"AU5": (0.6, 0.7), "AU16": (0.6, 0.9), "AU26": (0.5, 0.6)},
        ),
    ),
    "disgust": (
        Prototype(
            0.6, {"AU9": 1, "AU10": 0.7, "AU4": 0.5}, {"AU15": (0.4, 0.5), "AU17": (0.5, 0.6), "AU7": (0.5, 0.6)}
        ),
        Prototype(
            0.4, {"AU9": 0.7, "AU10": 1, "AU25": 0.8}, {"AU16": (0.6, 0.8), "AU6": (0.4, 0.5), "AU4": (0.5, 0.5)}
        ),
    ),
    "fear": (
        Prototype(
            0.55,
            {"AU1": 1, "AU2": 0.6, "AU4": 0.8, "AU5": 0.9, "AU20": 0.9, "AU25": 0.8},
            {"AU26": (0.6, 0.6), "AU16": (0.5, 0.7), "AU7": (0.3, 0.4)},
        ),
        # Close to surprise: what tells them apart is the lowered brow, and sometimes the stretched lips.
        Prototype(0.45, {"AU1": 1, "AU2": 0.85, "AU4": 0.4, "AU5": 1, "AU25": 0.8, "AU26": 0.8}, {"AU20": (0.4, 0.5)}),
    ),
    "happy": (
        Prototype(0.35, {"AU6": 0.8, "AU12": 0.9}, {"AU7": (0.2, 0.4)}),
        Prototype(
            0.65, {"AU6": 0.9, "AU12": 1, "AU25": 0.9}, {"AU26": (0.35, 0.7), "AU10": (0.2, 0.4), "AU2": (0.1, 0.4)}
        ),
    ),
    "sad": (
        Prototype(
            0.7,
            {"AU1": 1, "AU4": 0.7, "AU15": 0.9},
            {"AU17": (0.5, 0.7), "AU43": (0.4, 0.4), "AU64": (0.4, 0.8), "AU25": (0.15, 0.5)},
        ),
        Prototype(0.3, {"AU1": 0.7, "AU4": 0.4, "AU15": 1, "AU17": 0.6}, {"AU43": (0.5, 0.6), "AU64": (0.5, 0.9)}),
    ),
    "surprise": (
        Prototype(0.6, {"AU1": 0.9, "AU2": 1, "AU5": 0.9, "AU25": 0.9, "AU26": 0.9}, {"AU4": (0.15, 0.3)}),
        Prototype(0.4, {"AU1": 0.9, "AU2": 1, "AU5": 1, "AU25": 1, "AU27": 0.9}),
    ),
    "neutral": (Prototype(1, {}),),
}
"""Expression name -> its ways. Weights of one expression add up to 1."""

WEAK_SHARE = 0.1
"""Share of faces that show their expression only weakly: these are what makes neighbours overlap."""

STRAY: dict[str, float] = {
    "AU1": 0.25, "AU2": 0.25, "AU4": 0.25, "AU5": 0.2, "AU7": 0.3, "AU12": 0.25, "AU15": 0.2, "AU17": 0.2,
    "AU24": 0.3, "AU25": 0.4, "AU26": 0.15, "AU43": 0.2,
}  # fmt: skip
"""Units that move without meaning anything (speech, habit, sun), with the greatest intensity they reach."""
STRAY_PROBABILITY = 0.12


def draw_action_units(labels: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.float64]:
    """Random intensities for faces with these labels: (N, units) in 0..1, columns as in :data:`NAMES`."""
    n = len(labels)
    weak = rng.random(n) < WEAK_SHARE
    strength = np.where(weak, rng.uniform(0.3, 0.55, n), rng.uniform(0.65, 1.0, n))
    own = rng.uniform(0.75, 1.0, (n, len(NAMES)))
    joins = rng.random((n, len(NAMES)))
    draw = rng.random(n)
    units = np.zeros((n, len(NAMES)))
    for label, emotion in enumerate(emotions.NAMES):
        edge = 0.0
        for prototype in PROTOTYPES[emotion]:
            rows = (labels == label) & (draw >= edge) & (draw < edge + prototype.weight)
            edge += prototype.weight
            for name, share in prototype.units.items():
                column = _COLUMN[name]
                units[rows, column] = share * (strength * own[:, column])[rows]
            for name, (probability, share) in prototype.maybe.items():
                column = _COLUMN[name]
                rows_too = rows & (joins[:, column] < probability)
                units[rows_too, column] = share * (strength * own[:, column])[rows_too]
    for name, most in STRAY.items():
        column = _COLUMN[name]
        stray = np.where(rng.random(n) < STRAY_PROBABILITY, rng.uniform(0, most, n), 0)
        units[:, column] = np.maximum(units[:, column], stray)
    for one, other in (("AU61", "AU62"), ("AU63", "AU64")):
        gaze = np.clip(rng.normal(0, 0.35, n), -1, 1)
        units[:, _COLUMN[one]] = np.maximum(-gaze, 0)
        # A lowered gaze that belongs to the expression stays.
        units[:, _COLUMN[other]] = np.maximum(units[:, _COLUMN[other]], np.maximum(gaze, 0))
    return np.clip(units, 0, 1)


MUSCLES: dict[str, dict[str, str]] = {
    "Brows": {
        "AU1": "Inner brows up",
        "AU2": "Outer brows up",
        "AU4": "Brows down and together",
    },
    "Eyes": {
        "AU5": "Upper lids up",
        "AU7": "Lids tight",
        "AU43": "Eyes closed",
        "AU61": "Look to the picture's left",
        "AU62": "Look to the picture's right",
        "AU63": "Look up",
        "AU64": "Look down",
    },
    "Cheeks and nose": {
        "AU6": "Cheeks up",
        "AU9": "Nose wrinkled",
        "AU10": "Upper lip up",
    },
    "Lips": {
        "AU12": "Lip corners up",
        "AU15": "Lip corners down",
        "AU16": "Lower lip down",
        "AU20": "Lips stretched wide",
        "AU23": "Lips tight",
        "AU24": "Lips pressed",
        "AU25": "Lips apart",
    },
    "Jaw": {
        "AU17": "Chin up",
        "AU26": "Jaw dropped",
        "AU27": "Mouth stretched open",
    },
}
"""Part of the face -> unit -> what it does. Every unit that the renderer can move is in it once."""

WORDS: dict[str, str] = {name: words for units in MUSCLES.values() for name, words in units.items()}
