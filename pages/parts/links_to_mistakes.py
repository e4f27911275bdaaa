"""From a number on the Compare page to the faces behind it: the addresses of Mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from fer_core.emotions import NAMES
from fer_core.formatting import plural
from fer_core.stats.agreement import set_words
from pages.parts import frame, links
from pages.parts.data import KEY
from pages.parts.scope import COMPARE, RUNS, View

MISTAKES = "mistakes"
MOST_ROWS = 900
"""Faces in one link: their numbers have to fit into an address."""
_LEFT = "_left_compare"

Query = dict[str, str | list[str]]


def cell(
    view: View, true: int, predicted: int, by: str | None = None, runs: Sequence[str] = (), least: int = 0
) -> Query:
    """The faces labelled ``true`` (0..6) that the run ``by`` takes for ``predicted``, or any run, as Mistakes has it by
    default; with only ``runs`` in view, where given, and only answers of at least ``least`` % confidence.
    """
    query: Query = {**_start(view, runs), "true": NAMES[true], "said": NAMES[predicted]}
    if least:
        query["confidence"] = [str(least), "100"]
    return query if by is None else {**query, "by": view.folder_of(by)}


def agreement_set(view: View, code: int, runs: Sequence[str], true: int | None = None) -> Query:
    """The faces of one agreement set of ``runs``, by its code; only those labelled ``true`` (0..6), if given."""
    query: Query = {**_start(view, runs), "set": set_words(code, [view.folder_of(run) for run in runs])}
    return query if true is None else {**query, "true": NAMES[true]}


def these(view: View, rows: Sequence[int]) -> Query:
    """Just these faces, by row number; at most :data:`MOST_ROWS`."""
    return {**_start(view, ()), "among": written(rows)}


def written(rows: Sequence[int]) -> str:
    """Row numbers, rising, as people write them: ``12, 40-42``."""
    spans: list[list[int]] = []
    for row in sorted(rows):
        if spans and row == spans[-1][1] + 1:
            spans[-1][1] = row
        else:
            spans.append([row, row])
    return ",".join(f"{first}-{last}" if last > first else str(first) for first, last in spans)


def link_with_count(label: str, faces: int, query: Query) -> None:
    """A link that says how many faces it leads to; it leads nowhere where there is none."""
    frame.link(MISTAKES, f"{label}: {plural(faces, 'face')}", icon=":material/face:", query=query, disabled=not faces)


def clicked(event: Any) -> list[Any] | None:
    """The ``customdata`` of the mark that was clicked in a chart with ``on_select``; None for no click on one."""
    points = [point for point in event.selection.points if point.get("customdata") is not None]
    return list(points[0]["customdata"]) if points else None


def open_faces(query: Query) -> None:
    """Open the faces. Ends this run of the page."""
    frame.go(MISTAKES, query)


def remember() -> None:
    """Note what the address says, for :func:`come_back`."""
    st.session_state[_LEFT] = links.copy(lambda name: name != KEY)


def come_back() -> None:
    """Show again what was shown last. Called before any widget, where another page was shown before.

    On the way to another page Streamlit leaves an entry of its own in the browser's history: this page's address, with
    a query that says nothing about it. That is where the Back button leads first. What Mistakes has bound to its
    widgets Streamlit takes out on the way back, and the runs, which are not bound, have other names here.
    """
    left = st.session_state.get(_LEFT)
    there = links.copy(lambda name: name != KEY)
    foreign = links.through_history() and not any(name.startswith(COMPARE) for name in there)
    if left and (not there or foreign):
        for name in there:
            del st.query_params[name]
        st.query_params.update(left)
        # Widgets take what the address held when the run began.
        st.rerun()


def _start(view: View, runs: Sequence[str]) -> Query:
    return {**view.query, RUNS: [view.folder_of(run) for run in runs]} if runs else dict(view.query)
