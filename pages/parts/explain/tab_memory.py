"""What a tab of Explain was left with: a closed one draws nothing, which takes its choices out of the address."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.parts import links

_LEFT = "_explain_left"
Wanted = Callable[[str], bool]


def forget() -> None:
    """Let go of what an earlier visit to the page had chosen."""
    st.session_state.pop(_LEFT, None)


def come_back(tab: str, wanted: Wanted) -> None:
    """Put what was chosen when the tab was last open back into the address, before its widgets are drawn.

    ``wanted``: whether a name in the address is the tab's. May start the run of the page again.
    """
    left = st.session_state.get(_LEFT, {}).get(tab)
    if left and not links.copy(wanted):
        st.query_params.update(left)
        # Widgets take what the address held when the run began.
        st.rerun()


def remember(tab: str, wanted: Wanted) -> None:
    """Note what the tab's part of the address says, once its widgets are drawn."""
    st.session_state[_LEFT] = {**st.session_state.get(_LEFT, {}), tab: links.copy(wanted)}
