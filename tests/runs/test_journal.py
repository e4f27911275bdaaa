"""The journal survives what happens to it."""

from pathlib import Path

import pytest

from fer_core.errors import RunError
from fer_core.runs.journal import (
    KEPT_BATCHES,
    Journal,
    epochs_of,
    read_events,
    read_history,
    thinned,
    write_history,
)

START = {"epochs": 2, "steps": 4, "batch_size": 8, "first_epoch": 1}
EPOCH = {"val_loss": 1.1, "val_accuracy": 0.4, "learning_rate": 0.1, "seconds": 2.0, "images_per_second": 40.0}


def test_events_come_back_in_order_with_their_time(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    journal.write("start", **START)
    journal.write("epoch", epoch=1, loss=0.5, accuracy=0.3, confusion=[], **EPOCH)
    events = read_events(journal.path)
    assert [event["event"] for event in events] == ["start", "epoch"]
    assert events[1]["loss"] == 0.5
    assert events[0]["time"].endswith("+00:00")


def test_an_absent_journal_has_no_events(tmp_path: Path) -> None:
    assert read_events(tmp_path / "events.jsonl") == []


def test_a_line_torn_by_a_kill_is_skipped_and_the_journal_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    Journal(path).write("start", **START)
    with path.open("ab") as file:
        file.write(b'{"event": "batch", "lo')
    Journal(path).write("resumed", epoch=1, step=3)
    assert [event["event"] for event in read_events(path)] == ["start", "resumed"]


def test_a_number_that_json_does_not_know_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    with pytest.raises(ValueError, match="JSON"):
        journal.write("epoch", loss=float("nan"))
    assert read_events(journal.path) == []


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("[1, 2]", "does not say which"),
        ('{"time": "2026-01-02T03:04:05+00:00"}', "does not say which"),
        ('{"time": "2026-01-02T03:04:05+00:00", "event": "resumed", "epoch": 1}', "lacks"),
        ('{"time": "yesterday", "event": "resumed", "epoch": 1, "step": 3}', "time"),
        ('{"time": "2026-01-02T03:04:05+00:00", "event": "resumed", "epoch": "1", "step": 3}', "epoch"),
        ('{"time": "2026-01-02T03:04:05+00:00", "event": "done", "seconds": NaN}', "finite"),
    ],
)
def test_a_whole_line_that_is_not_what_its_event_promises_is_named(tmp_path: Path, line: str, word: str) -> None:
    path = tmp_path / "events.jsonl"
    Journal(path).write("start", **START)
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(RunError, match=rf"events\.jsonl.*line 2.*{word}"):
        read_events(path)


def test_an_event_that_a_newer_version_wrote_is_passed_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    journal.write("start", **START)
    journal.write("tea break", minutes=5)
    journal.write("done", seconds=3.0)
    assert [event["event"] for event in read_events(journal.path)] == ["start", "done"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "epoch"),
        (b"epoch,loss\n1,0.5\n", "accuracy"),
        (b"epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds\n1,high,0.5,1,0.4,0.1,2\n", "loss"),
        (b"epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds\n1,,0.5,1,0.4,0.1,2\n", "loss"),
        (b"epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds\n1,nan,0.5,1,0.4,0.1,2\n", "finite"),
        (b"epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds\n2,1,1,1,1,1,1\n1,1,1,1,1,1,1\n", "order"),
    ],
)
def test_a_damaged_history_says_what_is_wrong(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "history.csv"
    path.write_bytes(content)
    with pytest.raises(RunError, match=rf"history\.csv is damaged.*{word}"):
        read_history(path)


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
    resumed = [*events, epoch(3, 0.9), epoch(4, 0.4)]
    write_history(tmp_path / "history.csv", resumed)
    lines = (tmp_path / "history.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds"
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2", "3", "4"]
    assert lines[3].split(",")[4] == "0.9"


def test_a_complete_run_keeps_few_batches_of_each_epoch_and_every_other_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    batch = {"loss": 1.0, "accuracy": 0.5, "learning_rate": 0.1, "images_per_second": 9.0, "steps": 300}
    confusion = [[0] * 7] * 7
    journal.write("start", **START)
    for step in range(1, 301):
        journal.write("batch", epoch=1, step=step, **batch)
    journal.write("epoch", epoch=1, loss=0.5, accuracy=0.3, confusion=confusion, **EPOCH)
    for step in range(1, 6):
        journal.write("batch", epoch=2, step=step, **batch)
    journal.write("phase", name="training", detail='an "event": "epoch" in somebody\'s words')
    before = read_events(journal.path)
    journal.path.write_bytes(thinned(journal.path.read_bytes()))
    after = read_events(journal.path)
    assert [event for event in after if event["event"] != "batch"] == [
        event for event in before if event["event"] != "batch"
    ]
    steps = [event["step"] for event in after if event["event"] == "batch" and event["epoch"] == 1]
    assert len(steps) == KEPT_BATCHES
    assert (steps[0], steps[-1]) == (1, 300)
    unfinished = [event for event in after if event["event"] == "batch" and event["epoch"] == 2]
    assert len(unfinished) == 5, "an epoch that did not end keeps its lines"
    assert thinned(journal.path.read_bytes()) == journal.path.read_bytes()
