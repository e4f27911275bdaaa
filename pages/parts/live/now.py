"""Live: what is seen now. How the connection is, each face with seven large bars, the last minute, how fast it runs.

These parts draw themselves anew while the camera runs. They send text and numbers only, which leave nothing behind on
the server, where a picture sent twice a second would.
"""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from fer_core.emotions import NAMES
from fer_core.inference.stream.connection import ConnectionStage
from fer_core.inference.stream.live import LiveStream
from fer_core.inference.stream.result import FaceResult, colour_of, name_of
from fer_core.inference.stream.timeline import SECONDS
from fer_core.plots import timeline as plots
from pages.parts import probability_bars
from pages.parts.faces import data_uri
from pages.parts.fragments import fragment
from pages.parts.live import camera as live_camera
from pages.parts.live import help as live_help
from pages.parts.live.camera import Camera

STATUS_EVERY_S, FACES_EVERY_S = 1.0, 0.5
FACE = "_live_face"


def connection_status(camera: Camera, live: LiveStream) -> None:
    """How the connection is, with the help where it is not live; anew each second while it runs."""
    fragment(_status, every=STATUS_EVERY_S if live_camera.is_trying(camera) else None)(camera, live)


def faces(camera: Camera, live: LiveStream) -> None:
    """Each face with its bars, twice a second while the camera runs."""
    fragment(_faces, every=FACES_EVERY_S if live_camera.is_trying(camera) else None)(live)


def figures(camera: Camera, live: LiveStream) -> None:
    """How the stream keeps up, folded, each second while the camera runs."""
    with st.expander("Engineering figures", icon=":material/speed:"):
        fragment(_figures, every=STATUS_EVERY_S if live_camera.is_trying(camera) else None)(live)


def last_minute(camera: Camera, live: LiveStream) -> None:
    """The rolling lines of one face, each second while the camera runs; nothing before it ever did."""
    if not live_camera.is_trying(camera) and not live.timeline.series():
        return
    fragment(_last_minute, every=STATUS_EVERY_S if live_camera.is_trying(camera) else None)(live)


def _status(camera: Camera, live: LiveStream) -> None:
    now = live_camera.connection(camera, live)
    waited = f"{now.seconds:.0f} s"
    if live.error is not None:
        st.error(
            f"The models stopped: {live.error} The picture goes on without them. Press Stop, then start again.",
            icon=":material/error:",
        )
    elif now.stage is ConnectionStage.CONNECTING:
        st.info(f"Connecting: {waited}. Usually it takes two or three seconds.", icon=":material/sync:")
    elif now.stage is ConnectionStage.LATE:
        st.error(f"No picture after {waited}. See below what is likely wrong.", icon=":material/link_off:")
    elif now.stage is ConnectionStage.STALLED:
        st.warning(f"No new picture for {waited}.", icon=":material/pause_circle:")
    elif now.stage is ConnectionStage.LOST:
        st.error(
            f"The last attempt ended after {waited} without a picture. See below what is likely wrong.",
            icon=":material/link_off:",
        )
    elif now.stage is ConnectionStage.IDLE:
        st.markdown("Press **Start the camera** and allow it. No camera, or rather not?")
        live_help.other_inputs()
    if now.stage is not ConnectionStage.LIVE:
        live_help.show(now, live_help.address_of_page())


def _figures(live: LiveStream) -> None:
    if live.shot() is None:
        st.caption("How fast pictures come, are read and go back stands here while the camera runs.")
    else:
        _speed(live)


def _speed(live: LiveStream) -> None:
    speed = live.speed()
    lag = "–" if speed.lag_ms is None else f"{speed.lag_ms:.0f} ms"
    share = 100 * speed.dropped / speed.frames if speed.frames else 0.0
    with st.container(horizontal=True, key="live-speed"):
        st.metric(
            "Camera",
            f"{speed.camera_per_s:.0f} frames/s",
            width=150,
            help="Frames that arrive here and are sent back drawn, per second, over the last 2 s.",
        )
        st.metric(
            "Models",
            f"{speed.read_per_s:.0f} frames/s",
            width=150,
            help="Frames that the models look at. They always take the newest one.",
        )
        st.metric(
            "Lag",
            lag,
            width=110,
            help="How much older than the picture the drawn answers are, median of the last 2 s."
            + ("" if speed.worst_lag_ms is None else f" Worst: {speed.worst_lag_ms:.0f} ms."),
        )
        st.metric(
            "Dropped",
            f"{share:.0f} %",
            width=110,
            help=f"{speed.dropped:,} of {speed.frames:,} frames were shown, but not looked at, because a newer one "
            "had come. Frames are never queued.",
        )
    if speed.stages:
        parts = " · ".join(f"{name} {value:.1f}" for name, value in speed.stages.items())
        st.caption(f"Milliseconds per frame (median): {parts}. Faces are looked for on every fourth frame or sooner.")


def _faces(live: LiveStream) -> None:
    shot = live.shot()
    if shot is None:
        st.html(probability_bars.large(None, alt="The seven expressions, without numbers yet"))
        st.caption("When the camera runs, each face appears here with its bars.")
        return
    if not shot.result.faces:
        st.info("No face is in the picture. Look straight at the camera, with light from the front.")
        return
    st.html("".join(face_table(face, live.plan.style.model) for face in shot.result.faces))


def face_table(face: FaceResult, lead: str | None) -> str:
    """One face: what the leading model says with seven large bars, and under it each other model's answer. HTML."""
    picture = (
        f'<img src="{data_uri(face.crop)}" width="72" height="72" alt="Face {face.number} as the models see it, 48×48 '
        'grey pixels" style="image-rendering:pixelated;border-radius:4px">'
    )
    if not face.smoothed:
        return f'<div class="live-face"><b>Face {face.number}</b><br>{picture}<p>No model is chosen.</p></div>'
    if lead is None or lead not in face.smoothed:
        lead = next(iter(face.smoothed))
    shown = face.shown[lead]
    bars = probability_bars.large(face.smoothed[lead], answer=shown, alt=f"Face {face.number}, by {lead}")
    others = "".join(
        f'<li style="margin:0"><span aria-hidden="true" style="color:{colour_of(label)}">■</span> '
        f"{html.escape(model)}: <b>{name_of(label)}</b></li>"
        for model, label in face.shown.items()
        if model != lead
    )
    listed = f'<ul style="list-style:none;padding:0;margin:.5rem 0 0;font-size:.9rem">{others}</ul>' if others else ""
    return (
        '<div class="live-face" style="margin-bottom:1rem"><div style="display:flex;gap:.8rem;align-items:center">'
        f"{picture}<div>Face {face.number}, {html.escape(lead)} says<br>"
        f'<b style="font-size:1.6rem">{name_of(shown)}</b></div></div>{bars}{listed}</div>'
    )


def _last_minute(live: LiveStream) -> None:
    lead = live.plan.style.model
    st.header("The last minute", anchor=False)
    if lead is None:
        st.caption("Without a model there is nothing to draw.")
        return
    known = {series.face: series for series in live.timeline.series(lead)}
    shot = live.shot()
    here = [face.number for face in shot.result.faces] if shot is not None else []
    # A container of its own, so that the plot below stays the same element when a second face makes this appear.
    with st.container():
        chosen = _choose_face(list(known), here)
    series = known.get(chosen) if chosen is not None else None
    times = np.empty(0) if series is None else series.times_s
    values = np.empty((0, len(NAMES))) if series is None else series.smoothed
    # While it stands still, so does the right end.
    now_s = live.now_s() if shot is not None else (times[-1] if len(times) else 0.0)
    whose = lead if chosen is None else f"{lead} about face {chosen}"
    st.caption(
        f"Smoothed probability of each expression: {whose}. Click a name to bring out its line, Shift + click for more."
    )
    with st.container(key="live-timeline"):
        st.vega_lite_chart(
            plots.rolling(times, values, now_s=now_s),
            plots.rolling_spec(SECONDS),
            # The same each second: the words are part of how it is drawn, and other ones would make it anew.
            alt=f"Probability of the seven expressions over the last {SECONDS:.0f} s, a line each. In words below.",
        )
    st.caption(plots.describe_rolling(times, values, now_s=now_s, seconds=SECONDS))


def _choose_face(known: list[int], here: list[int]) -> int | None:
    """The face whose lines are drawn: chosen where there are several, otherwise the one that is there."""
    if len(known) < 2:
        return known[0] if known else None
    usual = next((number for number in known if number in here), known[-1])
    if st.session_state.get(FACE) not in known:
        st.session_state.pop(FACE, None)
    chosen = st.pills(
        "Face", known, default=usual, required=True, key=FACE, format_func=lambda number: f"Face {number}"
    )
    return int(chosen) if chosen is not None else usual
