"""How likely people are to reject a label: a small logistic model over what some runs say, shipped as a table.

``label_doubt.json`` holds sixteen coefficients. They were fitted on the votes that FER+'s crowd gave the faces
of PublicTest. Rejected means that the crowd's commonest answer is another one than the label, "unknown" and "not a
face" among them; faces without a single commonest answer were left out. ``benchmarks/label_doubt.py`` makes the table,
and ``docs/label-or-model.md`` says how well it does. Nothing here needs the votes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, NAMES
from fer_core.stats.metrics import checked

TABLE = Path(__file__).with_name("label_doubt.json")
SMALLEST = 1e-3
"""A probability below this one counts as this one: how far below says nothing more."""
FEATURES: tuple[str, ...] = (
    *(f"labelled {name}" for name in NAMES),
    *(f"mean log p({name})" for name in NAMES),
    "mean log p(label)",
    "mean p(label)",
)
"""What the model looks at, in the order of the coefficients. Means are over the runs, however many there are."""

Float = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """How often the crowd rejected the label: ``rejected`` of ``faces``, cross-validated, 95 % interval 0..1.

    Where several choices of as many runs were measured, both are the means over those choices."""

    faces: int
    rejected: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.rejected / self.faces


@dataclass(frozen=True)
class Table:
    """The fitted model and where it comes from.

    ``coefficients``: one for each of :data:`FEATURES`. ``runs``: whose answers it was fitted on, or checked with.
    ``fingerprint``: the dataset's. ``verdicts``: by number of runs and kind of verdict, how often the crowd rejected
    labels that it was given for.
    """

    coefficients: tuple[float, ...]
    runs: tuple[str, ...]
    fingerprint: str
    verdicts: dict[int, dict[str, Measured]]

    def measured(self, kind: str, runs: int) -> Measured | None:
        """How often that kind of verdict was right with as many ``runs``, of more than were measured with the most."""
        return self.verdicts[min(runs, max(self.verdicts))].get(kind)

    def beyond(self, fingerprint: str, runs: Sequence[str]) -> str:
        """A sentence where the table is used on other data or other runs than it was made from; else empty."""
        if fingerprint != self.fingerprint:
            return (
                "These shares were measured on FER-2013's PublicTest. These are other data, labelled by other people: "
                "take the order as a hint and the shares as a guess."
            )
        if unknown := [name for name in runs if name not in self.runs]:
            what = "a run" if len(unknown) == 1 else f"{len(unknown)} runs"
            return f"These shares were measured with the models that ship, and {what} here is not among them."
        return ""


@cache
def shipped_table() -> Table:
    """The table of this package."""
    values = json.loads(TABLE.read_text(encoding="utf-8"))
    return Table(
        tuple(values["coefficients"][name] for name in FEATURES),
        (*values["runs"], *values["checked_with"]),
        values["data"]["fingerprint"],
        {int(runs): {kind: Measured(**each) for kind, each in kinds.items()}
         for runs, kinds in values["verdicts"].items()},
    )  # fmt: skip


def features(labels: npt.ArrayLike, probabilities: npt.NDArray[np.floating]) -> Float:
    """What the model looks at: float64 (n, 16), columns as :data:`FEATURES`.

    ``labels``: int (n,), 0..6. ``probabilities``: float (K, n, 7), calibrated, K runs of at least one. Raises
    ``ValueError`` for other shapes, labels outside 0..6 or rows that are no probabilities.
    """
    true, mean = checked(labels, np.asarray(probabilities).mean(axis=0, dtype=np.float64))
    logs = np.log(np.clip(probabilities, SMALLEST, 1)).mean(axis=0, dtype=np.float64)
    at = np.arange(len(true))
    return np.column_stack([np.eye(COUNT)[true], logs, logs[at, true], mean[at, true]])


def label_doubt(labels: npt.ArrayLike, probabilities: npt.NDArray[np.floating]) -> Float:
    """The share of faces like each of these whose label the crowd rejects: float64 (n,), 0..1.

    Arguments and errors as :func:`features`.
    """
    # Not a matrix product, which rounds rows differently: equal faces must be equally doubtful.
    return sigmoid((features(labels, probabilities) * np.array(shipped_table().coefficients)).sum(axis=1))


def sigmoid(values: Float) -> Float:
    """1 / (1 + exp(-values)), without overflow."""
    return 0.5 * (1 + np.tanh(values / 2))
