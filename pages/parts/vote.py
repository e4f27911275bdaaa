"""What the card of a vote shows in place of a recipe: who votes, with which weight."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST, TEST_SPLITS
from fer_core.errors import RunError
from fer_core.formatting import plain
from fer_core.runs.card import IN_SHORT, members_table
from fer_core.runs.contracts import Metrics
from fer_core.runs.folder import RunFolder
from fer_core.runs.listing import ModelInfo
from fer_core.runs.vote import member_folders, read_vote
from pages.parts import frame, messages, runs


def show_members(folder: RunFolder, metrics: Metrics | None) -> None:
    """Members with weight, temperature and what each reaches alone, how the numbers were chosen, links to cards."""
    try:
        vote = read_vote(folder)
    except RunError as error:
        st.error(messages.told(error), icon=":material/broken_image:")
        return
    st.subheader(
        "Members",
        anchor=False,
        help=f"{IN_SHORT} {plain(vote.method)} {PRIVATE_TEST} was not used for it. A member of weight 0 is not asked.",
    )
    try:
        member_folders(folder, vote, quick=True)
    except RunError as error:
        st.warning(messages.told(error), icon=":material/group_off:")
    known = {info.name: info.display_name for info in runs.complete()}
    rows = members_table(folder, vote, metrics["data"]["fingerprint"] if metrics else "")
    table = pd.DataFrame(
        {
            "Member": known.get(row["name"], row["name"]),
            "Architecture": row["title"],
            "Weight (%)": row["weight"] * 100,
            "Temperature": row["temperature"],
            **{
                f"{split} alone (%)": row["accuracy"][split] * 100 if split in row["accuracy"] else None
                for split in TEST_SPLITS
            },
        }
        for row in rows
    )
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            **{
                column: st.column_config.NumberColumn(format="%.1f")
                for column in ("Weight (%)", f"{PUBLIC_TEST} alone (%)", f"{PRIVATE_TEST} alone (%)")
            },
            "Temperature": st.column_config.NumberColumn(
                format="%.3f",
                help="A member's logits are divided by it before it votes. Above 1 the member was too sure of itself.",
            ),
        },
        alt="The members of the vote with weight, temperature and the accuracy that each reaches alone.",
    )
    with st.container(horizontal=True, key="members"):
        for member in vote.members:
            if member.name in known:
                frame.link(
                    "run", f"Card of {known[member.name]}", icon=":material/id_card:", query={"run": member.name}
                )


def seals(folder: RunFolder) -> tuple[int, ...]:
    """When each was sealed, in POSIX nanoseconds: the run with its evaluations, and a vote's members, which may change.

    Raises ``RunError`` for a vote that is damaged or lacks a member.
    """
    needed = [folder, *(member_folders(folder, read_vote(folder), quick=True) if folder.is_vote else ())]
    return tuple(time for run in needed for time in run.state_key())


def votes_with(info: ModelInfo) -> list[str]:
    """Names of the votes that ask this run. A vote that cannot be read needs nobody."""
    names = []
    for other in runs.complete():
        if other.is_vote and other.name != info.name:
            try:
                asked = [member.name for member in read_vote(other.folder).asked]
            except RunError:
                continue  # its own card says what is wrong with it
            if info.name in asked:
                names.append(other.display_name)
    return names
