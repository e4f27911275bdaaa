"""What the runs' last layers read of the test faces, opened once for all visitors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from fer_core.runs.embeddings import Embeddings, read_embeddings
from fer_core.runs.folder import RunFolder
from fer_core.runs.listing import ModelInfo
from pages.parts.scope import View


def embeddings_of(info: ModelInfo, fingerprint: str) -> Embeddings | None:
    """A run's embeddings of the faces with this fingerprint; None where it has none. Raises ``RunError`` for damaged
    ones.
    """
    return _read(str(info.path), fingerprint, info.folder.state_key())


def how_to(view: View, without: Sequence[ModelInfo]) -> str:
    """What to do about runs without embeddings. A vote has none of its own, whatever one does."""
    names = [info.name for info in without if not info.is_vote]
    if not names:
        return "A vote has none of its own: choose one of its members as a run."
    data = "DATASET" if view.dataset is None else str(view.dataset.info.path)
    return f"Evaluate a run again to get them: `python -m fer_core evaluate {names[0]} --data {data}`"


@st.cache_resource(show_spinner=False, max_entries=12)
def _read(path: str, fingerprint: str, sealed: tuple[int, ...]) -> Embeddings | None:
    """Keyed by when the run was sealed: an evaluation makes new embeddings."""
    return read_embeddings(RunFolder(Path(path)), fingerprint)
