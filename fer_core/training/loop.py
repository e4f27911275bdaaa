"""The training loop: batches, journal, validation, best checkpoint, resume. Runs in a child process only.

The epoch that is best on PublicTest becomes ``model.keras`` (float32). PrivateTest is never touched here.
"""

from __future__ import annotations

import math
import os
import time
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.data.face_rows import FaceRows
from fer_core.emotions import PUBLIC_TEST, TRAINING
from fer_core.errors import DataError, FerError
from fer_core.files import replacing
from fer_core.runs.events import best_epoch, rank
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import Journal, write_history
from fer_core.runs.recipe import Recipe
from fer_core.settings import settings
from fer_core.stats.metrics import confusion_matrix, log_loss
from fer_core.training.augmentation import Batches
from fer_core.training.build import (
    build_for_training,
    build_model,
    carry_weights,
    compile_stage,
    is_fine_tuning,
    stage,
)
from fer_core.training.early_stopping import patience_is_over, without_better
from fer_core.training.pause_and_stop import Control
from fer_core.training.resources import lacking_for_training
from fer_core.training.resume_state import TrainingState, load_progress, load_state, save_state
from fer_core.training.schedule import learning_rate
from fer_core.training.watched import choose_watched, rounded
from fer_core.training.weight_average import WeightAverage
from fer_core.zoo.keras_model import predict

if TYPE_CHECKING:
    import keras

    from fer_core.data.dataset import Dataset


class Trainer:
    """Trains ``recipe`` on ``dataset`` into ``folder``. :meth:`run` does all of it.

    ``recipe.precision`` must be resolved already. If the folder holds a ``resume.npz``, training goes on after the
    epoch saved there.
    """

    def __init__(
        self,
        folder: RunFolder,
        recipe: Recipe,
        dataset: Dataset,
        *,
        kept: npt.NDArray[np.bool_] | None = None,
        soft: npt.NDArray[np.float32] | None = None,
        shares: npt.NDArray[np.float32] | None = None,
    ) -> None:
        """``kept`` bool (n,): which of the n Training faces are learnt, in order (None: all); ``soft`` float32 (n, 7):
        what teachers say of each of the n, ``shares`` float32 (n, 7) what the crowd says, instead of the labels.
        """
        self.folder = folder
        self.recipe = recipe
        self.dataset = dataset
        self.journal = Journal(folder.journal_path)
        self.control = Control(folder, self.journal)
        training, validation = dataset.rows(TRAINING), dataset.rows(PUBLIC_TEST)
        if lacking := lacking_for_training(dataset.info.counts):
            raise DataError(f"{dataset.info.path}: {lacking}")
        which = np.arange(len(training)) if kept is None else np.flatnonzero(kept)
        training = training[which]
        self.batches = Batches(
            FaceRows(dataset.images, training),
            dataset.labels[training],
            recipe,
            None if soft is None else soft[which],
            None if shares is None else shares[which],
        )
        self.average = WeightAverage(recipe.averaging) if recipe.averaging else None
        self.validation_images = FaceRows(dataset.images, validation)
        self.validation_labels = dataset.labels[validation]
        self.watched = choose_watched(self.validation_labels)
        self.watched_answers: list[list[float]] = []
        self.progress = TrainingState()
        self._plain: keras.Model | None = None

    def run(self, precision_reason: str) -> str:
        """Train to the end. Returns ``done`` or, if somebody asked, ``stopped``."""
        import keras

        keras.utils.set_random_seed(self.recipe.seed)
        self.journal.write("phase", name="building", detail=self.recipe.architecture)
        model = self._restore() if self.folder.resume_path.exists() else self._begin()
        first = self.progress.epoch + 1
        self._write_start(first, precision_reason)
        for epoch in range(first, self.recipe.epochs + 1):
            if epoch > first and stage(self.recipe, epoch) != stage(self.recipe, epoch - 1):
                model = self._enter(model, epoch)
            if self._patience_is_over(epoch):
                break
            # Asked for while PublicTest was measured or the network built: before another batch, not after it.
            if self.control.stop_wanted(epoch, 0) or not self._epoch(model, epoch):
                self.journal.write("stopped", epoch=epoch, reason="asked to stop")
                return "stopped"
        return "done"

    def _patience_is_over(self, epoch: int) -> bool:
        if not patience_is_over(
            self.recipe, self.progress.epochs_without_better, fine_tuning=is_fine_tuning(self.recipe, epoch)
        ):
            return False
        detail = f"no better PublicTest accuracy for {self.recipe.early_stopping} epochs"
        self.journal.write("phase", name="early stopping", detail=detail)
        return True

    def _begin(self) -> keras.Model:
        """The model of the first epoch, with its initial weights."""
        model = build_for_training(self.recipe.at(1))
        compile_stage(model, self.recipe, 1)
        return model

    def _enter(self, model: keras.Model, epoch: int) -> keras.Model:
        """The model for a new stage: grown if the input size changes, and with a fresh optimiser."""
        if stage(self.recipe, epoch)[0] != stage(self.recipe, epoch - 1)[0]:
            grown = build_for_training(self.recipe.at(epoch), load=False)
            carry_weights(model, grown)
            model, self._plain = grown, None
        if self.average:
            self.average.begin_anew()
        compile_stage(model, self.recipe, epoch)
        return model

    def _restore(self) -> keras.Model:
        """The model as it was after its last whole epoch; the optimiser's state too, unless a new stage begins."""
        self.progress = load_progress(self.folder.resume_path)
        last = self.progress.epoch
        model = build_for_training(self.recipe.at(last), load=False)
        compile_stage(model, self.recipe, last)
        load_state(self.folder.resume_path, model, self.average)
        if last < self.recipe.epochs and stage(self.recipe, last + 1) != stage(self.recipe, last):
            model = self._enter(model, last + 1)
        if self.folder.keras_path.exists():
            # The process may have died between writing model.keras and resume.npz: trust the file itself.
            import keras

            best = keras.models.load_model(self.folder.keras_path, compile=False)
            self.progress.best_loss, self.progress.best_accuracy, _ = self._validate(best)
            self.progress.best_epoch = best_epoch(self.folder.events()) or self.progress.best_epoch
        return model

    def _write_start(self, first: int, precision_reason: str) -> None:
        import psutil

        self.journal.write(
            "start",
            pid=os.getpid(),
            process_started=psutil.Process().create_time(),
            epochs=self.recipe.epochs,
            first_epoch=first,
            steps=len(self.batches),
            batch_size=self.batches.batch_size,
            train_faces=len(self.batches.labels),
            validation_faces=len(self.validation_labels),
            precision=self.recipe.precision,
            precision_reason=precision_reason,
            data=self.dataset.info.record(),
            watched=self.dataset.rows(PUBLIC_TEST)[self.watched].tolist(),
        )
        self.journal.write("phase", name="training", detail=f"epoch {first} of {self.recipe.epochs}")

    def _epoch(self, model: keras.Model, epoch: int) -> bool:
        """One epoch with its bookkeeping. Returns False if somebody asked to stop in its middle."""
        began = last_event = time.monotonic()
        self.control.paused_seconds = 0.0
        steps, seen, seen_at_event = len(self.batches), 0, 0
        means = _RunningMeans()
        rate = 0.0
        for step, (images, targets, weights) in enumerate(self.batches.epoch(epoch), start=1):
            rate = learning_rate(self.recipe, epoch, step / steps, self.progress.plateau)
            model.optimizer.learning_rate.assign(rate)
            means.add(model.train_on_batch(images, targets, sample_weight=weights, return_dict=True), len(images))
            if self.average:
                self.average.add(model)
            seen += len(images)
            now = time.monotonic()
            if not math.isfinite(means.loss):
                raise FerError(
                    f"the loss became infinite in epoch {epoch}, batch {step}. Lower the learning rate "
                    f"(now {rate:.3g}), or lengthen the warm-up."
                )
            if now - last_event >= settings().journal_seconds or step == steps:
                self.journal.write(
                    "batch",
                    epoch=epoch,
                    step=step,
                    steps=steps,
                    loss=means.loss,
                    accuracy=means.accuracy,
                    learning_rate=rate,
                    images_per_second=(seen - seen_at_event) / max(now - last_event, 1e-6),
                )
                last_event, seen_at_event = now, seen
            before = self.control.paused_seconds
            if self.control.stop_wanted(epoch, step):
                return False
            if self.control.paused_seconds > before:
                last_event = time.monotonic()
        self._finish_epoch(model, epoch, means, rate, began)
        return True

    def _finish_epoch(self, model: keras.Model, epoch: int, means: _RunningMeans, rate: float, began: float) -> None:
        """Validate, journal, keep the best model, and only then the state to resume from."""
        training_seconds = time.monotonic() - began - self.control.paused_seconds
        if bad := [weight.path for weight in model.weights if not np.isfinite(np.asarray(weight)).all()]:
            # Batch statistics keep the loss finite where the stored ones, which predictions use, are not.
            raise FerError(
                f"after epoch {epoch} {bad[0]} holds values that are no finite numbers. Lower the learning rate, or "
                "check the file of initial weights."
            )
        measured = self._measured(model, epoch)
        loss, accuracy, confusion = self._validate(measured)
        seconds = time.monotonic() - began - self.control.paused_seconds
        self.journal.write(
            "epoch",
            epoch=epoch,
            loss=means.loss,
            accuracy=means.accuracy,
            val_loss=loss,
            val_accuracy=accuracy,
            learning_rate=rate,
            seconds=round(seconds, 3),
            images_per_second=len(self.batches) * self.batches.batch_size / max(training_seconds, 1e-6),
            confusion=confusion.tolist(),
            watched=self.watched_answers,
        )
        progress = self.progress
        better = accuracy > progress.best_accuracy
        # Of equal accuracies the better calibrated one is kept, but patience is not renewed.
        if rank(accuracy, loss) > rank(progress.best_accuracy, progress.best_loss):
            self._checkpoint(measured, epoch)
            progress.best_epoch, progress.best_accuracy, progress.best_loss = epoch, accuracy, loss
            self.journal.write("checkpoint", epoch=epoch, val_accuracy=accuracy)
        progress.epochs_without_better = without_better(progress.epochs_without_better, better)
        progress.plateau.after_epoch(better, self.recipe.plateau_patience)
        progress.epoch = epoch
        progress.seconds += seconds
        save_state(self.folder.resume_path, model, progress, self.average)
        write_history(self.folder.history_path, self.folder.events())

    def _validate(self, model: keras.Model) -> tuple[float, float, npt.NDArray[np.int64]]:
        """Loss (nats), accuracy (0..1) and confusion counts on PublicTest, without augmentation or smoothing."""
        probabilities = predict(model, self.validation_images)
        self.watched_answers = rounded(probabilities[self.watched])
        confusion = confusion_matrix(self.validation_labels, probabilities.argmax(axis=1))
        loss = log_loss(self.validation_labels, probabilities)
        return loss, float(np.trace(confusion) / confusion.sum()), confusion

    def _checkpoint(self, model: keras.Model, epoch: int) -> None:
        """Write ``model.keras`` in float32, atomically: LiteRT cannot run what half precision leaves in a graph."""
        plain = self._plain_twin(epoch)
        if model is not plain:
            plain.set_weights(model.get_weights())
        with replacing(self.folder.keras_path) as temporary:
            plain.save(temporary)

    def _measured(self, model: keras.Model, epoch: int) -> keras.Model:
        """What is measured and kept after an epoch: the model as it is, or a twin with its averaged weights."""
        if self.average is None:
            return model
        plain = self._plain_twin(epoch)
        plain.set_weights(self.average.values)
        return plain

    def _plain_twin(self, epoch: int) -> keras.Model:
        """The network in float32 and with Keras' own layers, built once a size."""
        if self._plain is None:
            self._plain = build_model(self.recipe.at(epoch), precision="float32", load=False)
        return self._plain


class _RunningMeans:
    """Loss and accuracy over the epoch so far; Keras reports them batch by batch."""

    def __init__(self) -> None:
        self.count = 0
        self.loss = self.accuracy = 0.0

    def add(self, logs: dict[str, float], count: int) -> None:
        self.count += count
        share = count / self.count
        self.loss += (float(logs["loss"]) - self.loss) * share
        self.accuracy += (float(logs["accuracy"]) - self.accuracy) * share
