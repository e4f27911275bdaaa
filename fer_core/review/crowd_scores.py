"""One model under three sets of labels: the dataset's, the crowd's, and those that nearly all of the crowd share.

A model that is last under the labels it was trained on may be first under other people's. The three shares are of
different faces, so compare models within a column, not columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core.data.ferplus import Crowd
from fer_core.evaluation.aligned_predictions import AlignedPredictions
from fer_core.stats.intervals import bootstrap_interval

LABELS: tuple[str, ...] = ("dataset", "crowd", "agreed")
"""The columns: the dataset's labels on all faces; the crowd's, where it gives one of the seven classes; and the crowd's
where at least eight of ten share it."""
WORDS: dict[str, str] = {
    "dataset": "FER-2013's label",
    "crowd": "The crowd's label",
    "agreed": "Eight of ten agree",
}
AGREED = 0.8
"""Share of the votes for one answer from which nearly all agree."""
EXPLAINED = (
    "Which model is best may depend on whose labels count. The crowd's are FER+'s: the commonest answer of ten people, "
    "where that is one of the seven classes; in the last column only faces where at least eight of ten gave it. The "
    "columns are about different faces: compare the runs within a column. In brackets 95 % intervals."
)


@dataclass(frozen=True)
class Share:
    """How often a model is right: ``accuracy`` with its 95 % interval, all 0..1, on ``n`` faces."""

    accuracy: float
    low: float
    high: float
    n: int


def crowd_scores(aligned: AlignedPredictions, crowd: Crowd) -> list[dict[str, Share]]:
    """For each run its shares by :data:`LABELS`; a column without faces is left out.

    ``aligned``: with the dataset's labels. ``crowd``: of the same dataset.
    """
    labels = crowd.labels()[aligned.rows]
    votes = crowd.votes[aligned.rows]
    agreed = (labels >= 0) & (votes.max(axis=1) >= AGREED * votes.sum(axis=1, dtype=np.int64))
    columns = (
        ("dataset", np.ones(len(aligned), dtype=bool), aligned.labels),
        ("crowd", labels >= 0, labels),
        ("agreed", agreed, labels),
    )
    return [
        {name: _share((said == true)[here]) for name, here, true in columns if here.any()} for said in aligned.predicted
    ]


def share_text(share: Share | None) -> str:
    """``68.0 % (66.5–69.5) of 3,589``; empty for None."""
    if share is None:
        return ""
    return f"{100 * share.accuracy:.1f} % ({100 * share.low:.1f}–{100 * share.high:.1f}) of {share.n:,}"


def _share(right: npt.NDArray[np.bool_]) -> Share:
    low, high = bootstrap_interval(right)
    return Share(float(right.mean()), low, high, len(right))
