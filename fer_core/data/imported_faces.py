"""Some faces on their way from a source to a dataset folder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

UNSTATED = ""
"""Stands for the split of a face whose source names none: it is drawn when all faces are there."""


@dataclass(frozen=True)
class Batch:
    """Images uint8 (n, 48, 48), labels int8 (n,), n splits (or ``UNSTATED``), n names at the source."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int8]
    splits: list[str]
    names: list[str]
