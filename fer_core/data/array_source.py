"""Faces as NumPy arrays: one of faces and one of labels, or such a pair for each split; in an ``.npz`` or beside it.

What an array is, its shape tells: faces have a width and a height, or as many numbers as a square has; labels are one
number or word a face, or one column for each class (one-hot). Which belong together and to which split, their names
tell (``x_train``, ``y_train``, ``train_labels``), and otherwise their lengths.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fer_core.data.imported_faces import Batch
from fer_core.data.npy_file import Array, arrays_in
from fer_core.data.pixel_values import SIDE, FaceMaker, PixelError, Scale, scale_of, shape_of
from fer_core.data.split_names import split_of
from fer_core.data.stated import Stated, pieces, split_word
from fer_core.data.understanding import Corrections, LeftOutTally, Understanding
from fer_core.errors import DataError

BATCH_BYTES = 32 * 1024**2
"""Of numbers held at once; at most 512 faces."""
BATCH = 512
MOST_CLASSES = 16
"""Columns of labels that are one-hot."""
_LABELS = ("y", "label", "labels", "target", "targets", "emotion", "emotions", "class", "flabels", "lbl")

_USAGE = ("usage", "split", "splits", "subset", "partition", "fold")


@dataclass(frozen=True)
class _Pair:
    """Faces and what is known of each: the word for its class and for its split (empty where there is none)."""

    faces: Array
    words: list[str]
    splits: list[str]
    maker: FaceMaker


class ArraySource:
    """A :class:`~fer_core.data.imported_faces.FaceSource` of one ``.npz``, or some ``.npy`` files."""

    def __init__(self, label: str, files: Sequence[Path], said: Corrections | None = None) -> None:
        """Read the headers and the labels, and go through the faces once for their range.

        Raises ``DataError`` for arrays that do not fit together, are no faces, or cannot be read without pickle.
        """
        self.label = label
        self.left_out = LeftOutTally()
        arrays = [array for file in files for array in arrays_in(file)]
        names = _class_names(arrays)
        self._unlabelled: list[str] = []
        self._pairs = self._paired(arrays)
        tally: Counter[tuple[str, str]] = Counter()
        for pair in self._pairs:
            tally.update(zip(pair.words, pair.splits, strict=True))
        hint = " ".join([label, *(array.name for array in arrays)])
        self._stated = Stated(tally, said or Corrections(), where=label, hint=hint, names=names)
        self.held_out: Mapping[str, float] = self._stated.held_out
        shapes = ", ".join(sorted({"×".join(map(str, pair.faces.shape[1:])) for pair in self._pairs}))
        scales = ", ".join(sorted({pair.maker.scale.value for pair in self._pairs}))
        self.understanding = Understanding(
            f"NumPy arrays, of faces and of labels: {', '.join(pair.faces.name for pair in self._pairs)}, "
            f"{shapes} numbers a face, {scales}.",
            self._stated.classes,
            self._stated.splits,
            self._stated.left_out,
            tuple(self._about_unlabelled()),
            self._stated.reassigned,
        )

    def batches(self) -> Iterator[Batch]:
        """All faces, array after array. Raises ``DataError`` where a class is in doubt."""
        self._stated.require_answers(self.label)
        self.left_out = LeftOutTally()
        for pair in self._pairs:
            start = 0
            for piece in pair.faces.pieces(_rows_at_once(pair.faces)):
                yield self._batch(pair, piece, start)
                start += len(piece)

    def notes(self) -> list[str]:
        """What was done to the faces."""
        notes = [note for pair in self._pairs for note in pair.maker.notes()]
        return [*dict.fromkeys(notes), *self._about_unlabelled()]

    def _batch(self, pair: _Pair, piece: npt.NDArray[np.generic], start: int) -> Batch:
        words = pair.words[start : start + len(piece)]
        labels = [self._stated.label(word) for word in words]
        for row, (word, label) in enumerate(zip(words, labels, strict=True), start=start):
            if label is None:
                self.left_out.add(self._stated.kind_of(word), f"{pair.faces.name}[{row}]")
        kept = [i for i, label in enumerate(labels) if label is not None]
        try:
            images = pair.maker.faces(piece[kept]) if kept else np.empty((0, SIDE, SIDE), np.uint8)
        except PixelError as problem:
            raise DataError(f"{pair.faces.where}: {problem}.") from None
        return Batch(
            images,
            np.array([label for label in labels if label is not None], np.int8),
            [self._stated.split(pair.splits[start + i]) for i in kept],
            [f"{pair.faces.name}[{start + i}]" for i in kept],
        )

    def _paired(self, arrays: list[Array]) -> list[_Pair]:
        faces = [array for array in arrays if _is_faces(array)]
        labels = [array for array in arrays if array not in faces and _is_labels(array)]
        if not faces:
            listed = ", ".join(f"{array.name} {array.shape}" for array in arrays[:6]) or "no array"
            raise DataError(
                f"{self.label} has no array of faces, such as (N, 48, 48) or (N, 2304); it has {listed}.",
                quoted=[listed],
            )
        pairs = []
        for one in faces:
            fitting = [array for array in labels if array.rows == one.rows]
            split = _split(one)
            named = [array for array in fitting if _split(array) == split]
            # As many labels as faces, but of another split, are not theirs.
            fitting = named or [array for array in fitting if not (split and _split(array))]
            usage = next((array for array in fitting if _is_usage(array)), None)
            fitting = [array for array in fitting if array is not usage]
            # Two fit where their lengths alone tell: those that call themselves labels count.
            best = [array for array in fitting if set(pieces(array.name)) & set(_LABELS)] or fitting
            if not best:
                self._unlabelled.append(one.name)
                continue
            if len(best) > 1:
                listed = ", ".join(array.name for array in best)
                raise DataError(
                    f"{self.label}: which of {listed} are the labels of {one.name}? Leave just one of them."
                )
            words = _words(best[0])
            spoken = split or _split(best[0])
            splits = _words(usage) if usage is not None else [spoken] * one.rows
            pairs.append(_Pair(one, words, splits, FaceMaker(_scale(one))))
        if not pairs:
            raise DataError(
                f"{self.label}: no array has a label for each of the {faces[0].rows:,} faces in {faces[0].name}. Give "
                "a folder or an .npz that holds the labels, too, such as X.npy and y.npy."
            )
        return pairs

    def _about_unlabelled(self) -> list[str]:
        return [
            f"{name} has no labels, so its faces were left out: what is not labelled cannot be measured."
            for name in self._unlabelled
        ]


def _split(array: Array) -> str:
    """The word for its split in an array's own name, or in that of the ``.npz`` around it."""
    return split_word(array.name) or (split_word(array.path.stem) if array.member is not None else "")


def _is_faces(array: Array) -> bool:
    if array.dtype.kind not in "uifb" or len(array.shape) < 2 or not array.rows:
        return False
    try:
        shape_of(array.shape[1:])
    except PixelError:
        # Faces of an odd shape are told to be of one, rather than to be no faces.
        return len(array.shape) >= 3
    return True


def _is_labels(array: Array) -> bool:
    return len(array.shape) == 1 or (len(array.shape) == 2 and 1 <= array.shape[1] <= MOST_CLASSES)


def _is_usage(array: Array) -> bool:
    if len(array.shape) != 1:
        return False
    if set(pieces(array.name)) & set(_USAGE):
        return True
    if array.dtype.kind not in "US":
        return False
    return all(split_of(_text(word)) is not None for word in array.whole()[:100])


def _class_names(arrays: Sequence[Array]) -> dict[str, str]:
    """What an array of a few words beside the others calls the numbers."""
    longest = max((array.rows for array in arrays), default=0)
    for array in arrays:
        if array.dtype.kind in "US" and len(array.shape) == 1 and 2 <= array.rows <= MOST_CLASSES < longest:
            return {str(number): _text(word) for number, word in enumerate(array.whole())}
    return {}


def _words(labels: Array) -> list[str]:
    """The label of each face as a word or a whole number."""
    values = labels.whole()
    if values.ndim == 2 and values.shape[1] > 1:
        if labels.dtype.kind not in "uifb" or not np.isin(values, (0, 1)).all() or not (values.sum(axis=1) == 1).all():
            raise DataError(
                f"{labels.where} has {values.shape[1]} columns, and they are not one-hot (one 1 in each row, else 0). "
                "Give one label a face."
            )
        return [str(number) for number in values.argmax(axis=1).tolist()]
    values = values.reshape(-1)
    if values.dtype.kind in "US":
        return [_text(word) for word in values]
    whole = values.astype(np.float64)
    if not (np.isfinite(whole).all() and (np.mod(whole, 1) == 0).all() and np.abs(whole).max(initial=0) < 1e6):
        raise DataError(f"{labels.where} has labels that are no whole numbers. Give one number or word a face.")
    return [str(int(number)) for number in whole.tolist()]


def _text(word: object) -> str:
    return word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)


def _scale(faces: Array) -> Scale:
    if faces.dtype == np.uint8:
        low, high, whole = 0.0, 255.0, True
    else:
        low, high, whole = np.inf, -np.inf, True
        for piece in faces.pieces(_rows_at_once(faces)):
            low, high = min(low, float(piece.min())), max(high, float(piece.max()))
            whole = whole and not (piece.dtype.kind == "f" and np.mod(piece, 1).any())
    try:
        shape_of(faces.shape[1:])
        return scale_of(low, high, whole=whole)
    except PixelError as problem:
        raise DataError(f"{faces.where}: {problem}.") from None


def _rows_at_once(faces: Array) -> int:
    """Numbers are worked on as float64, whatever they are in the file."""
    return max(1, min(BATCH, BATCH_BYTES // max(1, faces.per_row * 8)))
