"""The model of label doubt fitted on the votes of FER+'s crowd, in folds that no near-duplicate crosses.

Part of ``benchmarks/label_doubt.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fer_core.data.audit import Audit, audit_dataset, near_duplicates_of
from fer_core.data.dataset import load_dataset
from fer_core.data.ferplus import REASONS, TIE, read_ferplus
from fer_core.evaluation.aligned_predictions import align
from fer_core.review.scope import scope
from fer_core.runs.folder import RunFolder
from fer_core.stats.calibration import apply_temperature
from fer_core.stats.label_doubt import features, sigmoid

ROOT = Path(__file__).resolve().parent.parent
RUNS = ("custom_cnn", "custom_cnn_augmented", "resnet50", "vgg16")
FOLDS, SEED = 10, 0
PENALTY = 1.0
"""On the square of each coefficient; it only keeps the one column too many (the seven classes add up to 1) in place."""

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Faces:
    """A split's labels int (n,), calibrated probabilities (K, n, 7), whether the crowd rejects the label and whether
    it has a single commonest answer, bool (n,), the group of near-duplicates, int (n,), the share of the votes for the
    label, the crowd's class, -1 where it gives none, and whether the face has a twin in Training."""

    labels: npt.NDArray[np.int8]
    probabilities: Float
    rejected: Bool
    judged: Bool
    group: Int
    support: Float
    crowd: npt.NDArray[np.int8]
    twin: Bool
    fingerprint: str


def read(data: Path, split: str, names: tuple[str, ...] = RUNS) -> Faces:
    dataset = load_dataset(data)
    crowd = read_ferplus(dataset)
    if crowd is None:
        raise SystemExit(f"{data} has no votes: add FER+ to it on the page Dataset, then run this again.")
    runs = [RunFolder(ROOT / "models" / name) for name in names]
    fingerprint = dataset.info.fingerprint
    found = scope(runs, split, fingerprint=fingerprint)
    whole = align(runs, split, fingerprint=fingerprint)
    values = np.stack([apply_temperature(p, t) for p, t in zip(whole.probabilities, found.temperatures, strict=True)])
    return Faces(
        labels=whole.labels,
        probabilities=values.astype(np.float64),
        rejected=crowd.votes[whole.rows].argmax(axis=1) != whole.labels,
        judged=crowd.reasons[whole.rows] != REASONS.index(TIE),
        group=_groups(audit_dataset(dataset))[whole.rows],
        support=crowd.support(dataset.labels)[whole.rows].astype(np.float64),
        crowd=crowd.labels()[whole.rows],
        twin=near_duplicates_of(dataset).exact_or_near[whole.rows],
        fingerprint=fingerprint,
    )


def _groups(audit: Audit) -> Int:
    """The lowest row that a face hangs together with, over exact and near duplicates of any number of steps."""
    parent = np.arange(len(audit), dtype=np.int64)

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = int(parent[row])
        return row

    for row in range(len(audit)):
        for other in (int(audit.group[row]), *(each.row for each in audit.near_duplicates(row))):
            low, high = sorted((root(row), root(other)))
            parent[high] = low
    return np.array([root(row) for row in range(len(audit))])


def fit(x: Float, y: Float, weight: float) -> Float:
    """Logistic regression by Newton's method, ridge :data:`PENALTY`."""
    beta = np.zeros(x.shape[1])
    for _ in range(30):
        p = sigmoid(x @ beta)
        slope = weight * x.T @ (y - p) - PENALTY * beta
        curve = weight * (x * (p * (1 - p))[:, np.newaxis]).T @ x + PENALTY * np.eye(len(beta))
        step = np.linalg.solve(curve, slope)
        beta = beta + step
        if np.abs(step).max() < 1e-8:
            return beta
    raise SystemExit("the fit did not settle")


def fit_choices(faces: Faces, which: Bool, runs: tuple[int, ...]) -> Float:
    """The coefficients from these faces, over every choice among ``runs``."""
    choices = [list(some) for size in range(1, len(runs) + 1) for some in combinations(runs, size)]
    use = which & faces.judged
    x = np.concatenate([features(faces.labels[use], faces.probabilities[some][:, use]) for some in choices])
    return fit(x, np.tile(faces.rejected[use].astype(np.float64), len(choices)), 1 / len(choices))


def folds(faces: Faces) -> Int:
    """A fold 0..9 for each face, the same for a whole group of near-duplicates."""
    groups, at = np.unique(faces.group, return_inverse=True)
    return np.random.default_rng(SEED).permutation(np.arange(len(groups)) % FOLDS)[at]


def fit_folds(faces: Faces, runs: tuple[int, ...]) -> list[Float]:
    """For each fold the coefficients from the faces of the others, over every choice among ``runs``."""
    fold = folds(faces)
    return [fit_choices(faces, fold != each, runs) for each in range(FOLDS)]


def asked(faces: Faces, fitted: list[Float], ask: tuple[int, ...]) -> Float:
    """Each face's doubt, asked with the runs ``ask``, by the model of :func:`fit_folds` that saw none of its fold."""
    fold, doubt = folds(faces), np.zeros(len(faces.labels))
    x = features(faces.labels, faces.probabilities[list(ask)])
    for each, beta in enumerate(fitted):
        doubt[fold == each] = sigmoid(x[fold == each] @ beta)
    return doubt
