"""The usual sample as it was drawn once: nobody waits for it, and it has the same pixels on every computer.

``python -m fer_core.data.kept_sample`` writes ``kept_sample.npz`` anew after a change to how faces are drawn, or to how
many and from which seed (:mod:`fer_core.data.sample.populate`). The shipped runs have to be measured on it again, then.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer_core import emotions

FILE = Path(__file__).with_name("kept_sample.npz")


@dataclass(frozen=True)
class KeptSample:
    """What a dataset holds of a sample: as in :class:`~fer_core.data.sample.populate.Sample`."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int8]
    splits: NDArray[np.str_]
    regions: dict[str, NDArray[np.int16]]


def kept_sample() -> KeptSample:
    """The usual sample: its pixels and what belongs to them."""
    with np.load(FILE, allow_pickle=False) as stored:
        regions = {name: stored[name] for name in ("brows", "eyes", "mouth")}
        labels, splits = stored["labels"], np.array(emotions.SPLITS)[stored["splits"]]
        # As a picture, which packs pixels a third smaller than a zip does.
        with Image.open(io.BytesIO(stored["png"].tobytes())) as column:
            images = np.asarray(column).reshape(len(labels), emotions.IMAGE_SIZE, emotions.IMAGE_SIZE)
    return KeptSample(images, labels, splits, regions)


def keep() -> None:
    """Draw the sample and write the file."""
    from fer_core.data.sample.populate import draw_sample  # needs OpenCV, and reading the file does not

    sample = draw_sample()
    column = io.BytesIO()
    Image.fromarray(sample.images.reshape(-1, emotions.IMAGE_SIZE)).save(column, "PNG", optimize=True)
    splits = np.array([emotions.SPLITS.index(split) for split in sample.splits], dtype=np.int8)
    png = np.frombuffer(column.getvalue(), dtype=np.uint8)
    brows, eyes, mouth = (sample.regions[name] for name in ("brows", "eyes", "mouth"))
    np.savez(FILE, png=png, labels=sample.labels, splits=splits, brows=brows, eyes=eyes, mouth=mouth)


if __name__ == "__main__":
    keep()
