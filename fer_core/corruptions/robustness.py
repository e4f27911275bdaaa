"""How many answers survive when faces get worse: accuracy under :mod:`fer_core.corruptions.kinds`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

from fer_core.corruptions.kinds import CORRUPTIONS, SEVERITIES, corrupt
from fer_core.emotions import COUNT
from fer_core.explain.base import Faces, Predict, ask, checked_faces
from fer_core.progress import Meter, ProgressCallback
from fer_core.stats.intervals import wilson_interval
from fer_core.value_types import JsonObject

Answers = npt.NDArray[np.int8]
Shares = npt.NDArray[np.float64]
Kind = Literal["lost", "won", "changed"]


@dataclass(frozen=True, eq=False)
class Robustness:
    """One model's answers to n faces, untouched and made worse in k ways at five severities.

    ``names``: the k corruptions. ``labels``, ``clean``: int8 (n,), 0..6, the labels and the answers to the untouched
    faces. ``answers``: int8 (k, 5, n), those to the faces made worse. ``keys``: int64 (n,), the faces' own numbers.
    ``seed``: what :func:`fer_core.corruptions.kinds.corrupt` needs to make the very same faces again.
    """

    names: tuple[str, ...]
    labels: Answers
    clean: Answers
    answers: Answers
    keys: npt.NDArray[np.int64]
    seed: int

    @property
    def clean_accuracy(self) -> float:
        """Share of right answers to the untouched faces, 0..1; NaN without a face."""
        return float((self.clean == self.labels).mean()) if len(self.labels) else float("nan")

    def clean_interval(self) -> tuple[float, float, float]:
        """:attr:`clean_accuracy` with its 95 % Wilson interval: value, low, high, 0..1; NaN without a face."""
        low, high = wilson_interval((self.clean == self.labels).sum(), len(self.labels))
        return self.clean_accuracy, float(low), float(high)

    def accuracy(self) -> tuple[Shares, Shares, Shares]:
        """Share of right answers with its 95 % Wilson interval: value, low, high, each float64 (k, 5), 0..1."""
        right, n = (self.answers == self.labels).sum(axis=2), len(self.labels)
        low, high = wilson_interval(right, n)
        value = right / n if n else np.full(right.shape, np.nan)
        return value, low, high

    def mean_accuracy(self) -> float:
        """The mean over all corruptions and severities, 0..1: one number for robustness."""
        return float(self.accuracy()[0].mean())

    def mean_interval(self) -> tuple[float, float]:
        """The 95 % interval of :meth:`mean_accuracy` over faces, 0..1; NaN with fewer than two.

        All answers to one face hang together, so what varies is the share of right answers of each face.
        """
        n = len(self.labels)
        if n < 2:
            return float("nan"), float("nan")
        of_faces = (self.answers == self.labels).mean(axis=(0, 1))
        reach = NormalDist().inv_cdf(0.975) * float(of_faces.std(ddof=1)) / math.sqrt(n)
        mean = float(of_faces.mean())
        return max(0.0, mean - reach), min(1.0, mean + reach)

    def where(self, keep: npt.ArrayLike) -> Robustness:
        """The same of the faces where ``keep``, bool (n,), is true. Raises ``ValueError`` for another shape or type."""
        mask = np.asarray(keep)
        if mask.shape != self.labels.shape or mask.dtype != np.bool_:
            raise ValueError(f"a mask of {len(self.labels)} true or false was expected, not {mask.dtype} {mask.shape}")
        return replace(
            self,
            labels=self.labels[mask],
            clean=self.clean[mask],
            answers=self.answers[:, :, mask],
            keys=self.keys[mask],
        )

    def flipped(self, name: str, severity: int, kind: Kind = "lost") -> npt.NDArray[np.intp]:
        """Positions 0..n-1, ascending, of the faces whose answer changed: see ``kind``.

        ``lost``: right before and wrong now; ``won``: the reverse; ``changed``: any other answer than before, right or
        wrong. Raises ``ValueError`` for an unknown corruption, severity or kind.
        """
        if name not in self.names or severity not in SEVERITIES:
            raise ValueError(
                f"{name!r} at severity {severity} was not measured; there are {', '.join(self.names)} at 1 to 5"
            )
        now = self.answers[self.names.index(name), severity - 1]
        before_right, now_right = self.clean == self.labels, now == self.labels
        chosen = {"lost": before_right & ~now_right, "won": ~before_right & now_right, "changed": now != self.clean}
        if kind not in chosen:
            raise ValueError(f"kind must be one of {', '.join(chosen)}, not {kind!r}")
        return np.flatnonzero(chosen[kind])

    def flips(self, kind: Kind = "lost") -> npt.NDArray[np.int64]:
        """How many faces flipped, int64 (k, 5)."""
        counts = [[len(self.flipped(name, severity, kind)) for severity in SEVERITIES] for name in self.names]
        return np.array(counts, dtype=np.int64).reshape(len(self.names), len(SEVERITIES))

    def summary(self) -> JsonObject:
        """Plain values for JSON: ``n``, ``seed``, ``clean``, ``mean`` and five numbers a corruption of each kind."""
        value, low, high = self.accuracy()
        lost = self.flips("lost")
        return {
            "n": len(self.labels),
            "seed": self.seed,
            "clean": self.clean_accuracy,
            "mean": self.mean_accuracy(),
            "corruptions": {
                name: {
                    "strengths": list(CORRUPTIONS[name].strengths),
                    "accuracy": value[row].tolist(),
                    "low": low[row].tolist(),
                    "high": high[row].tolist(),
                    "lost": lost[row].tolist(),
                }
                for row, name in enumerate(self.names)
            },
        }


def evaluate_corruptions(
    predict: Predict,
    images: Faces,
    labels: npt.ArrayLike,
    *,
    names: Sequence[str] = tuple(CORRUPTIONS),
    keys: npt.ArrayLike | None = None,
    seed: int = 0,
    progress: ProgressCallback | None = None,
) -> Robustness:
    """Ask a model about faces uint8 (n, 48, 48) with labels (n,), 0..6, made worse in every way and severity.

    ``names``: which corruptions, all by default. ``keys``: the faces' row numbers, 0..n-1 by default. Costs
    ``n * (1 + 5 * len(names))`` predictions. The same arguments give the same faces on every machine with the same
    OpenCV. Raises ``ValueError`` for no faces, other shapes or labels, or unknown corruptions.
    """
    faces = checked_faces(images)
    true = np.asarray(labels)
    if not len(faces) or true.shape != (len(faces),) or true.dtype.kind not in "iu":
        raise ValueError(f"labels must be {len(faces)} whole numbers, and at least one, not {true.dtype} {true.shape}")
    if true.min() < 0 or true.max() >= COUNT:
        raise ValueError(f"labels must lie in 0..{COUNT - 1}")
    if not names or set(names) - set(CORRUPTIONS) or len(set(names)) < len(names):
        raise ValueError(f"names must be some of {', '.join(CORRUPTIONS)}, each once, not {list(names)}")
    numbers = np.arange(len(faces)) if keys is None else np.asarray(keys)
    n = len(faces)
    total = n * (1 + len(names) * len(SEVERITIES))
    meter = Meter(progress, "predictions", "Making faces worse")
    clean = ask(predict, faces, meter, total=total).argmax(axis=1).astype(np.int8)
    answers = np.empty((len(names), len(SEVERITIES), n), dtype=np.int8)
    done = n
    for row, name in enumerate(names):
        for severity in SEVERITIES:
            worse = corrupt(faces, name, severity, keys=numbers, seed=seed)
            answers[row, severity - 1] = ask(predict, worse, meter, done=done, total=total).argmax(axis=1)
            done += n
    return Robustness(tuple(names), true.astype(np.int8), clean, answers, numbers.astype(np.int64), seed)
