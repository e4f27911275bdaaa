"""Is the label wrong, or the model? What speaks for each, for one face."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from fer_core.access.policy import Action
from fer_core.data.dataset import Dataset
from fer_core.emotions import NAMES
from fer_core.formatting import ordinal, percent, plural
from fer_core.review.verdict import ConflictingDuplicate, Evidence, Verdict, evidence, label_issue_words, verdict
from pages.parts import access, frame
from pages.parts.data import IMPORT
from pages.parts.dataset_extras import audit_of
from pages.parts.mistakes import vote_table
from pages.parts.scope import View

_SHOWN_DUPLICATES = 4
NORTHCUTT = "https://arxiv.org/abs/1911.00068"
FERPLUS_PAPER = "https://arxiv.org/abs/1608.01041"
WHAT_A_VERDICT_IS = (
    "The verdict: is the label wrong, or the model? By people's votes on this face where there are any, else by how "
    "often people rejected the label of faces like it. “Evidence” below says more."
)


@dataclass(frozen=True)
class Judged:
    """What is known about the label of one face, and the verdict that follows."""

    row: int
    found: Evidence
    verdict: Verdict


def judge(view: View, row: int) -> Judged:
    """The evidence about the dataset's label of one face of the view's split, also of one that the view leaves out.

    Raises ``KeyError`` for a row of another split: no run was asked about it.
    """
    audit = None if view.dataset is None else audit_of(view.dataset)
    found = evidence(view.scope, row, crowd=view.crowd, audit=audit, drawn=view.labels_are_right)
    return Judged(row, found, verdict(found))


def verdict_line(judged: Judged) -> None:
    """The verdict, and how often such a one was right, or what people say."""
    kind, colon, why = judged.verdict.line.partition(": ")
    st.markdown(f":material/balance: **{kind}**{colon}{why}", help=WHAT_A_VERDICT_IS)


def evidence_panel(view: View, judged: Judged) -> None:
    """All that speaks for the label, and against it."""
    found, dataset = judged.found, view.dataset
    st.markdown("**Is the label wrong, or the model?**")
    st.markdown(f":material/balance: **{judged.verdict.words}.** {judged.verdict.because}")
    st.table(
        _facts(found), border="horizontal", hide_header=True, alt=f"What is known about the label of row {judged.row}."
    )
    if found.conflicting_duplicates and dataset is not None:
        _link_to_duplicates(dataset, judged.row, found.conflicting_duplicates)
    if found.remembered:
        st.caption(
            "This face has a twin in Training. A model may simply remember that one's label, so its answer says "
            "little here."
        )
    if found.drawn:
        # How people doubt labels of photographs says nothing here.
        return
    _crowd(view, judged.row, found)
    if found.beyond and found.crowd is None:
        st.caption(f":material/warning: {found.beyond}")
    st.caption(
        "Label doubt is the share of faces like this one, by their label and the runs' answers, whose label the "
        f"crowd of [FER+]({FERPLUS_PAPER}) rejects: most of its votes went elsewhere. It was measured on "
        f"PublicTest. Confident learning: [Northcutt and others, 2021]({NORTHCUTT}). Look at the face, and decide "
        "yourself."
    )


def _facts(found: Evidence) -> dict[str, str]:
    """What the models and the twins say, as a table."""
    label = NAMES[found.label]
    flagged = "counts this label among the wrong ones" if found.flagged else "does not count this label as wrong"
    doubt = {
        "Label doubt": f"{found.label_issue_score:.2f} of 1, {label_issue_words(found.label_issue_score)}",
        "Rank": f"{_most_doubtful(found.rank)} of {found.faces:,}",
        "Confident learning": flagged,
    }
    facts = {
        **({} if found.drawn else doubt),
        "Runs together suggest": NAMES[found.suggested] + (", the label" if found.suggested == found.label else ""),
        "Against the label": _against(found),
    }
    if found.conflicting_duplicates is None:
        facts["Twins"] = "not known; the audit of the data tells"
    elif not found.conflicting_duplicates:
        facts["Twins"] = f"none is labelled otherwise than {label}"
    else:
        facts["Twins"] = _conflicting_duplicates(found.conflicting_duplicates)
    return facts


def _conflicting_duplicates(duplicates: tuple[ConflictingDuplicate, ...]) -> str:
    """The same picture under other labels: ``sad: row 12; angry: rows 5,682, 6,208, 14,338 and 2 more``."""
    rows: dict[int, list[int]] = {}
    for duplicate in duplicates:
        rows.setdefault(duplicate.label, []).append(duplicate.row)
    parts = []
    for label, here in rows.items():
        more = f" and {len(here) - _SHOWN_DUPLICATES:,} more" if len(here) > _SHOWN_DUPLICATES else ""
        word = "row" if len(here) == 1 else "rows"
        parts.append(f"{NAMES[label]}: {word} {', '.join(f'{row:,}' for row in here[:_SHOWN_DUPLICATES])}{more}")
    same = "the same picture" if all(duplicate.exact for duplicate in duplicates) else "the same picture, or nearly,"
    return f"{same} is labelled {'; '.join(parts)}"


def _link_to_duplicates(dataset: Dataset, row: int, duplicates: tuple[ConflictingDuplicate, ...]) -> None:
    query = {
        "data": dataset.path.name,
        "rows": ", ".join(str(each) for each in (row, *(duplicate.row for duplicate in duplicates))),
        "face": str(row),
    }
    label = "Look at the twins beside it"
    frame.link_button("dataset", label, key="evidence.twins", icon=":material/content_copy:", query=query)


def _most_doubtful(rank: int) -> str:
    return "the most doubtful" if rank == 1 else f"{ordinal(rank)} most doubtful"


def _against(found: Evidence) -> str:
    if not found.against:
        return f"0 of {plural(found.models, 'run')}"
    if found.against == 1:
        return f"1 of {plural(found.models, 'run')}, with {NAMES[found.answer]}"
    same = "all" if found.together == found.against else f"{found.together} of them"
    agree = f"{same} with {NAMES[found.answer]}" if found.together > 1 else "each with another answer"
    return f"{found.against} of {plural(found.models, 'run')}, {agree}"


def _crowd(view: View, row: int, found: Evidence) -> None:
    """The ten votes, or the offer to add them."""
    crowd = view.crowd
    if crowd is None:
        # Where the faces themselves are missing, that is offered elsewhere on the page, and comes first.
        if view.dataset is not None and view.dataset.info.kind == "csv" and access.may(Action.IMPORT_DATA):
            frame.link(
                "dataset",
                "Add FER+: ten people's votes on each face",
                icon=":material/how_to_vote:",
                query={"data": view.dataset.path.name, "view": IMPORT},
            )
        return
    each = [int(count) for count in crowd.votes[row]]
    reason = crowd.reason(row)
    says = reason or (
        f"The crowd's label is {crowd.answers(row)[0][0]}, with {percent(crowd.agreement(row), 0)} of the votes."
    )
    st.markdown(f"**The crowd's votes** ([FER+]({FERPLUS_PAPER})). {says}")
    st.html(vote_table.table(each, found.label))
