"""From a number on the Compare page to the faces behind it: the addresses of Mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fer_core.emotions import NAMES
from fer_core.formatting import plural
from fer_core.stats.agreement import set_words
from pages.parts import frame
from pages.parts.scope import RUNS, View

MISTAKES = "mistakes"
MOST_ROWS = 900
"""Faces in one link: their numbers have to fit into an address."""

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


def _start(view: View, runs: Sequence[str]) -> Query:
    return {**view.query, RUNS: [view.folder_of(run) for run in runs]} if runs else dict(view.query)
