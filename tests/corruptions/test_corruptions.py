"""Faces made worse, and the accuracy that is left."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fer_core.corruptions.kinds import CORRUPTIONS, SEVERITIES, corrupt
from fer_core.corruptions.robustness import Robustness, evaluate_corruptions
from fer_core.data.sample import draw_sample
from fer_core.explain.base import Faces
from fer_core.progress import Progress
from fer_core.stats.intervals import wilson_interval


@pytest.fixture(scope="module")
def faces() -> Faces:
    return draw_sample(60).images


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_severity_is_worse_than_the_one_before(name: str, faces: Faces) -> None:
    away = [np.abs(corrupt(faces, name, severity).astype(float) - faces).mean() for severity in SEVERITIES]
    assert away[0] > 0
    assert away == sorted(away)
    assert corrupt(faces, name, 3).dtype == np.uint8


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_face_gets_the_same_treatment_alone_and_again(name: str, faces: Faces) -> None:
    before = faces.copy()
    rows = np.arange(100, 160)
    together = corrupt(faces, name, 4, keys=rows, seed=5)
    np.testing.assert_array_equal(corrupt(faces[7:8], name, 4, keys=[107], seed=5)[0], together[7])
    np.testing.assert_array_equal(faces, before)


@pytest.mark.parametrize("name", ["noise", "brightness", "rotation", "shift", "occlusion"])
def test_what_is_drawn_differs_by_face_and_by_seed(name: str, faces: Faces) -> None:
    same = np.repeat(faces[:1], 20, axis=0)
    first, second = corrupt(same, name, 3), corrupt(same, name, 3, seed=1)
    assert len(np.unique(first, axis=0)) > 1
    assert (first != second).any()


def test_strengths_in_words() -> None:
    assert CORRUPTIONS["rotation"].strength(4) == "±30 degrees"
    assert CORRUPTIONS["contrast"].strength(5) == "0.15 times"


def test_the_strengths_are_what_they_say(faces: Faces) -> None:
    grey = np.full((200, 48, 48), 128, dtype=np.uint8)
    assert (corrupt(grey, "noise", 2).astype(int) - 128).std() == pytest.approx(12, rel=0.02)
    assert set(np.unique(corrupt(grey, "brightness", 3))) == {128 - 65, 128 + 65}
    faces_float = faces[:1].astype(float)
    assert corrupt(faces[:1], "contrast", 5).std() == pytest.approx(0.15 * faces_float.std(), rel=0.05)
    halves = np.zeros((1, 48, 48), dtype=np.uint8)
    halves[:, 24:] = 255
    assert (corrupt(halves, "occlusion", 1) != halves).sum() == 10 * 10


def brightness_model(images: Faces) -> np.ndarray:
    """Says 3 to faces of a mean above 100, else 0."""
    light = images.mean(axis=(1, 2)) > 100
    return np.eye(7, dtype=np.float32)[np.where(light, 3, 0)]


@pytest.fixture(scope="module")
def robustness() -> Robustness:
    greys = np.array([20, 60, 99, 101, 140, 200], dtype=np.uint8)
    images = np.broadcast_to(greys[:, None, None], (6, 48, 48)).copy()
    labels = np.array([0, 0, 0, 3, 3, 0])
    return evaluate_corruptions(
        brightness_model, images, labels, names=("blur", "brightness"), keys=range(50, 56), seed=2
    )


def test_accuracy_that_can_be_worked_out(robustness: Robustness) -> None:
    assert robustness.clean_accuracy == pytest.approx(5 / 6)
    value, low, high = robustness.accuracy()
    np.testing.assert_allclose(value[0], 5 / 6)  # flat faces stay as they are when blurred
    expected = wilson_interval(5, 6)
    np.testing.assert_allclose([low[0, 0], high[0, 0]], expected)
    # The same light again, by hand.
    images = np.broadcast_to(np.array([20, 60, 99, 101, 140, 200], np.uint8)[:, None, None], (6, 48, 48))
    for severity in SEVERITIES:
        worse = corrupt(images.copy(), "brightness", severity, keys=range(50, 56), seed=2)
        right = brightness_model(worse).argmax(axis=1) == robustness.labels
        assert value[1, severity - 1] == pytest.approx(right.mean())
    assert robustness.mean_accuracy() == pytest.approx(value.mean())


def test_flips_are_the_faces_that_changed(robustness: Robustness) -> None:
    assert robustness.flips().shape == (2, 5)
    assert (robustness.flips()[0] == 0).all()
    for severity in SEVERITIES:
        lost, won, changed = (
            set(robustness.flipped("brightness", severity, kind)) for kind in ("lost", "won", "changed")
        )
        assert lost | won == changed  # with two answers every change is one or the other
        assert 5 not in lost
        value = robustness.accuracy()[0][1, severity - 1]
        assert value == pytest.approx(robustness.clean_accuracy + (len(won) - len(lost)) / 6)
    with pytest.raises(ValueError, match="was not measured"):
        robustness.flipped("noise", 1)
    with pytest.raises(ValueError, match="kind must be"):
        robustness.flipped("blur", 1, "gone")  # type: ignore[arg-type]


def test_summary_goes_into_json(robustness: Robustness) -> None:
    again = json.loads(json.dumps(robustness.summary()))
    assert again["n"] == 6
    assert list(again["corruptions"]) == ["blur", "brightness"]
    assert again["corruptions"]["blur"]["accuracy"] == pytest.approx([5 / 6] * 5)
    assert again["corruptions"]["brightness"]["strengths"] == [20, 40, 65, 90, 120]


def test_all_nine_in_order_with_progress(faces: Faces) -> None:
    reports: list[Progress] = []
    labels = np.zeros(60, dtype=np.int8)
    one, two = (evaluate_corruptions(brightness_model, faces, labels, progress=reports.append) for _ in range(2))
    assert one.names == tuple(CORRUPTIONS)
    np.testing.assert_array_equal(one.answers, two.answers)
    assert reports[-1].done == reports[-1].total == 60 * 46


def test_what_is_refused(faces: Faces) -> None:
    for wrong in ({"labels": [0]}, {"labels": np.full(60, 7)}, {"labels": np.zeros(60, int), "names": ("fog",)}):
        with pytest.raises(ValueError, match=r"must be|must lie"):
            evaluate_corruptions(brightness_model, faces, **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="there is no 'fog'"):
        corrupt(faces, "fog", 1)
    with pytest.raises(ValueError, match="there is no 'blur' at severity 6"):
        corrupt(faces, "blur", 6)
    with pytest.raises(ValueError, match="keys must be"):
        corrupt(faces, "blur", 1, keys=[-1] * 60)
