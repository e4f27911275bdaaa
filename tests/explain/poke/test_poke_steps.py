"""Changing a face, links of the changes, and the smallest patch that flips an answer."""

from __future__ import annotations

import doctest
import json
import string

import numpy as np
import pytest

from fer_core.data.sample import new_face
from fer_core.errors import ExplainError
from fer_core.explain.base import Faces
from fer_core.explain.poke import links
from fer_core.explain.poke.links import MOST_STEPS, from_json, from_text, to_json, to_text
from fer_core.explain.poke.smallest_patch import smallest_flip
from fer_core.explain.poke.steps import (
    KINDS,
    Blur,
    Box,
    Brightness,
    Brush,
    Contrast,
    Mirror,
    Muscle,
    Noise,
    Rotate,
    Shift,
    Step,
    apply,
    apply_drawn,
    undo,
)

EVERY: tuple[Step, ...] = (
    Brightness(-30.5),
    Contrast(1.5),
    Blur(0.75),
    Noise(12, 3),
    Rotate(-12.25),
    Shift(3, -2.5),
    Mirror(),
    Box(10, 30, 38, 44, 127),
    Brush(0, 3, ((10, 20), (12, 24), (-1, 47))),
    Muscle(12, 0.35),
)


@pytest.fixture
def face() -> Faces:
    return np.random.default_rng(0).integers(20, 200, (48, 48), dtype=np.uint8)


def test_links_and_json_bring_back_the_same_steps() -> None:
    assert {step.name for step in EVERY} == set(KINDS)
    text = to_text(EVERY)
    assert from_text(text) == EVERY
    assert set(text) <= set(string.ascii_letters + string.digits + "-._~")
    assert from_json(json.loads(json.dumps(to_json(EVERY)))) == EVERY
    assert to_text(()) == ""
    assert from_text("") == ()


def test_the_example_in_the_documentation() -> None:
    names = {"Brightness": Brightness, "Rotate": Rotate, "Box": Box}
    assert doctest.testmod(links, extraglobs=names) == (0, 3)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-7, 254.99999999, -12.5])
def test_numbers_survive_exactly(value: float) -> None:
    assert from_text(to_text((Brightness(value),))) == (Brightness(value),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("laugh_3", "there is no step 'laugh'"),
        ("rotate", "rotate takes 1 values (degrees), not 0"),
        ("rotate_999", "must lie in -180..180"),
        ("rotate_nan", "not a finite number"),
        ("rotate_inf", "not a finite number"),
        ("rotate_x", "not a finite number"),
        ("rotate_١٢", "not a finite number"),
        ("rotate_ 12\n", "not a finite number"),
        ("rotate_" + "9" * 5000, "not a finite number"),
        ("box_10_10_10_20_0", "must have an inside"),
        ("box_1.5_10_12_20_0", "whole number"),
        ("brush_0_3_1.2.3", "pairs of whole numbers"),
        ("brush_0_3_" + "9" * 5000 + ".1", "pairs of whole numbers"),
        ("brush_0_3_999.2", "far outside"),
        ("muscle_3_1", "no face has a unit AU3"),
        ("muscle_12_2", "intensity of muscle must lie in 0..1"),
        ("mirror~", "there is no step ''"),
        ("laugh" * 1000, "there is no step 'laugh"),
        ("~".join(["mirror"] * (MOST_STEPS + 1)), "at most 60 changes"),
    ],
)
def test_broken_links_are_told_to_people(text: str, words: str) -> None:
    with pytest.raises(ExplainError) as caught:
        from_text(text)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 400


def test_broken_json_and_too_long_links() -> None:
    with pytest.raises(ExplainError, match="is not a change to a face"):
        from_json([{"step": "rotate", "angle": 3}])
    with pytest.raises(ExplainError, match="there is no such step"):
        from_json([{"degrees": 3}])
    for broken in ({"step": "noise", "strength": 1, "seed": float("inf")}, {"step": "brush", "points": [[1e400, 1]]}):
        with pytest.raises(ExplainError, match="is not a change to a face"):
            from_json([broken | ({"grey": 0, "width": 1} if "points" in broken else {})])
    with pytest.raises(ExplainError, match="paint with fewer strokes"):
        to_text((Brush(0, 1, ((10, 10),) * 2000),))


def test_each_step_does_what_it_says(face: Faces) -> None:
    np.testing.assert_array_equal(apply(face, ()), face)
    np.testing.assert_array_equal(apply(face, (Brightness(10),)), face + 10)
    np.testing.assert_array_equal(apply(face, (Mirror(),)), face[:, ::-1])
    np.testing.assert_array_equal(apply(face, (Shift(3, 0),))[:, 3:], face[:, :-3])
    np.testing.assert_array_equal(apply(face, (Shift(0, -2),))[:-2], face[2:])
    np.testing.assert_array_equal(apply(face, (Rotate(90),)), np.rot90(face, -1))
    np.testing.assert_array_equal(apply(face, (Rotate(180),)), face[::-1, ::-1])
    assert apply(face, (Contrast(0),)).std() == 0
    assert apply(face, (Contrast(0.5),)).std() == pytest.approx(face.std() / 2, rel=0.01)
    assert apply(face, (Blur(3),)).std() < 0.3 * face.std()
    np.testing.assert_array_equal(apply(face, (Blur(0), Noise(0, 1))), face)
    noise = apply(face, (Noise(10, 1),)).astype(int) - face
    assert noise.std() == pytest.approx(10, rel=0.1)
    np.testing.assert_array_equal(apply(face, (Noise(10, 1),)), apply(face, (Noise(10, 1),)))
    assert (apply(face, (Noise(10, 2),)) != apply(face, (Noise(10, 1),))).any()


def test_painting_changes_what_is_painted_and_nothing_else(face: Faces) -> None:
    boxed = apply(face, (Box(10, 30, 38, 44, 7),))
    assert (boxed[30:44, 10:38] == 7).all()
    assert (boxed != face).sum() == 14 * 28
    dot = apply(face, (Brush(255, 1, ((5, 6),)),))
    assert (np.argwhere(dot != face) == [[6, 5]]).all()
    stroke = apply(face, (Brush(255, 3, ((5, 6), (25, 6), (25, 30))),)) == 255
    assert stroke[5:8, 5:25].all()
    assert stroke[6:30, 24:27].all()
    assert 20 * 3 + 24 * 3 <= stroke.sum() <= 24 * 3 + 27 * 3


def test_order_counts_and_undo_drops_the_last(face: Faces) -> None:
    box, mirror = Box(0, 0, 10, 10, 0), Mirror()
    assert (apply(face, (box, mirror)) != apply(face, (mirror, box))).any()
    assert undo((box, mirror)) == (box,)
    assert undo(()) == ()
    # A step works on the picture before it, in which light has been lost for good.
    assert (apply(face, (Brightness(200), Brightness(-200))) != face).any()


def test_muscles_move_before_everything_else_and_on_drawn_faces_alone(face: Faces) -> None:
    drawn = new_face(5)
    box = Box(0, 0, 48, 10, 3)
    image, parts = apply_drawn(drawn, (Muscle(27, 0.4), box, Muscle(27, 1)))
    open_mouth, regions = drawn.draw({"AU27": 1})
    np.testing.assert_array_equal(image, apply(open_mouth, (box,)))
    assert parts["mouth"] == tuple(regions["mouth"])
    assert (image[10:] != apply_drawn(drawn, (box,))[0][10:]).any()
    with pytest.raises(ValueError, match="only drawn faces"):
        apply(face, (Muscle(27, 1),))


def only_nine(images: Faces) -> np.ndarray:
    """Class 3 while the pixels at rows 20 to 24, columns 30 to 34 are mostly white, else class 5."""
    white = (images[:, 20:25, 30:35] == 255).mean(axis=(1, 2))
    return np.stack([*[np.zeros(len(images))] * 3, white, np.zeros(len(images)), 1 - white, 0 * white], axis=1)


def test_the_smallest_patch_is_found() -> None:
    white = np.full((48, 48), 255, dtype=np.uint8)
    flip = smallest_flip(only_nine, white, fill=0)
    assert flip is not None
    # Four pixels square cover 16 of 25: enough, and nothing smaller is tried.
    x0, y0, x1, y1 = flip.box
    assert (x1 - x0, y1 - y0) == (4, 4)
    assert x0 in (30, 31)
    assert y0 in (20, 21)
    assert (flip.before, flip.after) == (3, 5)
    assert flip.probabilities[5] == np.float32(16 / 25)
    assert flip.untouched[3] == 1
    assert flip.tried == 23 * 23
    assert flip.share == pytest.approx(16 / 2304)
    np.testing.assert_array_equal(apply(white, (flip.step,)), flip.face)
    np.testing.assert_array_equal(only_nine(flip.face[None])[0].astype(np.float32), flip.probabilities)


def test_no_patch_flips_an_answer_that_never_changes(face: Faces) -> None:
    def stubborn(images: Faces) -> np.ndarray:
        return np.eye(7)[np.full(len(images), 6)]

    assert smallest_flip(stubborn, face, sizes=(8, 16)) is None
    with pytest.raises(ValueError, match="sizes must be"):
        smallest_flip(stubborn, face, sizes=(8, 60))
