"""Some runs on all the data that they were measured on: which figures there are, and what they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fer_core.data.contracts import DatasetRecord
from fer_core.emotions import NAMES, PRIVATE_TEST, PUBLIC_TEST
from fer_core.runs.contracts import SplitScores
from fer_core.runs.folder import RunFolder


@dataclass(frozen=True)
class Measured:
    """One run on one dataset.

    Attributes:
        run: its name.
        data: the faces.
        split: what of them the figures are about.
        scores: as in ``metrics.json``.
    """

    run: str
    data: DatasetRecord
    split: str
    scores: SplitScores

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that have faces there, in label order."""
        return tuple(NAMES[index] for index, entry in enumerate(self.scores["per_class"]) if entry["support"])


def across_data(runs: Sequence[RunFolder], split: str = PRIVATE_TEST) -> list[Measured]:
    """Every evaluation of every run, runs in their order. An evaluation that cannot be used is left out, as
    :meth:`~fer_core.runs.folder.RunFolder.evaluation_problems` tells.

    ``split``: where a dataset lacks it, the figures are those of the other test split.
    """
    found = []
    for run in runs:
        for one in run.evaluations():
            splits = one.metrics()["splits"]
            there = next(name for name in (split, PRIVATE_TEST, PUBLIC_TEST) if name in splits)
            found.append(Measured(run.name, one.data, there, splits[there]))
    return found
