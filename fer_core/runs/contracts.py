"""What the files of a run folder hold, as typed dictionaries. ``docs/ARCHITECTURE.md`` says what each key means.

A key that older files lack is ``NotRequired``; unknown keys are allowed, since a later version of the same schema may
add some. :mod:`fer_core.runs.reading` reads files against these.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NotRequired

from typing_extensions import TypedDict

from fer_core.data.contracts import DatasetRecord
from fer_core.stats.metrics import Accuracy, Scores
from fer_core.value_types import Amount, Count, Epoch, Gain, Line, Moment, Name, Positive, Sha256, Share, Text


class RunState(StrEnum):
    """What became of a run. Only the first two stand in a ``run.json``; the others are what a folder looks like."""

    DONE = "done"
    STOPPED = "stopped"
    UNFINISHED = "unfinished"
    DAMAGED = "damaged"


class Origin(StrEnum):
    """Where a run comes from: trained here, several others, somebody else's model, or only such a model's answers."""

    TRAINED = "trained"
    VOTE = "vote"
    IMPORTED = "imported"
    PREDICTIONS = "predictions"


BROUGHT = (Origin.IMPORTED, Origin.PREDICTIONS)
"""Made elsewhere."""


class FileRecord(TypedDict):
    """What a manifest promises of a file."""

    sha256: Sha256
    bytes: Count


class RunManifest(TypedDict):
    """``run.json``. ``origin`` came with schema 2; ``labels`` is there where it was not the
    dataset's labels that were learnt; ``best_epoch`` is None where nothing was trained."""

    schema: int
    id: Line
    name: Line
    title: Name
    architecture: Line
    created: Moment
    state: Literal[RunState.DONE, RunState.STOPPED]
    data: DatasetRecord
    epochs: Epoch
    best_epoch: Epoch | None
    versions: dict[str, str]
    files: dict[str, FileRecord]
    origin: NotRequired[Origin]
    labels: NotRequired[str]


class EvaluationManifest(TypedDict):
    """``evaluation.json``. ``model``: sha256 of the measured ``model.tflite``, of a vote that of ``vote.json``."""

    schema: int
    data: DatasetRecord
    model: Sha256
    files: dict[str, FileRecord]
    created: Moment


class CommitRecord(TypedDict):
    """``.commit.json``: what a change of a run folder is to move out of its hidden folder, and what is to go."""

    prepared: Name
    moves: list[str]
    removals: list[str]


class ScoresWithoutNearDuplicates(Scores):
    """The scores on the faces without a near duplicate in Training; ``rule`` says what was left out, in a sentence."""

    rule: Text


class FlipAverage(Accuracy):
    """The mean over each face and its mirror image; ``gain`` is its accuracy less that of the single pass."""

    macro_f1: Share
    gain: Gain
    gain_low: Gain
    gain_high: Gain


class SplitScores(Scores):
    """All that ``metrics.json`` holds of one split. ``without_twins`` is what schema 1 calls the key before it."""

    without_near_duplicates: NotRequired[ScoresWithoutNearDuplicates | None]
    without_twins: NotRequired[ScoresWithoutNearDuplicates | None]
    flip_average: NotRequired[FlipAverage]


class TemperatureScores(TypedDict):
    """What a temperature does on one split: ECE and log loss (nats) before and after."""

    ece_before: Amount
    ece_after: Amount
    log_loss_before: Amount
    log_loss_after: Amount


class Temperature(TypedDict):
    """The temperature that logits are divided by, and what it does."""

    value: Positive
    fitted_on: Name
    splits: dict[str, TemperatureScores]


class Opened(TypedDict):
    """That PrivateTest was opened: when last, for which model (SHA-256), and how many looks the run had by then."""

    when: Moment
    model: Sha256
    looks: Count
    at_least: bool


class LitertScores(TypedDict):
    """How accurate ``model.tflite`` itself is on one split."""

    n: Count
    accuracy: Share


class Timing(TypedDict, total=False):
    """How long one call with class maps takes for one face, with how many threads, and where.

    Nothing where only a model's answers were brought: there is no model to time.
    """

    milliseconds_per_face: Amount
    threads: Count
    machine: Line


class Metrics(Timing):
    """``metrics.json``."""

    schema: int
    data: DatasetRecord
    seed: Count
    resamples: Count
    splits: dict[str, SplitScores]
    megabytes: dict[str, Amount]
    temperature: NotRequired[Temperature | None]
    opened: NotRequired[Opened]
    litert: NotRequired[dict[str, LitertScores]]


class MemberRecord(TypedDict):
    """One run that votes. ``sha256`` is of its ``model.tflite``."""

    name: Name
    architecture: Line
    weight: Share
    temperature: Positive
    sha256: Sha256


class VoteRecord(TypedDict):
    """``vote.json``."""

    schema: int
    members: list[MemberRecord]
    chosen_on: Name
    method: Text


class FitRecord(TypedDict):
    """How well one order of a brought model's classes does on labelled faces, at one scale of their pixels."""

    order: Name
    classes: list[Line]
    accuracy: Share
    low: Share
    high: Share
    log_loss: NotRequired[Amount]
    scale: NotRequired[Name]
    output: NotRequired[Name]


class EvidenceRecord(TypedDict):
    """What the order of the classes, and of a model the scale of its pixels, were found out on.

    ``split``: where the faces come from; ``most_frequent``: the accuracy of always answering one class; ``fits``: all
    that was tried, the best first; ``chosen_by``: ``evidence`` or ``owner``.
    """

    data: DatasetRecord
    split: Name
    faces: Count
    most_frequent: Share
    fits: list[FitRecord]
    chosen_by: Literal["evidence", "owner"]


class AdapterRecord(TypedDict):
    """What is done to a face before a brought model sees it, and what its answers are.

    ``scale``: its name in :mod:`fer_core.bring.adapter`; ``pixels``: the same in words; ``output``: ``probabilities``,
    ``logits`` or ``separate``; ``maps``: whether ``model.tflite`` gives class maps; ``step``: in which the answers
    come, where the file computes them in whole numbers.
    """

    height: Count
    width: Count
    channels: Count
    scale: Name
    pixels: Line
    output: Name
    maps: bool
    step: NotRequired[Positive]


class ImportRecord(TypedDict):
    """``import.json``. ``source``: the name of the file that was brought, ``sha256`` of its content, ``kind`` of file.

    ``classes``: what each of its columns is about, in their order; ``left_out``: those of them that are none of the
    seven; ``missing``: those of the seven that it never answers.
    """

    schema: int
    source: Name
    sha256: Sha256
    kind: Line
    created: Moment
    order: Name
    classes: list[Line]
    left_out: list[Line]
    missing: list[Line]
    evidence: EvidenceRecord
    adapter: NotRequired[AdapterRecord]


class AboutRecord(TypedDict):
    """``about`` of what is measured on request: see :class:`fer_core.runs.measurements.About`."""

    rule: int
    model: Sha256
    data: DatasetRecord
    split: Name
    of: Count


class AugmentationRecord(TypedDict, total=False):
    """``augmentation`` of ``recipe.json``; what is left out has the default of :class:`fer_core.runs.recipe`."""

    flip: bool
    shift: float
    rotation: float
    zoom: float
    erasing: float
    mixup: float


class RecipeRecord(TypedDict):
    """``recipe.json``; what is left out has the default of :class:`fer_core.runs.recipe.Recipe`."""

    architecture: Name
    epochs: NotRequired[int]
    batch_size: NotRequired[int]
    optimizer: NotRequired[str]
    learning_rate: NotRequired[float]
    schedule: NotRequired[str]
    warmup_epochs: NotRequired[float]
    plateau_patience: NotRequired[int]
    weight_decay: NotRequired[float]
    clip_norm: NotRequired[float]
    label_smoothing: NotRequired[float]
    labels: NotRequired[str]
    class_weights: NotRequired[str]
    sampling: NotRequired[str]
    augmentation: NotRequired[AugmentationRecord]
    early_stopping: NotRequired[int]
    precision: NotRequired[str]
    backend: NotRequired[str]
    seed: NotRequired[int]
    input_size: NotRequired[int]
    start_size: NotRequired[int]
    start_epochs: NotRequired[int]
    initial_weights: NotRequired[str]
    frozen_epochs: NotRequired[int]
    fine_tune_from: NotRequired[str]
    fine_tune_factor: NotRequired[float]
    averaging: NotRequired[float]
    teachers: NotRequired[list[Name]]
    soft_weight: NotRequired[float]
    soft_temperature: NotRequired[float]
    folds: NotRequired[int]
    fold: NotRequired[int]
    name: NotRequired[Line]


class LayerRecord(TypedDict):
    """One operation of ``architecture.json``; ``inputs`` are names of other layers."""

    name: Name
    type: Name
    output_shape: list[Count]
    parameters: Count
    multiply_adds: Count
    inputs: list[Name]


class DescriptionRecord(TypedDict):
    """``architecture.json``."""

    name: Name
    title: Line
    input_size: Count
    layers: list[LayerRecord]
    parameters: Count
    trainable_parameters: Count
    multiply_adds: Count
    map_grid: list[Count]


class HistoryRow(TypedDict):
    """One line of ``history.csv``: losses in nats, accuracies 0..1, seconds of wall time without pauses."""

    epoch: Epoch
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: Amount
