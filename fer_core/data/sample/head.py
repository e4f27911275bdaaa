"""Outlines of what surrounds the features: head, ears, neck, hair, glasses. See ``geometry`` for the units."""

from __future__ import annotations

import numpy as np

from fer_core.data.sample.geometry import FaceParameters, Floats, jaw_drop, turn

TOP = 1.22
"""Height of the skull's top above the origin, in head units."""


def face_outline(batch: FaceParameters) -> Floats:
    """Closed outline (N, 40, 2) of skull and jaw, turned."""
    width = batch.look("face_width")
    up = np.linspace(np.pi, 2 * np.pi, 20)[None]
    skull_x, skull_y = width * np.cos(up), TOP * np.sin(up)
    down = np.linspace(0, np.pi, 20)[None]
    jaw = batch.look("jaw")
    side = np.sign(np.cos(down)) * np.abs(np.cos(down)) ** (2.4 / jaw)
    jaw_x = width * side * (1 - 0.1 * np.sin(down) ** 3)
    depth = np.sin(down) ** (2 / jaw * 1.1)
    jaw_y = depth * (batch.look("chin") + jaw_drop(batch))
    return _flat(batch, _concatenate(batch, skull_x, jaw_x), _concatenate(batch, skull_y, jaw_y))


def ears(batch: FaceParameters) -> Floats:
    """Centres (N, 2, 2) of the two ears, turned."""
    x = batch.look("face_width") * np.array([[-1.03, 1.03]])
    return _flat(batch, x, np.full_like(x, 0.02))


def neck(batch: FaceParameters) -> tuple[Floats, Floats]:
    """Neck (N, 4, 2) and shoulders (N, 6, 2), turned."""
    width = batch.look("face_width")
    neck_x = width * np.array([[-0.68, 0.68, 0.75, -0.75]])
    neck_y = np.broadcast_to(np.array([[0.45, 0.45, 1.6, 1.6]]), neck_x.shape)
    shoulder_x = width * np.array([[-3.0, -1.9, -0.75, 0.75, 1.9, 3.0]])
    shoulder_y = np.broadcast_to(np.array([[2.4, 1.45, 1.18, 1.18, 1.45, 2.4]]), shoulder_x.shape)
    return _flat(batch, neck_x, neck_y), _flat(batch, shoulder_x, shoulder_y)


def hair(batch: FaceParameters) -> tuple[Floats, Floats]:
    """Hair behind the head (N, 24, 2) and in front of it (N, 40, 2), turned.

    The styles differ in where the hairline runs and how far the sides fall.
    """
    width, volume, style = batch.look("face_width"), batch.look("hair_volume"), batch.look("hair_style")
    long, receding = style == 3, style == 4
    fall = 1.5
    outer = np.linspace(np.pi, 2 * np.pi, 20)[None]
    outer_x = (width + volume * np.where(long, 1.2, 0.55)) * np.cos(outer)
    outer_y = (TOP + volume) * np.sin(outer)
    edge = outer_x[:, -1:]
    behind_x = _concatenate(batch, outer_x, edge * 1.06, edge * 0.7, edge * -0.7, edge * -1.06)
    behind_y = _concatenate(batch, outer_y, fall * 0.8, fall, fall, fall * 0.8)

    u = np.linspace(1, -1, 18)[None]
    bare = np.exp(-(((np.abs(u) - 0.5) / 0.22) ** 2))
    line = batch.look("hairline") - receding * (0.08 + 0.2 * bare)
    # The hairline comes down at the temples, where the sides begin.
    temple = np.clip((np.abs(u) - 0.72) / 0.28, 0, 1)
    line = line + (0.34 + np.where(long, 0.25, 0)) * temple**1.5
    parting = np.where(style == 1, 0.2 * u * batch.look("parting"), 0)
    fringe = np.where(style == 2, 0.2 * (1 - np.abs(u)) ** 0.3, 0)
    line = line + parting + fringe
    inner_x = u * width * np.where(long, 0.93, 0.96)
    side_y = np.where(long, 0.75, -0.12)
    front_x = _concatenate(batch, outer_x, width * 0.99, inner_x, -width * 0.99)
    front_y = _concatenate(batch, outer_y, side_y, line, side_y)
    return _flat(batch, behind_x, behind_y, -0.1), _turned_hair(batch, front_x, front_y)


def glasses(batch: FaceParameters) -> tuple[list[Floats], Floats]:
    """Outlines (N, 16, 2) of the two lenses, and bridge with temples (N, 3, 2, 2), turned."""
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)[None]
    power = np.where(batch.look("glasses") == 2, 0.5, 0.9)
    cos, sin = np.cos(angle), np.sin(angle)
    round_x = np.sign(cos) * np.abs(cos) ** power * 0.27
    round_y = np.sign(sin) * np.abs(sin) ** power * np.where(batch.look("glasses") == 2, 0.18, 0.235)
    eye_x, eye_y = batch.look("eye_distance") + 0.02, batch.look("eye_height") + 0.04
    lenses = [turn(batch, side * (eye_x + round_x), eye_y + round_y, 0.16) for side in (-1, 1)]
    edge = eye_x + 0.27
    inner, ear = eye_x - 0.26, batch.look("face_width")
    ends_x = np.concatenate([-inner, inner, -edge, -ear, edge, ear], 1)
    ends_y = np.repeat(eye_y - 0.06, 6, axis=1)
    lift = np.array([[0.2, 0.2, 0.16, 0.0, 0.16, 0.0]])
    return lenses, turn(batch, ends_x, ends_y, lift).reshape(-1, 3, 2, 2)


def _concatenate(batch: FaceParameters, *parts: Floats | float) -> Floats:
    """Points side by side, (N, P): parts are (N, p), (1, p) or a number."""
    n = len(batch.units)
    return np.concatenate([np.broadcast_to(part, (n, np.atleast_2d(part).shape[1])) for part in parts], 1)


def _flat(batch: FaceParameters, x: Floats, y: Floats, depth: float = 0.0) -> Floats:
    """Turned points of an outline: what lies in the plane through the ears moves against the features."""
    yaw, pitch = np.deg2rad(batch.look("yaw")), np.deg2rad(batch.look("pitch"))
    back = depth - 0.3
    return np.stack([x + back * np.sin(yaw), y * np.cos(pitch) + back * np.sin(pitch)], axis=-1)


def _turned_hair(batch: FaceParameters, x: Floats, y: Floats) -> Floats:
    """The outer 20 points follow the silhouette, the hairline follows the forehead."""
    outer = _flat(batch, x[:, :20], y[:, :20])
    return np.concatenate([outer, turn(batch, x[:, 20:], y[:, 20:])], axis=1)
