"""What a view is about: some runs, the faces of one split, and the labels that count as true.

Compare and Mistakes look at the same thing from two sides, so both start here. Only run folders are read, unless the
labels are a crowd's, which are kept in the dataset's folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fer_core.data.ferplus import Crowd
from fer_core.emotions import COUNT
from fer_core.errors import RunError
from fer_core.evaluation.aligned_predictions import AlignedPredictions, align
from fer_core.formatting import plural
from fer_core.review.annotations import AMBIGUOUS, NOT_A_FACE, Annotations, relabel, without
from fer_core.runs.folder import RunFolder
from fer_core.stats.label_issues import LabelIssues, label_issues
from fer_core.stats.metrics import confusion_matrix

DATASET, CROWD, CORRECTED, WITHOUT_ANNOTATED = "dataset", "crowd", "corrected", "unmarked"
LABELS: dict[str, str] = {
    DATASET: "as in the dataset",
    CROWD: "the crowd's (FER+)",
    CORRECTED: "corrected by your review",
    WITHOUT_ANNOTATED: "without the faces you marked",
}
"""Whose labels count, and how a page says it. ``corrected`` takes the classes that you gave and leaves out faces marked
ambiguous or not a face; ``unmarked`` leaves out every face whose mark is about its label."""


@dataclass(frozen=True, eq=False)
class Scope:
    """Some runs' answers on some faces of a split.

    Attributes:
        aligned: the faces in view, n of them, with the labels that count here. n may be 0.
        whole: all faces of the split, m of them, with the dataset's labels.
        position: int (n,), where the faces in view are in ``whole``, rising.
        temperatures: one for each run, 1 where none was fitted.
        left_out: sentences about the faces that are not in view, and why.
    """

    aligned: AlignedPredictions
    whole: AlignedPredictions
    position: npt.NDArray[np.intp]
    temperatures: tuple[float, ...]
    left_out: tuple[str, ...]

    @cached_property
    def confusions(self) -> npt.NDArray[np.int64]:
        """One confusion matrix a run: int64 (K, 7, 7), rows true."""
        matrices = [confusion_matrix(self.aligned.labels, answers) for answers in self.aligned.predicted]
        return np.stack(matrices).reshape(len(self.aligned.names), COUNT, COUNT)

    @cached_property
    def whole_label_issues(self) -> LabelIssues:
        """How doubtful the dataset's labels are, over ``whole``: thresholds belong to a whole split."""
        return label_issues(self.whole.labels, self.whole.probabilities, temperatures=self.temperatures)

    @cached_property
    def label_issue_score(self) -> npt.NDArray[np.float64]:
        """The doubt about the dataset's labels of the faces in view: float64 (n,), 0..1."""
        return self.whole_label_issues.score[self.position]


def scope(
    runs: Sequence[RunFolder],
    split: str,
    *,
    fingerprint: str | None = None,
    with_near_duplicates: bool = True,
    labels: str = DATASET,
    near_duplicate: npt.NDArray[np.bool_] | None = None,
    crowd: Crowd | None = None,
    annotations: Annotations | None = None,
    names: Sequence[str] | None = None,
) -> Scope:
    """Join the runs and take the faces and labels asked for.

    ``fingerprint``: the dataset's; without one, that of the first run's first evaluation.

    ``with_near_duplicates``: False leaves out faces with an exact or near twin in Training. ``labels``: one of
    :data:`LABELS`. ``near_duplicate``: bool (N,) by row number, for runs whose predictions do not say. ``crowd`` and
    ``annotations`` are needed where ``labels`` asks for them. ``names``: what people read in place of the
    runs' folders, no two alike.

    Raises ``RunError`` as :func:`~fer_core.evaluation.aligned_predictions.align` does, and where nobody knows the
    twins; ``ValueError`` for other ``labels``, or without the crowd or marks that they need.
    """
    whole = align(runs, split, fingerprint=fingerprint)
    if names is not None:
        whole = whole.called(names)
    if whole.near_duplicate is None and near_duplicate is not None:
        whole = whole.with_near_duplicates(near_duplicate)
    if not with_near_duplicates and whole.near_duplicate is None:
        raise RunError(
            f"Nobody knows which faces of {split} have a twin in Training: the runs were evaluated before this was "
            f"kept. Evaluate one of them again: python -m fer_core evaluate {runs[0].path} --data DATASET"
        )
    return scope_of(
        whole,
        tuple(_temperature(run, whole.fingerprint) for run in runs),
        with_near_duplicates=with_near_duplicates,
        labels=labels,
        crowd=crowd,
        annotations=annotations,
    )


def scope_of(
    whole: AlignedPredictions,
    temperatures: tuple[float, ...],
    *,
    with_near_duplicates: bool = True,
    labels: str = DATASET,
    crowd: Crowd | None = None,
    annotations: Annotations | None = None,
) -> Scope:
    """The same of answers that were joined already. Without ``with_near_duplicates``, ``whole`` has to know the twins.

    Raises ``ValueError`` as :func:`scope` does.
    """
    if labels not in LABELS:
        raise ValueError(f"unknown labels {labels!r}; there are {', '.join(LABELS)}")
    keep = np.ones(len(whole), dtype=bool)
    left_out: list[str] = []

    def leave_out(drop: npt.NDArray[np.bool_], why: str) -> None:
        count = int((keep & drop).sum())
        np.logical_and(keep, ~drop, out=keep)
        if count:
            left_out.append(f"{plural(count, 'face')} {why}")

    if not with_near_duplicates:
        if whole.near_duplicate is None:
            raise ValueError("faces with a twin are to be left out, and nobody knows which these are")
        leave_out(whole.near_duplicate, "with a twin in Training")
    true = np.asarray(whole.labels)
    if labels == CROWD:
        if crowd is None:
            raise ValueError("the crowd's labels are asked for, and its votes are not given")
        true = crowd.labels()[whole.rows]
        leave_out(true < 0, "to which the crowd gives none of the seven classes")
    elif labels in (CORRECTED, WITHOUT_ANNOTATED):
        if annotations is None:
            raise ValueError("reviewed labels are asked for, and the marks are not given")
        if labels == CORRECTED:
            true = relabel(true, annotations, whole.rows)
            leave_out(
                ~without(whole.rows, annotations, (AMBIGUOUS, NOT_A_FACE)), "that you marked ambiguous or not a face"
            )
        else:
            leave_out(~without(whole.rows, annotations), "whose label you doubted")
    return Scope(
        aligned=whole.where(keep).with_labels(true[keep]),
        whole=whole,
        position=np.flatnonzero(keep),
        temperatures=temperatures,
        left_out=tuple(left_out),
    )


def _temperature(run: RunFolder, fingerprint: str) -> float:
    metrics = run.metrics(fingerprint)
    stored = metrics.get("temperature") if metrics else None
    return stored["value"] if stored else 1.0
