"""Some faces on their way from a source to a dataset folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fer_core.data.understanding import LeftOutTally, Understanding

UNSTATED = ""
"""Stands for the split of a face whose source names none: it is drawn when all faces are there."""


@dataclass(frozen=True)
class Batch:
    """Images uint8 (n, 48, 48), labels int8 (n,), n splits (or ``UNSTATED``), n names at the source.

    ``answers``: what models said of them already, float32 (n, 7) by name; of the same models in each batch, whose
    files have the SHA-256 ``models``, where that is known.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int8]
    splits: list[str]
    names: list[str]
    answers: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)


class FaceSource(Protocol):
    """Somebody's faces: looked through and understood, then read.

    Attributes:
        label: what to call the source in messages.
        understanding: what was understood of it, before any face is read.
        left_out: what is not among the faces; complete when all are read.
        held_out: which share of each class each split gets of the faces whose split is ``UNSTATED``.
    """

    label: str
    understanding: Understanding
    left_out: LeftOutTally
    held_out: Mapping[str, float]

    def batches(self) -> Iterator[Batch]:
        """All faces in order, a few hundred at a time. Raises ``DataError``, also where a question is open."""
        ...

    def notes(self) -> list[str]:
        """Sentences for whoever reads the dataset, complete when all faces are read."""
        ...
