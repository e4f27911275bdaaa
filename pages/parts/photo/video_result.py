"""Photo, the way "Video": what came out of it. The video to watch and to keep, each face over time, the numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from fer_core.access.videos import most_played
from fer_core.formatting import duration, percent, plain, plural
from fer_core.inference.stream.video_job import Portrait, VideoJob
from fer_core.plots import video as plot
from pages.parts import access, chosen_face, detection
from pages.parts.downloads import csv_button, megabytes
from pages.parts.faces import enlarged


def show(job: VideoJob) -> None:
    """All of it. The job must be done."""
    summary = job.summary
    assert summary is not None
    st.header(plain(job.name), anchor=False)
    st.markdown(
        f"{duration(summary.seconds)}, {plural(summary.frames, 'frame')}. A face is in "
        f"{percent(summary.frames_with_faces / summary.frames, 0)} of them; "
        f"{plural(summary.faces, 'face was', 'faces were')} followed. "
        "Who leaves and comes back later gets a new number."
    )
    detection.caution(job.detector)
    if summary.note:
        st.warning(summary.note, icon=":material/broken_image:")
    size = job.video_path.stat().st_size
    most = most_played(owner=access.person().owner)
    if size <= most * 10**6:
        st.video(str(job.video_path), format="video/mp4", width=640)
    else:
        st.info(
            f"The annotated video has {megabytes(size)}, and this server holds at most {most} MB in its memory to play "
            "one. Download it: it is whole.",
            icon=":material/movie_off:",
        )
    stem = Path(job.name).stem
    with st.container(horizontal=True, key="video-downloads"):
        st.download_button(
            f"Annotated video (MP4, {megabytes(size)})",
            data=_bytes(job.video_path),
            file_name=f"{stem}-annotated.mp4",
            mime="video/mp4",
            icon=":material/download:",
            on_click="ignore",
            key="video-download",
        )
        csv_button(
            f"All numbers (CSV, {megabytes(job.csv_path.stat().st_size)})",
            _bytes(job.csv_path),
            name=f"{stem}-numbers.csv",
            key="video-csv",
            help="A line for each frame, face and model: the seven probabilities, smoothed over 0.4 s.",
        )
    portraits = job.portraits()
    if not portraits:
        st.info(
            "No face was found in any frame. Faces that are large, upright and turned to the camera are found best.",
            icon=":material/face_retouching_off:",
        )
        return
    _faces(job, portraits, summary.seconds)


def _faces(job: VideoJob, portraits: list[Portrait], seconds: float) -> None:
    """One face over time, as one model saw it."""
    st.subheader("Over time", anchor=False)
    series = {(entry.face, entry.model): entry for entry in job.timeline.series()}
    models = list(dict.fromkeys(model for _, model in series))
    by_number = {portrait.number: portrait for portrait in sorted(portraits, key=lambda one: -one.frames)}
    with st.container(horizontal=True, key="video-choices"):
        number = st.selectbox(
            "Face",
            list(by_number),
            format_func=lambda number: f"Face {number}, in {plural(by_number[number].frames, 'frame')}",
            key="video-face",
            width=280,
        )
        model = st.selectbox("Model", models, key="video-model", width=280) if models else None
    portrait = by_number[number]
    left, right = st.columns([1, 5])
    with left:
        st.image(
            enlarged(portrait.crop, 144),
            caption=f"At {portrait.time_s:.1f} s, where it is largest",
            alt=f"Face {number} at {portrait.time_s:.1f} s, grey, 48×48 pixels, enlarged.",
        )
        if st.button("Explain", icon=":material/psychology_alt:", key="video-explain"):
            chosen_face.open_own_face(portrait.crop, f"{job.name} at {portrait.time_s:.1f} s, face {number}")
    with right:
        entry = series.get((number, model)) if model is not None else None
        if entry is None:
            st.caption(
                "No model was chosen, so there is nothing to draw."
                if model is None
                else "Too many faces came by: the course of this one was not kept. The CSV has all of them."
            )
        else:
            st.plotly_chart(
                plot.timeline(entry.times_s, entry.smoothed, seconds=seconds),
                key="video-course",
                config={"displayModeBar": False},
                alt=plot.describe_timeline(entry.times_s, entry.smoothed, seconds=seconds),
            )


def _bytes(path: Path) -> Callable[[], bytes]:
    return path.read_bytes
