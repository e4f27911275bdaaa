"""Pictures read as a whole: every face with its box and what each model said, as a table, as CSV and as JSON.

The page and the command line give the same files: both are written here.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fer_core.emotions import IMAGE_SIZE, NAMES
from fer_core.inference.detectors import Face, FaceDetector
from fer_core.inference.faces import find_face_crops
from fer_core.inference.predict_json import FaceEntry, PictureEntry, box_json, named
from fer_core.inference.predictor import Probabilities
from fer_core.photo import Photo
from fer_core.spreadsheet import SpreadsheetWriter

HEADER = (
    *("file", "time_s", "face", "x", "y", "width", "height", "score", "model", "answer", "confidence"),
    *(f"p_{name}" for name in NAMES),
)
"""Columns of the CSV: a line for each face and model. ``time_s`` is empty for pictures. Boxes are in pixels, faces are
numbered from 1, ``answer`` is the likeliest class, ``confidence`` its probability, 0..1 as all of them."""


@dataclass(frozen=True, eq=False)
class Reading:
    """One picture.

    Attributes:
        name: what people call it, such as a file's name or path.
        width, height: of the picture, upright, in pixels.
        faces: the largest first.
        crops: uint8 (n, 48, 48), what the models saw.
        answers: for each model by name, float32 (n, 7).
    """

    name: str
    width: int
    height: int
    faces: Sequence[Face]
    crops: npt.NDArray[np.uint8]
    answers: Mapping[str, Probabilities] = field(default_factory=dict)

    def to_json(self) -> PictureEntry:
        """The picture's entry in the JSON result."""
        faces: list[FaceEntry] = [
            {
                "box": box_json(face),
                "score": round(face.score, 4),
                "probabilities": {name: named(rows[index]) for name, rows in self.answers.items()},
            }
            for index, face in enumerate(self.faces)
        ]
        return {"file": self.name, "width": self.width, "height": self.height, "faces": faces}

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The picture's lines under :data:`HEADER`. Without models there are none."""
        for index, face in enumerate(self.faces):
            yield from csv_lines(self.name, "", index + 1, face, {k: rows[index] for k, rows in self.answers.items()})


def read_picture(photo: Photo, name: str, detector: FaceDetector) -> Reading:
    """The faces of a picture; no model is asked yet."""
    found = find_face_crops(photo.picture, detector)
    crops = np.empty((len(found), IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    for index, (_, crop) in enumerate(found):
        crops[index] = crop
    factor = photo.width / photo.picture.shape[1]
    return Reading(name, photo.width, photo.height, [face.scaled(factor) for face, _ in found], crops)


def csv_text(readings: Iterable[Reading]) -> str:
    """All faces of all pictures as CSV: :data:`HEADER`, then a line for each face and model."""
    buffer = io.StringIO(newline="")
    writer = SpreadsheetWriter(buffer)
    writer.writerow(HEADER)
    for reading in readings:
        writer.writerows(reading.rows())
    return buffer.getvalue()


def json_line(row: Sequence[str]) -> str:
    """A line under :data:`HEADER` as a JSON object with a line end: numbers as numbers, an empty time as null."""
    words = ("file", "model", "answer")
    values = {
        name: text if name in words else float(text) if "." in text else int(text) if text else None
        for name, text in zip(HEADER, row, strict=True)
    }
    return json.dumps(values) + "\n"


def csv_lines(
    name: str, time_s: str, number: int, face: Face, answers: Mapping[str, Probabilities]
) -> Iterator[tuple[str, ...]]:
    """One face's lines under :data:`HEADER`. ``answers``: by model, float32 (7,)."""
    box = (str(face.x), str(face.y), str(face.width), str(face.height), f"{face.score:.4f}")
    for model, row in answers.items():
        best = int(row.argmax())
        said = (model, NAMES[best], f"{row[best]:.6f}", *(f"{value:.6f}" for value in row))
        yield (name, time_s, str(number), *box, *said)
