"""From units and looks to pixels.

Outlines are drawn with OpenCV four times too large and averaged down, which is the antialiasing. The four channels
of the canvas hold the tones of skin, hair and everything else, and how much of the pixel is covered; each
material is lit in its own way after averaging, so edges stay exact. No step depends on threads or on global state.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_core import emotions
from fer_core.data.sample import geometry, head, relief
from fer_core.data.sample.action_units import ACTION_UNITS, NAMES
from fer_core.data.sample.appearance import Appearance, Columns, columns_of
from fer_core.data.sample.geometry import FaceParameters, Floats

SIZE = emotions.IMAGE_SIZE
ZOOM = 4
SHIFT = 4
"""OpenCV takes coordinates as integers with this many binary places."""
CHUNK = 128
REGIONS: tuple[str, ...] = ("brows", "eyes", "mouth")

Regions = dict[str, NDArray[np.int16]]
Tone = tuple[float, float, float, float]
Points = NDArray[np.int32]


def draw_face(action_units: Mapping[str, float], appearance: Appearance) -> tuple[NDArray[np.uint8], Regions]:
    """One face: uint8 (48, 48), and its regions as in :class:`Sample`, each int16 (4,).

    ``action_units`` maps names such as ``"AU12"`` to intensities 0..1; units left out are at rest.
    Raises ``ValueError`` for an unknown unit or an intensity outside 0..1.
    """
    for name, intensity in action_units.items():
        if name not in ACTION_UNITS:
            raise ValueError(f"Unknown action unit {name!r}. Known are: {', '.join(NAMES)}.")
        if not 0 <= intensity <= 1:
            raise ValueError(f"The intensity of {name} is {intensity}; it must lie between 0 and 1.")
    units = np.array([[float(action_units.get(name, 0.0)) for name in NAMES]])
    images, regions = draw_faces(units, columns_of([appearance]))
    return images[0], {name: boxes[0] for name, boxes in regions.items()}


def draw_faces(units: Floats, looks: Columns) -> tuple[NDArray[np.uint8], Regions]:
    """N faces: uint8 (N, 48, 48), and boxes int16 (N, 4) for each of :data:`REGIONS`.

    ``units`` is (N, len(NAMES)) in 0..1; ``looks`` are N appearances as columns.
    """
    n = len(units)
    images = np.empty((n, SIZE, SIZE), np.uint8)
    regions = {name: np.empty((n, 4), np.int16) for name in REGIONS}
    for start in range(0, n, CHUNK):
        rows = slice(start, min(start + CHUNK, n))
        batch = FaceParameters(units[rows], {name: column[rows] for name, column in looks.items()})
        scene = _Scene(batch)
        for name in REGIONS:
            regions[name][rows] = scene.boxes[name]
        for row in range(rows.start, rows.stop):
            images[row] = scene.draw(row - start)
    return images, regions


class _Scene:
    """The outlines and the light of one batch, ready to be drawn face by face."""

    def __init__(self, batch: FaceParameters) -> None:
        self.batch = batch
        brows = [geometry.brow(batch, side) for side in (-1, 1)]
        self.eyes = [geometry.eye(batch, side) for side in (-1, 1)]
        self.mouth = geometry.mouth(batch)
        self.light = relief.lit(batch, relief.height_field(batch, self.mouth), relief.fold_field(batch, self.mouth))
        behind, front = head.hair(batch)
        neck, shoulders = head.neck(batch)
        lenses, frame = head.glasses(batch)
        fixed = self._fixed
        self.brows = [fixed(one) for one in brows]
        self.upper_lids = [fixed(one.upper_skin) for one in self.eyes]
        self.lower_lids = [fixed(one.lower_skin) for one in self.eyes]
        self.whites = [fixed(np.concatenate([one.upper, one.lower[:, ::-1]], 1)) for one in self.eyes]
        self.lashes = [fixed(one.upper) for one in self.eyes]
        self.lower_lines = [fixed(one.lower) for one in self.eyes]
        self.creases = [fixed(one.crease) for one in self.eyes]
        self.irises = [fixed(one.iris)[:, 0] for one in self.eyes]
        mouth = self.mouth
        self.inside, self.line = fixed(mouth.inside), fixed(mouth.line)
        self.lips = [fixed(mouth.upper_lip), fixed(mouth.lower_lip)]
        self.teeth = [fixed(mouth.upper_teeth), fixed(mouth.lower_teeth)]
        self.tongue = fixed(mouth.tongue)
        self.face, self.ears = fixed(head.face_outline(batch)), fixed(head.ears(batch))
        self.neck, self.shoulders = fixed(neck), fixed(shoulders)
        self.behind, self.front = fixed(behind), fixed(front)
        self.lenses = [fixed(one) for one in lenses]
        self.frame = fixed(frame.reshape(-1, 6, 2)).reshape(-1, 3, 2, 2)
        self.boxes = {
            "brows": self._box(brows),
            "eyes": self._box([curve for one in self.eyes for curve in (one.upper, one.lower)]),
            "mouth": self._box([mouth.upper_lip, mouth.lower_lip]),
        }
        scale = batch.looks["scale"] * ZOOM * 2**SHIFT
        self.iris_radius = np.rint(self.eyes[0].radius * scale).astype(int)
        self.ear_size = np.rint(0.2 * batch.looks["scale"] * ZOOM).astype(int)

    def _fixed(self, turned: Floats) -> Points:
        pixels = geometry.to_pixels(self.batch, turned) * ZOOM - 0.5
        return np.rint(pixels * 2**SHIFT).astype(np.int32)

    def _box(self, curves: list[Floats]) -> NDArray[np.int16]:
        """Boxes (N, 4) around the curves, half a pixel wider for the line's own width, inside the picture."""
        pixels = geometry.to_pixels(self.batch, np.concatenate(curves, 1))
        low = np.clip(np.floor(pixels.min(1) - 0.5), 0, SIZE - 1)
        high = np.clip(np.ceil(pixels.max(1) + 0.5), low + 1, SIZE)
        return np.concatenate([low, high], 1).astype(np.int16)

    def draw(self, row: int) -> NDArray[np.uint8]:
        """The finished picture of one face of the batch."""
        look = {name: float(column[row]) for name, column in self.batch.looks.items()}
        rng = np.random.default_rng(int(look["seed"]))
        canvas = np.zeros((SIZE * ZOOM, SIZE * ZOOM, 4), np.uint8)
        self._draw_head(canvas, row, look)
        self._draw_features(canvas, row, look)
        self._draw_front(canvas, row, look)
        layers = cv2.resize(canvas, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(np.float32)
        # Grain, background, hair and skin texture come from one stream of this face's own.
        grain = rng.standard_normal((SIZE, SIZE), np.float32)
        noise = rng.standard_normal(16 + 8 * 24 + 14 * 14, np.float32)
        around = _stretched(noise[:16].reshape(4, 4)) * look["background_contrast"] + look["background"]
        strands = _stretched(noise[16:208].reshape(8, 24))
        mottle = _stretched(noise[208:].reshape(14, 14))
        skin_light = self._light_of(row, look) * (1 + 0.025 * mottle)
        hair_light = 0.85 + 0.2 * strands + 0.25 * (_ALONG * look["light_x"] + _DOWN * look["light_y"])
        picture = layers[..., 0] * skin_light + layers[..., 1] * hair_light + layers[..., 2]
        picture += np.clip(around, 5, 250) * (1 - layers[..., 3] / 255)
        # OpenCV would take a blur of 0 for "choose one".
        if look["blur"] > 0:
            blurred = cv2.GaussianBlur(picture, (5, 5), look["blur"], borderType=cv2.BORDER_REPLICATE)
            picture = blurred.astype(np.float32, copy=False)
        picture = (picture - 120) * look["contrast"] + (120 + look["brightness"]) + grain * look["grain"]
        return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)

    def _light_of(self, row: int, look: dict[str, float]) -> NDArray[np.float32]:
        """The light's grid brought into the picture: roll, scale and shift."""
        step = 2 * relief.REACH / (relief.GRID - 1) * look["scale"]
        roll = np.deg2rad(look["roll"])
        cos, sin = float(np.cos(roll)) / step, float(np.sin(roll)) / step
        x = 0.5 - geometry.ORIGIN[0] - look["shift_x"]
        y = 0.5 - geometry.ORIGIN[1] - look["shift_y"]
        middle = (relief.GRID - 1) / 2
        matrix = np.array([[cos, sin, cos * x + sin * y + middle], [-sin, cos, cos * y - sin * x + middle]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        light = cv2.warpAffine(self.light[row], matrix, (SIZE, SIZE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return light.astype(np.float32, copy=False)

    def _draw_head(self, canvas: NDArray[np.uint8], row: int, look: dict[str, float]) -> None:
        skin, hair = look["skin"], look["hair"]
        if look["hair_style"] == 3:
            _fill(canvas, self.behind[row], _hair(hair * 0.8))
        _fill(canvas, self.neck[row], _skin(skin * 0.72))
        _fill(canvas, self.shoulders[row], _other(look["clothes"]))
        for x, y in self.ears[row].tolist():
            size = int(self.ear_size[row])
            axes = (int(size * 0.5) << SHIFT, size << SHIFT)
            cv2.ellipse(canvas, (x, y), axes, look["roll"], 0, 360, _skin(skin * 0.85), -1, shift=SHIFT)
        _fill(canvas, self.face[row], _skin(skin))

    def _draw_features(self, canvas: NDArray[np.uint8], row: int, look: dict[str, float]) -> None:
        skin = look["skin"]
        dark = _skin(skin * 0.22 + 4)
        for side in (0, 1):
            _fill(canvas, self.whites[side][row], _skin(min(235.0, 0.45 * skin + 120)))
            centre = tuple(self.irises[side][row].tolist())
            radius = int(self.iris_radius[row])
            cv2.circle(canvas, centre, radius, _skin(0.1 * skin + 32), -1, shift=SHIFT)
            cv2.circle(canvas, centre, radius // 2, _skin(12), -1, shift=SHIFT)
            glint = (centre[0] + int(radius * 0.4 * look["light_x"]), centre[1] - radius // 3)
            cv2.circle(canvas, glint, radius // 4, _skin(245), -1, shift=SHIFT)
            # The lids are skin drawn over the iris: no mask is needed.
            _fill(canvas, self.upper_lids[side][row], _skin(skin * 0.93))
            _fill(canvas, self.lower_lids[side][row], _skin(skin))
            _line(canvas, self.creases[side][row], _skin(skin * 0.66), 2)
            _line(canvas, self.lower_lines[side][row], _skin(skin * 0.62), 1)
            _line(canvas, self.lashes[side][row], dark, 3)
            share = look["brow_darkness"]
            tone = skin * (1 - share) + min(look["hair"], 0.45 * skin) * share
            _fill(canvas, self.brows[side][row], _skin(tone))
        lip = skin * look["lip_tone"]
        if self.mouth.gap[row] > 0.01:
            _fill(canvas, self.inside[row], _skin(18))
            _fill(canvas, self.tongue[row], _skin(skin * 0.36))
            for teeth in self.teeth:
                _fill(canvas, teeth[row], _skin(min(235.0, 0.35 * skin + 160)))
        _fill(canvas, self.lips[1][row], _skin(min(250.0, lip * 1.06)))
        _fill(canvas, self.lips[0][row], _skin(lip * 0.92))
        _line(canvas, self.line[row], _skin(skin * 0.3), 2)

    def _draw_front(self, canvas: NDArray[np.uint8], row: int, look: dict[str, float]) -> None:
        if look["hair_style"] != 5:
            _fill(canvas, self.front[row], _hair(look["hair"]))
        if look["glasses"]:
            for lens in self.lenses:
                cv2.polylines(canvas, [lens[row]], True, _other(28), 3, cv2.LINE_8, SHIFT)
            cv2.polylines(canvas, list(self.frame[row]), False, _other(28), 3, cv2.LINE_8, SHIFT)


_AXIS = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE * 2 - 1
_ALONG, _DOWN = _AXIS[None, :], _AXIS[:, None]


def _stretched(noise: NDArray[np.float32]) -> NDArray[np.float32]:
    large = cv2.resize(noise, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return large.astype(np.float32, copy=False)


def _skin(tone: float) -> Tone:
    return (tone, 0, 0, 255)


def _hair(tone: float) -> Tone:
    return (0, tone, 0, 255)


def _other(tone: float) -> Tone:
    return (0, 0, tone, 255)


def _fill(canvas: NDArray[np.uint8], points: Points, tone: Tone) -> None:
    cv2.fillPoly(canvas, [points], tone, cv2.LINE_8, SHIFT)


def _line(canvas: NDArray[np.uint8], points: Points, tone: Tone, thickness: int) -> None:
    cv2.polylines(canvas, [points], False, tone, thickness, cv2.LINE_8, SHIFT)
