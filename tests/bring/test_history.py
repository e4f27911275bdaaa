"""Histories of other people's trainings, in the forms that Keras leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_core.bring.history import read_foreign_history, write_foreign_history
from fer_core.errors import ModelError
from fer_core.runs.journal import history_rows

KERAS = {"loss": [1.5, 1.2], "acc": [0.3, 0.5], "val_loss": [1.6, 1.4], "val_acc": [0.25, 0.4], "lr": [0.1, 0.01]}


def test_keras_history_and_csv_logger_become_the_runs_own(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text(json.dumps(KERAS))
    rows = read_foreign_history(tmp_path / "h.json")
    write_foreign_history(tmp_path / "history.csv", rows)
    assert history_rows(tmp_path / "history.csv") == rows
    told = [(row["epoch"], row["val_accuracy"], row["learning_rate"]) for row in rows]
    assert told == [(1, 0.25, 0.1), (2, 0.4, 0.01)]
    (tmp_path / "log.csv").write_text("epoch;accuracy;loss;val_accuracy;val_loss\n0;30;1.5;25;1.6\n1;50;1.2;40;1.4\n")
    logged = read_foreign_history(tmp_path / "log.csv")
    assert [(row["epoch"], row["accuracy"], row["val_accuracy"]) for row in logged] == [(1, 0.3, 0.25), (2, 0.5, 0.4)]
    assert read_foreign_history(tmp_path / "history.csv") == rows


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "JSON"),
        ("", "no loss"),
        (json.dumps({**KERAS, "val_loss": [1]}), "same number"),
        (json.dumps({**KERAS, "loss": ["a", 1]}), "no number"),
        (json.dumps({**KERAS, "loss": [float("nan"), 1]}), "cannot be one"),
        (json.dumps({"loss": [1]}), "no accuracy"),
    ],
)
def test_what_is_no_history_is_refused(text: str, word: str, tmp_path: Path) -> None:
    (tmp_path / "h.txt").write_text(text)
    with pytest.raises(ModelError, match=word):
        read_foreign_history(tmp_path / "h.txt")
