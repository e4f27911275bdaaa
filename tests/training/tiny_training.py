"""One child process that trains, breaks off, goes on, and exports, with a network small enough for every test run.

Run by ``test_guards.py`` with a folder of its own. Prints what it saw as one line of JSON.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np

from fer_core.data.dataset import write_dataset
from fer_core.emotions import SPLITS
from fer_core.errors import ExportError, FerError
from fer_core.evaluation import export
from fer_core.runs.folder import RunFolder
from fer_core.runs.recipe import Recipe
from fer_core.training.loop import Trainer
from fer_core.zoo import custom_cnn
from fer_core.zoo.keras_model import load_keras

SCRIPT = {1: (0.9, 0.2), 2: (0.4, 0.6), 3: (0.5, 0.4), 4: (0.3, 0.6)}
"""PublicTest's loss and accuracy by epoch: the second is best, the fourth as accurate with a lower loss."""
DIES_IN = 3


class Scripted(Trainer):
    """Trains as the training process does, with made-up validation results, and dies once, in an epoch's beginning."""

    weights: ClassVar[list[list[Any]]] = []
    """After each epoch."""
    kept: ClassVar[list[int]] = []
    """After each epoch, the one whose weights are in ``model.keras``."""
    began_with: ClassVar[list[list[Any]]] = []
    """The weights and the optimiser's state that each process began with."""

    def _epoch(self, model: Any, epoch: int) -> bool:
        if epoch in (1, DIES_IN):
            Scripted.began_with.append(state_of(model))
        if epoch == DIES_IN and len(Scripted.began_with) == 2:
            raise FerError("the power went out")
        return super()._epoch(model, epoch)

    def _validate(self, model: Any) -> tuple[float, float, Any]:
        weights = model.get_weights()
        if (epoch := epoch_of(weights)) == 0:
            Scripted.weights.append(weights)
            epoch = len(Scripted.weights)
        return *SCRIPT[epoch], np.eye(7, dtype=np.int64)

    def _finish_epoch(self, *arguments: Any) -> None:
        super()._finish_epoch(*arguments)
        inside = keras.models.load_model(self.folder.keras_path, compile=False).get_weights()
        Scripted.kept.append(epoch_of(inside))


def state_of(model: Any) -> list[Any]:
    return [*model.get_weights(), *(np.asarray(variable) for variable in model.optimizer.variables)]


def same(one: list[Any], two: list[Any]) -> bool:
    return len(one) == len(two) and all(map(np.array_equal, one, two))


def epoch_of(weights: list[Any]) -> int:
    """Which epoch ended with these weights; 0 for none."""
    return next((at for at, known in enumerate(Scripted.weights, start=1) if same(known, weights)), 0)


def train(home: Path, images: Any) -> tuple[RunFolder, dict[str, Any]]:
    dataset = write_dataset(home / "data", images, np.arange(42) % 7, np.repeat(SPLITS, 14), title="Noise")
    folder = RunFolder(home / "runs" / "tiny")
    folder.path.mkdir(parents=True)
    recipe = Recipe("custom_cnn", epochs=4, batch_size=7, precision="float32")
    try:
        Scripted(folder, recipe, dataset).run("chosen")
        message = ""
    except FerError as error:
        message = str(error)
    trainer = Scripted(folder, recipe, dataset)
    trainer.run("chosen")
    return folder, {
        "averaged": averaged(home, dataset),
        "broken off": message,
        "first epochs": [event["first_epoch"] for event in folder.events() if event["event"] == "start"],
        "epochs": [int(epoch) for epoch in folder.history()["epoch"]],
        "went on with the same": same(*Scripted.began_with[1:]),
        "kept": Scripted.kept,
        "best epoch": trainer.progress.best_epoch,
    }


class Averaged(Trainer):
    """Keeps running averages, and dies once, in the beginning of its third epoch."""

    began_with: ClassVar[list[list[Any]]] = []
    """The averages that each process began its third epoch with."""
    trained: ClassVar[list[list[Any]]] = []
    measured: ClassVar[list[list[Any]]] = []
    """The weights after each epoch: the training's own, and those that PublicTest was asked with."""

    def _epoch(self, model: Any, epoch: int) -> bool:
        if epoch == 3:
            assert self.average is not None
            Averaged.began_with.append([self.average.steps, *(value.copy() for value in self.average.values)])
            if len(Averaged.began_with) == 1:
                raise FerError("the power went out")
        return super()._epoch(model, epoch)

    def _finish_epoch(self, model: Any, *arguments: Any) -> None:
        super()._finish_epoch(model, *arguments)
        Averaged.trained.append(model.get_weights())

    def _validate(self, model: Any) -> tuple[float, float, Any]:
        Averaged.measured.append(model.get_weights())
        return super()._validate(model)


def averaged(home: Path, dataset: Any) -> dict[str, Any]:
    """The same training, broken off in its middle, with averaged weights."""
    folder = RunFolder(home / "runs" / "averaged")
    folder.path.mkdir(parents=True)
    recipe = Recipe("custom_cnn", epochs=3, batch_size=7, precision="float32", averaging=0.9)
    with contextlib.suppress(FerError):
        Averaged(folder, recipe, dataset).run("chosen")
    trainer = Averaged(folder, recipe, dataset)
    trainer.run("chosen")
    kept = keras.models.load_model(folder.keras_path, compile=False).get_weights()
    return {
        "steps": [values[0] for values in Averaged.began_with],
        "went on with the same": same(*Averaged.began_with),
        "kept was measured": any(same(kept, weights) for weights in Averaged.measured),
        "kept was trained": any(same(kept, weights) for weights in Averaged.trained),
    }


def exported(folder: RunFolder, faces: Any) -> dict[str, Any]:
    """Export the best epoch; then another model in its name."""
    model, path = load_keras(folder.keras_path), folder.tflite_path
    parity = export.export_litert(model, path, faces)
    converted = path.read_bytes()
    kernel = model.get_layer("probabilities").kernel
    kernel.assign(np.asarray(kernel) + np.linspace(-1, 1, 7))
    export.convert = lambda _, target, half_precision: target.write_bytes(converted)
    path.write_bytes(b"the old one")
    try:
        export.export_litert(model, path, faces)
        refused = ""
    except ExportError as error:
        refused = str(error)
    return {
        "parity": [parity.faces, parity.largest_difference, parity.largest_map_difference],
        "refused": refused,
        "left": path.read_bytes().decode(errors="replace"),
        "beside": sorted(file.name for file in folder.path.glob("*.tflite")),
    }


def main(home: Path) -> None:
    # One block of four channels instead of four of up to 256: the same kinds of layers, built in a tenth of the time.
    custom_cnn.WIDTHS = (4,)
    images = np.random.default_rng(0).integers(0, 256, (42, 48, 48), dtype=np.uint8)
    folder, found = train(home, images)
    print(json.dumps(found | exported(folder, images)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
