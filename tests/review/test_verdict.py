"""Is the label wrong, or the model: what is gathered for a face, and each rule of the verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from factories import make_run
from made_up_faces import make_labels

from fer_core.data.audit import audit_dataset
from fer_core.data.dataset import write_dataset
from fer_core.data.ferplus import ANSWERS, Crowd
from fer_core.emotions import COUNT, NAMES, PRIVATE_TEST, TRAINING
from fer_core.evaluation.aligned_predictions import AlignedPredictions
from fer_core.review.scope import Scope
from fer_core.review.scope import scope as make_scope
from fer_core.review.verdict import (
    KNOWN_WORDS,
    LABEL,
    MODEL,
    NEITHER,
    UNCLEAR,
    WORDS,
    ConflictingDuplicate,
    CrowdAnswer,
    Evidence,
    evidence,
    label_issue_words,
    verdict,
)
from fer_core.stats.label_doubt import shipped_table

FEAR, HAPPY, SAD = NAMES.index("fear"), NAMES.index("happy"), NAMES.index("sad")
ALL_SAY_SAD = Evidence(FEAR, 3, 0.9, True, SAD, against=3, together=3, answer=SAD, rank=1, faces=100)


def says(answer: str, votes: int, for_label: int = 0, *, tie: bool = False) -> CrowdAnswer:
    return CrowdAnswer(answer, votes, for_label, 10, tie)


def rejected(kind: str, models: int) -> int:
    """Of 100 faces with that verdict, as the table that ships says."""
    measured = shipped_table().measured(kind, models)
    assert measured is not None
    return round(100 * measured.rejected / measured.faces)


@pytest.mark.parametrize(
    ("changes", "kind", "sentence"),
    [
        ({}, LABEL, "All 3 models say sad instead. Of 100 faces like this one, a crowd rejected the label of about 90"),
        ({}, LABEL, f"PublicTest with this verdict it rejected {rejected(LABEL, 3)} in 100"),
        ({"models": 2, "against": 2, "together": 2}, LABEL, "Both models say sad instead"),
        ({"together": 1}, LABEL, "All 3 models contradict the label"),
        ({"against": 2, "together": 2, "label_issue_score": 0.66}, UNCLEAR, "2 of 3 models say sad instead"),
        ({"label_issue_score": 0.34}, UNCLEAR, f"with this verdict it rejected {rejected(UNCLEAR, 3)} in 100"),
        (
            {"label_issue_score": 0.33, "models": 4},
            MODEL,
            f"with this verdict it kept {100 - rejected(MODEL, 4)} in 100",
        ),
        (
            {"label_issue_score": 0.33, "models": 1, "against": 1, "together": 1},
            MODEL,
            f"verdict it kept {100 - rejected(MODEL, 1)} in 100",
        ),
        (
            {"label_issue_score": 0.33, "against": 0, "together": 0, "answer": -1},
            NEITHER,
            "All 3 models agree with the label",
        ),
        ({"against": 0, "together": 0, "answer": -1}, LABEL, "All 3 models agree with the label"),
        # What people doubt in one collection they need not doubt in another.
        ({"against": 2, "together": 2, "other_data": True}, UNCLEAR, "a crowd rejected the label of about 90."),
        ({"other_data": True}, LABEL, "a crowd rejected the label of about 90."),
        (
            {"conflicting_duplicates": (ConflictingDuplicate(5, SAD, TRAINING, True),)},
            UNCLEAR,
            "also in the data as sad",
        ),
        ({"conflicting_duplicates": ()}, LABEL, "All 3 models"),
        ({"crowd": says("sad", 5, 3)}, LABEL, "5 of its 10 votes to “sad”, and 3 to fear"),
        ({"crowd": says("not a face", 9)}, LABEL, "none of the seven classes"),
        ({"crowd": says("contempt", 6, 1)}, LABEL, "none of the seven classes"),
        ({"crowd": says("fear", 8, 8)}, MODEL, "8 of its 10 votes to fear, as the label does"),
        ({"crowd": says("fear", 8, 8), "against": 0, "flagged": False}, NEITHER, "and all 3 models say so, too"),
        ({"crowd": says("fear", 4, 4)}, UNCLEAR, "fear leads with 4 of its 10 votes"),
        ({"crowd": says("fear", 5, 5, tie=True)}, UNCLEAR, "have 5 of its 10 votes each"),
        ({"crowd": says("unknown", 7)}, UNCLEAR, "cannot tell"),
        # A drawing is what it was drawn as, however many models contradict it.
        ({"drawn": True, "other_data": True}, MODEL, "was drawn as fear. All 3 models say sad instead"),
        ({"drawn": True, "against": 0, "together": 0, "answer": -1}, NEITHER, "was drawn as fear"),
        # People come before models and before twins.
        ({"crowd": says("sad", 9), "against": 0, "flagged": False}, LABEL, "9 of its 10 votes"),
        (
            {"crowd": says("fear", 9, 9), "conflicting_duplicates": (ConflictingDuplicate(5, SAD, TRAINING, True),)},
            MODEL,
            "9 of its 10 votes",
        ),
    ],
)
def test_each_rule(changes: dict[str, object], kind: str, sentence: str) -> None:
    found = verdict(replace(ALL_SAY_SAD, **changes))  # type: ignore[arg-type]
    assert (found.kind, found.words) == (kind, KNOWN_WORDS[kind] if changes.get("drawn") else WORDS[kind])
    assert sentence in found.because


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "Probably the label: of faces like this one, the crowd rejected the label in 90 of 100."),
        (
            {"label_issue_score": 0.3},
            "Probably the model: of faces like this one, the crowd kept the label in 70 of 100.",
        ),
        ({"label_issue_score": 0.9999}, "in 99 of 100."),
        (
            {"label_issue_score": 0.001, "against": 0},
            "Nothing speaks against the label: of faces like this one, the crowd kept",
        ),
        # Elsewhere the share is a guess, and the line itself says so.
        ({"other_data": True}, "in 90 of 100, if people doubt these labels as they doubt FER-2013's."),
        (
            {"crowd": says("sad", 5, 3)},
            "Probably the label: the crowd gives 5 of its 10 votes to “sad”, and 3 to fear.",
        ),
        (
            {"conflicting_duplicates": (ConflictingDuplicate(5, SAD, TRAINING, True),)},
            "Unclear: the same picture is also in the data as sad.",
        ),
    ],
)
def test_the_verdict_in_one_line(changes: dict[str, object], line: str) -> None:
    found = verdict(replace(ALL_SAY_SAD, **changes)).line  # type: ignore[arg-type]
    assert line in found
    assert found.count(". ") == 0


def scope_of(labels: list[int], probabilities: np.ndarray) -> Scope:
    rows = 100 + 2 * np.arange(len(labels))
    names = tuple(f"model {k}" for k in range(len(probabilities)))
    aligned = AlignedPredictions(
        names, PRIVATE_TEST, "0" * 64, rows, np.array(labels, np.int8), probabilities.astype(np.float32)
    )
    return Scope(aligned, aligned, np.arange(len(labels)), (1.0,) * len(names), ())


def sure(label: int, confidence: float = 0.7) -> np.ndarray:
    values = np.full(COUNT, (1 - confidence) / (COUNT - 1))
    values[label] = confidence
    return values


def test_what_is_gathered_about_a_face() -> None:
    labels = [FEAR, FEAR, FEAR, SAD, SAD, SAD]
    first = np.stack([sure(FEAR), sure(FEAR, 0.8), sure(SAD, 0.9), *[sure(SAD)] * 3])
    second = np.stack([sure(FEAR), sure(HAPPY, 0.4), sure(SAD, 0.9), *[sure(SAD)] * 3])
    scope = scope_of(labels, np.stack([first, second]))
    found = evidence(scope, 104)
    assert (found.label, found.models, found.suggested, found.answer) == (FEAR, 2, SAD, SAD)
    assert (found.against, found.together, found.flagged) == (2, 2, True)
    assert (found.rank, found.faces) == (1, 6)
    assert found.label_issue_score == scope.whole_label_issues.score[2] > 0.9
    assert "other data" in found.beyond
    assert (found.crowd, found.conflicting_duplicates, found.remembered) == (None, None, None)
    split = evidence(scope, 102)
    assert (split.against, split.together, split.answer, split.rank) == (1, 1, HAPPY, 2)
    calm = evidence(scope, 100)
    assert (calm.against, calm.answer, calm.flagged) == (0, -1, False)
    # Three faces are equally sure: they share the better place. People doubt "fear" more often, so it stands before.
    assert [evidence(scope, row).rank for row in (100, 106, 108, 110)] == [3, 4, 4, 4]


@pytest.mark.parametrize("row", [0, 101, 112, 10_000])
def test_a_row_of_another_split_is_an_error(row: int) -> None:
    scope = scope_of([FEAR] * 6, np.stack([np.stack([sure(FEAR)] * 6)]))
    with pytest.raises(KeyError):
        evidence(scope, row)


def test_the_crowd_on_one_face() -> None:
    votes = np.zeros((120, len(ANSWERS)), np.int8)
    votes[:, ANSWERS.index("happy")] = 10
    votes[100] = 0
    votes[100, [FEAR, SAD, HAPPY]] = 3, 6, 1
    votes[102] = 0
    votes[102, [FEAR, SAD]] = 4, 4
    scope = scope_of([FEAR] * 6, np.stack([np.stack([sure(FEAR)] * 6)]))
    crowd = Crowd(votes)
    assert evidence(scope, 100, crowd=crowd).crowd == CrowdAnswer("sad", 6, 3, 10, tie=False)
    assert evidence(scope, 102, crowd=crowd).crowd == CrowdAnswer("fear", 4, 4, 8, tie=True)


def test_twins_with_other_labels_come_from_the_audit(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    labels, splits = make_labels(42)
    images = generator.integers(0, 256, (42, 48, 48), dtype=np.uint8)
    test = int(np.flatnonzero(splits == PRIVATE_TEST)[0])
    same, other = (int(row) for row in np.flatnonzero(splits == TRAINING)[:2])
    images[same] = images[other] = images[test]
    labels[same] = labels[test]
    labels[other] = (labels[test] + 1) % COUNT
    dataset = write_dataset(tmp_path / "data", images, labels, splits)
    audit = audit_dataset(dataset)
    run = make_run(tmp_path / "run", labels=labels, splits=splits)
    found = evidence(make_scope([run], PRIVATE_TEST), test, audit=audit)
    assert found.conflicting_duplicates == (ConflictingDuplicate(other, int(labels[other]), TRAINING, exact=True),)
    assert found.remembered is True
    alone = int(np.flatnonzero(splits == PRIVATE_TEST)[1])
    assert evidence(make_scope([run], PRIVATE_TEST), alone, audit=audit).conflicting_duplicates == ()
    assert evidence(make_scope([run], PRIVATE_TEST), alone, audit=audit).remembered is False


def test_labels_that_were_spoilt_are_found_and_the_others_left_alone() -> None:
    """Two models, right on all but a tenth each: of 60 spoilt labels most are called, of the others hardly any."""
    generator = np.random.default_rng(3)
    true = generator.integers(0, COUNT, 600)
    stack = np.stack(
        [
            np.stack([sure(t if generator.random() > 0.1 else int(generator.integers(COUNT)), 0.8) for t in true])
            for _ in range(2)
        ]
    )
    spoilt = np.arange(600) < 60
    given = np.where(spoilt, (true + 1) % COUNT, true)
    scope = scope_of([int(label) for label in given], stack)
    kinds = np.array([verdict(evidence(scope, int(row))).kind for row in scope.whole.rows])
    assert (kinds[spoilt] == LABEL).mean() > 0.7
    assert (kinds[~spoilt] == LABEL).mean() < 0.02


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (0, "hardly doubtful"),
        (0.3, "a little doubtful"),
        (0.5, "doubtful"),
        (0.67, "very doubtful"),
        (1, "very doubtful"),
    ],
)
def test_doubt_in_words(score: float, words: str) -> None:
    assert label_issue_words(score) == words
