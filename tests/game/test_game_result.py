"""The answers in a link, and what a round that is over says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fer_core.game.answers import decode, encode, mark_of
from fer_core.game.result import YOU, Answers, Result

MARK = mark_of("ab" * 32, [3, 17, 5])


def test_answers_survive_the_link() -> None:
    played = decode(encode([0, 6, 3], MARK))
    assert played is not None
    assert played.answers == (0, 6, 3)
    assert played.mark == MARK


@pytest.mark.parametrize(
    "text",
    ["", "063", "063-", f"073-{MARK}", f"063-{MARK}0", f"٠٣-{MARK}", f"063-{MARK}\n", f"{'0' * 5000}-{MARK}", "<b>-x"],
)
def test_what_is_no_answer_is_none(text: str) -> None:
    assert decode(text) is None


def test_the_mark_tells_other_faces() -> None:
    marks = {mark_of("ab" * 32, rows) for rows in ([3, 17, 5], [3, 17, 6], [17, 3, 5], [3, 175])}
    assert len(marks | {mark_of("cd" * 32, [3, 17, 5])}) == 5


def test_answers_outside_the_classes_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="no answers"):
        encode([7], MARK)


def make_result(**more: Any) -> Result:
    parts: dict[str, Any] = {
        "you": Answers(YOU, (0, 1, 2, 3)),
        "labels": Answers("label", (0, 1, 2, 6)),
        "models": (Answers("a", (0, 1, 5, 5)), Answers("b", (0, 0, 0, 3))),
        "crowd": Answers("crowd", (0, -1, 2, 3)),
        "doubtful": (False, False, False, True),
        **more,
    }
    return Result(**parts)


def test_who_agreed_with_whom() -> None:
    found = make_result()
    assert [one.name for one in found.everybody] == [YOU, "label", "crowd", "a", "b"]
    expected = [[4, 3, 3, 2, 2], [3, 4, 2, 2, 1], [3, 2, 3, 1, 2], [2, 2, 1, 4, 1], [2, 1, 2, 1, 4]]
    assert found.agreement.tolist() == expected
    assert found.right(found.you) == 3


def test_confusion_counts_each_face_once_and_leaves_out_what_has_no_class() -> None:
    found = make_result()
    assert found.confusion(found.you)[6, 3] == 1
    assert found.confusion(found.you).sum() == 4
    assert found.crowd is not None
    assert np.diag(found.confusion(found.crowd)).tolist() == [1, 0, 1, 0, 0, 0, 0]


def test_the_sentences_follow_from_the_figures() -> None:
    words = " ".join(make_result().sentences())
    assert "on 3 of 4 faces" in words
    assert "models get 1 to 2" in words
    assert "You beat 2 of 2" in words
    assert "1 label is probably wrong, and you contradicted 1" in words
    alone = " ".join(make_result(models=(), crowd=None, doubtful=(False,) * 4).sentences())
    assert "model" not in alone
    assert "wrong" not in alone


def test_answers_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one answer to each face"):
        make_result(you=Answers(YOU, (0, 1)))
