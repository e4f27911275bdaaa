"""TensorFlow or JAX: asked for by the environment or a recipe, and said in one sentence where it is not there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_up_faces import make_noise

from fer_core.cli import main
from fer_core.errors import RecipeError
from fer_core.runs.recipe import Recipe
from fer_core.runs.recipe_in_words import recipe_sentences
from fer_core.settings import settings
from fer_core.training.presets import preset
from fer_core.training.resources import check_resources
from fer_core.zoo import backend


@pytest.fixture
def data(home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small dataset, and a computer where JAX is not installed."""
    find = backend.find_spec
    monkeypatch.setattr(backend, "find_spec", lambda name: None if name == "jax" else find(name))
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    return str(make_noise(settings().datasets_dir / "few").info.path)


@pytest.mark.parametrize(
    "arguments", [["train", "custom_cnn"], ["sweep", "start", "rates", "--grid", "learning_rate=0.001,0.002"]]
)
def test_without_jax_a_training_with_it_is_one_sentence_and_nothing_is_written(
    data: str, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main([*arguments, "--data", data]) == 2
    error = capsys.readouterr().err
    assert "pip install jax" in error
    assert len(error.splitlines()) == 1
    assert not settings().runs_dir.exists()
    assert not settings().sweeps_dir.exists()


def test_a_grid_may_try_both(data: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert main(["sweep", "start", "both", "--data", data, "--grid", "backend=tensorflow,jax"]) == 2
    assert "pip install jax" in capsys.readouterr().err


def test_the_environment_decides_for_new_recipes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    asked = preset("quick", "custom_cnn")
    assert asked.backend == "jax"
    assert Recipe.from_dict({"architecture": "custom_cnn"}).backend == "tensorflow", "of earlier versions"
    assert any("Trained with JAX" in text for text in recipe_sentences(asked))
    assert not any("Trained with" in text for text in recipe_sentences(replace(asked, backend="tensorflow")))
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(RecipeError, match="KERAS_BACKEND is 'torch'"):
        preset("quick", "custom_cnn")


def test_other_commands_compute_with_tensorflow(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    """They failed where the environment asked for JAX: LiteRT files are TensorFlow's."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert main(["runs"]) == 0
    assert backend.preferred() == "tensorflow"


def test_a_second_process_that_evaluates_needs_memory_too(data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_core.training.resources.free_memory", lambda: 1.5e9)
    monkeypatch.setattr(backend, "find_spec", lambda name: name)
    small = Recipe("custom_cnn", batch_size=8)
    assert check_resources(small, Path(data)) == []
    assert "memory" in check_resources(replace(small, backend="jax"), Path(data))[0]
