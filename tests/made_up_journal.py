"""The journal of a training that never was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from made_up_faces import make_probabilities

from fer_core.emotions import COUNT, PUBLIC_TEST, TRAINING
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import Journal, read_events, write_history
from fer_core.stats.metrics import confusion_matrix


def write_journal(
    run: RunFolder,
    labels: npt.NDArray[np.int8],
    splits: npt.NDArray[np.str_],
    accuracy: float,
    epochs: int,
    state: str,
    created: str,
    seed: int,
    data: dict[str, Any],
) -> int:
    """``events.jsonl`` and ``history.csv``: curves that rise to ``accuracy``. Returns the best epoch."""
    public = labels[splits == PUBLIC_TEST]
    steps = 4
    journal = Journal(run.journal_path)
    clock = _Clock(created)
    clock.write(
        journal,
        "start",
        pid=1,
        process_started=datetime.fromisoformat(created).timestamp(),
        epochs=epochs,
        steps=steps,
        batch_size=64,
        train_faces=int((splits == TRAINING).sum()),
        validation_faces=len(public),
        precision="float32",
        precision_reason="asked for in the recipe",
        first_epoch=1,
        data=data,
    )
    best, best_accuracy = 0, -1.0
    clock.write(journal, "phase", name="training", detail=f"epoch 1 of {epochs}")
    for epoch in range(1, epochs + 1):
        reached = 1 / COUNT + (accuracy - 1 / COUNT) * (1 - 0.5**epoch) / (1 - 0.5**epochs)
        rate = 2e-3 * (1 - (epoch - 1) / epochs)
        for step in range(1, steps + 1):
            clock.write(
                journal,
                "batch",
                epoch=epoch,
                step=step,
                steps=steps,
                loss=2.0 - reached + 0.05 / step,
                accuracy=reached * (0.8 + 0.05 * step),
                learning_rate=rate,
                images_per_second=520.0,
            )
        answers = make_probabilities(public, reached, seed=seed + epoch).argmax(axis=1)
        right = float(np.mean(answers == public)) if len(public) else 0.0
        clock.write(
            journal,
            "epoch",
            epoch=epoch,
            loss=2.0 - reached,
            accuracy=reached,
            val_loss=2.1 - right,
            val_accuracy=right,
            learning_rate=rate,
            seconds=12.5,
            images_per_second=520.0,
            confusion=confusion_matrix(public, answers).tolist(),
        )
        if right > best_accuracy:
            best, best_accuracy = epoch, right
            clock.write(journal, "checkpoint", epoch=epoch, val_accuracy=right)
    if state == "stopped":
        clock.write(journal, "stopped", epoch=epochs, reason="asked to stop")
    else:
        clock.write(journal, "done", seconds=12.5 * epochs)
    write_history(run.history_path, read_events(run.journal_path))
    return best


class _Clock:
    """Journal times that run from ``created`` on, three seconds an event, so that runs repeat."""

    def __init__(self, created: str) -> None:
        self.time = datetime.fromisoformat(created).astimezone(UTC)

    def write(self, journal: Journal, event: str, **values: Any) -> None:
        journal.write(event, **{"time": self.time.isoformat(timespec="milliseconds"), **values})
        self.time += timedelta(seconds=3)
