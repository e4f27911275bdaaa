"""Sweeps: one recipe trained with many choices, all trials side by side."""

from __future__ import annotations

from pages.parts import frame
from pages.parts.sweeps import trials

frame.begin(
    "Sweeps",
    __file__,
    "One recipe, trained with many choices: which of them matter? Each trial is a run like any other.",
)
trials.show()
