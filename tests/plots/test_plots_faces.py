"""Contact sheets, class maps over faces, mean faces."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.emotions import COLOURS
from fer_core.plots.faces import (
    BACKGROUND,
    CAPTION_HEIGHT,
    cell_box,
    contact_sheet,
    describe_overlay,
    describe_sheet,
    mean_face,
    overlay,
)


@pytest.fixture
def faces() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (7, 48, 48), dtype=np.uint8)


def test_a_sheet_holds_every_face_at_its_place(faces: np.ndarray) -> None:
    sheet = contact_sheet(faces, 3, scale=2, gap=4)
    assert sheet.shape == (4 + 3 * 100, 4 + 3 * 100)
    assert sheet.dtype == np.uint8
    for index, face in enumerate(faces):
        x0, y0, x1, y1 = cell_box(index, 3, scale=2, gap=4)
        np.testing.assert_array_equal(sheet[y0:y1:2, x0:x1:2], face)
        np.testing.assert_array_equal(sheet[y0 + 1 : y1 : 2, x0 + 1 : x1 : 2], face)
    assert (sheet[:4] == BACKGROUND).all()
    assert (sheet[-100:, -200:] == BACKGROUND).all(), "two places are left over"
    assert contact_sheet(faces[:2], 5).shape == (104, 204), "fewer faces than columns: no empty columns"


def test_frames_have_the_classes_colours(faces: np.ndarray) -> None:
    labels = np.array([0, 1, 2, 3, 4, 5, 6])
    sheet = contact_sheet(faces, 4, scale=1, labels=labels)
    assert sheet.ndim == 3
    for index, label in enumerate(labels):
        x0, y0, x1, y1 = cell_box(index, 4, scale=1, labels=True)
        colour = [int(COLOURS[label][i : i + 2], 16) for i in (1, 3, 5)]
        for y, x in ((y0 - 1, x0), (y1 + 1, x0 + 9), (y0 + 5, x0 - 2), (y0 + 5, x1)):
            assert sheet[y, x].tolist() == colour
        np.testing.assert_array_equal(sheet[y0:y1, x0:x1, 1], faces[index])


def test_captions_are_written_below_and_cut(faces: np.ndarray) -> None:
    long = "a very long caption that cannot possibly fit"
    sheet = contact_sheet(faces, 4, captions=["ok", "", long, "", "", "", "last"])
    plain = contact_sheet(faces, 4)
    assert sheet.shape == (plain.shape[0] + 2 * CAPTION_HEIGHT, plain.shape[1], 3)

    def strip(index: int) -> np.ndarray:
        x0, _, x1, y1 = cell_box(index, 4, captions=True)
        return sheet[y1 : y1 + CAPTION_HEIGHT, x0:x1, 0]

    assert strip(0).max() > 200
    assert strip(1).max() == strip(1).min()
    assert (strip(2)[:, -3:] == strip(1)[0, 0]).all(), "the text ends inside its strip"
    assert strip(6).max() > 200
    for index, face in enumerate(faces):
        x0, y0, x1, y1 = cell_box(index, 4, captions=True)
        np.testing.assert_array_equal(sheet[y0:y1:2, x0:x1:2, 0], face)


def test_sheets_refuse_nonsense(faces: np.ndarray) -> None:
    with pytest.raises(ValueError, match="at least one face"):
        contact_sheet(faces[:0], 3)
    with pytest.raises(ValueError, match="at least one face"):
        contact_sheet(faces, 0)
    with pytest.raises(ValueError, match="captions must be 7 long"):
        contact_sheet(faces, 3, captions=["one"])
    with pytest.raises(ValueError, match="labels must be 7 long"):
        contact_sheet(faces, 3, labels=[1])
    with pytest.raises(ValueError, match="uint8"):
        contact_sheet(faces.astype(float), 3)


def test_sheet_in_words() -> None:
    assert describe_sheet(1200) == "Contact sheet of 1,200 faces."
    assert describe_sheet(3, [3, 3, 0]) == "Contact sheet of 3 faces: 1 angry, 2 happy."
    assert describe_sheet(1, [6]) == "Contact sheet of 1 face: 1 neutral."


def test_overlay_colours_only_where_the_map_is(faces: np.ndarray) -> None:
    class_map = np.zeros((6, 6), np.float32)
    class_map[1, 4] = 3.0
    picture = overlay(faces[0], class_map, size=240, smooth=False)
    assert picture.shape == (240, 240, 3)
    assert picture.dtype == np.uint8
    coloured = np.ptp(picture.astype(int), axis=2) > 0
    assert not coloured[:40].any()
    assert not coloured[:, :160].any()
    assert coloured[40:80, 160:200].mean() > 0.95
    assert not coloured[80:].any()
    smooth = np.ptp(overlay(faces[0], class_map, size=240).astype(int), axis=2) > 0
    assert smooth.sum() > coloured.sum(), "interpolated, the spot has a soft edge"


def test_overlay_opacity_and_common_scale(faces: np.ndarray) -> None:
    plain = overlay(faces[0], np.zeros((6, 6)), size=96)
    np.testing.assert_array_equal(plain[..., 0], plain[..., 2])
    np.testing.assert_array_equal(overlay(faces[0], np.ones((6, 6)), opacity=0, size=96), plain)
    full = overlay(faces[0], np.ones((6, 6)), opacity=1, size=96)
    assert (full == full[0, 0]).all(), "at full opacity nothing of the face is left"
    weak = overlay(faces[0], np.ones((6, 6)), opacity=1, size=96, top=10)
    change = np.abs(weak.astype(int) - plain).mean()
    assert 0 < change < np.abs(full.astype(int) - plain).mean() / 3
    np.testing.assert_array_equal(overlay(faces[0], np.ones((6, 6)), size=96, top=0), plain)


def test_overlay_refuses_other_maps(faces: np.ndarray) -> None:
    for bad in (np.zeros(6), -np.ones((6, 6)), np.full((6, 6), np.nan), np.empty((0, 6))):
        with pytest.raises(ValueError, match="class map"):
            overlay(faces[0], bad)
    with pytest.raises(ValueError, match="opacity"):
        overlay(faces[0], np.ones((6, 6)), opacity=2)
    with pytest.raises(ValueError, match="uint8"):
        overlay(faces[0][:40], np.ones((6, 6)))


def test_overlay_in_words() -> None:
    class_map = np.zeros((6, 6))
    assert "no part" in describe_overlay(class_map, "happy")
    class_map[5, 3] = 1
    assert describe_overlay(class_map, "happy").endswith("6 × 6 cells: strongest at the bottom centre of the picture.")


def test_mean_face(faces: np.ndarray) -> None:
    pair = np.stack([np.zeros((48, 48), np.uint8), np.full((48, 48), 255, np.uint8)])
    assert (mean_face(pair) == 128).all()
    assert mean_face(faces).dtype == np.uint8
    np.testing.assert_array_equal(mean_face(faces[:1]), faces[0])
    with pytest.raises(ValueError, match="no face"):
        mean_face(faces[:0])
