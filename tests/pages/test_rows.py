"""Free row numbers, filters and neighbours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_core.data.dataset import Dataset, write_dataset
from fer_core.emotions import COUNT, SPLITS
from pages.parts.rows import parse_rows, previous_and_next, select_rows


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """42 faces: labels 0..6 again and again, the splits in thirds."""
    labels = np.arange(42) % COUNT
    images = np.random.default_rng(0).integers(0, 256, (42, 48, 48), dtype=np.uint8)
    return write_dataset(tmp_path / "faces", images, labels, np.repeat(SPLITS, 14))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", []),
        ("12", [12]),
        ("12, 40-41", [12, 40, 41]),
        (" 3 – 5;3 7 ", [3, 4, 5, 7]),
        ("9,9,8", [9, 8]),
    ],
)
def test_parse_rows(text: str, rows: list[int]) -> None:
    assert parse_rows(text, 42).tolist() == rows


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("abc", "“abc” is not a row number"),
        ("-3", "“-3” is not a row number"),
        ("7-3", "runs backwards"),
        ("42", "no row 42"),
        ("0-99999999999", "no row 99,999,999,999"),
        ("9" * 5000, "“9{40}” is not a row number"),
        ("١٢", "“١٢” is not a row number"),
    ],
)
def test_parse_rows_says_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_rows(text, 42)


def test_select_rows_keeps_the_order_asked_for(dataset: Dataset) -> None:
    assert select_rows(dataset).tolist() == list(range(42))
    assert select_rows(dataset, "PublicTest", "fear").tolist() == [16, 23]
    assert select_rows(dataset, rows=np.array([23, 4, 16]), emotion="fear").tolist() == [23, 16]


def test_neighbours() -> None:
    rows = np.array([3, 8, 20])
    assert previous_and_next(rows, 8) == (3, 20)
    assert previous_and_next(rows, 3) == (None, 8)
    assert previous_and_next(rows, 20) == (8, None)
    assert previous_and_next(rows, 10) == (8, 20)
    assert previous_and_next(np.array([20, 3, 8]), 3) == (20, 8)
    assert previous_and_next(np.array([], dtype=np.intp), 3) == (None, None)
