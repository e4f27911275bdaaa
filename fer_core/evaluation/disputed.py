"""Faces worth explaining: those on which models disagree."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT
from fer_core.evaluation.joined import Joined


def most_disputed(joined: Joined) -> int | None:
    """Position of the face on which the runs disagree most; None where there is no face.

    First the number of different answers counts; then whether some run says the label, so that the label is likely to
    be right; then how sure the runs are of their answers, as the mean of the answers' probabilities. Of equals, the
    face with the lowest row number. With one run it is the face that it is surest of among those that it gets right.
    """
    if not len(joined):
        return None
    said = np.zeros((len(joined), COUNT), dtype=np.bool_)
    for answers in joined.predicted:
        said[np.arange(len(joined)), answers] = True
    sure = joined.probabilities.max(axis=2).mean(axis=0)
    # lexsort sorts by the last key first, and keeps the order of equals.
    order = np.lexsort((-sure, ~joined.right.any(axis=0), -said.sum(axis=1)))
    return int(order[0])


def any_wrong(joined: Joined) -> npt.NDArray[np.int64]:
    """Rows of the faces that at least one run gets wrong, int64 (m,), rising."""
    return joined.rows[~joined.right.all(axis=0)]
