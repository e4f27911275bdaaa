"""What is wrong with a dataset: duplicates, near duplicates, contradicting labels, images that show nothing.

Exact duplicates form groups. Near duplicates are reported as pairs and rows, never as groups: "nearly the same" does
not carry over from one pair to the next, so chains of pairs would join faces that have little in common, in drawn or
posed series into groups of hundreds.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fer_core import emotions
from fer_core.data.audit import store
from fer_core.data.audit.exact_duplicates import exact_groups, same_in_training
from fer_core.data.audit.near_duplicates import THRESHOLD, find_near_duplicates
from fer_core.data.audit.result import DOMINANT, MOST_NEAR_DUPLICATES, Audit, NearDuplicate, NearDuplicates
from fer_core.data.audit.store import AUDIT_FILE
from fer_core.data.dataset import Dataset
from fer_core.data.face_rows import FaceRows, Images, batches
from fer_core.errors import DataError
from fer_core.progress import ProgressCallback

__all__ = [
    "AUDIT_FILE",
    "THRESHOLD",
    "Audit",
    "NearDuplicate",
    "NearDuplicates",
    "audit_dataset",
    "near_duplicates_of",
    "read_audit",
]

LOWEST_THRESHOLD = 0.5
"""Below it most faces resemble each other, and the answer says nothing."""


def audit_dataset(dataset: Dataset, progress: ProgressCallback | None = None, *, threshold: float = THRESHOLD) -> Audit:
    """Look for everything that is wrong with a dataset. FER-2013 takes under a minute, about 250 MB of memory.

    With the standard threshold the result is read from the dataset folder, or kept there (``audit.parquet``); in a
    folder that cannot be written to it is only returned. Raises ``DataError`` for a ``threshold`` outside 0.5..1.
    """
    if not LOWEST_THRESHOLD <= threshold < 1:
        raise DataError(
            f"A threshold of {threshold:g} makes no sense: give at least {LOWEST_THRESHOLD}, where nearly all faces "
            "resemble each other, and less than 1, which only equal faces reach."
        )
    standard = threshold == THRESHOLD
    if standard and (stored := read_audit(dataset)) is not None:
        return stored
    audit = _look(dataset, progress, threshold)
    return replace(audit, note=store.write(dataset, audit)) if standard else audit


def read_audit(dataset: Dataset) -> Audit | None:
    """The audit that is kept in the dataset folder, in milliseconds; None when it has to be done first."""
    return store.read(dataset)


def near_duplicates_of(dataset: Dataset, progress: ProgressCallback | None = None) -> NearDuplicates:
    """The faces outside Training that have an exact, or an exact or near twin in Training. Audits when needed."""
    return audit_dataset(dataset, progress).training_duplicates()


def _look(dataset: Dataset, progress: ProgressCallback | None, threshold: float) -> Audit:
    group = exact_groups(dataset)
    in_training = dataset.splits == emotions.TRAINING
    n = len(dataset)
    images = FaceRows(dataset.images, np.arange(n))
    constant, nearly_constant = _plain(images)
    searched = find_near_duplicates(images, group, in_training, threshold, keep=MOST_NEAR_DUPLICATES, progress=progress)

    row, ncc, mirrored = np.full(n, -1, np.int32), np.full(n, np.nan, np.float32), np.zeros(n, bool)
    found = np.diff(searched.training.start) > 0
    row[found], ncc[found], mirrored[found] = searched.training.row, searched.training.ncc, searched.training.mirrored
    same = same_in_training(group, in_training)
    exact = same >= 0
    row[exact], ncc[exact], mirrored[exact] = same[exact], 1, False
    return Audit(
        fingerprint=dataset.info.fingerprint,
        threshold=threshold,
        labels=dataset.labels,
        splits=dataset.splits,
        group=group,
        constant=constant,
        nearly_constant=nearly_constant,
        near_count=searched.count,
        nearest=searched.nearest,
        training_row=row,
        training_ncc=ncc,
        training_mirrored=mirrored,
    )


def _plain(images: Images) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Constant and nearly constant images: bool (N,) each."""
    pixels = images.shape[1] * images.shape[2]
    most = np.fromiter(
        (np.bincount(image.ravel()).max() for batch in batches(images) for image in batch), np.int64, len(images)
    )
    return most == pixels, (most >= DOMINANT * pixels) & (most < pixels)
