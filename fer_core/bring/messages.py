"""What the process that opens a stranger's file and its parent say to each other: JSON, one object a line."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from fer_core.bring.evidence import TrialRecord
from fer_core.value_types import Amount


class Request(TypedDict):
    """The first line to the child. ``classes``: the columns' names where somebody listed them; ``events``: files of
    TensorBoard, a file, folder or zip; ``keras_alone``: see :class:`fer_core.bring.bounds.Bounds`.
    """

    source: str
    weights: str | None
    scratch: str
    classes: str
    scale: str
    colours: str
    events: str | None
    keras_alone: bool


class Build(TypedDict):
    """The second line to the child: how to adapt the network."""

    scale: str
    output: str
    classes: list[str]
    title: str


class ParityRecord(TypedDict):
    """How far ``model.tflite`` is from the network: see :class:`fer_core.evaluation.export.Parity`."""

    faces: int
    largest_difference: float
    agreement: float
    largest_map_difference: float


class Built(TypedDict):
    """What was built. ``keras``: whether there is a ``model.keras``; ``maps``: whether the file gives class maps.

    ``step``: in which the network's answers come where it computes them in whole numbers, else 0.
    """

    keras: bool
    maps: bool
    why_no_maps: str
    step: Amount
    parity: ParityRecord


class Answer(TypedDict):
    """A line from the child. ``said``: what it does; ``refused``: why nothing comes of it.

    ``cut``: whether it is without a network; ``file``: the kind of file; ``keras``: the version that saved it;
    ``history``: columns of a history, epoch by epoch.
    """

    kind: Literal["said", "refused", "tried", "built"]
    words: NotRequired[str]
    script: NotRequired[list[str]]
    cut: NotRequired[bool]
    file: NotRequired[str]
    keras: NotRequired[str]
    trial: NotRequired[TrialRecord]
    history: NotRequired[dict[str, list[float]]]
    built: NotRequired[Built]
