"""A place in the server's queue for what a page computes while it is drawn, and how long the queue is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from fer_core.errors import BusyError
from fer_core.fair_queue import QUEUE, Lane
from fer_core.formatting import ordinal
from pages.parts import access, messages

LOOK_S = 0.3
"""Seconds between two looks at the queue. Who leaves the page, or clicks elsewhere, loses the place at the next one."""


@contextmanager
def turn(lane: Lane, what: str) -> Iterator[None]:
    """Wait on the page until it is this visitor's turn, then do the work. ``what``: how the page calls it.

    Where the server is too busy, the page says so and ends here.
    """
    try:
        ticket = QUEUE.ask(access.person().token, lane)
    except BusyError as error:
        say_busy(error)
        st.stop()
    with ticket:
        if not ticket.wait(0):
            place = st.empty()
            while not ticket.wait(LOOK_S):
                place.caption(f":material/hourglass_top: {what}: {ordinal(ticket.position())} in the queue.")
            place.empty()
        yield


def say_busy(error: BusyError) -> None:
    """That nothing was begun, and why."""
    st.warning(messages.told(error), icon=":material/hourglass_disabled:")
