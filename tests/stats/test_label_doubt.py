"""The model of label doubt: what it looks at, how it orders faces, and the shipped table."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.emotions import COUNT, NAMES
from fer_core.stats.label_doubt import FEATURES, features, label_doubt, shipped_table

FEAR, HAPPY, SAD = NAMES.index("fear"), NAMES.index("happy"), NAMES.index("sad")


def sure(label: int, confidence: float = 0.7) -> np.ndarray:
    values = np.full(COUNT, (1 - confidence) / (COUNT - 1))
    values[label] = confidence
    return values


def test_the_features_are_what_their_names_say() -> None:
    stack = np.stack([[sure(SAD, 0.4)], [sure(SAD, 0.9)]])
    found = dict(zip(FEATURES, features([SAD], stack)[0], strict=True))
    assert (found["labelled sad"], found["labelled fear"]) == (1, 0)
    assert found["mean p(label)"] == pytest.approx(0.65)
    assert found["mean log p(label)"] == found["mean log p(sad)"] == pytest.approx((np.log(0.4) + np.log(0.9)) / 2)


def test_a_contradicted_label_is_doubted_more_than_a_shared_one() -> None:
    labels = [HAPPY, HAPPY, HAPPY]
    doubt = label_doubt(labels, np.stack([[sure(HAPPY, 0.95), sure(HAPPY, 0.5), sure(SAD, 0.95)]]))
    assert 0 < doubt[0] < doubt[1] < doubt[2] < 1
    assert doubt[0] < 0.1
    assert doubt[2] > 0.9


def test_any_number_of_runs_will_do() -> None:
    one = np.stack([[sure(SAD), sure(FEAR)]])
    np.testing.assert_allclose(label_doubt([SAD, SAD], one), label_doubt([SAD, SAD], np.repeat(one, 5, axis=0)))


def test_a_probability_of_nothing_is_no_infinity() -> None:
    values = np.zeros((1, 1, COUNT))
    values[0, 0, SAD] = 1
    assert np.isfinite(label_doubt([FEAR], values)).all()
    with pytest.raises(ValueError, match="0"):
        label_doubt([COUNT], values)


def test_the_shipped_table_says_where_it_comes_from_and_where_it_is_a_guess() -> None:
    table = shipped_table()
    assert len(table.coefficients) == len(FEATURES)
    assert set(table.verdicts) == {1, 2, 3, 4}
    assert all(set(kinds) == {"label", "model", "unclear", "neither"} for kinds in table.verdicts.values())
    assert table.beyond(table.fingerprint, table.runs[:1]) == ""
    assert table.beyond(table.fingerprint, ["vote", "tiny"]) == "", "all that ship were checked"
    assert "a run here is not among them" in table.beyond(table.fingerprint, [*table.runs, "mine"])
    assert "other data" in table.beyond("0" * 64, table.runs)


def test_shipped_verdicts_are_more_often_right_than_not() -> None:
    for kinds in shipped_table().verdicts.values():
        assert kinds["label"].low > 0.8
        assert max(kinds["model"].high, kinds["neither"].high) < 0.4


def test_one_runs_verdict_has_the_share_of_one_run() -> None:
    """It was given that of four together, which are right more often."""
    table = shipped_table()
    one, four = table.measured("model", 1), table.measured("model", 4)
    assert one is not None
    assert four is not None
    assert one.share > four.share + 0.03
    assert table.measured("model", 9) == four
