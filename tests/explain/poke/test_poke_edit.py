"""What sliders, boxes and strokes do to the steps, undo and redo, and the words for all of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fer_core.data.sample import new_face
from fer_core.errors import ExplainError
from fer_core.explain.poke.description import answer_words, changes_mind, step_words
from fer_core.explain.poke.edit import (
    MOST_POINTS,
    box_between,
    boxes,
    found,
    is_idle,
    placed_box,
    removed,
    replaced,
    set_muscles,
    set_step,
    stroke,
    thinned,
    toggle_mirror,
)
from fer_core.explain.poke.history import LONGEST, History
from fer_core.explain.poke.links import MOST_STEPS, from_text, to_text
from fer_core.explain.poke.steps import KINDS, Blur, Box, Brightness, Brush, Mirror, Muscle, Rotate, Shift, Step, apply

BOX = Box(10, 30, 38, 44, 127)


def test_a_slider_changes_its_step_where_it_stands() -> None:
    steps: tuple[Step, ...] = set_step((), Brightness(30))
    steps = (*steps, BOX)
    steps = set_step(steps, Brightness(50))
    assert steps == (Brightness(50), BOX)
    steps = set_step(steps, Rotate(4))
    assert steps == (Brightness(50), BOX, Rotate(4))
    assert set_step(steps, Brightness(0)) == (BOX, Rotate(4))
    assert set_step((), Shift(0, 0)) == ()
    assert found(steps, Rotate) == Rotate(4)
    assert found(steps, Blur) is None


def test_muscles_have_a_step_for_each_unit_that_is_not_as_in_the_face() -> None:
    own = {"AU1": 0.0, "AU12": 0.4, "AU27": 0.0}
    steps = set_muscles((BOX,), {"AU12": 0.8}, own)
    steps = set_muscles(steps, {"AU1": 0.2}, own)
    steps = set_muscles(steps, {"AU12": 0.9}, own)
    assert steps == (BOX, Muscle(12, 0.9), Muscle(1, 0.2))
    assert set_muscles(steps, {"AU12": 0.4}, own) == (BOX, Muscle(1, 0.2))
    # At rest is a change to a face that smiles.
    assert set_muscles((), own | {"AU12": 0.0}, own) == (Muscle(12, 0),)


def test_mirroring_twice_is_not_mirroring() -> None:
    assert toggle_mirror(toggle_mirror((BOX,))) == (BOX,)
    assert toggle_mirror((BOX,)) == (BOX, Mirror())


@pytest.mark.parametrize("text", ["brightness_0", "contrast_1", "blur_0", "noise_0_4", "rotate_0", "shift_0_0"])
def test_idle_steps_leave_a_face_as_it_is(text: str) -> None:
    face = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    (step,) = from_text(text)
    assert is_idle(step)
    np.testing.assert_array_equal(apply(face, (step,)), face)


@pytest.mark.parametrize("step", [Brightness(1), Mirror(), BOX, Shift(0, 1), Muscle(12, 0)])
def test_other_steps_are_not_idle(step: Step) -> None:
    assert not is_idle(step)


def test_boxes_are_found_changed_and_taken_away() -> None:
    steps = (Mirror(), BOX, Rotate(3), BOX)
    assert boxes(steps) == {1: BOX, 3: BOX}
    other = Box(0, 0, 4, 4, 0)
    assert replaced(steps, 1, other) == (Mirror(), other, Rotate(3), BOX)
    assert removed(steps, 3) == (Mirror(), BOX, Rotate(3))
    for at in (-1, 4):
        with pytest.raises(IndexError):
            replaced(steps, at, other)
        with pytest.raises(IndexError):
            removed(steps, at)


def test_boxes_stay_inside_the_picture() -> None:
    assert placed_box(40, -5, 20, 10, 9) == Box(28, 0, 48, 10, 9)
    assert placed_box(3, 4, 99, 0, 9) == Box(0, 4, 48, 5, 9)
    assert box_between((20, 30), (10, 12), 5) == Box(10, 12, 21, 31, 5)
    assert box_between((7, 7), (7, 7), 5) == Box(7, 7, 8, 8, 5)
    assert box_between((-9, 40), (60, 70), 5) == Box(0, 40, 48, 48, 5)


def test_a_thinned_stroke_paints_nearly_the_same_with_few_points() -> None:
    ring = [
        (round(24 + 15 * math.cos(angle)), round(24 + 15 * math.sin(angle))) for angle in np.linspace(0, 2 * np.pi, 300)
    ]
    whole, thin = Brush(255, 3, tuple(ring)), stroke(ring, 255, 3)
    assert len(thin.points) < 40
    black = np.zeros((48, 48), dtype=np.uint8)
    painted, again = apply(black, (whole,)) > 0, apply(black, (thin,)) > 0
    assert (painted != again).sum() < 0.2 * painted.sum()
    assert thinned([(0, 0), (1, 0), (2, 0), (9, 0)], 0.5) == [(0, 0), (9, 0)]
    assert thinned([(3, 3), (3, 3)], 0.5) == [(3, 3)]
    assert stroke([(3, 3)], 0, 2).points == ((3, 3),)


def test_scribbles_of_any_length_fit_into_links() -> None:
    points = [tuple(map(int, pair)) for pair in np.random.default_rng(1).integers(-90, 190, (500, 2))]
    scribble = stroke(points, 0, 4)  # type: ignore[arg-type]
    assert len(scribble.points) <= MOST_POINTS
    assert from_text(to_text((scribble,))) == (scribble,)
    with pytest.raises(ValueError, match="one point or more"):
        stroke([], 0, 4)


def test_undo_and_redo_walk_the_states() -> None:
    history = History().push((BOX,)).push((BOX, Mirror()))
    assert history.text == to_text((BOX, Mirror()))
    back = history.undo()
    assert back.text == to_text((BOX,))
    assert back.can_redo
    assert back.redo() == history
    assert back.undo().undo().text == ""
    assert not back.undo().can_undo
    assert not history.can_redo
    # A new change forgets what was undone.
    assert not back.push((BOX, Rotate(3))).can_redo
    assert history.push((BOX, Mirror())) is history


def test_a_slider_that_moves_on_is_one_state() -> None:
    history = History().push((BOX,))
    for amount in range(1, 200):
        history = history.push((BOX, Brightness(amount)), "brightness")
    assert len(history.texts) == 3
    assert history.undo().text == to_text((BOX,))
    history = history.push((BOX, Brightness(199), Mirror())).push((BOX, Brightness(7), Mirror()), "brightness")
    assert len(history.texts) == 5
    # Back where it was: nothing to undo.
    back = history.push((BOX, Brightness(199), Mirror()), "brightness")
    assert len(back.texts) == 4
    # After an undo the same slider makes a state of its own.
    undone = History().push((Brightness(3),), "brightness").push((Brightness(3), Rotate(1)), "rotate").undo()
    assert undone.push((Brightness(9),), "brightness").undo().text == "brightness_3"


def test_histories_of_links_and_of_the_back_button() -> None:
    text = to_text((BOX, Mirror()))
    history = History().arrived(text)
    assert history == History.from_link(text)
    assert [history.undo().text, history.undo().undo().text] == [to_text((BOX,)), ""]
    more = history.push((BOX, Mirror(), Rotate(3)))
    assert more.arrived(text) == more.undo()
    assert more.arrived("").can_redo
    assert more.arrived("mirror").texts == ("", "mirror")
    # A link that says 3.0 is not rewritten.
    assert History.from_link("rotate_3.0").text == "rotate_3.0"
    with pytest.raises(ExplainError):
        history.arrived("laugh_3")


def test_a_history_forgets_its_beginning_and_links_have_a_limit() -> None:
    history = History()
    for turn in range(LONGEST + 10):
        history = history.push((Rotate(turn % 180 + 1),))
    assert len(history.texts) == LONGEST
    full = (Mirror(),) * MOST_STEPS
    with pytest.raises(ExplainError, match="at most 60 changes"):
        History().push((*full, Mirror()))


def test_every_kind_of_step_has_words() -> None:
    texts = (
        "brightness_-30~contrast_1.5~blur_2~noise_12_3~rotate_-10~shift_0_2~mirror~box_10_30_38_44_0~"
        "brush_255_1_3.4~muscle_12_0.35"
    )
    steps = from_text(texts)
    assert {step.name for step in steps} == set(KINDS)
    words = [step_words(step) for step in steps]
    assert words == [
        "brightness −30 grey levels",
        "contrast times 1.5",
        "blur of 2 pixels",
        "noise of 12 grey levels, number 3",
        "turned by 10° anticlockwise",
        "moved by 0 pixels to the right and +2 down",
        "mirrored",
        "box 28×14 pixels at 10 across, 30 down, painted black",
        "stroke 1 pixel wide through 1 point, white",
        "lip corners up (AU12) at 35 %",
    ]


def test_answers_before_and_after_in_words() -> None:
    before = np.array([0.1, 0, 0.61, 0.09, 0.1, 0.1, 0])
    after = np.array([0.1, 0, 0.22, 0.05, 0.1, 0.48, 0.05])
    assert changes_mind(before, after)
    assert answer_words("resnet50", before, after) == "resnet50 changes its mind: fear 61 % → surprise 48 %"
    assert answer_words("net", before, before + 1e-4) == "net stays with fear, 61 %"
    assert answer_words("net", after, after * 0.9) == "net stays with surprise: 48 % → 43 %"
    assert not changes_mind(after, after * 0.9)
    with pytest.raises(ValueError, match="7 probabilities"):
        answer_words("net", before[:3], after)


def test_a_new_face_can_smile_by_a_link() -> None:
    (step,) = from_text("muscle_12_0.5")
    assert set_muscles((), {"AU12": 0.5}, new_face(0).units) == (step,)
