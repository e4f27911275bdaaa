"""Live: the camera. One stream for each visitor, kept in the visit; nothing of it is shared or stored."""

from __future__ import annotations

import functools
import gc
import json
import os
from enum import StrEnum
from typing import NotRequired, Protocol, TypedDict

import av
import numpy as np
import streamlit as st
from aiortc.contrib.media import MediaRelay
from streamlit.delta_generator import DeltaGenerator
from streamlit_webrtc import WebRtcMode, webrtc_streamer
from streamlit_webrtc.component import generate_frontend_component_key
from streamlit_webrtc.relay import get_global_relay

from fer_core.errors import FerError
from fer_core.inference.stream.connection import Connection, ConnectionWatch
from fer_core.inference.stream.live import LiveStream, StreamPlan
from pages.parts import queue

KEY = "_live_camera"
"""An underscore in front: see ``frame.begin``. Streamlit-webrtc keeps its connection under this name."""
ICE_VARIABLE = "FER_EXPLORER_ICE_SERVERS"
"""Connection servers as a JSON list, in place of those that streamlit-webrtc finds by itself: ``[]`` for none, as on a
network without internet, and in tests."""
_STREAM, _WATCH, _USED = "_live_stream", "_live_watch", "_live_used"


class Facing(StrEnum):
    """Which camera of a phone. A computer has the one that there is, or that was chosen under the picture."""

    FRONT = "Front camera"
    REAR = "Rear camera"


MODES = {Facing.FRONT: "user", Facing.REAR: "environment"}
"""In a browser's words."""


def constraints(facing: Facing) -> dict[str, object]:
    """What the browser is asked for.

    Faces are 48 pixels to the models, and expressions last for tenths of a second: more would only cost time, above all
    for packing the pictures on their way back.
    """
    return {
        "audio": False,
        "video": {
            "width": {"ideal": 640},
            "height": {"ideal": 480},
            "frameRate": {"ideal": 20, "max": 30},
            "facingMode": MODES[facing],
        },
    }


class State(Protocol):
    """What streamlit-webrtc knows of the browser: it offers a connection, or has one."""

    playing: bool
    signalling: bool


class Camera(Protocol):
    """What ``webrtc_streamer`` returns; its state is kept up to date between runs of the script."""

    @property
    def state(self) -> State:
        """See :class:`State`."""


def stream_of_visit(plan: StreamPlan) -> LiveStream:
    """This visitor's stream, made on the first call, reading by ``plan`` from now on."""
    live: LiveStream | None = st.session_state.get(_STREAM)
    if live is None:
        live = st.session_state[_STREAM] = LiveStream(plan)
    else:
        live.configure(plan)
    return live


def show(live: LiveStream, facing: Facing) -> Camera:
    """The camera with its button, and the picture with what was found.

    Raises ``FerError`` for bad server settings, ``BusyError`` where the server has no memory for one more camera. One
    that is on stays on.
    """
    if not st.session_state.get(_USED):
        queue.QUEUE.check_memory()

    def on_frame(frame: av.VideoFrame) -> av.VideoFrame:
        picture = np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
        return av.VideoFrame.from_ndarray(live.see(picture), format="bgr24")

    servers = ice_servers()
    newest_only(get_global_relay())
    camera: Camera = webrtc_streamer(
        KEY,
        mode=WebRtcMode.SENDRECV,
        # Unset, the library looks for credentials in the environment, where Streamlit puts its secrets.
        rtc_configuration=None if servers is None else {"iceServers": servers},
        media_stream_constraints=constraints(facing),
        video_frame_callback=on_frame,
        on_video_ended=live.stop,
        video_html_attrs={"autoPlay": True, "controls": False, "muted": True, "style": {"width": "100%"}},
        translations={
            "start": "Start the camera",
            "stop": "Stop",
            "select_device": "Choose a camera",
            "device_ask_permission": "Allow the camera when your browser asks.",
            "device_access_denied": "The browser refused the camera. Open “Connection help” below.",
            "device_not_available": "No camera was found.",
            "media_api_not_available": "The browser hides the camera here: this page needs https.",
        },
        media_toggle_controls=False,
    )
    if is_trying(camera):
        st.session_state[_USED] = True
        return camera
    if live.running:
        # Usually done when the track ended; not where the connection broke before the first frame was sent back.
        live.stop()
    if st.session_state.pop(_USED, False):
        # A connection's objects hold each other, and an encoder of ten megabytes that Python's collector does not see:
        # it counts objects, and by that count may let dozens of connections lie about before it looks.
        gc.collect()
    return camera


COUNTER = (
    "<style>@property --live-s {syntax: '<integer>'; inherits: false; initial-value: 0}"
    "@keyframes live-s {to {--live-s: 99}}"
    ".live-s::after {counter-reset: s var(--live-s); content: counter(s) ' s'; animation: live-s 99s linear}</style>"
    '<p role="status"><b>Connecting</b> <span class="live-s"></span></p>'
)
"""Seconds that the browser counts by itself: the server says nothing while it looks for a way to it."""


def say_connecting(place: DeltaGenerator) -> None:
    """Where the browser has just offered its camera: that the connection is being made."""
    offered = st.session_state.get(generate_frontend_component_key(KEY))
    if offered and offered.get("sdpOffer") and not offered.get("playing"):
        place.html(COUNTER)


QUIET = """<span hidden></span><script>
(() => {
    let seen = false
    clearInterval(window.liveQuiet)
    window.liveQuiet = setInterval(() => {
        const frames = document.querySelectorAll('iframe[title*="webrtc"]')
        if (seen && !frames.length) clearInterval(window.liveQuiet)
        seen ||= frames.length > 0
        for (const one of frames) {
            const inside = one.contentDocument
            if (!inside?.head || inside.getElementById("quiet")) continue
            const style = inside.createElement("style")
            style.id = "quiet"
            style.textContent = ".MuiAlert-colorWarning { display: none }"
            inside.head.append(style)
        }
    }, 500)
})()
</script>"""
"""After ten seconds streamlit-webrtc gives advice of its own, which says other things than the page does. Its errors
stay: they are the browser's. (A script alone is taken out of what is shown, so something stands before it.)
"""


def one_voice() -> None:
    """Leave the advice to the page."""
    st.html(QUIET, unsafe_allow_javascript=True)


def newest_only(relay: MediaRelay) -> None:
    """Let whoever reads from this relay too slowly miss pictures, in place of getting every one ever later.

    Streamlit-webrtc hands pictures on through one relay, with a queue that has no end before whoever packs them for the
    way back. On a busy computer the picture would lag more and more, and memory grow.
    """
    if not isinstance(relay.subscribe, functools.partial):
        relay.subscribe = functools.partial(relay.subscribe, buffered=False)  # type: ignore[method-assign]


def is_trying(camera: Camera) -> bool:
    """Whether the browser offers its camera or is connected."""
    return bool(camera.state.playing or camera.state.signalling)


def connection(camera: Camera, live: LiveStream) -> Connection:
    """How far the connection is, by this visit's watch."""
    watch: ConnectionWatch = st.session_state.setdefault(_WATCH, ConnectionWatch())
    return watch.update(
        trying=is_trying(camera),
        agreed=bool(camera.state.playing),
        last_frame_s=live.last_frame_s,
        now_s=live.now_s(),
    )


class IceServer(TypedDict):
    """A STUN or TURN server, as browsers know it (RTCIceServer of WebRTC)."""

    urls: str | list[str]
    username: NotRequired[str]
    credential: NotRequired[str]


def ice_servers() -> list[IceServer] | None:
    """What :data:`ICE_VARIABLE` says, None where it is not set. Raises ``FerError`` if it is no list of objects."""
    text = os.environ.get(ICE_VARIABLE, "").strip()
    if not text:
        return None
    try:
        servers = json.loads(text)
    except ValueError as error:
        raise FerError(f"{ICE_VARIABLE} is not JSON ({error}). Write a list such as [] or unset it.") from error
    if not isinstance(servers, list) or not all(isinstance(server, dict) and "urls" in server for server in servers):
        raise FerError(
            f'{ICE_VARIABLE} must be a list such as [{{"urls": "turn:example.org:3478", "username": "me", '
            '"credential": "secret"}], or [] for none.'
        )
    return servers
