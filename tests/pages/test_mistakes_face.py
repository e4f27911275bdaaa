"""Mistakes: one face, with every answer and map; the faces like it; the order by similarity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from edited_runs import reseal_evaluation
from factories import make_vote
from mistakes_page import SIMILAR, OpenApp, cards, expected, make, open_mistakes, pictures, sheet, with_twins

from fer_core.data.audit import audit_dataset
from fer_core.data.dataset import Dataset, load_dataset
from fer_core.emotions import NAMES
from fer_core.evaluation.aligned_predictions import AlignedPredictions, align
from fer_core.inference.predictor import Predictor
from fer_core.review.ordering import SORTS
from fer_core.review.selection import Filter
from fer_core.runs.embeddings import write_embeddings
from fer_core.runs.folder import RunFolder
from pages.parts.mistakes.sheet import PER_PAGE


@pytest.fixture
def dataset(sample: Path) -> Dataset:
    return load_dataset(sample)


@pytest.fixture
def runs(home: Path, dataset: Dataset) -> list[RunFolder]:
    """``one`` and ``two``, measured on the drawn sample, ``one`` on top."""
    return [make(home, dataset, name, seed) for seed, name in enumerate(("one", "two"))]


@pytest.fixture
def aligned(runs: list[RunFolder]) -> AlignedPredictions:
    return align(runs, "PrivateTest")


@pytest.fixture
def with_near_duplicates(home: Path, sample: Path) -> tuple[Dataset, list[int]]:
    return with_twins(sample)


# --- One face


def test_a_face_with_every_answer_and_map(open_app: OpenApp, aligned: AlignedPredictions) -> None:
    both_wrong = aligned.rows[~aligned.right.any(axis=0)]
    row = int(both_wrong[0])
    at = int(np.flatnonzero(aligned.rows == row)[0])
    app = open_mistakes(open_app, face=str(row), panel="How sure")
    assert pictures(app, f"Face in row {row} ")
    for name, predicted, values in zip(
        aligned.names, aligned.predicted[:, at], aligned.probabilities[:, at], strict=True
    ):
        card = next(card for card in cards(app) if f'aria-label="{name}"' in card)
        assert NAMES[predicted] in card
        assert f"{values.max() * 100:.0f} %" in card
        assert 'aria-label="wrong"' in card
        (bars,) = [one.proto.body for one in app.get("html") if f"Probabilities by {name}," in one.proto.body]
        assert f"▸ {NAMES[aligned.labels[at]]}" in bars
        assert f"{values.max() * 100:.0f} %" in bars
        assert len(pictures(app, f"{name}, label: Face with the map of {NAMES[aligned.labels[at]]}")) == 1
        assert len(pictures(app, f"{name}, answer: Face with the map of {NAMES[predicted]}")) == 1
        assert all("6 × 6 cells" in alt for alt in pictures(app, f"{name}, "))


def test_no_map_where_a_model_cannot_be_opened(
    open_app: OpenApp, runs: list[RunFolder], aligned: AlignedPredictions
) -> None:
    # As long as before, so that only its hash tells.
    runs[1].tflite_path.write_bytes(runs[1].tflite_path.read_bytes()[::-1])
    app = open_mistakes(open_app, face=str(aligned.rows[0]))
    assert any("No maps of two" in warning.value for warning in app.warning)
    assert pictures(app, "one, ")


def test_a_face_that_the_filters_leave_out_is_shown_and_said(open_app: OpenApp, aligned: AlignedPredictions) -> None:
    right = int(aligned.rows[aligned.right.all(axis=0)][0])
    app = open_mistakes(open_app, face=str(right))
    assert pictures(app, f"Face in row {right} ")
    assert any("The filters leave this face out" in caption.value for caption in app.caption)
    assert not app.warning


def test_a_face_of_another_split_is_shown_and_said(
    open_app: OpenApp, dataset: Dataset, aligned: AlignedPredictions
) -> None:
    row = int(dataset.rows("Training")[0])
    app = open_mistakes(open_app, face=str(row))
    assert pictures(app, f"Face in row {row} ")
    assert any(f"Row {row:,} is not in PrivateTest" in info.value and "Training" in info.value for info in app.info)
    assert not pictures(app, "Face with the map")


@pytest.mark.parametrize(("keys", "some"), [("true", True), ("false", False)])
def test_shortcuts_can_be_switched_off(open_app: OpenApp, aligned: AlignedPredictions, keys: str, some: bool) -> None:
    app = open_mistakes(open_app, face=str(aligned.rows[0]), panel="Your mark", keys=keys)
    buttons = [button for button in app.button if str(button.key).startswith(("step-", "review."))]
    assert len(buttons) >= 8
    assert {bool(button.proto.shortcut) for button in buttons} == {some}


# --- Faces like it


def test_twins_are_offered_by_the_audit_then_shown(
    open_app: OpenApp, with_near_duplicates: tuple[Dataset, list[int]], home: Path
) -> None:
    dataset, (equal, of_equal, of_alike, alike) = with_near_duplicates
    make(home, dataset, "one", 0)
    app = open_mistakes(open_app, face=str(equal), panel=SIMILAR)
    [link] = [link for link in app.get("page_link") if "Look for them with the audit" in link.proto.label]
    assert "view=Audit" in link.proto.query_string
    audit = audit_dataset(dataset)
    app = open_mistakes(open_app, face=str(equal), panel=SIMILAR)
    assert any(caption.value.startswith("1 face with the same pixels, 0 nearly") for caption in app.caption)
    assert any(f"row {of_equal} Training" in caption.value for caption in app.caption)
    assert pictures(app, f"row {of_equal}, {NAMES[dataset.labels[of_equal]]}, equal")
    app = open_mistakes(open_app, face=str(alike), panel=SIMILAR)
    assert any("0 faces with the same pixels, 1 nearly" in caption.value for caption in app.caption)
    assert any(
        f"among its twins there are {NAMES[dataset.labels[of_alike]]}" in caption.value for caption in app.caption
    )
    assert pictures(
        app, f"row {of_alike}, {NAMES[dataset.labels[of_alike]]}, alike {audit.near_duplicates(alike)[0].ncc:.2f}"
    )


def embed(run: RunFolder, dataset: Dataset) -> np.ndarray:
    """Made-up embeddings of all test faces; returns those of PrivateTest."""
    vectors = np.random.default_rng(5).normal(size=(len(dataset), 8)).astype(np.float32)
    test, training = dataset.splits != "Training", dataset.rows("Training")
    about = np.flatnonzero(test), dataset.splits[test], vectors[test], training, vectors[training]
    fingerprint = dataset.info.fingerprint
    reseal_evaluation(run, lambda one: write_embeddings(one.embeddings_path, *about, fingerprint=fingerprint))
    return vectors


def test_similarity_says_what_is_missing(open_app: OpenApp, aligned: AlignedPredictions) -> None:
    app = open_mistakes(open_app, sort=SORTS["similarity"])
    assert any("Choose the face" in info.value for info in app.info)
    app = open_mistakes(open_app, sort=SORTS["similarity"], like=str(aligned.rows[0]))
    assert any("evaluate one --data" in info.value for info in app.info)
    assert sheet(app) == expected(aligned, Filter(right=False))[:PER_PAGE]
    app = open_mistakes(open_app, sort=SORTS["similarity"], like="0")
    assert any("Row 0 is not among the faces in view" in info.value for info in app.info)


def test_the_nearest_training_faces_and_the_order_by_similarity(
    open_app: OpenApp, dataset: Dataset, runs: list[RunFolder], aligned: AlignedPredictions
) -> None:
    from fer_core.runs.embeddings import read_embeddings

    embed(runs[1], dataset)
    stored = read_embeddings(runs[1])
    assert stored is not None
    row = int(aligned.rows[0])
    app = open_mistakes(open_app, face=str(row), panel=SIMILAR)
    nearest = stored.nearest[int(stored.positions(row))]
    words = "; ".join(f"row {other}, {NAMES[dataset.labels[other]]} " for other in nearest[:1])
    assert pictures(app, words)
    assert any("No nearest faces are kept for one" in info.value for info in app.info)

    app.button(key="sort-like").click().run()
    assert not app.exception
    vectors = stored.vectors[stored.positions(aligned.rows)]
    rows = expected(aligned, Filter(right=False), "similarity", embeddings=vectors, like=0)
    assert sheet(app) == rows[:PER_PAGE]
    assert any("in the eyes of two" in caption.value for caption in app.caption)
    assert app.number_input(key="like").value == row
    app.number_input(key="face").set_value(rows[3]).run()
    assert sheet(app) == rows[:PER_PAGE], "opening another face keeps the order"


def test_damaged_embeddings_are_named_and_the_page_goes_on(
    open_app: OpenApp, runs: list[RunFolder], aligned: AlignedPredictions
) -> None:
    reseal_evaluation(runs[0], lambda one: one.embeddings_path.write_bytes(b"broken"))
    row = str(aligned.rows[0])
    app = open_mistakes(open_app, sort=SORTS["similarity"], like=row, face=row, panel=SIMILAR)
    assert sum("embeddings.parquet" in warning.value for warning in app.warning) == 2
    assert sheet(app) == expected(aligned, Filter(right=False))[:PER_PAGE]


def test_a_vote_has_no_embeddings_of_its_own(
    open_app: OpenApp, home: Path, runs: list[RunFolder], aligned: AlignedPredictions
) -> None:
    make_vote(home / "runs" / "both", runs)
    app = open_mistakes(open_app, runs="both", face=str(aligned.rows[0]), panel=SIMILAR)
    assert any("both is a vote" in caption.value for caption in app.caption)
    assert len(pictures(app, "both, ")) in (1, 2)


def test_a_vote_beside_its_members_asks_none_of_them_twice_and_shows_its_own_maps(
    open_app: OpenApp, home: Path, runs: list[RunFolder], aligned: AlignedPredictions, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_vote(home / "runs" / "both", runs)
    row = int(aligned.rows[0])
    asked: list[str] = []
    explain = Predictor.explain

    def counted(self: Predictor, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # Opening a vote asks its members about nothing.
        asked.extend([self.name] * bool(images.any()))
        return explain(self, images)

    monkeypatch.setattr(Predictor, "explain", counted)
    app = open_mistakes(open_app, runs=[*(run.name for run in runs), "both"], face=str(row))
    assert not app.exception
    assert sorted(asked) == sorted(run.name for run in runs)
    assert len(pictures(app, "both, ")) in (1, 2)
