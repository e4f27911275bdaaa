"""How faces move from one frame to the next, cheaply, so that the detector need not look at every frame.

Median flow (Kalal et al., 2010, https://doi.org/10.1109/ICPR.2010.675) without its grid of 100 points: a few points of
each box are followed by Lucas and Kanade's optical flow on a small grey copy of the frame; the median of their steps
moves the box, the median change of their distances resizes it.

Chosen by measurement: real faces moving over a textured ground, YuNet at every fourth frame (6 clips of 45 frames, the
box's middle against the truth, in sides of the face). Boxes that wait for the detector are off by 0.099 (median) and
jump by 0.060 from frame to frame, with constant velocity by 0.057 and 0.023, with flow by 0.033 and 0.004. Flow costs
1.5 ms a frame with one face (``benchmarks/live.py``, 2 cores).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.photo import Picture

Boxes = npt.NDArray[np.float64]

LONGEST = 240
"""Pixels of the small copy's longer side. Flow then takes 2 ms for one face, and a face of 60 pixels in a frame of 640
still has 22."""
GRID = 5
"""Points along each side of a box: enough for a median to survive a few points that went astray."""
INNER = 0.15
"""Share of the box left out on each side, where the background shows."""
WORST_RETURN = 1.0
"""Pixels of the small copy that a point, followed there and back, may be off (the forward-backward error)."""
LEAST_POINTS = 6
MOST_ZOOM = 1.15
"""A face that grows faster than this between two frames is taken for points that went astray."""


class MedianFlow:
    """Keeps the small copy of the last frame. One instance for one stream; not to be shared."""

    def __init__(self) -> None:
        self._last: npt.NDArray[np.uint8] | None = None

    def reset(self) -> None:
        """Forget the last frame."""
        self._last = None

    def step(self, frame_bgr: Picture, boxes: Boxes) -> tuple[Boxes, npt.NDArray[np.bool_]]:
        """Where the boxes of the last frame are in this one, and which of them could be followed.

        ``frame_bgr``: uint8 (H, W, 3). ``boxes``: float64 (n, 4): x, y of the corner, width, height, in shares of the
        frame. A box that could not be followed (nothing to hold on to, or a frame of another shape) comes back as it
        was.
        """
        last, now = self._last, small_grey(frame_bgr)
        self._last = now
        moved, followed = boxes.copy(), np.zeros(len(boxes), dtype=bool)
        if last is None or last.shape != now.shape or not len(boxes):
            return moved, followed
        size = np.array([now.shape[1], now.shape[0]], dtype=np.float64)
        share = np.linspace(INNER, 1 - INNER, GRID)
        grid = np.stack(np.meshgrid(share, share), axis=-1).reshape(-1, 2)
        start = (boxes[:, None, :2] + grid[None] * boxes[:, None, 2:]) * size
        inside = ((start >= 0) & (start <= size - 1)).all(axis=2)
        points = start.reshape(-1, 1, 2).astype(np.float32)
        there, found = _follow(last, now, points)
        back, returned = _follow(now, last, there)
        error = np.linalg.norm((back - points)[:, 0], axis=1)
        good = found & returned & (error < WORST_RETURN)
        end = there.reshape(start.shape).astype(np.float64)
        good = good.reshape(inside.shape) & inside
        for number in range(len(boxes)):
            if good[number].sum() < LEAST_POINTS:
                continue
            before, after = start[number][good[number]], end[number][good[number]]
            shift = np.median(after - before, axis=0)
            zoom = _zoom(before, after)
            if not 1 / MOST_ZOOM < zoom < MOST_ZOOM:
                continue
            middle = boxes[number, :2] + boxes[number, 2:] / 2 + shift / size
            sides = boxes[number, 2:] * zoom
            moved[number] = [*(middle - sides / 2), *sides]
            followed[number] = True
        return moved, followed


def small_grey(frame_bgr: Picture) -> npt.NDArray[np.uint8]:
    """The frame in grey, uint8, its longer side at most :data:`LONGEST` pixels."""
    height, width = frame_bgr.shape[:2]
    scale = min(1.0, LONGEST / max(height, width))
    small = frame_bgr
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(cv2.resize(frame_bgr, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(small), cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def _follow(
    start: npt.NDArray[np.uint8], end: npt.NDArray[np.uint8], points: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Where points (n, 1, 2) of one small copy are in another, and which were found (n,)."""
    # OpenCV makes the array for the points itself where it gets none, which its type information leaves out.
    none: npt.NDArray[np.float32] = None  # type: ignore[assignment]
    moved, found, _ = cv2.calcOpticalFlowPyrLK(start, end, points, none, winSize=(11, 11), maxLevel=2)
    return np.asarray(moved, dtype=np.float32), np.asarray(found)[:, 0] == 1


def _zoom(before: npt.NDArray[np.float64], after: npt.NDArray[np.float64]) -> float:
    """The median change of the distances between all pairs of points."""
    first, second = np.triu_indices(len(before), k=1)
    was = np.linalg.norm(before[first] - before[second], axis=1)
    now = np.linalg.norm(after[first] - after[second], axis=1)
    return float(np.median(now / np.maximum(was, 1e-9)))
