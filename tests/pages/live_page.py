"""Live with the browser's side of the camera replaced: frames are handed to the callback that it would call."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
from streamlit.testing.v1 import AppTest

from fer_core.inference.detectors import Face
from fer_core.inference.stream.live import LiveStream

OpenApp = Callable[..., AppTest]


class FakeBrowser:
    """In place of ``webrtc_streamer``: keeps what it was called with, and says what the test wants."""

    def __init__(self) -> None:
        self.state = SimpleNamespace(playing=False, signalling=False)
        self.options: dict[str, Any] = {}

    def __call__(self, key: str, **options: Any) -> FakeBrowser:
        self.options = {"key": key, **options}
        return self

    def start(self) -> None:
        self.state = SimpleNamespace(playing=True, signalling=False)

    def stop(self) -> None:
        """As the library does: the track ends first."""
        self.options["on_video_ended"]()
        self.state = SimpleNamespace(playing=False, signalling=False)

    def send(self, live: LiveStream, brightness: int = 250, frames: int = 4) -> np.ndarray:
        """Frames of one face, each looked at before the next; the last picture that comes back, (240, 320, 3)."""
        frame = np.full((240, 320, 3), 128, np.uint8)
        frame[60:180, 100:220] = brightness
        for _ in range(frames):
            done = live._worker.load.done if live.running else 0
            back = self.options["video_frame_callback"](av.VideoFrame.from_ndarray(frame, format="bgr24"))
            assert live._worker.wait(done + 1, 10)
        return np.asarray(back.to_ndarray(format="bgr24"))


class MadeDetector:
    """Finds the face of :meth:`FakeBrowser.send`, at any size."""

    title = "made"

    def detect(self, image_bgr: np.ndarray) -> list[Face]:
        scale = image_bgr.shape[1] / 320
        return [Face(*(round(value * scale) for value in (100, 60, 120, 120)), 0.9)]


def stream_of(app: AppTest) -> LiveStream:
    live: LiveStream = app.session_state["_live_stream"]
    return live


def texts(app: AppTest) -> str:
    """All that can be read."""
    kinds = ("header", "markdown", "caption", "info", "warning", "error", "success", "subheader")
    words = [element.value for kind in kinds for element in getattr(app, kind)]
    return "\n".join([*words, *(element.proto.body for element in app.get("html"))])


def running(app: AppTest, camera: FakeBrowser, brightness: int = 250) -> AppTest:
    """With the camera on and a face in the picture."""
    camera.start()
    app.run()
    camera.send(stream_of(app), brightness)
    app.run()
    assert not app.exception, app.exception
    return app
