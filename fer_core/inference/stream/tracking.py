"""Which face in this frame is which face in the last: numbers that stay, boxes that do not jitter.

Boxes are kept in shares of the frame, because a browser may change the frame's size in mid-stream.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fer_core.inference.detectors import Face

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TrackerSettings:
    """How faces are followed.

    ``max_faces``: the largest so many are followed, 1..64. ``confirm``: detections after which a new face is shown,
    so that a detector's single mistake never flashes up. ``hide_after``: detections in a row that may miss a face
    before it is no longer shown. ``forget_s``: seconds after its last detection for which an unseen face keeps its
    number. ``box_s``: time constant in seconds with which a box follows the detector.
    """

    max_faces: int = 8
    confirm: int = 2
    hide_after: int = 3
    forget_s: float = 1.5
    box_s: float = 0.1

    def __post_init__(self) -> None:
        if not (1 <= self.max_faces <= 64 and self.confirm >= 1 and self.hide_after >= 0):
            raise ValueError("max_faces must be 1..64, confirm at least 1, hide_after at least 0")
        if not (self.forget_s >= 0 and self.box_s >= 0):
            raise ValueError("forget_s and box_s must not be negative")


@dataclass
class Track:
    """One face over time.

    ``number`` counts from 1 and is never given twice. ``box``: float64 (4,): x, y of the corner, width, height, in
    shares of the frame. ``landmarks``: float64 (5, 2), likewise, or None. ``seen_s``: when it was last detected.
    """

    number: int
    box: FloatArray
    landmarks: FloatArray | None
    score: float
    seen_s: float
    detections: int = 1
    misses: int = 0
    shown: bool = field(default=False)

    def face(self, height: int, width: int) -> Face:
        """The track in pixels of a frame of ``height`` × ``width``."""
        x, y, wide, high = self.box * (width, height, width, height)
        landmarks = None
        if self.landmarks is not None:
            landmarks = tuple((float(a), float(b)) for a, b in self.landmarks * (width, height))
        return Face(round(x), round(y), max(1, round(wide)), max(1, round(high)), self.score, landmarks)


class Tracker:
    """The faces of one stream. Not to be shared."""

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self.settings = settings or TrackerSettings()
        self.tracks: list[Track] = []
        self._next = 1

    @property
    def shown(self) -> list[Track]:
        """The faces to show, by number."""
        return [track for track in self.tracks if track.shown]

    @property
    def waiting(self) -> bool:
        """Whether a new face waits to be confirmed, so that the detector should look again soon."""
        return any(not track.shown and track.misses == 0 for track in self.tracks)

    def boxes(self) -> FloatArray:
        """The boxes of all tracks, shown or not, float64 (n, 4), in shares of the frame."""
        return np.array([track.box for track in self.tracks], dtype=np.float64).reshape(-1, 4)

    def move(self, boxes: FloatArray) -> None:
        """Put the tracks where they have moved since the last frame; ``boxes`` as :meth:`boxes` gives them.

        Landmarks move and grow with their box. Faces whose middle has left the frame are no longer shown.
        """
        for track, box in zip(self.tracks, boxes, strict=True):
            if track.landmarks is not None:
                track.landmarks = box[:2] + (track.landmarks - track.box[:2]) * (box[2:] / track.box[2:])
            track.box = np.array(box, dtype=np.float64)
            middle = track.box[:2] + track.box[2:] / 2
            if ((middle < 0) | (middle > 1)).any():
                track.shown = False

    def update(self, faces: Sequence[Face], height: int, width: int, time_s: float) -> None:
        """Take in what the detector found in a frame of ``height`` × ``width`` pixels at ``time_s`` seconds.

        The tracks must have been moved to this frame before. Each face goes to the track it overlaps most, or failing
        that to the nearest within half a face; the rest become new tracks, the largest first.
        """
        found = sorted((face for face in faces if _inside(face, height, width)), key=lambda face: -face.area)
        scale = np.array([width, height, width, height], dtype=np.float64)
        boxes = np.array([(f.x, f.y, f.width, f.height) for f in found], dtype=np.float64).reshape(-1, 4) / scale
        pairs = match(self.boxes(), boxes, aspect=width / height)
        taken = {face for _, face in pairs}
        for track, index in ((self.tracks[t], f) for t, f in pairs):
            self._hit(track, found[index], boxes[index], scale[:2], time_s)
        hit = {id(self.tracks[t]) for t, _ in pairs}
        for track in self.tracks:
            if id(track) not in hit:
                track.misses += 1
                track.shown = track.shown and track.misses <= self.settings.hide_after
        self._forget(time_s)
        for index, face in enumerate(found):
            if index in taken:
                continue
            if len(self.tracks) >= self.settings.max_faces and not self._make_room():
                break
            landmarks = None if face.landmarks is None else np.array(face.landmarks) / scale[:2]
            shown = self.settings.confirm == 1
            self.tracks.append(Track(self._next, boxes[index], landmarks, face.score, time_s, shown=shown))
            self._next += 1

    def clear(self) -> None:
        """Forget every face. Numbers go on."""
        self.tracks = []

    def _hit(self, track: Track, face: Face, box: FloatArray, size: FloatArray, time_s: float) -> None:
        """Draw the track towards the detector's box: softly where it jitters, at once where it has really moved."""
        dt = max(0.0, time_s - track.seen_s)
        pull = 1.0 if self.settings.box_s == 0 else -math.expm1(-dt / self.settings.box_s)
        off = float(np.abs((box - track.box) / np.tile(track.box[2:], 2)).max())
        pull = max(pull, min(1.0, off / 0.3))
        landmarks = None if face.landmarks is None else np.array(face.landmarks) / size
        if landmarks is not None and track.landmarks is not None:
            landmarks = track.landmarks + pull * (landmarks - track.landmarks)
        track.box = track.box + pull * (box - track.box)
        track.landmarks = landmarks
        track.score, track.seen_s, track.misses = face.score, time_s, 0
        track.detections += 1
        track.shown = track.shown or track.detections >= self.settings.confirm

    def _forget(self, time_s: float) -> None:
        """Drop faces unseen for too long, and unconfirmed ones at their first miss."""
        self.tracks = [
            track
            for track in self.tracks
            if abs(time_s - track.seen_s) <= self.settings.forget_s
            and not (track.misses and track.detections < self.settings.confirm)
        ]

    def _make_room(self) -> bool:
        """Drop the hidden track that was not seen for longest; False if all are shown or just found."""
        hidden = [track for track in self.tracks if not track.shown and track.misses]
        if not hidden:
            return False
        self.tracks.remove(min(hidden, key=lambda track: track.seen_s))
        return True


def overlaps(a: FloatArray, b: FloatArray) -> FloatArray:
    """Intersection over union of boxes (n, 4) with boxes (m, 4) (x, y, width, height): float64 (n, m), 0..1."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    union = a[:, 2:].prod(axis=1)[:, None] + b[:, 2:].prod(axis=1)[None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def match(tracks: FloatArray, faces: FloatArray, *, aspect: float = 1.0, least: float = 0.2) -> list[tuple[int, int]]:
    """Pairs (track, face) of boxes (n, 4) and (m, 4), each used at most once.

    First by overlap of at least ``least``, the greatest first; then, for small faces that jumped, by distance of the
    middles below half of the mean side and sides within a factor of 1.5, the nearest first. ``aspect``: the frame's
    width over its height, so that distances in shares of the frame mean the same in both directions. Greedy: with at
    most a few faces it differs from the best assignment only where faces swap places within one detection.
    """
    overlap = overlaps(tracks, faces)
    pairs: list[tuple[int, int]] = []
    used_tracks: set[int] = set()
    used_faces: set[int] = set()

    def take(score: FloatArray, enough: npt.NDArray[np.bool_]) -> None:
        for flat in np.argsort(-score, axis=None, kind="stable"):
            track, face = (int(value) for value in np.unravel_index(flat, score.shape))
            if enough[track, face] and track not in used_tracks and face not in used_faces:
                pairs.append((track, face))
                used_tracks.add(track)
                used_faces.add(face)

    take(overlap, overlap >= least)
    unit = np.array([aspect, 1.0])
    middles = [(boxes[:, :2] + boxes[:, 2:] / 2) * unit for boxes in (tracks, faces)]
    sides = [np.sqrt(boxes[:, 2:].prod(axis=1) * aspect) for boxes in (tracks, faces)]
    apart = np.linalg.norm(middles[0][:, None] - middles[1][None], axis=2)
    mean = (sides[0][:, None] + sides[1][None]) / 2
    ratio = np.maximum(sides[0][:, None], sides[1][None]) / np.maximum(
        np.minimum(sides[0][:, None], sides[1][None]), 1e-9
    )
    take(-apart, (apart < mean / 2) & (ratio < 1.5))
    return pairs


def _inside(face: Face, height: int, width: int) -> bool:
    """Whether the box's middle lies in the frame: otherwise there is hardly a face to read."""
    return 0 <= face.x + face.width / 2 <= width and 0 <= face.y + face.height / 2 <= height
