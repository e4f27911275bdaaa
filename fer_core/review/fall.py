"""How models made for photographs fall on drawn faces: how often they are right, and what they no longer find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fer_core.errors import RunError
from fer_core.formatting import listed, percent
from fer_core.runs.contracts import Metrics
from fer_core.runs.folder import RunFolder

RARELY = 0.1
"""An expression is hardly ever found where less than this share of its faces is, over all runs."""


@dataclass(frozen=True)
class Fall:
    """Some runs on photographs and on drawings.

    Attributes:
        title: what the photographs are called.
        photographs, drawings: lowest and highest accuracy of the runs, 0..1.
        missed: the expressions that are hardly ever found on the drawings, with the share found, 0..1.
    """

    title: str
    photographs: tuple[float, float]
    drawings: tuple[float, float]
    missed: tuple[tuple[str, float], ...]

    def sentence(self, *, in_full: bool = True) -> str:
        """What is to be learned from it; ``in_full``, with a second sentence on what is missed."""
        there, here = (
            " to ".join(dict.fromkeys((f"{100 * low:.0f}", f"{100 * high:.0f}"))) for low, high in self._spans
        )
        text = f"Drawings are not photographs: models right on {there} % of {self.title} reach {here} % here."
        if self.missed and in_full:
            names = [f"{name} ({percent(share, 0)})" for name, share in self.missed]
            text += f" Hardly found: {listed(names)}."
        return text

    @property
    def _spans(self) -> tuple[tuple[float, float], tuple[float, float]]:
        return self.photographs, self.drawings


def fall(runs: Sequence[RunFolder], fingerprint: str, split: str) -> Fall | None:
    """The fall of those of ``runs`` that were made for photographs, on the drawn faces with this ``fingerprint``.

    None where these faces are photographs, too, or no such run was measured on ``split`` of both.
    """
    pairs = [pair for run in runs if (pair := _pair(run, fingerprint, split)) is not None]
    if not pairs:
        return None
    there, here = ([one["splits"][split] for one in side] for side in zip(*pairs, strict=True))
    first, last = (
        (min(scores["accuracy"] for scores in side), max(scores["accuracy"] for scores in side))
        for side in (there, here)
    )
    missed = []
    for rows in zip(*(scores["per_class"] for scores in here), strict=True):
        faces = sum(row["support"] for row in rows)
        found = sum((row["recall"] or 0.0) * row["support"] for row in rows)
        if faces and found / faces < RARELY:
            missed.append((rows[0]["emotion"], found / faces))
    return Fall(pairs[0][0]["data"]["title"], first, last, tuple(missed))


def _pair(run: RunFolder, fingerprint: str, split: str) -> tuple[Metrics, Metrics] | None:
    """A run's metrics on photographs and on these drawings; None where it lacks one, or one is damaged."""
    try:
        own, other = run.metrics(), run.metrics(fingerprint)
    except RunError:
        return None  # who shows the figures says what is wrong with them
    if own is None or other is None or own["data"]["kind"] == "sample" or other["data"]["kind"] != "sample":
        return None
    return (own, other) if split in own["splits"] and split in other["splits"] else None
