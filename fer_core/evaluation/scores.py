"""From predictions to the figures of ``metrics.json``: scores by split, temperature, mirror averages, LiteRT alone.

The plain scores are one pass of ``model.keras`` over each face. The model run in other ways, averaged with the mirror
image or from its LiteRT file, is reported apart from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.emotions import PUBLIC_TEST, TEST_SPLITS
from fer_core.runs.contracts import FlipAverage, LitertScores, SplitScores, Temperature, TemperatureScores
from fer_core.runs.predictions import probabilities_of
from fer_core.stats.by_person import mean_interval
from fer_core.stats.calibration import apply_temperature, usable_temperature
from fer_core.stats.intervals import RESAMPLES, SEED, bootstrap_gain
from fer_core.stats.metrics import expected_calibration_error, log_loss, score

if TYPE_CHECKING:
    import pandas as pd

    from fer_core.data.audit import NearDuplicates


def flip_average(
    frame: pd.DataFrame,
    flipped: npt.ArrayLike,
    *,
    persons: npt.NDArray[np.int64] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, FlipAverage]:
    """How well the mean of each face's and its mirror image's probabilities does, for each split that has faces.

    ``frame`` as from :func:`fer_core.runs.predictions.read_predictions`; ``flipped``: float (n, 7), the
    probabilities of the mirror images, row by row. Each split gets ``n``, ``accuracy`` with its 95 % interval,
    ``macro_f1`` and ``gain``: the accuracy less that of the single pass, with a 95 % interval from a paired bootstrap.
    ``persons``: as for :func:`score_splits`.
    """
    result = {}
    for split, mask in _masks(frame, flipped):
        labels, single = frame["label"].to_numpy()[mask], probabilities_of(frame)[mask]
        # As Predictor.predict averages them.
        mean = (single + np.asarray(flipped, dtype=np.float32)[mask]) * np.float32(0.5)
        whose = None if persons is None else persons[mask]
        scores = score(labels, mean, persons=whose, resamples=resamples, seed=seed)
        before, after = single.argmax(axis=1) == labels, mean.argmax(axis=1) == labels
        if whose is None:
            low, high = bootstrap_gain(before, after, resamples=resamples, seed=seed)
        else:
            change = after.astype(np.float64) - before
            low, high = mean_interval(change, whose, resamples=resamples, seed=seed) or (-1.0, 1.0)
        gain = float(after.mean() - before.mean())
        result[split] = FlipAverage(
            n=scores["n"],
            accuracy=scores["accuracy"],
            accuracy_low=scores["accuracy_low"],
            accuracy_high=scores["accuracy_high"],
            macro_f1=scores["macro_f1"],
            gain=gain,
            gain_low=low,
            gain_high=high,
        )
    return result


def accuracies(frame: pd.DataFrame, probabilities: npt.ArrayLike) -> dict[str, LitertScores]:
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
    for split in TEST_SPLITS:
        mask = (frame["split"] == split).to_numpy(dtype=bool)
        if mask.any():
            yield split, mask


def temperature_scores(frame: pd.DataFrame) -> Temperature | None:
    """``temperature`` of ``metrics.json``: fitted on PublicTest, with ECE and log loss (nats) before and after.

    ``frame`` as from :func:`fer_core.runs.predictions.read_predictions`. None where it has too few PublicTest
    faces (:data:`~fer_core.stats.calibration.FEWEST_TO_CALIBRATE`): PrivateTest is never used for a choice.
    """
    public = frame[frame["split"] == PUBLIC_TEST]
    value = usable_temperature(public["label"].to_numpy(), probabilities_of(public))
    if value is None:
        return None
    splits: dict[str, TemperatureScores] = {}
    for split in TEST_SPLITS:
        part = frame[frame["split"] == split]
        if part.empty:
            continue
        labels, before = part["label"].to_numpy(), probabilities_of(part)
        after = apply_temperature(before, value)
        splits[split] = {
            "ece_before": expected_calibration_error(labels, before),
            "ece_after": expected_calibration_error(labels, after),
            "log_loss_before": log_loss(labels, before),
            "log_loss_after": log_loss(labels, after),
        }
    return {"value": value, "fitted_on": PUBLIC_TEST, "splits": splits}


def score_splits(
    frame: pd.DataFrame,
    near_duplicates: NearDuplicates | None = None,
    *,
    persons: npt.NDArray[np.int64] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, SplitScores]:
    """The scores of each test split that has faces, PublicTest first: ``splits`` of ``metrics.json``.

    ``frame`` as from :func:`read_predictions`; ``near_duplicates`` as from
    :func:`fer_core.data.audit.near_duplicates_of`. A model may simply remember a face that has an exact or near twin in
    Training, so the scores are also given without those
    faces: ``without_near_duplicates``, None where ``near_duplicates`` is not given or no face is left.
    ``persons``: int (n,), row by row of ``frame``, whose face it is (:func:`fer_core.data.persons.persons_of`):
    intervals are over persons then.
    """
    scores: dict[str, SplitScores] = {}
    for split in TEST_SPLITS:
        mask = (frame["split"] == split).to_numpy(dtype=bool)
        part = frame[mask]
        if part.empty:
            continue
        labels, probabilities = part["label"].to_numpy(), probabilities_of(part)
        whose = None if persons is None else persons[mask]
        scores[split] = {
            **score(labels, probabilities, persons=whose, resamples=resamples, seed=seed),
            "without_near_duplicates": None,
        }
        if near_duplicates is None:
            continue
        rows = part["row"].to_numpy()
        near_duplicate = near_duplicates.exact_or_near[rows]
        if not near_duplicate.all():
            scores[split]["without_near_duplicates"] = {
                "rule": _rule(
                    int(near_duplicates.exact[rows].sum()),
                    int(near_duplicate.sum()),
                    len(part),
                    split,
                    near_duplicates.threshold,
                ),
                **score(
                    labels[~near_duplicate],
                    probabilities[~near_duplicate],
                    persons=None if whose is None else whose[~near_duplicate],
                    resamples=resamples,
                    seed=seed,
                ),
            }
    return scores


def _rule(exact: int, left_out: int, n: int, split: str, threshold: float) -> str:
    if left_out == 0:
        return f"No face of {split} has an exact or near twin in Training, so nothing was left out."
    return (
        f"Left out: {left_out:,} of the {n:,} faces of {split} ({100 * left_out / n:.1f} %). "
        f"{exact:,} of them have an exact twin in Training, with the very same pixels; {left_out - exact:,} only a "
        f"near twin: a normalised cross-correlation above {threshold:g} on 24×24 equalised faces, mirrored too."
    )
