"""What augmentation gained, from two runs and in words."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from factories import make_run

from fer_core.errors import RunError
from fer_core.files import write_json
from fer_core.review.twins import Gap, TwinResult, compare_twins, so_far
from fer_core.runs.folder import RunFolder
from fer_core.runs.recipe import Augmentation
from fer_core.stats.paired_tests import Difference, McNemar


def a_run(folder: Path, accuracy: float, *, augmented: bool, training: float, **more: object) -> RunFolder:
    """A run that is right so often about its training faces in every epoch."""
    run = make_run(folder, accuracy=accuracy, seed=round(100 * accuracy), **more)
    write_json(run.recipe_path, replace(run.recipe(), augmentation=Augmentation(flip=augmented)).to_dict())
    lines = [json.loads(line) for line in run.journal_path.read_text().splitlines()]
    for line in lines:
        if line["event"] == "epoch":
            line["accuracy"] = training
    run.journal_path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run


def test_the_gain_is_with_less_without_whoever_is_named_first(tmp_path: Path) -> None:
    with_it = a_run(tmp_path / "a", 0.9, augmented=True, training=0.85)
    without = a_run(tmp_path / "b", 0.5, augmented=False, training=0.99)
    found = compare_twins(without, with_it)
    assert found == compare_twins(with_it, without)
    assert found.gain.low > 0.1
    assert found.gap_with.training == 0.85
    assert found.gap_without.training == 0.99
    assert not found.stopped
    assert "gained" in found.sentence()


def test_runs_that_do_not_differ_in_augmentation_are_no_twins(tmp_path: Path) -> None:
    runs = [a_run(tmp_path / name, 0.5, augmented=True, training=0.5) for name in "ab"]
    with pytest.raises(RunError, match="no twins"):
        compare_twins(*runs)


def test_a_stopped_one_is_said(tmp_path: Path) -> None:
    with_it = a_run(tmp_path / "a", 0.6, augmented=True, training=0.6, state="stopped")
    without = a_run(tmp_path / "b", 0.6, augmented=False, training=0.7)
    assert "stopped" in compare_twins(with_it, without).sentence()


def result(gain: float, p: float, after: float, before: float) -> TwinResult:
    return TwinResult(
        Difference(gain, gain - 0.01, gain + 0.01, 3589), McNemar(10, 10, p), Gap(after, 0), Gap(before, 0), False
    )


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (result(0.012, 0.011, 0.01, 0.12), ["gained 1.2 points", "p = 0.011", "closed from 12.0 to 1.0"]),
        (result(-0.02, 0.2, 0.10, 0.05), ["cost 2.0 points", "may well be chance", "grew from 5.0 to 10.0"]),
        (result(0.02, 0.01, -0.03, 0.22), ["closed from 22.0 to −3.0"]),
        (result(0.0, 1.0, 0.05, 0.05), ["neither gained nor cost", "stayed at 5.0"]),
    ],
)
def test_the_sentence_follows_the_figures(found: TwinResult, said: list[str]) -> None:
    for words in said:
        assert words in found.sentence()
    assert ("chance" in found.sentence()) is (found.test.p >= 0.05)


def test_in_step_both_are_told_after_the_last_epoch_that_both_have_ended() -> None:
    def epochs(n: int, public: float, training: float) -> list:
        return [{"epoch": at + 1, "accuracy": training, "val_accuracy": public} for at in range(n)]

    words = so_far(epochs(3, 0.4, 0.42), epochs(2, 0.35, 0.6))
    assert "After epoch 2 of both" in words
    assert "40.0 % of PublicTest with augmentation (gap to training 2.0" in words
    assert "35.0 % of PublicTest without (gap to training 25.0" in words
    assert so_far(epochs(3, 0.4, 0.4), []) == ""
