"""The Across data tab: the same runs on every dataset that they were measured on, beside each other."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from fer_core.formatting import interval, listed, percent, plain
from fer_core.review import sentences
from fer_core.review.across_data import Measured, across_data
from fer_core.runs.folder import RunFolder
from pages.parts.known_data import KnownData, known, titles
from pages.parts.scope import View

MISSING = "not measured"


def show(view: View, is_open: bool) -> None:
    """The tab. Closed, only its control is drawn: what is not drawn loses its place in the address."""
    found: list[Measured] = []
    names: dict[str, str] = {}
    if is_open:
        found = _found(_key(view), view.scope.aligned.split, [one.folder for one in view.runs], view.shows)
        names = _columns(found)
        _accuracies(view, found, names)
    run = view.choose_run("Class by class, of the run", key="across_of")
    if is_open:
        st.dataframe(
            recall_table(found, run, names),
            hide_index=True,
            height="content",
            alt=f"Of each class's faces, the share that {run} finds, on each dataset.",
        )
        st.caption("Recall, with the number of faces. A class without faces has none: there is nothing to find.")


def _accuracies(view: View, found: Sequence[Measured], names: dict[str, str]) -> None:
    """Each run on each dataset, what the datasets are, and which are missing."""
    st.subheader("Accuracy of each run on each dataset", anchor=False)
    st.dataframe(
        accuracy_table(found, view.names, names),
        hide_index=True,
        height="content",
        alt="Accuracy with its 95 % interval of each run on each dataset.",
    )
    st.caption(
        "In brackets: the 95 % interval. Compare down a column, where the faces are the same. Along a row faces and "
        "labels differ, and so does how hard they are."
    )
    st.markdown(sentences.across(_by_data(found, names)))
    st.dataframe(data_table(found, names), hide_index=True, height="content", alt="What each column is about.")
    unmeasured = [one for one in known().values() if one.info is not None and one.fingerprint not in names]
    if unmeasured:
        st.caption(
            f"No run chosen here was measured on {plain(listed(list(titles(unmeasured))))}. Choose these data in the "
            "sidebar to have that done."
        )


def _by_data(found: Sequence[Measured], names: dict[str, str]) -> dict[str, dict[str, float]]:
    return {
        plain(name): {one.run: one.scores["accuracy"] for one in found if one.data["fingerprint"] == fingerprint}
        for fingerprint, name in names.items()
    }


def accuracy_table(found: Sequence[Measured], runs: Sequence[str], names: dict[str, str]) -> pd.DataFrame:
    """A row for each run and a column for each dataset: accuracy and interval in words. ``names``: of the columns."""
    cells = {(one.run, one.data["fingerprint"]): one.scores for one in found}

    def words(run: str, fingerprint: str) -> str:
        scores = cells.get((run, fingerprint))
        return f"{percent(scores['accuracy'])} ({interval(scores)})" if scores else MISSING

    return pd.DataFrame(
        [{"Run": run, **{name: words(run, fingerprint) for fingerprint, name in names.items()}} for run in runs]
    )


def data_table(found: Sequence[Measured], names: dict[str, str]) -> pd.DataFrame:
    """A row for each dataset: split, number of faces, classes that have any."""
    first = {one.data["fingerprint"]: one for one in reversed(found)}
    return pd.DataFrame(
        [
            {
                "Data": name,
                "Split": one.split,
                "Faces (n)": one.scores["n"],
                "Classes": "all seven" if len(one.classes) == len(one.scores["per_class"]) else listed(one.classes),
            }
            for fingerprint, name in names.items()
            for one in (first[fingerprint],)
        ]
    )


def recall_table(found: Sequence[Measured], run: str, names: dict[str, str]) -> pd.DataFrame:
    """A row for each class and a column for each dataset that the run was measured on: recall and faces in words."""
    of_run = {one.data["fingerprint"]: one.scores["per_class"] for one in found if one.run == run}
    columns = {name: of_run[fingerprint] for fingerprint, name in names.items() if fingerprint in of_run}
    return pd.DataFrame(
        {
            "Expression": [entry["emotion"] for entry in next(iter(columns.values()))],
            **{
                name: [
                    "no faces" if entry["recall"] is None else f"{percent(entry['recall'])} of {entry['support']:,}"
                    for entry in entries
                ]
                for name, entries in columns.items()
            },
        }
    )


def _columns(found: Sequence[Measured]) -> dict[str, str]:
    """The title of each dataset by its fingerprint, each another one; what most runs were measured on comes first."""
    often: dict[str, int] = {}
    for one in found:
        often[one.data["fingerprint"]] = often.get(one.data["fingerprint"], 0) + 1
    records = {one.data["fingerprint"]: one.data for one in found}
    order = sorted(records, key=lambda fingerprint: -often[fingerprint])
    every = [KnownData(records[one]["name"], records[one], None, ()) for one in order]
    return dict(zip(order, titles(every), strict=True))


def _key(view: View) -> tuple[Hashable, ...]:
    return tuple((str(run.path), run.display_name, run.folder.state_key()) for run in view.runs)


@st.cache_data(show_spinner=False, max_entries=24)
def _found(
    key: tuple[Hashable, ...], split: str, _runs: Sequence[RunFolder], _shows: Mapping[str, str]
) -> list[Measured]:
    return [replace(one, run=_shows[one.run]) for one in across_data(_runs, split)]
