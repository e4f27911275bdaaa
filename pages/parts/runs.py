"""Finding the run a page is about, and naming what it was measured on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from fer_core import emotions
from fer_core.access import trainings
from fer_core.data.contracts import DatasetRecord
from fer_core.formatting import interval, percent, plain, plural
from fer_core.runs.contracts import RunState, SplitScores
from fer_core.runs.folder import NO_MODEL
from fer_core.runs.listing import ModelInfo, list_runs
from fer_core.runs.metrics import without_twins
from fer_core.stats.metrics import Accuracy, Scores
from pages.parts import access, links, messages

if TYPE_CHECKING:
    # Imported where a table is made: the entry needs none, and a fresh server's first visitor waits for each import.
    import pandas as pd

RUN = "run"
"""The query parameter that names a run: the name of its folder."""

NO_RUN = "There is no run called {asked} here. It may have been deleted, or the link is wrong."

STATE_WORDS = {
    RunState.DONE: "trained to the end",
    RunState.STOPPED: "stopped early",
    RunState.UNFINISHED: "not finished",
    RunState.DAMAGED: "damaged",
}


MOST = 6
"""Runs or models beside each other: more make pictures too small to read, and a page that nobody reads."""
MOST_PROBLEMS = 3
"""Sentences about damaged runs on a page that is about something else; the run card has them all."""


def known() -> list[ModelInfo]:
    """The runs that whoever looks at this page may see: see :func:`fer_core.access.trainings.visible`."""
    return trainings.visible(access.person(), list_runs())


def complete() -> list[ModelInfo]:
    """Those of :func:`known` that can be used."""
    return [info for info in known() if info.complete]


def first_choice(infos: Sequence[ModelInfo]) -> list[ModelInfo]:
    """Those to show where nobody has chosen any, at most :data:`MOST`, their own newest ones among them."""
    return trainings.first_choice(access.person(), infos, MOST)


def usable() -> list[ModelInfo]:
    """The complete runs, as :func:`fer_core.runs.listing.list_models`; those that are damaged are named on the page."""
    found = known()
    damaged = [info for info in found if info.state == RunState.DAMAGED]
    if damaged:
        lines = [f"- {messages.told(info.problem, stored=True)}" for info in damaged[:MOST_PROBLEMS]]
        if (more := len(damaged) - MOST_PROBLEMS) > 0:
            lines.append(f"- And {plural(more, 'more damaged run')}: see Run card.")
        st.warning("\n".join(lines), icon=":material/broken_image:")
    return [info for info in found if info.complete]


def to_ask(key: str) -> list[ModelInfo]:
    """Those of :func:`usable` that can be asked about a face. ``key``: what the page's address calls them.

    Runs of which only answers are here are named where the address asks for them, or there are no others, with what to
    bring. Elsewhere that would be about runs that nobody has in mind.
    """
    found = usable()
    asking = [info for info in found if info.has_model]
    answers = {info.name: info for info in found if not info.has_model}
    asked = links.given(key)
    if wanted := [name for name in dict.fromkeys(asked) if name in answers]:
        links.warn_ignored(key, [answers[name].display_name for name in wanted], f"{{asked}}: {NO_MODEL}")
        # The page's own field would call them unknown.
        links.keep(key, [name for name in asked if name not in answers], [])
    elif answers and not asking:
        names = ", ".join(info.display_name for info in answers.values())
        st.caption(f":material/table_view: {plain(names)}: {NO_MODEL}")
    return asking


def state_words(info: ModelInfo) -> str:
    """What became of a run, in words; a vote was never trained, and what was brought not here."""
    if info.is_vote:
        return "a vote of other runs"
    if info.is_brought and info.complete:
        return "a model from elsewhere" if info.has_model else "answers alone, no model"
    return STATE_WORDS[info.state]


def origin_words(info: ModelInfo) -> str:
    """Where a run comes from: ``shipped``, ``trained here``, ``built here``, ``brought here``."""
    if info.shipped:
        return "shipped"
    return "brought here" if info.is_brought else "built here" if info.is_vote else "trained here"


def asked_run(runs: list[ModelInfo]) -> ModelInfo | None:
    """The run that ``?run=`` names. A name that is not among ``runs`` is said on the page, and counts as none."""
    name = links.one_of(RUN, [info.name for info in runs], NO_RUN)
    return next((info for info in runs if info.name == name), None)


def data_and_count(data: DatasetRecord, scores: Accuracy) -> str:
    """What a number was measured on, in words: ``the drawn sample, n = 210`` (with unbreakable spaces)."""
    return f"{plain(data_title(data))}, n\u00a0=\u00a0{scores['n']:,}"


def data_title(data: DatasetRecord | None) -> str:
    """The dataset's name in a sentence; the drawn sample is always called that."""
    if not data:
        return "unknown data"
    return "the drawn sample" if data["kind"] == "sample" else data["title"] or "unknown data"


def of_people(data: DatasetRecord) -> bool:
    """Whether people were asked about these data: about FER-2013, which comes as a CSV or from Kaggle."""
    return data["kind"] in ("csv", "kaggle")


def foremost(found_on: Sequence[DatasetRecord]) -> DatasetRecord:
    """Of the data of several runs those that a sentence is about: figures on different data say nothing about each
    other. FER-2013 where it is there, else what most were measured on.
    """
    often = Counter(data["fingerprint"] for data in found_on)
    return max(found_on, key=lambda data: (of_people(data), often[data["fingerprint"]]))


def accuracy_words(data: DatasetRecord, scores: Accuracy, split: str) -> str:
    """``61.3 % of PrivateTest (95 % interval 59.7–62.9 %; FER-2013, n = 3,589)``."""
    return (
        f"{percent(scores['accuracy'])} of {split} (95 % interval {interval(scores)}; {data_and_count(data, scores)})"
    )


def per_class_table(scores: SplitScores) -> pd.DataFrame:
    """One row a class that has faces, then the mean. Precision, recall and F1 in per cent, support in faces.

    Recall and F1 without twins of training faces stand first, where there are twins: rare classes may live on them.
    The mean is the plain one (macro); its support is the number of all faces.
    """
    import pandas as pd

    rows = [row for row in scores["per_class"] if row["support"]]
    clean = without_twins(scores)
    without = {row["emotion"]: row for row in clean["per_class"]} if clean else {}
    first = {
        "Recall without twins (%)": [_per_cent(without[row["emotion"]]["recall"]) for row in rows if without],
        "F1 without twins (%)": [_per_cent(without[row["emotion"]]["f1"]) for row in rows if without],
    }
    table = pd.DataFrame(
        {
            "Expression": [row["emotion"] for row in rows],
            **(first if without else {}),
            "Precision (%)": [_per_cent(row["precision"]) for row in rows],
            "Recall (%)": [_per_cent(row["recall"]) for row in rows],
            "F1 (%)": [_per_cent(row["f1"]) for row in rows],
            "Support (faces)": [row["support"] for row in rows],
        }
    )
    mean = {
        "Expression": "mean",
        **{column: table[column].mean() for column in table.columns[1:-1]},
        "Support (faces)": int(table["Support (faces)"].sum()),
    }
    return pd.concat([table, pd.DataFrame([mean])], ignore_index=True)


def _per_cent(value: float | None) -> float | None:
    """None (a class without faces has no recall) stays an empty cell."""
    return None if value is None else value * 100


def confusion_table(scores: Scores, *, share: bool) -> pd.DataFrame:
    """The confusion matrix as a table: rows true, columns predicted; faces, or per cent of the true class."""
    import pandas as pd

    table = pd.DataFrame(scores["confusion"], columns=list(emotions.NAMES))
    if share:
        totals = table.sum(axis=1)
        table = table.div(totals.where(totals > 0), axis=0) * 100
    table.insert(0, "true ↓  predicted →", list(emotions.NAMES))
    return table


NUMBERS = {
    column: st.column_config.NumberColumn(format="%.1f")
    for column in (
        "Recall without twins (%)",
        "F1 without twins (%)",
        "Precision (%)",
        "Recall (%)",
        "F1 (%)",
        "Accuracy (%)",
        *emotions.NAMES,
    )
}
