"""What follows from a trial: nothing is assumed in silence, and what the owner says counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from fer_core.bring.evidence import OutputKind, TrialRecord, TriedRecord, UndecidedError, choose, kept, table
from fer_core.bring.orders import ALPHABETICAL, BEST, DECLARED, FER, Order, fits
from fer_core.bring.trial import as_probabilities, kind_of_answers
from fer_core.emotions import NAMES
from fer_core.errors import ModelError

SORTED = tuple(sorted(NAMES))


@dataclass
class Said:
    """A trial whose network answers in the order ``classes`` at the scale ``unit``, and guesses at ``raw``."""

    classes: tuple[str, ...] = NAMES
    accuracy: float = 0.7
    declared: Order | None = None

    def trial(self) -> TrialRecord:
        generator = np.random.default_rng(0)
        labels = generator.integers(0, 7, 300)
        found: list[TriedRecord] = []
        for scale, accuracy in (("unit", self.accuracy), ("raw", 0.0)):
            rows = generator.dirichlet(np.ones(len(self.classes)), len(labels))
            for row, label in zip(rows, labels, strict=True):
                if NAMES[label] in self.classes and generator.random() < accuracy:
                    row[self.classes.index(NAMES[label])] += 2
            for fit in fits(rows / rows.sum(axis=1, keepdims=True), labels, self.declared):
                found.append(
                    TriedRecord(
                        scale=scale,
                        output=OutputKind.PROBABILITIES,
                        order=fit.order.name,
                        classes=list(fit.order.classes),
                        accuracy=fit.accuracy,
                        low=fit.low,
                        high=fit.high,
                        log_loss=1.0,
                        right="".join("01"[int(one)] for one in fit.right),
                    )
                )
        return TrialRecord(
            height=48, width=48, channels=1, count=len(self.classes), faces=300, most_frequent=0.16, fits=found
        )


def test_the_usual_order_is_taken_where_none_is_better() -> None:
    choice = choose(Said().trial())
    assert (choice.order, choice.scale, choice.by_owner) == (Order(FER, NAMES), "unit", False)


def test_another_order_is_never_taken_in_silence() -> None:
    with pytest.raises(UndecidedError, match="alphabetical") as asked:
        choose(Said(SORTED).trial())
    assert asked.value.suggestion == "--classes alphabetical --scale unit"
    assert "fear" in asked.value.table
    choice = choose(Said(SORTED).trial(), named=ALPHABETICAL)
    assert (choice.order.classes, choice.by_owner) == (SORTED, True)


def test_an_order_nobody_published_is_suggested_class_by_class() -> None:
    classes = ("fear", "sad", "neutral", "angry", "surprise", "happy", "disgust")
    with pytest.raises(UndecidedError) as asked:
        choose(Said(classes).trial())
    assert f"--classes {','.join(classes)} " in asked.value.suggestion + " "


def test_what_the_owner_says_counts_against_the_evidence() -> None:
    """Their labels may be others than ours; the evidence is kept beside it."""
    trial = Said(SORTED, declared=Order("mine", NAMES)).trial()
    choice = choose(trial, named=DECLARED)
    assert (choice.order.classes, choice.by_owner) == (NAMES, True)
    assert kept(trial)[0]["order"] in (ALPHABETICAL, BEST)
    assert choose(trial, named=ALPHABETICAL, scale="raw").scale == "raw"


def test_an_untrained_network_needs_both_said() -> None:
    trial = Said(accuracy=0.0).trial()
    for options in ({}, {"named": FER}, {"scale": "raw"}):
        with pytest.raises(UndecidedError, match="untrained"):
            choose(trial, **options)
    assert choose(trial, named=FER, scale="raw").order.classes == NAMES


def test_an_order_that_does_not_fit_is_refused() -> None:
    trial = Said().trial()
    with pytest.raises(ModelError, match="nonsense"):
        choose(trial, named="nonsense")
    with pytest.raises(ModelError, match="caffe"):
        choose(trial, scale="caffe")


def test_the_table_shows_the_best_of_each_order_and_scale() -> None:
    lines = table(Said(SORTED).trial()).splitlines()
    assert lines[1].split()[2] == "unit"
    assert any(" raw " in line for line in lines)
    assert sum(f" {BEST} " in line for line in lines) <= 2
    assert sum(f" {ALPHABETICAL} " in line for line in lines) == 1


def test_kinds_of_answers_are_told_apart() -> None:
    logits = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32) * 3
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    sigmoid = 1 / (1 + np.exp(-logits))
    for rows, kind in ((logits, "logits"), (softmax, "probabilities"), (sigmoid, "separate")):
        found = kind_of_answers(rows)
        assert found == kind
        probabilities = as_probabilities(rows, found)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
        assert (probabilities.argmax(axis=1) == logits.argmax(axis=1)).all()
    np.testing.assert_allclose(as_probabilities(np.log(softmax), kind_of_answers(np.log(softmax))), softmax, atol=1e-5)
    assert kind_of_answers(logits * np.nan) == "no numbers"


def test_small_logits_are_no_shares_where_the_file_tells_that_nothing_keeps_them_small() -> None:
    """Within 0..1 by chance, they were taken for sigmoids."""
    logits = np.random.default_rng(0).uniform(0.1, 0.9, (50, 7)).astype(np.float32)
    assert kind_of_answers(logits) == "separate"
    assert kind_of_answers(logits, linear=True) == "logits"
    # As a layer gives them that weighs probabilities against each other.
    shares = logits / logits.sum(axis=1, keepdims=True)
    assert kind_of_answers(shares, linear=True) == "probabilities"


def test_probabilities_in_steps_need_not_add_up_to_one() -> None:
    """Seven of eight bits, each rounded, may be 0.012 off: they were taken for shares of each class by itself."""
    rows = np.full((50, 7), 36 / 256, np.float32)
    assert kind_of_answers(rows) == "separate"
    assert kind_of_answers(rows, step=1 / 256) == "probabilities"


def test_of_scales_that_accuracy_does_not_tell_apart_the_likelier_is_taken() -> None:
    trial = Said().trial()
    same = [one | {"scale": "torch", "log_loss": 0.5} for one in trial["fits"] if one["scale"] == "unit"]
    assert choose(trial | {"fits": [*trial["fits"], *same]}).scale == "torch"
