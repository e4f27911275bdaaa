"""All that a killed training needs to go on after its last whole epoch: ``resume.npz``, and where the dataset lies.

``resume.npz`` is replaced atomically: weights, optimiser variables, and where the training was. It is read and written
in child processes only (Keras variables).
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fer_core.errors import RunError
from fer_core.files import replacing, write_json
from fer_core.reading import UnreadableError, read_text
from fer_core.runs.folder import RunFolder
from fer_core.settings import settings
from fer_core.training.schedule import Plateau
from fer_core.training.weight_average import WeightAverage

if TYPE_CHECKING:
    import keras

LOCAL_FILE = "local.json"
"""Where this machine keeps the dataset: needed to resume, meaningless elsewhere, gone when the run is done."""


@dataclass
class TrainingState:
    """Where a training is after an epoch. ``best_*`` belong to ``model.keras``; accuracy and loss on PublicTest."""

    epoch: int = 0
    best_epoch: int = 0
    best_accuracy: float = -1.0
    best_loss: float = float("inf")
    epochs_without_better: int = 0
    seconds: float = 0.0
    plateau: Plateau = field(default_factory=Plateau)


def save_state(path: Path, model: keras.Model, progress: TrainingState, average: WeightAverage | None = None) -> None:
    """Write weights, optimiser, averaged weights and progress to ``path``, atomically."""
    arrays = {f"weight{index:04d}": np.asarray(value) for index, value in enumerate(model.get_weights())}
    for index, variable in enumerate(model.optimizer.variables):
        arrays[f"optimizer{index:04d}"] = np.asarray(variable.numpy() if hasattr(variable, "numpy") else variable)
    arrays |= average.state() if average else {}
    arrays["progress"] = np.frombuffer(json.dumps(asdict(progress)).encode(), dtype=np.uint8)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def load_progress(path: Path) -> TrainingState:
    """Only the position, for deciding which stage to rebuild. Raises ``RunError`` for a damaged file."""
    try:
        with np.load(path) as file:
            values = json.loads(bytes(file["progress"]))
    except (OSError, KeyError, ValueError) as error:
        raise RunError(f"{path} is damaged ({error}): this run cannot be resumed. Train it anew.") from None
    return TrainingState(**{**values, "plateau": Plateau(**values["plateau"])})


def load_state(path: Path, model: keras.Model, average: WeightAverage | None = None) -> None:
    """Put weights and optimiser variables back into a model compiled as it was when they were saved, and averaged ones.

    Raises ``RunError`` if they do not fit, for example because the recipe was edited.
    """
    with np.load(path) as file:
        weights = [file[name] for name in sorted(file.files) if name.startswith("weight")]
        saved = [file[name] for name in sorted(file.files) if name.startswith("optimizer")]
        averaged = {name: file[name] for name in file.files if "average" in name}
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    variables = model.optimizer.variables
    shapes = [tuple(value.shape) for value in weights] + [tuple(value.shape) for value in saved]
    wanted = [tuple(value.shape) for value in model.weights] + [tuple(value.shape) for value in variables]
    if shapes != wanted or bool(average) != bool(averaged):
        raise RunError(
            f"{path} was written by another network or optimiser than recipe.json describes. Restore the recipe, "
            "or train anew."
        )
    model.set_weights(weights)
    if average:
        average.restore(averaged)
    for variable, value in zip(variables, saved, strict=True):
        variable.assign(value)


def remember_data(folder: RunFolder, data: Path) -> None:
    """Write down where this machine keeps the dataset, atomically, so that the run can be started again.

    Done before anything that can die: a process that is killed while it loads leaves a run that starts anew. Where both
    lie in the home, it is written as the way from the one to the other: hosts may see a shared home at several paths.
    """
    target = data.resolve()
    if all(path.is_relative_to(settings().home) for path in (folder.path, target)):
        target = Path(os.path.relpath(target, folder.path))
    write_json(folder.path / LOCAL_FILE, {"data": target.as_posix()})


def remembered_data(folder: RunFolder) -> Path:
    """The dataset folder of a run that is not done. Raises ``RunError`` where that was not written down."""
    try:
        # Where it is a whole path, that of the folder before it counts for nothing.
        return (folder.path / json.loads(read_text(folder.path / LOCAL_FILE))["data"]).resolve()
    except (UnreadableError, ValueError, KeyError, TypeError):
        raise RunError(
            f"{folder.path} does not say which dataset it was trained on. Name it: "
            f"python -m fer_core train --resume {folder.path} --data FOLDER"
        ) from None
