"""Somebody else's model: uploaded, tried in a process with limits, corrected by the table, made a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from fer_core.access.uploads import Place
from fer_core.bring.adapter import SCALES
from fer_core.bring.naming import free_run
from fer_core.bring.orders import NAMED
from fer_core.data.dataset import Dataset
from fer_core.errors import FerError
from fer_core.formatting import plain
from pages.parts import access, messages, uploads
from pages.parts.bring import job as bring_job
from pages.parts.bring.job import BringJob, Undecided
from pages.parts.bring.upload import Files, kept

SUFFIXES = ("keras", "h5", "hdf5", "json", "tflite", "zip")
VISITORS_SUFFIXES = ("keras", "h5", "hdf5", "json", "zip")
WEIGHTS = ("h5", "hdf5")
HISTORY = "Its history: a .csv, Keras' history as .json, or TensorBoard's logs as .zip"
HOW_OPENED = (
    "It is read as data first, refused where it holds a program of its own, and opened in a process with limits."
)
FIND_OUT = "find out by trying"
LISTED = "as I list them"


def show(dataset: Dataset) -> None:
    """The part of the page."""
    owner = access.person().owner
    st.markdown(
        "A Keras model (`.keras`, `.h5`, or `.json` with its weights), "
        + ("a LiteRT file, or a SavedModel as a zip, " if owner else "")
        + "for faces of any size, grey or in colour, with five to eight classes. What pixels it wants and in which "
        f"order it answers is found out on labelled faces of **{plain(dataset.info.title)}**, the data in the sidebar. "
        "That takes some minutes."
    )
    types = SUFFIXES if owner else VISITORS_SUFFIXES
    file = uploads.uploader(Place.MODEL, "Your model", types=types, key="bring.model", help=HOW_OPENED)
    if file is None:
        return
    weights = None
    if file.name.lower().endswith(".json"):
        weights = uploads.uploader(Place.MODEL, "Its weights", types=WEIGHTS, key="bring.weights")
        if weights is None:
            return
    with st.expander("What you know about it, and its history", icon=":material/help:"):
        classes, scale = _said("new", "", "")
        history = uploads.uploader(Place.HISTORY, HISTORY, key="bring.history")
    name = st.text_input(
        "Name of the new run",
        value=free_run(None, Path(uploads.file_name(file))).name,
        max_chars=60,
        key="bring-model-name",
    ).strip()
    if st.button("Try it, and bring it", type="primary", icon=":material/add_box:"):
        given = [one for one in (file, weights, history) if one is not None]
        try:
            folder = free_run(name or None, Path(uploads.file_name(file)))
            files = kept(file, weights, history)
            bring_job.start(
                bring_job.MODEL,
                uploads.file_name(file),
                files,
                _arguments(files, dataset.path, folder.name, classes, scale),
            )
        except FerError as error:
            st.error(messages.told(error), icon=":material/block:")
            return
        # Up to 500 MB of memory, which the process has on disk now.
        uploads.forget(*given)
        st.rerun()


def ask(job: BringJob, undecided: Undecided, dataset: Dataset) -> None:
    """After a trial that did not decide: the owner says what the classes and the pixels are, and it goes on."""
    with st.form("bring-model-again", border=True):
        st.markdown("**Say what it is**, by the table above:")
        classes, scale = _said("again", undecided.classes, undecided.scale)
        name = st.text_input("Name of the new run", value=free_run(None, Path(job.source)).name, max_chars=60).strip()
        if st.form_submit_button("Bring it so", type="primary", icon=":material/add_box:"):
            try:
                folder = free_run(name or None, Path(job.source))
                bring_job.start(
                    bring_job.MODEL,
                    job.source,
                    job.files,
                    _arguments(job.files, dataset.path, folder.name, classes, scale),
                )
            except FerError as error:
                st.error(messages.told(error), icon=":material/block:")
                return
            st.rerun()


def _said(which: str, classes: str, scale: str) -> tuple[str, str]:
    """What somebody says of the classes and the pixels; empty where nothing."""
    listed = "," in classes
    orders = (FIND_OUT, *NAMED, LISTED)
    order = st.selectbox(
        "Order of its classes",
        orders,
        index=orders.index(LISTED if listed else classes) if classes in orders or listed else 0,
        key=f"bring-model-order-{which}-{classes}",
    )
    names = st.text_input(
        f"Its classes, where they are “{LISTED}”",
        value=classes if listed else "",
        placeholder="angry,disgust,fear,happy,neutral,sad,surprise",
        max_chars=200,
        key=f"bring-model-names-{which}-{classes}",
    ).strip()
    scales = (FIND_OUT, *(f"{one.name}: {one.words}" for one in SCALES))
    known = ["", *(one.name for one in SCALES)]
    chosen = st.selectbox(
        "What its pixels should be",
        scales,
        index=known.index(scale) if scale in known else 0,
        key=f"bring-model-scale-{which}-{scale}",
    )
    pixels = known[scales.index(chosen)]
    if order == FIND_OUT:
        return "", pixels
    return (names if order == LISTED else order), pixels


def _arguments(files: Files, data: Path, name: str, classes: str, scale: str) -> Sequence[str]:
    said = {"--classes": classes, "--scale": scale, "--weights": files.weights, "--history": files.history}
    more = [word for option, value in said.items() if value for word in (option, str(value))]
    return ["models", "import", str(files.source), "--data", str(data), "--name", name, *more]
