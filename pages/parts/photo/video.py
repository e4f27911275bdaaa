"""Photo, the way "Video": bring one, watch it being read, stop it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from fer_core.access.uploads import Place
from fer_core.access.videos import most_seconds
from fer_core.errors import FerError
from fer_core.formatting import duration, ordinal, plain
from fer_core.inference.predictor import Predictor
from fer_core.inference.stream.draw import Style
from fer_core.inference.stream.pipeline import StreamSettings
from fer_core.inference.stream.video import READABLE
from fer_core.inference.stream.video_job import DONE, STOPPED, WAITING, VideoJob
from fer_core.inference.videos import clip_pipeline
from fer_core.runs.clean_up import recently
from fer_core.runs.listing import ModelInfo
from pages.parts import access, detection, messages, uploads
from pages.parts.fragments import fragment
from pages.parts.photo import video_result

_JOB = "_video_job"


def show(infos: Sequence[ModelInfo]) -> None:
    """The upload with its choices; or how far the reading is; or what came out."""
    job: VideoJob | None = st.session_state.get(_JOB)
    if job is None:
        if recently().videos:
            st.info(
                "The app ended unexpectedly while it read a video. The video and what had been found in it were "
                "deleted: bring it again.",
                icon=":material/restart_alt:",
            )
        _choose_video(infos)
        return
    progress = job.progress
    if progress.active:
        fragment(_watch, every=0.5)(job)
        return
    if progress.state == DONE:
        video_result.show(job)
    elif progress.state == STOPPED:
        st.info(messages.told(progress.message), icon=":material/stop_circle:")
    else:
        st.error(messages.told(progress.message), icon=":material/error:")
    st.button("Another video", icon=":material/movie:", on_click=_forget, key="video-another")


def reminder() -> None:
    """On the other ways: a video of this visit is still there."""
    job: VideoJob | None = st.session_state.get(_JOB)
    if job is None:
        return
    state = "is being read" if job.progress.active else "has been read"
    with st.container(horizontal=True, vertical_alignment="center", key="video-reminder"):
        st.caption(f":material/movie: Your video {plain(job.name)} {state}.")
        st.button("Show it", type="tertiary", on_click=_to_video, key="video-show")


def _choose_video(infos: Sequence[ModelInfo]) -> None:
    most = uploads.most(Place.VIDEO)
    file = uploads.uploader(
        Place.VIDEO,
        "A video",
        types=READABLE,
        key="video-upload",
        help=f"At most {most} MB. A longer or larger one can be read on your own computer: "
        "python -m fer_core predict VIDEO --json",
    )
    detector = detection.choose_detector()
    chosen = detection.choose_models(infos) if infos else []
    drawn, maps = _choose_drawing(chosen)
    st.caption(
        f"At most {most} MB. The video lies in a temporary file of this server while it is read, and is deleted "
        "then. The result is deleted when you bring another one, your visit ends, or you have not looked for an hour."
    )
    if not st.button(
        "Read the video", type="primary", icon=":material/play_arrow:", disabled=file is None, key="video-start"
    ):
        return
    assert file is not None
    settings = StreamSettings(map_model=drawn if maps else None)
    style = Style(model=drawn, show_map=maps)
    who = access.person()
    seconds = most_seconds(owner=who.owner)
    try:
        with st.spinner("Getting ready"):
            pipeline = clip_pipeline(chosen, detector, settings)
            # Kept before the page draws anything more: a click ends the script there, and the job would be lost.
            st.session_state[_JOB] = VideoJob(file, file.name, pipeline, style, owner=who.token, most_seconds=seconds)
            # It has a copy of its own.
            uploads.forget(file)
    except FerError as error:
        st.error(messages.told(error), icon=":material/error:")
        return
    st.rerun()


def _choose_drawing(chosen: Sequence[Predictor]) -> tuple[str | None, bool]:
    """Whose answers are drawn into the video, and whether its maps are."""
    if not chosen:
        return None, False
    names = [model.name for model in chosen]
    with st.container(horizontal=True, vertical_alignment="bottom", key="video-drawing"):
        drawn = st.selectbox(
            "Drawn into the video",
            names,
            key="video-drawn",
            width=280,
            help="The numbers and the CSV have all chosen models; the picture has room for one.",
        )
        maps = st.toggle("With what speaks for its answer", key="video-maps")
    return str(drawn), maps


def _watch(job: VideoJob) -> None:
    """How far it is, read anew twice a second; its end redraws the page."""
    progress = job.progress
    if not progress.active:
        st.rerun()
    if progress.state == WAITING:
        place = ordinal(max(1, progress.position))
        st.progress(0.0, text=f"{plain(job.name)} waits: {place} in the queue. This server reads others' videos first.")
    else:
        of = f" of about {progress.expected:,}" if progress.expected else ""
        left = f", about {duration(progress.left)} left" if progress.left is not None else ""
        share = min(1.0, progress.frames / progress.expected) if progress.expected else 0.0
        st.progress(share, text=f"Reading {plain(job.name)}: frame {progress.frames:,}{of}{left}")
    st.button("Stop", icon=":material/stop:", on_click=job.stop, key="video-stop")
    st.caption("You may go to other pages meanwhile and come back.")
    preview = job.preview()
    if preview is not None:
        st.image(preview, channels="BGR", width=480, alt="A frame of the video that was just read, with its faces.")


def _to_video() -> None:
    st.session_state["way"] = "Video"


def _forget() -> None:
    job: VideoJob | None = st.session_state.pop(_JOB, None)
    if job is not None:
        job.close()
