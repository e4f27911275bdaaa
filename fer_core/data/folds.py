"""Parts of the Training faces, drawn so that near duplicates are together: what one part holds, the others lack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.data.face_rows import FaceRows
from fer_core.data.splitting import MOST_COMPARED, families
from fer_core.emotions import TRAINING
from fer_core.progress import ProgressCallback

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset


def folds_of(dataset: Dataset, count: int, progress: ProgressCallback | None = None) -> npt.NDArray[np.int64]:
    """The fold (1 to ``count``) of each Training face, in the order of its rows.

    The same faces are always parted the same, whatever the seed of a training: models that left out different folds
    together label every face. All pairs are compared, which takes about a minute for FER-2013; of more than
    :data:`~fer_core.data.splitting.MOST_COMPARED` faces only the exact duplicates are kept together.
    """
    images = FaceRows(dataset.images, dataset.rows(TRAINING))
    family = families(images, near=len(images) <= MOST_COMPARED, progress=progress)
    heads, places, sizes = np.unique(family, return_inverse=True, return_counts=True)
    # The largest families first, each to the fold that is emptiest; of equal ones chance decides, once and for all.
    order = np.random.default_rng(count).permutation(len(heads))
    order = order[np.argsort(-sizes[order], kind="stable")]
    chosen, filled = np.empty(len(heads), np.int64), np.zeros(count, np.int64)
    for head in order:
        fold = int(filled.argmin())
        chosen[head] = fold + 1
        filled[fold] += sizes[head]
    return chosen[places]
