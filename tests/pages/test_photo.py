"""Photo: pictures in, faces and answers out."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from edited_runs import edit_metrics
from factories import make_run, make_vote
from PIL import Image
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec
from streamlit.testing.v1 import AppTest

from fer_core.cli import main
from fer_core.errors import BusyError
from fer_core.fair_queue import FairQueue, Lane, Ticket
from fer_core.inference import yunet_fetch
from fer_core.inference.detectors import Face, HaarDetector
from fer_core.inference.faces import crop_face
from fer_core.inference.yunet_fetch import Absence
from fer_core.settings import settings
from pages.parts import detection, queue
from pages.parts.photo import faces as photo_faces
from pages.parts.photo import input

OpenApp = Callable[..., AppTest]


def png(*shape: int) -> bytes:
    """A picture of noise, in which nobody sees a face."""
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    app.file_uploader[0].set_value([(name, content, "image/png") for name, content in files])
    return app.run()


def numbers(app: AppTest, which: int = 0) -> pd.DataFrame:
    """The probabilities of the face that is drawn as number ``which``."""
    return [table.value for table in app.dataframe if "Probability (%)" in table.value.columns][which]


def overview(app: AppTest) -> pd.DataFrame:
    """One line a face."""
    [table] = [table.value for table in app.dataframe if "Picture" in table.value.columns]
    return table


def button(app: AppTest, label: str) -> Any:
    return next(one for one in app.button if one.label == label)


def test_the_uploader_named_kinds_that_are_not_read(open_app: OpenApp) -> None:
    app = open_app("photo")
    assert list(app.file_uploader[0].proto.type) == []
    assert any("GIF and TIFF" in caption.value for caption in app.caption)


def test_without_models_it_says_what_to_do(open_app: OpenApp) -> None:
    app = open_app("photo")
    assert not app.exception
    assert any("no model yet" in info.value for info in app.info)
    assert any("Haar" in caption.value for caption in app.caption)
    assert any("fetch" in caption.value.lower() and "YuNet" in caption.value for caption in app.caption)
    assert button(app, "Fetch YuNet now")
    app = upload(app, ("small.png", png(48, 48)))
    assert not app.exception
    assert any("takes something else for a face" in caption.value for caption in app.caption)
    assert any("Face 1" in text.value for text in app.markdown)


def bars_of(app: AppTest) -> list[str]:
    """The tables of probabilities: one a model for each face."""
    return [one.proto.body for one in app.get("html") if "Probabilities by" in one.proto.body]


def test_each_model_answers_and_so_does_the_vote(open_app: OpenApp) -> None:
    members = [make_run(settings().runs_dir / name) for name in ("first", "second")]
    make_vote(settings().runs_dir / "vote", members, temperatures=(1.0, 3.0))
    app = upload(open_app("photo"), ("small.png", png(48, 48)))
    assert not app.exception
    table = numbers(app)
    assert set(table.columns) == {"Probability (%)", "first", "second", "vote"}
    assert table["first"].sum() == pytest.approx(100, abs=0.01)
    assert sorted("by first," in bars for bars in bars_of(app)) == [False, False, True]
    # The vote's bars are the large ones.
    assert any('aria-label="By vote"' in one.proto.body for one in app.get("html"))
    app = upload(open_app("photo", models=["vote", "second"]), ("small.png", png(48, 48)))
    voted = numbers(app)
    assert set(voted.columns) == {"Probability (%)", "vote", "second"}
    assert voted["vote"].max() < table["first"].max()
    members[0].tflite_path.unlink()
    app = upload(open_app("photo", models=["vote", "second"]), ("small.png", png(48, 48)))
    assert any("the vote vote needs the run first" in warning.value for warning in app.warning)
    assert set(numbers(app).columns) == {"Probability (%)", "second"}


def test_the_page_is_drawn_anew_when_fetching_the_detector_has_ended(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = iter([(Absence.COMING, "")])
    monkeypatch.setattr(yunet_fetch, "absence", lambda: next(said, (Absence.FAILED, "There is no network.")))
    app = open_app("photo")
    assert not app.exception
    assert next(said, None) is None
    assert not any("is being fetched" in caption.value for caption in app.caption)
    assert any("no network" in caption.value for caption in app.caption)


def test_calibrated_probabilities_on_request_and_who_has_none_is_named(open_app: OpenApp) -> None:
    run = make_run(settings().runs_dir / "fitted")
    stored = {"value": 3.0, "fitted_on": "PublicTest", "splits": {}}
    edit_metrics(run, lambda metrics: metrics.update(temperature=stored))
    make_run(settings().runs_dir / "old")
    app = upload(open_app("photo"), ("small.png", png(48, 48)))
    plain = numbers(app)
    assert not app.warning
    app.toggle(key="calibrated").set_value(True).run()
    assert not app.exception
    table = numbers(app)
    assert table["fitted"].sum() == pytest.approx(100, abs=0.01)
    assert table["fitted"].max() < plain["fitted"].max()
    assert table["fitted"].idxmax() == plain["fitted"].idxmax()
    np.testing.assert_array_equal(table["old"], plain["old"])
    assert any("No temperature was fitted for old" in warning.value for warning in app.warning)


def test_many_pictures_make_one_table_and_few_figures(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(settings().runs_dir / "first")
    faces = [Face(20 * index, 10, 60 - index, 60, 0.9) for index in range(6)]
    monkeypatch.setattr(HaarDetector, "detect", lambda self, picture: faces[: 2 if picture.shape[1] > 400 else 6])
    pictures = [(f"{index}.png", png(200, 300, 3)) for index in range(3)]
    app = upload(open_app("photo", maps="true"), *pictures, ("wide.png", png(200, 500, 3)), ("bad.png", b"no picture"))
    assert not app.exception
    assert any("bad.png is not a picture" in error.value for error in app.error)
    table = overview(app)
    assert list(table["Picture"]) == ["0.png"] * 6 + ["1.png"] * 6 + ["2.png"] * 6 + ["wide.png"] * 2
    assert list(table["Face"][:6]) == [1, 2, 3, 4, 5, 6]
    assert all("%" in said for said in table["first"])
    assert any("4 pictures, 20 faces" in text.value for text in app.header)
    assert len(bars_of(app)) == photo_faces.AT_ONCE
    assert any("Faces 1 to 4 of 6" in caption.value for caption in app.caption)
    alts = [one.alt for image in app.image for one in image.proto.imgs]
    assert sum("Face with the map of" in alt and "6 × 6 cells" in alt for alt in alts) == photo_faces.AT_ONCE
    app.button(key="Smaller faces-above").click().run()
    assert any("Faces 5 to 6 of 6" in caption.value for caption in app.caption)
    app.button(key="photo-step-Next").click().run()
    app.selectbox(key="photo-open").set_value(3).run()
    assert not app.exception
    assert "wide.png" in [text.value for text in app.header]
    assert len(bars_of(app)) == 2


def test_what_is_taken_away_is_what_the_command_line_gives(
    open_app: OpenApp,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_run(settings().runs_dir / "first")
    taken: dict[str, bytes] = {}
    original = st.download_button

    def download_button(label: str, data: Any, **options: Any) -> bool:
        taken[options["file_name"]] = data()
        return bool(original(label, data, **options))

    monkeypatch.setattr(st, "download_button", download_button)
    upload(open_app("photo"), ("small.png", png(48, 48)), ("bad.png", b"no picture"))
    (tmp_path / "small.png").write_bytes(png(48, 48))
    command = ["predict", str(tmp_path / "small.png"), "--json", "--out", str(tmp_path / "faces.csv")]
    capsys.readouterr()
    assert main(command) == 0
    expected = json.loads(capsys.readouterr().out)
    found = json.loads(taken["faces.json"])
    [picture], [reference] = found["pictures"], expected["pictures"]
    assert picture["faces"] == reference["faces"]
    assert (found["models"], found["detector"]) == (expected["models"], expected["detector"])
    assert "takes something else for a face" in found["detector_caution"] == expected["detector_caution"]
    assert [problem["file"] for problem in found["problems"]] == ["bad.png"]
    csv_text = (tmp_path / "faces.csv").read_bytes().replace(str(tmp_path / "small.png").encode(), b"small.png")
    assert taken["faces.csv"] == csv_text


def test_a_face_leads_to_explain(open_app: OpenApp) -> None:
    make_run(settings().runs_dir / "first")
    app = upload(open_app("photo"), ("small.png", png(48, 48)))
    button(app, "Explain").click().run()
    assert not app.exception
    assert app.title[0].value == "Explain"
    assert any("small.png, face 1" in caption.value for caption in app.caption)
    app.switch_page("pages/photo.py").run()
    assert any("1 picture, in this visit" in caption.value for caption in app.caption)
    assert list(overview(app)["Picture"]) == ["small.png"]
    button(app, "Forget").click().run()
    assert not app.dataframe


def test_no_face_is_said_and_the_middle_offered(open_app: OpenApp) -> None:
    make_run(settings().runs_dir / "first")
    app = upload(open_app("photo"), ("noise.png", png(300, 200, 3)))
    assert not app.exception
    assert any("found no face" in info.value for info in app.info)
    assert not app.dataframe
    next(toggle for toggle in app.toggle if "middle of the picture" in toggle.label).set_value(True).run()
    assert not app.exception
    assert len(overview(app)) == 1


def test_too_much_is_left_out_with_a_word(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input, "MOST_PICTURES", 2)
    app = upload(open_app("photo"), *((f"{index}.png", png(48, 48)) for index in range(4)))
    assert not app.exception
    assert list(overview(app)["Picture"]) == ["0.png", "1.png"]
    [warning] = [warning.value for warning in app.warning if "left out" in warning.value]
    assert "2 pictures were left out, because at most 2 pictures and 150 MB are read at once: 2.png, 3.png" in warning
    monkeypatch.setattr(input, "MOST_MB", 0)
    app = upload(open_app("photo"), ("0.png", png(48, 48)))
    assert any("1 picture was left out" in warning.value for warning in app.warning)


def test_heic_is_refused_with_what_to_do(open_app: OpenApp) -> None:
    app = upload(open_app("photo"), ("IMG_1.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), ("small.png", png(48, 48)))
    assert not app.exception
    assert any("IMG_1.heic is not a picture that can be read. It is a HEIC picture" in one.value for one in app.error)
    assert list(overview(app)["Picture"]) == ["small.png"]


def test_a_damaged_model_is_named_and_left_out(open_app: OpenApp) -> None:
    make_run(settings().runs_dir / "sound")
    make_run(settings().runs_dir / "broken").tflite_path.write_bytes(b"")
    app = upload(open_app("photo"), ("small.png", png(48, 48)))
    assert not app.exception
    assert any("model.tflite is damaged" in warning.value for warning in app.warning)
    assert set(numbers(app).columns) == {"Probability (%)", "sound"}


def test_nothing_is_written(home: Path, open_app: OpenApp) -> None:
    app = open_app("photo")
    before = sorted(home.rglob("*"))
    upload(app, ("small.png", png(48, 48)))
    assert sorted(home.rglob("*")) == before


@pytest.mark.parametrize(("height", "width"), [(300, 200), (200, 300), (1, 1), (31, 500)])
def test_the_middle_stays_inside_the_picture(height: int, width: int) -> None:
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    face = detection.centre(picture)
    assert 0 <= face.x <= face.x + face.width <= width
    assert 0 <= face.y <= face.y + face.height <= height
    assert crop_face(picture, face).shape == (48, 48)


def test_numbered_shrinks_a_large_picture_and_marks_its_faces() -> None:
    picture = np.zeros((3000, 1500, 3), dtype=np.uint8)
    shown = detection.numbered(picture, [Face(600, 600, 300, 300, 1.0), Face(-20, -20, 200, 200, 1.0)])
    assert shown.shape == (1000, 500, 3)
    assert shown[200:300, 200:300].any()
    assert not shown[600:].any()
    assert not picture.any()


def test_pictures_read_so_far_were_lost_where_the_server_became_busy(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def read(content: bytes, name: str, key: str, detector: HaarDetector) -> input.Seen:
        calls.append(name)
        return one(content, name, key, detector)

    class Line(FairQueue):
        def ask(self, owner: str, lane: Lane, *, called: Callable[[], None] | None = None) -> Ticket:
            if lane == Lane.PICTURE and len(calls) == 2 and not released:
                raise BusyError("This server is busy. Try again in a moment.")
            return super().ask(owner, lane, called=called)

    one, released = input.read_one, []
    monkeypatch.setattr(input, "read_one", read)
    monkeypatch.setattr(queue, "QUEUE", Line(dict.fromkeys(Lane, 1), free=lambda: 1e9))
    app = upload(open_app("photo"), *((f"{name}.png", png(48, 48)) for name in "abcd"))
    assert any("busy" in warning.value for warning in app.warning)
    assert calls == ["a.png", "b.png"]
    released.append(True)
    app.run()
    assert not app.exception
    assert calls == [f"{name}.png" for name in "abcd"]
    assert list(overview(app)["Picture"]) == calls


def test_a_picture_that_is_cut_already_is_one_face_as_a_whole(home: Path, open_app: OpenApp) -> None:
    make_run(settings().runs_dir / "one")
    app = upload(open_app("photo", cut="true"), ("cut.png", png(120, 90, 3)))
    assert not app.exception
    assert "1 picture, 1 face" in [element.value for element in app.header]
    app = upload(open_app("photo"), ("cut.png", png(120, 90, 3)))
    assert "1 picture, 0 faces" in [element.value for element in app.header]


def test_pasted_pictures_that_were_not_read_went_without_a_word(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their field is empty at the next run: nobody would bring them again."""
    pasted = [UploadedFile(UploadedFileRec(name, "image.png", "", png(48, 48)), FileURLs()) for name in "abc"]
    given: list[list[UploadedFile]] = []
    forgotten: list[UploadedFile] = []
    monkeypatch.setattr(input, "_paste", lambda: given.pop() if given else [])
    monkeypatch.setattr(input.uploads, "forget", lambda *files: forgotten.extend(files))
    one, read = input.read_one, list[str]()

    def click(content: bytes, name: str, key: str, detector: HaarDetector) -> input.Seen:
        if read:
            st.stop()
        read.append(name)
        return one(content, name, key, detector)

    monkeypatch.setattr(input, "read_one", click)
    app = open_app("photo", way="Paste")
    given.append(pasted)
    app.run()
    assert forgotten == pasted
    app.run()
    assert not app.exception
    assert any("2 pasted pictures were not read" in warning.value for warning in app.warning)
    assert any("1 picture, in this visit" in caption.value for caption in app.caption)
    app.run()
    assert not [warning for warning in app.warning if "pasted" in warning.value]


def test_an_example_is_a_click_away_and_its_faces_are_found(open_app: OpenApp) -> None:
    make_run(settings().runs_dir / "first")
    app = open_app("photo")
    app.button(key="photo-example-2").click().run()
    assert not app.exception
    assert overview(app)["Face"].tolist() == [1, 2]
    assert not [one for one in app.button if (one.key or "").startswith("photo-example")]
    # Forgotten, they are offered again.
    button(app, "Forget").click().run()
    app.button(key="photo-example-1").click().run()
    assert overview(app)["Face"].tolist() == [1]
