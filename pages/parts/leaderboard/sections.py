"""The sections of the Leaderboard page."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from fer_core.emotions import PRIVATE_TEST
from fer_core.leaderboard import entries as board
from fer_core.leaderboard.crowd import HEADING, shipped_rows
from fer_core.leaderboard.entries import GROUP_MEANING, GROUPS, Entry
from fer_core.leaderboard.markdown import (
    OTHER_DATA,
    WITHOUT_NEAR_DUPLICATES,
    chance,
    looks_text,
    meanings,
    span_text,
    systems_by_note,
)
from fer_core.plots import leaderboard as plots
from fer_core.review.crowd_scores import EXPLAINED
from pages.parts import crowd_columns, frame, linked
from pages.parts.charts import drawn

SHORT = {"fair": "Fair", "averaged": "Averaged", "flattered": "Flattered", "people": "People"}
"""A group in one word, for buttons and cells."""


def choose(entries: Sequence[Entry]) -> list[Entry]:
    """Which number may be compared with which, and the groups to show, bound to ``?groups=``."""
    st.header("Compare within a group", anchor=False)
    st.markdown("\n".join(f"- **{SHORT[key]}**: {title}. {GROUP_MEANING[key]}" for key, title in GROUPS.items()))
    st.caption(chance(entries))
    chosen = linked.several(
        st.pills,
        "Groups to show",
        list(SHORT.values()),
        selection_mode="multi",
        default=list(SHORT.values()),
        key="groups",
    )
    shown = [entry for entry in entries if SHORT[entry.group] in chosen]
    if not shown:
        st.info("Choose at least one group above.", icon=":material/info:")
        st.stop()
    return shown


def show_picture(shown: Sequence[Entry]) -> None:
    """One dot a system; ours bold and with their intervals."""
    groups = {
        SHORT[key]: [
            plots.Dot(system_name(entry), entry.accuracy, entry.span, entry.ours)
            for entry in shown
            if entry.group == key
        ]
        for key in GROUPS
        if any(entry.group == key for entry in shown)
    }
    st.plotly_chart(
        drawn(plots.system_dots, groups), key="systems", config={"displayModeBar": False}, alt=plots.describe(groups)
    )
    st.caption("Bars: for ours the 95 % interval, for others the range that the source gives.")


def show_table(shown: Sequence[Entry]) -> None:
    """Everything about each number, to sort by a click on a column's head."""
    st.header("Every number with its origin", anchor=False)
    st.dataframe(
        frame_of(shown),
        hide_index=True,
        height="content",
        placeholder="",
        column_config={
            "System": st.column_config.TextColumn(pinned=True, width="medium"),
            "Accuracy (%)": st.column_config.NumberColumn(format="%.1f"),
            "Without twins (%)": st.column_config.NumberColumn(format="%.1f"),
            "Faces (n)": st.column_config.NumberColumn(format="localized"),
            "Source": st.column_config.LinkColumn(display_text=r"^https?://(?:www\.)?(.*?)/?$"),
        },
        alt="Each system with its accuracy, the faces it was measured on, and how the number came about.",
    )
    # A run may have two lines, with and without its mirror image.
    ours = list(dict.fromkeys(entry.run for entry in shown if entry.ours))
    if ours:
        with st.container(horizontal=True, key="cards"):
            for run in ours:
                frame.link("run", f"Card of {run}", icon=":material/id_card:", query={"run": run})


def show_crowd() -> None:
    """Our models under FER-2013's labels and under the crowd's, side by side."""
    if not (rows := shipped_rows(PRIVATE_TEST)):
        return
    st.header(HEADING, anchor=False)
    st.caption(f"{EXPLAINED} Measured on {PRIVATE_TEST} of FER-2013.")
    crowd_columns.show(rows, PRIVATE_TEST)


def notes(shown: Sequence[Entry]) -> None:
    """What the sources and their code show, one line a finding, with links."""
    st.header("What the sources show", anchor=False)
    by_name = {entry.system: entry for entry in shown}
    lines = []
    for note, systems in systems_by_note(shown).items():
        links = {source.url: source.name for system in systems for source in by_name[system].sources}
        where = f" ({', '.join(f'[{name}]({url})' for url, name in links.items())})" if links else ""
        lines.append(f"- **{', '.join(systems)}**: {note}{where}")
    st.markdown("\n".join(lines))


def show_legend() -> None:
    """The legend: what each word about a number's origin means."""
    st.header("What the words mean", anchor=False)
    for title, terms, explained in (
        ("Chosen", board.CHOSEN, board.CHOSEN_MEANING),
        ("Looks", board.TEST_TIME_AUGMENTATION, board.TEST_TIME_AUGMENTATION_MEANING),
        ("Obtained again", board.REPRODUCED, board.REPRODUCED_MEANING),
    ):
        st.markdown(meanings(title, terms, explained))
    st.markdown(WITHOUT_NEAR_DUPLICATES)
    st.markdown(OTHER_DATA)


def system_name(entry: Entry) -> str:
    """``Custom CNN (ours)``; brought ones say that they are."""
    return f"{entry.system} (ours)" if entry.ours and not entry.brought else entry.system


def frame_of(shown: Sequence[Entry]) -> pd.DataFrame:
    """One row a system; a cell is empty where nobody says."""
    return pd.DataFrame(
        {
            "System": system_name(entry),
            "Accuracy (%)": 100 * entry.accuracy,
            "Interval or range": span_text(entry),
            "Group": SHORT[entry.group],
            "Chosen": board.CHOSEN[entry.chosen],
            "Scored on": entry.split,
            "Faces (n)": entry.n,
            "Looks": looks_text(entry),
            "Other data": entry.extra_data,
            "Without twins (%)": 100 * entry.without_near_duplicates.accuracy
            if entry.without_near_duplicates
            else None,
            "Obtained again": board.REPRODUCED[entry.reproduced],
            "Source": entry.sources[0].url if entry.sources else None,
        }
        for entry in shown
    )
