"""A scoring that goes on where an earlier start ended, and folders that it does not go on in."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from scored import make_model, make_pictures, request, rows_of

from fer_core.cluster.scoring import scorer, scoring
from fer_core.cluster.scoring.listing import Shard
from fer_core.cluster.scoring.scoring import score
from fer_core.data.scored_folder import FACES, MANIFEST
from fer_core.errors import DataError
from fer_core.files import replacing
from fer_core.progress import Progress

ROOT = Path(__file__).resolve().parents[2]


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


def test_progress_counts_files(home: Path, tmp_path: Path) -> None:
    make_model()
    source = make_pictures(tmp_path / "source", 3)
    said: list[Progress] = []
    score(request(source, tmp_path / "out"), said.append)
    assert (said[-1].done, said[-1].total, said[-1].unit) == (3, 3, "files")


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
