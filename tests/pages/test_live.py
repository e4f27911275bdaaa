"""Live, with the browser's side of the camera replaced: frames are handed to the callback that it would call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from aiortc.contrib.media import MediaRelay
from factories import make_run, make_vote
from streamlit.testing.v1 import AppTest

from fer_core.fair_queue import FairQueue, Lane
from fer_core.inference.detectors import Face
from fer_core.inference.stream import connection
from fer_core.inference.stream.live import LiveStream
from fer_core.settings import settings
from pages.parts import queue
from pages.parts.live import camera as live_camera
from pages.parts.live import help

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


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBrowser]:
    fake = FakeBrowser()
    monkeypatch.setattr(live_camera, "webrtc_streamer", fake)
    # It belongs to a running server, which AppTest is not.
    monkeypatch.setattr(live_camera, "get_global_relay", MediaRelay)
    monkeypatch.setattr("pages.parts.detection.choose_detector", MadeDetector)
    # A slow computer must not look like a broken camera.
    monkeypatch.setattr(connection, "STALL_S", 600.0)
    yield fake
    if fake.options:
        fake.options["on_video_ended"]()


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


@pytest.fixture
def models(home: Path) -> None:
    members = [make_run(settings().runs_dir / name) for name in ("first", "second")]
    make_vote(settings().runs_dir / "poll", members)


def test_without_models_faces_are_followed_and_it_says_what_to_do(open_app: OpenApp, camera: FakeBrowser) -> None:
    app = open_app("live")
    assert not app.exception
    assert "no model yet" in texts(app)
    app = running(app, camera)
    assert "Face 1" in texts(app)
    assert "no model is chosen" in texts(app).lower()


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
def test_all_models_answer_with_seven_bars_each(open_app: OpenApp, camera: FakeBrowser) -> None:
    app = open_app("live")
    assert not app.get("vega_lite_chart"), "no empty picture before there is anything to draw"
    app = running(app, camera)
    (table,) = (element.proto.body for element in app.get("html") if "live-face" in element.proto.body)
    assert "poll says" in table, "the vote leads"
    assert re.findall(r"(\w+): <b>", table) == ["second", "first"]
    assert re.findall(r'scope="row"[^>]*>([^<]*)<', table) == [
        *("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    ]
    assert table.count(" %</td>") == 7
    assert [metric.label for metric in app.metric] == ["Camera", "Models", "Lag", "Dropped"]
    assert stream_of(app).plan.style.model == "poll", "the vote stands on the picture"
    assert "poll about face 1" in texts(app)
    assert len(app.get("vega_lite_chart")) == 1
    assert "Now most likely" in texts(app)


@pytest.mark.usefixtures("models")
def test_a_vote_that_needs_a_model_beyond_those_that_run_is_left_out_of_all(
    open_app: OpenApp, camera: FakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.parts.live.settings.MOST", 1)
    app = open_app("live")
    assert list(stream_of(app).plan.models) == ["second"]
    app.pills(key="live.model").set_value("poll").run()
    assert list(stream_of(app).plan.models) == ["poll"], "it can be chosen alone"


@pytest.mark.usefixtures("models")
def test_the_switch_works_while_the_camera_runs(open_app: OpenApp, camera: FakeBrowser) -> None:
    app = running(open_app("live"), camera)
    live = stream_of(app)
    app.pills(key="live.model").set_value("first").run()
    assert stream_of(app) is live, "the stream goes on"
    camera.send(live)
    app.run()
    shot = live.shot()
    assert shot is not None
    (face,) = shot.result.faces
    assert list(face.shown) == ["first"]
    assert face.number == 1
    assert live.error is None


@pytest.mark.usefixtures("models")
def test_the_address_says_it_all(open_app: OpenApp, camera: FakeBrowser) -> None:
    query = {"live.model": "second", "live.map": "happy", "live.beside": "Nothing", "live.mirror": "false"}
    app = open_app("live", **query, **{"live.smoothing": "1.0", "live.unsure": "Never"})
    assert not app.exception
    plan = stream_of(app).plan
    assert list(plan.models) == ["second"]
    assert (plan.style.model, plan.style.bars, plan.style.mirrored) == ("second", False, False)
    assert (plan.settings.map_model, plan.settings.map_class) == ("second", 3)
    assert plan.settings.smoothing_s == 1.0
    assert plan.settings.unsure_below == {"second": 0.0}


@pytest.mark.usefixtures("models")
def test_limits_come_from_publictest_one_a_model(open_app: OpenApp, camera: FakeBrowser) -> None:
    app = open_app("live")
    limits = stream_of(app).plan.settings.unsure_below
    assert isinstance(limits, dict)
    assert set(limits) == {"first", "second", "poll"}
    assert all(0 < limit < 1 for limit in limits.values())
    assert "from this probability on: second" in texts(app)


def test_an_unknown_model_in_the_address_is_named(open_app: OpenApp, camera: FakeBrowser, models: None) -> None:
    app = open_app("live", **{"live.model": "nobody"})
    assert "no model called “nobody”" in texts(app)
    assert len(stream_of(app).plan.models) == 3


def test_a_damaged_model_is_named_and_left_out(open_app: OpenApp, camera: FakeBrowser, models: None) -> None:
    make_run(settings().runs_dir / "broken").tflite_path.write_bytes(b"")
    app = open_app("live")
    assert not app.exception
    assert "model.tflite is damaged" in texts(app)
    assert "broken" not in stream_of(app).plan.models


@pytest.mark.usefixtures("models")
def test_a_frozen_face_is_explained(open_app: OpenApp, camera: FakeBrowser) -> None:
    app = running(open_app("live"), camera)
    app.button(key="live-freeze").click().run()
    assert not app.exception
    assert "Frozen at" in texts(app)
    shot = stream_of(app).shot()
    assert shot is not None
    app.button(key="live-frozen-1-explain").click().run()
    assert not app.exception
    (brought,) = app.session_state["_brought_faces"].values()
    assert brought.label is None
    assert brought.title.startswith("Live at ")
    assert [title.value for title in app.title] == ["Explain"]


@pytest.mark.usefixtures("models")
def test_a_frozen_face_is_kept_as_a_mistake_with_your_label(home: Path, open_app: OpenApp, camera: FakeBrowser) -> None:
    app = running(open_app("live"), camera)
    before = sorted(home.rglob("*"))
    app.button(key="live-freeze").click().run()
    assert app.button(key="live-frozen-1-keep").disabled
    app.selectbox(key="live-frozen-1-label").set_value(4).run()
    app.button(key="live-frozen-1-keep").click().run()
    assert not app.exception
    (brought,) = app.session_state["_brought_faces"].values()
    assert brought.label == 4
    assert brought.image.shape == (48, 48)
    assert "Kept for this visit as 😢 sad" in texts(app)
    assert any("Download the face" in button.proto.label for button in app.get("download_button"))
    app.button(key="live-forget").click().run()
    assert "Frozen at" not in texts(app)
    assert sorted(home.rglob("*")) == before, "nothing is written"


@pytest.mark.usefixtures("models")
def test_freezing_before_the_first_frame_says_so(open_app: OpenApp, camera: FakeBrowser) -> None:
    app = open_app("live")
    assert app.button(key="live-freeze").disabled
    camera.start()
    app.run()
    app.button(key="live-freeze").click().run()
    assert "No frame has come yet" in texts(app)


@pytest.mark.usefixtures("models")
def test_numbers_are_recorded_and_offered(open_app: OpenApp, camera: FakeBrowser) -> None:
    app = open_app("live")
    assert app.button(key="live-record-start").disabled
    app = running(app, camera)
    app.button(key="live-record-start").click().run()
    camera.send(stream_of(app))
    app.run()
    assert "Recording:" in texts(app)
    app.button(key="live-record-stop").click().run()
    recorder = stream_of(app).recorder
    assert (recorder.on, recorder.rows >= 3) == (False, True)
    (button,) = app.get("download_button")
    assert f"Download CSV ({recorder.rows} lines" in button.proto.label
    assert recorder.to_csv().startswith("time_s,face,model,p_angry")
    app.button(key="live-record-forget").click().run()
    assert not app.get("download_button")


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


@pytest.mark.usefixtures("models")
def test_the_help_opens_by_itself_when_no_picture_comes(
    open_app: OpenApp, camera: FakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variables in help.PROVIDERS.values():
        for variable in variables:
            monkeypatch.delenv(variable, raising=False)
    app = open_app("live")
    assert not app.expander[-1].proto.expanded
    camera.state = SimpleNamespace(playing=False, signalling=True)
    app.run()
    assert "Connecting: 0 s" in texts(app)
    monkeypatch.setattr(connection, "PATIENCE_S", 0.0)
    app.run()
    assert "No picture after" in texts(app)
    assert "no TURN server" in texts(app)
    open_expanders = [expander.label for expander in app.expander if expander.proto.expanded]
    assert open_expanders == ["Connection help"]


def test_the_help_names_the_equal_ways_in_and_the_secrets(open_app: OpenApp, camera: FakeBrowser) -> None:
    app = open_app("live")
    code = "\n".join(block.value for block in app.code)
    for variables in help.PROVIDERS.values():
        for variable in variables:
            assert variable in code
    links = [link.proto.label for link in app.get("page_link")]
    assert {"Take one picture", "Upload pictures", "Upload a video"} <= set(links)


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
