"""What the drawn sample teaches where its figures are met: that models made for photographs fall on drawings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from fer_core.review.fall import fall
from fer_core.runs.folder import RunFolder
from fer_core.runs.listing import ModelInfo


def sentence(runs: Sequence[ModelInfo], fingerprint: str, split: str, *, in_full: bool = True) -> str:
    """Of runs made for photographs, how far they fall on the drawn faces with this fingerprint; else empty.

    ``in_full``: with the expressions that they hardly ever find there.
    """
    return _sentence(tuple((str(run.path), run.folder.state_key()) for run in runs), fingerprint, split, in_full)


@st.cache_data(show_spinner=False, max_entries=50)
def _sentence(runs: tuple[tuple[str, tuple[int, ...]], ...], fingerprint: str, split: str, in_full: bool) -> str:
    found = fall([RunFolder(Path(path)) for path, _ in runs], fingerprint, split)
    return "" if found is None else found.sentence(in_full=in_full)
