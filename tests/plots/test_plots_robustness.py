"""The curves of accuracy on faces made worse."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.corruptions.kinds import CORRUPTIONS
from fer_core.corruptions.robustness import Robustness
from fer_core.plots.robustness import describe_severity_curves, guessing_of, severity_curves


def robustness(right: list[int], n: int = 10) -> Robustness:
    """Labels are all 3; of the n answers at severity s, right[s] are 3, the others 0; right[0] untouched."""
    answers = np.array([[3] * count + [0] * (n - count) for count in right], dtype=np.int8)
    return Robustness(("blur",), np.full(n, 3, np.int8), answers[0], answers[np.newaxis, 1:], np.arange(n), 0)


RUNS = {"one": robustness([9, 8, 7, 6, 5, 4]), "other": robustness([5, 5, 4, 3, 2, 1])}


def test_a_line_a_run_with_its_interval_and_what_a_click_reports() -> None:
    figure = severity_curves("blur", RUNS, highlighted=("other", 2), guessing=0.25)
    one, other = figure.data
    assert list(one.y) == pytest.approx([90, 80, 70, 60, 50, 40])
    assert list(other.customdata[3]) == ["other", "blur", 3]
    low, high = RUNS["one"].accuracy()[1:]
    assert one.error_y.array[1] == pytest.approx(100 * high[0, 0] - 80)
    assert one.error_y.arrayminus[1] == pytest.approx(80 - 100 * low[0, 0])
    assert max(one.marker.line.width) == 0
    assert [bool(width) for width in other.marker.line.width] == [False, False, True, False, False, False]
    assert list(figure.layout.xaxis.ticktext) == ["as is", "0.5", "0.9", "1.3", "1.8", "2.5"]
    assert "pixels" in figure.layout.xaxis.title.text
    assert one.x[0] != other.x[0], "whiskers of two runs must not lie on each other"
    lines = [shape.y0 for shape in figure.layout.shapes]
    assert sorted(lines) == pytest.approx([25, 50, 90])
    assert figure.layout.yaxis.range[1] >= 100 * RUNS["one"].clean_interval()[2]
    assert "Blur: σ 1.3 pixels" in one.text[3]
    assert "n = 10" in one.text[3]


def test_in_words() -> None:
    text = describe_severity_curves("blur", RUNS)
    assert "other: 50.0 % untouched, 50.0 % at 0.5, 40.0 % at 0.9" in text
    assert "No run" in describe_severity_curves("blur", {})


def test_guessing() -> None:
    assert guessing_of(np.array([3, 3, 3, 1])) == 0.75


def test_every_corruption_says_on_its_axis_what_its_numbers_are() -> None:
    assert all(corruption.axis for corruption in CORRUPTIONS.values())
    assert CORRUPTIONS["rotation"].span() == "±6, 12, 20, 30, 45 degrees"


def test_the_interval_of_the_mean_is_over_faces() -> None:
    found = RUNS["one"]
    share = (found.answers == found.labels).mean(axis=(0, 1))
    reach = 1.96 * share.std(ddof=1) / np.sqrt(10)
    assert found.mean_interval() == pytest.approx((share.mean() - reach, share.mean() + reach), abs=1e-4)
    assert found.mean_accuracy() == pytest.approx(share.mean())
    assert np.isnan(found.where(np.arange(10) < 1).mean_interval()).all()


def test_some_of_the_faces() -> None:
    part = RUNS["one"].where(np.arange(10) >= 8)
    assert part.keys.tolist() == [8, 9]
    assert part.clean_accuracy == 0.5
    assert part.accuracy()[0].shape == (1, 5)
    with pytest.raises(ValueError, match="mask of 10"):
        RUNS["one"].where([True])
