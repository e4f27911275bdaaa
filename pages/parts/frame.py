"""What every page starts with, and the way between pages.

Streamlit knows two kinds of multipage app. A folder called ``pages`` beside the entry makes it take this app for
the old kind until the entry has run once on a server: the first visitor who opens a deep link such as
``/dataset?split=PublicTest`` would get that page alone, without the entry's navigation. :func:`begin` notices,
remembers page and query, and goes through the entry; :func:`enter`, called there, goes back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st
from streamlit.errors import StreamlitAPIException

from pages.parts import copy_link, lesson_strip, links, uploads

ENTRY = "streamlit_app.py"
_ASIDE = "pages/limits.py"
ACCENTED = (
    '[data-testid="stButtonGroup"] [data-selected="true"]',
    '[data-testid="stTabs"] [role="tab"][aria-selected="true"]',
    '[data-testid="stSliderThumbValue"]',
    '[data-testid="stBaseButton-secondary"]:hover',
    '[data-testid="stBaseButton-tertiary"]:hover',
    '[data-testid="stExpander"] summary:hover',
)
"""What Streamlit writes in the accent. White on the accent and the accent on a dark page cannot both be readable, so
that here the text's own colour stays; border, underline or background tell what is chosen.
"""
WRAPPED = '.st-key-lesson-strip [data-testid="stButtonGroup"] button'
"""A lesson's answers are sentences: on a phone they break, where Streamlit would cut them off."""
NEEDLESS = '[data-testid="stWidgetLabelRequired"]'
"""Beside fields that cannot be emptied, and that are never empty, Streamlit writes that they are required."""
PHONE = "(max-width: 640px)"
"""There Streamlit leaves more than a line's height empty above each title, and cuts off rows of choices."""
TOOLED = '[data-testid="stElementContainer"]:has([data-testid="stElementToolbar"] button)'
"""Where nothing hovers, the buttons of a table are always there, over the words above it."""
CHARTED = '[data-testid="stPlotlyChart"] text[style*="rgb(128, 132, 149)"]'
"""What Streamlit writes in charts on a light page, in a grey with 3.7:1. It takes the page's own, quieter."""
STYLE = (
    f"<style>{CHARTED} {{ fill: currentColor !important; fill-opacity: 0.75 !important }}\n"
    f"{', '.join(ACCENTED)} {{ color: inherit !important }}\n"
    f"{WRAPPED}, {WRAPPED} * {{ white-space: normal !important; height: auto !important; text-align: left }}\n"
    f"{NEEDLESS} {{ display: none }}\n"
    f"@media {PHONE} {{\n"
    '[data-testid="stMainBlockContainer"] { padding-top: 3.75rem; padding-bottom: 4rem }\n'
    '[data-testid="stButtonGroup"] [role="radiogroup"] { flex-wrap: wrap; row-gap: 0.25rem; mask: none }\n'
    "}\n"
    f"@media (hover: none) {{\n{TOOLED} {{ margin-top: 2rem }}\n"
    # Fingers have no keys.
    "button kbd { display: none !important }\n}</style>"
)
_FRAMED = "_framed"
_RETURN_TO = "_return_to"
_SHOWN = "_shown_page"
_HELD_BACK = "_held_back"
"""The page that a lesson has kept closed since somebody came to it."""
_DATA = "data"
"""The chosen data, kept from page to page: see ``pages/parts/data.py``."""

Query = Mapping[str, str | Sequence[str]]


def enter() -> None:
    """Called by the entry after ``st.navigation`` and before any widget.

    Marks the session as framed, and switches to the page that :func:`begin` had to leave or :func:`go` leads to, with
    its query.
    """
    st.session_state[_FRAMED] = True
    links.leave_place()
    target = st.session_state.pop(_RETURN_TO, None)
    if target is not None:
        page, query = target
        st.switch_page(page, query_params=query)
    links.give_back()


def style() -> None:
    """What the theme's settings (``.streamlit/config.toml``) cannot say."""
    st.html(STYLE)


def begin(title: str, file: str, lead: str = "") -> bool:
    """The top of a page: guard, title, one sentence that says what the page is for.

    ``file`` is the page's own ``__file__``. Nothing may be drawn before this call. Returns whether another page, or
    none, was shown before. Ends the run where a lesson asks before it lets anybody see the page.
    """
    if not st.session_state.get(_FRAMED):
        st.session_state[_RETURN_TO] = (f"pages/{Path(file).name}", links.copy(lambda _: True))
        st.switch_page(ENTRY)
    here = Path(file).name
    uploads.enter(here)
    entered = st.session_state.get(_SHOWN) != here
    if entered:
        st.session_state[_SHOWN] = here
        _forget_earlier_visits()
    with st.container(horizontal=True, vertical_alignment="center", key="frame-title"):
        st.title(title, anchor=False)
        copy_link.show(arrived=entered)
    place = st.container()
    links.make_place()
    if elsewhere := lesson_strip.show(Path(file).stem):
        go(*elsewhere)
    # For the page itself somebody arrives when it opens.
    held_back = st.session_state.pop(_HELD_BACK, None) == here
    if lesson_strip.holds_back(Path(file).stem):
        if entered or held_back:
            st.session_state[_HELD_BACK] = here
        st.stop()
    # In a lesson its step says what the page is for.
    if lead and not lesson_strip.taking().lesson:
        place.markdown(lead)
    return entered or held_back


def _forget_earlier_visits() -> None:
    """Who comes to a page by a link gets what the link says, and nothing of an earlier visit.

    Streamlit remembers what the bound widgets of a page held, and gives it back to each that the address does not name,
    even to one whose default the address does name. Without a query (from the navigation) that is welcome.
    """
    if links.copy(lambda name: name != _DATA):
        # Names with an underscore are the app's own notes; the chosen data belong to all pages.
        for name in [str(name) for name in st.session_state if not str(name).startswith("_") and name != _DATA]:
            del st.session_state[name]


def link(page: str, label: str, *, icon: str | None = None, query: Query | None = None, disabled: bool = False) -> None:
    """A link to ``pages/<page>.py``, keeping the chosen data; ``disabled`` shows it, but it leads nowhere."""
    target = f"pages/{page}.py"
    st.page_link(target, label=label, icon=icon, query_params={**_data_query(), **(query or {})}, disabled=disabled)


def go(page: str, query: Query | None = None) -> None:
    """Go to ``pages/<page>.py`` now, keeping the chosen data. Ends this run of the script."""
    target = f"pages/{page}.py"
    if st.session_state.get(_SHOWN) == f"{page}.py":
        # Its own names cannot be set while it is shown: it is left for a moment, and arrived at anew.
        del st.session_state[_SHOWN]
        st.session_state[_RETURN_TO] = (target, {**_data_query(), **(query or {})})
        st.switch_page(_ASIDE if page != "limits" else "pages/home.py", query_params={})
    address = {**_data_query(), **(query or {})}
    try:
        st.switch_page(target, query_params=address)
    except StreamlitAPIException:
        # Streamlit lets nobody set what is bound to a widget, and the widgets of this page are bound until it is left.
        # So it is left first, for the other page without a query, and :func:`enter` sets the query from there. That
        # is one more run of the script, so pages that lead to each other better use other names.
        st.session_state[_RETURN_TO] = (target, address)
        st.switch_page(target, query_params={})


def link_button(page: str, label: str, *, key: str, icon: str | None = None, query: Query | None = None) -> None:
    """What looks like a link, and is a button that calls :func:`go`.

    For queries with names that the page at hand has bound to widgets, too: Streamlit takes those out of a link.
    """
    if st.button(label, icon=icon, type="tertiary", key=key):
        go(page, query)


def _data_query() -> dict[str, str | Sequence[str]]:
    given = links.given(_DATA)
    # The picker knows better than the address, but a page without one (no data yet) has only the address.
    chosen = st.session_state.get(_DATA) or (given[-1] if given else "")
    return {_DATA: str(chosen)} if chosen else {}
