"""Curves of a run in training."""

from __future__ import annotations

import pytest

from fer_core.plots.live_history import METRICS, PUBLIC, TRAINING, describe, running, running_spec


def batch(epoch: int, step: int, loss: float) -> dict:
    return {"epoch": epoch, "step": step, "steps": 4, "loss": loss, "accuracy": 1 / loss}


BATCHES = [batch(1, 2, 2.0), batch(1, 4, 1.8), batch(2, 1, 1.5), batch(2, 2, 1.6)]
EPOCHS = [{"epoch": 1, "val_loss": 1.9, "val_accuracy": 0.31}]


def test_curves_move_within_an_epoch_and_break_where_it_ends() -> None:
    table = running(BATCHES, EPOCHS)
    training, public = table[table["what"] == TRAINING], table[table["what"] == PUBLIC]
    assert list(training["epoch"]) == [0.5, 1.0, 1.25, 1.5]
    assert list(training["loss"]) == [2.0, 1.8, 1.5, 1.6]
    assert list(training["piece"]) == [1, 1, 2, 2], "the running mean starts anew: a gap, not a jump"
    assert public[["epoch", "loss", "accuracy"]].to_numpy().tolist() == [[1.0, 1.9, 31.0]]
    assert 0 not in set(training["piece"]), "PublicTest is a line of its own"


def test_in_words() -> None:
    words = describe(BATCHES, EPOCHS)
    assert "Epoch 2, batch 2 of 4: loss 1.60 nats" in words
    assert "after epoch 1: 31.0 %" in words
    assert "nothing has been measured" in describe([], [])


def test_nothing_yet_is_an_empty_table() -> None:
    assert len(running([], [])) == 0
    assert set(running([], []).columns) == set(running(BATCHES, EPOCHS).columns)


@pytest.mark.parametrize("metric", METRICS)
def test_the_drawing_names_the_columns_and_stays_the_same_while_numbers_come(metric) -> None:
    spec = running_spec(metric, total_epochs=10)
    assert spec == running_spec(metric, total_epochs=10)
    fields = {one["field"] for one in [*spec["encoding"]["tooltip"], spec["encoding"]["x"], spec["encoding"]["y"]]}
    fields |= {one["field"] for one in spec["layer"][0]["encoding"].values()}
    assert fields == {"epoch", "what", "piece", metric}
    assert spec["encoding"]["x"]["scale"]["domain"] == [0, 10]
    dashes = spec["layer"][0]["encoding"]["strokeDash"]["scale"]
    assert dict(zip(dashes["domain"], dashes["range"], strict=True)) == {TRAINING: [5, 3], PUBLIC: [1, 0]}
    with pytest.raises(ValueError, match="loss or accuracy"):
        running_spec("speed")  # type: ignore[arg-type]
