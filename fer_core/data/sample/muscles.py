"""The action units in the order and words of somebody who moves them: which part of the face, and what it does."""

from __future__ import annotations

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
