"""``python -m fer_core predict`` on pictures, folders and videos."""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import os
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from edited_runs import edit_metrics
from factories import make_run
from PIL import Image
from stream_helpers import clip

from fer_core.cli import main, predict
from fer_core.emotions import NAMES
from fer_core.errors import DataError, FerError, PartlyDoneError, RunError
from fer_core.inference import detectors, picture_files
from fer_core.inference.faces import Face
from fer_core.inference.models import load_model
from fer_core.inference.pictures import HEADER
from fer_core.runs.folder import RunFolder
from fer_core.settings import settings


@pytest.fixture
def faces(tmp_path: Path) -> np.ndarray:
    """Two faces of 48×48, also as files a.png and b.png."""
    images = np.random.default_rng(0).integers(0, 256, (2, 48, 48), dtype=np.uint8)
    for name, image in zip("ab", images, strict=True):
        Image.fromarray(image).save(tmp_path / f"{name}.png")
    return images


def printed(*arguments: str | Path) -> str:
    """What the command prints; where it ends with an error, that is raised."""
    parser = argparse.ArgumentParser()
    predict.add(parser.add_subparsers())
    args = parser.parse_args(["predict", *map(str, arguments)])
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert args.run(args) is None
    return out.getvalue()


def run(*arguments: str | Path) -> tuple[dict, str]:
    """Its one JSON object, and its sentences."""
    return json.loads(printed(*arguments, "--json")), printed(*arguments).removesuffix("\n")


def test_every_model_answers_for_every_face(home: Path, tmp_path: Path, faces: np.ndarray) -> None:
    make_run(settings().models_dir / "custom_cnn", name="First")
    make_run(settings().runs_dir / "mine", name="Second")
    result, text = run(tmp_path / "a.png", tmp_path / "b.png")
    assert result == json.loads(json.dumps(result))
    assert [model["title"] for model in result["models"]] == ["First", "Second"]
    assert result["detector"].startswith("Haar")
    expected = load_model("mine").predict(faces)
    for index, picture in enumerate(result["pictures"]):
        [face] = picture["faces"]
        assert face["box"] == {"x": 0, "y": 0, "width": 48, "height": 48}
        assert list(face["probabilities"]) == ["custom_cnn", "mine"]
        found = [face["probabilities"]["mine"][name] for name in NAMES]
        np.testing.assert_allclose(found, expected[index], atol=1e-5)
    assert text.count("\n  First: ") == 2
    best = NAMES[int(expected[0].argmax())]
    assert f"  Second: {best} {100 * expected[0].max():.1f} %" in text


def test_one_model_and_faces_in_a_larger_picture(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(settings().runs_dir / "one")
    make_run(settings().runs_dir / "two")
    Image.new("RGB", (300, 200), "grey").save(tmp_path / "group.jpg")
    boxes = [Face(10, 10, 50, 50, 0.8), Face(100, 20, 90, 120, 0.9)]
    monkeypatch.setattr(detectors.HaarDetector, "detect", lambda self, image: boxes)
    result, text = run(tmp_path / "group.jpg", "--model", "two")
    assert [model["name"] for model in result["models"]] == ["two"]
    assert [face["box"]["width"] for face in result["pictures"][0]["faces"]] == [90, 50]
    assert "face 1 of 2, 90×120 pixels at x 100, y 20" in text
    monkeypatch.setattr(detectors.HaarDetector, "detect", lambda self, image: [])
    result, text = run(tmp_path / "group.jpg")
    assert result["pictures"][0]["faces"] == []
    assert "no face found" in text


def test_bad_files_are_named_and_the_good_ones_kept(
    home: Path, tmp_path: Path, faces: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(settings().runs_dir / "one")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty.jpg").touch()
    paths = [tmp_path / name for name in ("a.png", "notes.txt", "gone.png", "empty.jpg")]
    assert main(["predict", *map(str, paths), "--json"]) == 1
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    assert [Path(picture["file"]).name for picture in result["pictures"]] == ["a.png"]
    reasons = {Path(problem["file"]).name: problem["reason"] for problem in result["problems"]}
    assert set(reasons) == {"notes.txt", "gone.png", "empty.jpg"}
    assert "notes.txt is not a picture" in reasons["notes.txt"]
    assert "gone.png cannot be read (No such file or directory)" in reasons["gone.png"]
    assert "it is empty" in reasons["empty.jpg"]
    assert all(f"error: {reason}" in printed.err for reason in reasons.values())
    assert main(["predict", *map(str, paths)]) == 1
    assert "a.png, face 1 of 1" in capsys.readouterr().out
    with pytest.raises(DataError) as caught:
        run(*paths[1:], "--out", tmp_path / "table.csv")
    assert all(name in str(caught.value) for name in reasons)
    assert sorted(path.name for path in tmp_path.glob("*.csv*")) == []


@pytest.mark.skipif(sys.platform == "win32", reason="file names of POSIX")
def test_names_of_any_bytes_are_read_shown_and_written(
    home: Path, tmp_path: Path, faces: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture's name that is no UTF-8 ended the table with a traceback; a formula in it was live in a spreadsheet."""
    make_run(settings().runs_dir / "one", name="=1+1")
    monkeypatch.chdir(tmp_path)
    for name in ("=a\nb.png", os.fsdecode(b"=\xff.png")):
        shutil.copy("a.png", name)
    _, text = run("=a\nb.png", os.fsdecode(b"=\xff.png"), "--out", "answers.csv")
    assert r"=a\nb.png, face 1 of 1" in text
    lines = list(csv.DictReader(Path("answers.csv").read_text(encoding="utf-8").splitlines(keepends=True)))
    assert [line["file"] for line in lines] == ["'=a\nb.png", r"'=\udcff.png"]


def test_folders_are_searched_through_and_through(home: Path, tmp_path: Path, faces: np.ndarray) -> None:
    make_run(settings().runs_dir / "one")
    album = tmp_path / "album"
    for place in ("a.png", "b.png", "deep/er/c.PNG", ".hidden/d.png", ".e.png"):
        (album / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tmp_path / "a.png", album / place)
    (album / "notes.txt").write_text("hello")
    result, text = run(album, album / "a.png")
    names = [Path(picture["file"]).name for picture in result["pictures"]]
    assert names == ["a.png", "b.png", "c.PNG"]
    assert result["passed_over"] == 1
    assert "1 other file in the folders passed over" in text
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="none holds no picture or video"):
        run(tmp_path / "none")
    (album / "deep" / "iphone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with pytest.raises(PartlyDoneError, match=r"HEIC picture, as iPhones store them.*export it as JPEG"):
        run(album)


def test_the_table_has_a_line_for_each_face_and_model(home: Path, tmp_path: Path, faces: np.ndarray) -> None:
    for name in ("one", "two", "three"):
        make_run(settings().runs_dir / name)
    out = tmp_path / "answers.csv"
    result, _ = run(tmp_path / "a.png", tmp_path / "b.png", "--models", "one, two", "--out", out)
    lines = list(csv.DictReader(out.open(encoding="utf-8", newline="")))
    assert tuple(lines[0]) == HEADER
    assert [(Path(line["file"]).name, line["face"], line["model"]) for line in lines] == [
        (name, "1", model) for name in ("a.png", "b.png") for model in ("one", "two")
    ]
    values = result["pictures"][0]["faces"][0]["probabilities"]["one"]
    assert {name: float(lines[0][f"p_{name}"]) for name in NAMES} == pytest.approx(values, abs=1e-6)
    assert lines[0]["answer"] == max(values, key=values.get)
    assert float(lines[0]["confidence"]) == pytest.approx(max(values.values()), abs=1e-6)
    assert (lines[0]["time_s"], lines[0]["width"]) == ("", "48")
    with pytest.raises(FerError, match="Make it first"):
        run(tmp_path / "a.png", "--out", tmp_path / "nowhere" / "answers.csv")


def test_models_are_asked_once_and_by_any_name(home: Path, tmp_path: Path, faces: np.ndarray) -> None:
    one = make_run(settings().runs_dir / "one")
    make_run(settings().runs_dir / "two")
    result, _ = run(tmp_path / "a.png", "--models", "all", "--model", str(one.path))
    assert sorted(model["name"] for model in result["models"]) == ["one", "two"]
    copied = shutil.copytree(one.path, tmp_path / "elsewhere" / "one")
    with pytest.raises(RunError, match="have the same name, one"):
        run(tmp_path / "a.png", "--models", f"one,{copied}")


def test_a_video_is_told_face_by_face_and_at_moments(
    home: Path, tmp_path: Path, faces: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(settings().runs_dir / "one")
    clip(tmp_path / "clip.webm", frames=25)
    box = Face(20, 30, 60, 60, 0.9)
    monkeypatch.setattr(detectors.HaarDetector, "detect", lambda self, image: [box])
    out = tmp_path / "answers.csv"
    result, text = run(tmp_path / "clip.webm", tmp_path / "a.png", "--out", out)
    [video], [picture] = result["videos"], result["pictures"]
    assert (video["frames"], video["width"], video["height"], video["note"]) == (25, 160, 120, "")
    assert video["seconds"] == pytest.approx(2.5, abs=0.05)
    assert Path(picture["file"]).name == "a.png"
    [face] = video["faces"]
    assert face["frames"] == video["frames_with_faces"] == 24
    assert sum(face["probabilities"]["one"].values()) == pytest.approx(1, abs=1e-5)
    assert sum(face["shown"]["one"].values()) == pytest.approx(1, abs=1e-3)
    times = [moment["time_s"] for moment in video["moments"]]
    assert times == pytest.approx([0.1, 1.1, 2.1], abs=0.01)
    assert video["moments"][0]["faces"][0]["box"]["width"] == pytest.approx(60, abs=2)
    lines = list(csv.DictReader(out.open(encoding="utf-8", newline="")))
    # The picture is 48×48 pixels: a face by itself.
    assert [line["time_s"] for line in lines] == ["", "0.100", "1.100", "2.100"]
    assert "clip.webm: 2.5 s, 25 frames, a face in 96.0 % of them, 1 face in all" in text
    assert len(run(tmp_path / "clip.webm", "--every", "0")[0]["videos"][0]["moments"]) == 24
    with pytest.raises(DataError, match=r"clip\.webm was left out: --average flip is for pictures"):
        run(tmp_path / "clip.webm", "--average", "flip")


def test_a_broken_video_does_not_take_the_others_along(
    home: Path, tmp_path: Path, faces: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(settings().runs_dir / "one")
    (tmp_path / "text.mp4").write_text("this is no video at all\n" * 50)
    paths = [tmp_path / name for name in ("text.mp4", "a.png", "b.png")]
    with pytest.raises(PartlyDoneError, match=r"text\.mp4 (is not a video|holds no frame)"):
        printed(*paths)
    assert main(["predict", *map(str, paths), "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert len(result["pictures"]) == 2
    assert result["videos"] == []
    assert len(result["problems"]) == 1


def test_without_a_model_it_says_how_to_get_one(home: Path, tmp_path: Path, faces: np.ndarray) -> None:
    with pytest.raises(RunError, match="no model yet"):
        run(tmp_path / "a.png")
    with pytest.raises(RunError, match="no model called 'vgg16'"):
        run(tmp_path / "a.png", "--model", "vgg16")


def test_calibrated_and_flip_averaged_on_request(home: Path, tmp_path: Path, faces: np.ndarray) -> None:
    folder = make_run(settings().runs_dir / "mine")
    stored = {"value": 2.0, "fitted_on": "PublicTest", "splits": {}}
    edit_metrics(folder, lambda metrics: metrics.update(temperature=stored))
    plain, _ = run(tmp_path / "a.png")
    assert (plain["calibrated"], plain["average"], plain["models"][0]["temperature"]) == (False, "none", 1)
    result, _ = run(tmp_path / "a.png", "--calibrated", "--average", "flip")
    assert (result["calibrated"], result["average"], result["models"][0]["temperature"]) == (True, "flip", 2)
    expected = load_model("mine", calibrated=True).predict(faces[:1], average="flip")[0]
    found = list(result["pictures"][0]["faces"][0]["probabilities"]["mine"].values())
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert not np.allclose(found, list(plain["pictures"][0]["faces"][0]["probabilities"]["mine"].values()), atol=1e-3)


def test_a_run_without_a_temperature_is_named(home: Path, tmp_path: Path, faces: np.ndarray) -> None:
    folder = make_run(settings().runs_dir / "old")
    edit_metrics(folder, lambda metrics: metrics.pop("temperature", None))
    with pytest.raises(RunError, match="old has no temperature"):
        run(tmp_path / "a.png", "--calibrated")


def test_pictures_that_are_cut_already_are_faces_as_a_whole(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(settings().runs_dir / "one")
    picture = Image.effect_noise((120, 96), 60).convert("RGB")
    picture.save(tmp_path / "cut.png")

    def nobody(*_: object) -> None:
        raise AssertionError("no face is to be looked for")

    monkeypatch.setattr(detectors.HaarDetector, "detect", nobody)
    result, _ = run(tmp_path / "cut.png", "--already-cut")
    [face] = result["pictures"][0]["faces"]
    assert face["box"] == {"x": 0, "y": 0, "width": 120, "height": 96}
    assert result["detector"].startswith("nobody")
    grey = cv2.cvtColor(np.asarray(picture)[..., ::-1].copy(), cv2.COLOR_BGR2GRAY)
    small = np.asarray(Image.fromarray(grey).resize((48, 48), Image.Resampling.LANCZOS))
    expected = load_model("one").predict(small[None])[0]
    np.testing.assert_allclose(list(face["probabilities"]["one"].values()), expected, atol=1e-5)
    clip(tmp_path / "clip.webm", frames=5)
    with pytest.raises(DataError, match=r"--already-cut is for pictures"):
        run(tmp_path / "clip.webm", "--already-cut")


def test_answers_are_printed_as_they_come_and_none_is_kept(
    home: Path, tmp_path: Path, faces: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All results were held until the end: a folder of a million pictures would not have fitted."""
    make_run(settings().runs_dir / "one")
    monkeypatch.setattr(picture_files, "AT_ONCE", 2)
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(9):
        shutil.copy(tmp_path / "a.png", folder / f"{number}.png")
    opened: list[str] = []
    lines_when_opened: dict[str, int] = {}
    out = io.StringIO()
    real = picture_files.read_bytes

    def watched(path: Path, most: int) -> bytes:
        opened.append(path.name)
        lines_when_opened[path.name] = out.getvalue().count(".png")
        return real(path, most)

    monkeypatch.setattr(picture_files, "read_bytes", watched)
    for option in ("--json", "--calibrated"):
        out.truncate(0)
        edit_metrics(
            RunFolder(settings().runs_dir / "one"),
            lambda metrics: metrics.update(temperature={"value": 2.0, "fitted_on": "PublicTest", "splits": {}}),
        )
        parser = argparse.ArgumentParser()
        predict.add(parser.add_subparsers())
        args = parser.parse_args(["predict", str(folder), option])
        with contextlib.redirect_stdout(out):
            args.run(args)
        # At most two batches of two are read ahead of what is printed.
        assert lines_when_opened["8.png"] >= 4, option
    assert sorted(set(opened)) == [f"{number}.png" for number in range(9)]


def test_files_are_told_in_their_order_and_answered_in_batches(
    home: Path, tmp_path: Path, faces: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(settings().runs_dir / "one")
    monkeypatch.setattr(picture_files, "AT_ONCE", 3)
    (tmp_path / "bad.png").write_text("no picture")
    paths = [tmp_path / name for name in ("b.png", "bad.png", "a.png", "a.png", "b.png")]
    model = load_model("one")
    asked: list[int] = []
    predict_really = model.predict

    def counted(crops: np.ndarray, **more: object) -> np.ndarray:
        asked.append(len(crops))
        return predict_really(crops, **more)

    monkeypatch.setattr(model, "predict", counted)
    found = list(picture_files.read_files(paths, detectors.HaarDetector, [model]))
    assert [path for path, _ in found] == paths
    assert asked == [2, 2]
    assert "bad.png" in str(found[1][1])
    expected = predict_really(faces)
    for place, face in ((0, 1), (2, 0), (3, 0), (4, 1)):
        np.testing.assert_allclose(found[place][1].answers["one"][0], expected[face], atol=1e-6)


def test_a_table_of_json_lines_holds_what_the_csv_does(home: Path, tmp_path: Path, faces: np.ndarray) -> None:
    make_run(settings().runs_dir / "one")
    for name in ("answers.csv", "answers.jsonl"):
        printed(tmp_path / "a.png", tmp_path / "b.png", "--out", tmp_path / name)
    table = list(csv.DictReader((tmp_path / "answers.csv").read_text(encoding="utf-8").splitlines()))
    lines = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [tuple(line) for line in lines] == [HEADER] * 2
    for line, row in zip(lines, table, strict=True):
        assert line["time_s"] is None
        assert (line["file"], line["model"], line["answer"]) == (row["file"], row["model"], row["answer"])
        assert line["face"] == 1
        assert line["p_happy"] == float(row["p_happy"])
