"""Where the files to be scored lie: folders and stores, read, refused, and going away meanwhile."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from scored import make_model, make_pictures, request, rows_of

from fer_core.cluster.scoring import places, scorer
from fer_core.cluster.scoring.listing import Shard
from fer_core.cluster.scoring.places import open_place
from fer_core.cluster.scoring.scoring import Outcome, score
from fer_core.errors import DataError


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
