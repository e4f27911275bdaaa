"""What scoring makes of each file: the answers of ``predict``, and a row for what cannot be read."""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scored import make_model, make_pictures, request, rows_of

from fer_core.cli import predict
from fer_core.cluster.scoring import scorer
from fer_core.cluster.scoring.scoring import score
from fer_core.emotions import NAMES


def predicted(source: Path, table: Path, *options: str) -> list[dict[str, str]]:
    """What ``predict`` writes of the same folder."""
    parser = argparse.ArgumentParser()
    predict.add(parser.add_subparsers())
    args = parser.parse_args(["predict", str(source), "--out", str(table), *options])
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
        args.run(args)
    with table.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("options", [(), ("--already-cut",), ("--average", "flip")], ids=lambda one: "".join(one[:1]))
def test_the_answers_are_those_of_predict(mixed: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    table = predicted(mixed, tmp_path / "answers.csv", *options)
    wanted = {
        "average": "flip" if "flip" in options else "none",
        "already_cut": "--already-cut" in options,
    }
    score(request(mixed, tmp_path / "out", "one,two", **wanted))
    found = {
        (row["file"], row["time_s"], row["face"], model): (row, [row[f"{model}:{name}"] for name in NAMES])
        for row in rows_of(tmp_path / "out")
        for model in ("one", "two")
        if row["face"] is not None
    }
    assert len(found) == len(table) > 20 - 10 * bool(options)
    for line in table:
        time_s = float(line["time_s"]) if line["time_s"] else None
        name = Path(line["file"]).relative_to(mixed).as_posix()
        row, values = found[name, time_s, int(line["face"]), line["model"]]
        np.testing.assert_allclose(values, [float(line[f"p_{name}"]) for name in NAMES], atol=2e-6)
        assert [row[name] for name in ("x", "y", "width", "height")] == [
            int(line[name]) for name in ("x", "y", "width", "height")
        ]
        assert row[f"{line['model']}:answer"] == line["answer"]
        assert row["score"] == pytest.approx(float(line["score"]), abs=1e-4)


def test_every_file_is_there_once_and_what_cannot_be_read_says_why(mixed: Path, tmp_path: Path) -> None:
    outcome = score(request(mixed, tmp_path / "out"))
    rows = rows_of(tmp_path / "out")
    of = {name: [row for row in rows if row["file"] == name] for name in {row["file"] for row in rows}}
    assert len(of) == outcome.files == 11
    [broken] = of["broken.jpg"]
    assert "not a picture" in broken["problem"] or "damaged" in broken["problem"]
    assert broken["face"] is broken["one:happy"] is broken["pixels"] is None
    [nobody] = of["nobody.jpg"]
    assert nobody["face"] is None
    assert nobody["problem"] is None
    assert [row["face"] for row in of["group.png"]] == [1, 2]
    moments = {row["time_s"] for row in of["clip.webm"]}
    assert len(moments) == 2
    assert max(moments) - min(moments) == pytest.approx(1.0)
    assert (outcome.unreadable, outcome.without_face) == (1, 1)
    assert outcome.faces == sum(row["face"] is not None for row in rows)
    face = of["happy/00000.png"][0]
    np.testing.assert_array_equal(
        np.frombuffer(face["pixels"], np.uint8).reshape(48, 48), np.asarray(Image.open(mixed / "happy/00000.png"))
    )


def test_a_video_is_left_out_with_a_reason_where_pictures_are_cut_already(mixed: Path, tmp_path: Path) -> None:
    score(request(mixed, tmp_path / "out", already_cut=True))
    [row] = [row for row in rows_of(tmp_path / "out") if row["file"] == "clip.webm"]
    assert "--already-cut is for pictures" in row["problem"]


def test_a_video_with_a_pictures_name_is_read_as_a_video(mixed: Path, tmp_path: Path) -> None:
    (mixed / "clip.webm").rename(mixed / "clip.jpg")
    score(request(mixed, tmp_path / "out"))
    assert any(row["time_s"] is not None for row in rows_of(tmp_path / "out") if row["file"] == "clip.jpg")


def test_a_defect_of_a_decoder_costs_a_row_and_not_the_scoring(
    mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = scorer.read_content

    def read(content: bytes, name: str, detector: object) -> object:
        if name == "group.png":
            raise KeyError("no such marker")
        return real(content, name, detector)  # type: ignore[arg-type]

    monkeypatch.setattr(scorer, "read_content", read)
    assert score(request(mixed, tmp_path / "out")).unreadable == 2
    [row] = [row for row in rows_of(tmp_path / "out") if row["file"] == "group.png"]
    assert "KeyError" in row["problem"]


def test_names_that_are_no_utf8_or_hold_line_ends_are_scored(home: Path, tmp_path: Path) -> None:
    make_model()
    source = make_pictures(tmp_path / "source", 1)
    names = ["line\nend.png"]
    with contextlib.suppress(OSError):
        shutil.copy(source / "happy/00000.png", os.fsdecode(os.fsencode(source) + b"/odd-\xff.png"))
        names.append("odd-\\udcff.png")
    shutil.copy(source / "happy/00000.png", source / names[0])
    outcome = score(request(source, tmp_path / "out"))
    assert {row["file"] for row in rows_of(tmp_path / "out")} == {*names, "happy/00000.png"}
    assert outcome.unreadable == 0


def test_a_face_has_its_folders_name_as_label_where_that_is_asked_for(home: Path, tmp_path: Path) -> None:
    make_model()
    source = make_pictures(tmp_path / "source", 3)
    score(request(source, tmp_path / "out", labels_from_folders=True))
    assert [row["label"] for row in rows_of(tmp_path / "out")] == ["happy", "sad", "deeper"]
