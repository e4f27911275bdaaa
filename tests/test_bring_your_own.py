"""The guide's worked examples, run as they stand: answers, a model, faces."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_up_faces import make_probabilities
from PIL import Image

from fer_core.cli import main
from fer_core.data.dataset import load_dataset
from fer_core.emotions import COUNT, NAMES, TRAINING
from fer_core.evaluation.measuring_child import measure_all
from fer_core.runs.journal import history_rows
from fer_core.runs.listing import find_run, list_runs
from fer_core.settings import PROJECT_ROOT, settings

GUIDE = (PROJECT_ROOT / "docs" / "bring-your-own.md").read_text(encoding="utf-8")


def commands(heading: str) -> list[list[str]]:
    """The arguments of each command under a heading, in order."""
    part = GUIDE.split(f"## {heading}")[1].split("\n## ")[0]
    return [shlex.split(line) for line in re.findall(r"^python -m fer_core (.+)$", part, flags=re.MULTILINE)]


@pytest.fixture
def place(home: Path, drawn_sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where somebody follows the guide: a folder with ``datasets/sample``."""
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "sample").symlink_to(drawn_sample)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_answers_as_the_guide_brings_them(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = load_dataset("datasets/sample")
    labels = data.labels[data.splits != TRAINING]
    alphabetical = [NAMES.index(name) for name in sorted(NAMES)]
    (script,) = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)
    exec(script, {"my_model": lambda faces: make_probabilities(labels, 0.7)[:, alphabetical]})
    in_doubt, brought, shown = commands("Answers of any model")
    assert main(in_doubt) == 2
    assert "--classes alphabetical" in capsys.readouterr().err
    assert main(brought) == 0
    assert main(shown) == 0
    assert "no model to ask" in capsys.readouterr().out
    metrics = find_run("my-net").metrics()
    assert metrics is not None
    assert all(scores["accuracy"] > 0.6 for scores in metrics["splits"].values())


def test_faces_as_the_guide_brings_them(place: Path) -> None:
    data = load_dataset("datasets/sample")
    for label, name in enumerate(NAMES):
        folder = place / "my_faces" / name
        folder.mkdir(parents=True)
        for number, row in enumerate(np.flatnonzero(data.labels == label)[:12]):
            Image.fromarray(np.asarray(data.images[row])).save(folder / f"{number}.png")
    look, bring, corrected = commands("Your own faces")
    assert main(look) == 0
    assert not (place / "datasets" / "mine").exists()
    assert main(bring) == 0
    assert len(load_dataset("datasets/mine")) == 12 * len(NAMES)
    shutil.rmtree(place / "datasets" / "mine")
    (place / "my_faces" / "happy").rename(place / "my_faces" / "joy")
    shutil.copytree(place / "my_faces" / "sad", place / "my_faces" / "misc")
    assert main(corrected) == 0
    assert len(load_dataset("datasets/mine").rows("PrivateTest")) == 12 * len(NAMES)


@pytest.mark.slow
def test_a_model_as_the_guide_brings_it(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An untrained one is asked about; said what it is, it becomes a run that can be asked."""
    notebook = """
import json
import keras
from keras import layers
keras.utils.set_random_seed(0)
history = {"loss": [1.9, 1.7], "accuracy": [0.2, 0.3], "val_loss": [1.9, 1.8], "val_accuracy": [0.2, 0.25]}
json.dump(history, open("history.json", "w"))
keras.Sequential([
    layers.Input((48, 48, 1)), layers.Conv2D(8, 3, strides=2, activation="relu"), layers.GlobalAveragePooling2D(),
    layers.Dense(7, activation="softmax"),
]).save("emotion_model.keras")
"""
    subprocess.run([sys.executable, "-c", notebook], check=True, capture_output=True)
    in_doubt, said = commands("A Keras model")
    assert main(in_doubt) == 2
    assert "--classes" in capsys.readouterr().err
    assert main(said) == 0
    run = find_run("mine")
    assert run.tflite_path.is_file()
    assert run.import_record()["classes"] == sorted(NAMES)
    assert [row["val_accuracy"] for row in history_rows(run.history_path)] == [0.2, 0.25]


@pytest.mark.slow
def test_colour_photographs_of_eight_classes_are_corrected_imported_and_measured_on_every_shipped_model(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What ships keeps its figures on FER-2013, byte by byte."""
    monkeypatch.setenv("FER_EXPLORER_MODELS", str(PROJECT_ROOT / "models"))
    settings.cache_clear()
    data = load_dataset("datasets/sample")
    words = ("Wut", "disgusted", "Angst", "joy", "sadness", "suprise", "resting", "contempt")
    for label, word in enumerate(words):
        folder = place / "holiday" / word
        folder.mkdir(parents=True)
        for number, row in enumerate(np.flatnonzero(data.labels == label % COUNT)[:6]):
            picture = Image.fromarray(np.asarray(data.images[row])).resize((96, 96)).convert("RGB")
            picture.putpixel((0, 0), (255, 0, 0))
            picture.save(folder / f"{number}.jpg")
    assert main(["data", "look", "holiday"]) == 0
    assert "resting" in capsys.readouterr().out
    arguments = ["data", "import", "holiday", "--out", "datasets/holiday"]
    assert main(arguments) == 2
    assert main([*arguments, "--classes", "neutral=resting", "--already-cut"]) == 0
    mine = load_dataset("datasets/holiday")
    assert len(mine) == 6 * COUNT

    shipped = [info.folder for info in list_runs() if info.has_model]
    files = [path for run in shipped for path in run.path.rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in files}
    assert measure_all(mine.path, [str(run.path) for run in shipped]) == []
    assert {path: path.read_bytes() for path in files} == before
    assert {run.name for run in shipped} >= {"custom_cnn", "custom_cnn_augmented", "resnet50", "vgg16"}
    tests = len(mine) - len(mine.rows(TRAINING))
    for run in shipped:
        metrics = run.metrics(mine.info.fingerprint)
        assert metrics is not None
        assert sum(scores["n"] for scores in metrics["splits"].values()) == tests
        assert run.metrics() != metrics
