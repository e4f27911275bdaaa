"""The smallest patch that flips the answer: cover so little of a face, and the model says something else.

A counterfactual by search. It shows how little an answer may hang on; that the part is *the* reason it does not show,
since a model has an opinion about the patch, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer_core.emotions import IMAGE_SIZE
from fer_core.explain.base import Faces, Fill, Predict, ask, checked_face, filling, to_grey
from fer_core.explain.occlusion import covered, patches
from fer_core.explain.poke import steps
from fer_core.explain.regions import Corners
from fer_core.progress import Meter, ProgressCallback

SIZES = (4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24)
"""Sides of the squares tried, in pixels, from an eye's iris to a quarter of the face."""


@dataclass(frozen=True, eq=False)
class Flip:
    """The patch ``box`` (x0, y0, x1, y1) in pixels, x1 and y1 exclusive, that turns class ``before`` into ``after``.

    ``probabilities``: float32 (7,), with the patch; ``untouched``: float32 (7,), without. ``face``: uint8 (48, 48), the
    face with the patch. ``tried``: patches tried until then. ``share``: the patch's share of the face, 0..1.
    """

    box: Corners
    before: int
    after: int
    probabilities: npt.NDArray[np.float32]
    untouched: npt.NDArray[np.float32]
    face: Faces
    tried: int

    @property
    def share(self) -> float:
        x0, y0, x1, y1 = self.box
        return (x1 - x0) * (y1 - y0) / IMAGE_SIZE**2

    @property
    def step(self) -> steps.Box:
        """The patch as a change to the face. Raises ``ValueError`` for a patch of several greys, as a blur makes."""
        x0, y0, x1, y1 = self.box
        greys = np.unique(self.face[y0:y1, x0:x1])
        if len(greys) != 1:
            raise ValueError("a patch of several greys is no box of one")
        return steps.Box(x0, y0, x1, y1, int(greys[0]))


def smallest_flip(
    predict: Predict,
    face: Faces,
    *,
    sizes: Sequence[int] = SIZES,
    fill: Fill = "mean",
    progress: ProgressCallback | None = None,
) -> Flip | None:
    """Search squares of each size in turn, smallest first; None where none of them changes the answer.

    Squares of one size are asked about together, a quarter of their side apart (at least 2 pixels), so the result is
    the smallest among these sizes and places. Of several that flip the answer, the one whose new class leads the old
    one by most is taken, and of equals the first, row by row. ``fill``: what covers, see
    :data:`fer_core.explain.base.Fill`. ``progress`` counts all squares; a search that succeeds ends early. Raises
    ``ValueError`` for another shape, no sizes, or sizes that are not 1..48.
    """
    face = checked_face(face)
    ordered = sorted(set(sizes))
    if not ordered or ordered[0] < 1 or ordered[-1] > IMAGE_SIZE:
        raise ValueError(f"sizes must be whole numbers in 1..{IMAGE_SIZE}, not {list(sizes)}")
    boxes = {size: patches(size, min(size, max(2, size // 4))) for size in ordered}
    total = sum(len(some) for some in boxes.values())
    meter = Meter(progress, "patches", "Looking for the smallest patch that changes the answer")
    replacement = to_grey(filling(face, fill))[0]
    untouched = ask(predict, face[np.newaxis])[0]
    before, tried = int(untouched.argmax()), 0
    for some in boxes.values():
        variants = covered(face, some, replacement)
        answers = ask(predict, variants, meter, done=tried, total=total)
        tried += len(some)
        lead = answers.max(axis=1) - answers[:, before]
        flipped = answers.argmax(axis=1) != before
        if flipped.any():
            best = int(np.where(flipped, lead, -1).argmax())
            x0, y0, x1, y1 = (int(value) for value in some[best])
            after = int(answers[best].argmax())
            return Flip((x0, y0, x1, y1), before, after, answers[best], untouched, variants[best], tried)
    return None
