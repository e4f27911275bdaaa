"""Mistakes: the faces and the one that is open, as one part of the page that is drawn anew without the rest."""

from __future__ import annotations

import streamlit as st

from fer_core.errors import DataError
from pages.parts import linked, links_to_explain
from pages.parts.face_filters import FilterChoice
from pages.parts.face_selection import FaceSelection
from pages.parts.fragments import fragment
from pages.parts.mistakes import annotate, answers, evidence, face, marks, sheet, similar, take_away
from pages.parts.scope import RUNS, View

TAB, TAKE = "panel", "take"
"""Names in the address: the tab below the face, and whether the end of the page is open."""
EVIDENCE, SIMILAR, MARK, SURE = "Evidence", "Similar faces", "Your mark", "How sure"
_MARKS, _WHOLE = "_mistakes_marks", "_mistakes_whole"
_STYLE = """<style>
/* Closed, it stands in the row of the filters; open, it takes a line of its own. */
.st-key-filters > div:has(> .st-key-more) { flex: 0 0 auto; width: auto; }
.st-key-filters > div:has(> .st-key-more details[open]), .st-key-more:has(details[open]) {
  flex: 1 0 100%;
  width: 100%;
}
/* Enlarging 48 pixels shows nothing more, and its button would lie over the steps. */
.st-key-face-and-verdict [data-testid="stElementToolbar"] { display: none; }
.st-key-steps { scroll-margin-top: 4.5rem; }
/* A link among buttons that look like it: they stand in one line. */
.st-key-face-links [data-testid="stPageLink-NavLink"] { padding-left: 0; }
@media (max-width: 640px) {
  /* On a phone the filters take two rows of two: in one of them half would lie beyond the edge. */
  .st-key-filter-row, .st-key-filters > div:has(> .st-key-filter-row) { width: 100%; }
  .st-key-filter-row > div { flex: 1 1 calc(50% - 0.5rem); width: auto; min-width: 0; }
  .st-key-filter-row > div > div { width: 100%; }
  /* The order's names are long. */
  .st-key-filter-row > .st-key-sort { flex-basis: 100%; }
}
</style>"""


def style() -> None:
    """How the page looks on a phone. Takes no room."""
    st.html(_STYLE)


def show(view: View, choice: FilterChoice, found: FaceSelection, *, keys: bool) -> None:
    """Everything below the filters. ``keys``: whether keys step from face to face, and set marks."""
    st.session_state[_MARKS] = view.annotations.state_key
    st.session_state[_WHOLE] = True
    _desk(view, choice, found, keys)


@fragment
def _desk(view: View, choice: FilterChoice, found: FaceSelection, keys: bool) -> None:
    """A click on a face, a step, a tab and a mark end up here; what is chosen at the top of the page is as it was."""
    alone = not st.session_state.pop(_WHOLE, False)
    # Marks may decide which faces are in view, and whose labels count. And the runs reach a bare address in the second
    # run of the whole page.
    if _marks_changed(view) or (alone and RUNS not in st.query_params):
        st.rerun()
    row = face.choose(view, found, choice.wanted.models, keys=keys)
    if row is None:
        sheet.show(view, found, choice.wanted.models, (view.query, choice), None)
    else:
        # The face first: on a phone, that is above the sheet.
        left, right = st.columns([5, 4], gap="medium")
        with left, st.container(key="open-face"):
            _face(view, found, row, keys)
        with right:
            sheet.show(view, found, choice.wanted.models, (view.query, choice), row)
    _end(view, found)


def _marks_changed(view: View) -> bool:
    try:
        view.annotations.refresh()
    except DataError:
        # The top of the page tells it.
        return True
    return bool(view.annotations.state_key != st.session_state[_MARKS])


def _face(view: View, found: FaceSelection, row: int, keys: bool) -> None:
    asked = answers.answers_of(view, row)
    judged = None if asked is None or not view.labelled else evidence.judge(view, row)
    face.show(view, found, row, asked, judged)
    names = [MARK] if asked is None else [EVIDENCE, SIMILAR, MARK, SURE] if view.labelled else [MARK, SURE]
    if asked is None and view.dataset is not None and view.labelled:
        names.insert(0, SIMILAR)
    for name, tab in zip(names, linked.tabs(names, key=TAB), strict=True):
        if not tab.open:
            continue
        with tab:
            if name == EVIDENCE and judged is not None:
                evidence.evidence_panel(view, judged)
            elif name == SIMILAR:
                similar.show(view, row)
            elif name == MARK:
                annotate.annotation_panel(view, row, keys=keys)
            elif name == SURE and asked is not None:
                answers.probabilities(view, asked)


def _end(view: View, found: FaceSelection) -> None:
    """What the faces show, in a sentence; then what can be taken away, folded."""
    if found.shows:
        st.markdown(f":material/summarize: {found.shows}")
    if view.lesson:
        st.caption(f":material/school: {view.lesson}")
    if view.dataset is not None and view.measured and len(found.positions):
        links_to_explain.averages("Average maps of these faces", links_to_explain.selection(view))
    end = linked.expander("Take away, and your review", key=TAKE, icon=":material/download:")
    if end.open:
        with end:
            take_away.show(view, found.positions)
            marks.manage(view)
