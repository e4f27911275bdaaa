"""Marks on ten faces, and the files that marks lie in."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fer_core.review.annotations import AMBIGUOUS, LABEL_WRONG, MODEL_WRONG, NOT_A_FACE, Annotations

FINGERPRINT = "ab" * 32
LABELS = np.array([0, 1, 2, 3, 4, 5, 6, 2, 2, 2], np.int8)
SPLITS = np.array(["Training"] * 4 + ["PublicTest"] * 3 + ["PrivateTest"] * 3)
TIME = "2026-03-01T12:00:00.000+00:00"


def only_file(annotations: Annotations) -> Path:
    """The file of the one process that has written."""
    assert annotations.path is not None
    (path,) = annotations.path.iterdir()
    return path


def some_annotations() -> Annotations:
    annotations = Annotations.load(FINGERPRINT)
    annotations.set(0, LABEL_WRONG, 6, 'he said "no", = 1; ä')
    annotations.set(4, AMBIGUOUS)
    annotations.set(7, LABEL_WRONG, 5, "two\nlines")
    annotations.set(8, NOT_A_FACE)
    annotations.set(9, MODEL_WRONG, note=" kept as it is ")
    return annotations
