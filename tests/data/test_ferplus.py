"""FER+: votes joined by row position, and only where that is certain to be right."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from data_sources import left_behind, write_zip

from fer_core import emotions
from fer_core.data.dataset import Dataset, load_dataset, write_dataset
from fer_core.data.ferplus import (
    ANSWERS,
    FERPLUS_FILE,
    REASONS,
    Crowd,
    add_ferplus,
    read_ferplus,
    remove_ferplus,
)
from fer_core.errors import DataError

HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
# Our label to FER+'s column: angry, disgust, fear, happy, sad, surprise, neutral.
COLUMN = [4, 5, 6, 1, 3, 2, 0]


def csv_lines(dataset: Dataset) -> list[str]:
    """Seven votes for each face's own label, two for the column after it and one for unknown."""
    lines = []
    for row, (label, split) in enumerate(zip(dataset.labels, dataset.splits, strict=True)):
        votes = [0] * 10
        votes[COLUMN[label]] = 7
        votes[(COLUMN[label] + 1) % 7] = 2
        votes[8] = 1
        # As in FER+, the names do not keep step with the lines.
        lines.append(f"{split},fer{row + 3:07}.png," + ",".join(map(str, votes)))
    return lines


def write_csv(path: Path, lines: list[str], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def make_dataset(folder: Path, kind: str = "csv", seed: int = 0) -> Dataset:
    generator = np.random.default_rng(seed)
    labels = np.array([0, 1, 2, 3, 4, 5, 6] * 6, np.int8)
    splits = np.repeat(emotions.SPLITS, 14)
    images = generator.integers(0, 256, (42, 48, 48), dtype=np.uint8)
    return write_dataset(folder, images, labels, splits, kind=kind)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return make_dataset(tmp_path / "data")


def test_votes_are_joined_kept_read_again_and_removed(dataset: Dataset, tmp_path: Path) -> None:
    assert read_ferplus(dataset) is None
    crowd = add_ferplus(dataset, write_csv(tmp_path / "fer2013new.csv", csv_lines(dataset)))
    np.testing.assert_array_equal(crowd.labels(), dataset.labels)
    assert crowd.votes.dtype == np.int8
    again = read_ferplus(load_dataset(dataset.path))
    assert again is not None
    np.testing.assert_array_equal(again.votes, crowd.votes)
    assert left_behind(dataset.path, {"images.npy", "faces.parquet", "dataset.json"}) == [FERPLUS_FILE]
    assert remove_ferplus(dataset)
    assert not remove_ferplus(dataset)
    assert read_ferplus(dataset) is None


def test_each_column_goes_to_its_class(dataset: Dataset, tmp_path: Path) -> None:
    """One vote for NF, two for unknown … : every column has another number in the first line."""
    lines = csv_lines(dataset)
    lines[0] = "Training,,0,1,2,0,4,0,1,0,2,0"
    lines[1] = "Training,,1,0,0,2,0,3,0,1,1,2"
    crowd = add_ferplus(dataset, write_csv(tmp_path / "votes.csv", lines))
    assert dict(zip(ANSWERS, crowd.votes[0].tolist(), strict=True)) == {
        **dict.fromkeys(ANSWERS, 0),
        "happy": 1,
        "surprise": 2,
        "angry": 4,
        "fear": 1,
        "unknown": 2,
    }
    assert crowd.answers(1) == [
        ("disgust", 3),
        ("sad", 2),
        ("not a face", 2),
        ("neutral", 1),
        ("contempt", 1),
        ("unknown", 1),
    ]


def test_columns_are_found_by_name_and_packed_files_are_read(dataset: Dataset, tmp_path: Path) -> None:
    plain = add_ferplus(dataset, write_csv(tmp_path / "a.csv", csv_lines(dataset)))
    turned = [",".join(line.split(",")[::-1]) for line in csv_lines(dataset)]
    other = write_csv(tmp_path / "b.csv", turned, ",".join(HEADER.split(",")[::-1]))
    np.testing.assert_array_equal(add_ferplus(dataset, other).votes, plain.votes)
    packed = tmp_path / "c.csv.gz"
    packed.write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    np.testing.assert_array_equal(add_ferplus(dataset, packed).votes, plain.votes)
    zipped = write_zip(tmp_path / "d.zip", {"FERPlus/fer2013new.csv": (tmp_path / "a.csv").read_bytes()})
    np.testing.assert_array_equal(add_ferplus(dataset, zipped).votes, plain.votes)


def crowd_of(*rows: list[int]) -> Crowd:
    return Crowd(np.array(rows, np.int8))


def test_plurality_and_its_reasons() -> None:
    crowd = crowd_of(
        [4, 0, 3, 0, 0, 0, 2, 0, 1, 0],
        [5, 0, 5, 0, 0, 0, 0, 0, 0, 0],
        [2, 0, 0, 0, 0, 0, 3, 5, 0, 0],
        [0, 0, 0, 0, 0, 0, 4, 0, 6, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 10],
        [0, 0, 0, 0, 0, 0, 4, 0, 4, 2],
        [0, 0, 0, 0, 0, 0, 9, 0, 0, 0],
    )
    assert crowd.labels().tolist() == [0, -1, -1, -1, -1, -1, 6]
    assert [REASONS[code] for code in crowd.reasons] == [
        "",
        "a tie",
        "contempt",
        "unknown",
        "not a face",
        "a tie",
        "",
    ]
    assert crowd.reason(0) == ""
    assert crowd.reason(1) == "The crowd is split between angry and fear."
    assert "contempt" in crowd.reason(2)
    assert "cannot tell" in crowd.reason(3)
    assert "not a face" in crowd.reason(4)
    assert crowd.reason(5) == "The crowd is split between neutral and unknown."
    assert [crowd.agreement(row) for row in range(7)] == [0.4, 0.5, 0.5, 0.6, 1.0, 0.4, 1.0]
    np.testing.assert_allclose(crowd.support([0, 2, 6, 6, 3, 6, 6]), [0.4, 0.5, 0.3, 0.4, 0, 0.4, 1])
    with pytest.raises(ValueError, match="7 labels"):
        crowd.support([0])
    with pytest.raises(ValueError, match="7 labels"):
        crowd.support([-1] * 7)


def changed(lines: list[str], row: int, line: str) -> list[str]:
    return [*lines[:row], line, *lines[row + 1 :]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Training,x,1,0,0,0,0,0,0,0,0", "line 4: 11 columns instead of 12"),
        ("Validation,x,1,0,0,0,0,0,0,0,0,0", "line 4: unknown Usage 'Validation'"),
        ("Training,x,1,0,0,0,0,-1,0,0,0,0", "line 4: '-1' is no number of votes"),
        ("Training,x,1.5,0,0,0,0,0,0,0,0,0", "line 4: '1.5' is no number of votes"),
        ("Training,x,11,0,0,0,0,0,0,0,0,0", "line 4: '11' is no number of votes"),
        ("Training,x,,0,0,0,0,0,0,0,0,0", "line 4: '' is no number of votes"),
        ("Training,x,6,5,0,0,0,0,0,0,0,0", "line 4: 11 votes, and a face has 1 to 10"),
        ("Training,x,0,0,0,0,0,0,0,0,0,0", "line 4: 0 votes"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_kept(dataset: Dataset, tmp_path: Path, line: str, message: str) -> None:
    path = write_csv(tmp_path / "votes.csv", changed(csv_lines(dataset), 2, line))
    with pytest.raises(DataError, match=message):
        add_ferplus(dataset, path)
    assert read_ferplus(dataset) is None


def test_files_that_are_not_ferplus(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no file"):
        add_ferplus(dataset, tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match="one column 'nf', and this file has 0"):
        add_ferplus(dataset, write_csv(tmp_path / "a.csv", csv_lines(dataset), HEADER.replace(",NF", ",face")))
    with pytest.raises(DataError, match="one column 'usage', and this file has 0"):
        add_ferplus(dataset, write_csv(tmp_path / "b.csv", ["0,1 2 3,Training"], "emotion,pixels,split"))
    with pytest.raises(DataError, match="has no votes in it"):
        add_ferplus(dataset, write_csv(tmp_path / "c.csv", []))
    picture = tmp_path / "d.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    with pytest.raises(DataError, match="is not a text file"):
        add_ferplus(dataset, picture)
    empty = tmp_path / "e.csv"
    empty.write_bytes(b"")
    with pytest.raises(DataError, match="this file has 0"):
        add_ferplus(dataset, empty)


def test_other_faces_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    lines = csv_lines(dataset)
    with pytest.raises(DataError, match="has 41 rows, and data has 42 faces"):
        add_ferplus(dataset, write_csv(tmp_path / "short.csv", lines[:-1]))
    with pytest.raises(DataError, match=r"row 14 .* belongs to PrivateTest, and face 14 .* to PublicTest.* in 28 rows"):
        add_ferplus(dataset, write_csv(tmp_path / "b.csv", [*lines[:14], *lines[28:], *lines[14:28]]))
    folder = make_dataset(tmp_path / "folder", kind="folder")
    with pytest.raises(DataError, match="was not imported from FER-2013's CSV"):
        add_ferplus(folder, write_csv(tmp_path / "whole.csv", lines))


def test_rows_in_another_order_are_noticed_though_the_splits_fit(dataset: Dataset, tmp_path: Path) -> None:
    lines = csv_lines(dataset)
    moved = [*lines[:14], *lines[15:28], lines[14], *lines[28:]]
    with pytest.raises(DataError, match="for only 0 % of PublicTest"):
        add_ferplus(dataset, write_csv(tmp_path / "moved.csv", moved))
    assert read_ferplus(dataset) is None


def test_a_failed_addition_keeps_what_was_there(dataset: Dataset, tmp_path: Path) -> None:
    first = add_ferplus(dataset, write_csv(tmp_path / "a.csv", csv_lines(dataset)))
    with pytest.raises(DataError):
        add_ferplus(dataset, write_csv(tmp_path / "b.csv", csv_lines(dataset)[:-1]))
    stored = read_ferplus(dataset)
    assert stored is not None
    np.testing.assert_array_equal(stored.votes, first.votes)


def test_a_folder_that_cannot_be_written_to(dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(DataError, match="cannot be written: No space left"):
        add_ferplus(dataset, write_csv(tmp_path / "a.csv", csv_lines(dataset)))
    assert left_behind(dataset.path, {"images.npy", "faces.parquet", "dataset.json"}) == []


def test_a_damaged_or_foreign_file_is_told(dataset: Dataset, tmp_path: Path) -> None:
    add_ferplus(dataset, write_csv(tmp_path / "a.csv", csv_lines(dataset)))
    stored = dataset.path / FERPLUS_FILE
    content = stored.read_bytes()
    other = make_dataset(tmp_path / "other", seed=1)
    (other.path / FERPLUS_FILE).write_bytes(content)
    with pytest.raises(DataError, match="made for other faces"):
        read_ferplus(other)
    stored.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="cannot be read"):
        read_ferplus(dataset)
    table = pq.read_table(other.path / FERPLUS_FILE)
    pq.write_table(table.slice(1), stored)
    with pytest.raises(DataError, match="its rows or votes are not what they should be"):
        read_ferplus(dataset)
