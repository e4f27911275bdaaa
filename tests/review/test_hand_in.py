"""The report to hand in: one file that needs nothing else, says what was marked, and shows words as words."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import numpy as np
import pytest

from fer_core.emotions import index_of
from fer_core.review.annotations import AMBIGUOUS, LABEL_WRONG, Annotation
from fer_core.review.hand_in import MOST_FACES, MarkedFace, marked_report

FEAR, SAD = index_of("fear"), index_of("sad")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOSTILE = '<script>alert(1)</script>"onload="x & **bold**'


def face(row: int, kind: str = AMBIGUOUS, new: int | None = None, note: str = "", answer: int = SAD) -> MarkedFace:
    answers = np.full((2, 7), 0.05, np.float32)
    answers[:, answer] = 0.7
    image = np.random.default_rng(row).integers(0, 256, (48, 48), dtype=np.uint8)
    return MarkedFace(Annotation(row, kind, new, note), "PrivateTest", FEAR, image, answers)


def report(*faces: MarkedFace, title: str = "Sample", marked: int | None = None) -> str:
    return marked_report(title, ["one", HOSTILE], faces, marked=marked or len(faces), now=NOW)


def test_it_tells_each_mark_with_its_picture_and_what_the_models_said() -> None:
    text = report(face(7, LABEL_WRONG, SAD, "tears"), face(9, LABEL_WRONG, SAD, answer=FEAR), face(11))
    assert "3 faces marked." in text
    assert "On 2 the label was found wrong, most often fear where sad was seen (2 times)" in text
    assert "the class that was given instead on 1 of 2" in text
    assert text.count("data:image/png;base64,") == 3
    article = text[text.index("Row 7 ") : text.index("Row 9 ")]
    for words in ("label wrong → sad", "tears", "sad", "70 %"):
        assert words in article
    assert "✓" in text[text.index("Row 9 ") :]


def test_it_needs_nothing_else_and_shows_what_people_wrote_as_text() -> None:
    text = report(face(7, note=HOSTILE), title=HOSTILE)
    assert "<script" not in text
    assert not re.search(r"<[^>]*onload=", text)
    assert text.count("&lt;script&gt;") >= 4, "the title twice, the note, the model's name"
    assert not re.search(r'(?:src|href)="(?!data:)', text)
    assert "url(" not in text
    assert "@import" not in text


def test_of_many_faces_the_first_are_in_it_and_the_others_counted() -> None:
    assert "500 faces marked; the first 1 are" in report(face(7), marked=500)
    with pytest.raises(ValueError, match=str(MOST_FACES)):
        report(*[face(7)] * (MOST_FACES + 1))
    with pytest.raises(ValueError, match="answers"):
        marked_report("a", ["one"], [face(7)], marked=1, now=NOW)
