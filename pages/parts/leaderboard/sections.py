"""The sections of the Leaderboard page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from fer_core.emotions import PRIVATE_TEST
from fer_core.leaderboard.crowd import HEADING, shipped_rows
from fer_core.leaderboard.entries import Entry, pictured
from fer_core.leaderboard.markdown import (
    OTHER_DATA,
    WITHOUT_NEAR_DUPLICATES,
    in_short,
    looks_text,
    meanings,
    span_text,
    systems_by_note,
)
from fer_core.leaderboard.words import CHOSEN, GROUP_MEANING, GROUPS, REPRODUCED, TERMS
from fer_core.plots import leaderboard as plots
from fer_core.review.crowd_scores import EXPLAINED
from pages.parts import crowd_columns, frame, linked
from pages.parts.charts import drawn

SHORT = {"fair": "Fair", "averaged": "Averaged", "flattered": "Flattered", "people": "People"}
"""A group in one word, for buttons and cells."""


def picture(entries: Sequence[Entry]) -> list[Entry]:
    """The picture with a sentence under it, then the groups to show, bound to ``?groups=``, which are returned."""
    place = st.container()
    chosen = linked.several(
        st.pills,
        "Groups to show",
        list(SHORT.values()),
        selection_mode="multi",
        default=list(SHORT.values()),
        key="groups",
        help=" ".join(f"{SHORT[key]}: {GROUP_MEANING[key]}" for key in GROUPS),
    )
    shown = [entry for entry in entries if SHORT[entry.group] in chosen]
    if not shown:
        st.info("Choose at least one group above.", icon=":material/info:")
        st.stop()
    with place:
        _dots(shown)
        st.markdown(in_short(shown))
    return shown


def _dots(shown: Sequence[Entry]) -> None:
    people = next((_dot(entry) for entry in shown if entry.group == "people"), None)
    once = pictured(shown)
    groups = {
        SHORT[key]: [_dot(entry) for entry in once if entry.group == key]
        for key in GROUPS
        if any(entry.group == key for entry in once)
    }
    st.plotly_chart(
        drawn(plots.system_dots, groups, people),
        key="systems",
        config={"displayModeBar": False},
        alt=plots.describe(groups, people),
    )
    st.caption(
        "; ".join(
            f"**{SHORT[key]}**: {GROUPS[key][0].lower()}{GROUPS[key][1:]}" for key in GROUPS if SHORT[key] in groups
        )
        + ". Bold names: ours, with 95 % intervals.",
        help="For others a line is the range that the source gives.",
    )


def _dot(entry: Entry) -> plots.Dot:
    return plots.Dot(entry.system, entry.accuracy, entry.span, entry.ours and not entry.brought)


def table(shown: Sequence[Entry], shows: Mapping[str, str]) -> None:
    """Everything about each number, folded, to sort by a click on a column's head; and what its words mean."""
    section = linked.expander("Every number with its origin", key="table", icon=":material/table:")
    if not section.open:
        return
    with section:
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
                    frame.link("run", f"Card of {shows.get(run, run)}", icon=":material/id_card:", query={"run": run})
        _legend()


def called(entries: Sequence[Entry], shows: Mapping[str, str]) -> list[Entry]:
    """The lines with our runs by what people read, ``shows``, in place of their folders' names."""
    return [
        replace(entry, system=shows[entry.run] + entry.system.removeprefix(entry.run)) if entry.run in shows else entry
        for entry in entries
    ]


def crowd(shows: Mapping[str, str]) -> None:
    """Our models under FER-2013's labels and under the crowd's, side by side, folded."""
    if not (rows := shipped_rows(PRIVATE_TEST)):
        return
    section = linked.expander(HEADING, key="crowd", icon=":material/groups:")
    if section.open:
        with section:
            st.caption(f"{EXPLAINED} Measured on {PRIVATE_TEST} of FER-2013.")
            crowd_columns.show([(shows.get(name, name), shares) for name, shares in rows], PRIVATE_TEST)


def notes(shown: Sequence[Entry]) -> None:
    """What the sources and their code show, one line a finding, with links, folded."""
    section = linked.expander("What the sources show", key="sources", icon=":material/menu_book:")
    if not section.open:
        return
    by_name = {entry.system: entry for entry in shown}
    lines = []
    for note, systems in systems_by_note(shown).items():
        links = {source.url: source.name for system in systems for source in by_name[system].sources}
        where = f" ({', '.join(f'[{name}]({url})' for url, name in links.items())})" if links else ""
        lines.append(f"- **{', '.join(systems)}**: {note}{where}")
    section.markdown("\n".join(lines))


def _legend() -> None:
    """What each word about a number's origin means."""
    st.markdown("\n".join(f"- **{SHORT[key]}**: {title}. {GROUP_MEANING[key]}" for key, title in GROUPS.items()))
    for terms in TERMS:
        st.markdown(meanings(*terms))
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
            "Chosen": CHOSEN[entry.chosen],
            "Scored on": entry.split,
            "Faces (n)": entry.n,
            "Looks": looks_text(entry),
            "Other data": entry.extra_data,
            "Without twins (%)": 100 * entry.without_near_duplicates.accuracy
            if entry.without_near_duplicates
            else None,
            "Obtained again": REPRODUCED[entry.reproduced],
            "Source": entry.sources[0].url if entry.sources else None,
        }
        for entry in shown
    )
