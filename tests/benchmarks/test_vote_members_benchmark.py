"""What other votes would do: judged on faces that chose nothing, and on PublicTest alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from factories import make_evaluated_run
from made_up_faces import make_noise

from benchmarks import vote_members
from fer_core.emotions import PUBLIC_TEST
from fer_core.runs.folder import RunFolder


@pytest.fixture
def runs(home: Path) -> list[RunFolder]:
    """A good one, one half as good, and one that only guesses."""
    dataset = make_noise(home / "datasets" / "noise")
    return [
        make_evaluated_run(home / "runs" / f"run-{seed}", dataset, seed=seed, accuracy=accuracy)
        for seed, accuracy in enumerate((0.8, 0.5, 0.15))
    ]


def test_each_rule_is_judged_beside_the_shipped_one_and_a_guesser_weighs_nothing(runs: list[RunFolder]) -> None:
    found = vote_members.outcomes([runs[:2], runs])
    assert [(len(one.members), one.weights_by) for one in found] == [
        (count, rule) for count in (2, 3) for rule in ("equal", "lowest log loss", "highest accuracy")
    ]
    assert all(sum(one.weights) == pytest.approx(1, abs=0.01) for one in found)
    assert all(one.low <= one.accuracy <= one.high for one in found)
    assert found[1].gain == 0, "the shipped way is what the others are compared with"
    assert found[4].weights[2] < 0.1
    assert found[3].accuracy < found[4].accuracy, "an equal say for who guesses costs something"
    assert "run-0, run-1, run-2" in vote_members.as_table(found)


def test_no_face_is_judged_by_weights_that_it_helped_to_choose(runs: list[RunFolder]) -> None:
    aligned = vote_members.align(runs[:2], PUBLIC_TEST)
    asked = []

    def noted(labels: np.ndarray, said: np.ndarray) -> np.ndarray:
        asked.append(len(labels))
        return vote_members.equal(labels, said)

    answers, _ = vote_members.cross_validated(aligned, noted, seed=0)
    assert asked == [len(aligned) - len(aligned) // 10] * 10
    assert np.allclose(answers.sum(axis=1), 1)
