"""The faces behind one finding of the audit: groups, pairs or single faces, paged, and one of them beside its twin."""

from __future__ import annotations

import math

import numpy as np
import streamlit as st

from fer_core import emotions
from fer_core.data.audit import Audit, NearDuplicate
from fer_core.data.audit import findings as core
from fer_core.data.audit.findings import Finding
from fer_core.data.dataset import Dataset
from fer_core.formatting import percent, plural
from pages.parts import faces, linked, row_field
from pages.parts.dataset import browse
from pages.parts.dataset.audit_sheet import clickable_groups
from pages.parts.rows import ALL, Rows

PART, SHOWN, COMPARED, OF = "part", "shown", "beside", "of"
"""Names in the address. Those of the Faces tab, ``page`` and ``face`` among them, are drawn at the same time."""

COLUMNS = 12
UNITS_PER_PAGE, FACES_PER_PAGE = 8, 72
MOST = 12
"""Faces of a group that are shown; a drawn or posed series may hold hundreds."""
BOTH = "both test splits"

MEANING = {
    core.EXACT: "Groups of faces whose pixels are all equal.",
    core.REDUNDANT: "What could be left out without losing a picture: all but the first face of each group.",
    core.ACROSS: "Equal faces in two or three splits. A test on a face that was trained on is no test.",
    core.CONFLICTS: "Equal faces, different labels. At most one label of each group can be right.",
    core.NEAR_DUPLICATES: "Pairs that look almost the same: cut, scaled or compressed differently. The most alike "
    "first.",
    core.EXACT_IN_TRAINING: "Test faces, each with a face of Training that has the very same pixels.",
    core.NEAR_IN_TRAINING: "Test faces, each with the face of Training that is most like it. None of them is an exact "
    "twin.",
    core.MIRRORED_IN_TRAINING: "Near twins that match when one of the two is mirrored.",
    core.CONSTANT: "All pixels have one grey level: nothing can be seen, and yet there is a label.",
    core.NEARLY_CONSTANT: "At least half of the pixels have the same grey level: often a notice or a drawing, no face.",
}
DUPLICATES_IN_TRAINING = (core.EXACT_IN_TRAINING, core.NEAR_IN_TRAINING, core.MIRRORED_IN_TRAINING)
UNIT = {core.GROUPS: "group", core.PAIRS: "pair", core.FACES: "face"}


def start_over() -> None:
    """Another finding: its first page, and its first face."""
    st.session_state[PART] = 1
    st.session_state[SHOWN] = None


def show(dataset: Dataset, audit: Audit, finding: Finding) -> None:
    """One finding: what it means, one face beside its twin, all faces page by page."""
    st.markdown(f"**{finding.name[0].upper()}{finding.name[1:]}.** {MEANING[finding.name]}")
    if finding.name in DUPLICATES_IN_TRAINING:
        finding = _of_split(finding, audit)
    if not finding.units:
        st.info(f"None found: no {UNIT[finding.kind]} of these faces is of this kind.", icon=":material/check_circle:")
        return
    per_page = FACES_PER_PAGE if finding.kind == core.FACES else UNITS_PER_PAGE
    pages = math.ceil(len(finding.units) / per_page)
    page = min(max(int(st.session_state.get(PART) or 1), 1), pages)
    large, small = st.container(), st.container()
    if pages > 1:
        page = linked.pagination(pages, key=PART, on_change=_first_face)
    here = finding.units[(page - 1) * per_page : page * per_page]
    with large:
        row, other = _one_face(dataset, audit, finding, here[0])
    with small:
        st.caption(_describe(finding, page, pages))
        if finding.kind == core.FACES:
            faces.clickable_sheet(
                dataset,
                np.concatenate(here),
                columns=COLUMNS,
                key="audit-sheet",
                highlighted=row,
                on_pick=lambda picked: _pick(picked, None),
            )
        else:
            clickable_groups(
                dataset,
                here,
                unit=UNIT[finding.kind],
                most=MOST,
                key="audit-groups",
                highlighted=(row,) if other is None else (row, other),
                on_pick=lambda place, picked: _pick(picked, core.face_to_compare(audit, finding, here[place], picked)),
            )
        faces.class_legend()


def _of_split(finding: Finding, audit: Audit) -> Finding:
    choice = linked.segmented_control(
        "Test faces of",
        [BOTH, *reversed(emotions.TEST_SPLITS)],
        key=OF,
        on_change=start_over,
    )
    return finding if choice == BOTH else core.of_split(finding, audit, choice)


def _describe(finding: Finding, page: int, pages: int) -> str:
    text = plural(finding.total, UNIT[finding.kind])
    if finding.kind != core.FACES and finding.name not in DUPLICATES_IN_TRAINING:
        text += f" with {plural(finding.faces, 'face')}"
    listed = len(finding.units)
    if listed < finding.total:
        text += f" ({listed:,} are listed: of each face the ten most alike)"
    return text + (f", page {page:,} of {pages:,}" if pages > 1 else "") + ". Click a face to see it large."


def _one_face(dataset: Dataset, audit: Audit, finding: Finding, first: Rows) -> tuple[int, int | None]:
    """The chosen face, or the first of the page, beside another one; returns both rows."""
    pictures = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", key="audit-face"):
        last = len(dataset) - 1
        row_field.asked(SHOWN, last, f": rows run from 0 to {last:,}.")
        number = row_field.show("Row number of the face", SHOWN, last, width=190, hint=f"{first[0]} (first here)")
        row = int(first[0]) if number is None else number
        alike = core.relatives(audit, row)
        compared = _choose_compared(audit, finding, row, alike)
        unit = [row, *(relative.row for relative in alike)]
        st.button(
            "Open in Faces",
            icon=":material/grid_view:",
            on_click=_open_in_faces,
            args=(unit,),
            help="This face, and every face that is like it, with all that is known about them.",
        )
    with pictures:
        left, right = st.columns(2)
        with left:
            _large(dataset, row)
        with right:
            if compared is None:
                st.info(_alone(dataset, audit, row), icon=":material/person:")
            else:
                _large(dataset, compared.row)
        if not any(row in unit for unit in finding.units):
            st.caption("This face is not part of the finding.")
        if compared is not None:
            st.markdown(_likeness(dataset, audit, row, compared))
    return row, None if compared is None else compared.row


def _choose_compared(audit: Audit, finding: Finding, row: int, alike: list[NearDuplicate]) -> NearDuplicate | None:
    """The face to show beside ``row``; a choice where there are several."""
    by_option = {f"row {other.row}": other for other in alike}
    if len(by_option) < 2:
        return alike[0] if alike else None
    unit = next((unit for unit in finding.units if row in unit), np.array([row]))
    wanted = core.face_to_compare(audit, finding, unit, row)
    # The face that the finding is about comes first, so that it is the default and need not be in the address.
    options = sorted(by_option, key=lambda words: by_option[words].row != wanted)
    if st.session_state.get(COMPARED) not in {None, *options}:
        # Another face was chosen meanwhile, which has other twins.
        del st.session_state[COMPARED]
    words = linked.selectbox(
        "Beside it",
        options,
        key=COMPARED,
        width=130,
        help=f"{plural(len(options), 'face')} that are equal or alike.",
    )
    return by_option[words]


def _large(dataset: Dataset, row: int) -> None:
    label, split = int(dataset.labels[row]), str(dataset.splits[row])
    st.image(
        faces.enlarged(np.asarray(dataset.images[row])),
        caption=f"Row {row:,}, {split}, labelled {faces.label_words(label)}",
        alt=f"Face in row {row} of {split}, labelled {emotions.NAMES[label]}, 48×48 grey pixels, enlarged.",
    )


def _likeness(dataset: Dataset, audit: Audit, row: int, other: NearDuplicate) -> str:
    if audit.group[row] == audit.group[other.row]:
        how = "**Exactly the same pixels**"
    elif other.mirrored:
        how = f"**Nearly the same, mirrored**: NCC {other.ncc:.3f} with one of the two turned left to right"
    else:
        how = f"**Nearly the same**: NCC {other.ncc:.3f}"
    return f"{how}, and {'the same label' if dataset.labels[row] == dataset.labels[other.row] else 'different labels'}."


def _alone(dataset: Dataset, audit: Audit, row: int) -> str:
    text = "No other face is equal or nearly so."
    if not (audit.constant[row] or audit.nearly_constant[row]):
        return text
    image = np.asarray(dataset.images[row])
    most = int(np.bincount(image.ravel()).max())
    return f"{text} One and the same grey level covers {percent(most / image.size)} of this one's pixels."


def _first_face() -> None:
    st.session_state[SHOWN] = None


def _pick(row: int, other: int | None) -> None:
    st.session_state[SHOWN] = row
    if other is not None:
        st.session_state[COMPARED] = f"row {other}"


def _open_in_faces(rows: list[int]) -> None:
    """The Faces tab with these rows and no other filter."""
    st.session_state["view"] = "Faces"
    st.session_state[browse.SPLIT] = ALL
    st.session_state[browse.CLASS] = ALL
    st.session_state[browse.ROWS] = ", ".join(map(str, rows[: browse.PER_PAGE]))
    st.session_state[browse.PAGE] = 1
    st.session_state[browse.FACE] = rows[0]
