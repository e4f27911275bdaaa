"""Orders of classes found out by trying: on answers whose order is known."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from fer_core.bring.orders import (
    ALPHABETICAL,
    BEST,
    DECLARED,
    FER,
    Order,
    best_matching,
    fit,
    fits,
    parse_order,
    published,
    rearranged,
)
from fer_core.emotions import NAMES
from fer_core.errors import ModelError

SORTED = tuple(sorted(NAMES))


def answers(classes: tuple[str, ...], n: int = 300, accuracy: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, K) whose columns are ``classes``, and labels of all seven classes."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 7, n)
    rows = generator.dirichlet(np.ones(len(classes)), n)
    for row, label in zip(rows, labels, strict=True):
        if NAMES[label] in classes and generator.random() < accuracy:
            row[classes.index(NAMES[label])] += 2
    return rows / rows.sum(axis=1, keepdims=True), labels


@pytest.mark.parametrize(
    ("classes", "name"),
    [
        (NAMES, FER),
        (SORTED, ALPHABETICAL),
        (("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt"), "affectnet"),
        (("angry", "contempt", "disgust", "fear", "happy", "sad", "surprise"), "ckplus"),
        (tuple(name for name in SORTED if name != "neutral"), ALPHABETICAL),
        (tuple(name for name in NAMES if name not in ("disgust", "fear")), FER),
    ],
)
def test_the_order_of_answers_is_found(classes: tuple[str, ...], name: str) -> None:
    found = {one.order.name: one for one in fits(*answers(classes))}
    assert found[name].order.classes == classes
    assert not found[BEST].beats(found[name])
    # Without neutral faces, FER-2013's own order is alphabetical, too.
    assert all(
        found[name].beats(one) for one in found.values() if one.order.name != BEST and one.order.classes != classes
    )


def test_an_order_that_nobody_published_is_matched() -> None:
    classes = ("fear", "sad", "neutral", "angry", "surprise", "happy", "disgust")
    rows, labels = answers(classes)
    assert best_matching(rows, labels).classes == classes
    found = fits(rows, labels, Order("mine", NAMES))
    assert found[0].order.name == BEST
    assert found[0].beats(next(one for one in found if one.order.name == DECLARED))


def test_alphabetical_said_of_seven_classes_is_never_ck_plus() -> None:
    """An untrained network, said to be alphabetical, lost neutral to contempt by the chance of its answers."""
    classes = ("angry", "contempt", "disgust", "fear", "happy", "sad", "surprise")
    found = {one.order.name: one for one in fits(*answers(classes))}
    assert found[ALPHABETICAL].order.classes == SORTED


def test_the_matching_is_the_best_of_all() -> None:
    rows, labels = np.random.default_rng(1).dirichlet(np.ones(5), 60), np.random.default_rng(2).integers(0, 7, 60)
    best = max(np.mean(np.array(order)[rows.argmax(axis=1)] == labels) for order in permutations(range(7), 5))
    assert fit(rows, labels, best_matching(rows, labels)).accuracy == pytest.approx(best)


def test_other_classes_are_left_out_and_missing_ones_never_answered() -> None:
    order = Order("x", ("contempt", "happy", "sad", "angry", "fear"))
    seven = rearranged([[0.6, 0.2, 0.1, 0.1, 0.0], [1, 0, 0, 0, 0]], order)
    np.testing.assert_allclose(seven[0], [0.25, 0, 0, 0.5, 0.25, 0, 0], atol=1e-6)
    np.testing.assert_allclose(seven[1], [0.25, 0, 0.25, 0.25, 0.25, 0, 0], atol=1e-6)
    assert (order.left_out, order.missing) == (("contempt",), ("disgust", "surprise", "neutral"))


def test_what_was_typed_is_understood_or_named() -> None:
    assert parse_order("Anger, Happiness ,sadness,suprise,scared", 5) == Order(
        DECLARED, ("angry", "happy", "sad", "surprise", "fear")
    )
    assert parse_order("alphabetical", 7) == ALPHABETICAL
    for text, word in {"happy,glad": "glad", "happy,joy": "twice", "happy,sad": "5 answers"}.items():
        with pytest.raises(ModelError, match=word):
            parse_order(text, 5)
    with pytest.raises(ModelError, match="3 answers"):
        published(3)
