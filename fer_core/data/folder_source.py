"""FER-2013 as image folders: ``train/<class>/*.jpg`` and ``test/<class>/*.jpg``, in a folder or a zip.

**Which split a face belongs to** is told by the first of these that knows:

1. The file name, where it keeps the official one: ``Training_…``, ``PublicTest_…``, ``PrivateTest_…``.
2. The folder: ``test`` is PrivateTest, ``validation`` is PublicTest, ``train`` is Training.
3. Where that leaves PublicTest empty, it is carved out of the training faces that rule 1 did not place: of each
   class one in nine (FER-2013's own ratio of PublicTest to Training plus PublicTest), drawn from the names in
   alphabetical order with ``numpy.random.default_rng(2013)``, class after class.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np

from fer_core import emotions
from fer_core.data.folder_or_zip import Tree
from fer_core.data.imported_faces import Batch
from fer_core.data.pictures import Picture, decode
from fer_core.errors import DataError

BATCH = 512
CARVE_SEED = 2013
CARVE_ONE_IN = 9

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")
_FOLDERS = {
    "train": emotions.TRAINING,
    "training": emotions.TRAINING,
    "validation": emotions.PUBLIC_TEST,
    "valid": emotions.PUBLIC_TEST,
    "val": emotions.PUBLIC_TEST,
    "publictest": emotions.PUBLIC_TEST,
    "test": emotions.PRIVATE_TEST,
    "privatetest": emotions.PRIVATE_TEST,
}
_SYNONYMS = {
    "anger": "angry",
    "disgusted": "disgust",
    "afraid": "fear",
    "fearful": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}
_OFFICIAL = re.compile(r"^(Training|PublicTest|PrivateTest)[_-]", re.IGNORECASE)
_BY_LOWER = {split.lower(): split for split in emotions.SPLITS}


@dataclass(frozen=True)
class ImageFile:
    """One image file: its name in the tree, its label 0..6, its split, and whether its own name told the split."""

    name: str
    label: int
    split: str
    official: bool


@dataclass(frozen=True)
class ImportPlan:
    """Every face to import, in the order of rows, and what to tell about it."""

    faces: list[ImageFile]
    notes: list[str]

    @property
    def counts(self) -> dict[str, tuple[int, ...]]:
        """Class counts per split, as :class:`~fer_core.data.info.DatasetInfo` has them."""
        tally = Counter((face.split, face.label) for face in self.faces)
        return {split: tuple(tally[split, label] for label in range(emotions.COUNT)) for split in emotions.SPLITS}


def has_layout(names: list[str]) -> bool:
    """True when at least one file sits in ``train/<something>/`` or a like folder."""
    return any(_split_folder(name) is not None for name in names)


def plan_import(tree: Tree, names: list[str]) -> ImportPlan:
    """Find every face and decide its split, before any picture is opened. See the module's text for the rule.

    Raises ``DataError`` for an unknown class folder, a file that is no image, or more than one layout.
    """
    inside = [name for name in names if _split_folder(name) is not None]
    roots = {PurePosixPath(name).parts[:-3] for name in inside}
    if len(roots) > 1:
        listed = ", ".join(sorted("/".join(root) or "." for root in roots)[:5])
        raise DataError(f"{tree.label} holds several sets of train and test folders, in {listed}. Import just one.")
    faces = [_face(tree.label, name) for name in inside]
    notes = []
    outside = sum(name.lower().endswith(IMAGE_SUFFIXES) for name in set(names) - set(inside))
    if outside:
        notes.append(f"{outside:,} pictures outside train/<class>/ and test/<class>/ were left out.")
    moved = sum(face.official and face.split != _split_folder(face.name) for face in faces)
    if moved:
        notes.append(f"The official split of {moved:,} faces was recovered from their file names.")
    faces, carved = _carve(faces)
    if carved:
        notes.append(
            f"File names do not tell the official split, so PublicTest was carved out of train: {carved:,} faces, "
            f"one in {CARVE_ONE_IN} of each class, drawn with seed {CARVE_SEED}. The folder test is PrivateTest."
        )
    faces.sort(key=lambda face: (emotions.SPLITS.index(face.split), face.name))
    return ImportPlan(faces, notes)


def read_batches(tree: Tree, faces: list[ImageFile], notes: Callable[[str], None]) -> Iterator[Batch]:
    """Yield the faces in order, 512 at a time; at the end ``notes`` gets a sentence for what was changed.

    Raises ``DataError`` naming the first file that is not a readable JPEG or PNG.
    """
    resized = squeezed = coloured = 0
    for start in range(0, len(faces), BATCH):
        part = faces[start : start + BATCH]
        pictures: list[Picture] = [decode(tree.read(face.name), f"{tree.label}: {face.name}") for face in part]
        resized += sum(picture.resized for picture in pictures)
        squeezed += sum(picture.resized and picture.squeezed for picture in pictures)
        coloured += sum(picture.had_colour for picture in pictures)
        yield Batch(
            np.stack([picture.pixels for picture in pictures]),
            np.array([face.label for face in part], np.int8),
            [face.split for face in part],
            [_short(face.name) for face in part],
        )
    if resized:
        tail = f"; {squeezed:,} of them were not square and are distorted" if squeezed else ""
        notes(f"{resized:,} of {len(faces):,} pictures were not 48×48 pixels and were resized{tail}.")
    if coloured:
        notes(f"{coloured:,} of {len(faces):,} pictures were in colour and were turned to grey.")


def _split_folder(name: str) -> str | None:
    parts = PurePosixPath(name).parts
    return _FOLDERS.get(parts[-3].lower()) if len(parts) >= 3 else None


def _short(name: str) -> str:
    """The name without any wrapping folder: ``train/happy/Training_1.jpg``."""
    return "/".join(PurePosixPath(name).parts[-3:])


def _face(label: str, name: str) -> ImageFile:
    path = PurePosixPath(name)
    folder = path.parts[-2].strip().lower()
    try:
        index = emotions.index_of(_SYNONYMS.get(folder, folder))
    except KeyError:
        raise DataError(
            f"{label}: the folder {path.parent} is named after no known class. Class folders are "
            f"{', '.join(emotions.NAMES)}. Rename it or remove it."
        ) from None
    if path.suffix.lower() not in IMAGE_SUFFIXES:
        raise DataError(f"{label}: {name} is not an image (JPEG or PNG). Remove it from the class folder.")
    match = _OFFICIAL.match(path.name)
    if match:
        return ImageFile(name, index, _BY_LOWER[match[1].lower()], official=True)
    split = _split_folder(name)
    assert split is not None, "only files inside the layout get here"
    return ImageFile(name, index, split, official=False)


def _carve(faces: list[ImageFile]) -> tuple[list[ImageFile], int]:
    """Move one in nine training faces of each class to PublicTest, where it would be empty. See the module's text."""
    free = [face for face in faces if face.split == emotions.TRAINING and not face.official]
    if not free or any(face.split == emotions.PUBLIC_TEST for face in faces):
        return faces, 0
    rng = np.random.default_rng(CARVE_SEED)
    chosen: set[str] = set()
    for label in range(emotions.COUNT):
        names = sorted(face.name for face in free if face.label == label)
        # Rounded, but at least one where the class can spare it.
        number = max(round(len(names) / CARVE_ONE_IN), int(len(names) > 1))
        chosen.update(names[i] for i in rng.choice(len(names), number, replace=False))
    return [replace(face, split=emotions.PUBLIC_TEST) if face.name in chosen else face for face in faces], len(chosen)
