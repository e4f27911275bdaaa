"""Parts of a page that run again alone: Streamlit's fragments, each in a block of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec

import streamlit as st
from streamlit.runtime.scriptrunner import RerunException

from pages.parts import links

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

    @functools.wraps(draw)
    def drawing(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            draw(*args, **kwargs)
        except RerunException as rerun:
            if every is not None and not (rerun.rerun_data.fragment_id or rerun.rerun_data.fragment_id_queue):
                # The whole page is drawn anew by itself, as when a test is over: nobody has read it yet.
                links.say_again()
            raise

    alone = st.fragment(drawing, run_every=every)

    @functools.wraps(draw)
    def in_a_block(*args: P.args, **kwargs: P.kwargs) -> None:
        with st.container():
            alone(*args, **kwargs)

    return in_a_block
