"""The comparison of detectors: what is shared, what is disputed, and what is a phantom, with made detectors."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import detectors
from fer_core.errors import FerError
from fer_core.inference.detectors import Face


class Finds:
    """Finds these boxes in each picture, by the picture's grey level."""

    title = "made"

    def __init__(self, boxes: dict[int, list[tuple[int, int, int, int]]]) -> None:
        self.boxes = boxes

    def detect(self, image_bgr: np.ndarray) -> list[Face]:
        return [Face(*box, 1.0) for box in self.boxes.get(int(image_bgr[0, 0, 0]), [])]


ONE = Finds({10: [(10, 10, 40, 40), (60, 60, 20, 20)], 20: [(0, 0, 30, 30)], 30: []})
OTHER = Finds({10: [(12, 8, 40, 44)], 20: [(60, 60, 30, 30)], 30: [(5, 5, 20, 20), (50, 5, 20, 20)]})


@pytest.fixture
def photographs(tmp_path: Path) -> list[tuple[str, np.ndarray]]:
    folder = tmp_path / "photos"
    folder.mkdir()
    for grey in (10, 20, 30):
        cv2.imwrite(str(folder / f"grey-{grey}.png"), np.full((100, 100, 3), grey, np.uint8))
    return detectors.read(folder)


def test_what_both_find_is_shared_and_what_one_finds_is_written_to_be_looked_at(
    photographs: list[tuple[str, np.ndarray]], tmp_path: Path
) -> None:
    out = tmp_path / "disputed"
    out.mkdir()
    found = detectors.compare(photographs, {"one": ONE, "other": OTHER}, out=out)
    assert found["one"] == detectors.Finds(faces=3, shared=1, alone=2, photographs=2)
    assert found["other"] == detectors.Finds(faces=4, shared=1, alone=3, photographs=2)
    assert sorted(path.name for path in out.iterdir()) == [
        *("one-1-grey-10-1.png", "one-2-grey-20-1.png"),
        *("other-2-grey-20-1.png", "other-3-grey-30-1.png", "other-3-grey-30-2.png"),
    ]
    assert cv2.imread(str(out / "one-1-grey-10-1.png")).shape == (28, 28, 3), "with a fifth around it"
    text = detectors.text_of(found, 3, faces=True)
    assert "67 % (21–94 %)" in text


def test_where_there_are_no_faces_each_find_is_a_phantom_also_a_shared_one(
    photographs: list[tuple[str, np.ndarray]],
) -> None:
    found = detectors.compare(photographs, {"one": ONE, "other": OTHER}, no_faces=True)
    assert (found["one"].alone, found["one"].photographs) == (3, 2)
    assert (found["other"].alone, found["other"].photographs) == (4, 3)
    assert "found by both" not in detectors.text_of(found, 3, faces=False)


def test_a_folder_without_photographs_is_said(tmp_path: Path) -> None:
    with pytest.raises(FerError, match="no photographs"):
        detectors.read(tmp_path)
