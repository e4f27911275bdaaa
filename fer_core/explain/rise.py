"""RISE: show the model the face through many random masks, and see which pixels the high probabilities had in common.

Petsiuk, Das and Saenko, 2018, *RISE: Randomized Input Sampling for Explanation of Black-box Models*
(https://arxiv.org/abs/1806.07421).

The paper estimates the mean probability given that a pixel shows, ``E[f(I * M) M(x)] / E[M(x)]``. So does this module,
with two changes that take out noise and leave what is estimated as it is: each pixel is divided by the light that fell
on it instead of its expectation, and the mean over all masks is subtracted, so that 0 means "makes no difference".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_core.emotions import COUNT, IMAGE_SIZE
from fer_core.explain.base import CHUNK, Faces, Fill, Floats, Predict, ask, checked_face, filling, to_grey
from fer_core.progress import Meter, ProgressCallback

USUAL_MASKS = 2000
"""Masks where nothing else is asked for."""
GRID = 7
"""Cells of a mask along a side, the paper's."""
ENOUGH = 0.8
"""A map whose differences are by this share more than noise shows them well enough."""


@dataclass(frozen=True, eq=False)
class Rise:
    """Maps of one face from ``n`` masks.

    ``maps``: float32 (7, 48, 48), -1..1: how much higher the class's probability is where the pixel shows than over all
    masks. ``standard_error``: float32 (7, 48, 48) > 0, that of each value of ``maps``. ``average``: float32 (7,), mean
    probabilities over all masks; ``maps + average`` is the map of the paper. ``probabilities``: float32 (7,), those of
    the whole face.
    """

    maps: Floats
    standard_error: Floats
    average: Floats
    probabilities: Floats
    n: int

    @property
    def reliability(self) -> Floats:
        """Share of each map's variance over pixels that is not noise, float32 (7,), 0..1; 0 for a flat map."""
        spread = self.maps.var(axis=(1, 2))
        noise = np.square(self.standard_error).mean(axis=(1, 2))
        share = np.divide(spread - noise, spread, out=np.zeros_like(spread), where=spread > 0)
        return np.clip(share, 0, 1)

    def enough(self, label: int) -> str:
        """A sentence about class ``label``: were there enough masks? Enough is a reliability of :data:`ENOUGH`."""
        share = float(self.reliability[label])
        if share >= ENOUGH:
            return f"{self.n:,} masks were enough: about {share:.0%} of what this map shows is not noise."
        if share <= 0:
            return (
                f"After {self.n:,} masks this map is no more than noise. Take more; if that does not help, no single "
                "place in this face decides."
            )
        # Noise falls in proportion to the number of masks, what is there stays.
        wanted = self.n * (1 - share) / share * ENOUGH / (1 - ENOUGH)
        return (
            f"{self.n:,} masks were too few: only about {share:.0%} of what this map shows is not noise. "
            f"Try about {_rounded_up(wanted):,}."
        )


def rise(
    predict: Predict,
    face: Faces,
    *,
    n: int = USUAL_MASKS,
    grid: int = GRID,
    p: float = 0.5,
    fill: Fill = "mean",
    seed: int = 0,
    progress: ProgressCallback | None = None,
) -> Rise:
    """Maps of all seven classes for one face uint8 (48, 48), in one pass of ``n`` predictions and one more.

    ``grid``: cells of a mask along each side, 2..24 (7 is the paper's). ``p``: the share of cells that show, in (0, 1).
    ``fill``: what shows in place of the face, see :data:`fer_core.explain.base.Fill`; the paper's is black, 0, which a
    model of faces takes for hair and shadow. The same ``seed`` gives the same masks for every face and every model.
    Raises ``ValueError`` for other shapes or ranges, or fewer than two masks.
    """
    face = checked_face(face)
    if n < 2 or not 2 <= grid <= 24 or not 0 < p < 1:
        raise ValueError(f"n must be 2 or more, grid 2..24 and p in (0, 1), not {n}, {grid} and {p}")
    other = filling(face, fill)[0]
    meter = Meter(progress, "masks", "Looking through random masks")
    answers = np.empty((n, COUNT), dtype=np.float32)
    for start in range(0, n, CHUNK):
        shown = masks(start, min(n, start + CHUNK), grid=grid, p=p, seed=seed)
        variants = to_grey(other + shown * (face - other))
        answers[start : start + len(variants)] = ask(predict, variants, meter, done=start, total=n)
    average = answers.mean(axis=0, dtype=np.float64)
    rest = (answers - average).astype(np.float32)
    # The masks are drawn again rather than kept: 4,000 of them would be 37 MB, and drawing is cheap.
    light, light2 = np.zeros(IMAGE_SIZE**2), np.zeros(IMAGE_SIZE**2)
    first, second, third = (np.zeros((COUNT, IMAGE_SIZE**2)) for _ in range(3))
    for start in range(0, n, CHUNK):
        flat = masks(start, min(n, start + CHUNK), grid=grid, p=p, seed=seed).reshape(-1, IMAGE_SIZE**2)
        part = rest[start : start + len(flat)]
        light += flat.sum(axis=0)
        light2 += np.square(flat).sum(axis=0)
        first += part.T @ flat
        second += np.square(part).T @ flat
        third += np.square(part).T @ np.square(flat)
    # No more than 1e-9 of a mask's light on a pixel happens with few masks and small p only: nothing is known there.
    light = np.maximum(light, 1e-9)
    maps = first / light
    # Each mask weighs M / sum(M) - 1 / n, so the variance is the sum of the squares of weight times rest.
    variance = third / light**2 - 2 * second / (light * n) + np.square(rest).sum(axis=0)[:, np.newaxis] / n**2
    shape = (COUNT, IMAGE_SIZE, IMAGE_SIZE)
    return Rise(
        maps.reshape(shape).astype(np.float32),
        np.sqrt(np.maximum(variance, 0)).reshape(shape).astype(np.float32),
        average.astype(np.float32),
        ask(predict, face[np.newaxis])[0],
        n,
    )


def masks(start: int, stop: int, *, grid: int = GRID, p: float = 0.5, seed: int = 0) -> Floats:
    """Masks number ``start`` to ``stop`` (exclusive) of the endless series of ``seed``: float32 (m, 48, 48), 0..1.

    A coarse random pattern of cells that are on with probability ``p``, drawn larger than the face by one cell,
    smoothed bilinearly and shifted by less than a cell, as in the paper. ``start`` must be a multiple of the chunk that
    :func:`rise` works in: each chunk has a generator of its own.
    """
    rng = np.random.default_rng([seed, start])
    m = stop - start
    cell = -(-IMAGE_SIZE // grid)
    cells = (rng.random((m, grid + 1, grid + 1)) < p).astype(np.float32)
    offsets = rng.integers(0, cell, (2, m))
    # Row y of the enlarged pattern as a mix of two rows of cells; linear, so enlarging is two small products.
    middle = np.clip((np.arange((grid + 1) * cell) + 0.5) / cell - 0.5, 0, grid)
    mix = np.maximum(0, 1 - np.abs(middle[:, np.newaxis] - np.arange(grid + 1))).astype(np.float32)
    window = np.arange(IMAGE_SIZE)
    rows, columns = (mix[window + offset[:, np.newaxis]] for offset in offsets)
    return np.asarray(rows @ cells @ columns.transpose(0, 2, 1), dtype=np.float32)


def _rounded_up(number: float) -> int:
    """To one leading figure, upwards: 2,345 becomes 3,000."""
    size = 10 ** (len(str(max(1, int(number)))) - 1)
    return int(-(-number // size) * size)
