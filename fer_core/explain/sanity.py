"""Does a map depend on what the model has learned? Compare it with the map of the same model as it forgets.

Adebayo et al., 2018, *Sanity Checks for Saliency Maps* (https://arxiv.org/abs/1810.03292): first the head gets random
weights, then stage after stage is added, until the model is as untrained as on its first day. A map that stays the same
shows the face, not the model. Sameness is Spearman's rank correlation with the real map.

The rule, on the mean over draws of the correlation once everything is random:

- 0.9 or more, at every step: the method ignores the model (``no``).
- Above what unrelated maps of the same grid reach 19 times out of 20, and above 0.5: much of it stays (``care``).
- Else it falls apart with the model, as it should (``passes``). That makes it no better than that.

A map without any order (the same everywhere) has no correlation. Where randomising leaves such maps nothing of the
picture is left: such a draw counts as 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from fer_core.emotions import IMAGE_SIZE
from fer_core.explain.base import at_face_size, checked_maps
from fer_core.explain.baselines import random_maps
from fer_core.explain.map_agreement import rank_correlations

Floats = npt.NDArray[np.float64]
Verdict = Literal["passes", "care", "no", "untestable"]
SAME = 0.9
"""Rank correlation from which on people can hardly tell two maps apart."""
MUCH = 0.5
"""Rank correlation from which on two maps plainly share a picture."""
UNRELATED = 100
"""Random maps that the real one is compared with to know what luck does."""

SENTENCES: dict[Verdict, str] = {
    "passes": "The picture falls apart as the model forgets: it depends on what the model has learned. That is the "
    "least to ask of a map; it does not make the map right.",
    "care": "Much of the picture stays when nothing that was learned is left: part of it shows the face, not the "
    "model. Trust it with care.",
    "no": "This method would draw the same picture for an untrained model: it shows the face, not what this model has "
    "learned. Do not take it for an explanation.",
    "untestable": "The real map is the same everywhere, so there is no picture that could fall apart.",
}
HEAD_IGNORED = (
    "With a random head alone the picture hardly changes, although the head decides between the expressions: the map "
    "says where there is something to see, not what speaks for this expression."
)


@dataclass(frozen=True, eq=False)
class Sanity:
    """How alike the maps stayed.

    Attributes:
        steps: names of what was randomised, each together with all before it; the head first.
        correlations: float64 (s, draws), -1..1, with the real map; NaN where a map was flat.
        unrelated: 0..1: unrelated maps of the same grid stay below it 19 times out of 20.
        verdict, sentences: in words.
    """

    steps: tuple[str, ...]
    correlations: Floats
    unrelated: float
    verdict: Verdict
    sentences: tuple[str, ...]

    @property
    def means(self) -> Floats:
        """Mean over the draws of each step, float64 (s,); flat maps count as 0. NaN where the real map is flat."""
        return _means(self.correlations, testable=self.verdict != "untestable")

    @property
    def flat(self) -> int:
        """Maps without any order."""
        return int(np.isnan(self.correlations).sum())


def judge_maps(real: npt.ArrayLike, steps: Sequence[str], maps: npt.ArrayLike, *, seed: int = 0) -> Sanity:
    """Judge the maps (s, draws, h, w) of a model that forgets beside the real one (h, w). See the module for the rule.

    Raises ``ValueError`` for other shapes, no steps, or maps that are not finite.
    """
    first = checked_maps(real)
    stacked = np.asarray(maps, dtype=np.float64)
    if len(first) != 1 or stacked.ndim != 4 or stacked.shape[0] != len(steps) or not stacked.size:
        raise ValueError(f"maps must be ({len(steps)}, draws, h, w) beside one (h, w), not {stacked.shape}")
    correlations = _with(first[0], stacked.reshape(-1, *stacked.shape[2:])).reshape(stacked.shape[:2])
    height, width = first.shape[1:]
    grid = (min(height, IMAGE_SIZE), min(width, IMAGE_SIZE))
    chance = _with(first[0], random_maps(UNRELATED, grid=grid, seed=seed))
    if np.isnan(chance).all():
        return Sanity(tuple(steps), correlations, float("nan"), "untestable", (SENTENCES["untestable"],))
    unrelated = float(np.nanquantile(chance, 0.95))
    means = _means(correlations, testable=True)
    if means.min() >= SAME:
        verdict: Verdict = "no"
    elif means[-1] > max(MUCH, unrelated):
        verdict = "care"
    else:
        verdict = "passes"
    sentences = [SENTENCES[verdict]]
    if verdict != "no" and means[0] >= SAME and len(means) > 1:
        sentences.append(HEAD_IGNORED)
    if np.isnan(correlations).any():
        sentences.append(
            f"{int(np.isnan(correlations).sum())} of {correlations.size} maps of the forgetful model are the same "
            "everywhere; they count as 0."
        )
    return Sanity(tuple(steps), correlations, unrelated, verdict, tuple(sentences))


def _with(real: npt.ArrayLike, maps: npt.ArrayLike) -> Floats:
    """Rank correlation of each map (k, h, w) with the real one, float64 (k,)."""
    return rank_correlations(np.concatenate([at_face_size(real), at_face_size(maps)]))[0, 1:]


def _means(correlations: Floats, *, testable: bool) -> Floats:
    if not testable:
        return np.full(len(correlations), np.nan)
    return np.asarray(np.where(np.isnan(correlations), 0.0, correlations).mean(axis=1))
