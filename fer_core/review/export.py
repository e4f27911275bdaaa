"""Faces to take away: a selection as a CSV, and as a zip of PNGs whose names tell what they show."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.emotions import NAMES
from fer_core.errors import DataError
from fer_core.spreadsheet import SpreadsheetWriter

if TYPE_CHECKING:
    from fer_core.evaluation.aligned_predictions import AlignedPredictions
    from fer_core.review.annotations import Annotation

MOST_FACES = 10_000
"""Faces in one zip, about 20 MB: more than both test splits of FER-2013, and no burden for a browser."""

_LONGEST_STEM = 150
_CSV_BYTES, _CSV_BYTES_A_MODEL = 39, 70
_ZIP_BYTES, _ZIP_BYTES_A_MODEL = 2_055, 58
"""Of one face: means over FER-2013's PrivateTest. Drawn faces make smaller PNGs."""
_CHUNK_BYTES = 256 * 1024
_LONGEST_NAME = 40
# 255 bytes is what file systems allow; this leaves room for the row, the label and the suffix.
_MODELS_CHARACTERS = 200
_AROUND_NAME = len("_pred-surprise_-0.00")


def write_selection_csv(
    aligned: AlignedPredictions,
    positions: npt.ArrayLike,
    *,
    near_duplicate: npt.ArrayLike | None = None,
    label_issue_score: npt.ArrayLike | None = None,
    annotations: Mapping[int, Annotation] | None = None,
    labelled: bool = True,
) -> bytes:
    """The faces at ``positions``, int (m,) in 0..n-1, in that order, as a CSV in UTF-8.

    Columns: ``row``, ``split``, ``label``; for each model ``<name>`` (its answer) and ``<name> p(<class>)`` seven times
    (0..1); ``twin`` (yes or no), ``doubt`` (0..1), ``mark``, ``new_label``, ``note``, empty where not known.
    ``near_duplicate``: bool (n,). ``label_issue_score``: float (n,). ``annotations``: by row number,
    ``Annotations.all()``. ``labelled``: False leaves ``label`` and ``split`` empty, where nobody labelled the faces.
    Raises ``ValueError`` for arrays of another length or positions that do not exist.
    """
    chosen = _checked(aligned, positions)
    near_duplicates = None if near_duplicate is None else np.asarray(near_duplicate, dtype=bool)
    label_issue_scores = None if label_issue_score is None else np.asarray(label_issue_score, dtype=np.float64)
    for name, values in (("twin", near_duplicates), ("doubt", label_issue_scores)):
        if values is not None and values.shape != aligned.rows.shape:
            raise ValueError(f"{name} must be {aligned.rows.shape}, as the aligned faces, not {values.shape}")
    text = io.StringIO(newline="")
    writer = SpreadsheetWriter(text, lineterminator="\n")
    answers = [column for name in aligned.names for column in (name, *(f"{name} p({label})" for label in NAMES))]
    writer.writerow(["row", "split", "label", *answers, "twin", "doubt", "mark", "new_label", "note"])
    for at in chosen:
        row = int(aligned.rows[at])
        line: list[object] = [row, *((aligned.split, NAMES[aligned.labels[at]]) if labelled else ("", ""))]
        for model in range(len(aligned.names)):
            line.append(NAMES[aligned.predicted[model, at]])
            line += [f"{value:.6f}" for value in aligned.probabilities[model, at]]
        line.append("" if near_duplicates is None else "yes" if near_duplicates[at] else "no")
        line.append("" if label_issue_scores is None else f"{label_issue_scores[at]:.6f}")
        annotation = None if annotations is None else annotations.get(row)
        new = "" if annotation is None or annotation.new_label is None else NAMES[annotation.new_label]
        writer.writerow([*line, *(("", "", "") if annotation is None else (annotation.kind, new, annotation.note))])
    return text.getvalue().encode()


def stream_faces_zip(
    images: npt.NDArray[np.uint8],
    aligned: AlignedPredictions,
    positions: npt.ArrayLike,
    *,
    models: Sequence[str] = (),
    most: int = MOST_FACES,
    labelled: bool = True,
) -> Iterator[bytes]:
    """The faces at ``positions``, int (m,) in 0..n-1, as a zip of PNGs, 48×48 grey, in pieces of about 256 KB.

    ``images``: uint8 (N, 48, 48), those of the whole dataset, by row number; mapped from disk is fine, for only one
    face and one piece are in memory at a time. Files are named by :func:`face_name`; ``models`` names the models that
    occur there (empty: all), and without ``labelled`` their labels do not. Raises at once, not on reading:
    ``DataError`` for no faces, more than ``most``, or a dataset that lacks a row; ``ValueError`` for positions or
    models that do not exist.
    """
    chosen = _checked(aligned, positions)
    if unknown := [name for name in models if name not in aligned.names]:
        raise ValueError(f"there is no model {unknown[0]!r} among {', '.join(aligned.names)}")
    which = [aligned.names.index(name) for name in models] or list(range(len(aligned.names)))
    if not len(chosen):
        raise DataError("No face is selected, so there is nothing to export. Loosen the filter.")
    if len(chosen) > most:
        raise DataError(
            f"{len(chosen):,} faces are selected, and one zip holds at most {most:,}. Narrow the filter, or export the "
            "selection as a CSV, which has no limit."
        )
    highest = int(aligned.rows[chosen].max())
    if highest >= len(images):
        raise DataError(
            f"Row {highest:,} was predicted, and the dataset has {len(images):,} faces, counted from 0. "
            "These predictions belong to another dataset; open that one."
        )
    return _zip(images, aligned, chosen, which, labelled)


def faces_zip(
    images: npt.NDArray[np.uint8],
    aligned: AlignedPredictions,
    positions: npt.ArrayLike,
    *,
    models: Sequence[str] = (),
    most: int = MOST_FACES,
    labelled: bool = True,
) -> bytes:
    """The whole zip of :func:`stream_faces_zip` at once: about 2 KB a face, 20 MB at most."""
    return b"".join(stream_faces_zip(images, aligned, positions, models=models, most=most, labelled=labelled))


def face_name(row: int, label: int | None, answers: Sequence[tuple[str, int, float]]) -> str:
    """A file name that tells: ``row-012345_true-fear_pred-sad_resnet50-0.87.png``.

    ``label``: 0..6; None for a face that nobody labelled. ``answers``: for each model its name, its answer
    0..6 and that answer's probability 0..1; several follow each other. What does not belong into a file name becomes a
    hyphen, and long names are cut.
    """
    longest = min(_LONGEST_NAME, max(1, _MODELS_CHARACTERS // max(len(answers), 1) - _AROUND_NAME))
    parts = [f"row-{row:06}", *([] if label is None else [f"true-{NAMES[label]}"])]
    for name, answer, confidence in answers:
        safe = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[:longest] or "model"
        parts += [f"pred-{NAMES[answer]}", f"{safe}-{confidence:.2f}"]
    return "_".join(parts) + ".png"


def file_stem(words: Sequence[str]) -> str:
    """A file name, without its ending, out of what a selection is about: ``PrivateTest_true-fear_said-sad_37-faces``.

    What does not belong into a file name becomes a hyphen. Of a long one the middle is left out: the first word and
    the last always stay.
    """
    parts = [re.sub(r"[^A-Za-z0-9.]+", "-", word).strip("-.") for word in words]
    parts = [part[:_LONGEST_NAME].rstrip("-.") for part in parts if part]
    while len(parts) > 2 and sum(map(len, parts)) + len(parts) > _LONGEST_STEM:
        del parts[-2]
    return "_".join(parts) or "faces"


def about_bytes(faces: int, models: int) -> tuple[int, int]:
    """About how large a selection of so many faces is, as a CSV and as a zip, in bytes; so that people know before."""
    return faces * (_CSV_BYTES + _CSV_BYTES_A_MODEL * models), faces * (_ZIP_BYTES + _ZIP_BYTES_A_MODEL * models)


def _zip(
    images: npt.NDArray[np.uint8],
    aligned: AlignedPredictions,
    chosen: npt.NDArray[np.intp],
    which: list[int],
    labelled: bool,
) -> Iterator[bytes]:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for at in chosen:
            said = [(aligned.names[k], int(aligned.predicted[k, at]), aligned.probabilities[k, at]) for k in which]
            answers = [(model, answer, float(values[answer])) for model, answer, values in said]
            name = face_name(int(aligned.rows[at]), int(aligned.labels[at]) if labelled else None, answers)
            # A fixed date, ZipInfo's own: the same selection gives the same file. PNGs are packed already.
            archive.writestr(zipfile.ZipInfo(name), _png(images[aligned.rows[at]]))
            if len(pipe.waiting) >= _CHUNK_BYTES:
                yield pipe.take()
    yield pipe.take()


def _png(face: npt.NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(".png", face)
    if not done:
        raise RuntimeError("OpenCV could not write a PNG")
    return data.tobytes()


class _Pipe(io.RawIOBase):
    """Takes what a zip writes, to be handed on. It cannot be sought in, so a zip is written from start to end."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self.waiting += piece
        return len(piece)

    def take(self) -> bytes:
        piece = bytes(self.waiting)
        self.waiting.clear()
        return piece


def _checked(aligned: AlignedPredictions, positions: npt.ArrayLike) -> npt.NDArray[np.intp]:
    chosen = np.asarray(positions, dtype=np.intp)
    n = len(aligned.rows)
    if chosen.ndim != 1 or (len(chosen) and not 0 <= chosen.min() <= chosen.max() < n):
        raise ValueError(f"positions must be a list of numbers in 0..{n - 1}")
    if len(np.unique(chosen)) != len(chosen):
        raise ValueError("a position occurs twice")
    return chosen
