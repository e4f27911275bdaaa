"""Faces as pictures in a folder or an archive: planned by names (:mod:`fer_core.data.layout`), then read in batches.

**Which split a face belongs to** is told by the first of these that knows:

1. The file name, where it keeps the official one: ``Training_…``, ``PublicTest_…``, ``PrivateTest_…``.
2. What you say, or the folder: ``test`` is PrivateTest, ``validation`` is PublicTest, ``train`` is Training.
3. Where nothing but Training is named, or nothing at all, PublicTest and PrivateTest are drawn: a tenth of each class
   each. Where only PublicTest is missing, one in nine of the training faces that rule 1 did not place is drawn
   (FER-2013's own ratio). How, see :mod:`fer_core.data.splitting`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fer_core import emotions
from fer_core.data.class_names import number_of
from fer_core.data.folder_or_zip import Tree
from fer_core.data.imported_faces import UNSTATED, Batch
from fer_core.data.labels_beside import find_beside, numbering_beside
from fer_core.data.layout import DROPPED, IN_DOUBT, OTHER_CLASS, Layout, find_layout, understood_classes
from fer_core.data.number_names import names_of_numbers
from fer_core.data.picture_lists import find_list
from fer_core.data.pictures import FaceCutter, decode
from fer_core.data.splitting import CARVED, HELD_OUT, expected_counts
from fer_core.data.understanding import Corrections, FoundClass, FoundSplit, LeftOutTally, Understanding
from fer_core.errors import DataError, UnusableFileError
from fer_core.formatting import plural

BATCH = 512
_MOST_HINTS = 200


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One picture: its name in the tree, its label 0..6, its split, and whether its own name told the split.

    The split is ``UNSTATED`` for one that is drawn when all faces are there.
    """

    name: str
    label: int
    split: str
    official: bool


class Shown(NamedTuple):
    """A face to be looked at before an import: its name at the source, its label 0..6, its pixels uint8 (48, 48)."""

    name: str
    label: int
    pixels: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ImportPlan:
    """Every face to import, in the order of rows, and what to tell about it.

    ``held_out``: shares of what is drawn, empty where nothing is. ``left_out`` grows while pictures are read.
    """

    layout: str
    classes: tuple[FoundClass, ...]
    faces: list[ImageFile]
    held_out: Mapping[str, float]
    seed: int
    left_out: LeftOutTally
    notes: list[str]
    reassigned: bool
    """As :attr:`fer_core.data.understanding.Understanding.reassigned`."""

    def understanding(self) -> Understanding:
        """As people are told before an import. The sizes of splits that are drawn are about right."""
        counts = {split: [0] * emotions.COUNT for split in emotions.SPLITS}
        free = [0] * emotions.COUNT
        for face in self.faces:
            (free if face.split == UNSTATED else counts[face.split])[face.label] += 1
        for split, numbers in expected_counts(free, self.held_out).items():
            counts[split] = [one + other for one, other in zip(counts[split], numbers, strict=True)]
        drawn = set(self.held_out) | ({emotions.TRAINING} if sum(free) else set())
        splits = tuple(
            FoundSplit(split, tuple(numbers), f"drawn with seed {self.seed}" if split in drawn else "as named")
            for split, numbers in counts.items()
            if sum(numbers)
        )
        return Understanding(
            self.layout, self.classes, splits, self.left_out.result(), tuple(self.notes), self.reassigned
        )


def plan_import(tree: Tree, names: list[str], said: Corrections | None = None) -> ImportPlan | None:
    """Find every face and decide its split, before any picture is opened. None where no picture has a class.

    Raises ``DataError`` for several sets side by side. Classes may be in doubt: see ``Understanding.question``.
    """
    said = said or Corrections()
    left_out, notes = LeftOutTally(), list[str]()
    hint = _hint(tree, names)
    numbering = said.numbering
    layout = find_beside(tree, names, said, left_out)
    if layout is not None:
        numbering = numbering or numbering_beside(names)
    else:
        left_out = LeftOutTally()
        layout = find_layout(tree.label, names, said, left_out)
    if layout is None or _all_left_out(layout, hint, replace(said, numbering=numbering)):
        by_lists = LeftOutTally()
        if listed := find_list(tree, names, said, by_lists):
            layout, left_out = listed, by_lists
    if layout is None:
        return None
    notes += layout.notes
    named = names_of_numbers(tree, names, {file.word for file in layout.files})
    classes, labels = understood_classes(layout.files, hint, replace(said, numbering=numbering), named)
    doubtful = {one.meaning.word for one in classes if one.meaning.doubtful}
    faces = []
    for file in layout.files:
        label = labels[file.word]
        if label is None:
            kind = IN_DOUBT if file.word in doubtful else OTHER_CLASS
            left_out.add(DROPPED if said.drops(file.word) else f"{kind} ({file.word})", file.name)
        else:
            faces.append(ImageFile(file.name, label, file.split or UNSTATED, file.official))
    for why in dict.fromkeys(one.meaning.why for one in classes if one.meaning.why.startswith("as ")):
        some = sorted(
            (one.meaning for one in classes if one.meaning.why == why),
            key=lambda one: (number_of(one.word) or 0, one.word),
        )
        pairs = ", ".join(f"{one.word} {one.name}" for one in some)
        notes.append(f"Classes, {why}: {pairs}.")
    if recovered := sum(file.official for file in layout.files):
        notes.append(f"The official split of {recovered:,} faces was recovered from their file names.")
    called = {face.split for face in faces}
    faces, held_out = _drawn(faces, said)
    reassigned = bool(held_out) and called == {emotions.TRAINING}
    faces.sort(key=lambda face: (emotions.SPLITS.index(face.split or emotions.TRAINING), face.name))
    return ImportPlan(layout.sentence, classes, faces, held_out, said.seed, left_out, notes, reassigned)


class PictureSource:
    """A :class:`~fer_core.data.imported_faces.FaceSource`: pictures in a folder or an archive."""

    def __init__(self, tree: Tree, plan: ImportPlan, cutter: FaceCutter | None = None) -> None:
        self._tree, self._plan, self._cutter = tree, plan, cutter
        self.label = tree.label
        self.left_out = plan.left_out
        self.held_out = plan.held_out
        self.understanding = plan.understanding()
        self.official = any(face.official for face in plan.faces)
        """Whether names of files tell FER-2013's own splits."""
        self._notes = [*plan.notes]
        if tree.left_out:
            links = plural(tree.left_out, "link was", "links were")
            self._notes.append(f"{links} left out, because they lead out of the folder, or nowhere.")

    def batches(self) -> Iterator[Batch]:
        """The faces in order, 512 at a time; what cannot be read goes to ``left_out``.

        Raises ``DataError`` where a question is open or there is no face, and at the end, where more than half of the
        pictures cannot be read.
        """
        if question := self.understanding.question:
            raise DataError(f"{self.label}: {question}. Look first: python -m fer_core data look SOURCE")
        if not self._plan.faces:
            raise DataError(f"{self.label} holds no picture of one of {', '.join(emotions.NAMES)}.")
        yield from read_batches(self._tree, self._plan, self._notes.append, self._cutter)

    def notes(self) -> list[str]:
        """Sentences for whoever reads the dataset, complete when all faces are read."""
        return self._notes

    def some(self, number: int, *, opened: int) -> list[Shown]:
        """Up to ``number`` faces, of each class by turns, out of the ``opened`` pictures that are looked into.

        Those of them that cannot be read go to ``left_out``.
        """
        shown: list[Shown] = []
        for face in _by_turns(self._plan.faces, opened):
            try:
                picture = decode(self._tree.read(face.name), face.name, self._cutter if len(shown) < number else None)
            except UnusableFileError as error:
                self.left_out.add(error.kind, face.name)
                continue
            if len(shown) < number:
                shown.append(Shown(face.name, face.label, picture.pixels))
        return shown


def _by_turns(faces: Sequence[ImageFile], number: int) -> list[ImageFile]:
    """Up to ``number`` faces: of each class one, then of each another, evenly over its files."""
    classes: dict[int, list[ImageFile]] = {}
    for face in faces:
        classes.setdefault(face.label, []).append(face)
    each = -(-number // max(len(classes), 1))
    rows = [some[:: max(1, len(some) // each)][:each] for _, some in sorted(classes.items())]
    return [face for turn in zip_longest(*rows) for face in turn if face is not None][:number]


def read_batches(
    tree: Tree, plan: ImportPlan, notes: Callable[[str], None], cutter: FaceCutter | None = None
) -> Iterator[Batch]:
    """Yield the faces in order, 512 at a time; at the end ``notes`` gets a sentence for what was changed.

    What cannot be read goes to the plan's ``left_out``. Raises ``DataError``, at the end, where that is more than half.
    """
    faces = plan.faces
    changed: Counter[str] = Counter()
    unusable = LeftOutTally()
    for start in range(0, len(faces), BATCH):
        images, kept = [], []
        for face in faces[start : start + BATCH]:
            try:
                picture = decode(tree.read(face.name), f"{tree.label}: {face.name}", cutter)
            except UnusableFileError as error:
                unusable.add(error.kind, face.name)
                plan.left_out.add(error.kind, face.name)
                continue
            images.append(picture.pixels)
            kept.append(face)
            changed.update(
                cut=picture.cut,
                faceless=picture.faceless,
                resized=picture.resized and not picture.cut,
                squeezed=picture.resized and picture.squeezed,
                colour=picture.had_colour,
            )
        if kept:
            yield Batch(
                np.stack(images),
                np.array([face.label for face in kept], np.int8),
                [face.split for face in kept],
                [_short(face.name) for face in kept],
            )
    if unusable.total * 2 > len(faces):
        kinds = "; ".join(f"{one.count:,} {one.kind}, such as {one.examples[0]}" for one in unusable.result())
        raise DataError(
            f"{tree.label}: {unusable.total:,} of {plural(len(faces), 'picture')} cannot be used, more than half, so "
            f"nothing was imported: {kinds}."
        )
    for sentence in _changes(changed, len(faces) - unusable.total):
        notes(sentence)
    if cutter is not None and (changed["cut"] or changed["faceless"]) and cutter.caution:
        notes(cutter.caution)


def _changes(changed: Mapping[str, int], total: int) -> Iterator[str]:
    if changed["cut"]:
        yield (
            f"In {changed['cut']:,} of {total:,} pictures a face was found and cut out as FER-2013 frames them (the "
            "largest one, where there are several)."
        )
    if changed["faceless"]:
        yield (
            f"In {changed['faceless']:,} of {total:,} pictures no face was found, so they were taken whole. Where "
            "pictures are faces already, say so before the import (--already-cut)."
        )
    if changed["resized"]:
        tail = f"; {changed['squeezed']:,} of them were not square and are distorted" if changed["squeezed"] else ""
        yield f"{changed['resized']:,} of {total:,} pictures were not 48×48 pixels and were resized{tail}."
    if changed["colour"]:
        yield f"{changed['colour']:,} of {total:,} pictures were in colour and were turned to grey."


def _all_left_out(layout: Layout, hint: str, said: Corrections) -> bool:
    """Whether no folder names a known class: then a list of pictures may know better."""
    return all(found.meaning.label is None for found in understood_classes(layout.files, hint, said)[0])


def _drawn(faces: list[ImageFile], said: Corrections) -> tuple[list[ImageFile], Mapping[str, float]]:
    """The faces with those marked whose split is to be drawn, and what shares of them to which split."""
    have = {face.split for face in faces} - {UNSTATED}
    if "all" in said.splits:
        return faces, {}
    if have <= {emotions.TRAINING}:
        held_out = HELD_OUT
    elif have == {emotions.TRAINING, emotions.PRIVATE_TEST}:
        held_out = CARVED
    else:
        return faces, {}
    drawn = [
        replace(face, split=UNSTATED) if face.split in (UNSTATED, emotions.TRAINING) and not face.official else face
        for face in faces
    ]
    return drawn, held_out if any(face.split == UNSTATED for face in drawn) else {}


def _hint(tree: Tree, names: Sequence[str]) -> str:
    """Words that may tell whose data it is: the source's name and those of the folders in it."""
    around = dict.fromkeys(name.rpartition("/")[0] for name in names)
    folders = dict.fromkeys(part for folder in around for part in folder.split("/")[:3] if part)
    return " ".join([*PurePosixPath(tree.label.replace("\\", "/")).parts[-2:], *list(folders)[:_MOST_HINTS]])


def _short(name: str) -> str:
    """The name without any wrapping folder: ``train/happy/Training_1.jpg``."""
    return "/".join(name.split("/")[-3:])
