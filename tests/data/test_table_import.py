"""Tables of faces as people write them: the same faces come out, and what was understood is told."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from data_sources import Faces, csv_text, left_behind, write_tar

from fer_core import emotions
from fer_core.data import archives
from fer_core.data.dataset import Dataset
from fer_core.data.importer import import_dataset
from fer_core.data.table_source import TableFile, TableSource
from fer_core.data.understanding import Corrections
from fer_core.errors import DataError

FACES = Faces()
ROWS = FACES.rows()
WORDS = {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
NAMES = [emotions.NAMES[label] for label in FACES.labels]


def write(path: Path, lines: list[str], *, end: str = "\n", mark: bytes = b"", encoding: str = "utf-8") -> Path:
    path.write_bytes(mark + "".join(line + end for line in lines).encode(encoding))
    return path


def imported(source: Path) -> Dataset:
    return import_dataset(source, source.parent / "out")


def same(dataset: Dataset, *, close: int = 0) -> None:
    assert np.abs(dataset.images.astype(int) - FACES.images).max() <= close
    assert np.array_equal(dataset.labels, FACES.labels)
    assert list(dataset.splits) == FACES.splits


def refused(source: Path, *fragments: str) -> None:
    with pytest.raises(DataError) as caught:
        imported(source)
    for fragment in fragments:
        assert fragment in str(caught.value)
    assert left_behind(source.parent, {source.name}) == []


def table(sign: str, head: list[str], rows: list[list[str]]) -> list[str]:
    return [sign.join(row) for row in [head, *rows]]


def wide(rows: list[list[str]], *, last: bool = False) -> list[list[str]]:
    return [[*pixels.split(" "), label] if last else [label, *pixels.split(" ")] for label, pixels, _ in rows]


def quoted(text: str) -> str:
    return f'"{text}"'


WIDE_NAMES = [f"pixel{i}" for i in range(2304)]
FORMS: dict[str, Callable[[Path], Path]] = {
    "semicolons, mark, Windows": lambda path: write(
        path, table(";", ["emotion", "pixels", "Usage"], ROWS), end="\r\n", mark=b"\xef\xbb\xbf"
    ),
    "old Mac": lambda path: write(path, table(";", ["emotion", "pixels", "Usage"], ROWS), end="\r"),
    "tabs": lambda path: write(path, table("\t", ["emotion", "pixels", "Usage"], ROWS)),
    "bars": lambda path: write(path, table("|", ["emotion", "pixels", "Usage"], ROWS)),
    "UTF-16, as Excel's Unicode text": lambda path: write(
        path, table("\t", ["emotion", "pixels", "Usage"], ROWS), encoding="utf-16"
    ),
    "index": lambda path: write(
        path, table(",", ["", "emotion", "pixels", "Usage"], [[str(i), *row] for i, row in enumerate(ROWS)])
    ),
    "words": lambda path: write(
        path, table(",", ["emotion", "pixels", "Usage"], [[n, *row[1:]] for n, row in zip(NAMES, ROWS, strict=True)])
    ),
    "other usage": lambda path: write(
        path, table(",", ["emotion", "pixels", "split"], [[*row[:2], WORDS[row[2]]] for row in ROWS])
    ),
    "other header": lambda path: write(path, table(",", ["Label", "image", "Set"], ROWS)),
    "no header": lambda path: write(path, [",".join(row) for row in ROWS]),
    "lists": lambda path: write(
        path,
        table(",", ["target", "pixels", "usage"], [[a, quoted(f"[{b.replace(' ', ', ')}]"), c] for a, b, c in ROWS]),
    ),
    "semicolons around commas, no header": lambda path: write(
        path, [f"{a};[{b.replace(' ', ', ')}];{c}" for a, b, c in ROWS]
    ),
    "index, wide, label last": lambda path: write(
        path,
        table(
            ",",
            ["", *map(str, range(2304)), "label", "usage"],
            [[str(i), *cells, row[2]] for i, (cells, row) in enumerate(zip(wide(ROWS, last=True), ROWS, strict=True))],
        ),
    ),
    "commas in a cell": lambda path: write(
        path, table(",", ["class", "pixels", "usage"], [[a, quoted(b.replace(" ", ",")), c] for a, b, c in ROWS])
    ),
    "number and word": lambda path: write(
        path,
        table(
            ",",
            ["label", "emotion_name", "pixels", "usage"],
            [["9", n, *r[1:]] for n, r in zip(NAMES, ROWS, strict=True)],
        ),
    ),
    "one column a class": lambda path: write(
        path,
        table(
            ",",
            ["pixels", *map(str.title, emotions.NAMES), "contempt", "Usage"],
            [
                [r[1], *("1" if name == n else "0" for name in emotions.NAMES), "0", r[2]]
                for n, r in zip(NAMES, ROWS, strict=True)
            ],
        ),
    ),
    "one column a class, wide": lambda path: write(
        path,
        table(
            ",",
            [*emotions.NAMES, *WIDE_NAMES, "Usage"],
            [
                [*("1.0" if name == n else "0.0" for name in emotions.NAMES), *r[1].split(" "), r[2]]
                for n, r in zip(NAMES, ROWS, strict=True)
            ],
        ),
    ),
    "wide": lambda path: write(
        path,
        table(
            ",",
            ["emotion", *WIDE_NAMES, "Usage"],
            [[*cells, row[2]] for cells, row in zip(wide(ROWS), ROWS, strict=True)],
        ),
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["fer2013.csv", "mine.csv"])
def test_every_form_gives_the_same_faces(form: str, name: str, tmp_path: Path) -> None:
    dataset = imported(FORMS[form](tmp_path / name))
    same(dataset)
    assert dataset.faces()["source_name"][0].startswith(name)


@pytest.mark.parametrize("packed", ["tar", "gz"])
def test_a_packed_file_that_calls_itself_csv(packed: str, tmp_path: Path) -> None:
    text = csv_text(ROWS).encode()
    source = tmp_path / "mine.csv"
    if packed == "gz":
        source.write_bytes(gzip.compress(text))
    else:
        write_tar(source, {"fer.csv": text}, "w")
    same(imported(source))


@pytest.mark.parametrize(
    "scaled",
    [
        lambda image: " ".join(f"{value / 255:.6f}" for value in image.ravel()),
        lambda image: quoted(str((image.ravel() / 255).tolist())),
        lambda image: " ".join(f"{value / 127.5 - 1:.6f}" for value in image.ravel()),
        lambda image: " ".join(f"{float(value)}" for value in image.ravel()),
        lambda image: " ".join(f"{value / 255:.6f}".replace(".", ",") for value in image.ravel()),
    ],
    ids=["0..1", "list 0..1", "-1..1", "0..255 floats", "decimal commas"],
)
def test_floats_are_scaled_and_that_is_told(scaled: Callable[[np.ndarray], str], tmp_path: Path) -> None:
    rows = [[row[0], scaled(image), row[2]] for row, image in zip(ROWS, FACES.images, strict=True)]
    dataset = imported(write(tmp_path / "mine.csv", table(";", ["emotion", "pixels", "Usage"], rows)))
    same(dataset, close=0)
    plain = scaled(np.full((1, 1), 255, np.uint8)).strip('"[]')
    assert any("were scaled" in note for note in dataset.info.notes) == (float(plain.replace(",", ".")) <= 1)


@pytest.mark.parametrize("header", [["emotion", *WIDE_NAMES], [str(i) for i in range(2305)], None])
@pytest.mark.parametrize("last", [False, True])
def test_wide_tables_without_usage_are_split_with_a_seed(header: list[str] | None, last: bool, tmp_path: Path) -> None:
    rows = wide(Faces(each=4).rows(), last=last)
    if header is not None and header[0] == "emotion" and last:
        header = [*WIDE_NAMES, "emotion"]
    dataset = imported(write(tmp_path / "mine.csv", [",".join(row) for row in ([header] if header else []) + rows]))
    assert np.array_equal(dataset.images, Faces(each=4).images)
    assert dataset.info.split_size("PublicTest") == dataset.info.split_size("PrivateTest") == 7
    assert any("seed 2013" in note for note in dataset.info.notes)


def test_a_table_without_usage_is_split_with_a_seed(tmp_path: Path) -> None:
    """The challenge's train.csv was refused for want of a Usage."""
    faces = Faces(each=4)
    source = write(tmp_path / "train.csv", table(",", ["emotion", "pixels"], [row[:2] for row in faces.rows()]))
    dataset = imported(source)
    assert np.array_equal(dataset.images, faces.images)
    assert dataset.info.counts["Training"] == (10,) * 7


def test_train_and_test_only_give_up_some_training_faces_for_choosing(tmp_path: Path) -> None:
    faces = Faces(each=9)
    rows = [[a, b, "test" if c == "PrivateTest" else "train"] for a, b, c in faces.rows()]
    dataset = imported(write(tmp_path / "mine.csv", table(",", ["emotion", "pixels", "split"], rows)))
    assert dataset.info.counts == {"Training": (16,) * 7, "PublicTest": (2,) * 7, "PrivateTest": (9,) * 7}


def test_contempt_is_left_out_by_name_and_counted(tmp_path: Path) -> None:
    """CK+'s 7 in the last row was told to be a file that is cut off."""
    rows = [*ROWS, ["7", ROWS[0][1], "Training"]]
    dataset = imported(write(tmp_path / "ckextended.csv", table(",", ["emotion", "pixels", "Usage"], rows)))
    same(dataset)
    assert any("contempt" in note for note in dataset.info.notes)
    assert dataset.info.left_out[0].examples == ("ckextended.csv:23",)
    assert not any("cut off" in note for note in dataset.info.notes)


def test_numbers_of_nobody_known_are_asked_for(tmp_path: Path) -> None:
    rows = [[str(int(row[0]) + 1) if row[0] != "6" else "8", *row[1:]] for row in ROWS]
    source = write(tmp_path / "mine.csv", table(",", ["label", "pixels", "split"], rows))
    refused(source, "--classes", "1, 2, 3, 4, 5, 6, 8")
    said = Corrections.parse(classes="angry=1,disgust=2,fear=3,happy=4,sad=5,surprise=6,neutral=8")
    assert [found.meaning.why for found in opened(source, said).understanding.classes] == ["as you say"] * 7


def test_numbers_from_1_to_7_are_asked_about_where_fer2013s_words_stand_beside_them(tmp_path: Path) -> None:
    """They were taken for FER-2013's, all of them one too high, and the neutral faces for contempt."""
    rows = [[str(int(row[0]) + 1), *row[1:]] for row in ROWS]
    refused(write(tmp_path / "mine.csv", table(",", ["emotion", "pixels", "Usage"], rows)), "--classes", "RAF-DB")


def test_pixels_beside_names_of_pictures_are_read(tmp_path: Path) -> None:
    """A table that has both was refused for want of the pictures."""
    rows = [[row[0], f"img_{i}.png", *row[1].split(), row[2]] for i, row in enumerate(ROWS)]
    header = ["label", "file", *(f"p{i}" for i in range(2304)), "Usage"]
    same(imported(write(tmp_path / "mine.csv", table(",", header, rows))))


def opened(source: Path, said: Corrections | None = None) -> TableSource:
    return TableSource(source.name, [TableFile(lambda: archives.open_csv(source))], said)


def test_what_is_said_of_classes_and_splits_counts(tmp_path: Path) -> None:
    rows = [[name, row[1], "fold1"] for name, row in zip(NAMES, ROWS, strict=True)]
    source = write(tmp_path / "mine.csv", table(",", ["emotion", "pixels", "fold"], rows))
    with pytest.raises(DataError, match="fold1=train"):
        opened(source)
    told = opened(source, Corrections.parse(splits="fold1=test", drop="sad"))
    assert told.understanding.counts["PrivateTest"] == (3, 3, 3, 3, 0, 3, 3)
    assert [(one.kind, one.count) for one in told.understanding.left_out] == [("faces of other classes (sad)", 3)]
    assert sum(len(batch.labels) for batch in told.batches()) == 18


def test_what_is_understood_is_what_is_imported(tmp_path: Path) -> None:
    faces = Faces(each=4)
    source = write(tmp_path / "train.csv", table(",", ["emotion", "pixels"], [row[:2] for row in faces.rows()]))
    understanding = opened(source).understanding
    assert understanding.counts == imported(source).info.counts
    assert understanding.question is None
    assert "one column" in understanding.layout


def test_rows_of_no_class_and_of_two_are_left_out_where_each_class_has_a_column(tmp_path: Path) -> None:
    rows = [[r[1], *("1" if name == n else "0" for name in emotions.NAMES)] for n, r in zip(NAMES, ROWS, strict=True)]
    rows[3][1:] = ["0"] * 7
    rows[5][1:3] = ["1", "1"]
    dataset = imported(write(tmp_path / "mine.csv", table(",", ["pixels", *emotions.NAMES], rows)))
    assert len(dataset) == len(ROWS) - 2
    assert [one.count for one in dataset.info.left_out] == [2]


def test_an_unlabelled_table_names_the_way(tmp_path: Path) -> None:
    source = write(tmp_path / "test.csv", ["pixels", *(row[1] for row in ROWS)])
    refused(source, "unlabelled", "train.csv", "icml_face_data.csv", "predict")


def test_a_few_broken_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [list(row) for row in ROWS]
    rows[9][1] = "1 2 3"
    rows[12][1] = rows[12][1].replace(" ", " x ", 1)
    dataset = imported(write(tmp_path / "mine.csv", table(",", ["emotion", "pixels", "Usage"], rows)))
    assert len(dataset) == 19
    assert [(one.count, one.examples) for one in dataset.info.left_out] == [(2, ("mine.csv:11", "mine.csv:14"))]
    assert not any("cut off" in note for note in dataset.info.notes)


def test_too_many_broken_rows_end_the_import_with_the_first(tmp_path: Path) -> None:
    rows = [[row[0], row[1][:-9] if i > 9 else row[1], row[2]] for i, row in enumerate(ROWS)]
    refused(
        write(tmp_path / "mine.csv", table(",", ["emotion", "pixels", "Usage"], rows)), "row 12", "pixel values instead"
    )


def test_cut_off_is_told_only_where_no_line_end_follows(tmp_path: Path) -> None:
    whole = csv_text(ROWS)
    source = tmp_path / "mine.csv"
    source.write_text(whole[:-4000])
    notes = imported(source).info.notes
    assert any("cut off" in note and "row 22" in note for note in notes)


def test_pixels_that_numpy_shortened_are_lost_and_that_is_told(tmp_path: Path) -> None:
    rows = [
        [label, quoted(str(image.ravel()).replace("\n", "")), "train"]
        for label, image in zip(NAMES, FACES.images, strict=True)
    ]
    refused(write(tmp_path / "mine.csv", table(",", ["emotion", "pixels", "split"], rows)), "tolist")


def test_other_sizes_and_colours_become_grey_faces(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (21, 64, 64, 3), dtype=np.uint8)
    rows = [[row[0], " ".join(map(str, image.ravel())), row[2]] for row, image in zip(ROWS, images, strict=True)]
    dataset = imported(write(tmp_path / "mine.csv", table(",", ["emotion", "pixels", "Usage"], rows)))
    assert dataset.images.shape == (21, 48, 48)
    assert any("64×64" in note for note in dataset.info.notes)
    assert any("colour" in note for note in dataset.info.notes)


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"emotion,pixels\n0," + b"7 " * 1_000_000, "characters"),
        (b"name,age\nx,3\ny,4\n", "name, age"),
        (b"emotion,pixels,Usage\n" + b"\xff\xfe\x80," * 50, "text file"),
        (b"id,emotion,pixels,pixels\n1,2,3,4\n", "more than once"),
        (b"", "empty"),
        (b'{"label": 0, "pixels": [0, 0]}\n', "lines=True"),
        (b'[{"label": 0, "pixels": [0, 0]}]', "read_json"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "one picture"),
        (b"emotion,pixels,split\n", "no rows"),
        (b"emotion,pixels\n0," + b'"' + b"1 2\n" * 100_000, "CSV"),
    ],
)
def test_what_is_no_table_gets_one_clear_sentence(content: bytes, fragment: str, tmp_path: Path) -> None:
    source = tmp_path / "mine.csv"
    source.write_bytes(content)
    refused(source, "mine.csv", fragment)


def test_a_table_with_a_different_label_in_every_row_has_none(tmp_path: Path) -> None:
    rows = [[f"face{i}x", row[1]] for i, row in enumerate(Faces(each=10).rows())]
    refused(write(tmp_path / "mine.csv", table(",", ["label", "pixels"], rows)), "more than 200")


def test_a_single_row_without_a_line_end_is_a_table(tmp_path: Path) -> None:
    source = tmp_path / "mine.csv"
    source.write_text("emotion,pixels,Usage\n" + ",".join(ROWS[0]))
    assert opened(source).understanding.counts["Training"][0] == 1


def test_classes_of_which_only_some_are_there_keep_the_columns_own_numbers(tmp_path: Path) -> None:
    rows = [row for row in ROWS if row[0] in "034"]
    dataset = imported(write(tmp_path / "mine.csv", table(",", ["emotion", "pixels", "Usage"], rows)))
    assert sorted(set(dataset.labels.tolist())) == [0, 3, 4]
