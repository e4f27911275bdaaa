"""``data import``, ``data info`` and ``data audit`` as a person and as a machine sees them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from data_sources import Faces, csv_text, left_behind
from PIL import Image

from fer_core import emotions
from fer_core.cli import main
from fer_core.cli.data import describe
from fer_core.cli.progress import progress_text
from fer_core.data.dataset import load_dataset, write_dataset
from fer_core.data.importer import import_dataset
from fer_core.progress import Meter, Progress

FACES = Faces()


@dataclass
class Answer:
    returncode: int
    stdout: str
    stderr: str


class Command(Protocol):
    def __call__(self, *arguments: str | Path) -> Answer: ...


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """``python -m fer_core data …`` within this process: its exit code and what it prints."""

    def run(*arguments: str | Path) -> Answer:
        try:
            code = main(["data", *map(str, arguments)])
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return run


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "fer2013.csv"
    file.write_text(csv_text(FACES.rows()))
    return file


def test_import_then_info(command: Command, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = command("import", source, "--out", out, "--name", "mine", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    stored = json.loads((out / "dataset.json").read_text())
    assert {key: result[key] for key in stored} == stored
    assert (result["path"], result["name"], result["faces"]) == (str(out), "mine", 21)
    assert result["seconds"] >= 0
    assert "21 of 21 faces" in done.stderr, "progress goes to standard error"

    info = command("info", out, "--json")
    assert json.loads(info.stdout) == {"path": str(out), **stored}
    assert "Training" in command("info", out).stdout


def test_mistakes_end_with_code_2_and_one_message(command: Command, source: Path, tmp_path: Path) -> None:
    source.write_text("emotion,pixels\n0,1\n")
    failed = command("import", source, "--out", tmp_path / "out", "--json")
    assert failed.returncode == 2
    message = json.loads(failed.stdout)["error"]
    assert "row 2: 1 pixel values instead of 2,304" in message
    assert failed.stderr.strip().splitlines()[-1] == f"error: {message}"
    assert left_behind(tmp_path, {source.name}) == []
    assert command("info", tmp_path / "out").returncode == 2


@pytest.mark.skipif(sys.platform == "win32", reason="file names of POSIX")
def test_names_that_are_no_utf_8(command: Command, tmp_path: Path) -> None:
    """A picture called so ended the import with a traceback, and a dataset folder called so was "damaged"."""
    source = tmp_path / os.fsdecode(b"s\xff")
    for split in ("train", "validation", "test"):
        for name, image in zip(emotions.NAMES, FACES.images, strict=False):
            folder = source / split / name
            folder.mkdir(parents=True)
            Image.fromarray(image).save(folder / os.fsdecode(b"\xff.png"))
    out = tmp_path / "out"
    done = command("import", source, "--out", out)
    assert done.returncode == 0, done.stderr
    assert r"s\udcff" in done.stdout
    assert load_dataset(out).faces()["source_name"][0] == r"train/angry/\udcff.png"
    out = out.rename(tmp_path / os.fsdecode(b"out\xff"))
    refused = command("info", out)
    assert refused.returncode == 2
    assert "Rename the folder" in refused.stderr


def test_overwrite(command: Command, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    import_dataset(source, out)
    refused = command("import", source, "--out", out)
    assert refused.returncode == 2
    assert "--overwrite" in refused.stderr
    assert command("import", source, "--out", out, "--overwrite").returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_leaves_nothing(number: signal.Signals, source: Path, tmp_path: Path) -> None:
    source.write_text(csv_text(FACES.rows() * 400))
    process = subprocess.Popen(
        [sys.executable, "-m", "fer_core", "data", "import", str(source), "--out", str(tmp_path / "out")],
        stderr=subprocess.PIPE,
        text=True,
        # A shell lets what it runs in the background ignore Ctrl+C, and that is handed down to here.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120
    while not any(path.name.startswith(".out.importing-") for path in tmp_path.iterdir()):
        assert time.monotonic() < deadline
        assert process.poll() is None, "the import must still be running"
        time.sleep(0.005)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "interrupted" in errors
    assert "Traceback" not in errors
    assert left_behind(tmp_path, {source.name}) == []


def test_audit_counts_and_keeps_the_result(command: Command, tmp_path: Path) -> None:
    faces = Faces(2)
    faces.images[1] = faces.images[0]
    faces.images[20] = faces.images[0]
    faces.images[15] = 7
    out = tmp_path / "d"
    write_dataset(out, faces.images, faces.labels, faces.splits)
    before = json.loads(command("info", out, "--json").stdout)
    first = command("audit", out)
    assert first.returncode == 0, first.stderr
    assert "42 of 42 rows" in first.stderr, "progress goes to standard error"
    assert "1 group of 3 faces, 2 of them redundant; 1 group across splits" in first.stdout
    assert "1 group of 3 faces with the same pixels and different labels" in first.stdout
    assert re.search(r"^constant +1 image: row 15$", first.stdout, re.MULTILINE)
    assert re.search(r"^PublicTest +14 +1 \(7\.1 %\) +0 \(0\.0 %\) +1 \(7\.1 %\)$", first.stdout, re.MULTILINE)

    again = json.loads(command("audit", out, "--json").stdout)
    assert (again["cached"], again["note"], again["name"], again["faces"]) == (True, "", "d", 42)
    assert again["conflicts"] == {"groups": 1, "rows": 3, "members": [[0, 1, 20]]}
    assert again["fingerprint"] == before["fingerprint"]
    assert json.loads(command("info", out, "--json").stdout) == before
    assert load_dataset(out).info.faces == 42


def test_audit_with_another_threshold(command: Command, tmp_path: Path) -> None:
    faces = Faces()
    write_dataset(tmp_path / "d", faces.images, faces.labels, faces.splits)
    result = json.loads(command("audit", tmp_path / "d", "--threshold", "0.5", "--json").stdout)
    assert (result["threshold"], result["cached"]) == (0.5, False)
    assert not (tmp_path / "d" / "audit.parquet").exists()
    for senseless in ("1", "0.4", "nan"):
        refused = command("audit", tmp_path / "d", "--threshold", senseless)
        assert refused.returncode == 2
        assert "from 0.5 to below 1" in refused.stderr
    assert command("audit", tmp_path / "nothing").returncode == 2


def test_help_teaches(command: Command) -> None:
    text = command("import", "--help").stdout
    for word in ("sample", "kaggle", "icml_face_data.csv", ".tar.gz", "train/<class>/", "--overwrite", "examples:"):
        assert word in text


def test_description_counts_every_cell(source: Path, tmp_path: Path) -> None:
    text = describe(import_dataset(source, tmp_path / "out").info)
    for name in (*emotions.NAMES, *emotions.SPLITS):
        assert name in text
    assert "21 faces of 48×48 pixels" in text
    assert any(line.split() == ["all", "7", "7", "7"] for line in text.splitlines())
    assert "Note: This is not the whole FER-2013" in text


def test_progress_in_words() -> None:
    assert progress_text(Progress(500, 2000, "faces", 12.4, "Reading x")) == (
        "Reading x  █████░░░░░░░░░░░░░░░  500 of about 2,000 faces, 12 s left"
    )
    assert progress_text(Progress(1, 4, "rows", 2.0, "m")).endswith("1 of 4 rows, 2 s left"), "no estimate"
    assert progress_text(Progress(5, 5, "faces", 0.0, "Reading x")).endswith("5 of 5 faces")
    assert progress_text(Progress(1_500_000, 60_000_000, "bytes", None, "Loading")).endswith("1.5 of 60.0 MB")
    assert progress_text(Progress(0, None, "faces", None, "Drawing faces")) == "Drawing faces  …"


def test_meter_estimates_from_what_was_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("fer_core.progress.time.monotonic", lambda: now[0])
    seen: list[Progress] = []
    meter = Meter(seen.append, "bytes", "m", start=40)
    meter.update(40, 100)
    now[0] += 2
    meter.update(60, 100)
    meter.update(61, 100)
    now[0] += 2
    meter.finish(100)
    assert [(progress.done, progress.seconds_left) for progress in seen] == [(40, None), (60, 4.0), (100, 0.0)]


def test_sample_by_command(command: Command, tmp_path: Path) -> None:
    done = command("import", "sample", "--out", tmp_path / "d", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kind"] == "sample"
    assert load_dataset(tmp_path / "d").info.title == "Drawn sample"


def test_look_prints_what_is_understood_and_what_to_say(command: Command, tmp_path: Path) -> None:
    for name in ("Anger/a.png", "joy/b.png", "dozing/c.png", "contempt/d.png"):
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True)
        Image.fromarray(FACES.images[0]).save(path)
    (tmp_path / "src" / "list.doc").write_text("x")
    answer = command("look", tmp_path / "src")
    assert answer.returncode == 0
    for word in ("Anger", "angry", "joy", "happy", "?", "left out", "list.doc", "--classes", "--drop dozing"):
        assert word in answer.stdout
    answer = command("look", tmp_path / "src", "--classes", "sad=dozing", "--splits", "all=test", "--json")
    seen = json.loads(answer.stdout)
    assert seen["question"] is None
    assert {one["split"]: sum(one["counts"]) for one in seen["splits"]} == {"PrivateTest": 3}
    assert {one["word"]: one["meaning"] for one in seen["classes"]}["dozing"] == "sad"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["src"]


def test_import_takes_what_look_takes(command: Command, tmp_path: Path) -> None:
    for label in range(8):
        path = tmp_path / "src" / str(label) / "a.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(FACES.images[label]).save(path)
    refused = command("import", tmp_path / "src", "--out", tmp_path / "out")
    assert refused.returncode == 2
    assert "AffectNet" in refused.stderr
    answer = command(
        *("import", tmp_path / "src", "--out", tmp_path / "out"),
        *("--classes", "AffectNet", "--splits", "all=test", "--already-cut"),
    )
    assert answer.returncode == 0, answer.stderr
    info = load_dataset(tmp_path / "out").info
    assert (info.faces, info.splits) == (7, ("PrivateTest",))
    assert "as AffectNet numbers them" in answer.stdout


def test_words_that_make_no_sense_are_refused_before_anything_is_read(command: Command, tmp_path: Path) -> None:
    answer = command("import", tmp_path / "nowhere", "--out", tmp_path / "out", "--classes", "hungry=joke")
    assert answer.returncode == 2
    assert "--classes" in answer.stderr
