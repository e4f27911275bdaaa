"""The same model run in other ways: averaged with the mirror image, and from its LiteRT file.

Both are reported apart from the plain scores, which are one pass of ``model.keras`` over each face.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.evaluation.bootstrap import bootstrap_gain
from fer_core.evaluation.metrics import score
from fer_core.evaluation.predictions import probabilities_of

if TYPE_CHECKING:
    import pandas as pd

BySplit = dict[str, dict[str, Any]]
FLIP_KEYS = ("n", "accuracy", "accuracy_low", "accuracy_high", "macro_f1")


def flip_average(frame: pd.DataFrame, flipped: npt.ArrayLike, *, resamples: int = 2000, seed: int = 0) -> BySplit:
    """How well the mean of each face's and its mirror image's probabilities does, for each split that has faces.

    ``frame`` as from :func:`fer_core.evaluation.predictions.read_predictions`; ``flipped``: float (n, 7), the
    probabilities of the mirror images, row by row. Each split gets ``n``, ``accuracy`` with its 95 % interval,
    ``macro_f1`` and ``gain``: the accuracy less that of the single pass, with a 95 % interval from a paired bootstrap.
    """
    result = {}
    for split, mask in _masks(frame, flipped):
        labels, single = frame["label"].to_numpy()[mask], probabilities_of(frame)[mask]
        # As Predictor.predict averages them.
        mean = (single + np.asarray(flipped, dtype=np.float32)[mask]) * np.float32(0.5)
        scores = score(labels, mean, resamples=resamples, seed=seed)
        before, after = single.argmax(axis=1) == labels, mean.argmax(axis=1) == labels
        low, high = bootstrap_gain(before, after, resamples=resamples, seed=seed)
        gain = float(after.mean() - before.mean())
        result[split] = {**{key: scores[key] for key in FLIP_KEYS}, "gain": gain, "gain_low": low, "gain_high": high}
    return result


def accuracies(frame: pd.DataFrame, probabilities: npt.ArrayLike) -> BySplit:
    """``n`` and ``accuracy`` (0..1) of other probabilities, float (n, 7), for the rows of ``frame``, by split."""
    labels, rows = frame["label"].to_numpy(), np.asarray(probabilities)
    return {
        split: {"n": int(mask.sum()), "accuracy": float(np.mean(rows[mask].argmax(axis=1) == labels[mask]))}
        for split, mask in _masks(frame, probabilities)
    }


def _masks(frame: pd.DataFrame, probabilities: npt.ArrayLike) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    """The rows, bool (n,), of each split that has faces, PublicTest first."""
    if np.shape(probabilities) != probabilities_of(frame).shape:
        raise ValueError(f"{len(frame)} rows of probabilities were expected, not {np.shape(probabilities)}")
    for split in (PUBLIC_TEST, PRIVATE_TEST):
        mask = (frame["split"] == split).to_numpy(dtype=bool)
        if mask.any():
            yield split, mask
