"""The recipe: every choice needed to train a run again, and nothing else.

A recipe is plain data. It is written to ``recipe.json`` before the first batch, and
``python -m fer_core train --recipe recipe.json --data D`` trains it again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

from fer_core.errors import RecipeError
from fer_core.reading import UnreadableError, read_text
from fer_core.value_types import LONGEST_LINE, MOST_EPOCHS, JsonObject, is_line
from fer_core.zoo.backend import TITLES

OPTIMIZERS = ("adam", "sgd")
SCHEDULES = ("cosine", "plateau", "constant")
CLASS_WEIGHTS = ("none", "sqrt", "balanced")
SAMPLINGS = ("shuffled", "balanced")
LABELS = ("dataset", "crowd")
LARGEST = 2**63 - 1
"""Of whole numbers. JSON knows no limit, and larger ones cannot be computed with."""
MOST_BYTES = 100_000
"""Of a recipe's file. One has 1,500."""
MOST_TEACHERS = 50
PRECISIONS = ("auto", "float32", "mixed_bfloat16")
BACKENDS = tuple(TITLES)
RANGES: dict[str, tuple[float, float]] = {
    "epochs": (1, MOST_EPOCHS),
    "batch_size": (2, 4096),
    "learning_rate": (1e-7, 10),
    "warmup_epochs": (0, MOST_EPOCHS),
    "plateau_patience": (1, 1000),
    "weight_decay": (0, 1),
    "clip_norm": (0, 1000),
    "label_smoothing": (0, 0.9),
    "early_stopping": (0, MOST_EPOCHS),
    "seed": (0, 2**31 - 1),
    "frozen_epochs": (0, MOST_EPOCHS),
    "fine_tune_factor": (1e-6, 10),
    "input_size": (32, 224),
    "start_epochs": (0, MOST_EPOCHS - 1),
    "start_size": (32, 224),
    "augmentation.shift": (0, 0.5),
    "augmentation.rotation": (0, 45),
    "augmentation.zoom": (0, 0.5),
    "augmentation.erasing": (0, 1),
    "augmentation.mixup": (0, 10),
    "averaging": (0, 0.99999),
    "soft_weight": (0, 1),
    "soft_temperature": (0.1, 100),
    "folds": (0, 20),
    "fold": (0, 20),
}
"""What each number may be, both ends included: for :meth:`Recipe.validate`, the command line and the form of the page
Train. Runs are read only within these: widen a range, never narrow it. Other fields may narrow it in one recipe."""


@dataclass(frozen=True)
class Augmentation:
    """Random changes to training faces, each drawn anew for every face and epoch. All off by default: 0.

    ``flip``: mirror half of the faces. ``shift``: up to this fraction of the width, both ways. ``rotation``: up to this
    many degrees, both ways. ``zoom``: up to this fraction in or out. ``erasing``: probability that a rectangle is
    replaced by noise (Zhong et al., 2017, https://arxiv.org/abs/1708.04896). ``mixup``: alpha of the Beta distribution
    that blends pairs of faces and their labels (Zhang et al., 2017, https://arxiv.org/abs/1710.09412). Their ranges:
    :data:`RANGES`.
    """

    flip: bool = False
    shift: float = 0.0
    rotation: float = 0.0
    zoom: float = 0.0
    erasing: float = 0.0
    mixup: float = 0.0

    @property
    def active(self) -> bool:
        return self != Augmentation()


@dataclass(frozen=True)
class Recipe:
    """How to train one run. :meth:`validate` says what is wrong with it in words.

    ``optimizer`` ``adam`` is AdamW (decoupled ``weight_decay``), ``sgd`` has Nesterov momentum 0.9.
    ``schedule``: ``cosine`` falls to 0 over all epochs, ``plateau`` halves the rate after
    ``plateau_patience`` epochs without a better PublicTest accuracy, ``constant`` stays. ``warmup_epochs`` rise
    linearly from 0 first.
    ``clip_norm``: a step whose gradients are longer than this, all taken together, is shortened to it (0: none is;
    Pascanu et al., 2013, https://arxiv.org/abs/1211.5063).
    ``labels``: what is learnt of a face, ``dataset``'s one label, or how the ``crowd`` of FER+ divides its votes among
    the seven classes (label distribution learning; Barsoum et al., 2016, https://arxiv.org/abs/1608.01041), which needs
    FER+ beside the data. PublicTest is measured by the dataset's labels either way.
    ``class_weights``: ``balanced`` weighs each class by n / (7 · its count), ``sqrt`` by the square root of that.
    ``sampling``: ``shuffled`` shows every face once an epoch; ``balanced`` draws as many faces, all classes equally
    often, so that rare faces come several times.
    ``early_stopping``: epochs without a better PublicTest accuracy before training ends (0: never).
    ``precision``: ``auto`` measures both at the start and takes the faster; the choice is then written here.
    ``backend``: which library computes, ``tensorflow`` or ``jax``; what is measured and exported is TensorFlow's.
    ``input_size``: pixels the network itself works at; faces stay 48×48 outside. 0 means the architecture's own.
    ``start_epochs`` epochs work at ``start_size`` pixels first, which is cheaper; then the network grows (progressive
    resizing; Howard, 2018, https://www.fast.ai/posts/2018-04-30-dawnbench-fastai.html).
    ``averaging``: the model that is measured and kept is a running average of the weights, of which each step keeps
    this share (0: the weights as they are; 0.999 averages over about a thousand steps).
    ``teachers``: names of runs whose answers for the training faces are mixed into the labels, ``soft_weight`` being
    their share (Hinton et al., 2015, https://arxiv.org/abs/1503.02531); a ``soft_temperature`` above 1 makes the
    answers less sure.
    ``folds`` above 0 parts Training, and ``fold`` (1 to ``folds``) is the part that this run leaves out, so that it can
    label it as a teacher without having learnt the labels.
    ``initial_weights``: ``none``, ``imagenet`` (downloaded), or the path of a local weights file.
    ``frozen_epochs`` train the head alone; then layers from ``fine_tune_from`` on (empty: all) train at
    ``learning_rate`` × ``fine_tune_factor``. Transfer architectures only.
    """

    architecture: str
    epochs: int = 30
    batch_size: int = 64
    optimizer: str = "adam"
    learning_rate: float = 2e-3
    schedule: str = "cosine"
    warmup_epochs: float = 1.0
    plateau_patience: int = 5
    weight_decay: float = 0.05
    clip_norm: float = 0.0
    label_smoothing: float = 0.1
    labels: str = "dataset"
    class_weights: str = "none"
    sampling: str = "shuffled"
    augmentation: Augmentation = field(default_factory=Augmentation)
    early_stopping: int = 0
    precision: str = "auto"
    backend: str = "tensorflow"
    seed: int = 0
    input_size: int = 0
    start_size: int = 0
    start_epochs: int = 0
    initial_weights: str = "none"
    frozen_epochs: int = 0
    fine_tune_from: str = ""
    fine_tune_factor: float = 0.1
    averaging: float = 0.0
    teachers: tuple[str, ...] = ()
    soft_weight: float = 0.5
    soft_temperature: float = 1.0
    folds: int = 0
    fold: int = 0
    name: str = ""

    @property
    def title(self) -> str:
        """What people read: the name they gave, or the architecture's title."""
        if self.name:
            return self.name
        from fer_core.zoo.registry import TITLES as ARCHITECTURES

        return ARCHITECTURES.get(self.architecture, self.architecture)

    def validate(self) -> Recipe:
        """Return self, or raise ``RecipeError`` naming the field, its value and what is allowed."""
        from fer_core.zoo.registry import get, names

        if len(self.name) > LONGEST_LINE or not is_line(self.name):
            raise RecipeError(
                f"the name must be one line of at most {LONGEST_LINE} characters, without control characters."
            )
        _choice("architecture", self.architecture, names())
        _choice("optimizer", self.optimizer, OPTIMIZERS)
        _choice("schedule", self.schedule, SCHEDULES)
        _choice("labels", self.labels, LABELS)
        _choice("class_weights", self.class_weights, CLASS_WEIGHTS)
        _choice("sampling", self.sampling, SAMPLINGS)
        _choice("precision", self.precision, PRECISIONS)
        _choice("backend", self.backend, BACKENDS)
        for name, (low, high) in self._ranges().items():
            _range(name, attrgetter(name)(self), low, high)
        if self.folds == 1:
            raise RecipeError("folds is 1; Training has to be parted in 2 at least, or 0 for all of it.")
        self._check_teachers()
        self._check_crowd()
        if not get(self.architecture).transfer:
            for name in ("initial_weights", "frozen_epochs", "fine_tune_from"):
                if getattr(self, name) not in ("none", 0, ""):
                    raise RecipeError(f"{name} is for transfer models; {self.architecture} is trained from scratch.")
        return self

    def _ranges(self) -> dict[str, tuple[float, float]]:
        """:data:`RANGES`, where other fields narrow them, of the numbers that count in this recipe."""
        ranges = {
            **RANGES,
            "warmup_epochs": (0, self.epochs),
            "frozen_epochs": (0, self.epochs),
            "start_epochs": (0, self.epochs - 1),
            "fold": (min(self.folds, 1), self.folds),
        }
        if not self.input_size:
            del ranges["input_size"]
        if not self.start_epochs:
            del ranges["start_size"]
        return ranges

    def _check_teachers(self) -> None:
        for name in self.teachers:
            if not name or not is_line(name) or len(name) > LONGEST_LINE or Path(name).name != name or name == "..":
                raise RecipeError(f"teachers holds {name!r:.100}; it must hold names of runs, not paths.")
        if len(set(self.teachers)) < len(self.teachers):
            raise RecipeError("teachers names a run twice.")
        if len(self.teachers) > MOST_TEACHERS:
            raise RecipeError(f"teachers names {len(self.teachers)} runs; {MOST_TEACHERS} are the most.")

    def _check_crowd(self) -> None:
        """Refuse what would count faces by the dataset's label, or bring that label back."""
        if self.labels == "dataset":
            return
        if self.teachers:
            raise RecipeError(
                "labels is 'crowd', and teachers are named, who would bring back the labels that they learnt. Take one "
                "of the two."
            )
        for name, usual in (("class_weights", "none"), ("sampling", "shuffled")):
            if (value := getattr(self, name)) != usual:
                raise RecipeError(
                    f"{name} is {value!r}, which counts each face for one class, and labels is 'crowd', where a face "
                    f"belongs to several. Take {name}={usual}."
                )

    def to_dict(self) -> JsonObject:
        return {**asdict(self), "teachers": list(self.teachers)}

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """The recipe in that file. Raises ``RecipeError`` naming the file if there is none."""
        try:
            return cls.from_dict(json.loads(read_text(path, MOST_BYTES)))
        except (UnreadableError, ValueError, RecursionError) as error:
            raise RecipeError(f"{path} cannot be read as a recipe: {error}") from None

    @classmethod
    def from_dict(cls, values: object) -> Recipe:
        """The recipe of a ``recipe.json``. Raises ``RecipeError`` for unknown or missing keys and wrong types."""
        if not isinstance(values, dict):
            raise RecipeError("the recipe's content must be a JSON object.")
        values = dict(values)
        try:
            augmentation = Augmentation(**_typed(Augmentation, values.pop("augmentation", {}), "augmentation."))
            return cls(**_typed(cls, values, ""), augmentation=augmentation)
        except TypeError as error:
            raise RecipeError(f"the recipe is incomplete: {error}") from None

    def at(self, epoch: int) -> Recipe:
        """The recipe with ``input_size`` as it is in ``epoch`` (from 1), and nothing left to grow."""
        size = self.start_size if epoch <= self.start_epochs else self.input_size
        return replace(self, input_size=size, start_size=0, start_epochs=0)

    def named(self, name: str) -> Recipe:
        return replace(self, name=name)

    def with_precision(self, precision: str) -> Recipe:
        return replace(self, precision=precision)


def _typed(kind: type, values: Any, prefix: str) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise RecipeError(f"the recipe's {prefix.rstrip('.')} must be a JSON object.")
    types = {item.name: item.type for item in fields(kind)}
    unknown = sorted(set(values) - set(types))
    if unknown:
        raise RecipeError(f"the recipe has unknown keys: {', '.join(prefix + name for name in unknown)}.")
    allowed: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}
    result: dict[str, Any] = {}
    for name, value in values.items():
        if str(types[name]).startswith("tuple"):
            if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
                raise RecipeError(f"the recipe's {prefix}{name} must be a list of words, not {value!r:.100}.")
            result[name] = tuple(value)
            continue
        wanted = allowed[str(types[name])]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted != (bool,)):
            raise RecipeError(f"the recipe's {prefix}{name} must be {types[name]}, not {value!r:.100}.")
        if isinstance(value, int) and abs(value) > LARGEST:
            raise RecipeError(f"the recipe's {prefix}{name} is too large: it is beyond ±{LARGEST:,}.")
        result[name] = value * 1.0 if isinstance(value, int) and types[name] == "float" else value
    return result


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise RecipeError(f"{name} is {value!r}; it must be one of {', '.join(allowed)}.")


def _range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        said, least, most = (f"{one:,}" if isinstance(one, int) else f"{one:g}" for one in (value, low, high))
        raise RecipeError(f"{name} is {said}; it must lie between {least} and {most}.")
