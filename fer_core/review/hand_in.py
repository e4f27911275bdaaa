"""A report to hand in: the faces somebody marked, as one HTML file with its pictures and figures inside.

It needs nothing from the network and runs no script. Whatever people wrote (titles, names, notes) stands in it as text.
"""

from __future__ import annotations

import base64
import html
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from PIL import Image

from fer_core.emotions import COLOURS, EMOTIONS, NAMES
from fer_core.formatting import moment, percent, plural
from fer_core.review.annotations import KINDS, LABEL_WRONG, Annotation
from fer_core.review.html_report import Report

MOST_FACES = 200
"""Faces with their pictures in one report, about 2 MB; further ones are counted."""
_STYLE = """
h3 { margin: 0; line-height: 1.2 }
th, td { text-align: left }
td.n { text-align: right }
article { display: grid; grid-template-columns: 9rem 1fr; gap: 0 1.2rem; margin: 1.5rem 0; break-inside: avoid }
article > img { width: 9rem; height: 9rem; border-radius: 4px }
.bar { display: inline-block; height: 0.7em }
.said { border-left: 3px solid #8888; padding-left: 0.6rem; white-space: pre-wrap; overflow-wrap: anywhere }
"""


@dataclass(frozen=True, eq=False)
class MarkedFace:
    """One face of the report.

    Attributes:
        annotation: the mark; its ``row`` is the face's.
        split: the face's split.
        label: the dataset's label, 0..6.
        image: uint8 (48, 48).
        answers: float (K, 7), the models' probabilities in the order of their names; None where they were not asked.
    """

    annotation: Annotation
    split: str
    label: int
    image: npt.NDArray[np.uint8]
    answers: npt.NDArray[np.floating] | None


def marked_report(title: str, models: Sequence[str], faces: Sequence[MarkedFace], *, marked: int, now: datetime) -> str:
    """The report as HTML: a summary, two tables, then each face with its picture, its mark and what the models say.

    ``title``: of the data. ``models``: K names. ``faces``: at most
    :data:`MOST_FACES`, in the order to have; ``marked``: how many were marked in all. Raises ``ValueError`` for answers
    of another number of models, or more faces than that.
    """
    if len(faces) > MOST_FACES:
        raise ValueError(f"a report holds {MOST_FACES} faces, not {len(faces)}")
    for face in faces:
        if face.answers is not None and face.answers.shape != (len(models), len(NAMES)):
            raise ValueError(f"answers must be ({len(models)}, {len(NAMES)}), not {face.answers.shape}")
    report = Report(f"Marked faces of {title}", _STYLE)
    report.paragraph(_summary(faces, marked))
    report.paragraph(f"Made with FER Explorer, {moment(now.isoformat())}. Models: {', '.join(models)}.")
    report.heading("Marks")
    report.markup(_by_kind(faces))
    report.heading("By label")
    report.markup(_by_class(faces))
    report.heading("Face by face")
    for face in faces:
        report.markup(_face(face, models))
    return report.text()


def _summary(faces: Sequence[MarkedFace], marked: int) -> str:
    wrong = [face for face in faces if face.annotation.kind == LABEL_WRONG]
    words = f"{plural(marked, 'face')} marked"
    if marked > len(faces):
        words += f"; the first {len(faces):,} are in this report"
    words += "."
    if wrong:
        pairs = Counter((NAMES[face.label], NAMES[int(face.annotation.new_label or 0)]) for face in wrong)
        (label, right), count = pairs.most_common(1)[0]
        words += f" On {len(wrong):,} the label was found wrong"
        words += f", most often {label} where {right} was seen ({count:,} times)." if count > 1 else "."
    asked = [face for face in wrong if face.answers is not None]
    if asked:
        agree = sum(_commonest(face) == face.annotation.new_label for face in asked)
        words += f" The models' commonest answer is the class that was given instead on {agree:,} of {len(asked):,}."
    return words


def _commonest(face: MarkedFace) -> int:
    """The class that most models answered; of equals, the one with the higher mean probability."""
    answers = np.asarray(face.answers, dtype=np.float64)
    votes = np.bincount(answers.argmax(axis=1), minlength=len(NAMES))
    return int(np.lexsort((-answers.mean(axis=0), -votes))[0])


def _by_kind(faces: Sequence[MarkedFace]) -> str:
    counts = Counter(face.annotation.kind for face in faces)
    rows = "".join(f'<tr><th scope="row">{kind}</th><td class="n">{counts[kind]:,}</td></tr>' for kind in KINDS)
    return f"<table><tbody>{rows}</tbody></table>"


def _by_class(faces: Sequence[MarkedFace]) -> str:
    """A bar a class: how many of its labels were marked, and how many of those as wrong."""
    marked = Counter(face.label for face in faces)
    wrong = Counter(face.label for face in faces if face.annotation.kind == LABEL_WRONG)
    most = max(marked.values(), default=1)
    rows = "".join(
        f'<tr><th scope="row">{emotion.icon} {emotion.name}</th>'
        f'<td><span class="bar" style="width:{10 * marked[at] / most:.2f}rem;background:{COLOURS[at]}"></span></td>'
        f'<td class="n">{marked[at]:,}</td><td class="n">{wrong[at]:,}</td></tr>'
        for at, emotion in enumerate(EMOTIONS)
    )
    head = '<tr><th>Label</th><th></th><th scope="col">marked</th><th scope="col">found wrong</th></tr>'
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _face(face: MarkedFace, models: Sequence[str]) -> str:
    mark = face.annotation
    note = f'<p class="said">{html.escape(mark.note)}</p>' if mark.note else ""
    alt = f"Face in row {mark.row}, labelled {NAMES[face.label]}"
    said = f"<p>{html.escape(mark.words)}, {moment(mark.time)}</p>{note}{_answers(face, models)}"
    return (
        f'<article><img src="{_picture(face.image)}" alt="{alt}"><div>'
        f"<h3>Row {mark.row:,} ({face.split}), labelled {NAMES[face.label]}</h3>{said}</div></article>"
    )


def _answers(face: MarkedFace, models: Sequence[str]) -> str:
    if face.answers is None:
        return "<p>The models were not asked about this face.</p>"
    rows = []
    for name, values in zip(models, face.answers, strict=True):
        answer = int(values.argmax())
        tick = "✓" if answer == face.label else ""
        rows.append(
            f'<tr><th scope="row">{html.escape(name)}</th><td>{EMOTIONS[answer].icon} {NAMES[answer]} {tick}</td>'
            f'<td class="n">{percent(float(values[answer]), 0)}</td></tr>'
        )
    return f"<table><tbody>{''.join(rows)}</tbody></table>"


def _picture(image: npt.NDArray[np.uint8]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
