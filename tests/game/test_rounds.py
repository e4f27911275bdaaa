"""Which faces a round has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fer_core.game.rounds import PLAN, SIZE, Kind, Pool, choose, kinds

KNOWN = (1066, 1078, 1081, 1054, 1177, 1063, 1069, 1018, 1084, 1117)


def make_pool(n: int = 700, *, models: int = 4, **more: Any) -> Pool:
    """Made-up faces, each class as often as the others, of which each model gets two of three right."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 7
    wrong = rng.integers(1, 7, (models, n))
    answers = np.where(rng.random((models, n)) < 0.65, labels, (labels + wrong) % 7)
    against = (answers != labels).mean(axis=0) if models else np.zeros(n)
    parts: dict[str, Any] = {
        "doubt": np.where(against == 1, rng.random(n), against / 3),
        "sure": np.full(n, 0.8),
        **more,
    }
    return Pool(1000 + 3 * np.arange(n), labels, answers, **parts)


def test_a_round_follows_from_its_number_alone() -> None:
    pool = make_pool()
    order = np.random.default_rng(5).permutation(len(pool.rows))
    assert pool.doubt is not None
    shuffled = Pool(pool.rows[order], pool.labels[order], pool.answers[:, order], pool.sure[order], pool.doubt[order])
    assert choose(7, pool) == choose(7, make_pool()) == choose(7, shuffled)
    assert len({choose(number, pool).rows for number in range(1, 30)}) == 29


def test_a_known_round_stays_what_it_is() -> None:
    """Links that people have kept lead to the same faces, whatever is changed here."""
    assert choose(217, make_pool(70)).rows == KNOWN


def test_a_round_has_what_was_planned_and_begins_easily() -> None:
    for number in range(1, 20):
        found = choose(number, make_pool())
        assert sorted(found.kinds) == sorted(PLAN)
        assert found.kinds[0] == Kind.CLEAR
        assert len(set(found.rows)) == SIZE


def test_classes_take_turns() -> None:
    pool = make_pool()
    for number in range(1, 20):
        labels = pool.labels[np.searchsorted(pool.rows, choose(number, pool).rows)]
        assert np.bincount(labels, minlength=7).max() <= 3
        assert len(set(labels.tolist())) >= 5


def test_each_kind_is_what_it_is_called() -> None:
    pool = make_pool()
    right = (pool.answers == pool.labels).sum(axis=0)
    masks = kinds(pool)
    assert (right[masks[Kind.CLEAR]] == 4).all()
    assert (right[masks[Kind.ONE_RIGHT]] == 1).all()
    assert (right[masks[Kind.ALL_WRONG]] == 0).all()
    assert pool.doubt is not None
    assert (pool.doubt[masks[Kind.WRONG_LABEL]] >= 2 / 3).all()
    assert (np.stack([masks[kind] for kind in set(PLAN)]).sum(axis=0) <= 1).all()


def test_labels_that_cannot_be_wrong_are_not_called_so() -> None:
    found = choose(3, make_pool(doubt=None))
    assert Kind.WRONG_LABEL not in found.kinds
    assert len(found.rows) == SIZE


def test_without_models_and_with_few_faces_there_is_a_round() -> None:
    alone = choose(3, make_pool(models=0))
    assert alone.kinds == (Kind.ANY,) * SIZE
    assert len(choose(3, make_pool(4)).rows) == 4
    assert choose(3, make_pool(0)).rows == ()


@pytest.mark.parametrize("number", [0, -1, 10_000])
def test_other_numbers_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="1 to 9999"):
        choose(number, make_pool(7))


def test_arrays_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="as many labels"):
        make_pool(sure=np.ones(3))
