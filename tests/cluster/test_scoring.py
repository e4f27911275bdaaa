"""Scoring on one core: every file once, the answers of ``predict``, and going on where an earlier start ended."""

from __future__ import annotations

import argparse
import contextlib
import csv
import errno
import io
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scored import make_clip, make_model, make_pictures, request, rows_of

from fer_core.cli import main, predict
from fer_core.cluster.scoring import listing, places, scorer, scoring
from fer_core.cluster.scoring.listing import Shard
from fer_core.cluster.scoring.places import Entry, open_place
from fer_core.cluster.scoring.scoring import Outcome, score
from fer_core.data.scored_folder import FACES, MANIFEST
from fer_core.emotions import NAMES
from fer_core.errors import DataError
from fer_core.files import replacing
from fer_core.inference import detectors
from fer_core.inference.detectors import Face
from fer_core.progress import Progress

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten pictures a shard; a video counts as four."""
    monkeypatch.setattr(listing, "SHARD", 10)
    monkeypatch.setattr(listing, "VIDEO", 4)


@pytest.fixture
def mixed(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Faces, a picture with two of them, one with none, a broken file, a video, what is passed over; and two models."""

    def detect(self: object, picture: np.ndarray) -> list[Face]:
        height, width = picture.shape[:2]
        if picture.std() < 1:
            return []
        half = Face(width // 8, height // 8, width // 3, height // 3, 0.75)
        return [Face(width // 2, height // 4, width // 3, height // 2, 0.9), half]

    monkeypatch.setattr(detectors.HaarDetector, "detect", detect)
    make_model("one")
    make_model("two")
    source = make_pictures(tmp_path / "source", 7)
    noise = np.random.default_rng(1).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    Image.fromarray(noise).save(source / "group.png")
    Image.new("RGB", (90, 70), "grey").save(source / "nobody.jpg")
    (source / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    (source / "notes.txt").write_text("passed over")
    (source / ".hidden.png").write_bytes(b"")
    make_clip(source / "clip.webm")
    return source


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


class Killed(BaseException):
    """In place of ``kill -9``."""


def killed_after(shards: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let a scoring die in the middle of a shard, after so many whole ones; the numbers of those begun."""
    begun: list[int] = []
    real = scorer.Scorer._read

    def read(self: scorer.Scorer, shard: Shard, table: object) -> None:
        begun.append(shard.number)
        real(self, shard, table)  # type: ignore[arg-type]
        if len(begun) > shards:
            raise Killed

    monkeypatch.setattr(scorer.Scorer, "_read", read)
    return begun


@pytest.mark.usefixtures("small_shards")
def test_a_restart_skips_what_is_finished(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_model()
    source = make_pictures(tmp_path / "source", 35)
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        killed_after(2, patch)
        with pytest.raises(Killed):
            score(request(source, out))
    finished = {path.name: path.stat().st_mtime_ns for path in (out / FACES).glob("*.parquet")}
    assert sorted(finished) == ["00000.parquet", "00001.parquet"]
    begun = killed_after(99, monkeypatch)
    outcome = score(request(source, out))
    assert begun == [2, 3]
    assert (outcome.done_before, outcome.files, outcome.faces) == (2, 35, 35)
    assert [row["file"] for row in rows_of(out)] == sorted({row["file"] for row in rows_of(out)})
    assert {name: (out / FACES / name).stat().st_mtime_ns for name in finished} == finished


@pytest.mark.usefixtures("small_shards")
def test_a_damaged_shard_is_scored_again(home: Path, tmp_path: Path) -> None:
    make_model()
    source = make_pictures(tmp_path / "source", 12)
    score(request(source, tmp_path / "out"))
    path = tmp_path / "out" / FACES / "00000.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    assert score(request(source, tmp_path / "out")).done_before == 1
    assert len(rows_of(tmp_path / "out")) == 12


def change_source(source: Path) -> None:
    shutil.copy(source / "happy/00000.png", source / "new.png")


def change_name(source: Path) -> None:
    (source / "happy/00000.png").rename(source / "happy/renamed.png")


@pytest.mark.parametrize(
    ("change", "options", "says"),
    [
        (change_source, {}, "had 3 files, now there are 4"),
        (change_name, {}, "or other ones"),
        (None, {"models": ("two",)}, "its models are one"),
        (None, {"average": "flip"}, "average none"),
        (None, {"every_s": 2.0}, r"every_s 1\.0"),
    ],
)
def test_another_scoring_does_not_go_on_in_the_same_folder(
    home: Path, tmp_path: Path, change: object, options: dict, says: str
) -> None:
    make_model("one")
    make_model("two")
    source = make_pictures(tmp_path / "source", 3)
    score(request(source, tmp_path / "out"))
    if callable(change):
        change(source)
    models = options.pop("models", ("one",))
    with pytest.raises(DataError, match=says):
        score(request(source, tmp_path / "out", *models, **options))


def test_a_model_that_was_trained_on_meanwhile_is_another_one(home: Path, tmp_path: Path) -> None:
    path = make_model()
    source = make_pictures(tmp_path / "source", 1)
    bare = tmp_path / "bare.tflite"
    shutil.copy(path / "model.tflite", bare)
    score(request(source, tmp_path / "out", str(bare)))
    bare.write_bytes(bare.read_bytes() + bytes(8))
    with pytest.raises(DataError, match="or they were others then"):
        score(request(source, tmp_path / "out", str(bare)))


def test_shards_of_two_scorings_never_mix(home: Path, tmp_path: Path) -> None:
    make_model("one")
    source = make_pictures(tmp_path / "source", 2)
    score(request(source, tmp_path / "out"))
    score(request(source, tmp_path / "other", average="flip"))
    shutil.copy(tmp_path / "other" / FACES / "00000.parquet", tmp_path / "out" / FACES / "00000.parquet")
    with pytest.raises(DataError, match="shard of another scoring"):
        score(request(source, tmp_path / "out"))


def test_a_manifest_that_was_changed_is_refused(home: Path, tmp_path: Path) -> None:
    make_model()
    source = make_pictures(tmp_path / "source", 2)
    score(request(source, tmp_path / "out"))
    file = tmp_path / "out" / MANIFEST
    file.write_text(file.read_text(encoding="utf-8").replace('"files": 2', '"files": 3'), encoding="utf-8")
    with pytest.raises(DataError, match="changed after it was written"):
        score(request(source, tmp_path / "out"))


def test_a_folder_with_other_files_is_left_alone(home: Path, tmp_path: Path) -> None:
    make_model()
    source = make_pictures(tmp_path / "source", 1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(DataError, match=r"thesis\.txt"):
        score(request(source, tmp_path / "out"))


def test_two_scorings_do_not_write_into_one_folder(home: Path, tmp_path: Path) -> None:
    make_model()
    source = make_pictures(tmp_path / "source", 1)
    (tmp_path / "out").mkdir()
    # Of another process: this one would be given its own lock twice.
    code = f"""
        import filelock, sys
        with filelock.FileLock({str(tmp_path / "out" / scoring.LOCK)!r}):
            print("mine", flush=True)
            sys.stdin.read()
    """
    other = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        with pytest.raises(DataError, match="by another scoring"):
            score(request(source, tmp_path / "out"))
    finally:
        other.communicate(timeout=60)
    assert score(request(source, tmp_path / "out")).faces == 1


def test_what_a_killed_start_left_is_cleared_away(home: Path, tmp_path: Path) -> None:
    make_model()
    source = make_pictures(tmp_path / "source", 1)
    score(request(source, tmp_path / "out"))
    code = f"""
        import os
        from pathlib import Path
        from fer_core.files import replacing
        with replacing(Path({str(tmp_path / "out" / FACES / "00000.parquet")!r})) as part:
            part.write_text("half")
            os._exit(9)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, timeout=60)
    with replacing(tmp_path / "out" / FACES / "00001.parquet") as mine:
        mine.write_text("of a process that lives")
        assert len(list((tmp_path / "out" / FACES).glob(".*"))) == 2
        score(request(source, tmp_path / "out"))
        assert list((tmp_path / "out" / FACES).glob(".*")) == [mine]
        mine.rename(tmp_path / "gone")
        (tmp_path / "gone").rename(mine)


def test_a_source_without_pictures_leaves_nothing_half_begun(home: Path, tmp_path: Path) -> None:
    make_model()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no picture or video"):
        score(request(tmp_path / "empty", tmp_path / "out"))
    make_pictures(tmp_path / "empty", 1)
    assert score(request(tmp_path / "empty", tmp_path / "out")).faces == 1


def many(number: int) -> Iterator[Entry]:
    """Files that are there once and listed again and again."""
    return (Entry("happy/00000.png", 2_000) for _ in range(number))


def test_any_number_of_files_is_listed_in_the_memory_of_a_few(tmp_path: Path) -> None:
    """In a process of its own, whose peak is read before and after."""
    code = f"""
        import sys
        sys.path.insert(0, {str(ROOT / "tests")!r})
        from pathlib import Path
        from peak_memory import peak_bytes
        from fer_core.cluster.scoring.listing import cut, read_list, write_list
        from fer_core.cluster.scoring.places import Entry
        path = Path({str(tmp_path / "files.jsonl")!r})
        for number in (2_000, 200_000):
            listing = write_list((Entry(f"some/folder/of/pictures/{{n}}.png", 2_000) for n in range(number)), path)
            shards = sum(1 for shard in cut(read_list(path)))
            assert (listing.files, listing.shards, shards) == (number, number // 1_000, number // 1_000)
            print(peak_bytes())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    few, many = map(int, done.stdout.split())
    assert many - few < 5e6, done.stderr


def test_shards_are_handed_out_as_they_are_scored_and_not_before(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_model()
    source = make_pictures(tmp_path / "source", 1)
    monkeypatch.setattr(places.Folder, "entries", lambda self: many(3_000))
    monkeypatch.setattr(scorer.Scorer, "_content", lambda self, entry: f"{entry.name} was not read")
    read: list[int] = []
    done: list[int] = []
    real = scoring.cut

    def cut(entries: Iterator[Entry]) -> Iterator[Shard]:
        for shard in real(entries):
            read.append(shard.number)
            assert len(read) - len(done) <= 1
            yield shard

    monkeypatch.setattr(scoring, "cut", cut)
    real_score = scorer.Scorer.score
    monkeypatch.setattr(
        scorer.Scorer, "score", lambda self, shard: (real_score(self, shard), done.append(shard.number))[0]
    )
    assert score(request(source, tmp_path / "out")).unreadable == 3_000
    assert read == done == [0, 1, 2]


def test_progress_counts_files(home: Path, tmp_path: Path) -> None:
    make_model()
    source = make_pictures(tmp_path / "source", 3)
    said: list[Progress] = []
    score(request(source, tmp_path / "out"), said.append)
    assert (said[-1].done, said[-1].total, said[-1].unit) == (3, 3, "files")


def test_a_folder_is_listed_through_and_through_but_not_past_links(home: Path, tmp_path: Path) -> None:
    source = make_pictures(tmp_path / "source", 4)
    (source / "again").symlink_to(source / "happy", target_is_directory=True)
    (source / "link.png").symlink_to(source / "happy/00000.png")
    (source / "dangling.png").symlink_to(source / "nothing.png")
    (source / ".cache").mkdir()
    shutil.copy(source / "happy/00000.png", source / ".cache/x.png")
    entries = {entry.name: entry for entry in open_place(str(source)).entries()}
    assert sorted(entries) == [
        "dangling.png",
        "happy/00000.png",
        "happy/00003.png",
        "link.png",
        "sad/00001.png",
        "sad/deeper/00002.png",
    ]
    assert entries["dangling.png"].problem
    assert entries["link.png"].size == (source / "happy/00000.png").stat().st_size


def test_a_folder_that_cannot_be_opened_is_a_row(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_pictures(tmp_path / "source", 3)
    real = os.scandir

    def scandir(path: str | Path) -> object:
        # Permissions would not do: an administrator may read everything.
        if str(path) == str(source / "sad"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    entries = {entry.name: entry for entry in open_place(str(source)).entries()}
    assert sorted(entries) == ["happy/00000.png", "sad"]
    assert "cannot be opened" in entries["sad"].problem


def taken_away(source: Path) -> None:
    source.rename(source.with_name("elsewhere"))


def taken_out(source: Path) -> None:
    """As the folder is that a disk was mounted at."""
    taken_away(source)
    source.mkdir()


def replaced(source: Path) -> None:
    taken_out(source)
    (source / "other.png").write_bytes(b"")


@pytest.mark.parametrize("happens", [taken_away, taken_out, replaced])
@pytest.mark.usefixtures("small_shards")
def test_a_source_that_goes_away_is_not_files_that_cannot_be_read(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, happens: Callable[[Path], None]
) -> None:
    """Each file became a row that said "it is missing", which counted as done, also when the disk was back."""
    make_model()
    source, out = make_pictures(tmp_path / "source", 25), tmp_path / "out"
    real = scorer.Scorer.score

    def score_shard(self: scorer.Scorer, shard: Shard) -> object:
        if shard.number == 1:
            happens(source)
        return real(self, shard)

    with monkeypatch.context() as patch:
        patch.setattr(scorer.Scorer, "score", score_shard)
        with pytest.raises(DataError, match="goes on"):
            score(request(source, out))
    shutil.rmtree(source, ignore_errors=True)
    source.with_name("elsewhere").rename(source)
    outcome = score(request(source, out))
    assert (outcome.done_before, outcome.faces, outcome.unreadable) == (1, 25, 0)
    assert len(rows_of(out)) == 25


def test_a_source_that_goes_away_while_it_is_listed_is_no_short_list(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_pictures(tmp_path / "source", 6)
    listed = open_place(str(source)).entries()
    next(listed)
    shutil.rmtree(source)
    with pytest.raises(DataError, match="is gone"):
        list(listed)


@pytest.mark.usefixtures("small_shards")
def test_a_store_that_lets_nobody_in_any_more_is_not_files_that_cannot_be_read(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its password had run out."""
    fsspec = pytest.importorskip("fsspec")
    make_model()
    store = fsspec.filesystem("memory")
    try:
        store.put(str(make_pictures(tmp_path / "source", 25)), "/bucket/faces", recursive=True)
        real, asked = type(store).cat_file, []

        def cat_file(self: object, path: str, *args: object, **options: object) -> bytes:
            asked.append(path)
            if len(asked) > 12:
                raise PermissionError("the token has expired")
            return bytes(real(self, path, *args, **options))

        def isdir(self: object, path: str) -> bool:
            if len(asked) > 12:
                raise PermissionError("the token has expired")
            return True

        with monkeypatch.context() as patch:
            patch.setattr(type(store), "cat_file", cat_file)
            patch.setattr(type(store), "isdir", isdir)
            with pytest.raises(DataError, match="the token has expired"):
                score(request("memory://bucket/faces", tmp_path / "out"))
        outcome = score(request("memory://bucket/faces", tmp_path / "out"))
    finally:
        store.rm("/bucket", recursive=True)
    assert (outcome.done_before, outcome.faces, outcome.unreadable) == (1, 25, 0)


def test_a_password_in_an_address_is_neither_told_nor_kept(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsspec = pytest.importorskip("fsspec")

    def refuse(address: str, **options: object) -> None:
        raise ConnectionError(f"{address} refused")

    assert open_place("memory://me:pass:w@rd@host/faces").address == "memory://me:***@host/faces"
    monkeypatch.setattr(fsspec.core, "url_to_fs", refuse)
    with pytest.raises(DataError) as told:
        open_place("ftp://me:pass:w@rd@host/faces")
    assert "rd" not in str(told.value).replace("refused", "")
    assert str(told.value).count("me:***@host") == 2


@pytest.mark.parametrize("address", ["file://", "s3://", "memory:///"])
def test_an_address_without_a_place_is_not_the_folder_one_is_in(address: str) -> None:
    """``file://`` was."""
    with pytest.raises(DataError, match="names no folder"):
        open_place(address)


def test_results_are_not_written_into_a_folder_that_is_called_like_an_address(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder ``s3:`` was made where the command was given, and nothing was in the store."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["score", str(tmp_path), "--out", "s3://bucket/scored", "--models", "one"])
    assert "is an address" in capsys.readouterr().err
    assert list(tmp_path.glob("s3*")) == []


@pytest.mark.usefixtures("small_shards")
def test_what_lies_beside_the_shards_is_told(home: Path, tmp_path: Path) -> None:
    """A shard's copy doubled its rows for whoever reads the folder."""
    make_model()
    source, out = make_pictures(tmp_path / "source", 12), tmp_path / "out"
    score(request(source, out))
    copy = shutil.copy(out / FACES / "00001.parquet", out / FACES / "00002.parquet")
    with pytest.raises(DataError, match=r"00002\.parquet is none of the 2 shards"):
        score(request(source, out))
    Path(copy).unlink()
    (out / FACES / "00001.parquet").unlink()
    (out / FACES / "00001.parquet").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        score(request(source, out))


def test_a_path_that_is_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder"):
        open_place(str(tmp_path / "nothing"))
    (tmp_path / "file.png").write_bytes(b"")
    with pytest.raises(DataError, match="predict"):
        open_place(str(tmp_path / "file.png"))


def test_an_address_names_the_package_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(DataError, match="pip install fsspec s3fs"):
        open_place("s3://bucket/faces")


def test_a_store_is_scored_as_a_folder_is(mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")
    monkeypatch.setattr(places, "PAUSE_S", 0.0)
    store = fsspec.filesystem("memory")
    try:
        store.put(str(mixed), "/bucket/faces", recursive=True)
        with monkeypatch.context() as patch:
            broken: list[str] = []
            real = type(store).cat_file

            def cat_file(self: object, path: str, *args: object, **options: object) -> bytes:
                # Each file fails once, as connections do; one always.
                if path not in broken or path.endswith("00001.png"):
                    broken.append(path)
                    raise ConnectionResetError("reset by peer")
                return bytes(real(self, path, *args, **options))

            patch.setattr(type(store), "cat_file", cat_file)
            outcome: Outcome = score(request("memory://bucket/faces", tmp_path / "store"))
    finally:
        store.rm("/bucket", recursive=True)
    score(request(mixed, tmp_path / "folder"))
    kinds = ("file", "time_s", "face", "x", "one:happy", "pixels")

    def chosen(out: Path) -> list[tuple[object, ...]]:
        return [tuple(row[k] for k in kinds) for row in rows_of(out) if row["file"] != "sad/00001.png"]

    assert chosen(tmp_path / "store") == chosen(tmp_path / "folder")
    [lost] = [row for row in rows_of(tmp_path / "store") if row["file"] == "sad/00001.png"]
    assert "reset by peer" in lost["problem"]
    assert outcome.unreadable == 2


def test_the_command_says_what_it_did(mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["score", str(mixed), "--out", str(tmp_path / "out"), "--models", "one"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "in 11 files" in said
    assert "1 file could not be read" in said
    assert "data import" in said
    assert main([*arguments, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["files"], result["unreadable"], result["shards_done_before"]) == (11, 1, 1)


def test_more_than_one_worker_without_ray_is_one_sentence(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    make_model()
    source = make_pictures(tmp_path / "source", 1)
    assert main(["score", str(source), "--out", str(tmp_path / "out"), "--models", "one", "--workers", "2"]) == 2
    assert "requirements-ray.txt" in capsys.readouterr().err
