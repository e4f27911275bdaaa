"""Following faces: numbers that stay, boxes that follow, faces that come and go."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fer_core.inference.detectors import Face
from fer_core.inference.stream.optical_flow import MedianFlow, small_grey
from fer_core.inference.stream.tracking import Tracker, TrackerSettings, match, overlaps

HEIGHT, WIDTH = 480, 640


def face(x: float, y: float, side: float = 100, landmarks: tuple[tuple[float, float], ...] | None = None) -> Face:
    return Face(round(x), round(y), round(side), round(side), 0.9, landmarks)


def numbers(tracker: Tracker) -> list[int]:
    return [track.number for track in tracker.shown]


def test_overlap_by_hand() -> None:
    a = np.array([[0, 0, 2, 2], [0, 0, 1, 1]], dtype=float)
    b = np.array([[1, 0, 2, 2], [5, 5, 1, 1], [0, 0, 2, 2]], dtype=float)
    np.testing.assert_allclose(overlaps(a, b), [[1 / 3, 0, 1], [0, 0, 1 / 4]])
    assert overlaps(np.empty((0, 4)), b).shape == (0, 3)


def test_best_pairs_first_and_each_once() -> None:
    tracks = np.array([[0, 0, 0.2, 0.2], [0.1, 0, 0.2, 0.2]])
    faces = np.array([[0.11, 0, 0.2, 0.2], [0.02, 0, 0.2, 0.2]])
    assert sorted(match(tracks, faces)) == [(0, 1), (1, 0)]
    # A small face that jumped by less than half its side is still the same; one of another size is not.
    assert match(np.array([[0, 0, 0.1, 0.1]]), np.array([[0.04, 0.025, 0.1, 0.1]]), least=0.9) == [(0, 0)]
    assert match(np.array([[0, 0, 0.1, 0.1]]), np.array([[0.0, 0.0, 0.02, 0.02]])) == []


def test_a_face_is_shown_from_its_second_detection() -> None:
    tracker = Tracker()
    tracker.update([face(100, 100)], HEIGHT, WIDTH, 0.0)
    assert numbers(tracker) == []
    assert tracker.waiting
    tracker.update([face(101, 100)], HEIGHT, WIDTH, 0.1)
    assert numbers(tracker) == [1]
    assert not tracker.waiting


def test_a_single_false_alarm_is_never_shown() -> None:
    tracker = Tracker()
    tracker.update([face(100, 100)], HEIGHT, WIDTH, 0.0)
    tracker.update([], HEIGHT, WIDTH, 0.1)
    tracker.update([face(100, 100)], HEIGHT, WIDTH, 0.2)
    assert numbers(tracker) == []


def test_numbers_stay_while_two_faces_move_and_a_third_comes() -> None:
    tracker = Tracker()
    for step in range(20):
        found = [face(20 + 12 * step, 100), face(500 - 12 * step, 300)]
        if step >= 10:
            found.insert(0, face(300, 20, 60))
        tracker.update(found[::-1] if step % 2 else found, HEIGHT, WIDTH, step * 0.1)
    boxes = {track.number: track.face(HEIGHT, WIDTH) for track in tracker.shown}
    assert sorted(boxes) == [1, 2, 3]
    ends = {(248, 100), (272, 300), (300, 20)}
    for box in boxes.values():
        assert any(abs(box.x - x) < 15 and abs(box.y - y) < 5 for x, y in ends)


def test_missed_for_a_moment_keeps_its_number_missed_for_long_gets_a_new_one() -> None:
    tracker = Tracker(TrackerSettings(hide_after=2, forget_s=1.0))
    for time_s in (0.0, 0.1):
        tracker.update([face(100, 100)], HEIGHT, WIDTH, time_s)
    for time_s in (0.2, 0.3):
        tracker.update([], HEIGHT, WIDTH, time_s)
        assert numbers(tracker) == [1]
    tracker.update([], HEIGHT, WIDTH, 0.4)
    assert numbers(tracker) == [], "hidden after the third miss"
    tracker.update([face(104, 100)], HEIGHT, WIDTH, 0.5)
    assert numbers(tracker) == [1], "found again within the second"
    tracker.update([], HEIGHT, WIDTH, 1.6)
    for time_s in (1.7, 1.8):
        tracker.update([face(100, 100)], HEIGHT, WIDTH, time_s)
    assert numbers(tracker) == [2]


def test_at_most_so_many_faces_the_largest() -> None:
    tracker = Tracker(TrackerSettings(max_faces=2, confirm=1))
    tracker.update([face(0, 0, 40), face(100, 100, 90), face(300, 300, 80)], HEIGHT, WIDTH, 0.0)
    assert sorted(track.face(HEIGHT, WIDTH).width for track in tracker.shown) == [80, 90]
    # When one goes and is hidden, its place is free.
    for step in range(1, 6):
        tracker.update([face(0, 0, 40), face(300, 300, 80)], HEIGHT, WIDTH, step * 0.1)
    assert sorted(track.face(HEIGHT, WIDTH).width for track in tracker.shown) == [40, 80]


def test_jitter_is_smoothed_and_real_movement_followed() -> None:
    rng = np.random.default_rng(0)
    tracker = Tracker(TrackerSettings(box_s=0.3))
    seen = []
    for step in range(60):
        x = 200 + rng.normal(0, 4)
        tracker.update([face(x, 100)], HEIGHT, WIDTH, step * 0.1)
        seen.append(tracker.tracks[0].box[0] * WIDTH)
    assert np.std(seen[20:]) < 2.5
    tracker.update([face(235, 100)], HEIGHT, WIDTH, 6.0)
    assert tracker.tracks[0].box[0] * WIDTH == pytest.approx(235, abs=1)


def test_boxes_hold_when_the_frame_changes_size() -> None:
    tracker = Tracker()
    points = ((130.0, 130.0), (170.0, 130.0), (150.0, 150.0), (135.0, 175.0), (165.0, 175.0))
    for time_s in (0.0, 0.1):
        tracker.update([face(100, 100, 100, points)], HEIGHT, WIDTH, time_s)
    halved = tracker.shown[0].face(HEIGHT // 2, WIDTH // 2)
    assert (halved.x, halved.y, halved.width, halved.height) == (50, 50, 50, 50)
    assert halved.landmarks is not None
    assert halved.landmarks[1] == pytest.approx((85, 65))
    tracker.update([face(50, 50, 50)], HEIGHT // 2, WIDTH // 2, 0.2)
    assert numbers(tracker) == [1]


def test_moved_boxes_take_their_landmarks_along_and_hide_outside() -> None:
    tracker = Tracker(TrackerSettings(confirm=1))
    tracker.update([face(100, 100, 100, ((120.0, 140.0),) * 5)], HEIGHT, WIDTH, 0.0)
    box = tracker.boxes()[0]
    tracker.move(np.array([[box[0] + 0.1, box[1], box[2] * 2, box[3] * 2]]))
    moved = tracker.shown[0].face(HEIGHT, WIDTH)
    assert moved.landmarks is not None
    assert moved.landmarks[0] == pytest.approx((100 + 64 + 40, 100 + 80))
    tracker.move(np.array([[0.95, 0.2, 0.2, 0.2]]))
    assert numbers(tracker) == []


def test_faces_outside_the_frame_are_not_taken() -> None:
    tracker = Tracker(TrackerSettings(confirm=1))
    tracker.update([face(-80, 100), face(600, 100), face(10, 10)], HEIGHT, WIDTH, 0.0)
    assert [track.face(HEIGHT, WIDTH).x for track in tracker.shown] == [10]


@pytest.mark.parametrize("wrong", [{"max_faces": 0}, {"confirm": 0}, {"forget_s": -1.0}, {"box_s": -0.1}])
def test_settings_are_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        TrackerSettings(**wrong)  # type: ignore[arg-type]


def scene(x: float, y: float, side: float) -> np.ndarray:
    """A textured square on a textured ground: uint8 (480, 640, 3)."""
    rng = np.random.default_rng(1)
    ground = cv2.GaussianBlur(rng.integers(60, 120, (HEIGHT, WIDTH), dtype=np.uint8), (0, 0), 3)
    thing = cv2.resize(rng.integers(0, 256, (12, 12), dtype=np.uint8), (200, 200), interpolation=cv2.INTER_CUBIC)
    matrix = np.array([[side / 200, 0, x], [0, side / 200, y]])
    grey = cv2.warpAffine(thing, matrix, (WIDTH, HEIGHT), dst=ground, borderMode=cv2.BORDER_TRANSPARENT)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)


def test_flow_follows_what_moves_and_grows() -> None:
    median_flow = MedianFlow()
    boxes = np.array([[200 / WIDTH, 150 / HEIGHT, 150 / WIDTH, 150 / HEIGHT]])
    median_flow.step(scene(200, 150, 150), boxes)
    for step in range(1, 11):
        x, y, side = 200 + 9 * step, 150 - 4 * step, 150 + 3 * step
        boxes, followed = median_flow.step(scene(x, y, side), boxes)
        assert followed.all()
    assert boxes[0] * (WIDTH, HEIGHT, WIDTH, HEIGHT) == pytest.approx((290, 110, 180, 180), abs=8)


def test_flow_leaves_alone_what_it_cannot_follow() -> None:
    median_flow = MedianFlow()
    boxes = np.array([[0.3, 0.3, 0.2, 0.2]])
    _first, followed = median_flow.step(scene(200, 150, 150), boxes)
    assert not followed.any(), "no frame before it"
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    same, followed = median_flow.step(noise, boxes)
    assert not followed.any(), "nothing in common with the last frame"
    np.testing.assert_array_equal(same, boxes)
    _, followed = median_flow.step(noise[:, :300], boxes)
    assert not followed.any(), "another shape"
    none, followed = median_flow.step(noise, np.empty((0, 4)))
    assert none.shape == (0, 4)
    assert followed.shape == (0,)


def test_small_copies_are_small() -> None:
    assert small_grey(np.zeros((480, 640, 3), np.uint8)).shape == (180, 240)
    assert small_grey(np.zeros((100, 80, 3), np.uint8)).shape == (100, 80)
