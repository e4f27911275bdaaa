"""What chosen faces show, in a sentence: which mistake is the commonest, on how many all models fail, how many labels
are doubtful.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, NAMES
from fer_core.formatting import plural
from fer_core.review.ordering import places
from fer_core.review.verdict import DOUBTFUL

if TYPE_CHECKING:
    from fer_core.evaluation.aligned_predictions import AlignedPredictions


def what_they_show(
    aligned: AlignedPredictions,
    positions: npt.ArrayLike,
    label_issue_score: npt.ArrayLike | None,
    *,
    models: Sequence[str] = (),
) -> str:
    """One sentence about the faces at ``positions``, int (m,); empty for none.

    ``label_issue_score``: float (n,), 0..1, the doubt of every face in ``aligned``; None where it was measured on other
    data, and says little about these. ``models``: names whose wrong
    answers count; empty: of all. Raises ``ValueError`` for scores of another length.
    """
    chosen = np.asarray(positions, dtype=np.intp)
    if not len(chosen):
        return ""
    parts = [_commonest(aligned, chosen, models), _all_wrong(aligned, chosen)]
    if label_issue_score is not None:
        parts.append(_rejected(aligned, chosen, np.asarray(label_issue_score, dtype=np.float64)))
    return "; ".join(part for part in parts if part) + "."


def _commonest(aligned: AlignedPredictions, chosen: npt.NDArray[np.intp], models: Sequence[str]) -> str:
    which = places(aligned, models)
    labels, answers = aligned.labels[chosen], aligned.predicted[which][:, chosen]
    # Of each face every wrong answer, as a choice of answers finds it: another model may be surer of another one.
    given = np.zeros((len(chosen), COUNT), dtype=bool)
    given[np.arange(len(chosen)), answers] = True
    given[np.arange(len(chosen)), labels] = False
    if not given.any():
        who = models[0] if len(models) == 1 else "any model"
        return f"None of the {plural(len(chosen), 'face')} is a mistake of {who}"
    counts = np.stack([given[labels == label].sum(axis=0) for label in range(COUNT)])
    label, answer = divmod(int(counts.argmax()), COUNT)
    most = int(counts.max())
    by = "" if len(which) == 1 else " by at least one model"
    if most == len(chosen):
        return f"Here {NAMES[label]} is always taken for {NAMES[answer]}{by}"
    return f"Most often {NAMES[label]} is taken for {NAMES[answer]}{by}, on {_of(most, len(chosen))}"


def _all_wrong(aligned: AlignedPredictions, chosen: npt.NDArray[np.intp]) -> str:
    if len(aligned.names) == 1:
        return ""
    failed = int((~aligned.right[:, chosen]).all(axis=0).sum())
    every = "both models" if len(aligned.names) == 2 else f"all {len(aligned.names)} models"
    return f"{every} are wrong on {_of(failed, len(chosen)) if failed else 'none'}"


def _rejected(aligned: AlignedPredictions, chosen: npt.NDArray[np.intp], doubt: npt.NDArray[np.float64]) -> str:
    if doubt.shape != aligned.labels.shape:
        raise ValueError(f"scores must be {aligned.labels.shape}, not {doubt.shape}")
    count = int((doubt[chosen] >= DOUBTFUL).sum())
    if not count:
        return "none bears a label that people would probably reject"
    verb = "bears" if count == 1 else "bear"
    return f"{_of(count, len(chosen))} {verb} a label that people would probably reject"


def _of(count: int, total: int) -> str:
    return f"all {total:,}" if count == total else f"{count:,} ({100 * count / total:.0f} %)"
