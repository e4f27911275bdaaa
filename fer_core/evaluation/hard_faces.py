"""How a run does on faces that are hard for a known reason: behind glasses, partly covered, turned away.

Such faces show other expressions than the rest, so accuracies alone do not compare: people behind glasses smile more. A
run's accuracy on a group is therefore put beside what it would be on the rest with as many faces of each label.

``hard_faces.json`` holds the figures of the shipped runs. Which faces are hard was marked by Wang and others, 2020
(https://arxiv.org/abs/1905.04075), on PrivateTest; ``benchmarks/hard_faces.py`` makes the file from their lists.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT
from fer_core.stats.intervals import RESAMPLES, SEED

SHIPPED = Path(__file__).with_name("hard_faces.json")
SOURCE = "https://arxiv.org/abs/1905.04075"
GROUPS: dict[str, str] = {
    "glasses": "Glasses",
    "turned": "Head turned by more than 45°",
    "mouth": "Mouth covered",
    "sides": "Cheek or side covered",
    "forehead": "Forehead covered",
}
"""What makes a face hard, and how a page says it."""


@dataclass(frozen=True)
class Hard:
    """A run on ``n`` faces of a group: its ``accuracy``; what it has on the rest with as many faces of each label,
    ``expected``; and the 95 % interval of the difference, ``gap_low``..``gap_high``. Shares, 0..1."""

    n: int
    accuracy: float
    expected: float
    gap_low: float
    gap_high: float

    @property
    def gap(self) -> float:
        """:attr:`accuracy` less :attr:`expected`."""
        return self.accuracy - self.expected


@dataclass(frozen=True)
class HardFaces:
    """``fingerprint``: the dataset's. ``models``: the hash of each run's model. ``groups``: by group and run, its
    figures."""

    fingerprint: str
    models: dict[str, str]
    groups: dict[str, dict[str, Hard]]

    def of(self, run: str, model: str) -> dict[str, Hard]:
        """By group, the figures of a run with this name and model hash; empty where it was not measured."""
        if self.models.get(run) != model:
            return {}
        return {group: runs[run] for group, runs in self.groups.items() if run in runs}


def hard(labels: npt.NDArray[np.int8], right: npt.NDArray[np.bool_], group: npt.NDArray[np.bool_]) -> Hard:
    """A run on the faces of ``group``, against the rest. All (n,); labels 0..6.

    Raises ``ValueError`` for an empty group, or for a label that occurs in the group alone.
    """
    of_class = labels == np.arange(COUNT)[:, np.newaxis]
    here, rest = (of_class & which for which in (group, ~group))
    n, n_rest = here.sum(axis=1), rest.sum(axis=1)
    there = n > 0
    if not there.any():
        raise ValueError("the group has no face")
    if (n_rest[there] == 0).any():
        raise ValueError("a label occurs in the group alone")
    n, n_rest = n[there], n_rest[there]
    own = (here & right).sum(axis=1)[there] / n
    others = (rest & right).sum(axis=1)[there] / n_rest
    share = n / n.sum()
    generator = np.random.default_rng(SEED)
    gaps = (
        generator.binomial(n, own, (RESAMPLES, len(n))) / n
        - generator.binomial(n_rest, others, (RESAMPLES, len(n))) / n_rest
    ) @ share
    low, high = np.quantile(gaps, [0.025, 0.975])
    return Hard(int(n.sum()), float(own @ share), float(others @ share), float(low), float(high))


@cache
def shipped_hard_faces() -> HardFaces:
    """The figures of this package."""
    values = json.loads(SHIPPED.read_text(encoding="utf-8"))
    groups = {
        group: {run: Hard(**figures) for run, figures in runs.items()} for group, runs in values["groups"].items()
    }
    return HardFaces(values["data"]["fingerprint"], values["models"], groups)
