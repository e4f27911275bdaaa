"""FER-2013 as a CSV: every good form gives the same faces; every bad one gives a message and leaves nothing."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from data_sources import HEADER, ICML_HEADER, Faces, csv_text, left_behind, write_folder, write_tar, write_zip

from fer_core.data import archives
from fer_core.data.importer import import_dataset
from fer_core.errors import DataError
from fer_core.progress import Progress
from fer_core.settings import settings

FACES = Faces()
TEXT = csv_text(FACES.rows())
BYTES = TEXT.encode()
ICML = csv_text(FACES.rows(), ICML_HEADER).encode()


def plain(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


FORMS: dict[str, Callable[[Path], Path]] = {
    "plain": lambda folder: plain(folder / "fer2013.csv", BYTES),
    "icml": lambda folder: plain(folder / "icml_face_data.csv", ICML),
    "gz": lambda folder: plain(folder / "fer2013.csv.gz", gzip.compress(BYTES)),
    "icml gz": lambda folder: plain(folder / "icml_face_data.csv.gz", gzip.compress(ICML)),
    "xz": lambda folder: plain(folder / "fer2013.csv.xz", lzma.compress(BYTES)),
    "zip": lambda folder: write_zip(folder / "f.zip", {"fer2013.csv": BYTES}),
    "icml zip": lambda folder: write_zip(folder / "f.zip", {"icml_face_data.csv": ICML}),
    "tar.gz": lambda folder: write_tar(
        folder / "fer2013.tar.gz", {"fer2013/README": b"read me", "fer2013/fer2013.csv": BYTES}
    ),
    "tgz": lambda folder: write_tar(folder / "fer2013.tgz", {"fer2013.csv": BYTES}),
    "tar.xz": lambda folder: write_tar(folder / "fer2013.tar.xz", {"fer2013.csv": BYTES}, "w:xz"),
    "wrong suffix": lambda folder: plain(folder / "fer2013.csv", gzip.compress(BYTES)),
    "other column order": lambda folder: plain(
        folder / "f.csv", csv_text(FACES.rows(), ["Usage", "pixels", "emotion"]).encode()
    ),
    "byte order mark, Windows line ends, blank line": lambda folder: plain(
        folder / "f.csv", b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode() + b"\r\n"
    ),
    "challenge zip": lambda folder: write_zip(
        folder / "challenge.zip",
        {"train.csv": b"emotion,pixels\n", "test.csv": b"pixels\n", "icml_face_data.csv": ICML},
    ),
    "folder with it": lambda folder: write_folder(
        folder / "unpacked", {"fer2013/fer2013.csv": BYTES, "fer2013/fer2013.bib": b"@article"}
    ),
    "folder with it packed": lambda folder: write_folder(
        folder / "unpacked", {"fer2013.csv.gz": gzip.compress(BYTES), "other.txt": b"x"}
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_faces(form: str, tmp_path: Path) -> None:
    source = FORMS[form](tmp_path)
    dataset = import_dataset(source, tmp_path / "out")
    assert np.array_equal(dataset.images, FACES.images)
    assert dataset.images.dtype == np.uint8
    assert np.array_equal(dataset.labels, FACES.labels)
    assert list(dataset.splits) == FACES.splits
    assert dataset.info.kind == "csv"
    assert dataset.info.source.startswith(source.name)
    assert left_behind(tmp_path, {source.name}) == ["out"]


def test_rows_keep_the_number_they_have_in_the_file(tmp_path: Path) -> None:
    source = plain(tmp_path / "fer2013.csv", BYTES)
    names = import_dataset(source, tmp_path / "out").faces()["source_name"]
    assert names[0] == "fer2013.csv:2"
    assert names[20] == "fer2013.csv:22"


def test_a_part_of_the_data_is_told_to_be_one(tmp_path: Path) -> None:
    info = import_dataset(plain(tmp_path / "mine.csv", BYTES), tmp_path / "out", name="mine").info
    assert info.name == info.title == "mine"
    assert "7 Training, 7 PublicTest, 7 PrivateTest" in info.notes[0]


def test_progress_counts_faces_up_to_the_number_there_are(tmp_path: Path) -> None:
    rows = FACES.rows() * 60
    source = plain(tmp_path / "fer2013.csv", csv_text(rows).encode())
    seen: list[Progress] = []
    import_dataset(source, tmp_path / "out", progress=seen.append)
    assert seen[0].done == 0, "reported from the first step, when nothing is read yet"
    seen = [progress for progress in seen if progress.done]
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
    assert {progress.unit for progress in seen} == {"faces"}
    assert seen[0].done == 512
    assert seen[0].total is not None
    assert abs(seen[0].total - len(rows)) < len(rows) / 2, "an estimate from the bytes read so far"
    assert seen[0].seconds_left is not None
    assert (seen[-1].done, seen[-1].total, seen[-1].seconds_left) == (len(rows), len(rows), 0.0)
    assert "fer2013.csv" in seen[-1].message


def refused(source: Path, *fragments: str) -> None:
    """The import fails with a message that holds every fragment, and leaves no trace beside the source."""
    out = source.parent / "out"
    with pytest.raises(DataError) as caught:
        import_dataset(source, out)
    message = str(caught.value)
    for fragment in (source.name, *fragments):
        assert fragment in message
    assert message.endswith("."), "a sentence"
    assert left_behind(source.parent, {source.name}) == []


def broken(tmp_path: Path, row: int, column: int, value: str) -> Path:
    """The CSV with one cell replaced; ``row`` as a person counts in the file, where the header is row 1."""
    rows = FACES.rows()
    rows[row - 2][column] = value
    return plain(tmp_path / "fer2013.csv", csv_text(rows).encode())


def pixels_with(position: int, value: str) -> str:
    """The pixels of a face with the one at ``position`` (from 1) replaced."""
    values = ["7"] * 2304
    values[position - 1] = value
    return " ".join(values)


@pytest.mark.parametrize(("count", "shown"), [(2303, "2,303"), (2305, "2,305"), (1, "1"), (0, "0")])
def test_wrong_pixel_count(count: int, shown: str, tmp_path: Path) -> None:
    refused(broken(tmp_path, 5, 1, " ".join(["7"] * count)), "row 5:", f"{shown} pixel values instead of 2,304")


@pytest.mark.parametrize(
    ("position", "value"),
    [(1, "256"), (1000, "256"), (2304, "256"), (1, "-1"), (2304, "-1"), (9, "512"), (9, "99999999999999999999")],
)
def test_pixel_outside_0_to_255(position: int, value: str, tmp_path: Path) -> None:
    source = broken(tmp_path, 6, 1, pixels_with(position, value))
    refused(source, "row 6:", f"pixel {position:,} is {value}, which is outside 0 to 255")


@pytest.mark.parametrize(
    ("position", "value"),
    [
        *[(position, "x") for position in (1, 1000, 2304)],
        *[(2304, value) for value in ("7x", "²")],
        *[(9, value) for value in ("12.5", "1e2", "0x10", "1+2", "12-3", "nan", "²")],
    ],
)
def test_pixel_that_is_no_number(position: int, value: str, tmp_path: Path) -> None:
    source = broken(tmp_path, 7, 1, pixels_with(position, value))
    refused(source, "row 7:", f"pixel {position:,} is {value!r}, which is not a whole number")


def test_a_missing_blank_is_not_made_up_for_by_a_sign(tmp_path: Path) -> None:
    values = ["7"] * 2304
    # Two oddities that cancel out in the count: "7+7" parses as two numbers, the double blank as none.
    text = " ".join(["7+7", "", *values[3:], "7"])
    refused(broken(tmp_path, 2, 1, text), "row 2:", "not a whole number")


@pytest.mark.parametrize("blanks", ["  ", "\t"])
def test_other_blanks_between_pixels_are_fine(blanks: str, tmp_path: Path) -> None:
    source = broken(tmp_path, 2, 1, blanks.join(map(str, FACES.images[0].ravel())))
    assert np.array_equal(import_dataset(source, tmp_path / "out").images, FACES.images)


@pytest.mark.parametrize("value", ["7", "-1", "happy", "", "3.0"])
def test_unknown_emotion(value: str, tmp_path: Path) -> None:
    refused(broken(tmp_path, 3, 0, value), "row 3:", f"unknown emotion {value!r}", "3 happy")


@pytest.mark.parametrize("value", ["Test", "", "train"])
def test_unknown_usage(value: str, tmp_path: Path) -> None:
    refused(broken(tmp_path, 4, 2, value), "row 4:", f"unknown Usage {value!r}", "PublicTest, PrivateTest")


def test_row_with_too_many_columns(tmp_path: Path) -> None:
    refused(broken(tmp_path, 4, 2, "Training,more"), "row 4: 4 columns instead of 3")


@pytest.mark.parametrize("missing", ["emotion", "pixels"])
def test_missing_column(missing: str, tmp_path: Path) -> None:
    header = [column for column in HEADER if column != missing]
    source = plain(tmp_path / "fer2013.csv", csv_text(FACES.rows(), header).encode())
    refused(source, "row 1:", f"no column {missing!r}", ", ".join(header))


def test_column_twice(tmp_path: Path) -> None:
    refused(plain(tmp_path / "f.csv", b"emotion,pixels,Usage,usage\n0,1,Training,Training\n"), "more than once")


@pytest.mark.parametrize("form", ["plain", "gz"])
def test_empty_file(form: str, tmp_path: Path) -> None:
    content = b"" if form == "plain" else gzip.compress(b"")
    refused(plain(tmp_path / "fer2013.csv", content), "is empty")


def test_header_only(tmp_path: Path) -> None:
    refused(plain(tmp_path / "fer2013.csv", b"emotion,pixels,Usage\n"), "a header and no rows")


@pytest.mark.parametrize("header", [HEADER, ICML_HEADER])
def test_file_cut_in_the_middle_of_a_row(header: list[str], tmp_path: Path) -> None:
    whole = csv_text(FACES.rows(), header)
    start = whole.rindex("\n", 0, -1)
    cut = whole[: start + 3000]
    refused(plain(tmp_path / "fer2013.csv", cut.encode()), "row 22:", "cut off (truncated)", "Download it again")


def test_file_cut_in_the_last_word(tmp_path: Path) -> None:
    refused(plain(tmp_path / "fer2013.csv", BYTES[:-5]), "row 22:", "unknown Usage", "cut off (truncated)")


def test_a_last_row_with_its_line_end_is_not_told_to_be_cut_off(tmp_path: Path) -> None:
    """Whatever was wrong with the last row, the file was said to be cut off."""
    source = broken(tmp_path, 22, 0, "9")
    with pytest.raises(DataError) as caught:
        import_dataset(source, tmp_path / "out")
    assert "row 22" in str(caught.value)
    assert "cut off" not in str(caught.value)


@pytest.mark.parametrize("packed", [gzip.compress(BYTES), lzma.compress(BYTES)], ids=["gz", "xz"])
@pytest.mark.parametrize("share", [0.5, 0.999])
def test_packed_file_cut_off(packed: bytes, share: float, tmp_path: Path) -> None:
    refused(plain(tmp_path / "fer2013.csv.packed", packed[: int(len(packed) * share)]), "cut off", "Download it again")


@pytest.mark.parametrize("packed", [gzip.compress(BYTES), lzma.compress(BYTES)], ids=["gz", "xz"])
def test_packed_file_damaged(packed: bytes, tmp_path: Path) -> None:
    middle = len(packed) // 2
    content = packed[:middle] + bytes(byte ^ 0x5A for byte in packed[middle : middle + 64]) + packed[middle + 64 :]
    refused(plain(tmp_path / "fer2013.csv.packed", content), "fer2013.csv.packed")


def test_not_a_text_file(tmp_path: Path) -> None:
    refused(plain(tmp_path / "fer2013.csv", b"emotion,pixels,Usage\n\xff\xfe\x80" * 50), "not a text file")


def test_one_endless_cell(tmp_path: Path) -> None:
    source = plain(tmp_path / "fer2013.csv", b'emotion,pixels,Usage\n0,"' + b"7 7\n" * 50_000)
    refused(source, "not a well-formed CSV")


@pytest.mark.parametrize("filler", [b"7 ", b"0,", b"\0"])
def test_one_endless_line(filler: bytes, tmp_path: Path) -> None:
    source = plain(tmp_path / "fer2013.csv", b"emotion,pixels,Usage\n" + filler * 200_000)
    refused(source, "row 2: longer than 100,000 characters")


def test_a_class_without_a_training_face_is_told(tmp_path: Path) -> None:
    rows = [row for row in FACES.rows() if not (row[0] == "1" and row[2] == "Training")]
    info = import_dataset(plain(tmp_path / "fer2013.csv", csv_text(rows).encode()), tmp_path / "out").info
    assert any("Training has no face of disgust" in note for note in info.notes)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no file or folder .*nowhere\.csv"):
        import_dataset(tmp_path / "nowhere.csv", tmp_path / "out")
    assert left_behind(tmp_path, set()) == []


def test_a_plain_file_is_never_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tight = replace(settings(), max_archive_bytes=1000)
    monkeypatch.setattr(archives, "settings", lambda: tight)
    assert len(import_dataset(plain(tmp_path / "f.csv", BYTES), tmp_path / "out")) == 21
    packed = tmp_path / "packed"
    packed.mkdir()
    refused(plain(packed / "f.csv.gz", gzip.compress(BYTES)), "fill up disks")


def test_an_import_stopped_by_its_very_last_progress_report_keeps_nothing(tmp_path: Path) -> None:
    """The last report used to come after the dataset was in place: "stopped" was told, and the dataset stayed."""

    class StopError(Exception):
        pass

    def stop_at_the_end(progress: Progress) -> None:
        if progress.total is not None and progress.done >= progress.total:
            raise StopError

    source = plain(tmp_path / "faces.csv", BYTES)
    with pytest.raises(StopError):
        import_dataset(source, tmp_path / "out", progress=stop_at_the_end)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faces.csv"]
