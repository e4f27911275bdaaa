"""The journal survives what happens to it."""

from pathlib import Path

import pytest

from fer_core.errors import RunError
from fer_core.runs.journal import Journal, epochs_of, read_events, write_history


def test_events_come_back_in_order_with_their_time(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    journal.write("start", epochs=2)
    journal.write("epoch", epoch=1, loss=0.5)
    events = read_events(journal.path)
    assert [event["event"] for event in events] == ["start", "epoch"]
    assert events[1]["loss"] == 0.5
    assert events[0]["time"].endswith("+00:00")


def test_an_absent_journal_has_no_events(tmp_path: Path) -> None:
    assert read_events(tmp_path / "events.jsonl") == []


def test_a_line_torn_by_a_kill_is_skipped_and_the_journal_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    Journal(path).write("start", epochs=2)
    with path.open("ab") as file:
        file.write(b'{"event": "batch", "lo')
    Journal(path).write("resumed", epoch=1, step=3)
    assert [event["event"] for event in read_events(path)] == ["start", "resumed"]


def test_a_number_that_json_does_not_know_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    with pytest.raises(ValueError, match="JSON"):
        journal.write("epoch", loss=float("nan"))
    assert read_events(journal.path) == []


def test_a_line_that_is_no_event_is_named(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"event": "start"}\n[1, 2]\n', encoding="utf-8")
    with pytest.raises(RunError, match="line 2"):
        read_events(path)


def epoch(number: int, accuracy: float) -> dict[str, object]:
    values = {"loss": 1.0, "accuracy": 0.5, "val_loss": 1.1, "learning_rate": 0.001, "seconds": 2.0}
    return {"event": "epoch", "epoch": number, "val_accuracy": accuracy, **values}


def test_an_epoch_trained_again_after_a_resume_counts_once_and_as_the_last_time(tmp_path: Path) -> None:
    events = [
        {"event": "start", "first_epoch": 1},
        epoch(1, 0.1),
        epoch(2, 0.2),
        epoch(3, 0.3),
        {"event": "start", "first_epoch": 3},
    ]
    assert [(event["epoch"], event["val_accuracy"]) for event in epochs_of(events)] == [(1, 0.1), (2, 0.2)]
    joined = [*events, epoch(3, 0.9), epoch(4, 0.4)]
    write_history(tmp_path / "history.csv", joined)
    lines = (tmp_path / "history.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds"
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2", "3", "4"]
    assert lines[3].split(",")[4] == "0.9"
