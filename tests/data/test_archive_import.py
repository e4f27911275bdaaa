"""Archives that are broken, empty, ambiguous or harmful: a message each, and nothing left behind."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from data_sources import Faces, csv_text, left_behind, picture_files, write_tar, write_zip

from fer_core.data import archives
from fer_core.data.importer import import_dataset
from fer_core.errors import DataError
from fer_core.settings import settings

FACES = Faces()
BYTES = csv_text(FACES.rows()).encode()

Pack = Callable[[Path, dict[str, bytes]], Path]
PACKERS: dict[str, Pack] = {"zip": write_zip, "tar.gz": write_tar}


@pytest.fixture
def inner(tmp_path: Path) -> Path:
    """A folder in an otherwise empty one, so that anything that climbs out is seen."""
    folder = tmp_path / "inner"
    folder.mkdir()
    return folder


@pytest.fixture(params=PACKERS)
def pack(request: pytest.FixtureRequest, inner: Path) -> Callable[[dict[str, bytes]], Path]:
    return lambda files: PACKERS[request.param](inner / f"archive.{request.param}", files)


def refused(source: Path, *fragments: str) -> None:
    folder = source.parent
    with pytest.raises(DataError) as caught:
        import_dataset(source, folder / "out")
    for fragment in (source.name, *fragments):
        assert fragment in str(caught.value)
    assert left_behind(folder, {source.name}) == []
    assert left_behind(folder.parent, {folder.name}) == [], "nothing outside either"


def test_no_csv_inside(pack: Callable[[dict[str, bytes]], Path]) -> None:
    refused(pack({"README.txt": b"nothing here"}), "holds n", "CSV", "train/<class>/")


def test_several_csv_inside(pack: Callable[[dict[str, bytes]], Path]) -> None:
    source = pack({"a.csv": BYTES, "b/c.csv": BYTES})
    refused(source, "2 CSV files (a.csv, b/c.csv)", "import that file")


def test_fer2013_twice_inside(pack: Callable[[dict[str, bytes]], Path]) -> None:
    refused(pack({"x/fer2013.csv": BYTES, "y/fer2013.csv": BYTES}), "2 CSV files")


def test_the_only_csv_is_taken_whatever_its_name(pack: Callable[[dict[str, bytes]], Path], inner: Path) -> None:
    source = pack({"faces.csv": BYTES, "__MACOSX/._faces.csv": b"x", "README": b""})
    assert len(import_dataset(source, inner / "out")) == 21


@pytest.mark.parametrize("name", ["../fer2013.csv", "a/../../fer2013.csv", "/etc/fer2013.csv", "C:\\fer2013.csv"])
def test_entry_that_climbs_out(name: str, pack: Callable[[dict[str, bytes]], Path]) -> None:
    refused(pack({"fer2013.csv": BYTES, name: BYTES}), "points outside of its folder", repr(name))


def test_link_that_climbs_out(inner: Path) -> None:
    source = inner / "archive.tar.gz"
    with tarfile.open(source, "w:gz") as archive:
        link = tarfile.TarInfo("fer2013.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    refused(source, "points outside of its folder", "/etc/passwd")


@pytest.mark.parametrize("share", [0.3, 0.99])
def test_archive_cut_off(share: float, pack: Callable[[dict[str, bytes]], Path]) -> None:
    source = pack({"fer2013.csv": BYTES})
    content = source.read_bytes()
    source.write_bytes(content[: int(len(content) * share)])
    refused(source, "Download it again")


def test_plain_tar_cut_off(inner: Path) -> None:
    source = write_tar(inner / "fer2013.tar", {"fer2013.csv": BYTES}, "w")
    source.write_bytes(source.read_bytes()[: len(BYTES) // 2])
    refused(source, "Download it again")


def test_archive_with_flipped_bytes(pack: Callable[[dict[str, bytes]], Path]) -> None:
    source = pack({"fer2013.csv": BYTES})
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(byte ^ 0x5A for byte in content[middle : middle + 64])
    source.write_bytes(content)
    refused(source)


def test_zip_with_a_wrong_checksum_is_damaged(inner: Path) -> None:
    source = inner / "archive.zip"
    with zipfile.ZipFile(source, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("fer2013.csv", BYTES)
    # One digit of one pixel: a well-formed CSV still, and only the checksum knows.
    content = source.read_bytes()
    at = content.index(b" ", 3000) - 1
    source.write_bytes(content[:at] + (b"1" if content[at : at + 1] != b"1" else b"0") + content[at + 1 :])
    refused(source, "is damaged", "CRC")


def test_locked_zip(inner: Path) -> None:
    source = write_zip(inner / "archive.zip", {"fer2013.csv": BYTES})
    content = bytearray(source.read_bytes())
    # Set the "encrypted" flag in the entry's central record.
    content[content.index(b"PK\x01\x02") + 8] |= 1
    source.write_bytes(content)
    refused(source, "locked with a password")


def test_empty_zip(inner: Path) -> None:
    refused(write_zip(inner / "archive.zip", {}), "holds neither a CSV")


BOMB = b"emotion,pixels,Usage\n" + bytes(5 * 1024**2)


@pytest.fixture
def floor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sixteenth of what may be unpacked before anybody asks how small it was, so that bombs can be small, too."""
    monkeypatch.setattr(archives, "_RATIO_FLOOR_BYTES", archives._RATIO_FLOOR_BYTES // 16)


@pytest.mark.usefixtures("floor")
def test_bomb_by_ratio(pack: Callable[[dict[str, bytes]], Path]) -> None:
    refused(pack({"fer2013.csv": BOMB}), "more than 250 times its own size", "nothing of it was imported")


@pytest.mark.usefixtures("floor")
def test_gzip_bomb_by_ratio(inner: Path) -> None:
    source = inner / "fer2013.csv.gz"
    # Sound rows, so that reading goes on: only the guard ends it.
    row = b"3," + b"7 " * 2303 + b"7,Training\n"
    source.write_bytes(gzip.compress(b"emotion,pixels,Usage\n" + row * 1_250))
    refused(source, "more than 250 times its own size")


def test_bomb_by_size(pack: Callable[[dict[str, bytes]], Path], monkeypatch: pytest.MonkeyPatch, inner: Path) -> None:
    tight = replace(settings(), max_archive_bytes=100_000)
    monkeypatch.setattr(archives, "settings", lambda: tight)
    refused(pack({"fer2013.csv": BYTES}), "more than 0.0 GB", "fill up disks")


def test_bomb_of_pictures(monkeypatch: pytest.MonkeyPatch, inner: Path) -> None:
    tight = replace(settings(), max_archive_bytes=10_000)
    monkeypatch.setattr(archives, "settings", lambda: tight)
    refused(write_zip(inner / "archive.zip", picture_files(FACES)), "fill up disks")


def test_zip_that_lies_about_its_size(inner: Path) -> None:
    source = write_zip(inner / "archive.zip", {"fer2013.csv": BYTES})
    content = bytearray(source.read_bytes())
    central = content.index(b"PK\x01\x02")
    content[central + 24 : central + 28] = (5000).to_bytes(4, "little")
    source.write_bytes(content)
    refused(source)


def test_guard_counts_what_comes_out(inner: Path) -> None:
    guard = archives.Guard(io.BytesIO(bytes(70 * 1024**2)), inner / "x.gz", packed=1000)
    with pytest.raises(DataError, match="250 times"):
        io.BufferedReader(guard, 1024**2).read()
    assert 64 * 1024**2 < guard.count <= 66 * 1024**2, "stopped as soon as it was too much"
