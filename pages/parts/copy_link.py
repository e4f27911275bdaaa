"""The button that copies the page's link, in the frame of every page; that whoever arrives starts at the top; and that
the browser's Back button undoes what somebody did in one step.

A small component of our own: only the browser knows the address that the controls below are about to change.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

HTML = (
    '<div class="copy-link"><button type="button" aria-label="Copy link" title="Copy the link to this very view">'
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M9 15l6-6M11 6l1-1a4.2 4.2 0 0 1 6 6l-2 2M13 18l-1 1a4.2 4.2 '
    '0 0 1-6-6l2-2"/></svg><span class="words">Copy link</span></button><span role="status"></span></div>'
)
TO_THE_TOP = """export default function ({ data }) {
  if (window.ferShown === data.shown) return;
  window.ferShown = data.shown;
  document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
}"""
HALF_ROUND, PREDICTED = "so-far", "predicted"
UNSHARED = (HALF_ROUND, PREDICTED)
"""The names in the address of what is there for a reload alone: it goes into no copied link, and is no step back."""
_VISITS = "_visits"

_here = Path(__file__).parent
_component = st.components.v2.component(
    "fer_copy_link",
    html=HTML,
    css=(_here / "copy_link.css").read_text(encoding="utf-8"),
    js=(_here / "copy_link.js").read_text(encoding="utf-8"),
)

_top = st.components.v2.component("fer_to_the_top", html="<span hidden></span>", js=TO_THE_TOP)


def show(*, arrived: bool) -> None:
    """Draw the button. ``arrived``: another page was shown before, so that this one is to start at its top."""
    visits = int(st.session_state.get(_VISITS, 0)) + arrived
    st.session_state[_VISITS] = visits
    _component(key="_copy_link", data={"visit": visits, "unshared": UNSHARED}, width="content")


def start_at_top(shown: str) -> None:
    """Show the top of the page whenever ``shown`` is another text than before: for what changes without a new page."""
    _top(key="_to_the_top", data={"shown": shown})
