"""A selection taken away as CSV and as a zip of PNGs."""

from __future__ import annotations

import csv
import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from fer_core.emotions import NAMES
from fer_core.errors import DataError
from fer_core.evaluation.aligned_predictions import AlignedPredictions
from fer_core.review.annotations import Annotation
from fer_core.review.export import (
    about_bytes,
    face_name,
    faces_zip,
    file_stem,
    stream_faces_zip,
    write_selection_csv,
)

N = 300
GENERATOR = np.random.default_rng(0)
IMAGES = GENERATOR.integers(0, 256, (N, 48, 48), dtype=np.uint8)
ROWS = np.arange(40, N)
LABELS = GENERATOR.integers(0, 7, len(ROWS)).astype(np.int8)
VALUES = GENERATOR.dirichlet(np.ones(7), size=(2, len(ROWS))).astype(np.float32)


@pytest.fixture
def aligned() -> AlignedPredictions:
    return AlignedPredictions(("resnet50", "my model/2"), "PublicTest", "0" * 64, ROWS, LABELS, VALUES)


def test_csv_tells_everything_in_the_order_given(aligned: AlignedPredictions) -> None:
    annotations = {42: Annotation(42, "label wrong", 4, 'he said "no", twice'), 41: Annotation(41, "ambiguous")}
    near_duplicate = np.zeros(len(ROWS), bool)
    near_duplicate[2] = True
    content = write_selection_csv(
        aligned,
        [2, 0, 1],
        near_duplicate=near_duplicate,
        label_issue_score=np.linspace(0, 1, len(ROWS)),
        annotations=annotations,
    )
    lines = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert [int(line["row"]) for line in lines] == [42, 40, 41]
    first = lines[0]
    assert first["split"] == "PublicTest"
    assert first["label"] == NAMES[LABELS[2]]
    for model, name in enumerate(aligned.names):
        assert first[name] == NAMES[VALUES[model, 2].argmax()]
        given = [float(first[f"{name} p({label})"]) for label in NAMES]
        np.testing.assert_allclose(given, VALUES[model, 2], atol=1e-6)
    assert [line["twin"] for line in lines] == ["yes", "no", "no"]
    assert float(first["doubt"]) == pytest.approx(2 / (len(ROWS) - 1), abs=1e-6)
    assert (first["mark"], first["new_label"], first["note"]) == ("label wrong", "sad", 'he said "no", twice')
    assert [line["mark"] for line in lines] == ["label wrong", "", "ambiguous"]
    assert len(first) == 3 + 2 * 8 + 5


def test_csv_leaves_empty_what_is_not_known(aligned: AlignedPredictions) -> None:
    (line,) = csv.DictReader(io.StringIO(write_selection_csv(aligned, [5]).decode()))
    assert [line[key] for key in ("twin", "doubt", "mark", "new_label", "note")] == [""] * 5
    assert len(write_selection_csv(aligned, []).decode().splitlines()) == 1


def test_arrays_and_positions_are_checked(aligned: AlignedPredictions) -> None:
    with pytest.raises(ValueError, match="doubt must be"):
        write_selection_csv(aligned, [0], label_issue_score=[0.5])
    with pytest.raises(ValueError, match="twin must be"):
        write_selection_csv(aligned, [0], near_duplicate=[True])
    for positions in ([len(ROWS)], [-1], [[0]]):
        with pytest.raises(ValueError, match="positions must be"):
            write_selection_csv(aligned, positions)
    with pytest.raises(ValueError, match="occurs twice"):
        faces_zip(IMAGES, aligned, [1, 1])
    with pytest.raises(ValueError, match="no model 'vgg16'"):
        stream_faces_zip(IMAGES, aligned, [1], models=["vgg16"])


def test_zip_holds_the_very_faces_under_names_that_tell(aligned: AlignedPredictions) -> None:
    content = faces_zip(IMAGES, aligned, [7, 3], models=["resnet50"])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        for name, at in zip(names, [7, 3], strict=True):
            answer = int(VALUES[0, at].argmax())
            stem = f"true-{NAMES[LABELS[at]]}_pred-{NAMES[answer]}_resnet50-{VALUES[0, at, answer]:.2f}"
            assert name == f"row-{ROWS[at]:06}_{stem}.png"
            with Image.open(archive.open(name)) as picture:
                assert picture.mode == "L"
                np.testing.assert_array_equal(np.asarray(picture), IMAGES[ROWS[at]])
    assert faces_zip(IMAGES, aligned, [7, 3], models=["resnet50"]) == content
    with zipfile.ZipFile(io.BytesIO(faces_zip(IMAGES, aligned, [7]))) as archive:
        assert archive.namelist()[0].count("_pred-") == 2


def test_zip_comes_in_small_pieces(aligned: AlignedPredictions) -> None:
    pieces = list(stream_faces_zip(IMAGES, aligned, np.arange(len(ROWS))))
    assert len(pieces) > 1
    # A random face is about 2.4 KB; no piece holds more than the limit and one face, but the last has the index too.
    assert max(map(len, pieces[:-1])) < 256 * 1024 + 5000
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert len(archive.namelist()) == len(ROWS)
        assert archive.testzip() is None


def test_zip_says_at_once_why_it_cannot(aligned: AlignedPredictions) -> None:
    with pytest.raises(DataError, match="No face is selected"):
        stream_faces_zip(IMAGES, aligned, [])
    with pytest.raises(DataError, match="5 faces are selected, and one zip holds at most 4"):
        stream_faces_zip(IMAGES, aligned, range(5), most=4)
    with pytest.raises(DataError, match="Row 299 was predicted, and the dataset has 299 faces"):
        stream_faces_zip(IMAGES[:-1], aligned, [0, len(ROWS) - 1])


def test_names() -> None:
    assert face_name(12345, 2, [("resnet50", 4, 0.871)]) == "row-012345_true-fear_pred-sad_resnet50-0.87.png"
    odd = face_name(1, 0, [("../Größe: a\\b_c", 6, 1.0)])
    assert odd == "row-000001_true-angry_pred-neutral_Gr-e-a-b-c-1.00.png"
    assert "_model-0.50.png" in face_name(1, 0, [("…", 6, 0.5)])
    six = face_name(35886, 5, [("x" * 99, 5, 0.999)] * 6)
    assert len(six) <= 250
    assert six.count("_pred-surprise_") == 6


def test_file_names_tell_what_is_inside() -> None:
    words = ["PrivateTest", "true-fear", "by my model/2", "", "37-faces"]
    assert file_stem(words) == "PrivateTest_true-fear_by-my-model-2_37-faces"
    assert file_stem(["../etc/passwd", "…"]) == "etc-passwd"
    assert file_stem([]) == "faces"
    long = file_stem(["PrivateTest", *[f"{k}-{'x' * 60}" for k in range(9)], "37-faces"])
    assert len(long) <= 150
    assert long.startswith("PrivateTest_0-x")
    assert long.endswith("x_37-faces")


def test_the_size_is_told_before(aligned: AlignedPredictions) -> None:
    everything = np.arange(len(ROWS))
    table, pictures = about_bytes(len(ROWS), len(aligned.names))
    assert len(write_selection_csv(aligned, everything)) == pytest.approx(table, rel=0.1)
    # Noise, as these faces are, hardly packs.
    assert len(faces_zip(IMAGES, aligned, everything)) == pytest.approx(pictures, rel=0.35)
