"""Several models that vote: one predictor, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from factories import TINY_MAP_GRID, make_run, make_vote
from made_up_faces import make_labels

from fer_core.errors import RunError
from fer_core.inference import vote as vote_module
from fer_core.inference.models import load_model
from fer_core.inference.predictor import mirrored
from fer_core.inference.vote import VotePredictor, resized, scaled
from fer_core.runs.folder import RunFolder
from fer_core.settings import settings
from fer_core.stats.calibration import apply_temperature

WEIGHTS, TEMPERATURES = (0.7, 0.3), (2.0, 0.5)


@pytest.fixture
def vote(home: Path) -> RunFolder:
    labels, splits = make_labels(630)
    members = [
        make_run(settings().models_dir / name, seed=seed, labels=labels, splits=splits)
        for seed, name in enumerate(("first", "second"))
    ]
    return make_vote(settings().models_dir / "vote", members, weights=WEIGHTS, temperatures=TEMPERATURES)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (71, 48, 48), dtype=np.uint8)


def test_it_answers_with_the_weighted_mean_of_calibrated_members(vote: RunFolder, images: np.ndarray) -> None:
    predictor = load_model("vote", threads=1)
    assert isinstance(predictor, VotePredictor)
    alone = load_model("first").predict(images)
    expected = sum(w * apply_temperature(alone, t) for w, t in zip(WEIGHTS, TEMPERATURES, strict=True))
    probabilities, maps = predictor.explain(images)
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)
    assert np.abs(probabilities - alone).max() > 0.01, "temperatures must matter here"
    assert probabilities.dtype == maps.dtype == np.float32
    np.testing.assert_array_equal(predictor.predict(images), probabilities)
    # Both members are the same model, so the mean of their maps is the map of either, on the scale 0..1.
    np.testing.assert_allclose(maps, scaled(load_model("first").explain(images)[1]), atol=1e-6)


def test_it_looks_like_any_predictor(vote: RunFolder, images: np.ndarray) -> None:
    predictor = load_model("vote", threads=1)
    assert (predictor.name, predictor.title, predictor.threads) == ("vote", "vote", 1)
    assert (predictor.map_grid, predictor.temperature) == (TINY_MAP_GRID, 1.0)
    assert predictor.path == vote.vote_path.resolve()
    assert all(member.threads == 1 for member, _ in predictor.members)
    probabilities, maps = predictor.explain(np.empty((0, 48, 48), dtype=np.uint8))
    assert probabilities.shape == (0, 7)
    assert maps.shape == (0, 7, *TINY_MAP_GRID)
    with pytest.raises(ValueError, match="uint8 of shape"):
        predictor.predict(images.astype(np.float32))
    flipped = (predictor.predict(images) + predictor.predict(mirrored(images))) / 2
    np.testing.assert_allclose(predictor.predict(images, average="flip"), flipped, atol=1e-6)
    assert "0.7 first + 0.3 second" in repr(predictor)


def test_its_own_temperature_comes_on_top(vote: RunFolder, images: np.ndarray) -> None:
    stored = vote.metrics()["temperature"]["value"]
    assert stored != 1
    predictor = load_model("vote", calibrated=True)
    assert predictor.temperature == stored
    expected = apply_temperature(load_model("vote").predict(images), stored)
    np.testing.assert_allclose(predictor.predict(images), expected, atol=1e-6)


def test_maps_meet_on_the_finest_grid(vote: RunFolder, images: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake:
        """Says always the same. The maps of the two differ in grid and in scale; one is empty for class 0."""

        def __init__(self, path: Path, *, name: str, threads: int, temperature: float) -> None:
            self.name = name
            self.map_grid = (2, 2) if name == "first" else (4, 6)
            self.value = 100.0 if name == "first" else 0.001

        def explain(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            maps = np.full((len(images), 7, *self.map_grid), self.value, dtype=np.float32)
            maps[:, 0] = 0
            return np.full((len(images), 7), 1 / 7, dtype=np.float32), maps

    monkeypatch.setattr(vote_module, "Predictor", Fake)
    predictor = VotePredictor(vote.vote_path)
    assert predictor.map_grid == (4, 6)
    maps = predictor.explain(images)[1]
    assert maps.shape == (71, 7, 4, 6)
    np.testing.assert_allclose(maps[:, 1:], 1, atol=1e-6)
    assert not maps[:, 0].any()


def test_maps_are_scaled_face_by_face() -> None:
    maps = np.zeros((3, 7, 2, 2), dtype=np.float32)
    maps[0, 2, 0, 0], maps[0, 3, 1, 1], maps[1, 0] = 8, 2, 0.5
    result = scaled(maps)
    assert (result[0].max(), result[1].max(), result[2].max()) == (1, 1, 0)
    assert result[0, 3, 1, 1] == 0.25
    assert np.isfinite(result).all()


def test_maps_are_resized_bilinearly_and_stay_in_place() -> None:
    maps = np.zeros((1, 7, 2, 2), dtype=np.float32)
    maps[0, 4, 0, 1] = 1
    result = resized(maps, (4, 4))
    # Middles of the new cells lie a quarter and three quarters of the way between those of the old ones.
    expected = np.outer([1, 0.75, 0.25, 0], [0, 0.25, 0.75, 1])
    np.testing.assert_allclose(result[0, 4], expected, atol=1e-6)
    assert not result[0, [0, 1, 2, 3, 5, 6]].any()
    assert resized(maps, (2, 2)) is maps


def test_a_member_of_weight_zero_is_not_asked(home: Path, images: np.ndarray) -> None:
    members = [make_run(settings().runs_dir / name) for name in ("asked", "silent")]
    make_vote(settings().runs_dir / "vote", members, weights=(1.0, 0.0))
    members[1].tflite_path.unlink()
    predictor = load_model("vote")
    assert [member.name for member, _ in predictor.members] == ["asked"]
    np.testing.assert_allclose(predictor.predict(images), load_model("asked").predict(images), atol=1e-6)


def test_a_member_is_sought_beside_the_vote_then_in_the_usual_places(home: Path, tmp_path: Path) -> None:
    trained = make_run(settings().runs_dir / "first")
    shipped = make_run(settings().models_dir / "second")
    folder = make_vote(tmp_path / "elsewhere" / "vote", [trained, shipped])
    predictor = load_model(folder.path)
    assert [member.path for member, _ in predictor.members] == [trained.tflite_path, shipped.tflite_path]
    sibling = make_run(tmp_path / "elsewhere" / "second")
    assert load_model(folder.path).members[1][0].path == sibling.tflite_path
    # Another run that took the name does not hide the right one.
    sibling.tflite_path.write_bytes(b"another model")
    assert load_model(folder.path).members[1][0].path == shipped.tflite_path


def test_a_missing_or_changed_member_says_what_to_do(vote: RunFolder) -> None:
    second = settings().models_dir / "second" / "model.tflite"
    second.write_bytes(second.read_bytes() + b"x")
    with pytest.raises(RunError, match=r"built with another second.*fer_core vote first second --data DATASET --out"):
        load_model("vote")
    second.unlink()
    with pytest.raises(RunError, match=r"needs the run second.*fer_core vote first --data"):
        load_model("vote")


def _write(vote: RunFolder, **changes: Any) -> None:
    """Change ``vote.json`` and the hash of it."""
    content = {**json.loads(vote.vote_path.read_text()), **changes}
    vote.vote_path.write_text(json.dumps(content))


def test_a_damaged_vote_is_refused(vote: RunFolder) -> None:
    members = json.loads(vote.vote_path.read_text())["members"]
    _write(vote, members=[{**members[0], "weight": 0.9}, members[1]])
    with pytest.raises(RunError, match=r"vote\.json is damaged.*not what run\.json promises"):
        load_model("vote")
    with pytest.raises(RunError, match="add up to 1"):
        VotePredictor(vote.vote_path)
    for wrong in ({"weight": -0.3}, {"temperature": 0.0}, {"name": "../first"}):
        _write(vote, members=[members[0], {**members[1], **wrong}])
        with pytest.raises(RunError, match=r"vote\.json is damaged"):
            VotePredictor(vote.vote_path)
    _write(vote, members=[{"name": "first"}])
    with pytest.raises(RunError, match="damaged"):
        VotePredictor(vote.vote_path)
    vote.manifest_path.unlink()
    with pytest.raises(RunError, match=r"no run\.json"):
        load_model("vote")
