"""Training labels from the crowd: FER+'s votes on each face as shares of the seven classes, instead of one class.

To learn shares is label distribution learning (Geng, 2016, https://arxiv.org/abs/1408.6027); for FER-2013 it is the
cross-entropy loss of Barsoum et al. (2016, https://arxiv.org/abs/1608.01041).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.data.ferplus import FERPLUS_FILE, REASONS, Crowd, read_ferplus
from fer_core.emotions import COUNT, NAMES, TRAINING
from fer_core.errors import DataError
from fer_core.formatting import listed
from fer_core.runs.events import CrowdEvent

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset

NOT_A_FACE = REASONS.index("not a face")


@dataclass(frozen=True)
class CrowdLabels:
    """What the crowd says of the n Training faces, in order.

    ``shares`` float32 (n, 7): votes for the seven classes as shares of these votes, 0 where ``learnt`` bool (n,) is
    False. Votes for contempt, "unknown" and "not a face" are left out of them. ``not_faces``: how many of the n the
    crowd calls no face, ``unclassed``: how many others have no vote for any of the seven; neither is learnt.
    ``agreement``: the share of the learnt whose label in the data has most of the votes, alone or with others (0..1).
    """

    shares: npt.NDArray[np.float32]
    learnt: npt.NDArray[np.bool_]
    not_faces: int
    unclassed: int
    agreement: float

    def record(self) -> CrowdEvent:
        """What the journal says of them; ``sha256`` is that of ``shares``."""
        return {
            "event": "crowd",
            "sha256": hashlib.sha256(np.ascontiguousarray(self.shares).data).hexdigest(),
            "faces": int(self.learnt.sum()),
            "not_faces": self.not_faces,
            "unclassed": self.unclassed,
            "agreement": self.agreement,
        }


def lacking_votes(data: Path) -> str:
    """What a dataset folder lacks for labels from the crowd, in a sentence; empty where FER+ lies beside its faces."""
    if (data / FERPLUS_FILE).is_file():
        return ""
    return (
        f"Labels from the crowd (labels=crowd) need FER+'s votes beside the faces, and {data.name} has none. Add "
        "fer2013new.csv to your FER-2013 on the page Dataset, or take labels=dataset."
    )


def crowd_labels(dataset: Dataset) -> CrowdLabels:
    """The crowd's shares for the Training faces of ``dataset``.

    Raises ``DataError`` where FER+ was not added to it, is damaged, or leaves a class without any vote.
    """
    crowd = read_ferplus(dataset)
    if crowd is None:
        raise DataError(lacking_votes(dataset.path))
    rows = dataset.rows(TRAINING)
    return _shares(Crowd(crowd.votes[rows]), dataset.labels[rows])


def _shares(crowd: Crowd, labels: npt.NDArray[np.int8]) -> CrowdLabels:
    votes = crowd.votes[:, :COUNT].astype(np.float32)
    total = votes.sum(axis=1)
    not_a_face = crowd.reasons == NOT_A_FACE
    unclassed = (total == 0) & ~not_a_face
    learnt = ~not_a_face & ~unclassed
    shares = np.where(learnt[:, None], votes / np.maximum(total, 1)[:, None], 0).astype(np.float32)
    if without := [name for name, share in zip(NAMES, shares.sum(axis=0), strict=True) if not share]:
        raise DataError(f"the crowd gave {listed(without)} no vote in Training: no model could learn that from it.")
    most = shares[np.arange(len(labels)), labels] == shares.max(axis=1)
    return CrowdLabels(shares, learnt, int(not_a_face.sum()), int(unclassed.sum()), float(most[learnt].mean()))
