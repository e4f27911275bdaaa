"""The camera's side of Live: what reaches a slow reader, servers of one's own, and how the stream starts and ends."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import av
import numpy as np
import pytest
from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from live_page import FakeBrowser, OpenApp, running, stream_of, texts

from fer_core.errors import FerError
from fer_core.fair_queue import FairQueue, Lane
from pages.parts import queue
from pages.parts.live import camera as live_camera


def test_a_slow_reader_misses_pictures_and_gets_none_late() -> None:
    class Camera(MediaStreamTrack):
        kind = "video"
        number = 0

        async def recv(self) -> int:  # type: ignore[override]
            await asyncio.sleep(0.005)
            self.number += 1
            if self.number > 60:
                raise MediaStreamError
            return self.number

    async def watch() -> tuple[list[int], list[int], bool]:
        relay, camera = MediaRelay(), Camera()
        live_camera.newest_only(relay)
        live_camera.newest_only(relay)
        slow = relay.subscribe(camera)
        got, late, ended = [], [], []
        slow.on("ended", lambda: ended.append(True))
        try:
            while True:
                got.append(await slow.recv())
                late.append(camera.number - got[-1])  # type: ignore[operator]
                await asyncio.sleep(0.05)
        except MediaStreamError:
            return got, late, bool(ended)  # type: ignore[return-value]

    got, late, ended = asyncio.run(watch())
    assert 1 < len(got) < 40
    assert got == sorted(set(got))
    assert max(late) <= 1
    assert ended, "the end reaches a slow reader, too"


def test_servers_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(live_camera.ICE_VARIABLE, "[]")
    assert live_camera.ice_servers() == []
    monkeypatch.setenv(live_camera.ICE_VARIABLE, '[{"urls": "turn:example.org:3478"}]')
    assert live_camera.ice_servers() == [{"urls": "turn:example.org:3478"}]
    for wrong in ("none", "{}", '["turn:example.org"]'):
        monkeypatch.setenv(live_camera.ICE_VARIABLE, wrong)
        with pytest.raises(FerError, match=live_camera.ICE_VARIABLE):
            live_camera.ice_servers()


def test_the_camera_is_asked_for_video_only_and_the_library_finds_the_servers(
    open_app: OpenApp, camera: FakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(live_camera.ICE_VARIABLE, raising=False)
    app = open_app("live")
    asked = camera.options["media_stream_constraints"]
    assert asked["audio"] is False
    assert asked["video"]["width"]["ideal"] == 640
    assert 15 <= asked["video"]["frameRate"]["ideal"] <= 30
    assert camera.options["rtc_configuration"] is None
    assert "never stored and never sent on" in texts(app)


def test_one_more_camera_was_let_in_where_no_memory_was_left(
    open_app: OpenApp, camera: FakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [0.0]
    monkeypatch.setattr(queue, "QUEUE", FairQueue({Lane.QUICK: 1}, free=lambda: left[0]))
    monkeypatch.setattr("fer_core.fair_queue.LOOK_S", 0.0)
    app = open_app("live")
    # The click of somebody whose page was drawn before.
    camera.start()
    app.run()
    assert not app.exception
    assert any("busy" in warning.value and "again in a moment" in warning.value for warning in app.warning)
    assert camera.options == {}
    left[0] = 1e9
    app.button(key="live-again").click().run()
    app = running(app, camera)
    left[0] = 0.0
    app = running(app, camera)
    assert not [warning for warning in app.warning if "busy" in warning.value]


@pytest.mark.usefixtures("models")
def test_stopping_ends_the_thread_and_starting_again_works(open_app: OpenApp, camera: FakeBrowser) -> None:
    app = running(open_app("live"), camera)
    live = stream_of(app)
    camera.stop()
    app.run()
    assert not live.running
    assert live.shot() is None
    assert live._worker._thread is None
    assert "When the camera runs" in texts(app)
    app = running(app, camera)
    assert "Face 1" in texts(app)


def test_a_closed_camera_left_its_encoder_in_memory(
    open_app: OpenApp, camera: FakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected = []
    # In the page's module alone: Streamlit and Python call the collector, too.
    monkeypatch.setattr(live_camera, "gc", SimpleNamespace(collect=lambda: collected.append(camera.state.playing)))
    app = running(open_app("live"), camera)
    assert collected == []
    camera.stop()
    app.run()
    app.run()
    assert collected == [False], "once, when the camera has closed"


def test_a_connection_that_breaks_without_a_word_stops_the_stream(
    open_app: OpenApp, camera: FakeBrowser, models: None
) -> None:
    app = running(open_app("live"), camera)
    camera.state = SimpleNamespace(playing=False, signalling=False)
    app.run()
    assert not stream_of(app).running


@pytest.mark.usefixtures("models")
def test_two_visitors_see_their_own_faces(
    open_app: OpenApp, camera: FakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = running(open_app("live"), camera, brightness=10)
    other = FakeBrowser()
    monkeypatch.setattr(live_camera, "webrtc_streamer", other)
    second = running(open_app("live"), other, brightness=250)
    one, two = stream_of(first), stream_of(second)
    assert one is not two
    for live, brightness in ((one, 10), (two, 250)):
        shot = live.shot()
        assert shot is not None
        assert {int(face.crop.mean()) for face in shot.result.faces} == {int(shot.result.faces[0].crop.mean())}
        assert abs(int(shot.result.faces[0].crop[20:28, 20:28].mean()) - brightness) < 12
    other.options["on_video_ended"]()


def test_a_model_that_fails_is_reported_and_the_picture_goes_on(
    open_app: OpenApp, camera: FakeBrowser, models: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app("live")
    camera.start()
    live = stream_of(app)

    def broken(*_: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(live._pipeline, "process", broken)
    with pytest.raises(RuntimeError, match="out of order"):
        camera.send(live)
    frame = av.VideoFrame.from_ndarray(np.zeros((240, 320, 3), np.uint8), format="bgr24")
    assert camera.options["video_frame_callback"](frame).width == 320
    app.run()
    assert not app.exception
    assert "The models stopped: out of order" in texts(app)


def test_bad_servers_are_named_on_the_page(
    open_app: OpenApp, camera: FakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(live_camera.ICE_VARIABLE, "none")
    app = open_app("live")
    assert not app.exception
    assert "is not JSON" in texts(app)


def test_the_rear_camera_was_mirrored_too(open_app: OpenApp, camera: FakeBrowser) -> None:
    app = open_app("live")
    assert camera.options["media_stream_constraints"]["video"]["facingMode"] == "user"
    assert stream_of(app).plan.style.mirrored
    app.segmented_control(key="live.camera").set_value("Rear camera").run()
    assert camera.options["media_stream_constraints"]["video"]["facingMode"] == "environment"
    assert not stream_of(app).plan.style.mirrored
    assert not [toggle for toggle in app.toggle if toggle.label == "Mirror"]


def test_nothing_counted_while_the_server_looked_for_a_way(
    open_app: OpenApp, camera: FakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script stands in the component meanwhile, and with it all that draws itself anew: the browser counts."""
    told: list[str] = []
    monkeypatch.setattr(live_camera, "COUNTER", "<p>Counting</p>")
    app = open_app("live")
    assert "Counting" not in texts(app)
    key = live_camera.generate_frontend_component_key(live_camera.KEY)
    monkeypatch.setattr(
        "streamlit.delta_generator.DeltaGenerator.html", lambda place, body, **_: told.append(body), raising=True
    )
    app.session_state[key] = {"sdpOffer": {"sdp": "…"}, "playing": False}
    app.run()
    assert "<p>Counting</p>" in told
