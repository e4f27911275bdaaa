"""What is inside a model: which layers are shown, what counts as strong, what is kept with the run and sealed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from factories import make_run, make_vote

from fer_core.errors import ExplainError, RunError
from fer_core.explain.inside import (
    MOST_LAYERS,
    STRONGEST,
    Inside,
    keep_inside,
    layers_to_show,
    read_inside,
    response,
)
from fer_core.explain.worker.messages import activations_request, inside_request
from fer_core.files import sha256_of
from fer_core.runs.folder import INSIDE_FILE, RunFolder
from fer_core.runs.soundness import look
from fer_core.settings import PROJECT_ROOT
from fer_core.zoo.describe import description

FACE = np.random.default_rng(1).integers(0, 256, (48, 48)).astype(np.uint8)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return make_run(tmp_path / "one")


def made(model: str) -> Inside:
    generator = np.random.default_rng(0)
    return Inside(
        model,
        "conv",
        generator.normal(size=(8, 3, 3)).astype(np.float32),
        generator.integers(0, 256, (7, 48, 48)).astype(np.uint8),
        np.eye(7, dtype=np.float32),
    )


def test_the_last_activation_of_each_stage_is_shown() -> None:
    assert layers_to_show(description("custom_cnn")) == tuple(f"block{stage}_conv2_relu" for stage in range(1, 5))
    assert layers_to_show(description("resnet50"))[-1] == "conv4_block6_out"
    assert len(layers_to_show(description("vgg16"))) <= MOST_LAYERS


def test_the_strongest_channels_come_first_and_silent_ones_are_counted() -> None:
    values = np.zeros((2, 2, 12))
    values[..., 5], values[0, 0, 3], values[..., 7] = 2, 4, -9
    found = response("relu", values)
    assert (found.channels, found.silent) == (12, 10)
    assert len(found.picked) == STRONGEST
    assert found.picked[:2].tolist() == [5, 3]
    # Of the layer's strongest cell, so that channels can be compared.
    assert found.maps[0].tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert found.maps[1, 0, 0] == 1
    with pytest.raises(ValueError, match="places and channels"):
        response("dense", np.zeros(12))


def test_it_is_kept_with_the_run_and_sealed(run: RunFolder) -> None:
    assert read_inside(run) is None
    kept = made(sha256_of(run.keras_path))
    keep_inside(run, kept)
    found = read_inside(run)
    assert found is not None
    np.testing.assert_array_equal(found.ideals, kept.ideals)
    np.testing.assert_allclose(found.kernels, kept.kernels, atol=1e-2)
    assert found.layer == "conv"
    # The run is as sound as before; a changed file is noticed.
    assert not look(run).problem
    path = run.path / INSIDE_FILE
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(RunError, match="explain inside"):
        read_inside(run)


def test_pictures_of_an_earlier_model_are_not_shown(run: RunFolder) -> None:
    keep_inside(run, made(sha256_of(run.keras_path)))
    manifest = json.loads(run.manifest_path.read_text())
    manifest["files"]["model.keras"]["sha256"] = "0" * 64
    run.manifest_path.write_text(json.dumps(manifest))
    assert read_inside(run) is None


def test_votes_have_no_inside(tmp_path: Path, run: RunFolder) -> None:
    vote = make_vote(tmp_path / "both", [run, make_run(tmp_path / "two", seed=1)])
    for asked in (lambda: inside_request(vote), lambda: activations_request(vote, FACE)):
        with pytest.raises(ExplainError, match="vote"):
            asked()
    one = activations_request(run, FACE)
    assert np.array_equal(one.image, FACE)
    assert one.layers == layers_to_show(run.description())


def test_what_ships_shows_its_inside_without_tensorflow_in_few_bytes() -> None:
    for path in sorted((PROJECT_ROOT / "models").glob("*/model.keras")):
        folder = RunFolder(path.parent)
        found = read_inside(folder)
        assert found is not None, f"python -m fer_core explain inside --models {folder.name}"
        # VGG16 takes no picture for disgust, a class it hardly ever answers.
        assert (np.diag(found.probabilities) > 0.5).sum() >= 6, folder.name
        assert (folder.path / INSIDE_FILE).stat().st_size < 100_000
