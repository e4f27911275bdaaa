"""Tables of answers about the test faces of a dataset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from made_up_faces import make_probabilities

from fer_core.data.dataset import Dataset
from fer_core.emotions import NAMES, TRAINING

SORTED = sorted(NAMES)


def test_rows(data: Dataset) -> np.ndarray:
    return np.flatnonzero(data.splits != TRAINING)


test_rows.__test__ = False  # type: ignore[attr-defined]


def table(data: Dataset, accuracy: float = 0.7, order: list[str] | None = None) -> pd.DataFrame:
    """Probabilities for the test faces, shuffled, under the names of the columns' classes."""
    rows = test_rows(data)
    frame = pd.DataFrame(make_probabilities(data.labels[rows], accuracy), columns=list(NAMES))
    frame = frame[order or list(NAMES)]
    frame.insert(0, "row", rows)
    return frame.sample(frac=1, random_state=1)


def written(frame: pd.DataFrame, path: Path, **options: object) -> Path:
    frame.to_csv(path, index=False, **options)  # type: ignore[call-overload]
    return path
