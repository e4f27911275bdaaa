"""What teachers say of the training faces: asked once, kept in the cache, sealed with whom it is from and about what.

A teacher that has learnt a face's label repeats it more surely than it would say it of a new face. So where teachers
left a fold of these very data out, each face is labelled by those alone that never saw it or a near duplicate of it. Of
all others it is taken for granted that they had learnt every label, and the journal says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from fer_core.data.face_rows import FaceRows, batches
from fer_core.data.folds import folds_of
from fer_core.emotions import COUNT, TRAINING
from fer_core.errors import RecipeError, RunError
from fer_core.files import replacing, sha256_of
from fer_core.inference.predictor import Predictor
from fer_core.runs.events import TeacherRecord
from fer_core.runs.folder import RunFolder
from fer_core.runs.listing import find_run
from fer_core.runs.recipe import Recipe
from fer_core.settings import settings

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset

FOLDER = "teachers"
"""In the cache: one file a model and dataset."""

Probabilities = npt.NDArray[np.float32]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Teacher:
    """A run that labels. ``fold`` of ``folds``: what it left out of the data with ``fingerprint``; 0: nothing."""

    folder: RunFolder
    sha256: str
    fingerprint: str
    folds: int
    fold: int

    def record(self) -> TeacherRecord:
        return {"name": self.folder.name, "sha256": self.sha256, "folds": self.folds, "fold": self.fold}


@dataclass(frozen=True)
class SoftLabels:
    """``probabilities`` float32 (n, 7) for the n Training faces in order; ``unseen`` of them are from teachers that had
    not learnt the face. ``agreement``: the share of the n whose most probable class is the label (0..1)."""

    probabilities: Probabilities
    unseen: int
    agreement: float


def find_teachers(names: Sequence[str]) -> list[Teacher]:
    """The runs of these names. Raises ``RunError`` for one that is not there, has no model file, or only votes."""
    found = []
    for name in names:
        folder = find_run(name)
        manifest = folder.manifest()
        if manifest is None or not folder.tflite_path.exists():
            why = "is a vote: name its members instead" if folder.is_vote else "has no finished model to ask"
            raise RunError(f"{name} cannot be a teacher: it {why}.")
        digest = sha256_of(folder.tflite_path)
        recipe = None if folder.is_brought else folder.recipe()
        folds, fold = (recipe.folds, recipe.fold) if recipe else (0, 0)
        found.append(Teacher(folder, digest, manifest["data"]["fingerprint"], folds, fold))
    return found


def soft_labels(recipe: Recipe, teachers: Sequence[Teacher], dataset: Dataset, tell: Tell) -> SoftLabels:
    """The mean of what the teachers say, each at ``recipe.soft_temperature``. ``tell`` hears how far it is.

    Raises ``RecipeError`` where some teachers left a fold out and others did not, or nobody left some face out.
    """
    asked = _who_is_asked(teachers, dataset, tell)
    answers = [_answers_of(teacher, dataset, tell) for teacher in teachers]
    total = np.zeros((len(dataset.rows(TRAINING)), COUNT), np.float32)
    for answer, which in zip(answers, asked.T, strict=True):
        sharp = np.power(np.maximum(answer, 1e-8), 1 / recipe.soft_temperature)
        total += sharp / sharp.sum(axis=1, keepdims=True) * which[:, None]
    probabilities = total / total.sum(axis=1, keepdims=True)
    labels = dataset.labels[dataset.rows(TRAINING)]
    unseen = len(labels) if any(_left_out(teacher, dataset) for teacher in teachers) else 0
    return SoftLabels(probabilities, unseen, float(np.mean(probabilities.argmax(axis=1) == labels)))


def _left_out(teacher: Teacher, dataset: Dataset) -> bool:
    """Whether it is known to have left a fold of these very data out."""
    return bool(teacher.fold) and teacher.fingerprint == dataset.info.fingerprint


def _who_is_asked(teachers: Sequence[Teacher], dataset: Dataset, tell: Tell) -> npt.NDArray[np.bool_]:
    """For each Training face (rows) which teachers label it (columns)."""
    crossed = [_left_out(teacher, dataset) for teacher in teachers]
    count = len(dataset.rows(TRAINING))
    if not any(crossed):
        return np.ones((count, len(teachers)), bool)
    if not all(crossed):
        whole = teachers[crossed.index(False)].folder.name
        raise RecipeError(
            f"{whole} learnt every label, or nobody knows which, while other teachers left a fold of these faces out. "
            "Name teachers of one kind."
        )
    folds = {teacher.folds: None for teacher in teachers}
    tell("parting the training faces into folds")
    parts = {number: folds_of(dataset, number) for number in folds}
    asked = np.stack([parts[teacher.folds] == teacher.fold for teacher in teachers], axis=1)
    if missing := int((~asked.any(axis=1)).sum()):
        raise RecipeError(
            f"{missing:,} of {count:,} training faces were left out by no teacher. Train and name one for each fold."
        )
    return asked


def _answers_of(teacher: Teacher, dataset: Dataset, tell: Tell) -> Probabilities:
    """What it says of every Training face, float32 (n, 7), from the cache where it has been asked before."""
    path = settings().cache_dir / FOLDER / f"{teacher.sha256[:16]}-{dataset.info.fingerprint[:16]}.npz"
    seal = f"{teacher.sha256} {dataset.info.fingerprint}"
    known = _read(path, seal, len(dataset.rows(TRAINING)))
    if known is not None:
        return known
    answers = _ask(teacher, dataset, tell)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, seal=np.array(seal), probabilities=answers)
    return answers


def _ask(teacher: Teacher, dataset: Dataset, tell: Tell) -> Probabilities:
    predictor = Predictor(teacher.folder.tflite_path)
    faces = FaceRows(dataset.images, dataset.rows(TRAINING))
    parts: list[Probabilities] = []
    for batch in batches(faces):
        tell(f"asking {teacher.folder.name}: {sum(map(len, parts)):,} of {len(faces):,} faces")
        parts.append(predictor.predict(batch))
    return np.concatenate(parts)


def _read(path: Path, seal: str, count: int) -> Probabilities | None:
    """A file of the cache; None where there is none, or it is about something else, damaged or of another form."""
    try:
        with np.load(path) as file:
            if str(file["seal"]) != seal:
                return None
            found = file["probabilities"]
    except (OSError, EOFError, KeyError, ValueError, BadZipFile):
        return None
    return found if found.shape == (count, COUNT) and found.dtype == np.float32 else None
