"""Photo: the ways in, what is too much, and the pictures of this visit, read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.access.uploads import MB, Place
from fer_core.emotions import IMAGE_SIZE
from fer_core.errors import DataError
from fer_core.fair_queue import Lane
from fer_core.file_types import PICTURE_ENDINGS
from fer_core.formatting import plain, plural
from fer_core.inference.detectors import FaceDetector
from fer_core.inference.faces import crop_face
from fer_core.inference.pictures import Reading, read_picture
from fer_core.inference.predictor import Maps, Predictor, Probabilities
from fer_core.photo import load_photo
from pages.parts import linked, queue, uploads
from pages.parts.detection import centre, numbered
from pages.parts.photo import examples

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

UPLOAD, PASTE, CAMERA, VIDEO = "Upload", "Paste", "Camera", "Video"
SOURCES = (UPLOAD, PASTE, CAMERA, VIDEO)
MOST_PICTURES = 30
MOST_MB = 150
"""Megabytes of all pictures at once: the server holds them in memory while they are read."""
JPEG_QUALITY = 88
_SEEN, _CHANGED, _UNREAD = "_photo_seen", "_photo_changed", "_photo_unread"


@dataclass(eq=False)
class Seen:
    """A picture of this visit, without the file itself.

    Attributes:
        name: what people call it; unlike all others.
        key: the upload's own, unlike all others.
        detector: who looked for faces.
        reading: what was found; None where the file could not be read.
        problem: why it could not.
        shown: the picture with numbered faces, as JPEG.
        middle: the square in the middle, as a reading, for pictures without a face.
        answers: of each model asked so far, of the faces in use: probabilities (n, 7) and maps (n, 7, h, w).
    """

    name: str
    key: str
    detector: str
    reading: Reading | None = None
    problem: str = ""
    shown: bytes = b""
    middle: Reading | None = None
    answers: dict[tuple[Predictor, bool], tuple[Probabilities, Maps]] = field(default_factory=dict)

    @property
    def whole_key(self) -> str:
        """The switch that takes the middle of the picture for a face."""
        return f"whole-{self.key}"

    @property
    def uses_middle(self) -> bool:
        """Whether that switch is on, and means something."""
        return self.reading is not None and not self.reading.faces and bool(st.session_state.get(self.whole_key))

    @property
    def in_use(self) -> Reading | None:
        """The faces to show and to count."""
        return self.middle if self.uses_middle else self.reading

    def explain(self, model: Predictor) -> tuple[Probabilities, Maps]:
        """What a model says about the faces in use, asked once."""
        used = self.in_use
        if used is None:
            raise ValueError(f"{self.name} was not read")
        key = (model, self.uses_middle)
        if key not in self.answers:
            with queue.turn(Lane.QUICK, f"{model.name} waits to look at the faces"):
                self.answers[key] = model.explain(used.crops)
        return self.answers[key]


def choose_source() -> str:
    """The field for the way in, bound to ``?way=``."""
    return linked.segmented_control("Where the picture comes from", SOURCES, key="way")


def read_pictures(source: str, detector: FaceDetector) -> list[Seen]:
    """The widget of that way, and the pictures that came in by it; each is read once, with a bar for several.

    Pictures stay in the visit's memory when the page is left, though Streamlit forgets the uploads themselves.
    """
    files = {UPLOAD: _upload, PASTE: _paste, CAMERA: _camera}[source]()
    by_source: dict[str, list[Seen]] = st.session_state.setdefault(_SEEN, {})
    # An object, because a script that is being ended cannot set anything in the session any more.
    unread: dict[str, int] = st.session_state.setdefault(_UNREAD, {})
    # Taken out in any case: who comes back finds an empty widget, and has removed nothing.
    changed = st.session_state.pop(_CHANGED, None) == source
    if files or changed:
        within, left_out = limited(files)
        seen = by_source.setdefault(source, [])
        try:
            _read(within, seen, detector)
        finally:
            if source == PASTE:
                # Its field is empty already: nothing else would drop them, and nobody brings the rest a second time.
                uploads.forget(*files)
                unread[source] = len(within) - len(seen)
        if left_out:
            _too_much(left_out)
    elif source == PASTE and (count := unread.pop(source, 0)):
        st.warning(
            f"{plural(count, 'pasted picture was', 'pasted pictures were')} not read, because something else was "
            "clicked or the server was busy. Paste them again.",
            icon=":material/content_paste_off:",
        )
    if name := examples.asked():
        with queue.turn(Lane.PICTURE, "The example waits"):
            by_source[source] = [read_one(examples.picture(name), name, f"example-{name}", detector)]
    seen = by_source.get(source, [])
    if seen and not files:
        with st.container(horizontal=True, vertical_alignment="center", key="photo-kept"):
            st.caption(f"{plural(len(seen), 'picture')}, in this visit's memory only.")
            st.button("Forget", icon=":material/delete:", type="tertiary", on_click=_forget, args=(source,))
        if any(one.detector != detector.title for one in seen):
            st.info(f"{seen[0].detector} looked for these faces. Bring them again for {detector.title}.")
    return seen


def limited(files: Sequence[UploadedFile]) -> tuple[list[UploadedFile], list[UploadedFile]]:
    """The files up to both limits, in their order, and those beyond."""
    within: list[UploadedFile] = []
    size, left_out = 0, []
    for file in files:
        if len(within) < MOST_PICTURES and size + file.size <= MOST_MB * MB:
            within.append(file)
            size += file.size
        else:
            left_out.append(file)
    return within, left_out


def types() -> list[str] | None:
    """Endings of what may be chosen: any, so that what is not read is refused with what to do about it.

    Not on an iPhone: where HEIC is not among the endings, it turns its own pictures into JPEG by itself.
    """
    agent = st.context.headers.get("User-Agent", "") or ""
    return list(PICTURE_ENDINGS) if "iPhone" in agent or "iPad" in agent else None


def _upload() -> list[UploadedFile]:
    files = uploads.uploader_of_many(
        Place.PICTURE,
        "Pictures",
        types=types(),
        key="photo-upload",
        on_change=_changed,
        args=(UPLOAD,),
        help=f"Up to {MOST_PICTURES} pictures at once, each at most {uploads.most(Place.PICTURE)} MB, together at most "
        f"{MOST_MB} MB.",
    )
    st.caption("JPEG, PNG, WebP, BMP, GIF and TIFF are read. For pictures of other kinds you are told what to do.")
    return files


def _paste() -> list[UploadedFile]:
    with st.container():
        sent = st.chat_input(
            "Click here, paste a picture (Ctrl+V or ⌘V), then press Enter",
            key="paste",
            accept_file="multiple",
            file_type=types(),
            max_upload_size=uploads.most(Place.PICTURE),
        )
    if sent is None:
        return []
    files = [] if isinstance(sent, str) else uploads.within(Place.PICTURE, sent.files)
    if not files:
        st.warning("There was text, but no picture. Copy a picture first, then paste it into the field.")
    return files


def _camera() -> list[UploadedFile]:
    uploads.most(Place.PICTURE)
    taken = st.camera_input("Take a picture", key="photo-camera", on_change=_changed, args=(CAMERA,))
    return uploads.within(Place.PICTURE, [] if taken is None else [taken])


def _changed(source: str) -> None:
    st.session_state[_CHANGED] = source


def _forget(source: str) -> None:
    st.session_state.get(_SEEN, {}).pop(source, None)


def _too_much(left_out: Sequence[UploadedFile]) -> None:
    names = ", ".join(plain(file.name) for file in left_out[:5]) + (" and others" if len(left_out) > 5 else "")
    st.warning(
        f"{plural(len(left_out), 'picture was', 'pictures were')} left out, because at most {MOST_PICTURES} pictures "
        f"and {MOST_MB} MB are read at once: {names}. Remove some of the others, or read a whole folder on your own "
        "computer: `python -m fer_core predict FOLDER --json`, which has no such limit.",
        icon=":material/filter_list:",
    )


def _read(files: Sequence[UploadedFile], seen: list[Seen], detector: FaceDetector) -> None:
    """Make ``seen`` the pictures of these files, in their order, reading those that it has not.

    Each is in it as soon as it is read: a click, or a busy server, ends the script in between.
    """
    known = {one.key: one for one in seen if one.detector == detector.title}
    seen[:] = [known[file.file_id] for file in files if file.file_id in known]
    names: set[str] = set()
    bar = None
    for number, file in enumerate(files):
        name = _unlike(file.name, names)
        names.add(name)
        if file.file_id in known:
            continue
        if len(files) > 1:
            bar = bar or st.empty()
            bar.progress(number / len(files), text=f"Looking for faces in picture {number + 1} of {len(files)}")
        # One picture in memory at a time, whoever brought it.
        with queue.turn(Lane.PICTURE, f"Picture {number + 1} waits"):
            seen.insert(number, read_one(file.getvalue(), name, file.file_id, detector))
    if bar is not None:
        bar.empty()


def read_one(content: bytes, name: str, key: str, detector: FaceDetector) -> Seen:
    """Decode a picture and find its faces. One that cannot be read says why in ``problem``."""
    try:
        photo = load_photo(content, name)
    except DataError as error:
        return Seen(name, key, detector.title, problem=str(error))
    reading = read_picture(photo, name, detector)
    factor = photo.width / photo.picture.shape[1]
    middle = None
    if not reading.faces:
        face = centre(photo.picture)
        crop = crop_face(photo.picture, face).reshape(1, IMAGE_SIZE, IMAGE_SIZE)
        middle = Reading(name, reading.width, reading.height, [face.scaled(factor)], crop)
    shown = numbered(photo.picture, [face.scaled(1 / factor) for face in reading.faces])
    return Seen(name, key, detector.title, reading, "", _jpeg(shown), middle)


def _unlike(name: str, names: set[str]) -> str:
    """The name, with a number where another file has it already: pasted pictures are all called the same."""
    number, new = 1, name
    while new in names:
        number += 1
        new = f"{name} ({number})"
    return new


def _jpeg(picture: npt.NDArray[np.uint8]) -> bytes:
    good, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not good:
        raise ValueError(f"a picture of shape {picture.shape} cannot be written as JPEG")
    return data.tobytes()
