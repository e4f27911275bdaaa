"""Small shards, and a source that holds a file of every kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scored import make_clip, make_model, make_pictures

from fer_core.cluster.scoring import listing
from fer_core.inference import detectors
from fer_core.inference.detectors import Face


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten pictures a shard; a video counts as four."""
    monkeypatch.setattr(listing, "SHARD", 10)
    monkeypatch.setattr(listing, "VIDEO", 4)


@pytest.fixture
def mixed(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Faces, a picture with two of them, one with none, a broken file, a video, what is passed over; and two models."""

    def detect(self: object, picture: np.ndarray) -> list[Face]:
        height, width = picture.shape[:2]
        if picture.std() < 1:
            return []
        half = Face(width // 8, height // 8, width // 3, height // 3, 0.75)
        return [Face(width // 2, height // 4, width // 3, height // 2, 0.9), half]

    monkeypatch.setattr(detectors.HaarDetector, "detect", detect)
    make_model("one")
    make_model("two")
    source = make_pictures(tmp_path / "source", 7)
    noise = np.random.default_rng(1).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    Image.fromarray(noise).save(source / "group.png")
    Image.new("RGB", (90, 70), "grey").save(source / "nobody.jpg")
    (source / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    (source / "notes.txt").write_text("passed over")
    (source / ".hidden.png").write_bytes(b"")
    make_clip(source / "clip.webm")
    return source
