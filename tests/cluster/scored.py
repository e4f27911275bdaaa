"""Sources to be scored, and scored folders as rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
from factories import make_run
from PIL import Image

from fer_core.cluster.scoring.scoring import Request
from fer_core.data.scored_folder import FACES
from fer_core.settings import settings


def make_model(name: str = "one") -> Path:
    """A run with the tiny model inside, in the home."""
    return make_run(settings().runs_dir / name, name=name.title()).path


def make_pictures(folder: Path, number: int, *, seed: int = 0) -> Path:
    """``number`` faces of noise, 48×48, in ``folder`` and folders below it."""
    images = np.random.default_rng(seed).integers(0, 256, (number, 48, 48), dtype=np.uint8)
    for index, image in enumerate(images):
        path = folder / ("happy", "sad", "sad/deeper")[index % 3] / f"{index:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return folder


def make_clip(path: Path, *, frames: int = 20) -> Path:
    """A video of two seconds, 160×120 pixels of noise."""
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"VP80"), 10.0, (160, 120))
    assert writer.isOpened()
    generator = np.random.default_rng(2)
    for _ in range(frames):
        writer.write(generator.integers(0, 256, (120, 160, 3), dtype=np.uint8))
    writer.release()
    return path


def rows_of(out: Path) -> list[dict[str, Any]]:
    """All rows of all shards, by file and face."""
    rows = [row for path in sorted((out / FACES).glob("[0-9]*.parquet")) for row in pq.read_table(path).to_pylist()]
    return sorted(rows, key=lambda row: (row["file"], row["time_s"] or 0, row["face"] or 0))


def request(source: Path | str, out: Path, *models: str, **options: Any) -> Request:
    return Request(str(source), out, models or ("one",), **options)
