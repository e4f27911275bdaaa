"""The chosen dataset: the picker in the sidebar, cached access, and the sentence that names the drawn sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import streamlit as st

from fer_core.access.policy import Action
from fer_core.data.catalogue import SAMPLE_NAME, ensure_sample, list_damaged
from fer_core.data.info import DatasetInfo
from fer_core.errors import DataError
from fer_core.formatting import plain
from pages.parts import access, frame, known_data, links, messages
from pages.parts.known_data import KnownData, choose

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset

KEY = "data"
AUDIT, IMPORT = "Audit", "Bring real data"
"""Tabs of the Dataset page, as links name them: what is wrong with the data, and where data comes in."""
OLD_NAMES = ("on", "compare.on", "explain.average.on")
"""What links of earlier versions call the data that Compare, Mistakes and averages are about, by title."""
RUN_NAMES = ("runs", "compare.runs", "explain.average.runs")
"""What links call the runs that these pages are about."""
_UNKNOWN = "There is no dataset called {asked} here. Showing another one."


def dataset_picker() -> None:
    """The sidebar's choice of data, kept in ``?data=``. Called by the entry, so that it outlives page changes.

    Data of which there are only figures are on offer, too; faces come first. Not bound: Streamlit lets no link name
    what is bound in the entry, so that none could lead to other data.
    """
    known = known_data.look()
    if not known:
        st.sidebar.caption("No data yet. The Dataset page draws a small sample by itself.")
        return
    _obey_other_links(known)
    named = links.one_of(KEY, known, _UNKNOWN, place=st.sidebar)
    wanted, before, led = known_data.pop_choice(), st.session_state.get(KEY), links.led_here()
    if wanted in known:
        st.session_state[KEY] = wanted
    elif named is not None and (before not in known or led):
        st.session_state[KEY] = named
    elif before not in known:
        # A fresh visit, or the chosen dataset was deleted or renamed meanwhile.
        st.session_state[KEY] = next(iter(known))
    name = st.sidebar.selectbox(
        "Data", list(known), help="The faces that every page is about.", key=KEY, persist_state="session"
    )
    # Also where nothing was chosen: another computer, with other data, would fill in its own.
    links.keep(KEY, [name], None)
    chosen = known[name]
    here = chosen.info is not None or chosen.can_be_drawn
    where = "" if here else " Figures only: the faces are not on this computer."
    st.sidebar.caption(f"{plain(chosen.record['title'])}: {chosen.record['faces']:,} faces.{where}")
    for message in list_damaged():
        st.sidebar.warning(messages.told(message, stored=True))


def _obey_other_links(known: dict[str, KnownData]) -> None:
    """Links of earlier versions name the data as ``?on=``; others name runs, which were measured on some data."""
    old = [name for name in OLD_NAMES if links.given(name)]
    named = {run for one in RUN_NAMES for run in links.given(one)}
    titles = known_data.titles(known.values())
    # Written when the title was nobody else's: of several, whose the link's runs speak of, or else the first.
    for data in sorted(known.values(), key=lambda data: not named & {run.name for run in data.runs}):
        titles.setdefault(data.title, data.name)
    name = next((found for one in old if (found := links.one_of(one, titles)) is not None), None)
    if name is not None:
        name = titles[name]
    elif not links.given(KEY) and KEY not in st.session_state:
        measured = [one.name for one in known.values() if named & {run.name for run in one.runs}]
        name = measured[0] if measured and measured[0] != next(iter(known)) else None
    if name is None and not old:
        return
    for one_name in old:
        if one_name in st.query_params:
            del st.query_params[one_name]
    if name is not None:
        st.query_params[KEY] = name
        st.session_state.pop(KEY, None)


def current() -> KnownData | None:
    """What the sidebar has chosen; None while there is nothing to choose from."""
    return known_data.known().get(str(st.session_state.get(KEY)))


def faces_are_here() -> bool:
    """Whether the chosen data have faces here, not figures alone. The sample is drawn first if need be."""
    chosen = current()
    if chosen is None or chosen.can_be_drawn:
        draw_and_start_again()
    return chosen.info is not None


def current_info() -> DatasetInfo:
    """The chosen dataset's description; on a fresh start the sample's, drawn first if need be (with a spinner).

    A dataset that cannot be had, or whose faces are not here, ends the page with a message.
    """
    chosen = current() if faces_are_here() else None
    if chosen is None or chosen.info is None:
        no_faces()
        st.stop()
    return chosen.info


def no_faces() -> None:
    """In place of faces that are not here: whose, what there is of them, and where faces are."""
    chosen = current()
    with st.container(border=True, key="no-faces-here"):
        st.markdown(
            f":material/image_not_supported: **The faces of {links.plain(chosen.title if chosen else 'these data')} "
            "are not on this computer**, only figures about them, on Compare and Mistakes."
        )
        with st.container(horizontal=True):
            at_hand = next(
                (one.name for one in known_data.known().values() if one.info or one.can_be_drawn), SAMPLE_NAME
            )
            st.button("Look at faces that are here", icon=":material/draw:", on_click=choose, args=(at_hand,))
            frame.link("compare", "Compare the figures", icon=":material/compare:")


def draw_and_start_again() -> NoReturn:
    """Draw the sample unless it is there, and run the page anew with it; where that fails, end it with a message."""
    try:
        draw_missing_sample()
    except DataError as error:
        st.error(messages.told(error))
        st.stop()
    # Again from the top: now the picker in the sidebar has something to offer.
    choose(SAMPLE_NAME)
    st.rerun()


def current_dataset() -> Dataset:
    """The chosen dataset, mapped from disk, shared by all visitors. See :func:`current_info`."""
    info = current_info()
    try:
        return open_dataset(str(info.path), info.fingerprint)
    except DataError as error:
        st.error(messages.told(error))
        st.stop()


def draw_missing_sample() -> Path:
    """Draw the sample unless it is there; a spinner says so. Raises ``DataError`` when it cannot be written."""
    # Imported here: drawing needs OpenCV, for which no page waits whose sample is there.
    from fer_core.data.sample.populate import FACES

    with st.spinner(f"Laying out the drawn sample of {FACES:,} faces. This happens once."):
        return ensure_sample()


def sample_banner(info: DatasetInfo) -> None:
    """Says plainly that the faces are drawn, and where to bring the real ones. Nothing for real data."""
    if not info.is_sample:
        return
    with st.container(border=True, key="sample-banner"):
        st.markdown(
            ":material/draw: **These faces are drawn, not photographed.** They are a sample that this program "
            "makes itself, so that you can try everything at once. Numbers on it say nothing about real faces."
        )
        if access.may(Action.IMPORT_DATA):
            frame.link("dataset", "Bring the real FER-2013", icon=":material/upload:", query={"view": IMPORT})


@st.cache_resource(show_spinner=False, max_entries=4)
def open_dataset(path: str, fingerprint: str) -> Dataset:
    """A dataset, shared by all visitors and pages.

    Keyed by path and fingerprint: a folder that is imported anew under the same name is opened anew.
    """
    from fer_core.data.dataset import load_dataset

    return load_dataset(path, unlabelled=True)
