"""Made detectors, models and frames for the tests of the stream."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from fer_core.emotions import COUNT
from fer_core.inference.detectors import Face
from fer_core.inference.stream.result import ClassMap, FaceResult, Result, Timings


class MadeDetector:
    """Finds faces where a function of the number of calls so far puts them, in shares of the frame."""

    title = "made"

    def __init__(self, boxes: Callable[[int], list[tuple[float, float, float, float]]]) -> None:
        self.boxes = boxes
        self.calls = 0
        self.sizes: list[tuple[int, int]] = []

    def detect(self, image_bgr: np.ndarray) -> list[Face]:
        height, width = image_bgr.shape[:2]
        self.sizes.append((height, width))
        boxes = self.boxes(self.calls)
        self.calls += 1
        return [
            Face(round(x * width), round(y * height), round(w * width), round(h * height), 0.9) for x, y, w, h in boxes
        ]


class MadeModel:
    """Says class 0 for a dark face, class 6 for a bright one, in seven steps; its maps are the class's number."""

    temperature = 1.0

    def __init__(self, name: str = "made", share: float = 0.9) -> None:
        self.name, self.title, self.path = name, name.title(), Path(f"/nowhere/{name}/model.tflite")
        self.share = share
        self.batches: list[int] = []

    def explain(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.batches.append(len(images))
        labels = (images.reshape(len(images), -1).mean(axis=1) / 256 * COUNT).astype(int)
        probabilities = np.full((len(images), COUNT), (1 - self.share) / (COUNT - 1), dtype=np.float32)
        probabilities[np.arange(len(images)), labels] = self.share
        maps = np.zeros((len(images), COUNT, 3, 3), dtype=np.float32)
        maps += np.arange(COUNT, dtype=np.float32)[None, :, None, None]
        return probabilities, maps


def frame_with(*patches: tuple[int, int, int, int], height: int = 240, width: int = 320) -> np.ndarray:
    """A grey frame, uint8 (height, width, 3), with squares (x, y, side, brightness)."""
    frame = np.full((height, width, 3), 128, np.uint8)
    for x, y, side, brightness in patches:
        frame[y : y + side, x : x + side] = brightness
    return frame


def made_result(
    time_s: float, faces: dict[int, int | None], *, models: tuple[str, ...] = ("made",), with_map: bool = True
) -> Result:
    """A result of a frame of 240 × 320 with faces side by side: their numbers and the classes shown."""
    results = []
    for place, (number, label) in enumerate(faces.items()):
        probabilities = np.full(COUNT, 0.05, np.float32)
        probabilities[label or 0] = 0.7
        box = Face(20 + 100 * place, 60, 80, 80, 0.9)
        results.append(
            FaceResult(
                number,
                box,
                (box.x + 40.0, box.y + 40.0, 80.0, 0.0),
                np.zeros((48, 48), np.uint8),
                dict.fromkeys(models, probabilities),
                dict.fromkeys(models, probabilities),
                dict.fromkeys(models, label),
                ClassMap(models[0], label or 0, np.eye(4, dtype=np.float32)) if with_map else None,
            )
        )
    return Result(time_s, (240, 320), tuple(results), True, Timings(1, 1, 1, dict.fromkeys(models, 1.0), 4))


FRAMES, RATE = 20, 10.0
"""Frames of a made clip, and frames per second."""


def clip(path: Path, *, size: tuple[int, int] = (160, 120), code: str = "VP80", frames: int = FRAMES) -> Path:
    """A video in which a white square moves to the right, 2 pixels a frame."""
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*code), RATE, size)
    assert writer.isOpened()
    for index in range(frames):
        frame = np.full((size[1], size[0], 3), 90, np.uint8)
        cv2.rectangle(frame, (20 + 2 * index, 30), (80 + 2 * index, 90), (250, 250, 250), -1)
        writer.write(frame)
    writer.release()
    return path
