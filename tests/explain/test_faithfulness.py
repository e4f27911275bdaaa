"""Deletion and insertion on models whose curves can be worked out by hand, and the verdicts that follow."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import stats

from fer_core.explain import trust
from fer_core.explain.base import BLUR_SIGMA, Faces, blurred
from fer_core.explain.baselines import centre_map, edge_map, random_maps
from fer_core.explain.faithfulness import CENTRE, EDGES, Curves, Faithfulness, deletion_insertion_curves, measure_maps
from fer_core.progress import Progress

BOX = (slice(0, 24), slice(0, 48))
"""The upper half: all that :func:`half_model` looks at."""


def upper_half_model(images: Faces) -> np.ndarray:
    """Class 0: the share of BOX that is white. Class 1: the rest up to 1."""
    result = np.zeros((len(images), 7), dtype=np.float32)
    result[:, 0] = (images[:, *BOX] == 255).mean(axis=(1, 2))
    result[:, 1] = 1 - result[:, 0]
    return result


@pytest.fixture
def face() -> Faces:
    return np.full((48, 48), 255, dtype=np.uint8)


def upper_first() -> np.ndarray:
    return np.linspace(1, 0, 48)[:, None].repeat(48, axis=1)


def test_curves_that_can_be_worked_out(face: Faces) -> None:
    maps = np.stack([upper_first(), upper_first()[::-1]])[None]
    traced = deletion_insertion_curves(upper_half_model, face[None], maps, steps=4, deletion_fill=0, insertion_fill=0)
    np.testing.assert_array_equal(traced.fractions, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(traced.deletion[0, 0, :, 0], [1, 0.5, 0, 0, 0])
    np.testing.assert_allclose(traced.deletion[0, 1, :, 0], [1, 1, 1, 0.5, 0])
    np.testing.assert_allclose(traced.insertion[0, 0, :, 0], [0, 0.5, 1, 1, 1])
    np.testing.assert_allclose(traced.insertion[0, 1, :, 0], [0, 0, 0, 0.5, 1])
    deleted, inserted = traced.areas
    assert deleted.shape == inserted.shape == (1, 2, 7)
    np.testing.assert_allclose(deleted[0, :, 0], [0.25, 0.75])
    np.testing.assert_allclose(inserted[0, :, 0], [0.75, 0.25])
    np.testing.assert_allclose(deleted[0, :, 1], [0.75, 0.25])


def test_one_call_for_many_maps_gives_what_one_map_gives_alone() -> None:
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (3, 48, 48), dtype=np.uint8)
    maps = rng.random((3, 2, 6, 6))
    weights = rng.normal(0, 1e-3, (2304, 7))

    def linear(images: Faces) -> np.ndarray:
        scores = np.exp(images.reshape(-1, 2304) @ weights / 20)
        return scores / scores.sum(axis=1, keepdims=True)

    together = deletion_insertion_curves(linear, faces, maps)
    for row in range(3):
        for number in range(2):
            alone = deletion_insertion_curves(linear, faces[row : row + 1], maps[row : row + 1, number : number + 1])
            np.testing.assert_allclose(together.deletion[row, number], alone.deletion[0, 0], atol=1e-6)
            np.testing.assert_allclose(together.insertion[row, number], alone.insertion[0, 0], atol=1e-6)


def test_the_ends_are_the_face_the_grey_and_the_blur() -> None:
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (1, 48, 48), dtype=np.uint8)

    def first_pixel(images: Faces) -> np.ndarray:
        return np.tile(images[:, 0, 0, None] / 255, (1, 7))

    traced = deletion_insertion_curves(first_pixel, faces, np.ones((1, 1, 1, 1)), steps=2)
    assert traced.deletion[0, 0, 0, 0] == traced.insertion[0, 0, -1, 0] == np.float32(faces[0, 0, 0] / 255)
    assert traced.deletion[0, 0, -1, 0] == np.float32(round(faces.mean()) / 255)
    assert traced.insertion[0, 0, 0, 0] == np.float32(np.rint(blurred(faces[0], BLUR_SIGMA)[0, 0]) / 255)


def test_the_number_of_predictions_is_as_promised(face: Faces) -> None:
    asked: list[int] = []
    reports: list[Progress] = []

    def counting(images: Faces) -> np.ndarray:
        asked.append(len(images))
        return upper_half_model(images)

    measure_maps(counting, face[None], {"cam": upper_first()[None]}, progress=reports.append)
    assert sum(asked) == 3 + 2 * 12 * 11 == 267
    assert len(asked) == 1
    assert reports[-1].done == reports[-1].total == 267


def test_equal_pixels_are_taken_in_a_seeded_order(face: Faces) -> None:
    flat = np.zeros((1, 1, 48, 48))
    one, same, other = (
        deletion_insertion_curves(upper_half_model, face[None], flat, deletion_fill=0, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.deletion, same.deletion)
    assert (one.deletion != other.deletion).any()
    # Taken from top to bottom it would be a good map.
    assert one.areas[0][0, 0, 0] > 0.3


def test_a_right_map_is_trusted_and_a_wrong_one_is_not(face: Faces) -> None:
    maps = {"right": upper_first()[None], "wrong": upper_first()[None, ::-1]}
    tested = measure_maps(upper_half_model, face[None], maps, deletion_fill=0, insertion_fill=0)
    right, wrong = (trust.judge(tested, name, 0) for name in maps)
    assert right.verdict == "trust"
    assert right.deletion.area == pytest.approx(0.25)
    assert right.deletion.area < right.deletion.low < right.deletion.random < right.deletion.high
    assert right.sentences == (trust.SENTENCES[True, True],)
    assert wrong.verdict == "no"
    assert wrong.deletion.worse
    assert wrong.insertion.worse
    assert wrong.sentences == (trust.WORSE,)


def test_a_random_map_is_rarely_trusted() -> None:
    rng = np.random.default_rng(7)
    faces = np.full((120, 48, 48), 255, dtype=np.uint8)
    guesses = rng.random((120, 6, 6))
    tested = measure_maps(upper_half_model, faces, {"guess": guesses}, steps=6, deletion_fill=0, insertion_fill=0)
    better = [trust.judge(tested, "guess", 0, face=row).deletion.better for row in range(120)]
    assert 0 <= np.mean(better) < 0.12  # 5 % by the rule
    summary = trust.summarise(tested, "guess", 0)
    assert summary.verdict == "no"
    assert summary.sentences[0] in (trust.SENTENCES[False, False], trust.LUCK)
    assert summary.rows[0].deletion.low < 0 < summary.rows[0].deletion.high


@pytest.mark.parametrize(
    ("area", "verdict", "sentence"),
    [
        (0.1, "care", trust.SENTENCES[True, False]),
        (0.45, "no", trust.LUCK),
        (0.55, "no", trust.SENTENCES[False, False]),
        (0.9, "no", trust.WORSE),
    ],
)
def test_each_verdict_has_its_sentence(area: float, verdict: str, sentence: str) -> None:
    """Flat deletion curves made by hand: the map's, then 0.4 to 0.6 by chance; insertion never tells."""
    areas = np.array([area, 0.9, 0.9, 0.4, 0.45, 0.5, 0.55, 0.6])
    deletion = np.repeat(areas[:, None], 3, axis=1)[None, :, :, None].repeat(7, axis=3).astype(np.float32)
    flat = np.full_like(deletion, 0.5)
    tested = Faithfulness(("cam",), 5, Curves(np.array([0, 0.5, 1]), deletion, flat))
    np.testing.assert_allclose(tested.areas("cam", 0)[0], [area], atol=1e-6)
    judged = trust.judge(tested, "cam", 0)
    assert (judged.verdict, judged.sentences[0]) == (verdict, sentence)


def test_many_faces_find_a_small_advantage(face: Faces) -> None:
    rng = np.random.default_rng(3)
    faces = np.full((80, 48, 48), 255, dtype=np.uint8)
    hints = rng.random((80, 6, 6))
    hints[:, :3] += 0.3
    tested = measure_maps(upper_half_model, faces, {"hint": hints}, steps=6, deletion_fill=0, insertion_fill=0)
    summary = trust.summarise(tested, "hint", np.zeros(80, dtype=int))
    assert summary.verdict == "trust"
    assert summary.n == 80
    assert [row.baseline for row in summary.rows] == [trust.RANDOM, CENTRE, EDGES]
    row = summary.rows[0]
    assert row.deletion.value == pytest.approx(row.map_deletion - row.baseline_deletion)
    assert row.deletion.low < row.deletion.value < row.deletion.high < 0
    assert row.better == (True, True)


def test_a_blob_that_does_as_well_is_told() -> None:
    """The model looks at the middle only, so the centre blob is the perfect map."""
    faces = np.full((1, 48, 48), 255, dtype=np.uint8)

    def middle_model(images: Faces) -> np.ndarray:
        share = (images[:, 16:32, 16:32] == 255).mean(axis=(1, 2))
        return np.stack([share, 1 - share, *[np.zeros(len(images))] * 5], axis=1)

    shifted = np.roll(centre_map(), 3, axis=0)[None]
    tested = measure_maps(middle_model, faces, {"near": shifted}, deletion_fill=0, insertion_fill=0)
    judged = trust.judge(tested, "near", 0)
    assert judged.verdict == "trust"
    assert "a round blob in the middle" in judged.sentences[1]


def test_a_class_the_model_does_not_see_cannot_be_tested(face: Faces) -> None:
    tested = measure_maps(upper_half_model, face[None], {"cam": upper_first()[None]})
    judged = trust.judge(tested, "cam", 5)
    assert judged.verdict == "untestable"
    assert "only 0.0 %" in judged.sentences[0]
    assert "surprise" in judged.sentences[0]
    summary = trust.summarise(tested, "cam", 5)
    assert (summary.verdict, summary.n, summary.untestable) == ("untestable", 0, 1)


def test_student_and_bootstrap_against_scipy() -> None:
    for freedom in (4, 5, 8, 18, 100):
        assert trust.student_t95(freedom) == pytest.approx(stats.t.ppf(0.95, freedom), rel=2e-3)
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, 200), rng.normal(0.2, 1, 200)
    ours = trust.mean_difference(a, b, resamples=5000)
    theirs = stats.bootstrap((b - a,), np.mean, n_resamples=5000, method="percentile", rng=1).confidence_interval
    assert ours.value == pytest.approx((b - a).mean())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)


def test_baselines() -> None:
    some = random_maps(4, grid=(3, 5), seed=2)
    assert some.shape == (4, 48, 48)
    np.testing.assert_array_equal(some, random_maps(4, grid=(3, 5), seed=2))
    assert (some != random_maps(4, grid=(3, 5), seed=3)).any()
    centre = centre_map()
    np.testing.assert_allclose(centre, centre[::-1, ::-1])
    assert centre.argmax() in (23 * 48 + 23, 23 * 48 + 24, 24 * 48 + 23, 24 * 48 + 24)
    step = np.zeros((48, 48), np.uint8)
    step[:, 24:] = 200
    edges = edge_map(step)
    assert (edges[:, 23:25] > 0).all()
    assert (np.delete(edges, [23, 24], axis=1) == 0).all()
    np.testing.assert_allclose(edges[5, 23], cv2.Sobel(step, cv2.CV_64F, 1, 0)[5, 23])


def test_what_is_refused(face: Faces) -> None:
    with pytest.raises(ValueError, match="maps must be"):
        deletion_insertion_curves(upper_half_model, face[None], np.zeros((2, 1, 6, 6)))
    with pytest.raises(ValueError, match="finite"):
        deletion_insertion_curves(upper_half_model, face[None], np.full((1, 1, 6, 6), np.nan))
    with pytest.raises(ValueError, match="orders must be 5"):
        measure_maps(upper_half_model, face[None], {"cam": np.zeros((1, 6, 6))}, orders=4)
    with pytest.raises(ValueError, match="a name other than"):
        measure_maps(upper_half_model, face[None], {CENTRE: np.zeros((1, 6, 6))})
    with pytest.raises(ValueError, match=r"the maps called cam must be \(1, h, w\)"):
        measure_maps(upper_half_model, face[None], {"cam": np.zeros((6, 6))})
    tested = measure_maps(upper_half_model, face[None], {"cam": np.zeros((1, 6, 6))}, steps=2)
    with pytest.raises(KeyError, match="there is no map called 'lime'"):
        tested.areas("lime", 0)
