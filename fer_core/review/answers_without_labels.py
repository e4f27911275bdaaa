"""Faces of which models' answers are known and labels may not be: in which order to look at them, and what people say.

Nothing is right or wrong here. What speaks for looking at a face is that the models waver, that they lie apart, or that
their answers are like those for a face that is open.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.emotions import NAMES
from fer_core.formatting import percent, plural
from fer_core.review.annotations import MODEL_WRONG, Annotation
from fer_core.review.ordering import disagreement, similarity
from fer_core.spreadsheet import SpreadsheetWriter

if TYPE_CHECKING:
    from fer_core.data.model_answers import Probabilities

ROW, UNSURE, APART, NEAR = "row", "unsure", "apart", "near"
ORDERS: dict[str, str] = {
    ROW: "Row number",
    UNSURE: "Least sure first",
    APART: "Models apart first",
    NEAR: "Nearest to the open face",
}
"""How faces can be sorted, and how a page says it. ``apart`` needs two models."""
WAVERING = 0.5
"""Below this confidence another class is nearly as likely, or several are."""
COLUMNS = ("row", "file", "label", "answer", "confidence", "mark", "note")


def together(answers: Mapping[str, Probabilities]) -> npt.NDArray[np.float64]:
    """What all models say together: the mean of their probabilities, float64 (N, 7)."""
    return np.mean(list(answers.values()), axis=0, dtype=np.float64)


def order(
    answers: Mapping[str, Probabilities], rows: npt.NDArray[np.intp], by: str, like: int = 0
) -> npt.NDArray[np.intp]:
    """``rows``, int (n,), sorted by one of :data:`ORDERS`; of equals the earlier first.

    ``answers``: of each model, float32 (N, 7). ``like``: the row 0..N-1 whose answers ``near`` goes by. Raises
    ``ValueError`` for another order.
    """
    if by == ROW or not len(rows):
        return rows
    values = np.stack([one[rows] for one in answers.values()]).astype(np.float64)
    if by == UNSURE:
        key = values.mean(axis=0).max(axis=1)
    elif by == APART:
        key = -disagreement(values)
    elif by == NEAR:
        key = -similarity(np.concatenate(values, axis=1), np.concatenate([one[like] for one in answers.values()]))
    else:
        raise ValueError(f"unknown order {by!r}; there are {', '.join(ORDERS)}")
    # Rounded, so that the last bit of a float does not part equals.
    return rows[np.argsort(np.round(key, 9), kind="stable")]


def what_they_say(answers: Mapping[str, Probabilities], rows: npt.NDArray[np.intp]) -> str:
    """One sentence about the faces in ``rows``, int (n,): on how many the models waver, and on how many they part."""
    values = np.stack([one[rows] for one in answers.values()]).astype(np.float64)
    wavering = int((values.mean(axis=0).max(axis=1) < WAVERING).sum())
    who = "the model is" if len(values) == 1 else f"the {len(values)} models together are"
    words = f"Of {plural(len(rows), 'face')} {who} below {percent(WAVERING, 0)} sure on {wavering:,}"
    if len(values) == 1:
        return f"{words}."
    parted = int((values.argmax(axis=2) != values[0].argmax(axis=1)).any(axis=0).sum())
    return f"{words}, and answer differently on {parted:,}."


def labels_csv(
    answers: Mapping[str, Probabilities],
    labels: npt.NDArray[np.integer],
    files: Sequence[str],
    annotations: Mapping[int, Annotation],
) -> bytes:
    """What people said of faces, as a CSV in UTF-8, a line for each with a mark: :data:`COLUMNS`.

    ``labels``: int (N,), what stood for labels; it counts where somebody agreed with it. ``files``: N names at the
    source. ``label`` is empty for what is ambiguous or no face.
    """
    said = together(answers)
    text = io.StringIO(newline="")
    writer = SpreadsheetWriter(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row, one in sorted(annotations.items()):
        if row >= len(labels):
            continue  # the file may have been edited by hand
        label = int(labels[row]) if one.kind == MODEL_WRONG else one.new_label
        best = int(said[row].argmax())
        word = "" if label is None else NAMES[label]
        writer.writerow([row, files[row], word, NAMES[best], f"{said[row, best]:.6f}", one.kind, one.note])
    return text.getvalue().encode()
