"""Cutting faces out: by which length, how far down, and with the eyes level."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from fer_core.inference.detectors import Face
from fer_core.inference.face_crop import CROP_RULE, CropRule, cut, square_of

EYES_AND_MOUTH = ((40.0, 60.0), (80.0, 60.0), (60.0, 80.0), (45.0, 100.0), (75.0, 100.0))
TALL = Face(20, 10, 80, 125, 0.9, EYES_AND_MOUTH)


@pytest.mark.parametrize(
    ("reference", "side", "middle"),
    [
        ("longer", 125, (60, 72.5)),
        ("height", 125, (60, 72.5)),
        ("width", 80, (60, 72.5)),
        ("mean", 100, (60, 72.5)),
        ("eyes", 40, (60, 60)),
    ],
)
def test_references(reference: str, side: float, middle: tuple[float, float]) -> None:
    x, y, length, tilt = square_of(TALL, CropRule(2.0, reference, 0.1))  # type: ignore[arg-type]
    assert length == pytest.approx(2 * side)
    assert (x, y) == pytest.approx((middle[0], middle[1] + 0.2 * side))
    assert tilt == 0


def tilted(degrees: float) -> tuple[np.ndarray, Face]:
    """A picture with two dark eyes and a bright mouth, turned about its middle, and the face in it."""
    picture = np.full((300, 300), 120, np.uint8)
    for x in (120, 180):
        cv2.circle(picture, (x, 130), 12, 0, -1)
    cv2.rectangle(picture, (130, 185), (170, 197), 255, -1)
    matrix = cv2.getRotationMatrix2D((150, 150), -degrees, 1)
    turned = cv2.warpAffine(picture, matrix, (300, 300), borderMode=cv2.BORDER_REPLICATE)
    points = np.array([(120, 130), (180, 130), (150, 160), (130, 191), (170, 191)]) @ matrix[:, :2].T + matrix[:, 2]
    face = Face(80, 80, 140, 140, 0.9, tuple((float(x), float(y)) for x, y in points))
    return cv2.cvtColor(turned, cv2.COLOR_GRAY2BGR), face


@pytest.mark.parametrize("degrees", [-30, 8, 25])
def test_levelled_faces_look_alike(degrees: float) -> None:
    upright, face = tilted(0)
    turned, turned_face = tilted(degrees)
    rule = CropRule(2.6, "eyes", 0.12, level=True)
    assert square_of(turned_face, rule)[3] == pytest.approx(math.radians(degrees))
    straight, level = cut(upright, face, rule), cut(turned, turned_face, rule)
    off = np.abs(straight.astype(int) - level).mean()
    assert off < 2
    askew = cut(turned, turned_face, CropRule(2.6, "eyes", 0.12))
    assert np.abs(straight.astype(int) - askew).mean() > max(3, 2 * off)
    np.testing.assert_array_equal(straight, cut(upright, face, CropRule(2.6, "eyes", 0.12)), "level already")


def test_a_turned_square_outside_the_picture_repeats_the_edge() -> None:
    picture = np.full((100, 100, 3), 77, np.uint8)
    face = Face(-30, -30, 80, 80, 0.9, ((0.0, 0.0), (30.0, 12.0), (15.0, 20.0), (5.0, 30.0), (25.0, 35.0)))
    assert (cut(picture, face, CropRule(1.2, level=True)) == 77).all()
    with pytest.raises(ValueError, match="outside the picture"):
        cut(picture, Face(300, 0, 50, 50, 0.9), CropRule())


def test_what_needs_landmarks_says_so() -> None:
    assert CropRule(level=True).needs_landmarks
    assert CropRule(reference="eyes").needs_landmarks
    assert not CROP_RULE.needs_landmarks, "Haar's faces have none"
    with pytest.raises(ValueError, match="needs landmarks"):
        cut(np.zeros((100, 100, 3), np.uint8), Face(10, 10, 50, 50, 0.9), CropRule(level=True))


def test_eyes_too_far_askew_are_not_believed() -> None:
    upside_down = Face(20, 10, 80, 125, 0.9, (EYES_AND_MOUTH[1], EYES_AND_MOUTH[0], *EYES_AND_MOUTH[2:]))
    assert square_of(upside_down, CropRule(level=True))[3] == 0


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="scale must be above 0"):
        CropRule(0.0)
    with pytest.raises(ValueError, match="reference must be one of"):
        CropRule(1.0, "nose")  # type: ignore[arg-type]
