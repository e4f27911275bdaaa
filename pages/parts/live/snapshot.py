"""Live: a frozen frame. Its faces lead to Explain and Poke, or are kept as mistakes with the label you give them."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import streamlit as st
from PIL import Image

from fer_core.emotions import NAMES
from fer_core.formatting import percent, plural
from fer_core.inference.stream.live import LiveStream, Shot
from fer_core.inference.stream.result import FaceResult, name_of
from pages.parts import chosen_face, frame, links_to_poke
from pages.parts.faces import enlarged, label_words

_FROZEN, _MISSED, _SELECTED = "_live_frozen", "_live_missed", "_live_kept"


def freeze_button(live: LiveStream, *, running: bool) -> None:
    """The button; works while the camera runs."""
    st.button(
        "Freeze a frame",
        icon=":material/photo_camera:",
        on_click=_freeze,
        args=(live,),
        disabled=not running,
        key="live-freeze",
        help="Take the newest frame with its faces, to look at one closely." if running else "Start the camera first.",
    )


def _freeze(live: LiveStream) -> None:
    shot = live.shot()
    st.session_state[_MISSED] = shot is None
    if shot is not None:
        st.session_state[_FROZEN] = (shot, datetime.now(UTC).strftime("%H:%M:%S UTC"))
        st.session_state.pop(_SELECTED, None)


def _forget() -> None:
    for name in (_FROZEN, _SELECTED):
        st.session_state.pop(name, None)


def show() -> None:
    """The frozen frame with its faces; nothing where none was frozen."""
    if st.session_state.pop(_MISSED, False):
        st.info("No frame has come yet. Try again in a second.", icon=":material/hourglass_empty:")
    frozen: tuple[Shot, str] | None = st.session_state.get(_FROZEN)
    if frozen is None:
        return
    shot, at = frozen
    found = shot.result.faces
    st.header(f"Frozen at {at}", anchor=False)
    picture, list_of_faces = st.columns([2, 3])
    with picture:
        st.image(shot.drawn(), channels="BGR", alt=f"The frozen frame with {plural(len(found), 'face')}.")
        st.caption("In this visit's memory only. It is gone when you close the page, or at once:")
        st.button("Forget this frame", icon=":material/delete:", on_click=_forget, key="live-forget")
    with list_of_faces:
        if not found:
            st.info("There was no face in this frame. Freeze another one.", icon=":material/face_retouching_off:")
        for face in found:
            with st.container(border=True):
                _face(face, at)


def _face(face: FaceResult, at: str) -> None:
    title = f"Live at {at}, face {face.number}"
    with st.container(horizontal=True, gap="medium"):
        with st.container(width=112):
            st.image(
                enlarged(face.crop, 96),
                caption=f"Face {face.number}",
                alt=f"Face {face.number} as the models see it, 48×48 grey pixels, enlarged.",
            )
        with st.container(width=300):
            for model, label in face.shown.items():
                answer = name_of(None)
                if label is not None:
                    answer = f"{label_words(label)}, {percent(float(face.smoothed[model][label]), 0)}"
                st.markdown(f"**{model}:** {answer}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        key = f"live-frozen-{face.number}"
        if st.button("Explain", icon=":material/psychology_alt:", key=f"{key}-explain"):
            chosen_face.open_own_face(face.crop, title)
        if st.button("Poke", icon=":material/touch_app:", key=f"{key}-poke"):
            chosen_face.add_own_face(face.crop, title)
            frame.go("poke", {links_to_poke.FROM: chosen_face.YOURS})
        label = st.selectbox(
            "Wrong? The expression you say it was",
            range(len(NAMES)),
            index=None,
            format_func=label_words,
            placeholder="choose",
            key=f"{key}-label",
            width=250,
        )
        if st.button("Keep as a mistake", icon=":material/bookmark_add:", disabled=label is None, key=f"{key}-keep"):
            chosen_face.add_own_face(face.crop, f"Mistake, {title}", label)
            st.session_state[_SELECTED] = {**st.session_state.get(_SELECTED, {}), face.number: label}
    selected: int | None = st.session_state.get(_SELECTED, {}).get(face.number)
    if selected is not None:
        st.success(
            f"Kept for this visit as {label_words(selected)}: you find it on Explain, under “{chosen_face.YOURS}”. "
            "This server stores nothing. To have it for good, download it.",
            icon=":material/bookmark_added:",
        )
        st.download_button(
            "Download the face (PNG, 48×48)",
            data=_png(face),
            file_name=f"mistake-{NAMES[selected]}-face-{face.number}.png",
            mime="image/png",
            icon=":material/download:",
            on_click="ignore",
            key=f"live-frozen-{face.number}-png",
        )


def _png(face: FaceResult) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(face.crop).save(buffer, "PNG")
    return buffer.getvalue()
