"""The chosen dataset: the picker in the sidebar, cached access, and the sentence that names the drawn sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from fer_core.access.policy import Action
from fer_core.data.catalogue import default_dataset, ensure_sample, list_damaged, list_datasets
from fer_core.data.info import DatasetInfo, read_info
from fer_core.errors import DataError
from pages.parts import access, frame, linked

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset

KEY = "data"
AUDIT, IMPORT = "Audit", "Bring real data"
"""Tabs of the Dataset page, as links name them: what is wrong with the data, and where data comes in."""
_CHOOSE_NEXT = "_choose_data"


def dataset_picker() -> None:
    """The sidebar's choice of data, bound to ``?data=``. Called by the entry, so that it outlives page changes."""
    infos = {info.path.name: info for info in list_datasets()}
    if not infos:
        st.sidebar.caption("No data yet. The Dataset page draws a small sample by itself.")
        return
    wanted = st.session_state.pop(_CHOOSE_NEXT, None)
    if wanted in infos:
        st.session_state[KEY] = wanted
    elif st.session_state.get(KEY) not in {None, *infos}:
        # The chosen dataset was deleted or renamed meanwhile.
        del st.session_state[KEY]
    linked.selectbox(
        "Data",
        list(infos),
        key=KEY,
        says="There is no dataset called {asked} here. Showing another one.",
        place=st.sidebar,
        help="The dataset that Dataset and Train use.",
    )
    chosen = infos.get(st.session_state[KEY])
    if chosen is not None:
        st.sidebar.caption(f"{chosen.title}: {chosen.faces:,} faces")
    for message in list_damaged():
        st.sidebar.warning(message)


def choose(name: str) -> None:
    """Make the dataset folder called ``name`` the chosen one from the next run of the script on."""
    st.session_state[_CHOOSE_NEXT] = name


def current_info() -> DatasetInfo:
    """The chosen dataset's description; on a fresh start the default, drawn first if need be (with a spinner).

    A dataset that cannot be had ends the page with its message.
    """
    name = st.session_state.get(KEY)
    infos = {info.path.name: info for info in list_datasets()}
    if name in infos:
        return infos[name]
    try:
        if not infos:
            draw_missing_sample()
            # Again from the top: now the picker in the sidebar has something to offer.
            st.rerun()
        return read_info(default_dataset())
    except DataError as error:
        st.error(str(error))
        st.stop()


def current_dataset() -> Dataset:
    """The chosen dataset, mapped from disk, shared by all visitors. See :func:`current_info`."""
    info = current_info()
    try:
        return open_dataset(str(info.path), info.fingerprint)
    except DataError as error:
        st.error(str(error))
        st.stop()


def draw_missing_sample() -> Path:
    """Draw the sample unless it is there; a spinner says so. Raises ``DataError`` when it cannot be written."""
    with st.spinner("Drawing the sample of 2,100 faces. This happens once and takes a few seconds."):
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

    return load_dataset(path)
