"""Photo: pictures in, faces and answers out."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from factories import make_run, make_vote
from PIL import Image
from streamlit.testing.v1 import AppTest

from fer_core.inference.detectors import Face
from fer_core.inference.faces import crop_face
from fer_core.runs.folder import write_json
from fer_core.settings import settings
from pages.parts import photo

OpenApp = Callable[..., AppTest]


def png(*shape: int) -> bytes:
    """A picture of noise, in which nobody sees a face."""
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    app.file_uploader[0].set_value([(name, content, "image/png") for name, content in files])
    return app.run()


def test_without_models_it_says_what_to_do(open_app: OpenApp) -> None:
    app = open_app("photo")
    assert not app.exception
    assert any("no model yet" in info.value for info in app.info)
    assert any("Haar" in caption.value for caption in app.caption)
    app = upload(app, ("small.png", png(48, 48)))
    assert not app.exception
    assert any("Face 1" in text.value for text in app.markdown)


def test_each_model_answers_with_seven_probabilities(open_app: OpenApp) -> None:
    for name in ("first", "second"):
        make_run(settings().runs_dir / name)
    app = upload(open_app("photo"), ("small.png", png(48, 48)))
    assert not app.exception
    table = app.dataframe[0].value
    assert set(table.columns) == {"Probability (%)", "first", "second"}
    assert table["first"].sum() == pytest.approx(100, abs=0.01)
    alts = [chart.proto.alt for chart in app.get("plotly_chart")]
    assert len(alts) == 2
    assert "first says" in "".join(alts)


def test_models_come_from_the_address(open_app: OpenApp) -> None:
    for name in ("first", "second"):
        make_run(settings().runs_dir / name)
    app = upload(open_app("photo", models="second"), ("small.png", png(48, 48)))
    assert set(app.dataframe[0].value.columns) == {"Probability (%)", "second"}


def test_calibrated_probabilities_on_request_and_who_has_none_is_named(open_app: OpenApp) -> None:
    run = make_run(settings().runs_dir / "fitted")
    stored = {"value": 3.0, "fitted_on": "PublicTest", "splits": {}}
    write_json(run.metrics_path, {**(run.metrics() or {}), "temperature": stored})
    make_run(settings().runs_dir / "old")
    app = upload(open_app("photo"), ("small.png", png(48, 48)))
    plain = app.dataframe[0].value
    assert not app.warning
    app.toggle(key="calibrated").set_value(True).run()
    assert not app.exception
    table = app.dataframe[0].value
    assert table["fitted"].sum() == pytest.approx(100, abs=0.01)
    assert table["fitted"].max() < plain["fitted"].max()
    assert table["fitted"].idxmax() == plain["fitted"].idxmax()
    np.testing.assert_array_equal(table["old"], plain["old"])
    assert any("No temperature was fitted for old" in warning.value for warning in app.warning)
    app = upload(open_app("photo", calibrated="true"), ("small.png", png(48, 48)))
    np.testing.assert_array_equal(app.dataframe[0].value["fitted"], table["fitted"])


def test_no_face_is_said_and_the_middle_offered(open_app: OpenApp) -> None:
    make_run(settings().runs_dir / "first")
    app = upload(open_app("photo"), ("noise.png", png(300, 200, 3)))
    assert not app.exception
    assert any("found no face" in info.value for info in app.info)
    assert not app.dataframe
    app.toggle(key="whole-0").set_value(True).run()
    assert not app.exception
    assert len(app.dataframe) == 1


def test_a_bad_file_does_not_take_the_others_along(open_app: OpenApp) -> None:
    app = upload(open_app("photo"), ("bad.png", b"no picture"), ("small.png", png(48, 48)))
    assert not app.exception
    assert any("bad.png is not a picture" in error.value for error in app.error)
    assert any("Face 1" in text.value for text in app.markdown)


def test_a_damaged_model_is_named_and_left_out(open_app: OpenApp) -> None:
    make_run(settings().runs_dir / "sound")
    make_run(settings().runs_dir / "broken").tflite_path.write_bytes(b"")
    app = upload(open_app("photo"), ("small.png", png(48, 48)))
    assert not app.exception
    assert any("model.tflite is damaged" in warning.value for warning in app.warning)
    assert set(app.dataframe[0].value.columns) == {"Probability (%)", "sound"}


def test_nothing_is_written(home: Path, open_app: OpenApp) -> None:
    app = open_app("photo")
    before = sorted(home.rglob("*"))
    upload(app, ("small.png", png(48, 48)))
    assert sorted(home.rglob("*")) == before


@pytest.mark.parametrize(("height", "width"), [(300, 200), (200, 300), (1, 1), (31, 500)])
def test_the_middle_stays_inside_the_picture(height: int, width: int) -> None:
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    face = photo.centre(picture)
    assert 0 <= face.x <= face.x + face.width <= width
    assert 0 <= face.y <= face.y + face.height <= height
    assert crop_face(picture, face).shape == (48, 48)


def test_numbered_shrinks_a_large_picture_and_marks_its_faces() -> None:
    picture = np.zeros((3000, 1500, 3), dtype=np.uint8)
    shown = photo.numbered(picture, [Face(600, 600, 300, 300, 1.0), Face(-20, -20, 200, 200, 1.0)])
    assert shown.shape == (1000, 500, 3)
    assert shown[200:300, 200:300].any()
    assert not shown[600:].any()
    assert not picture.any()


def test_a_vote_answers_beside_its_members(open_app: OpenApp) -> None:
    members = [make_run(settings().runs_dir / name) for name in ("first", "second")]
    make_vote(settings().runs_dir / "vote", members, temperatures=(1.0, 3.0))
    app = upload(open_app("photo"), ("small.png", png(48, 48)))
    assert not app.exception
    table = app.dataframe[0].value
    assert set(table.columns) == {"Probability (%)", "first", "second", "vote"}
    assert table["vote"].sum() == pytest.approx(100, abs=0.01)
    assert table["vote"].max() < table["first"].max()
    members[0].tflite_path.unlink()
    app = upload(open_app("photo"), ("small.png", png(48, 48)))
    assert any("the vote vote needs the run first" in warning.value for warning in app.warning)
