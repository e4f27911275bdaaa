"""What is taken away from Live: frozen faces and recorded numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from live_page import FakeBrowser, OpenApp, running, stream_of, texts


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
