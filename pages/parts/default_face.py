"""A face worth explaining where nobody named one, and the mistakes that chance picks from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.data.dataset import Dataset
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.evaluation.aligned_predictions import align, any_wrong, most_disputed
from fer_core.runs.listing import ModelInfo
from pages.parts.runs import MOST, complete
from pages.parts.vote import seals


@dataclass(frozen=True, eq=False)
class StartingFaces:
    """``row``: the face to begin with. ``mistakes``: int64 (m,), rows of ``split`` that at least one model gets wrong,
    rising.
    """

    row: int
    mistakes: npt.NDArray[np.int64]
    split: str


def starting_faces(dataset: Dataset) -> StartingFaces:
    """From the stored predictions of the models that were measured on these data; computed once for each state of them.

    They are of PrivateTest, or of PublicTest where that has no faces. Without predictions the face is the first of that
    split, and there are no mistakes to pick from.
    """
    runs = [info for info in complete() if not info.is_vote]
    sealed = tuple((str(info.path), seals(info.folder)) for info in runs)
    return _starting_faces(str(dataset.path), dataset.info.fingerprint, sealed, dataset, runs)


@st.cache_resource(show_spinner=False, max_entries=8)
def _starting_faces(
    path: str,
    fingerprint: str,
    sealed: tuple[tuple[str, tuple[int, ...]], ...],
    _dataset: Dataset,
    _runs: list[ModelInfo],
) -> StartingFaces:
    found = []
    for info in _runs:
        try:
            if (evaluation := info.folder.evaluation(fingerprint)) is not None:
                found.append((info.folder, evaluation.metrics()["splits"]))
        except RunError:
            continue  # its card says what is wrong with it; here one model fewer has a say
    # PrivateTest where somebody opened it, or nothing was measured; it may have no faces at all.
    there = [name for name in (PRIVATE_TEST, PUBLIC_TEST) if _dataset.info.split_size(name)] or [PUBLIC_TEST]
    split = next((name for name in there if any(name in splits for _, splits in found)), there[0])
    rows = _dataset.rows(split)
    plain = StartingFaces(int(rows[0]) if len(rows) else 0, np.empty(0, dtype=np.int64), split)
    measured_runs = [folder for folder, splits in found if split in splits]
    if not measured_runs or not len(rows):
        return plain
    try:
        aligned = align(measured_runs[:MOST], split, fingerprint=fingerprint)
    except RunError:
        return plain  # Compare and Mistakes, which need the predictions, say which are damaged
    at = most_disputed(aligned)
    return plain if at is None else StartingFaces(int(aligned.rows[at]), any_wrong(aligned), split)
