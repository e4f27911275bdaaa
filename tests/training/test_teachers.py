"""Teachers: who labels which face, what is kept of it, and what cannot be asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import make_evaluated_run, make_vote
from made_up_faces import make_noise

from fer_core.data.dataset import Dataset
from fer_core.data.folds import folds_of
from fer_core.emotions import TRAINING
from fer_core.errors import RecipeError, RunError
from fer_core.files import write_json
from fer_core.runs.folder import RunFolder
from fer_core.runs.recipe import Recipe
from fer_core.settings import settings
from fer_core.training import teachers
from fer_core.training.teachers import find_teachers, soft_labels

SAYS = {"a": 1, "b": 2, "c": 4}
"""The class of which each teacher is quite sure, whatever the face."""


@pytest.fixture
def dataset(home: Path) -> Dataset:
    return make_noise(home / "datasets" / "noise")


@pytest.fixture
def asked(home: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three runs, and who was asked."""
    seen: list[str] = []

    class Sure:
        def __init__(self, path: Path) -> None:
            self.name = path.parent.name
            seen.append(self.name)

        def predict(self, faces: Any) -> Any:
            return np.tile(np.where(np.arange(7) == SAYS[self.name], 0.94, 0.01).astype(np.float32), (len(faces), 1))

    monkeypatch.setattr(teachers, "Predictor", Sure)
    for name in SAYS:
        run = make_evaluated_run(home / "runs" / name, dataset)
        run.tflite_path.write_bytes(name.encode())
    return seen


def leave_out(home: Path, name: str, fold: int, folds: int = 3) -> None:
    run = RunFolder(home / "runs" / name)
    write_json(run.recipe_path, Recipe("custom_cnn", folds=folds, fold=fold).to_dict())


def ask(dataset: Dataset, *names: str, **choices: Any) -> teachers.SoftLabels:
    return soft_labels(Recipe("tiny", teachers=names, **choices), find_teachers(names), dataset, lambda _: None)


@pytest.mark.usefixtures("asked")
def test_the_answers_of_several_are_averaged_and_nobody_is_said_not_to_know(dataset: Dataset) -> None:
    soft = ask(dataset, "a", "b")
    assert np.allclose(soft.probabilities[:, [1, 2]], 0.475)
    assert np.allclose(soft.probabilities.sum(axis=1), 1)
    assert soft.unseen == 0
    labels = dataset.labels[dataset.rows(TRAINING)]
    assert soft.agreement == pytest.approx(float(np.mean(labels == 1)))


@pytest.mark.usefixtures("asked")
def test_a_temperature_makes_them_less_sure(dataset: Dataset) -> None:
    assert ask(dataset, "a", soft_temperature=3).probabilities[0, 1] == pytest.approx(
        0.94 ** (1 / 3) / (0.94 ** (1 / 3) + 6 * 0.01 ** (1 / 3)), rel=1e-5
    )


@pytest.mark.usefixtures("asked")
def test_a_face_is_labelled_by_those_alone_that_left_it_out(home: Path, dataset: Dataset) -> None:
    for fold, name in enumerate(SAYS, start=1):
        leave_out(home, name, fold)
    soft = ask(dataset, *SAYS)
    parts = folds_of(dataset, 3)
    assert soft.unseen == len(parts)
    assert (soft.probabilities.argmax(axis=1) == np.array(list(SAYS.values()))[parts - 1]).all()
    assert np.allclose(soft.probabilities.max(axis=1), 0.94)


@pytest.mark.usefixtures("asked")
def test_faces_that_no_teacher_left_out_are_refused(home: Path, dataset: Dataset) -> None:
    leave_out(home, "a", 1)
    leave_out(home, "b", 2)
    with pytest.raises(RecipeError, match="left out by no teacher"):
        ask(dataset, "a", "b")
    with pytest.raises(RecipeError, match="c learnt every label"):
        ask(dataset, "a", "b", "c")


@pytest.mark.usefixtures("asked")
def test_a_fold_of_other_data_proves_nothing_about_these(home: Path, dataset: Dataset) -> None:
    leave_out(home, "a", 1)
    run = RunFolder(home / "runs" / "a")
    manifest = dict(run.manifest() or {})
    write_json(run.manifest_path, {**manifest, "data": {**manifest["data"], "fingerprint": "f" * 64}})
    assert ask(dataset, "a").unseen == 0


def test_each_is_asked_once_and_again_when_it_has_become_another(
    home: Path, dataset: Dataset, asked: list[str]
) -> None:
    first = ask(dataset, "a", "b")
    assert np.array_equal(ask(dataset, "a", "b").probabilities, first.probabilities)
    assert asked == ["a", "b"]
    (home / "runs" / "a" / "model.tflite").write_bytes(b"another")
    ask(dataset, "a", "b")
    assert asked == ["a", "b", "a"]


def test_answers_of_another_model_under_this_ones_name_are_not_taken(dataset: Dataset, asked: list[str]) -> None:
    ask(dataset, "a")
    [kept] = (settings().cache_dir / teachers.FOLDER).iterdir()
    ask(dataset, "b")
    [other] = set(kept.parent.iterdir()) - {kept}
    other.replace(kept)
    assert ask(dataset, "a").probabilities[0].argmax() == SAYS["a"]
    assert asked == ["a", "b", "a"]


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"no archive"])
def test_a_damaged_cache_is_made_anew(content: bytes, dataset: Dataset, asked: list[str]) -> None:
    first = ask(dataset, "a")
    [kept] = (settings().cache_dir / teachers.FOLDER).iterdir()
    kept.write_bytes(content)
    assert np.array_equal(ask(dataset, "a").probabilities, first.probabilities)
    assert asked == ["a", "a"]


@pytest.mark.usefixtures("asked")
def test_votes_and_unfinished_runs_teach_nothing(home: Path) -> None:
    make_vote(home / "runs" / "all", [RunFolder(home / "runs" / name) for name in "ab"])
    with pytest.raises(RunError, match="all cannot be a teacher: it is a vote"):
        find_teachers(["all"])
    RunFolder(home / "runs" / "a").manifest_path.unlink()
    with pytest.raises(RunError, match="no finished model"):
        find_teachers(["a"])
    with pytest.raises(RunError, match="no run called 'z'"):
        find_teachers(["z"])
