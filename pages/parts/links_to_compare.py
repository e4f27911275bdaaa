"""The way to Compare from a page about one run: never alone, for there is nothing to compare in that."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from fer_core.emotions import PRIVATE_TEST
from fer_core.errors import RunError
from fer_core.runs.listing import ModelInfo
from pages.parts import frame, known_data
from pages.parts.data import KEY
from pages.parts.known_data import KnownData
from pages.parts.scope import COMPARE, RUNS

Query = dict[str, str | list[str]]


def link(label: str, names: Sequence[str], fingerprint: str = "") -> None:
    """The link to these runs, by the names of their folders; a single one has another beside it.

    It leads to the data with that ``fingerprint``, else to data that the first run was measured on: the chosen ones, if
    it was.
    """
    frame.link("compare", label, icon=":material/compare:", query=_query(names, fingerprint))


def _query(names: Sequence[str], fingerprint: str) -> Query:
    data = _data_of(names[0], fingerprint)
    if data is None:
        return {COMPARE + RUNS: list(names)}
    beside = _beside(names[0], data) if len(names) == 1 else None
    return {COMPARE + RUNS: [*names, *([beside.name] if beside else [])], KEY: data.name}


def _data_of(name: str, fingerprint: str) -> KnownData | None:
    measured = [one for one in known_data.known().values() if name in {run.name for run in one.runs}]
    chosen = st.session_state.get(KEY)
    measured.sort(key=lambda one: (one.fingerprint != fingerprint, one.name != chosen))
    return next(iter(measured), None)


def _beside(name: str, data: KnownData) -> ModelInfo | None:
    """The run to hold another one against: the shipped one of its architecture, else the best shipped one, else the
    newest other, of those that were measured on these data; None where it is the only one.
    """
    mine = next(run for run in data.runs if run.name == name)
    others = [run for run in data.runs if run.name != name]
    shipped = [run for run in others if run.shipped]
    alike = [run for run in shipped if run.architecture == mine.architecture]
    return max(alike or shipped, key=lambda run: _accuracy(run, data), default=next(iter(others), None))


def _accuracy(run: ModelInfo, data: KnownData) -> float:
    """How often it is right on these data, 0..1; below all others where its figures cannot be used."""
    try:
        metrics = run.folder.metrics(data.fingerprint)
    except RunError:
        # Compare says what is wrong with it.
        return -1.0
    splits = metrics["splits"] if metrics else {}
    found = splits.get(PRIVATE_TEST) or next(iter(splits.values()), None)
    return float(found["accuracy"]) if found else -1.0
