"""Small FER-2013 look-alikes to import, and ways to break them."""

from __future__ import annotations

import io
import tarfile
import zipfile
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from fer_core import emotions

HEADER = ["emotion", "pixels", "Usage"]
ICML_HEADER = ["emotion", " Usage", " pixels"]


class Faces:
    """``each`` faces of each class in each split (21 in all, unless told otherwise), of random pixels."""

    def __init__(self, each: int = 1, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        pairs = [(label, split) for split in emotions.SPLITS for label in range(7) for _ in range(each)]
        self.labels: npt.NDArray[np.int8] = np.array([label for label, _ in pairs], np.int8)
        self.splits = [split for _, split in pairs]
        self.images: npt.NDArray[np.uint8] = rng.integers(0, 256, (len(pairs), 48, 48), dtype=np.uint8)

    def rows(self) -> list[list[str]]:
        """As rows of fer2013.csv: emotion, pixels, Usage. Yours to change."""
        return [
            [str(label), pixels, split]
            for label, pixels, split in zip(self.labels, self._texts, self.splits, strict=True)
        ]

    @cached_property
    def _texts(self) -> list[str]:
        return [" ".join(map(str, image.ravel().tolist())) for image in self.images]


def csv_text(rows: list[list[str]], header: list[str] = HEADER) -> str:
    """A CSV; ``rows`` are emotion, pixels, Usage and are put into the order of ``header``."""
    order = [["emotion", "pixels", "usage"].index(column.strip().lower()) for column in header]
    lines = [",".join(header), *(",".join(row[i] for i in order) for row in rows)]
    return "\n".join(lines) + "\n"


def jpeg(image: npt.NDArray[np.uint8], kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, **({"quality": 95} if kind == "JPEG" else {}))
    return buffer.getvalue()


def picture_files(faces: Faces, *, official_names: bool = True) -> dict[str, bytes]:
    """As train/<class>/… and test/<class>/…, as Kaggle's image folders have them: name to content, PNG."""
    files = {}
    for i, (image, label, split) in enumerate(zip(faces.images, faces.labels, faces.splits, strict=True)):
        folder = "train" if split == emotions.TRAINING else "test"
        stem = f"{split}_{i:05}" if official_names else f"im{i:05}"
        files[f"{folder}/{emotions.NAMES[label]}/{stem}.png"] = jpeg(image, "PNG")
    return files


def write_folder(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def write_tar(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def left_behind(folder: Path, known: set[str]) -> list[str]:
    """What lies in ``folder`` beyond the names we know of: must be nothing after a failed import."""
    return sorted(path.name for path in folder.iterdir() if path.name not in known)
