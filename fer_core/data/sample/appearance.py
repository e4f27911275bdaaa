"""What a drawn face looks like apart from its expression: head, hair, skin, pose, light, camera."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Columns = dict[str, NDArray[np.float64]]
"""Many faces' appearances at once: field name -> float64 (N,)."""


@dataclass(frozen=True)
class Appearance:
    """One face's looks. The defaults are a middling face in even light.

    Lengths are in head units: the distance from the middle of the face to the chin is about 1, which is
    ``scale`` pixels. Tones are grey levels 0..255. Angles are in degrees.
    """

    seed: int = 0
    """Seeds the grain, the background and the hair's texture, so that moving a unit leaves these alone."""

    face_width: float = 0.8
    jaw: float = 2.4
    """Squareness of the jaw: 1.8 is pointed, 3.2 is square."""
    chin: float = 1.0
    eye_height: float = -0.17
    eye_distance: float = 0.36
    eye_size: float = 1.0
    eye_tilt: float = 0.0
    brow_height: float = -0.4
    brow_thickness: float = 0.045
    brow_arch: float = 0.05
    brow_darkness: float = 0.75
    nose_length: float = 0.24
    nose_width: float = 1.0
    mouth_height: float = 0.55
    mouth_width: float = 0.295
    lip_fullness: float = 1.0
    lip_tone: float = 0.78
    """Lip tone as a share of the skin's."""
    wrinkles: float = 0.5
    """0 is smooth and young, 1 is lined."""

    skin: float = 185.0
    hair: float = 50.0
    hair_style: float = 0.0
    """0 short, 1 side parting, 2 fringe, 3 long, 4 receding, 5 none."""
    hairline: float = -0.78
    hair_volume: float = 0.12
    parting: float = 1.0
    """Side on which parted hair starts: -1 or 1."""
    beard: float = 0.0
    """0 shaven to 1 full."""
    moustache: float = 0.0
    glasses: float = 0.0
    """0 none, 1 round, 2 rectangular."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    scale: float = 25.0
    """Pixels per head unit."""
    shift_x: float = 0.0
    shift_y: float = 0.0
    """Pixels by which the face is off the middle."""

    light_x: float = 0.2
    light_y: float = -0.4
    """Where the light comes from: negative x is the picture's left, negative y is above."""
    ambient: float = 0.45
    """Share of light without direction, 0..1."""

    background: float = 110.0
    background_contrast: float = 40.0
    clothes: float = 80.0
    blur: float = 0.4
    """Standard deviation of the camera's blur, in pixels."""
    grain: float = 4.0
    """Standard deviation of the camera's noise, in grey levels."""
    contrast: float = 1.0
    brightness: float = 0.0


FIELDS: tuple[str, ...] = tuple(field.name for field in fields(Appearance))


def columns_of(appearances: list[Appearance]) -> Columns:
    """The appearances turned into columns."""
    return {name: np.array([getattr(one, name) for one in appearances], np.float64) for name in FIELDS}


def appearances_of(columns: Columns) -> list[Appearance]:
    """The columns turned into appearances."""
    lists = {name: columns[name].tolist() for name in FIELDS}
    lists["seed"] = [int(seed) for seed in lists["seed"]]
    return [Appearance(*values) for values in zip(*lists.values(), strict=True)]


def draw_appearances(n: int, rng: np.random.Generator) -> Columns:
    """Random looks of ``n`` faces. Every field is drawn for every face, so one face never shifts the next."""

    def around(middle: float, spread: float, low: float, high: float) -> NDArray[np.float64]:
        return np.clip(rng.normal(middle, spread, n), low, high)

    def between(low: float, high: float) -> NDArray[np.float64]:
        return rng.uniform(low, high, n)

    def chosen(values: list[float], weights: list[float]) -> NDArray[np.float64]:
        return rng.choice(np.array(values), n, p=np.array(weights) / sum(weights))

    skin = 95 + 125 * rng.beta(2.6, 1.5, n)
    bearded = rng.random(n) < 0.16
    columns = {
        "seed": rng.integers(0, 2**31, n).astype(np.float64),
        "face_width": around(0.8, 0.05, 0.68, 0.93),
        "jaw": around(2.4, 0.35, 1.8, 3.3),
        "chin": around(1.0, 0.05, 0.9, 1.12),
        "eye_height": around(-0.17, 0.025, -0.23, -0.11),
        "eye_distance": around(0.36, 0.022, 0.3, 0.42),
        "eye_size": around(1.0, 0.1, 0.78, 1.25),
        "eye_tilt": around(0.01, 0.015, -0.03, 0.05),
        "brow_height": around(-0.39, 0.025, -0.45, -0.33),
        "brow_thickness": around(0.045, 0.012, 0.022, 0.075),
        "brow_arch": around(0.045, 0.02, 0.0, 0.09),
        "brow_darkness": around(0.75, 0.12, 0.5, 0.95),
        "nose_length": around(0.24, 0.03, 0.16, 0.32),
        "nose_width": around(1.0, 0.15, 0.7, 1.4),
        "mouth_height": around(0.55, 0.03, 0.47, 0.62),
        "mouth_width": around(0.295, 0.025, 0.23, 0.36),
        "lip_fullness": around(1.0, 0.25, 0.5, 1.6),
        "lip_tone": around(0.73, 0.08, 0.5, 0.9),
        "wrinkles": between(0.25, 1.0),
        "skin": skin,
        "hair": np.clip(skin * rng.uniform(0.1, 0.5, n) + 60 * (rng.random(n) < 0.15), 14, 190),
        "hair_style": chosen([0, 1, 2, 3, 4, 5], [0.26, 0.2, 0.15, 0.24, 0.1, 0.05]),
        "hairline": around(-0.76, 0.06, -0.9, -0.62),
        "hair_volume": around(0.13, 0.05, 0.04, 0.28),
        "parting": np.where(rng.random(n) < 0.5, -1.0, 1.0),
        "beard": np.where(bearded, rng.uniform(0.2, 1.0, n), 0),
        "moustache": np.where(bearded | (rng.random(n) < 0.03), rng.uniform(0.3, 1.0, n), 0),
        "glasses": chosen([0, 1, 2], [0.87, 0.06, 0.07]),
        "yaw": around(0, 7, -20, 20),
        "pitch": around(0, 4, -10, 10),
        "roll": around(0, 4.5, -13, 13),
        "scale": around(25, 0.9, 22.5, 27),
        "shift_x": around(0, 0.7, -2, 2),
        "shift_y": around(0, 0.6, -1.5, 1.5),
        "light_x": around(0, 0.5, -1.2, 1.2),
        "light_y": around(-0.4, 0.3, -1.0, 0.35),
        "ambient": between(0.4, 0.7),
        "background": between(15, 235),
        "background_contrast": between(5, 90),
        "clothes": between(20, 220),
        "blur": between(0.25, 0.65),
        "grain": 1 + 5 * rng.random(n) ** 2,
        "contrast": around(1.0, 0.14, 0.65, 1.35),
        "brightness": around(-4, 16, -45, 35),
    }
    return {name: columns[name] for name in FIELDS}
