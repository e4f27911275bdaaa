"""``python -m fer_core predict`` on picture files."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from factories import make_run
from PIL import Image

from fer_core.cli import predict
from fer_core.emotions import NAMES
from fer_core.errors import DataError, RunError
from fer_core.inference import detectors
from fer_core.inference.faces import Face
from fer_core.inference.predictor import load_model
from fer_core.runs.folder import write_json
from fer_core.settings import settings


@pytest.fixture
def faces(tmp_path: Path) -> np.ndarray:
    """Two faces of 48×48, also as files a.png and b.png."""
    images = np.random.default_rng(0).integers(0, 256, (2, 48, 48), dtype=np.uint8)
    for name, image in zip("ab", images, strict=True):
        Image.fromarray(image).save(tmp_path / f"{name}.png")
    return images


def run(*arguments: str | Path) -> tuple[dict, str]:
    parser = argparse.ArgumentParser()
    predict.add(parser.add_subparsers())
    args = parser.parse_args(["predict", *map(str, arguments)])
    return args.run(args)


def test_every_model_answers_for_every_face(home: Path, tmp_path: Path, faces: np.ndarray) -> None:
    make_run(settings().models_dir / "custom_cnn", name="First")
    make_run(settings().runs_dir / "mine", name="Second")
    result, text = run(tmp_path / "a.png", tmp_path / "b.png")
    assert result == json.loads(json.dumps(result))
    assert [model["title"] for model in result["models"]] == ["First", "Second"]
    assert result["detector"].startswith("Haar")
    expected = load_model("mine").predict(faces)
    for index, picture in enumerate(result["pictures"]):
        [face] = picture["faces"]
        assert face["box"] == {"x": 0, "y": 0, "width": 48, "height": 48}
        assert list(face["probabilities"]) == ["custom_cnn", "mine"]
        found = [face["probabilities"]["mine"][name] for name in NAMES]
        np.testing.assert_allclose(found, expected[index], atol=1e-5)
    assert text.count("\n  First: ") == 2
    best = NAMES[int(expected[0].argmax())]
    assert f"  Second: {best} {100 * expected[0].max():.1f} %" in text


def test_one_model_and_faces_in_a_larger_picture(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(settings().runs_dir / "one")
    make_run(settings().runs_dir / "two")
    Image.new("RGB", (300, 200), "grey").save(tmp_path / "group.jpg")
    boxes = [Face(10, 10, 50, 50, 0.8), Face(100, 20, 90, 120, 0.9)]
    monkeypatch.setattr(detectors.HaarDetector, "detect", lambda self, image: boxes)
    result, text = run(tmp_path / "group.jpg", "--model", "two")
    assert [model["name"] for model in result["models"]] == ["two"]
    assert [face["box"]["width"] for face in result["pictures"][0]["faces"]] == [90, 50]
    assert "face 1 of 2, 90×120 pixels at x 100, y 20" in text
    monkeypatch.setattr(detectors.HaarDetector, "detect", lambda self, image: [])
    result, text = run(tmp_path / "group.jpg")
    assert result["pictures"][0]["faces"] == []
    assert "no face found" in text


def test_every_unreadable_file_is_named(home: Path, tmp_path: Path, faces: np.ndarray) -> None:
    make_run(settings().runs_dir / "one")
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(DataError) as caught:
        run(tmp_path / "a.png", tmp_path / "notes.txt", tmp_path / "gone.png", tmp_path)
    message = str(caught.value)
    assert "notes.txt is not a picture" in message
    assert "gone.png cannot be read (No such file or directory)" in message
    assert f"{tmp_path} cannot be read" in message
    assert "a.png" not in message


def test_without_a_model_it_says_how_to_get_one(home: Path, tmp_path: Path, faces: np.ndarray) -> None:
    with pytest.raises(RunError, match="no model yet"):
        run(tmp_path / "a.png")
    with pytest.raises(RunError, match="no model called 'vgg16'"):
        run(tmp_path / "a.png", "--model", "vgg16")


def test_calibrated_and_flip_averaged_on_request(home: Path, tmp_path: Path, faces: np.ndarray) -> None:
    folder = make_run(settings().runs_dir / "mine")
    stored = {"value": 2.0, "fitted_on": "PublicTest", "splits": {}}
    write_json(folder.metrics_path, {**(folder.metrics() or {}), "temperature": stored})
    plain, _ = run(tmp_path / "a.png")
    assert (plain["calibrated"], plain["average"], plain["models"][0]["temperature"]) == (False, "none", 1)
    result, _ = run(tmp_path / "a.png", "--calibrated", "--average", "flip")
    assert (result["calibrated"], result["average"], result["models"][0]["temperature"]) == (True, "flip", 2)
    expected = load_model("mine", calibrated=True).predict(faces[:1], average="flip")[0]
    found = list(result["pictures"][0]["faces"][0]["probabilities"]["mine"].values())
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert not np.allclose(found, list(plain["pictures"][0]["faces"][0]["probabilities"]["mine"].values()), atol=1e-3)


def test_a_run_without_a_temperature_is_named(home: Path, tmp_path: Path, faces: np.ndarray) -> None:
    folder = make_run(settings().runs_dir / "old")
    metrics = folder.metrics() or {}
    metrics.pop("temperature", None)
    write_json(folder.metrics_path, metrics)
    with pytest.raises(RunError, match="old has no temperature"):
        run(tmp_path / "a.png", "--calibrated")
