"""The events of a run's journal, one typed dictionary each. ``docs/ARCHITECTURE.md`` says what each key means.

``event["event"]`` tells them apart, to readers and to mypy alike. Required is what a reader cannot do without; whatever
else is missing, such as a time or a process, is done without.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, NotRequired, get_args

from annotated_types import Ge, Le, Predicate
from typing_extensions import TypedDict, get_type_hints

from fer_core.data.contracts import DatasetRecord
from fer_core.value_types import MOST_EPOCHS, Amount, Count, Epoch, Moment, Name, Sha256, Share


def is_square(rows: list[list[int]]) -> bool:
    """Whether a table has as many columns as rows."""
    return all(len(row) == len(rows) for row in rows)


Number = Annotated[int, Ge(1), Le(MOST_EPOCHS)]
"""An epoch's number."""
Some = Annotated[int, Ge(1)]
Square = Annotated[list[list[Count]], Predicate(is_square)]


class Base(TypedDict):
    """What every event may have."""

    time: NotRequired[Moment]


class StartEvent(Base):
    event: Literal["start"]
    epochs: Number
    steps: Some
    batch_size: Some
    first_epoch: NotRequired[Number]
    pid: NotRequired[int]
    process_started: NotRequired[float]
    train_faces: NotRequired[Count]
    validation_faces: NotRequired[Count]
    precision: NotRequired[str]
    precision_reason: NotRequired[str]
    data: NotRequired[DatasetRecord]
    watched: NotRequired[list[Count]]


class PhaseEvent(Base):
    event: Literal["phase"]
    name: str
    detail: NotRequired[str]


class WeightsEvent(Base):
    event: Literal["weights"]
    file: str
    sha256: str
    parameters: Count
    backbone: Count
    missing: list[str]
    clipped: NotRequired[list[str]]


class TeacherRecord(TypedDict):
    """A run that labelled; ``sha256`` of its ``model.tflite``. It left ``fold`` of ``folds`` out (0: nothing)."""

    name: Name
    sha256: Sha256
    folds: Count
    fold: Count


class TeachersEvent(Base):
    event: Literal["teachers"]
    teachers: list[TeacherRecord]
    faces: Count
    unseen: Count
    agreement: Share


class CrowdEvent(Base):
    event: Literal["crowd"]
    sha256: Sha256
    faces: Count
    not_faces: Count
    unclassed: Count
    agreement: Share


class BatchEvent(Base):
    event: Literal["batch"]
    epoch: Number
    step: Some
    steps: Some
    loss: float
    accuracy: float
    learning_rate: float
    images_per_second: Amount


class EpochEvent(Base):
    event: Literal["epoch"]
    epoch: Number
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: Amount
    images_per_second: Amount
    confusion: Square
    watched: NotRequired[list[list[Share]]]


class CheckpointEvent(Base):
    event: Literal["checkpoint"]
    epoch: Number
    val_accuracy: NotRequired[float]


class PausedEvent(Base):
    event: Literal["paused"]
    epoch: Epoch
    step: Count


class ResumedEvent(Base):
    event: Literal["resumed"]
    epoch: Epoch
    step: Count


class StoppedEvent(Base):
    event: Literal["stopped"]
    epoch: Epoch
    reason: NotRequired[str]


class FailedEvent(Base):
    event: Literal["failed"]
    message: str


class DoneEvent(Base):
    event: Literal["done"]
    seconds: Amount


Event = (
    StartEvent
    | PhaseEvent
    | WeightsEvent
    | TeachersEvent
    | CrowdEvent
    | BatchEvent
    | EpochEvent
    | CheckpointEvent
    | PausedEvent
    | ResumedEvent
    | StoppedEvent
    | FailedEvent
    | DoneEvent
)
NAMES = frozenset(name for one in get_args(Event) for name in get_args(get_type_hints(one)["event"]))


def starts_of(events: Iterable[Event]) -> list[StartEvent]:
    """The starts, oldest first: one a process that trained."""
    return [event for event in events if event["event"] == "start"]


def rank(accuracy: float, loss: float) -> tuple[float, float]:
    """What makes one epoch better than another: a higher accuracy on PublicTest; of equal ones, a lower loss there."""
    return accuracy, -loss


def best_of(epochs: Sequence[EpochEvent]) -> EpochEvent | None:
    """The best epoch by :func:`rank`, of equal ones the first; None where there is none."""
    return max(epochs, key=lambda event: rank(event["val_accuracy"], event["val_loss"]), default=None)


def best_epoch(events: Sequence[Event]) -> int | None:
    """The epoch whose weights are in ``model.keras``: that of the last checkpoint; None before the first."""
    checkpoints = [event["epoch"] for event in events if event["event"] == "checkpoint"]
    return checkpoints[-1] if checkpoints else None
