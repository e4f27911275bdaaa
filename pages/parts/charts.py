"""Figures kept for all visitors by what they show: making one takes longer than all the rest of a page. Pictures as
bytes, so that they can be kept, too.
"""

from __future__ import annotations

import base64
import io
import pickle
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, ParamSpec

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
import streamlit as st
from PIL import Image

MOST_FIGURES = 64
"""At up to some 300 kB each."""

QUALITY = 95
"""Of a JPEG, 0 to 100."""

P = ParamSpec("P")


class FinishedFigure(go.Figure):
    """A figure that nobody changes any more, for ``st.plotly_chart`` alone: of it only the dictionary is kept."""

    def __init__(self, figure: go.Figure) -> None:
        # Without Plotly's own, which would build it a second time.
        self._finished: dict[str, object] = figure.to_dict()

    def to_dict(self) -> dict[str, object]:
        """The same object each time, for readers only."""
        return self._finished


def drawn(build: Callable[P, go.Figure], *args: P.args, **options: P.kwargs) -> go.Figure:
    """``build(*args, **options)``, made once for equal arguments. The figure is shared: do not change it.

    The arguments can be pickled: Streamlit's own way to tell them apart takes 40 ms for the curves of four runs.
    """
    return _drawn(_digest((build.__module__, build.__qualname__, args, options)), build, args, options)


def _digest(value: object) -> bytes:
    """Equal for equal values."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=5)
    # Otherwise it would differ by which of the equal texts in it are one object.
    pickler.fast = True
    pickler.dump(value)
    return blake2b(buffer.getbuffer(), digest_size=16).digest()


@st.cache_resource(show_spinner=False, max_entries=MOST_FIGURES)
def _drawn(
    key: bytes, _build: Callable[..., go.Figure], _args: tuple[Any, ...], _options: dict[str, Any]
) -> FinishedFigure:
    return FinishedFigure(_build(*_args, **_options))


def jpeg(picture: npt.NDArray[np.uint8]) -> bytes:
    """A picture, uint8 (H, W) or (H, W, 3), encoded: ``st.image`` would do so each time that it is given an array."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def jpeg_uri(picture: npt.NDArray[np.uint8]) -> str:
    """A picture as :func:`jpeg` takes it, as a ``data:`` address, for HTML."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg(picture)).decode("ascii")
