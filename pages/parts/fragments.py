"""Parts of a page that run again alone: Streamlit's fragments, each in a block of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec

import streamlit as st

P = ParamSpec("P")


def fragment(draw: Callable[P, None], *, every: float | str | None = None) -> Callable[P, None]:
    """``draw`` as a fragment: what is changed in it runs it alone. A decorator, too.

    ``every``: seconds (or words such as ``"1s"``) after which it runs again by itself.

    The block around it is there for a busy server. Where a fragment begins before the run of the whole page has been
    sent, Streamlit takes the fragment's part out of what is still to be sent. The browser then closes the gap once that
    run is over, so that everything below moves up one place, and the fragment comes to stand on its neighbour: a button
    disappears, or the whole page does ("'setIn' cannot be called on an ElementNode"). In a block of its own it has no
    neighbours, and the block belongs to the page's run.
    """
    alone = st.fragment(draw, run_every=every)

    @functools.wraps(draw)
    def in_a_block(*args: P.args, **kwargs: P.kwargs) -> None:
        with st.container():
            alone(*args, **kwargs)

    return in_a_block
