"""Predictions of several runs on the same faces, aligned by row number and never by order.

Only the run folders are read, so this works where the dataset itself is not there: labels come from the predictions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT
from fer_core.errors import RunError
from fer_core.runs.predictions import NEAR_DUPLICATE, probabilities_of

if TYPE_CHECKING:
    from fer_core.runs.evaluations import Evaluation
    from fer_core.runs.folder import RunFolder


@dataclass(frozen=True, eq=False)
class AlignedPredictions:
    """What K runs say about the same n faces of one split, sorted by row number. Arrays are read-only views.

    ``names``: the runs, in the order asked for. ``fingerprint``: the dataset's. ``rows``: int64 (n,), row numbers in
    the dataset, rising. ``labels``: int8 (n,), 0..6. ``probabilities``: float32 (K, n, 7). ``near_duplicate``: bool
    (n,), has an exact or near twin in Training; None where no run knows. n may be 0 once :meth:`where` has left
    nothing.
    """

    names: tuple[str, ...]
    split: str
    fingerprint: str
    rows: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int8]
    probabilities: npt.NDArray[np.float32]
    near_duplicate: npt.NDArray[np.bool_] | None = None
    runs: tuple[str, ...] = ()
    """The names of their folders, where ``names`` are what people read."""

    def __post_init__(self) -> None:
        n = len(self.rows)
        if not self.runs:
            object.__setattr__(self, "runs", self.names)
        if self.labels.shape != (n,) or self.probabilities.shape != (len(self.names), n, COUNT):
            raise ValueError(
                f"rows {self.rows.shape}, labels {self.labels.shape} and probabilities {self.probabilities.shape} "
                f"must be (n,), (n,) and ({len(self.names)}, n, {COUNT})"
            )
        if self.near_duplicate is not None and (
            self.near_duplicate.shape != (n,) or self.near_duplicate.dtype != np.bool_
        ):
            raise ValueError(
                f"near_duplicate must be bool ({n},), not {self.near_duplicate.dtype} {self.near_duplicate.shape}"
            )
        for name in ("rows", "labels", "probabilities", "near_duplicate"):
            if (array := getattr(self, name)) is not None:
                object.__setattr__(self, name, _read_only(array))

    def __len__(self) -> int:
        """How many faces there are: n."""
        return len(self.rows)

    @cached_property
    def predicted(self) -> npt.NDArray[np.int8]:
        """The class each run says, int8 (K, n); of equal probabilities, the one with the lowest label."""
        return _read_only(self.probabilities.argmax(axis=2).astype(np.int8))

    @cached_property
    def right(self) -> npt.NDArray[np.bool_]:
        """Where each run says the label, bool (K, n)."""
        return _read_only(self.predicted == self.labels)

    def where(self, mask: npt.ArrayLike) -> AlignedPredictions:
        """Only the faces where ``mask``, bool (n,), is true. Raises ``ValueError`` for another shape or type."""
        keep = np.asarray(mask)
        if keep.shape != self.rows.shape or keep.dtype != np.bool_:
            raise ValueError(f"a mask of {len(self)} true or false values was expected, not {keep.dtype} {keep.shape}")
        return replace(
            self,
            rows=self.rows[keep],
            labels=self.labels[keep],
            probabilities=self.probabilities[:, keep],
            near_duplicate=None if self.near_duplicate is None else self.near_duplicate[keep],
        )

    def with_near_duplicates(self, near_duplicate: npt.ArrayLike) -> AlignedPredictions:
        """The same with the twins given: bool (N,) by row number of the whole dataset, such as
        ``near_duplicates.exact_or_near``.

        Raises ``ValueError`` where it is no bool array or does not reach every row.
        """
        return replace(self, near_duplicate=_at_rows(near_duplicate, self.rows))

    def called(self, names: Sequence[str]) -> AlignedPredictions:
        """The same with K ``names`` that people read, no two alike; :attr:`runs` stay."""
        return replace(self, names=tuple(names))

    def with_labels(self, labels: npt.ArrayLike) -> AlignedPredictions:
        """The same predictions under other labels: reviewed ones, or a crowd's.

        ``labels``: whole numbers (n,), 0..6, one for each of :attr:`rows`; for labels of the whole dataset that is
        ``labels[aligned.rows]``. Faces that have no label any more are to be left out first, with :meth:`where`.
        Raises ``ValueError`` for anything else.
        """
        new = np.asarray(labels)
        if new.shape != self.rows.shape or new.dtype.kind not in "iu":
            raise ValueError(f"{len(self)} whole numbers were expected as labels, not {new.dtype} {new.shape}")
        if len(new) and (new.min() < 0 or new.max() >= COUNT):
            raise ValueError(f"labels must lie in 0..{COUNT - 1}, not {new.min()}..{new.max()}")
        return replace(self, labels=new.astype(np.int8))


def align(
    runs: Sequence[RunFolder], split: str, *, fingerprint: str | None = None, keep: npt.ArrayLike | None = None
) -> AlignedPredictions:
    """The predictions of ``runs`` on ``split``, face by face.

    ``fingerprint``: the dataset's; without one, that of the first run's first evaluation.

    ``keep``: bool (N,), by row number of the whole dataset; faces where it is false are left out. For example
    ``~near_duplicates.exact_or_near`` (:class:`fer_core.data.audit.NearDuplicates`) leaves out faces that have a twin
    in Training.

    Raises ``RunError`` where a run was not evaluated, has no faces of ``split``, was measured on another dataset
    than the first, or is damaged: other rows or labels than the first. Raises ``ValueError`` for no runs, or a
    ``keep`` that is no bool array or does not reach every row.
    """
    if not runs:
        raise ValueError("there is no run to align")
    first = runs[0]
    evaluation = _evaluation(first, fingerprint)
    rows, labels, probabilities, near_duplicate = _read(first.name, evaluation, split)
    stacked = [probabilities]
    for run in runs[1:]:
        other_data = run.evaluation(evaluation.fingerprint)
        if other_data is None:
            run.check_evaluation(evaluation.fingerprint)
            raise RunError(
                f"{run.name} was not measured on the faces that {first.name} was measured on, those of "
                f"{evaluation.data['title']} (fingerprint {evaluation.fingerprint[:8]}). Measure it with: {_again(run)}"
            )
        other_rows, other_labels, probabilities, other_near_duplicate = _read(run.name, other_data, split)
        near_duplicate = other_near_duplicate if near_duplicate is None else near_duplicate
        if not np.array_equal(rows, other_rows) or not np.array_equal(labels, other_labels):
            raise RunError(
                f"{evaluation.predictions_path} and {other_data.predictions_path} should hold the same faces of "
                f"{split} with the same labels, and do not. One of them is damaged. Make both again with: "
                "python -m fer_core evaluate RUN --data DATASET"
            )
        stacked.append(probabilities)
    found = AlignedPredictions(
        tuple(run.name for run in runs), split, evaluation.fingerprint, rows, labels, np.stack(stacked), near_duplicate
    )
    return found if keep is None else found.where(_at_rows(keep, rows))


def _evaluation(run: RunFolder, fingerprint: str | None) -> Evaluation:
    """The run's evaluation on those faces. Raises ``RunError`` where there is none."""
    found = run.evaluation(fingerprint)
    if found is not None:
        return found
    run.check_evaluation(fingerprint)
    if elsewhere := [str(one.data["title"]) for one in run.evaluations()]:
        raise RunError(
            f"the run {run.name} was measured on other faces ({', '.join(elsewhere)}) than those with the fingerprint "
            f"{str(fingerprint)[:8]}. Measure it on them: {_again(run)}"
        )
    raise RunError(f"the run {run.name} was not evaluated. Evaluate it: {_again(run)}")


def _read(
    name: str, evaluation: Evaluation, split: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8], npt.NDArray[np.float32], npt.NDArray[np.bool_] | None]:
    """Rows, labels, probabilities and, if the file has them, twins of one run's split, sorted by row."""
    frame = evaluation.predictions()
    part = frame[frame["split"] == split]
    if part.empty:
        raise RunError(f"the run {name} has no predictions on {split}: the data it was measured on has no such faces.")
    rows = part["row"].to_numpy(dtype=np.int64)
    order = np.argsort(rows, kind="stable")
    labels = part["label"].to_numpy(dtype=np.int8)[order]
    near_duplicate = part[NEAR_DUPLICATE].to_numpy(dtype=bool)[order] if NEAR_DUPLICATE in part else None
    return rows[order], labels, probabilities_of(part)[order], near_duplicate


def _at_rows(keep: npt.ArrayLike, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    mask = np.asarray(keep)
    if mask.ndim != 1 or mask.dtype != np.bool_ or (len(rows) and len(mask) <= rows[-1]):
        raise ValueError(
            f"keep must hold true or false for each row of the dataset, at least {rows[-1] + 1}, "
            f"not {mask.dtype} {mask.shape}"
        )
    return mask[rows]


def _again(run: RunFolder) -> str:
    return f"python -m fer_core evaluate {run.path} --data DATASET"


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view


def most_disputed(aligned: AlignedPredictions) -> int | None:
    """Position of the face on which the runs disagree most; None where there is no face.

    First the number of different answers counts; then whether some run says the label, so that the label is likely to
    be right; then how sure the runs are of their answers, as the mean of the answers' probabilities. Of equals, the
    face with the lowest row number. With one run it is the face that it is surest of among those that it gets right.
    """
    if not len(aligned):
        return None
    said = np.zeros((len(aligned), COUNT), dtype=np.bool_)
    for answers in aligned.predicted:
        said[np.arange(len(aligned)), answers] = True
    sure = aligned.probabilities.max(axis=2).mean(axis=0)
    # lexsort sorts by the last key first, and keeps the order of equals.
    order = np.lexsort((-sure, ~aligned.right.any(axis=0), -said.sum(axis=1)))
    return int(order[0])


def any_wrong(aligned: AlignedPredictions) -> npt.NDArray[np.int64]:
    """Rows of the faces that at least one run gets wrong, int64 (m,), rising."""
    return aligned.rows[~aligned.right.all(axis=0)]
