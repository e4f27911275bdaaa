"""Somebody else's model brought from its file to a run that is like any other. Each test starts TensorFlow once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import event_files
import model_files as files
import numpy as np
import pytest
from factories import TINY_MODEL

from fer_core.bring.bounds import VISITORS
from fer_core.bring.evidence import UndecidedError
from fer_core.bring.importing import Said, _check_asking, bring_model
from fer_core.bring.naming import free_run
from fer_core.cli import main
from fer_core.data.dataset import Dataset, write_dataset
from fer_core.emotions import NAMES
from fer_core.errors import ModelError, RunError
from fer_core.inference.models import load_model
from fer_core.runs.contracts import Origin
from fer_core.runs.journal import history_rows
from fer_core.runs.listing import list_models

SIX = ("angry", "fear", "happy", "neutral", "sad", "surprise")
EIGHT = ("angry", "contempt", "disgust", "fear", "happy", "neutral", "sad", "surprise")


@pytest.fixture
def spots(tmp_path: Path, home: Path) -> Dataset:
    images, labels, splits = files.spot_faces()
    return write_dataset(tmp_path / "spots", images, labels, splits, title="Spots")


@pytest.mark.slow
def test_a_notebooks_model_is_asked_about_then_brought(tmp_path: Path, home: Path, spots: Dataset) -> None:
    """RGB, 0..1, six classes in alphabetical order: nothing of that is said in its file."""
    source = files.write_spot_model(tmp_path / "emotion model.h5", SIX)
    with pytest.raises(UndecidedError, match="alphabetical") as asked:
        bring_model(source, spots, free_run(None, source))
    assert asked.value.suggestion.startswith("--classes alphabetical --scale ")
    assert not list((home / "runs").glob("*"))

    brought = bring_model(source, spots, free_run(None, source), Said("alphabetical", "unit"), title="From class")
    info = list_models()[0]
    assert (info.name, info.title, info.problem, info.origin) == ("emotion-model", "From class", "", Origin.IMPORTED)
    record = info.folder.import_record()
    assert (tuple(record["classes"]), record["missing"], record["left_out"]) == (SIX, ["disgust"], [])
    assert (record["adapter"]["scale"], record["adapter"]["channels"], record["adapter"]["maps"]) == ("unit", 3, True)
    assert record["evidence"]["chosen_by"] == "owner"
    assert {fit["order"] for fit in record["evidence"]["fits"]} >= {"fer", "alphabetical", "best"}

    predictor = load_model(info.name)
    images, labels = np.asarray(spots.images[:70]), spots.labels[:70]
    probabilities, maps = predictor.explain(images)
    assert (probabilities[:, NAMES.index("disgust")] == 0).all()
    assert (probabilities.argmax(axis=1) == labels).mean() > 0.5
    assert maps.shape[1:] == (7, 3, 3)
    # Where a happy face is bright is where the map of "happy" is.
    happy = NAMES.index("happy")
    face = int(np.flatnonzero(probabilities.argmax(axis=1) == happy)[0])
    assert np.argmax(maps[face, happy]) == happy
    assert brought.metrics is not None
    assert brought.metrics["splits"]["PublicTest"]["accuracy"] > 0.5
    assert brought.built["parity"]["largest_difference"] < 1e-4
    with pytest.raises(RunError, match="there already"):
        bring_model(source, spots, info.path)


@pytest.mark.slow
def test_contempt_is_left_out_and_logits_are_understood(
    tmp_path: Path, home: Path, spots: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    source = files.write_spot_model(tmp_path / "m.keras", EIGHT, channels=1, logits=True, suffix=".keras")
    # As the app says it for a visitor, with the folder that Keras' TensorBoard callback writes.
    for folder, value in (("train", 0.5), ("validation", 0.25)):
        columns = {"epoch_loss": [2.0, 1.0], "epoch_accuracy": [0.25, value]}
        event_files.write_events(tmp_path / "logs" / folder / "events.out.tfevents.1.host", columns)
    mark = "a" * 32
    arguments = ["models", "import", str(source), "--data", str(spots.path), "--classes", ",".join(EIGHT), "--json"]
    assert main([*arguments, "--history", str(tmp_path / "logs"), "--visitor", mark]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["import"]["left_out"] == ["contempt"]
    assert result["import"]["adapter"]["output"] == "logits"
    assert Path(result["run"]) == home / "runs" / "m"
    (info,) = list_models()
    assert (info.started_by, info.problem) == (mark, "")
    told = [(row["epoch"], row["accuracy"], row["val_accuracy"]) for row in history_rows(info.folder.history_path)]
    assert told == [(1, 0.25, 0.25), (2, 0.5, 0.25)]
    probabilities = load_model("m").predict(np.asarray(spots.images[:70]))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_the_command_shows_the_table_and_stops(
    tmp_path: Path, home: Path, spots: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    source = files.write_spot_model(tmp_path / "m.h5", tuple(sorted(NAMES)))
    assert main(["models", "import", str(source), "--data", str(spots.path)]) == 2
    said = capsys.readouterr().err
    assert "--classes alphabetical --scale " in said
    assert "always the most frequent class" in said
    assert not list((home / "runs").glob("*"))


def test_refusals_leave_nothing_behind(
    tmp_path: Path, home: Path, spots: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    source = files.write_keras(tmp_path / "m.keras", files.sequential(files.lambda_layer()))
    assert main(["models", "import", str(source), "--data", str(spots.path)]) == 2
    assert "Lambda" in capsys.readouterr().err
    (tmp_path / "m.pt").write_bytes(b"\x80\x04torch" + bytes(100))
    assert main(["models", "import", str(tmp_path / "m.pt"), "--data", str(spots.path)]) == 2
    said = capsys.readouterr().err
    assert "numpy.save" in said
    assert "predictions import" in said
    for options, word in ((["--scale", "huge"], "huge"), (["--channels", "4"], "rgb"), (["--name", ".x"], "name")):
        assert main(["models", "import", str(source), "--data", str(spots.path), *options]) == 2
        assert word in capsys.readouterr().err
    assert main(["models", "import", str(tmp_path / "no.h5"), "--data", str(spots.path)]) == 2
    assert "no file" in capsys.readouterr().err
    assert not [path for path in (home / "runs").rglob("*") if path.is_file()]


def test_a_visitors_model_that_takes_much_memory_to_answer_is_not_kept() -> None:
    path = TINY_MODEL / "model.tflite"
    _check_asking(path, VISITORS.asked or 0)
    with pytest.raises(ModelError, match="visitor"):
        _check_asking(path, -1)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["tflite", "SavedModel"])
def test_models_that_are_not_keras_files_are_brought_without_maps(
    form: str, tmp_path: Path, home: Path, spots: Dataset
) -> None:
    import keras

    from fer_core.bring.reading import read_keras

    (tmp_path / "scratch").mkdir()
    clean = read_keras(files.write_spot_model(tmp_path / "m.h5", NAMES), tmp_path / "scratch").clean
    source = tmp_path / ("net.tflite" if form == "tflite" else "net")
    model = keras.models.load_model(clean, compile=False)
    model.export(source, format="litert" if form == "tflite" else "tf_saved_model", verbose=False)
    if form == "SavedModel":
        source = Path(shutil.make_archive(str(source), "zip", tmp_path, "net"))
    with pytest.raises(ModelError, match="Only the owner"):
        bring_model(source, spots, free_run(None, source), visitor="a" * 32)
    brought = bring_model(source, spots, free_run(None, source))
    record = brought.record
    assert record["evidence"]["chosen_by"] == "evidence"
    assert not record["adapter"]["maps"]
    info = list_models()[0]
    assert (info.name, info.problem, info.folder.keras_path.exists()) == ("net", "", False)
    assert brought.metrics is not None
    assert brought.metrics["splits"]["PublicTest"]["accuracy"] > 0.6


@pytest.mark.slow
def test_a_saved_model_that_writes_files_is_refused(tmp_path: Path, home: Path, spots: Dataset) -> None:
    import tensorflow as tf

    class Evil(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 48, 48, 1])])
        def __call__(self, x: object) -> object:
            tf.io.write_file(str(tmp_path / "written"), "x")
            return tf.reduce_mean(x, axis=(1, 2))

    tf.saved_model.save(Evil(), str(tmp_path / "evil"))
    with pytest.raises(ModelError, match="WriteFile"):
        bring_model(tmp_path / "evil", spots, free_run(None, tmp_path / "evil"))
    assert not (tmp_path / "written").exists()
