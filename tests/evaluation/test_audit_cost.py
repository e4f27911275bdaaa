"""What faults cost, against cases done by hand and bootstraps over indices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from factories import make_run
from faulty import faulty_dataset

from fer_core.data.audit import Audit, audit_dataset
from fer_core.data.dataset import Dataset
from fer_core.errors import RunError
from fer_core.evaluation import audit_cost
from fer_core.evaluation.audit_cost import FACES, Cost, audit_costs, is_there, lesson, run_costs


@pytest.fixture
def known(tmp_path: Path) -> Dataset:
    return faulty_dataset(tmp_path / "d")


@pytest.fixture
def audit(known: Dataset) -> Audit:
    return audit_dataset(known)


PRIVATE = np.arange(10, 15)
RIGHT = np.array([True, False, True, True, False])


def by_faces(costs: tuple[Cost, ...]) -> dict[str, Cost]:
    assert [cost.faces for cost in costs] == list(FACES)
    return {cost.faces: cost for cost in costs}


def test_counts_by_hand(audit: Audit) -> None:
    costs = by_faces(audit_costs(PRIVATE, RIGHT, audit))
    counted = {key: (cost.n, cost.right, cost.left_out, cost.left_out_right) for key, cost in costs.items()}
    assert counted == {
        "all": (5, 3, 0, 0),
        "exact": (4, 2, 1, 1),  # without 13
        "near": (3, 1, 2, 2),  # without 10 and 13
        "conflicts": (3, 2, 2, 1),  # without 11 and 12
        "plain": (3, 2, 2, 1),  # without 13 and 14
        "clean": (0, 0, 5, 3),
    }
    assert costs["near"].accuracy == pytest.approx(1 / 3)
    assert costs["near"].difference == pytest.approx(1 / 3 - 3 / 5)
    assert costs["all"].difference is None
    assert (costs["clean"].accuracy, costs["clean"].low, costs["clean"].difference) == (None, None, None)


def test_the_order_of_the_faces_does_not_matter(audit: Audit) -> None:
    order = np.array([4, 0, 3, 1, 2])
    assert audit_costs(PRIVATE[order], RIGHT[order], audit) == audit_costs(PRIVATE, RIGHT, audit)


def test_intervals_agree_with_a_bootstrap_over_indices(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    n = 600
    out = rng.random(n) < 0.2
    right = rng.random(n) < np.where(out, 0.85, 0.6)
    big = replace(audit, group=np.zeros(n, np.int32))
    monkeypatch.setattr(audit_cost, "faulty", lambda audit: {"near": out})
    (cost,) = audit_costs(np.arange(n), right, big, resamples=20_000)
    drawn = rng.integers(0, n, (20_000, n))
    in_data, hit = ~out[drawn], right[drawn]
    differences = (hit & in_data).sum(axis=1) / in_data.sum(axis=1) - hit.mean(axis=1)
    low, high = np.quantile(differences, [0.025, 0.975])
    assert (cost.difference_low, cost.difference_high) == pytest.approx((low, high), abs=0.001)
    assert cost.difference_high is not None
    assert cost.difference_high < 0
    assert cost.sure


def test_other_faults_are_told_where_nothing_has_a_twin() -> None:
    def cost(faces: str, out: int, difference: float | None) -> Cost:
        return Cost(faces, 100 - out, 50, 0.5, 0.4, 0.6, out, 0, difference, difference, difference)

    none = [cost(faces, 0, None) for faces in FACES]
    assert "nothing to compare" in lesson({"a": none}, "PublicTest")
    assert not is_there({"a": none})
    some = [cost(faces, 4, 0.02) if faces in ("conflicts", "clean") else cost(faces, 0, None) for faces in FACES]
    assert is_there({"a": some})
    words = lesson({"a": some}, "PublicTest")
    assert "nothing to compare" not in words
    assert "by up to 2.0 points" in words


def test_a_runs_costs_agree_with_its_metrics(known: Dataset, audit: Audit, tmp_path: Path) -> None:
    run = make_run(
        tmp_path / "run",
        labels=known.labels,
        splits=known.splits,
        data={"fingerprint": known.info.fingerprint},
        near_duplicates=audit.training_duplicates(),
    )
    costs, metrics = run_costs(run, audit), run.metrics()
    assert metrics is not None
    assert list(costs) == ["PublicTest", "PrivateTest"]
    for split, entries in costs.items():
        found = by_faces(entries)
        scores = metrics["splits"][split]
        assert found["all"].accuracy == scores["accuracy"]
        assert (found["all"].n, found["near"].n) == (scores["n"], scores["without_near_duplicates"]["n"])
        assert found["near"].accuracy == scores["without_near_duplicates"]["accuracy"]


def test_intervals_are_those_of_the_metrics(audit: Audit) -> None:
    from fer_core.stats.metrics import score

    probabilities = np.eye(7)[[0, 1, 2, 3, 4]]
    labels = np.array([0, 0, 2, 3, 0])
    scores = score(labels, probabilities)
    cost = audit_costs(PRIVATE, labels == np.arange(5), audit)[0]
    assert (cost.low, cost.high) == (scores["accuracy_low"], scores["accuracy_high"])


def test_a_split_without_faces_is_left_out(known: Dataset, audit: Audit, tmp_path: Path) -> None:
    keep = known.splits != "PublicTest"
    run = make_run(
        tmp_path / "run",
        labels=known.labels[keep],
        splits=known.splits[keep],
        rows=np.flatnonzero(keep),
        data={"fingerprint": known.info.fingerprint, "faces": len(known)},
    )
    assert list(run_costs(run, audit)) == ["PrivateTest"]


def test_runs_on_other_faces_are_refused(known: Dataset, audit: Audit, tmp_path: Path) -> None:
    other = make_run(tmp_path / "other", labels=known.labels, splits=known.splits)
    with pytest.raises(RunError, match=r"other faces \(Made-up faces\).*evaluate"):
        run_costs(other, audit)
    damaged = make_run(
        tmp_path / "damaged",
        labels=(known.labels + 1) % 7,
        splits=known.splits,
        data={"fingerprint": known.info.fingerprint},
    )
    with pytest.raises(RunError, match="damaged"):
        run_costs(damaged, audit)


@pytest.mark.parametrize(
    ("rows", "right"),
    [
        ([], np.array([], bool)),
        ([0, 1], np.array([True])),
        ([0.5], np.array([True])),
        ([0], np.array([1])),
        ([15], np.array([True])),
        ([-1], np.array([True])),
    ],
)
def test_what_makes_no_sense_is_refused(audit: Audit, rows: list[float], right: np.ndarray) -> None:
    with pytest.raises(ValueError, match="right"):
        audit_costs(np.asarray(rows, dtype=None if rows else int), right, audit)


def costs_of(change: float, low: float, high: float, *, left_out: int = 20, others: float = 0.0) -> list[Cost]:
    """Costs of 100 faces, half of them right, that change by as much as said without the twins."""
    costs = []
    for key in FACES:
        moved = change if key == "near" else others
        none = key == "all" or (key == "near" and not left_out)
        out = 0 if none else left_out or 1
        ends = (None, None, None) if none else (moved, low, high)
        costs.append(Cost(key, 100 - out, 50, 0.5 + moved, 0.4, 0.6, out, out * 3 // 4, *ends))
    return costs


def test_the_lesson_of_a_fall() -> None:
    text = lesson({"a": costs_of(-0.014, -0.02, -0.01), "b": costs_of(-0.03, -0.04, -0.02)}, "PrivateTest")
    assert "Without the 20 faces of PrivateTest" in text
    assert "(20.0 %)" in text
    assert "falls by 1.4 to 3.0 points**; for each run this is unlikely to be chance" in text
    assert "right in 75.0 %" in text
    assert "memory" in text
    assert "easier" in text
    assert "they are few" in text


def test_the_lesson_where_runs_do_not_agree() -> None:
    text = lesson({"a": costs_of(-0.014, -0.03, 0.01), "b": costs_of(0.02, 0.01, 0.03)}, "PrivateTest")
    assert "changes by −1.4 to +2.0 points**; for 1 of 2 runs this is unlikely to be chance" in text


def test_the_lesson_knows_no_negative_zero() -> None:
    text = lesson({"a": costs_of(-0.0001, -0.01, 0.01), "b": costs_of(0.01, -0.01, 0.02)}, "PrivateTest")
    assert "changes by +0.0 to +1.0 points**; for each run this could be chance" in text


def test_the_lesson_of_a_rise_does_not_speak_of_memory() -> None:
    text = lesson({"a": costs_of(0.014, -0.02, 0.03, others=0.02)}, "PublicTest")
    assert "rises by 1.4 points**; this could be chance" in text
    assert "memory" not in text
    assert "change accuracy by up to 2.0 points" in text


def test_the_lesson_without_near_duplicates_says_so() -> None:
    assert "no face has a twin in Training" in lesson({"a": costs_of(0, 0, 0, left_out=0)}, "PublicTest")
    with pytest.raises(ValueError, match="no run"):
        lesson({}, "PublicTest")
