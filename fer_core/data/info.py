"""``dataset.json``: what a dataset folder says about itself. See docs/ARCHITECTURE.md, "Dataset folder"."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core import emotions
from fer_core.errors import DataError

SCHEMA = 1
KINDS = ("sample", "csv", "folder", "kaggle")

IMAGES_FILE = "images.npy"
FACES_FILE = "faces.parquet"
INFO_FILE = "dataset.json"
REGIONS_FILE = "regions.npz"


@dataclass(frozen=True)
class DatasetInfo:
    """Everything in ``dataset.json``, plus the folder it came from.

    ``counts`` maps each split to its seven class counts, in the order of :data:`fer_core.emotions.EMOTIONS`.
    ``created`` is UTC, ISO 8601. ``fingerprint`` is a sha256 (hex) over images, labels and splits: two
    folders with the same fingerprint hold the very same faces in the same order.
    """

    path: Path
    name: str
    title: str
    kind: str
    source: str
    created: str
    counts: dict[str, tuple[int, ...]]
    faces: int
    fingerprint: str
    notes: tuple[str, ...] = ()
    schema: int = SCHEMA

    @property
    def is_sample(self) -> bool:
        """True for the faces that the project draws itself."""
        return self.kind == "sample"

    def split_size(self, split: str) -> int:
        """Number of faces in a split; 0 for a split that this dataset does not have."""
        return sum(self.counts.get(split, ()))

    def record(self) -> dict[str, Any]:
        """What a run remembers of the dataset it saw: name, title, kind, fingerprint, number of faces."""
        return {key: getattr(self, key) for key in ("name", "title", "kind", "fingerprint", "faces")}

    def to_json(self) -> dict[str, Any]:
        """The content of ``dataset.json`` (no ``path``: a folder may be moved)."""
        return {
            "schema": self.schema,
            "name": self.name,
            "title": self.title,
            "kind": self.kind,
            "source": self.source,
            "created": self.created,
            "counts": {split: list(counts) for split, counts in self.counts.items()},
            "faces": self.faces,
            "fingerprint": self.fingerprint,
            "notes": list(self.notes),
        }


def read_info(path: str | Path) -> DatasetInfo:
    """Read a folder's ``dataset.json`` and check that its files are there. Costs well under a millisecond.

    Raises ``DataError`` when the folder is missing, is no dataset folder, or is damaged.
    """
    folder = Path(path)
    if not folder.exists():
        raise DataError(f"There is no folder {folder}. Import a dataset first, or give the folder of one.")
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        raise DataError(
            f"{str(folder)!a} is no UTF-8, and tables are read by such names only. Rename the folder."
        ) from None
    file = folder / INFO_FILE
    if not folder.is_dir() or not file.is_file():
        raise DataError(
            f"{folder} is not a dataset folder: it has no {INFO_FILE}. "
            f"Import your data first: python -m fer_core data import {folder} --out NEW_FOLDER"
        )
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise damaged(folder, f"{INFO_FILE} cannot be read ({error})") from error
    if not isinstance(content, dict) or "schema" not in content:
        raise damaged(folder, f"{INFO_FILE} does not say its schema")
    if content["schema"] != SCHEMA:
        raise DataError(
            f"{folder} has schema {content['schema']!r}, and this version reads schema {SCHEMA}. "
            "Import the data again, or use the version that wrote it."
        )
    for name in (IMAGES_FILE, FACES_FILE):
        if not (folder / name).is_file():
            raise damaged(folder, f"{name} is missing")
    try:
        info = _from_json(folder, content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(folder, f"{INFO_FILE} is not what it should be ({error!r})") from error
    if sum(map(sum, info.counts.values())) != info.faces:
        raise damaged(folder, f"{INFO_FILE} counts other than {info.faces:,} faces")
    return info


def damaged(folder: Path, reason: str) -> DataError:
    """The error for a dataset folder whose content does not hold together."""
    return DataError(f"The dataset in {folder} is damaged: {reason}. Delete it and import the data again.")


def _from_json(folder: Path, content: dict[str, Any]) -> DatasetInfo:
    counts = {str(split): tuple(int(n) for n in numbers) for split, numbers in content["counts"].items()}
    if any(split not in emotions.SPLITS or len(numbers) != emotions.COUNT for split, numbers in counts.items()):
        raise ValueError("counts")
    return DatasetInfo(
        path=folder,
        name=str(content["name"]),
        title=str(content["title"]),
        kind=str(content["kind"]),
        source=str(content["source"]),
        created=str(content["created"]),
        counts=counts,
        faces=int(content["faces"]),
        fingerprint=str(content["fingerprint"]),
        notes=tuple(str(note) for note in content["notes"]),
    )
