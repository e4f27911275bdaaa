"""The face that Explain is about: one of the dataset by its row, or one that was brought from Photo or Live."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.data.dataset import Dataset
from fer_core.emotions import COUNT
from fer_core.explain.base import checked_face
from fer_core.explain.regions import Corners, region_boxes
from fer_core.formatting import plain
from pages.parts import frame, linked, row_field
from pages.parts.data import current_dataset, faces_are_here, no_faces
from pages.parts.default_face import starting_faces
from pages.parts.faces import label_words

PREFIX = "explain."
"""Stands before all names in the address of Explain: see ``pages/parts/scope.py`` for why pages have names of their
own.
"""
FROM, ROW, OWN_FACE = PREFIX + "from", PREFIX + "row", PREFIX + "brought"
DATASET, YOURS = "Dataset", "Your own pictures"
_OWN_FACES = "_brought_faces"
MOST_OWN_FACES = 12
"""Brought faces that are remembered in a visit, the latest: 2 KB each."""


@dataclass(frozen=True, eq=False)
class ChosenFace:
    """One face.

    Attributes:
        image: uint8 (48, 48), grey.
        key: sha1 of the pixels, hex: the key for caches.
        title: what people read, such as ``Row 32,298 of FER-2013``.
        label: 0..6, or None where nobody gave one.
        dataset, row: where it is from; None for a face that was brought.
    """

    image: npt.NDArray[np.uint8]
    key: str
    title: str
    label: int | None = None
    dataset: Dataset | None = None
    row: int | None = None

    @property
    def linkable(self) -> bool:
        """Whether another computer with the same data can show it."""
        return self.row is not None

    def boxes(self) -> dict[str, Corners] | None:
        """Where brows, eyes and mouth are, in pixels; None where nobody knows. Raises ``DataError`` if damaged."""
        return None if self.dataset is None or self.row is None else region_boxes(self.dataset, self.row)


def add_own_face(image: npt.NDArray[np.uint8], title: str, label: int | None = None) -> None:
    """Remember a face uint8 (48, 48) for this visit, in memory alone, and make it the one that Explain is about.

    Raises ``ValueError`` for another shape, dtype or label.
    """
    if label is not None and not 0 <= label < COUNT:
        raise ValueError(f"label must be 0..{COUNT - 1} or None, not {label}")
    face = checked_face(image).copy()
    key = sha1_of(face)
    kept = {name: one for name, one in own_faces().items() if one.key != key}
    name = f"{title} ({key[:4]})"
    kept[name] = ChosenFace(face, key, title, label)
    st.session_state[_OWN_FACES] = dict(list(kept.items())[-MOST_OWN_FACES:])
    st.session_state[OWN_FACE] = name


def open_own_face(image: npt.NDArray[np.uint8], title: str, label: int | None = None) -> None:
    """Go to Explain with this face. Ends this run of the script. See :func:`add_own_face`."""
    add_own_face(image, title, label)
    frame.go("explain", {FROM: YOURS})


def own_faces() -> dict[str, ChosenFace]:
    """The faces of this visit by the name in the field, oldest first."""
    return dict(st.session_state.get(_OWN_FACES, {}))


def row_query(dataset: Dataset, row: int) -> dict[str, str]:
    """The address of a dataset's face on Explain."""
    return {"data": dataset.info.path.name, ROW: str(row)}


def whose() -> str:
    """Draw the choice of where the face comes from."""
    return linked.segmented_control("Whose face", (DATASET, YOURS), key=FROM, label_visibility="collapsed")


def of_dataset(prefix: str = PREFIX) -> ChosenFace | None:
    """Draw the choice among the faces of the data, and return it; None, with a sentence, where none are here.

    ``prefix``: of the page's names in the address.
    """
    key = prefix + ROW.removeprefix(PREFIX)
    page = prefix.rstrip(".")
    if not faces_are_here():
        no_faces()
        return None
    dataset = current_dataset()
    last = len(dataset) - 1
    found = starting_faces(dataset)
    held = st.session_state.get(key)
    range_text = f" in {plain(dataset.info.title)}: rows run from 0 to {last:,}. Another face is shown."
    asked = row_field.asked(key, last, range_text)
    if (held is None and asked is None) or (held is not None and held > last):
        # Set, not given as the default: what equals the default is left out of the address, and on another computer,
        # with other models, another face is the default.
        st.session_state[key] = found.row
    elif held is not None and asked is None:
        # What is set before a widget is first drawn does not reach the address.
        st.session_state[key] = held
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{page}-row"):
        lead = "Mistakes and Dataset lead here from any face."
        row = row_field.show("Row number of the face", key, last, width=220, help=lead)
        st.button(
            "A random mistake",
            icon=":material/shuffle:",
            on_click=_shuffle,
            args=(key, found.mistakes),
            disabled=not len(found.mistakes),
            key=f"{page}-shuffle",
            help=f"One of the {len(found.mistakes):,} faces of {found.split} that at least one model gets wrong."
            if len(found.mistakes)
            else f"No model here was measured on {plain(dataset.info.title)}, so nobody knows its mistakes.",
        )
        said = st.container(width="content")
    row = found.row if row is None else row
    label = int(dataset.labels[row]) if dataset.info.labelled else None
    image = np.asarray(dataset.images[row]).copy()
    face = ChosenFace(image, sha1_of(image), f"Row {row:,} of {dataset.info.title}", label, dataset, row)
    said.caption(
        f"{dataset.splits[row]}, {'labelled ' + label_words(label) if label is not None else 'without a label'}."
    )
    return face


def _shuffle(key: str, mistakes: npt.NDArray[np.int64]) -> None:
    st.session_state[key] = int(np.random.default_rng().choice(mistakes))


def own(prefix: str = PREFIX) -> ChosenFace | None:
    """Draw the choice among the faces that were brought, and return it; None, with a sentence, where there is none."""
    key = prefix + OWN_FACE.removeprefix(PREFIX)
    brought = own_faces()
    if not brought:
        st.info(
            "No face was brought in this visit. Find one in a picture on Photo, or freeze one on Live, and choose "
            "“Explain” there. A face that you bring stays in this visit's memory and is never written to disk.",
            icon=":material/face:",
        )
        frame.link("photo", "Bring a picture", icon=":material/photo_camera:")
        return None
    if st.session_state.get(key) not in brought:
        st.session_state[key] = next(reversed(brought))
    name = str(st.selectbox("Face", list(reversed(brought)), key=key))
    face = brought[name]
    label_text = "without a label" if face.label is None else f"labelled {label_words(face.label)} by you"
    st.caption(
        f"{plain(face.title)}, {label_text}. It is in this visit's memory only, so a link cannot show it to others."
    )
    return face


def sha1_of(image: npt.NDArray[np.uint8]) -> str:
    """sha1 of the pixels, hex: what :attr:`ChosenFace.key` is."""
    return hashlib.sha1(image.tobytes(), usedforsecurity=False).hexdigest()
