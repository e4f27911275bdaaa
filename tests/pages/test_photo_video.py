"""Photo, the way "Video": a clip comes in, is read, and leaves nothing behind."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import streamlit as st
from factories import make_run
from streamlit.testing.v1 import AppTest

sys.path.insert(0, str(Path(__file__).parents[1] / "inference"))

from stream_helpers import FRAMES, clip

from fer_core.access.videos import VISITORS_PLAYED_MB
from fer_core.inference.detectors import Face, HaarDetector
from fer_core.settings import settings
from pages.parts.photo import video

OpenApp = Callable[..., AppTest]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where jobs keep their files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def start(app: AppTest, content: bytes, name: str = "clip.webm") -> AppTest:
    app.file_uploader[0].set_value((name, content, "video/webm"))
    app.run()
    assert not app.exception
    app.button(key="video-start").click().run()
    return app


def finished(app: AppTest) -> AppTest:
    deadline = time.monotonic() + 120
    while app.session_state[video._JOB].progress.active and time.monotonic() < deadline:
        time.sleep(0.05)
    return app.run()


def test_a_video_is_read_shown_and_deleted(
    open_app: OpenApp, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        make_run(settings().runs_dir / name)
    monkeypatch.setattr(HaarDetector, "detect", lambda self, picture: [Face(22, 31, 58, 58, 0.9)])
    app = open_app("photo", way="Video")
    assert app.button(key="video-start").disabled
    assert any("At most 300 MB" in caption.value for caption in app.caption)
    app = finished(start(app, clip(tmp_path / "in.webm").read_bytes()))
    assert not app.exception
    assert any(text.value == "clip.webm" for text in app.header)
    assert any(f"{FRAMES} frames" in text.value and "1 face was followed" in text.value for text in app.markdown)
    assert app.selectbox(key="video-face").options == [f"Face 1, in {FRAMES - 1} frames"]
    assert app.selectbox(key="video-model").options == ["first", "second"]
    [alt] = [chart.proto.alt for chart in app.get("plotly_chart")]
    assert "Most likely in 19 samples" in alt
    assert len(app.get("video")) == 1
    app.selectbox(key="video-model").set_value("second").run()
    assert not app.exception
    app.segmented_control(key="way").set_value("Upload").run()
    assert any("Your video clip.webm has been read" in caption.value for caption in app.caption)
    app.button(key="video-show").click().run()
    assert any(text.value == "clip.webm" for text in app.header)
    app.button(key="video-another").click().run()
    assert not app.exception
    assert app.button(key="video-start").disabled
    assert list(temporary.iterdir()) == []


def test_a_visitors_video_filled_the_memory_to_be_played(
    open_app: OpenApp, visitor: None, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = finished(start(open_app("photo", way="Video"), clip(tmp_path / "in.webm").read_bytes()))
    assert len(app.get("video")) == 1
    result = app.session_state[video._JOB].video_path
    for size, played in (
        (VISITORS_PLAYED_MB * 10**6, 1),
        (VISITORS_PLAYED_MB * 10**6 + 1, 0),
    ):
        os.truncate(result, size)
        app.run()
        assert not app.exception
        assert len(app.get("video")) == played
    assert any("at most 25 MB" in info.value for info in app.info)
    app.button(key="video-another").click().run()


def test_a_bad_video_is_refused_with_what_to_do(open_app: OpenApp, temporary: Path) -> None:
    app = finished(start(open_app("photo", way="Video"), b"this is no video at all\n" * 50, "holiday.mp4"))
    assert not app.exception
    [message] = [error.value for error in app.error]
    assert message.startswith("holiday.mp4 ")
    app.button(key="video-another").click().run()
    assert list(temporary.iterdir()) == []


def test_a_click_while_a_video_was_taken_in_lost_it(
    open_app: OpenApp, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A click ends the script where the page draws something next: there the job was held by nobody yet."""
    dropped: list[object] = []

    @contextmanager
    def clicked(_words: str) -> Iterator[None]:
        yield
        if "spinner" not in seen:
            seen.append("spinner")
            st.stop()

    seen: list[str] = []
    monkeypatch.setattr(video.st, "spinner", clicked)
    monkeypatch.setattr(video.uploads, "forget", lambda *files: dropped.extend(files))
    app = start(open_app("photo", way="Video"), clip(tmp_path / "in.webm").read_bytes())
    assert [file.name for file in dropped] == ["clip.webm"]
    app = finished(app)
    assert any(text.value == "clip.webm" for text in app.header)
    app.button(key="video-another").click().run()
