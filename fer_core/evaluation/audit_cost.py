"""What the faults of a dataset cost: a run's accuracy with the faulty faces and without them.

Leaving faces out changes which faces are asked about, so a difference can mean two things: the model remembers the
faces that were left out, or they are easier (or harder) than the rest. These numbers cannot tell which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core.data.audit.result import Audit
from fer_core.emotions import TEST_SPLITS
from fer_core.errors import RunError
from fer_core.evaluation.aligned_predictions import align
from fer_core.formatting import percent, plural
from fer_core.runs.folder import RunFolder
from fer_core.stats.intervals import RESAMPLES, SEED, bootstrap_interval

ALL, EXACT, NEAR_DUPLICATES, CONFLICTS, PLAIN, CLEAN = "all", "exact", "near", "conflicts", "plain", "clean"
FACES: dict[str, str] = {
    ALL: "all faces",
    EXACT: "without exact twins",
    NEAR_DUPLICATES: "without exact and near twins",
    CONFLICTS: "without conflicting labels",
    PLAIN: "without (nearly) constant images",
    CLEAN: "without all of these",
}
"""Which faces are asked about, and how a page says it. A twin is one in Training."""


@dataclass(frozen=True)
class Cost:
    """The accuracy on some of a split's faces, and how it differs from that on all of them.

    Attributes:
        faces: a key of :data:`FACES`.
        n, right: faces asked about, and those of them that the run names as labelled.
        accuracy, low, high: right / n with its 95 % bootstrap interval, 0..1; None where no face is left.
        left_out, left_out_right: the faces that were left out, and those of them that the run gets right.
        difference, difference_low, difference_high: this accuracy less that on all faces, -1..1, with its 95 %
            bootstrap interval; None where nothing was left out, or no face is left.
    """

    faces: str
    n: int
    right: int
    accuracy: float | None
    low: float | None
    high: float | None
    left_out: int
    left_out_right: int
    difference: float | None
    difference_low: float | None
    difference_high: float | None

    @property
    def sure(self) -> bool:
        """Whether the interval of the difference lies on one side of zero."""
        low, high = self.difference_low, self.difference_high
        return low is not None and high is not None and (low > 0 or high < 0)


def faulty(audit: Audit) -> dict[str, npt.NDArray[np.bool_]]:
    """The faces that each key of :data:`FACES` leaves out: bool (N,) by row number of the dataset."""
    duplicates = audit.training_duplicates()
    conflicts = np.zeros(len(audit), bool)
    for rows in audit.groups():
        conflicts[rows] = len(np.unique(audit.labels[rows])) > 1
    plain = audit.constant | audit.nearly_constant
    return {
        ALL: np.zeros(len(audit), bool),
        EXACT: duplicates.exact,
        NEAR_DUPLICATES: duplicates.exact_or_near,
        CONFLICTS: conflicts,
        PLAIN: plain,
        CLEAN: duplicates.exact_or_near | conflicts | plain,
    }


def audit_costs(
    rows: npt.ArrayLike, right: npt.ArrayLike, audit: Audit, *, resamples: int = RESAMPLES, seed: int = SEED
) -> tuple[Cost, ...]:
    """One :class:`Cost` for each key of :data:`FACES`, in that order.

    ``rows``: int (n,), row numbers of one split's faces in the audited dataset, n ≥ 1. ``right``: bool (n,), whether
    the run names each as labelled. Intervals are drawn as everywhere else, so that on all faces, and without exact and
    near twins, they are those of ``metrics.json``. Raises ``ValueError`` for no faces, other shapes, or a row that
    the dataset does not have.
    """
    place, hit = np.asarray(rows), np.asarray(right)
    if place.ndim != 1 or not len(place) or place.dtype.kind not in "iu" or place.shape != hit.shape:
        raise ValueError(f"rows {place.shape} and right {hit.shape} must be two non-empty lists of equal length")
    if hit.dtype != np.bool_ or place.min() < 0 or place.max() >= len(audit):
        raise ValueError(f"right must be true or false, and rows lie in 0..{len(audit) - 1}")
    return tuple(_cost(key, hit, out[place], resamples, seed) for key, out in faulty(audit).items())


def run_costs(run: RunFolder, audit: Audit) -> dict[str, tuple[Cost, ...]]:
    """What the faults cost an evaluated run, by test split; splits without faces are not in it.

    Raises ``RunError`` where the run was not evaluated, is damaged, or was measured on another dataset than the audited
    one.
    """
    metrics = run.metrics(audit.fingerprint)
    splits = metrics["splits"] if metrics else {}
    costs = {}
    for split in TEST_SPLITS:
        if splits and split not in splits:
            continue
        aligned = align([run], split, fingerprint=audit.fingerprint)
        if aligned.rows[-1] >= len(audit) or not np.array_equal(audit.labels[aligned.rows], aligned.labels):
            raise RunError(
                f"the predictions of {run.name} are damaged: their rows or labels are not those of the dataset they "
                f"name. Make them again with: python -m fer_core evaluate {run.path} --data DATASET"
            )
        costs[split] = audit_costs(aligned.rows, aligned.right[0], audit)
    return costs


def is_there(costs: Mapping[str, Sequence[Cost]]) -> bool:
    """Whether leaving out faulty faces changes which faces are asked about: else there is nothing to compare."""
    return any(cost.left_out for entries in costs.values() for cost in entries)


def lesson(costs: Mapping[str, Sequence[Cost]], split: str) -> str:
    """What to learn from several runs' costs on one split, in a few sentences (Markdown).

    ``costs``: run's name to its costs; at least one run. Raises ``ValueError`` for none.
    """
    if not costs:
        raise ValueError("there is no run to learn from")
    found = [{cost.faces: cost for cost in entries} for entries in costs.values()]
    first = found[0][NEAR_DUPLICATES]
    total = found[0][ALL].n
    known = [entry[NEAR_DUPLICATES] for entry in found if entry[NEAR_DUPLICATES].difference is not None]
    if not known:
        why = "no face has a twin in Training" if not first.left_out else "every face has a twin in Training"
        if not is_there(costs):
            return f"Of {split}, {why}, and no face has another fault, so there is nothing to compare."
        return f"Of {split}, {why}, so what twins are worth cannot be told. {_others(found)}"
    sentences = [
        f"Without the {plural(first.left_out, 'face')} of {split} that {'has' if first.left_out == 1 else 'have'} an "
        f"exact or near twin in Training ({percent(first.left_out / total)}), **accuracy {_change(known)}**; "
        f"{_certainty(known)}.",
        f"On those faces themselves {'the run is' if len(known) == 1 else 'the runs are'} right in "
        f"{_shares([cost.left_out_right / cost.left_out for cost in known])}.",
    ]
    if any(cost.difference and cost.difference < 0 for cost in known):
        sentences.append(
            "A fall can come from memory, because the model has met these faces in training, or from these faces being "
            "easier than the rest. These numbers cannot tell which; a model trained without the twins could. Either "
            "way the number without twins is the safer one to report."
        )
    sentences.append(_others(found))
    return " ".join(sentences)


def _others(found: Sequence[Mapping[str, Cost]]) -> str:
    """What the faults other than twins change."""
    most = 100 * max(abs(entry[key].difference or 0.0) for entry in found for key in (CONFLICTS, PLAIN))
    if most < 0.5:
        return (
            "Conflicting labels and images that show little change no accuracy by more than "
            f"{most:.1f} points: they are few."
        )
    return f"Conflicting labels or images that show little change accuracy by up to {most:.1f} points."


def _cost(key: str, right: npt.NDArray[np.bool_], out: npt.NDArray[np.bool_], resamples: int, seed: int) -> Cost:
    right_left = right[~out]
    accuracy = low = high = difference = difference_low = difference_high = None
    if len(right_left):
        accuracy = float(right_left.mean())
        low, high = bootstrap_interval(right_left, resamples=resamples, seed=seed)
        if out.any():
            difference = accuracy - float(right.mean())
            difference_low, difference_high = _difference_interval(right, out, resamples, seed)
    return Cost(
        key,
        len(right_left),
        int(right_left.sum()),
        accuracy,
        low,
        high,
        int(out.sum()),
        int(right[out].sum()),
        difference,
        difference_low,
        difference_high,
    )


def _difference_interval(
    right: npt.NDArray[np.bool_], out: npt.NDArray[np.bool_], resamples: int, seed: int
) -> tuple[float, float]:
    """The 95 % percentile interval of accuracy(kept) − accuracy(all) over faces drawn anew with replacement.

    A face is kept or not, right or not, so a resample of faces is one draw from a multinomial distribution over these
    four: see :func:`fer_core.stats.intervals.bootstrap_interval`. Draws that keep no face count for nothing.
    """
    n = len(right)
    cells = np.array([(right & ~out).sum(), (~right & ~out).sum(), (right & out).sum(), (~right & out).sum()])
    drawn = np.random.default_rng(seed).multinomial(n, cells / n, size=resamples).astype(np.float64)
    left = drawn[:, 0] + drawn[:, 1]
    drawn, left = drawn[left > 0], left[left > 0]
    low, high = np.quantile(drawn[:, 0] / left - (drawn[:, 0] + drawn[:, 2]) / n, [0.025, 0.975])
    return float(low), float(high)


def _change(costs: Sequence[Cost]) -> str:
    """``falls by 0.9 to 1.4 points``, or with signs where the runs do not agree."""
    moves = sorted(100 * (cost.difference or 0.0) for cost in costs)
    if moves[-1] < 0 or moves[0] > 0:
        sizes = sorted(abs(move) for move in moves)
        return f"{'falls' if moves[0] < 0 else 'rises'} by {_span(sizes)} points"
    # Adding zero makes a negative zero positive.
    return f"changes by {_span([round(move, 1) + 0 for move in moves], '+.1f')} points".replace("-", "−")


def _certainty(costs: Sequence[Cost]) -> str:
    sure = sum(cost.sure for cost in costs)
    if sure == len(costs):
        return "this is unlikely to be chance" if sure == 1 else "for each run this is unlikely to be chance"
    if not sure:
        return "this could be chance" if len(costs) == 1 else "for each run this could be chance"
    return f"for {sure} of {len(costs)} runs this is unlikely to be chance"


def _shares(shares: Sequence[float]) -> str:
    return f"{_span(sorted(100 * share for share in shares))} %"


def _span(values: Sequence[float], form: str = ".1f") -> str:
    low, high = f"{values[0]:{form}}", f"{values[-1]:{form}}"
    return low if low == high else f"{low} to {high}"
