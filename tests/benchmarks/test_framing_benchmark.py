"""The framing benchmark: what it makes, finds, compares and prints, with a made detector and a made model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import framing
from fer_core.data.dataset import write_dataset
from fer_core.emotions import SPLITS
from fer_core.errors import DataError
from fer_core.inference.detectors import Face
from fer_core.inference.face_crop import CropRule


class Edges:
    """Finds the bright square on the grey ground, two pixels too large on each side."""

    title = "edges"

    def detect(self, image_bgr: np.ndarray) -> list[Face]:
        rows, columns = np.nonzero(image_bgr[..., 0] != 128)
        x, y = int(columns.min()), int(rows.min())
        box = (x - 2, y - 2, int(columns.max()) - x + 5, int(rows.max()) - y + 5)
        return [Face(0, 0, 20, 20, 1.0), Face(*box, 1.0)]


class Corner:
    """Reads the class off the brightness of the left upper corner: a wrong crop misreads it."""

    name = "corner"

    def predict(self, images: np.ndarray) -> np.ndarray:
        labels = np.clip(np.round((images[:, 3, 3].astype(float) - 20) / 30), 0, 6).astype(int)
        probabilities = np.full((len(images), 7), 0.02, np.float32)
        probabilities[np.arange(len(images)), labels] = 0.88
        return probabilities


@pytest.fixture
def data(tmp_path: Path) -> Path:
    labels = np.arange(210) % 7
    images = np.full((210, 48, 48), 240, np.uint8)
    images[:, :12, :12] = (20 + 30 * labels)[:, None, None]
    write_dataset(tmp_path / "data", images, labels, np.repeat(SPLITS, 70), title="Corners", source="test")
    return tmp_path / "data"


def run_benchmark(data: Path, only: list[CropRule] | None = None, detector: Any = None) -> dict[str, Any]:
    return framing.measure(data, Corner(), detector or Edges(), "grey", 40, only)  # type: ignore[arg-type]


@pytest.mark.parametrize("background", framing.BACKGROUNDS)
def test_the_face_is_where_it_is_said_to_be(background: str) -> None:
    face = np.tile(np.arange(48, dtype=np.uint8) * 5, (48, 1))
    rng = np.random.default_rng(0)
    places = set()
    for _ in range(5):
        picture, truth = framing.picture_with_face(face, background, rng)
        assert picture.shape == (framing.CANVAS, framing.CANVAS, 3)
        places.add((truth.x, truth.y))
        inside = picture[truth.y : truth.y + truth.height, truth.x : truth.x + truth.width, 0].astype(int)
        assert abs(inside[70, 72] - 24 * 5) <= 5
        assert abs(inside[70, 2] - inside[70, 141]) > 200
    assert len(places) > 3


def test_the_right_framing_wins(data: Path) -> None:
    exact, tight, low = CropRule(144 / 148), CropRule(0.5), CropRule(144 / 148, shift=0.3)
    result = run_benchmark(data, [tight, low, exact])
    assert (result["faces"], result["found"], result["missed"]) == (40, 40, 0)
    assert result["original"]["accuracy"] == result["exact"]["accuracy"] == 1
    assert result["implied"]["longer_scale"] == pytest.approx(144 / 148, abs=0.01)
    assert result["implied"]["longer_shift"] == pytest.approx(0, abs=0.01)
    best = result["framings"][0]
    assert best["scale"] == exact.scale
    assert best["shift"] == 0
    assert (best["n"], best["right"], best["accuracy"], best["same_answer"]) == (40, 40, 1, 1)
    assert best["accuracy_low"] == pytest.approx(0.912, abs=0.002)
    assert all(found["accuracy"] < 0.6 for found in result["framings"][1:])
    text = framing.text_of(result, 2)
    assert "100.0 %" in text
    assert "91.2–100.0 %" in text
    assert text.count("\n") == 7


def test_without_landmarks_only_boxes_are_compared(data: Path) -> None:
    found = run_benchmark(data)["framings"]
    assert {entry["reference"] for entry in found} == {"longer"}
    assert not any(entry["level"] for entry in found)
    assert {entry.reference for entry in framing.crop_rules(landmarks=True)} == {"longer", "width", "mean", "eyes"}


def test_misses_and_nothing_to_measure(data: Path, tmp_path: Path) -> None:
    class Some(Edges):
        calls = 0

        def detect(self, image_bgr: np.ndarray) -> list[Face]:
            self.calls += 1
            return super().detect(image_bgr)[: 2 if self.calls % 4 else 1]

    result = run_benchmark(data, [CropRule()], Some())
    assert (result["found"], result["missed"], result["framings"][0]["n"]) == (30, 10, 30)

    class Blind(Edges):
        def detect(self, image_bgr: np.ndarray) -> list[Face]:
            return []

    with pytest.raises(DataError, match="found none of the 40"):
        run_benchmark(data, detector=Blind())
    images, labels = np.zeros((7, 48, 48), np.uint8), np.arange(7)
    write_dataset(tmp_path / "other", images, labels, np.repeat("Training", 7), title="Other", source="test")
    with pytest.raises(DataError, match="no PublicTest faces"):
        run_benchmark(tmp_path / "other")


def test_framings_by_hand() -> None:
    assert framing.parse_crop_rule("1.02,longer,0") == CropRule(1.02)
    assert framing.parse_crop_rule("2.4,eyes,0.13,level") == CropRule(2.4, "eyes", 0.13, True)
    assert framing.describe(CropRule(2.4, "eyes", 0.13, True)) == "2.4 × eye distance, +0.13, eyes level"
    for wrong in ("1.02", "1,nose,0", "0,longer,0", "1,longer,0,straight", "a,longer,0"):
        with pytest.raises(argparse.ArgumentTypeError, match="is no framing like"):
            framing.parse_crop_rule(wrong)
