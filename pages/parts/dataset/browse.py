"""The Faces tab: filters, one contact sheet, one face large with its facts. All of it lives in the address."""

from __future__ import annotations

import math

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core import emotions
from fer_core.data.dataset import Dataset
from fer_core.review.ordering import SORTS
from pages.parts import faces, frame, linked, links, links_to_explain, messages
from pages.parts.dataset_extras import read_answers_time
from pages.parts.rows import ALL, Rows, parse_rows, previous_and_next, select_rows

COLUMNS, LINES = 12, 8
PER_PAGE = COLUMNS * LINES
OLD_ORDERS = {
    "Row number": "row",
    "Least sure first": "unsure",
    "Models apart first": "disagreement",
    "Nearest to the open face": "similarity",
}
"""How this page once sorted faces by what models say, and what Mistakes calls it."""
PAGE, FACE, SPLIT, CLASS, ROWS = "page", "face", "split", "class", "rows"
_COLUMNS = '.st-key-browse > [data-testid="stLayoutWrapper"] > [data-testid="stHorizontalBlock"]'
_STYLE = f"""<style>
/* On a phone the open face comes first, so that a click on the sheet is answered where one looks; what is known about
   it stays below. So both columns become one, and the face goes to its top. */
@media {frame.PHONE} {{
  {_COLUMNS} {{ flex-direction: column; flex-wrap: nowrap; gap: 1rem; }}
  {_COLUMNS} > [data-testid="stColumn"], {_COLUMNS} > [data-testid="stColumn"] > [data-testid="stVerticalBlock"] {{
    display: contents;
  }}
  [data-testid="stLayoutWrapper"]:has(> .st-key-open-face) {{ order: -1; }}
  .st-key-open-face {{ flex-direction: row; align-items: flex-start; }}
  .st-key-open-face > :first-child {{ flex: 0 0 192px; }}
  .st-key-open-face [data-testid="stElementContainer"] {{ margin-top: 0 !important; }}
  .st-key-open-face [data-testid="stElementToolbar"] {{ display: none; }}
}}
</style>"""


def show(dataset: Dataset) -> None:
    """The whole tab."""
    st.html(_STYLE)
    with st.container(key="browse"):
        left, right = st.columns([5, 3], gap="medium")
    with right:
        with st.container(key="open-face"):
            picture = st.container()
            steps = st.container(horizontal=True)
        # First, though it stands last: what an address says of it is known only once it is drawn.
        face = _face_field(dataset)
    with left:
        # The faces lead; what they are chosen by is read first, and stands under them.
        area = st.container()
        chosen = _filters(dataset)
        _sheet(dataset, chosen, face, area)
    with right:
        _one_face(dataset, chosen, face, picture, steps)


def _filters(dataset: Dataset) -> Rows:
    with st.container(horizontal=True, vertical_alignment="bottom", key="face-filters"):
        split = _choice("Split", [split for split in emotions.SPLITS if dataset.info.split_size(split)], SPLIT)
        of_class = [sum(counts) for counts in zip(*dataset.info.counts.values(), strict=True)]
        what = "Label" if dataset.info.labelled else "Models' answer"
        emotion = _choice(what, [name for name, n in zip(emotions.NAMES, of_class, strict=True) if n], CLASS)
        with st.popover("Rows", icon=":material/filter_alt:"):
            text = linked.text_input(
                "Rows",
                key=ROWS,
                placeholder="all, or for example 12, 40-60",
                help=f"Row numbers and ranges, from 0 to {len(dataset) - 1:,}. Leave it empty for all.",
                on_change=_first_page,
            )
    try:
        rows = parse_rows(text, len(dataset))
    except ValueError as error:
        st.warning(f"{messages.told(error)} Showing all rows instead.")
        rows = None
    return select_rows(dataset, split, emotion, rows)


def _choice(label: str, names: list[str], key: str) -> str:
    says = f"{{asked}} is not one of {', '.join(names)}. Showing all."
    return linked.selectbox(label, [ALL, *names], key=key, says=says, on_change=_first_page, width=170)


def _first_page() -> None:
    st.session_state[PAGE] = 1


def _sheet(dataset: Dataset, rows: Rows, face: int, area: DeltaGenerator) -> None:
    """The sheet in ``area``, and what turns its pages here."""
    if not len(rows):
        area.info("No face fits all of these filters. Take one away.", icon=":material/filter_alt_off:")
        return
    pages = math.ceil(len(rows) / PER_PAGE)
    page = min(max(int(st.session_state.get(PAGE) or 1), 1), pages)
    if pages > 1:
        page = linked.pagination(pages, key=PAGE)
    here = rows[(page - 1) * PER_PAGE : page * PER_PAGE]
    with area:
        st.caption(
            f"{len(rows):,} of {len(dataset):,} faces"
            + (f", page {page:,} of {pages:,}" if pages > 1 else "")
            + ". Click a face to see it large."
        )
        faces.clickable_sheet(
            dataset,
            here,
            columns=COLUMNS,
            key="sheet",
            highlighted=face,
            on_pick=_choose_face,
        )
        faces.class_legend("the label" if dataset.info.labelled else "the models' answer")


def _face_field(dataset: Dataset) -> int:
    last = len(dataset) - 1
    says = f"There is no row {{asked}}: rows run from 0 to {last:,}. Showing row 0."
    return linked.number_input("Row number of the face", 0, last, 0, 1, key=FACE, says=says)


def _one_face(
    dataset: Dataset,
    rows: Rows,
    face: int,
    picture: DeltaGenerator,
    steps: DeltaGenerator,
) -> None:
    before, after = previous_and_next(rows, face)
    with steps:
        _step("Previous", ":material/chevron_left:", before)
        _step("Next", ":material/chevron_right:", after)
    if len(rows) and face not in rows:
        st.caption("The filters leave this face out.")
    with picture:
        faces.large(dataset, face)
    if read_answers_time(dataset):
        _what_models_say(dataset, face)
    links_to_explain.face(dataset, face, key="explain-face")
    faces.facts(dataset, face)


def _what_models_say(dataset: Dataset, face: int) -> None:
    """The way to Mistakes, where answers that came with the faces are shown, sorted by, and answered."""
    # Links of before name an order here.
    sort = OLD_ORDERS.get(links.one_of("order", OLD_ORDERS) or "")
    query = {"face": str(face), **({"sort": SORTS[sort]} if sort else {})}
    label = "What the models say" if dataset.info.labelled else "What the models say, and your label"
    frame.link_button("mistakes", label, key="to-mistakes", icon=":material/search:", query=query)


def _step(label: str, icon: str, target: int | None) -> None:
    st.button(
        label,
        icon=icon,
        disabled=target is None,
        on_click=_choose_face,
        args=(target,),
        help=f"{label} face among those that the filters leave",
    )


def _choose_face(target: int) -> None:
    st.session_state[FACE] = target
