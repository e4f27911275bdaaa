"""``dataset.json``: what a dataset folder says about itself. See docs/ARCHITECTURE.md, "Dataset folder"."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fer_core import emotions
from fer_core.data.contracts import DatasetManifest, DatasetRecord, LeftOutRecord
from fer_core.data.understanding import LeftOut
from fer_core.errors import DataError
from fer_core.reading import NewerError, UnreadableError, parse, read_bytes

SCHEMA = 2
SCHEMAS = (1, 2)
"""Those that this version reads."""
KINDS = ("sample", "csv", "folder", "kaggle", "numbers")
"""``numbers``: arrays, Parquet, or several tables of one set."""

IMAGES_FILE = "images.npy"
FACES_FILE = "faces.parquet"
INFO_FILE = "dataset.json"
REGIONS_FILE = "regions.npz"


@dataclass(frozen=True)
class DatasetInfo:
    """Everything in ``dataset.json``, plus the folder it came from.

    ``counts`` maps each split to its seven class counts, in the order of :data:`fer_core.emotions.EMOTIONS`.
    ``created`` is UTC, ISO 8601. ``fingerprint`` is a sha256 (hex) over images, labels and splits: two
    folders with the same fingerprint hold the very same faces in the same order. ``layout`` says how the source was
    understood, ``left_out`` what of it was not imported; both are empty in folders of schema 1. ``labelled``: False
    where nobody labelled the faces; labels and counts are what models answer then, see :mod:`.scored_source`.
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
    layout: str = ""
    left_out: tuple[LeftOut, ...] = ()
    labelled: bool = True

    @property
    def is_sample(self) -> bool:
        """True for the faces that the project draws itself."""
        return self.kind == "sample"

    @property
    def classes(self) -> tuple[str, ...]:
        """Those of the seven classes that have a face in any split, in our order."""
        totals = [sum(numbers) for numbers in zip(*self.counts.values(), strict=True)]
        return tuple(name for name, total in zip(emotions.NAMES, totals, strict=False) if total)

    @property
    def splits(self) -> tuple[str, ...]:
        """Those of the three splits that have a face, in our order."""
        return tuple(split for split in emotions.SPLITS if self.split_size(split))

    def split_size(self, split: str) -> int:
        """Number of faces in a split; 0 for a split that this dataset does not have."""
        return sum(self.counts.get(split, ()))

    def record(self) -> DatasetRecord:
        """What a run remembers of the dataset it saw: name, title, kind, fingerprint, number of faces."""
        return DatasetRecord(
            name=self.name, title=self.title, kind=self.kind, fingerprint=self.fingerprint, faces=self.faces
        )

    def to_json(self) -> DatasetManifest:
        """The content of ``dataset.json`` (no ``path``: a folder may be moved)."""
        return DatasetManifest(
            schema=self.schema,
            name=self.name,
            title=self.title,
            kind=self.kind,
            source=self.source,
            created=self.created,
            counts={split: list(counts) for split, counts in self.counts.items()},
            faces=self.faces,
            fingerprint=self.fingerprint,
            notes=list(self.notes),
            classes=list(self.classes),
            splits=list(self.splits),
            layout=self.layout,
            left_out=[
                LeftOutRecord(kind=one.kind, count=one.count, examples=list(one.examples)) for one in self.left_out
            ],
            labelled=self.labelled,
        )


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
        content = parse(read_bytes(file), DatasetManifest, SCHEMAS)
    except NewerError as error:
        raise DataError(f"{folder} {error}, or import the data again.") from None
    except UnreadableError as error:
        raise damaged(folder, f"{INFO_FILE} cannot be read ({error})") from None
    for name in (IMAGES_FILE, FACES_FILE):
        if not (folder / name).is_file():
            raise damaged(folder, f"{name} is missing")
    unknown = [split for split in content["counts"] if split not in emotions.SPLITS]
    if unknown or any(len(numbers) != emotions.COUNT for numbers in content["counts"].values()):
        raise damaged(folder, f"{INFO_FILE} counts other splits or classes than there are")
    if sum(map(sum, content["counts"].values())) != content["faces"]:
        raise damaged(folder, f"{INFO_FILE} counts other than {content['faces']:,} faces")
    return DatasetInfo(
        path=folder,
        name=content["name"],
        title=content["title"],
        kind=content["kind"],
        source=content["source"],
        created=content["created"],
        counts={split: tuple(numbers) for split, numbers in content["counts"].items()},
        faces=content["faces"],
        fingerprint=content["fingerprint"],
        notes=tuple(content["notes"]),
        schema=content["schema"],
        layout=content.get("layout", ""),
        left_out=tuple(
            LeftOut(one["kind"], one["count"], tuple(one["examples"])) for one in content.get("left_out", ())
        ),
        labelled=content.get("labelled", True),
    )


def damaged(folder: Path, reason: str) -> DataError:
    """The error for a dataset folder whose content does not hold together."""
    return DataError(f"The dataset in {folder} is damaged: {reason}. Delete it and import the data again.")
