"""FER+: ten people's votes on each face, added to the chosen dataset or taken away from it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import streamlit as st

from fer_core.access.policy import Action
from fer_core.access.uploads import Place
from fer_core.data.dataset import Dataset
from fer_core.data.ferplus import Crowd, add_ferplus, remove_ferplus
from fer_core.errors import DataError
from fer_core.formatting import percent, plain
from fer_core.leftovers import temporary_folder
from fer_core.settings import settings
from fer_core.writable import explained
from pages.parts import access, frame, messages, uploads
from pages.parts.dataset_extras import crowd_of

UPLOAD, PATH = "Upload the file", "Path on this computer"
REPOSITORY = "https://github.com/microsoft/FERPlus"
PAPER = "https://arxiv.org/abs/1608.01041"
_MESSAGE = "_ferplus_message"


def show(dataset: Dataset) -> None:
    """The section: what FER+ is, whether this dataset has it, and how to add or remove it."""
    said = _MESSAGE in st.session_state
    title = "FER+: ten people's votes on each face"
    with st.container(key="ferplus"), st.expander(title, icon=":material/how_to_vote:", expanded=said):
        st.markdown(
            "FER-2013's labels are rough. For FER+, ten people looked at each of its faces again and voted: one of the "
            "seven expressions, contempt, “unknown”, or “not a face”. With their votes you can judge a label, and see "
            f"every number under the crowd's labels. FER+ is one file, `fer2013new.csv`, from [Microsoft's repository]"
            f"({REPOSITORY}) under the [MIT licence]({REPOSITORY}/blob/master/LICENSE.md); [Barsoum and others, 2016]"
            f"({PAPER}), describe it. It holds no pictures and goes with FER-2013's CSV, row by row."
        )
        _show_message()
        try:
            crowd = crowd_of(dataset)
        except DataError as error:
            st.error(messages.told(error), icon=":material/broken_image:")
            _remove_button(dataset, "Remove the damaged FER+")
            return
        if crowd is not None:
            _present(dataset, crowd)
        elif dataset.info.kind != "csv":
            st.info(
                f"FER+ cannot be added to **{plain(dataset.info.title)}**: it goes with FER-2013 in the order of its "
                "CSV, and this was not imported from one. Import `fer2013.csv` above, choose it under Data in the "
                "sidebar, and come back.",
                icon=":material/info:",
            )
        else:
            _add(dataset)


def _present(dataset: Dataset, crowd: Crowd) -> None:
    labels = crowd.labels()
    judged = labels >= 0
    agree = float(np.mean(labels[judged] == dataset.labels[judged])) if judged.any() else 0.0
    st.markdown(
        f":material/how_to_vote: **{plain(dataset.info.title)} has FER+.** The crowd gives one of the seven classes to "
        f"{int(judged.sum()):,} of {len(crowd):,} faces, and for {percent(agree)} of those it is the dataset's label. "
        "The other faces are ties, contempt, “unknown” or “not a face”."
    )
    with st.container(horizontal=True, key="ferplus-present"):
        frame.link("mistakes", "Look at mistakes with the votes", icon=":material/search:")
        _remove_button(dataset, "Remove FER+ from these data")


def _remove_button(dataset: Dataset, label: str) -> None:
    st.button(label, icon=":material/delete:", key="ferplus.remove", on_click=_remove, args=(dataset,))


def _add(dataset: Dataset) -> None:
    origin = st.segmented_control(
        "Where fer2013new.csv is", (UPLOAD, PATH), default=UPLOAD, required=True, key="ferplus.way"
    )
    if origin == UPLOAD:
        file = uploads.uploader(
            Place.FERPLUS,
            "fer2013new.csv, about 2 MB, plain or packed",
            types=["csv", "gz", "xz", "zip", "tar", "tgz"],
            key="ferplus.file",
        )
        pressed = st.button(
            "Add FER+", type="primary", icon=":material/how_to_vote:", key="ferplus.add", disabled=file is None
        )
        if pressed and file is not None:
            _take_upload(dataset, file, uploads.file_name(file))
        return
    source = st.text_input(
        "Path of fer2013new.csv",
        placeholder="/home/you/Downloads/fer2013new.csv",
        key="ferplus.path",
        help="On the computer where this app runs.",
    ).strip()
    if st.button("Add FER+", type="primary", icon=":material/how_to_vote:", key="ferplus.add", disabled=not source):
        with _report_outcome(Path(source).name):
            _add_votes(dataset, Path(source))


def _take_upload(dataset: Dataset, file: BinaryIO, name: str) -> None:
    cache = settings().cache_dir
    with _report_outcome(name):
        with explained(f"The upload could not be written to {cache}", DataError):
            cache.mkdir(parents=True, exist_ok=True)
            folder = temporary_folder("ferplus", cache)
        path = folder / name
        try:
            with explained(f"{name} could not be written to {cache}", DataError), path.open("wb") as target:
                shutil.copyfileobj(file, target)
            try:
                _add_votes(dataset, path)
            except DataError as error:
                # Where the upload lay for a moment is of no use to anybody.
                raise DataError(str(error).replace(str(path), name), quoted=error.quoted) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@access.only(Action.IMPORT_DATA)
def _add_votes(dataset: Dataset, path: Path) -> None:
    with st.spinner("Joining the votes to the faces. This takes a second or two."):
        add_ferplus(dataset, path)


@contextmanager
def _report_outcome(name: str) -> Iterator[None]:
    """Say how it went: an error here and now, a success at the top of the section, drawn anew."""
    try:
        yield
    except DataError as error:
        st.error(f"FER+ was not added. {messages.told(error)}", icon=":material/error:")
        return
    st.session_state[_MESSAGE] = f"{plain(name)} is added. Its votes now stand beside each face on Mistakes."
    st.rerun()


@access.only(Action.REMOVE_DATA)
def _remove(dataset: Dataset) -> None:
    try:
        removed = remove_ferplus(dataset)
    except DataError as error:
        st.session_state[_MESSAGE] = error
        return
    st.session_state[_MESSAGE] = "FER+ is removed. Its file was a copy: you can add it again." if removed else None


def _show_message() -> None:
    message = st.session_state.pop(_MESSAGE, None)
    if isinstance(message, DataError):
        st.error(messages.told(message), icon=":material/error:")
    elif message:
        st.success(message, icon=":material/check_circle:")
