"""Paths and archives that were made to hang, to fill, to lead astray or to give away; and stopping at every step."""

from __future__ import annotations

import gzip
import os
import shutil
import socket
import stat
import struct
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from data_sources import Faces, csv_text, left_behind, picture_files, write_folder, write_tar, write_zip

from fer_core import progress, regular_files
from fer_core.data import archives, folder_or_zip
from fer_core.data.importer import import_dataset
from fer_core.errors import DataError
from fer_core.progress import Progress

FACES = Faces()
FILES = picture_files(FACES)
SECRET = "xyzzy-a-secret-of-the-server"


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Nothing here may hang: all of it is refused, or done, in seconds."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 10


def refused(source: str | Path, out: Path) -> str:
    with pytest.raises(DataError) as found:
        import_dataset(source, out)
    assert not out.exists()
    return str(found.value)


@pytest.mark.parametrize("path", ["/", "/proc", "/proc/self/environ", "/sys", "/dev/shm", "/proc/self/root/proc"])
def test_what_the_system_shows_of_itself_is_no_data(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", SECRET)
    if Path(path).exists():
        message = refused(path, tmp_path / "out")
        assert "system's own" in message
        assert SECRET not in message


@pytest.mark.parametrize(
    "content",
    [
        f"{SECRET},b,c\n1,2,3\n",
        f"emotion,pixels,Usage\n{SECRET},0,Training\n",
        f"emotion,pixels,Usage\n1,0,{SECRET}\n",
        f"emotion,pixels,Usage\n1,{SECRET},Training\n",
        "emotion,pixels,Usage\n1,40507060,Training\n",
    ],
)
def test_what_a_message_repeats_out_of_a_file_can_be_left_out(content: str, tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text(content)
    with pytest.raises(DataError) as found:
        import_dataset(path, tmp_path / "out")
    assert SECRET in str(found.value) or "40507060" in str(found.value)
    assert SECRET not in found.value.without_quotes
    assert "40507060" not in found.value.without_quotes
    assert "row" in found.value.without_quotes


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/stdin", "/dev/tty"])
def test_a_device_is_not_waited_for(path: str, tmp_path: Path) -> None:
    if Path(path).exists():
        refused(path, tmp_path / "out")


def test_a_pipe_and_a_socket_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    assert "a pipe" in refused(tmp_path / "pipe.csv", tmp_path / "out")
    (tmp_path / "link.csv").symlink_to(tmp_path / "pipe.csv")
    assert "a pipe" in refused(tmp_path / "link.csv", tmp_path / "out")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        assert "a socket" in refused(tmp_path / "s", tmp_path / "out")


def test_a_pipe_among_the_pictures_is_not_waited_for(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "src", FILES)
    os.mkfifo(source / "train" / "happy" / "Training_9.png")
    info = import_dataset(source, tmp_path / "out").info
    assert info.faces == len(FILES)
    assert [(one.kind, one.count) for one in info.left_out] == [("files that cannot be opened", 1)]


def test_what_becomes_a_pipe_while_it_is_looked_at_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(regular_files, "require_file", lambda _: None)
    with pytest.raises(OSError, match="not a file"):
        regular_files.open_file(tmp_path / "pipe")


@pytest.mark.parametrize("path", ["x" * 5000, "/etc/passwd/x", "a\0b", ""])
def test_a_path_that_cannot_be_one(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    refused(path, tmp_path / "out")


def test_links_that_lead_out_of_the_folder_are_left_out_and_counted(tmp_path: Path) -> None:
    elsewhere = write_folder(tmp_path / "elsewhere", FILES)
    source = write_folder(tmp_path / "src", FILES)
    name = next(iter(FILES))
    happy = source / "train" / "happy"
    (happy / "Training_out.png").symlink_to(elsewhere / name)
    (happy / "Training_nowhere.png").symlink_to(tmp_path / "nothing")
    (happy / "Training_loop.png").symlink_to(happy / "Training_loop.png")
    (happy / "Training_inside.png").symlink_to(source / name)
    (happy / "up").symlink_to(source)  # a loop of folders
    dataset = import_dataset(source, tmp_path / "out")
    assert len(dataset) == len(FILES) + 1
    assert any("3 links were left out" in note for note in dataset.info.notes)


def test_a_csv_that_is_a_link_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text(SECRET)
    source = tmp_path / "src"
    source.mkdir()
    (source / "fer2013.csv").symlink_to(tmp_path / "secret.csv")
    assert SECRET not in refused(source, tmp_path / "out")


def test_a_file_that_becomes_a_link_after_it_was_found_is_not_followed(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "src", FILES)
    tree = folder_or_zip.FolderTree(source)
    name = tree.names()[0]
    (tmp_path / "secret").write_text(SECRET)
    (source / name).unlink()
    (source / name).symlink_to(tmp_path / "secret")
    with pytest.raises(DataError, match="leads out"):
        tree.read(name)


def test_a_folder_with_very_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_or_zip, "MOST_FILES", 20)
    assert "more than 20 files" in refused(write_folder(tmp_path / "src", FILES), tmp_path / "out")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_in_a_zip_are_no_files(kind: int, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "src.zip", FILES)
    odd = zipfile.ZipInfo("train/happy/Training_odd.png")
    odd.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(odd, "/etc/passwd")
    assert len(import_dataset(path, tmp_path / "out")) == len(FILES)
    odd.filename = "fer2013.csv"
    with zipfile.ZipFile(tmp_path / "csv.zip", "w") as archive:
        archive.writestr(odd, "/etc/passwd")
    refused(tmp_path / "csv.zip", tmp_path / "no")


def test_a_zip_that_lists_millions_of_files_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unwanted(*_: object) -> None:
        raise AssertionError("the list was read")

    path = write_zip(tmp_path / "src.zip", FILES)
    content = bytearray(path.read_bytes())
    at = content.rfind(b"PK\x05\x06")
    content[at + 12 : at + 16] = struct.pack("<I", archives.MOST_DIRECTORY_BYTES + 1)
    path.write_bytes(content)
    monkeypatch.setattr(zipfile, "ZipFile", unwanted)
    assert "too many files" in refused(path, tmp_path / "out")


def test_a_tar_of_very_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_TAR_ENTRIES", 5)
    path = write_tar(tmp_path / "src.tar.gz", {f"{number}.txt": b"" for number in range(9)})
    assert "more than 5 files" in refused(path, tmp_path / "out")


def test_a_device_in_a_tar_is_no_csv(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "src.tar", "w") as archive:
        odd = tarfile.TarInfo("fer2013.csv")
        odd.type = tarfile.CHRTYPE
        archive.addfile(odd)
    refused(tmp_path / "src.tar", tmp_path / "out")


def test_a_csv_of_nothing_but_blank_lines_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "src.csv.gz"
    path.write_bytes(gzip.compress(b"emotion,pixels,Usage\n" + b"\n" * 40_000_000))
    assert "blank lines" in refused(path, tmp_path / "out")


CSV = csv_text(FACES.rows()).encode()
SOURCES: dict[str, tuple[Callable[[Path], Path], int]] = {
    "folder": (lambda folder: write_folder(folder / "src", FILES), 2 * len(FILES)),
    "zip": (lambda folder: write_zip(folder / "src.zip", FILES), len(FILES)),
    "csv in zip": (lambda folder: write_zip(folder / "src.zip", {"fer2013.csv": CSV}), 1),
    "csv in tar": (lambda folder: write_tar(folder / "src.tar.gz", {"a.txt": bytes(5_000_000), "fer2013.csv": CSV}), 5),
}


class StopError(Exception):
    pass


@pytest.mark.parametrize("kind", SOURCES)
def test_an_import_can_be_stopped_at_every_step(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, least = SOURCES[kind]
    source = make(tmp_path)
    monkeypatch.setattr(progress.time, "monotonic", iter(range(10**9)).__next__)  # each report is due
    reports = 0

    def count(_: Progress) -> None:
        nonlocal reports
        reports += 1

    import_dataset(source, tmp_path / "out", progress=count)
    shutil.rmtree(tmp_path / "out")
    assert reports >= least, "too few moments at which it could be stopped"
    for at in sorted({0, 1, reports // 3, reports // 2, reports - 1}):
        left = at

        def stop(_: Progress) -> None:
            nonlocal left
            if left == 0:
                raise StopError
            left -= 1

        with pytest.raises(StopError):
            import_dataset(source, tmp_path / "out", progress=stop)
        assert left_behind(tmp_path, {source.name}) == []
