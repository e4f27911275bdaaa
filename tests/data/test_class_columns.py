"""Classes told by a column each: flags, people's votes, shares; which columns are it, and what they say of a face."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from data_sources import Faces, left_behind
from PIL import Image

from fer_core.data.class_columns import FERPLUS, class_columns, ferplus_columns, most
from fer_core.data.importer import import_dataset
from fer_core.data.look import look_at
from fer_core.emotions import NAMES
from fer_core.errors import DataError

FACES = Faces()
OWN = {"anger": "angry", "sadness": "sad", "happiness": "happy"}


def votes(label: int, rest: str = "unknown") -> list[str]:
    """Eight of ten votes for the label, two for another answer."""
    return [str(8 * (OWN.get(name, name) == NAMES[label]) + 2 * (name == rest)) for name in FERPLUS]


def test_columns_called_like_classes_that_hold_numbers_from_0_on_tell_the_class() -> None:
    header = ["happy", "Sadness", "NF", "width", "3", "fear"]
    cells = dict(enumerate([["0", "7"], ["3", ""], ["0", "3"], ["48", "48"], ["1", "0"], ["-0.2", "0.1"]]))
    assert class_columns(header, cells) == {0: "happy", 1: "Sadness", 2: "NF"}
    assert class_columns(header, {0: ["0"], 1: ["0"]}) == {}, "no 1 and no vote"
    assert class_columns(header, {0: ["1"], 3: ["2"]}) == {}, "one class alone tells nothing"


@pytest.mark.parametrize(
    ("cells", "word"),
    [
        ({"happy": "1", "sad": "0"}, "happy"),
        ({"happy": "3", "sad": "6"}, "sad"),
        ({"happy": "0,25", "sad": "0,75"}, "sad"),
        ({"happy": "5", "sad": "5"}, ""),
        ({"happy": "0", "sad": ""}, ""),
        ({"happy": "-1", "sad": "2"}, ""),
        ({"happy": "nan", "sad": "2"}, ""),
    ],
)
def test_the_most_votes_tell_the_class_and_a_tie_tells_none(cells: dict[str, str], word: str) -> None:
    assert most(cells) == word


def test_ferplus_lists_without_names_are_known_by_their_numbers() -> None:
    row = ["fer0000002.png", "(0, 0, 48, 48)", *votes(3)]
    assert list(ferplus_columns([row]).values()) == list(FERPLUS)
    assert ferplus_columns([row, [*row[:2], *["9"] * 10]]) == {}
    assert ferplus_columns([]) == {}


def test_a_table_of_pixels_and_votes_is_labelled_by_the_most(tmp_path: Path) -> None:
    """It was called unlabelled."""
    rows = [[split, pixels, *votes(int(label))] for label, pixels, split in FACES.rows()]
    rows[0][2:] = ["5", "5", *["0"] * 8]
    rows[1][2:] = [*votes(0, "NF")[:-1], "9"]
    text = "\n".join(",".join(row) for row in [["Usage", "pixels", *FERPLUS], *rows])
    (tmp_path / "votes.csv").write_text(text + "\n")
    assert "votes" in look_at(str(tmp_path / "votes.csv")).understanding.layout
    dataset = import_dataset(tmp_path / "votes.csv", tmp_path / "out")
    assert np.array_equal(dataset.labels, FACES.labels[2:])
    left_out = {one.kind: one.count for one in dataset.info.left_out}
    assert left_out == {"rows that tell no class, or two alike": 1, "faces of other classes (nf)": 1}


@pytest.mark.parametrize("header", [True, False])
def test_pictures_with_a_list_of_votes_are_labelled_by_the_most(header: bool, tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    (folder / "FER2013Test").mkdir(parents=True)
    lines = []
    for number, (image, label) in enumerate(zip(FACES.images, FACES.labels, strict=True)):
        name = f"fer{number:07}.png"
        content = io.BytesIO()
        Image.fromarray(image).save(content, "PNG")
        (folder / "FER2013Test" / name).write_bytes(content.getvalue())
        cells = votes(int(label)) if number else ["5", "5", *["0"] * 8]
        lines.append(",".join([name, *([] if header else ['"(0, 0, 48, 48)"']), *cells]))
    head = [",".join(["file", *FERPLUS])] if header else []
    (folder / "FER2013Test" / "label.csv").write_text("\n".join([*head, *lines]) + "\n")
    dataset = import_dataset(folder, tmp_path / "out")
    assert Counter(dataset.labels.tolist()) == Counter(FACES.labels[1:].tolist())
    left_out = {one.kind: one.count for one in dataset.info.left_out}
    assert left_out == {"pictures whose line tells no class, or two alike": 1}


def test_ferplus_own_file_is_told_from_a_dataset(tmp_path: Path) -> None:
    row = ["Training", "fer0000000.png", *votes(3)]
    (tmp_path / "fer2013new.csv").write_text(f"Usage,Image name,{','.join(FERPLUS)}\n{','.join(row)}\n")
    with pytest.raises(DataError, match=r"FER\+'s votes.*page Dataset"):
        import_dataset(tmp_path / "fer2013new.csv", tmp_path / "out")
    assert left_behind(tmp_path, {"fer2013new.csv"}) == []
