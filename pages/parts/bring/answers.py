"""Answers alone: a file of what a model elsewhere says of these faces, understood before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from fer_core.access.uploads import Place
from fer_core.bring import answers as core
from fer_core.bring.answer_files import SUFFIXES
from fer_core.bring.answers import ClosedError, Look
from fer_core.bring.naming import free_run
from fer_core.bring.orders import BEST, DECLARED, Order
from fer_core.data.dataset import Dataset
from fer_core.emotions import TEST_SPLITS
from fer_core.errors import FerError, ModelError
from fer_core.formatting import percent, plain, plural
from pages.parts import access, messages, uploads
from pages.parts.bring import job as bring_job
from pages.parts.bring.upload import kept

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

WHAT = "answers"
NOBODY_SAID = "as the file or the labels say"
SCRIPT = """\
# PyTorch, or anything else: one line a face, one column a class
import pandas as pd
frame = pd.DataFrame(probabilities, columns=["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"])
frame.insert(0, "row", rows)  # the faces' row numbers in the dataset, or "file" with the names of their pictures
frame.to_csv("answers.csv", index=False)"""


@dataclass(frozen=True, eq=False)
class _Seen:
    """What was found in a file, or why nothing was, for these choices. ``closed``: because PrivateTest is."""

    key: tuple[str, ...]
    look: Look | None
    problem: str = ""
    closed: bool = False


def show(dataset: Dataset) -> None:
    """The part of the page."""
    st.markdown(
        f"Probabilities, logits or only the answer for each test face of **{plain(dataset.info.title)}**, the data in "
        "the sidebar: with row numbers or names of pictures, and a column for each class, from any framework. They are "
        "scored and compared like every run; there is no model to ask."
    )
    with st.expander("How to write such a file", icon=":material/code:"):
        st.code(SCRIPT, language="python")
    file = uploads.uploader(
        Place.ANSWERS, "Your answers", types=[suffix.removeprefix(".") for suffix in SUFFIXES], key="bring.answers"
    )
    if file is None:
        return
    with st.expander("Where the file does not say", icon=":material/help:"):
        said = st.text_input(
            "Classes of the columns, in their order",
            placeholder="angry,disgust,fear,happy,neutral,sad,surprise",
            max_chars=200,
            key="bring-classes",
        ).strip()
        split = st.selectbox("Which faces", (NOBODY_SAID, *TEST_SPLITS), key="bring-split")
    opened_for = _opened_for(file)
    seen = _look(file, dataset, said, "" if split == NOBODY_SAID else str(split), opened_for)
    if seen.look is None:
        if seen.closed:
            _ask_to_open(file, seen.problem)
        else:
            st.error(messages.told(seen.problem), icon=":material/block:")
        return
    _understood(seen.look)
    order = _order(seen.look)
    name = opened_for or _name(file)
    if st.button("Bring them", type="primary", icon=":material/add_box:", disabled=order is None) and order:
        _bring(file, dataset, seen.look, order, name, said, "" if split == NOBODY_SAID else str(split))


def _name(file: UploadedFile) -> str:
    free = free_run(None, Path(uploads.file_name(file))).name
    return st.text_input("Name of the new run", value=free, max_chars=60, key="bring-name").strip()


def _opened_for(file: UploadedFile) -> str:
    """The name of the run for which this file's look at PrivateTest was asked for; empty where it was not."""
    file_id, name = st.session_state.get("_opened_answers", ("", ""))
    return name if file_id == file.file_id else ""


def _ask_to_open(file: UploadedFile, why: str) -> None:
    """The look is counted under the run's name, so the name comes first."""
    st.info(messages.told(why), icon=":material/lock:")
    name = _name(file)
    if st.button("Look at PrivateTest", icon=":material/lock_open:"):
        try:
            name = free_run(name or None, Path(uploads.file_name(file))).name
        except FerError as error:
            st.error(messages.told(error), icon=":material/block:")
            return
        st.session_state["_opened_answers"] = (file.file_id, name)
        st.rerun()


def _look(file: UploadedFile, dataset: Dataset, said: str, split: str, opened_for: str) -> _Seen:
    """Read once for each choice: the file stays in the browser's session, what was understood of it, too."""
    key = (file.file_id, dataset.info.fingerprint, said, split, opened_for)
    seen: _Seen | None = st.session_state.get("_brought_answers")
    if seen is None or seen.key != key:
        try:
            seen = _Seen(key, _read(file, dataset, said, split, opened_for))
        except FerError as error:
            seen = _Seen(key, None, str(error), isinstance(error, ClosedError))
        st.session_state["_brought_answers"] = seen
    return seen


def _read(file: UploadedFile, dataset: Dataset, said: str, split: str, opened_for: str) -> Look:
    files = kept(file)
    path = files.source
    out = free_run(opened_for, path) if opened_for else None
    try:
        return core.look(path, dataset, classes=said, split=split, visitor=not access.person().owner, out=out)
    except ModelError as error:
        # Where it lay for a moment tells nobody anything.
        raise type(error)(str(error).replace(str(path), path.name)) from None
    finally:
        files.forget()


def _understood(look: Look) -> None:
    st.markdown(f"**{look.kind.capitalize()}** for {plural(len(look.rows), 'face')} of {' and '.join(look.splits)}.")
    for note in look.notes:
        st.caption(plain(note))


def _order(look: Look) -> Order | None:
    """The table of orders, and the one that is chosen; None while it is in doubt and nobody has said."""
    if look.doubtful:
        st.warning(plain(look.question().partition(" Say which")[0]) + " Choose which it is.", icon=":material/sort:")
    st.dataframe(
        pd.DataFrame(
            {
                "Order": one.order.name,
                "Right (%)": 100 * one.accuracy,
                "95 % interval": f"{100 * one.low:.1f}–{100 * one.high:.1f}",
                "Classes": ", ".join(one.order.classes),
            }
            for one in look.fits
        ),
        hide_index=True,
        column_config={"Right (%)": st.column_config.NumberColumn(format="%.1f")},
        alt="How each order of the classes does on labelled faces.",
    )
    st.caption(
        f"Tried on {look.tried:,} faces of {look.tried_on}. Always the most frequent class: "
        f"{percent(look.most_frequent)}."
    )
    options = [one.order for one in look.fits]
    chosen: Order | None = st.selectbox(
        "Order of the classes",
        options,
        index=None if look.doubtful else options.index(look.assumed.order),
        format_func=_words,
        placeholder="Choose an order",
        key=f"bring-order-{hash((look.sha256, look.assumed.order))}",
    )
    return chosen


def _words(order: Order) -> str:
    if order.name == DECLARED:
        return f"as declared: {', '.join(order.classes)}"
    return f"{'best matching' if order.name == BEST else order.name}: {', '.join(order.classes)}"


def _bring(file: UploadedFile, dataset: Dataset, look: Look, order: Order, name: str, said: str, split: str) -> None:
    arguments = ["--data", str(dataset.path)]
    if said or look.doubtful or order != look.assumed.order:
        arguments += ["--classes", core.typed(order)]
    if split:
        arguments += ["--split", split]
    try:
        arguments += ["--name", free_run(name or None, Path(uploads.file_name(file))).name]
        files = kept(file)
        bring_job.start(WHAT, uploads.file_name(file), files, ["predictions", "import", str(files.source), *arguments])
    except FerError as error:
        st.error(messages.told(error), icon=":material/block:")
        return
    uploads.forget(file)
    st.rerun()
