"""Figures kept for all visitors by what they show: making one takes longer than all the rest of a page."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, ParamSpec

import plotly.graph_objects as go
import streamlit as st

MOST_FIGURES = 64
"""At up to some 300 kB each."""

P = ParamSpec("P")


class FinishedFigure(go.Figure):
    """A figure that nobody changes any more: what it says as a dictionary is worked out once."""

    _finished: dict[str, object] | None = None

    def to_dict(self) -> dict[str, object]:
        """The same object each time, for readers only."""
        if self._finished is None:
            self._finished = super().to_dict()
        return self._finished


def drawn(build: Callable[P, go.Figure], *args: P.args, **options: P.kwargs) -> go.Figure:
    """``build(*args, **options)``, made once for equal arguments. The figure is shared: do not change it.

    The arguments can be pickled: Streamlit's own way to tell them apart takes 40 ms for the curves of four runs.
    """
    about = pickle.dumps((build.__module__, build.__qualname__, args, options), protocol=5)
    return _drawn(blake2b(about, digest_size=16).digest(), build, args, options)


@st.cache_resource(show_spinner=False, max_entries=MOST_FIGURES)
def _drawn(
    key: bytes, _build: Callable[..., go.Figure], _args: tuple[Any, ...], _options: dict[str, Any]
) -> FinishedFigure:
    return FinishedFigure(_build(*_args, **_options))
