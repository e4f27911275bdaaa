"""Where everything is: outlines of brows, eyes, mouth, head and hair from action units and looks.

Lengths are in head units (see :class:`~fer_core.data.sample.appearance.Appearance`), x to the picture's right, y
down, z towards the camera, origin on the nose's bridge a little below the eyes. "Turned" points have gone
through yaw and pitch; "pixels" also through roll, scale and shift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_core import emotions
from fer_core.data.sample.action_units import NAMES
from fer_core.data.sample.appearance import Columns

Floats = NDArray[np.float64]
ORIGIN = (emotions.IMAGE_SIZE / 2, emotions.IMAGE_SIZE / 2 - 2)
"""Pixel where an unshifted face has its origin: FER-2013's crops hold more chin than hair."""


@dataclass(frozen=True)
class FaceParameters:
    """Units and looks of N faces. ``au`` and ``look`` give columns (N, 1), ready to broadcast over points."""

    units: Floats
    looks: Columns

    def au(self, name: str) -> Floats:
        return self.units[:, NAMES.index(name), None]

    def look(self, name: str) -> Floats:
        return self.looks[name][:, None]


def surface(batch: FaceParameters, x: Floats, y: Floats) -> Floats:
    """Depth of the head's ellipsoid at a point of the unturned face."""
    reach = (x / (batch.look("face_width") * 1.05)) ** 2 + (y / 1.25) ** 2
    return 0.85 * np.sqrt(np.clip(1 - reach, 0.0, 1.0))


def turn(batch: FaceParameters, x: Floats, y: Floats, lift: Floats | float = 0.0) -> Floats:
    """Turned points (N, P, 2) of points on the face, ``lift`` above its surface.

    The head is moved back so that the features, not the skull, stay in the middle: that is what a face
    detector's crop does.
    """
    z = surface(batch, x, y) + lift
    yaw, pitch = np.deg2rad(batch.look("yaw")), np.deg2rad(batch.look("pitch"))
    turned_x = x * np.cos(yaw) + (z - 0.55) * np.sin(yaw)
    depth = z * np.cos(yaw) - x * np.sin(yaw)
    turned_y = y * np.cos(pitch) + (depth - 0.55) * np.sin(pitch)
    return np.stack([turned_x, turned_y], axis=-1)


def to_pixels(batch: FaceParameters, turned: Floats) -> Floats:
    """Pixel coordinates (N, P, 2), pixel ``i`` covering ``i``..``i + 1``."""
    roll, scale = np.deg2rad(batch.look("roll")), batch.look("scale")
    x, y = turned[..., 0], turned[..., 1]
    return np.stack(
        [
            (x * np.cos(roll) - y * np.sin(roll)) * scale + ORIGIN[0] + batch.look("shift_x"),
            (x * np.sin(roll) + y * np.cos(roll)) * scale + ORIGIN[1] + batch.look("shift_y"),
        ],
        axis=-1,
    )


def brow(batch: FaceParameters, side: int) -> Floats:
    """Outline (N, 14, 2) of one brow, turned. ``side`` is -1 for the picture's left."""
    au = batch.au
    t = np.linspace(0, 1, 7)[None]
    inner, outer = (1 - t) ** 1.3, np.sin(np.pi * t**0.8 * 0.85)
    x = batch.look("eye_distance") - 0.235 - 0.045 * au("AU4") + t * 0.47
    y = (
        batch.look("brow_height")
        - batch.look("brow_arch") * np.sin(np.pi * t**1.2)
        + 0.045 * t**2
        - 0.14 * au("AU1") * inner
        - 0.12 * au("AU2") * outer
        + au("AU4") * (0.035 + 0.085 * inner)
        + 0.06 * au("AU9") * inner
        + 0.02 * au("AU6")
    )
    half = batch.look("brow_thickness") * (0.75 + 0.45 * np.sin(np.pi * t)) * (1 - 0.55 * t)
    above = turn(batch, side * x, y - half, 0.03)
    below = turn(batch, side * x, y + half, 0.03)
    return np.concatenate([above, below[:, ::-1]], axis=1)


@dataclass(frozen=True)
class Eye:
    """One eye, turned. Curves are (N, P, 2); ``iris`` is (N, 1, 2); the radius is in head units, (N,)."""

    upper: Floats
    lower: Floats
    upper_skin: Floats
    lower_skin: Floats
    crease: Floats
    iris: Floats
    radius: Floats


def eye(batch: FaceParameters, side: int) -> Eye:
    """One eye: opened by AU5, narrowed by AU6, AU7, AU4 and AU43, looking where AU61 to AU64 say."""
    au = batch.au
    t = np.linspace(-1, 1, 9)[None]
    size = batch.look("eye_size")
    height = batch.look("eye_height")
    opening = np.clip(
        1 + 0.75 * au("AU5") - 0.35 * au("AU7") - 0.25 * au("AU6") - 0.2 * au("AU4") - 0.35 * au("AU9"), 0.22, 2
    )
    opening = opening * (1 - au("AU43")) * (1 - 0.25 * au("AU64"))
    rise = 0.088 * size * opening + 0.004
    fall = 0.062 * size * (1 - 0.45 * au("AU7") - 0.55 * au("AU6") - 0.3 * au("AU9") + 0.1 * au("AU5"))
    x = side * (batch.look("eye_distance") + t * 0.178 * size)
    axis = height - t * batch.look("eye_tilt") - 0.02 * au("AU1") * (1 - t) / 2 * au("AU4")
    arc = (1 - t**2) ** 0.75
    upper_y = axis - rise * arc + (1 - opening).clip(0) * 0.03 * arc
    lower_y = np.maximum(axis + fall * arc, upper_y)
    lid_y = axis - (0.17 + 0.05 * au("AU5") - 0.02 * au("AU4")) * size * (1 - 0.55 * t**2)
    bag_y = axis + 0.17 * size * (1 - 0.5 * t**2)
    look_x = 0.065 * size * (au("AU62") - au("AU61"))
    look_y = 0.04 * size * (au("AU64") - au("AU63")) - 0.008
    upper, lower = turn(batch, x, upper_y), turn(batch, x, lower_y)
    return Eye(
        upper=upper,
        lower=lower,
        upper_skin=np.concatenate([upper, turn(batch, x, lid_y)[:, ::-1]], axis=1),
        lower_skin=np.concatenate([lower, turn(batch, x, bag_y)[:, ::-1]], axis=1),
        crease=turn(batch, x[:, 1:-1], (0.6 * lid_y + 0.4 * upper_y)[:, 1:-1]),
        iris=turn(batch, side * batch.look("eye_distance") + look_x, height + look_y),
        radius=(0.08 * size)[:, 0],
    )


@dataclass(frozen=True)
class Mouth:
    """The mouth, turned: closed outlines (N, P, 2), and the line between the lips (N, 11, 2)."""

    upper_lip: Floats
    lower_lip: Floats
    inside: Floats
    upper_teeth: Floats
    lower_teeth: Floats
    tongue: Floats
    line: Floats
    gap: Floats
    """How far the lips are apart in the middle, in head units, (N,)."""
    corners: Floats
    """Left and right corner, unturned, (N, 2, 2)."""


def mouth(batch: FaceParameters) -> Mouth:
    """The mouth from AU10, 12, 15, 16, 17, 20, 23, 24 (lips) and AU25, 26, 27 (opening)."""
    au = batch.au
    t = np.linspace(-1, 1, 11)[None]
    middle = batch.look("mouth_height")
    pressed = 1 - 0.8 * au("AU24")
    gap = (
        0.075 * au("AU25") * (1 + 0.8 * au("AU12") + 0.4 * au("AU10")) + 0.18 * au("AU26") + 0.3 * au("AU27")
    ) * pressed
    half = batch.look("mouth_width") * (
        1 + 0.36 * au("AU12") + 0.34 * au("AU20") - 0.16 * au("AU23") - 0.1 * au("AU24")
        - 0.22 * au("AU27") - 0.14 * au("AU26") - 0.08 * au("AU17")
    )  # fmt: skip
    corner = middle - 0.13 * au("AU12") + 0.09 * au("AU15") + 0.035 * au("AU20") + 0.38 * gap
    shape = 1 - np.abs(t) ** 2.2
    upper_mid = middle - 0.045 * au("AU10") - 0.03 * au("AU9") + 0.015 * au("AU12") - 0.03 * au("AU17")
    lower_mid = upper_mid + gap + (0.05 * au("AU16") + 0.02 * au("AU10")) * pressed * np.minimum(1, gap / 0.03)
    inner_up = corner + (upper_mid - corner) * shape
    inner_low = np.maximum(corner + (lower_mid - corner) * shape, inner_up)
    full = batch.look("lip_fullness")
    thin = (1 - 0.45 * au("AU23")) * (1 - 0.7 * au("AU24")) * (1 - 0.3 * au("AU20")) * (1 - 0.3 * au("AU12"))
    cupid = 1 - 0.22 * np.exp(-((t / 0.17) ** 2))
    outer_up = inner_up - (0.058 * full * thin + 0.006) * shape**0.7 * cupid
    outer_low = inner_low + (0.082 * full * thin * (1 + 0.25 * au("AU17")) + 0.008) * shape**0.8
    room = inner_low - inner_up
    shown = (0.03 + 0.09 * au("AU12") + 0.05 * au("AU10") + 0.02 * au("AU20")) * (1 - 0.5 * au("AU27"))
    teeth = inner_up + np.minimum(shown * shape**0.5, 0.8 * room)
    shown_low = 0.045 * np.maximum(au("AU16"), 0.7 * au("AU20"))
    teeth_low = inner_low - np.minimum(shown_low * shape**0.5, 0.45 * room)
    tongue = inner_low - np.clip(0.5 * room - 0.02, 0, 0.2) * (1 - t**2)
    x = t * half

    def between(one: Floats, other: Floats, lift: float) -> Floats:
        return np.concatenate([turn(batch, x, one, lift), turn(batch, x, other, lift)[:, ::-1]], axis=1)

    return Mouth(
        upper_lip=between(outer_up, inner_up, 0.08),
        lower_lip=between(inner_low, outer_low, 0.08),
        inside=between(inner_up, inner_low, 0.06),
        upper_teeth=between(inner_up, teeth, 0.06),
        lower_teeth=between(teeth_low, inner_low, 0.06),
        tongue=between(tongue, inner_low, 0.06),
        line=turn(batch, x, inner_up, 0.08),
        gap=(lower_mid - upper_mid)[:, 0],
        corners=np.stack([np.concatenate([-half, half], 1), np.concatenate([corner, corner], 1)], axis=-1),
    )


def jaw_drop(batch: FaceParameters) -> Floats:
    """How far the chin comes down, in head units, (N, 1)."""
    return 0.09 * batch.au("AU26") + 0.17 * batch.au("AU27") - 0.02 * batch.au("AU17")
