"""A scored folder as a dataset: with labels where it has them, else marked as labelled by nobody."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scored import make_model, make_pictures, request, rows_of

from fer_core.cli import main
from fer_core.cluster.scoring import listing
from fer_core.cluster.scoring.scoring import score
from fer_core.data.dataset import load_dataset
from fer_core.data.importer import import_dataset
from fer_core.data.model_answers import ANSWERS_FILE, read_answers, read_models
from fer_core.data.scored_folder import FACES, read_manifest
from fer_core.data.understanding import Corrections
from fer_core.emotions import NAMES, PUBLIC_TEST, TRAINING
from fer_core.errors import DataError
from fer_core.runs.folder import RunFolder
from fer_core.settings import settings


@pytest.fixture
def scored(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Thirty faces by two models in three shards, and a file that is no picture."""
    monkeypatch.setattr(listing, "SHARD", 11)
    make_model("one")
    make_model("two")
    source = make_pictures(tmp_path / "source", 30)
    (source / "broken.png").write_text("no picture")
    score(request(source, tmp_path / "scored", "one,two", average="flip"))
    return tmp_path / "scored"


def test_faces_without_labels_are_imported_as_they_are_and_said_to_be_so(scored: Path, tmp_path: Path) -> None:
    dataset = import_dataset(scored, tmp_path / "data")
    rows = {f"{row['file']}#{row['face']}": row for row in rows_of(scored) if row["face"]}
    table = dataset.faces()
    assert sorted(table["source_name"]) == sorted(rows)
    answers = read_answers(dataset.path, len(dataset))
    assert list(answers) == ["one", "two"]
    for at, name in enumerate(table["source_name"]):
        row = rows[name]
        assert dataset.images[at].tobytes() == row["pixels"]
        for model in ("one", "two"):
            np.testing.assert_array_equal(
                answers[model][at], np.array([row[f"{model}:{name}"] for name in NAMES], np.float32)
            )
    of = {model["name"]: model["sha256"] for model in read_manifest(scored)["models"]}
    assert read_models(dataset.path) == of
    assert of["one"] == RunFolder(settings().runs_dir / "one").promised_model(), "so that a changed run is noticed"
    together = np.mean(list(answers.values()), axis=0)
    np.testing.assert_array_equal(dataset.labels, together.argmax(axis=1))
    assert not dataset.info.labelled
    assert dataset.info.splits == (PUBLIC_TEST,)
    assert any("Nobody has labelled" in note for note in dataset.info.notes)
    assert [(one.kind, one.count) for one in dataset.info.left_out] == [("files that could not be read", 1)]


def test_nothing_is_measured_or_trained_on_faces_that_nobody_labelled(
    scored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import_dataset(scored, tmp_path / "data")
    with pytest.raises(DataError, match="Nobody has labelled"):
        load_dataset(tmp_path / "data")
    assert main(["evaluate", "one", "--data", str(tmp_path / "data")]) == 2
    assert "Nobody has labelled" in capsys.readouterr().err
    assert main(["train", "tiny", "--data", str(tmp_path / "data"), "--name", "mine"]) == 2
    assert main(["data", "info", str(tmp_path / "data"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["labelled"] is False


def test_labels_of_folders_become_labels_of_faces(home: Path, tmp_path: Path) -> None:
    make_model()
    source = make_pictures(tmp_path / "source", 60)
    score(request(source, tmp_path / "scored", labels_from_folders=True))
    dataset = import_dataset(
        tmp_path / "scored", tmp_path / "data", said=Corrections.parse(drop="deeper", splits="all=train")
    )
    assert dataset.info.labelled
    assert len(load_dataset(tmp_path / "data")) == 40
    assert dataset.info.splits == (TRAINING,)
    for name, label in zip(dataset.faces()["source_name"], dataset.labels, strict=True):
        assert name.startswith(f"{NAMES[label]}/")
    answers = read_answers(dataset.path, 40)["one"]
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)


def test_a_word_that_is_no_class_is_asked_for(home: Path, tmp_path: Path) -> None:
    make_model()
    score(request(make_pictures(tmp_path / "source", 9), tmp_path / "scored", labels_from_folders=True))
    with pytest.raises(DataError, match="deeper"):
        import_dataset(tmp_path / "scored", tmp_path / "data")


def test_a_column_of_labels_that_somebody_added_counts(scored: Path, tmp_path: Path) -> None:
    for path in sorted((scored / FACES).glob("*.parquet")):
        table = pq.read_table(path)
        words = pa.array(["happy" if face else None for face in table["face"].to_pylist()], pa.string())
        pq.write_table(table.append_column("label", words), path)
    dataset = import_dataset(scored, tmp_path / "data", said=Corrections.parse(splits="all=test"))
    assert dataset.info.labelled
    assert set(dataset.labels) == {NAMES.index("happy")}
    # Scoring on would take the labels away.
    with pytest.raises(DataError, match="written anew by another program"):
        score(request(tmp_path / "source", scored, "one,two", average="flip"))


def test_a_face_whose_pixels_somebody_took_away_is_left_out(scored: Path, tmp_path: Path) -> None:
    path = scored / FACES / "00000.parquet"
    table = pq.read_table(path)
    pixels = [None, b"short", *table["pixels"].to_pylist()[2:]]
    at = table.column_names.index("pixels")
    pq.write_table(table.set_column(at, "pixels", pa.array(pixels, pa.binary())), path)
    dataset = import_dataset(scored, tmp_path / "data")
    lost = {one.kind: one.count for one in dataset.info.left_out}["faces without their pixels"]
    assert len(dataset) + lost == 30
    assert lost in (1, 2)  # one of the first two rows may be the file that is no picture


def test_a_scoring_that_has_not_ended_is_not_imported(scored: Path, tmp_path: Path) -> None:
    (scored / FACES / "00001.parquet").unlink()
    with pytest.raises(DataError, match="1 of 3 shards"):
        import_dataset(scored, tmp_path / "data")


def test_a_shard_whose_bytes_have_changed_is_not_imported(scored: Path, tmp_path: Path) -> None:
    """Other pixels were imported in place of the faces, and nobody was told."""
    path = scored / FACES / "00000.parquet"
    about = pq.read_metadata(path).row_group(0)
    columns = [about.column(at) for at in range(about.num_columns)]
    [pixels] = [column for column in columns if column.path_in_schema == "pixels"]
    content = bytearray(path.read_bytes())
    # Of noise, which is stored as it is.
    middle = pixels.dictionary_page_offset + pixels.total_compressed_size // 2
    content[middle] ^= 255
    path.write_bytes(content)
    with pytest.raises(DataError, match="Delete it and score once more"):
        import_dataset(scored, tmp_path / "data")


def test_answers_that_do_not_belong_to_the_faces_are_refused(scored: Path, tmp_path: Path) -> None:
    dataset = import_dataset(scored, tmp_path / "data")
    path = dataset.path / ANSWERS_FILE
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(DataError, match="Import the scored folder again"):
        read_answers(dataset.path, len(dataset))


def test_data_look_says_that_there_are_no_labels(scored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "look", str(scored)]) == 0
    assert "without labels" in capsys.readouterr().out
