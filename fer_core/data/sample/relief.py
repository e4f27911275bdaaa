"""Light and shade: a height field of the face, lit from one side, and the soft darkness of folds.

Both fields are sums of axis-aligned Gaussians on a grid in turned coordinates, so one small matrix product per
face makes each. Lambert's law gives the light; folds darken on top of it (an approximation of ambient occlusion).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_core.data.sample.geometry import FaceParameters, Floats, Mouth, jaw_drop, turn
from fer_core.data.sample.head import TOP

Grid = NDArray[np.float32]
GRID = 72
REACH = 1.45
"""The grid covers -REACH..REACH head units both ways: 25 samples a unit, about one a pixel."""
AXIS = np.linspace(-REACH, REACH, GRID, dtype=np.float32)


class _Blobs:
    """Collects Gaussians: turned centre, widths and amplitude, each broadcast to (N, 1)."""

    def __init__(self, batch: FaceParameters) -> None:
        self.batch = batch
        self.one = np.ones_like(batch.look("yaw"))
        self.x: list[Floats] = []
        self.y: list[Floats] = []
        self.lift: list[Floats] = []
        self.width: list[Floats] = []
        self.height: list[Floats] = []
        self.amplitude: list[Floats] = []

    def add(
        self, x: Floats | float, y: Floats | float, width: Floats | float, height: Floats | float,
        amplitude: Floats | float, lift: Floats | float = 0.0,
    ) -> None:  # fmt: skip
        rows = (self.x, self.y, self.width, self.height, self.amplitude, self.lift)
        for row, value in zip(rows, (x, y, width, height, amplitude, lift), strict=True):
            row.append(self.one * value)

    def pair(
        self, x: Floats | float, y: Floats | float, width: Floats | float, height: Floats | float,
        amplitude: Floats | float, lift: Floats | float = 0.0,
    ) -> None:  # fmt: skip
        for side in (-1.0, 1.0):
            self.add(side * np.asarray(x), y, width, height, amplitude, lift)

    def field(self) -> Grid:
        """The sum of all blobs: float32 (N, GRID, GRID), rows are y."""
        centre = turn(
            self.batch, np.concatenate(self.x, 1), np.concatenate(self.y, 1), np.concatenate(self.lift, 1)
        ).astype(np.float32)
        along = _bell(centre[..., 0], np.concatenate(self.width, 1))
        down = _bell(centre[..., 1], np.concatenate(self.height, 1))
        down *= np.concatenate(self.amplitude, 1).astype(np.float32)[..., None]
        return np.matmul(down.transpose(0, 2, 1), along)


def _bell(centre: Grid, sigma: Floats) -> Grid:
    scaled = (AXIS - centre[..., None]) / sigma.astype(np.float32)[..., None]
    return np.exp(-0.5 * scaled * scaled)


def height_field(batch: FaceParameters, lips: Mouth) -> Grid:
    """Height of the face above its ellipsoid, in head units."""
    au, blobs = batch.au, _Blobs(batch)
    eye_x, eye_y = batch.look("eye_distance"), batch.look("eye_height")
    nose_y = batch.look("nose_length") - 0.03 * au("AU9")
    wide = batch.look("nose_width") * (1 + 0.15 * au("AU9") + 0.1 * au("AU12"))
    for step, height in ((0.0, 0.06), (0.33, 0.1), (0.66, 0.14)):
        blobs.add(0.0, eye_y + step * (nose_y - eye_y), 0.065, 0.11, height, 0.1 * step)
    blobs.add(0.0, nose_y, 0.085 * wide, 0.075, 0.15, 0.2)
    blobs.pair(0.11 * wide, nose_y + 0.035, 0.05, 0.05, 0.07, 0.08)
    blobs.pair(eye_x, eye_y, 0.17, 0.1, -0.1)
    blobs.pair(eye_x, eye_y, 0.11, 0.07, 0.05)
    blobs.pair(eye_x * 0.95, batch.look("brow_height") + 0.02, 0.2, 0.07, 0.05 + 0.03 * au("AU4"))
    cheek_y = 0.2 - 0.06 * au("AU6") - 0.03 * au("AU12")
    blobs.pair(0.47, cheek_y, 0.16, 0.13, 0.06 + 0.08 * au("AU6") + 0.06 * au("AU12"))
    middle = batch.look("mouth_height")
    blobs.add(0.0, middle, 0.3, 0.16, 0.07)
    drop = jaw_drop(batch)
    blobs.add(0.0, 0.84 * batch.look("chin") + drop, 0.15, 0.09, 0.07 + 0.04 * au("AU17"), 0.05)
    blobs.add(0.0, middle + 0.13 + lips.gap[:, None], 0.17, 0.03, -0.03)
    return blobs.field()


def fold_field(batch: FaceParameters, lips: Mouth) -> Grid:
    """Darkness of folds and hollows: the light there is multiplied by ``exp(-field)``."""
    au, blobs = batch.au, _Blobs(batch)
    lined = batch.look("wrinkles")
    eye_x, eye_y = batch.look("eye_distance"), batch.look("eye_height")
    brow_y, nose_y = batch.look("brow_height"), batch.look("nose_length") - 0.03 * au("AU9")
    wide = batch.look("nose_width") * (1 + 0.15 * au("AU9") + 0.1 * au("AU12"))
    # Hollows of the eyes; under the lower lid.
    blobs.pair(eye_x - 0.13, eye_y - 0.05, 0.09, 0.07, 0.22 + 0.15 * au("AU4"))
    blobs.pair(eye_x + 0.05, eye_y - 0.11, 0.15, 0.04, 0.12 + 0.2 * au("AU4") + 0.1 * au("AU9"))
    bag = 0.05 + 0.12 * lined * (0.3 + au("AU6") + 0.6 * au("AU7"))
    blobs.pair(eye_x, eye_y + 0.115, 0.12, 0.028, bag)
    # Forehead: level lines from raised brows, upright ones from lowered brows.
    for row in (0.12, 0.2, 0.28):
        blobs.add(0.0, brow_y - row - 0.05 * au("AU1"), 0.26, 0.024, lined * (0.3 * au("AU1") + 0.12 * au("AU2")))
        blobs.pair(0.36, brow_y - row - 0.08 * au("AU2"), 0.16, 0.024, 0.25 * lined * au("AU2"))
    frown = au("AU4") * (0.35 + 0.35 * lined)
    blobs.pair(0.055, brow_y + 0.06, 0.026, 0.1, frown)
    # Nose: nostrils, wings, wrinkles on the bridge.
    blobs.pair(0.055 * wide, nose_y + 0.075, 0.035, 0.022, 0.75, 0.12)
    blobs.add(0.0, nose_y + 0.1, 0.13 * wide, 0.03, 0.22, 0.05)
    blobs.pair(0.155 * wide, nose_y + 0.035, 0.025, 0.05, 0.22 + 0.25 * au("AU9"), 0.03)
    for row in (0.05, 0.13, 0.21):
        blobs.pair(0.075, eye_y + row, 0.065, 0.024, 0.38 * au("AU9"), 0.05)
    # Folds from the nose to the corners of the mouth.
    corner_x, corner_y = lips.corners[:, 1, :1], lips.corners[:, 1, 1:]
    depth = 0.08 + 0.1 * lined + (0.2 + 0.2 * lined) * np.maximum(au("AU12"), 0.9 * au("AU10"))
    depth = depth + 0.25 * au("AU9") + 0.1 * au("AU20")
    for step in np.linspace(0, 1, 6):
        bend = 0.05 * np.sin(np.pi * step)
        x = (0.17 * wide) * (1 - step) + (corner_x + 0.09) * step + bend
        y = (nose_y + 0.01) * (1 - step) + (corner_y - 0.02) * step
        blobs.pair(x, y, 0.03, 0.045, depth * (1 - 0.35 * step), 0.02)
    # Corners of the mouth, the hollow under the lower lip, the chin.
    blobs.pair(corner_x + 0.015, corner_y, 0.035, 0.035, 0.3 + 0.25 * au("AU12") + 0.3 * au("AU15"), 0.03)
    blobs.pair(corner_x + 0.05, corner_y + 0.07, 0.03, 0.05, 0.4 * au("AU15"))
    below = batch.look("mouth_height") + 0.15 + lips.gap[:, None]
    blobs.add(0.0, below, 0.15, 0.035, 0.16 + 0.3 * au("AU17"), 0.03)
    for x in (0.0, 0.09):
        blobs.pair(x, below + 0.1, 0.04, 0.03, 0.22 * au("AU17"), 0.04)
    blobs.add(0.0, batch.look("mouth_height") - 0.17, 0.028, 0.06, 0.08, 0.05)
    # Raised cheeks: lines at the outer corners of the eyes.
    for row in (-0.02, 0.05):
        blobs.pair(eye_x + 0.22, eye_y + row, 0.05, 0.02, 0.4 * lined * au("AU6"))
    _beard(batch, blobs)
    return blobs.field()


def _beard(batch: FaceParameters, blobs: _Blobs) -> None:
    """Beards are dark rather than folded, but they are soft and follow the jaw, so they live here too."""
    beard, width = batch.look("beard"), batch.look("face_width")
    for angle in np.linspace(0.15, np.pi / 2, 6):
        y = 0.92 * np.sin(angle) * (batch.look("chin") + jaw_drop(batch))
        blobs.pair(0.88 * width * np.cos(angle), y, 0.13, 0.13, 0.55 * beard, -0.1)
    above = batch.look("mouth_height") - 0.13 - 0.04 * batch.au("AU10") - 0.03 * batch.au("AU12")
    blobs.pair(0.1, above, 0.09, 0.035, 0.75 * batch.look("moustache"), 0.08)


def lit(batch: FaceParameters, height: Grid, folds: Grid) -> Grid:
    """Light on the skin, 1 for a surface facing the camera: float32 (N, GRID, GRID).

    The light turns against the head's roll, since the grid is upright.
    """
    half_width = (batch.looks["face_width"] * 1.08).astype(np.float32)[:, None, None]
    reach = (AXIS[None, None, :] / half_width) ** 2 + (AXIS[None, :, None] / np.float32(TOP * 1.05)) ** 2
    # Beyond the silhouette the slope would be infinite.
    z = 0.8 * np.sqrt(np.clip(1 - reach, 0.06, 1)) + height
    step = float(AXIS[1] - AXIS[0])
    slope_x = np.empty_like(z)
    slope_y = np.empty_like(z)
    slope_x[:, :, 1:-1] = (z[:, :, 2:] - z[:, :, :-2]) / (2 * step)
    slope_y[:, 1:-1] = (z[:, 2:] - z[:, :-2]) / (2 * step)
    for slope in (slope_x, slope_y):
        slope[:, :, 0] = slope[:, :, -1] = slope[:, 0] = slope[:, -1] = 0
    roll = np.deg2rad(batch.looks["roll"])
    light_x = batch.looks["light_x"] * np.cos(roll) + batch.looks["light_y"] * np.sin(roll)
    light_y = batch.looks["light_y"] * np.cos(roll) - batch.looks["light_x"] * np.sin(roll)
    length = np.sqrt(light_x**2 + light_y**2 + 1)
    to_light = [(part / length).astype(np.float32)[:, None, None] for part in (light_x, light_y, np.ones_like(roll))]
    facing = (to_light[2] - slope_x * to_light[0] - slope_y * to_light[1]) / np.sqrt(
        1 + slope_x * slope_x + slope_y * slope_y
    )
    ambient = batch.looks["ambient"].astype(np.float32)[:, None, None]
    light = ambient + (1 - ambient) * np.maximum(facing, 0) / to_light[2]
    light += 0.12 * np.maximum(facing, 0) ** 12
    light *= np.exp(-folds)
    return light
