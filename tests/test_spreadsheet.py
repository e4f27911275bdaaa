"""Text in a table is never a formula, numbers stay numbers, and reading back gives what was written."""

from __future__ import annotations

import csv
import io

import pytest

from fer_core.spreadsheet import SpreadsheetWriter, cell, plain

LIVE = [
    *('=HYPERLINK("http://x")', "+49 30", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1", "\ufeff=1"),
    *("\x00=1", "＝1", "- of no use", "'=1", "''@x", "\tharmless", "=1;=2", "\t\t=1"),
]
STILL = [
    "",
    "fear",
    "resnet50",
    "it's",
    "'quoted'",
    "-1",
    "+0.5",
    "1e-5",
    "-.5",
    "half-closed eyes = sad",
    "a, -b",
    "x'=1",
]


@pytest.mark.parametrize("text", LIVE)
def test_a_text_that_a_spreadsheet_would_compute_gets_an_apostrophe(text: str) -> None:
    assert cell(text).startswith("'")
    assert plain(cell(text)) == text


@pytest.mark.parametrize("text", STILL)
def test_numbers_and_ordinary_text_stay_as_they_are(text: str) -> None:
    assert cell(text) == text == plain(text)


def test_no_formula_hides_behind_the_separator_of_another_country() -> None:
    """Where a semicolon ends a cell, ``fine;=1+1`` is two cells."""
    assert cell("fine;=1+1") == "fine;'=1+1"
    assert plain(cell("fine; =1+1\n-2")) == "fine; =1+1\n-2"


def test_headers_are_mended_too_and_numbers_are_not_text() -> None:
    file = io.StringIO(newline="")
    writer = SpreadsheetWriter(file, lineterminator="\n")
    writer.writerow(["row", "=run p(sad)"])
    writer.writerows([[-1, "-0.25"], [2, -0.5]])
    assert list(csv.reader(io.StringIO(file.getvalue()))) == [["row", "'=run p(sad)"], ["-1", "-0.25"], ["2", "-0.5"]]


def test_the_tables_for_people_are_written_by_the_one_writer() -> None:
    """Only history.csv is a machine's file; a table written past :class:`SpreadsheetWriter` may hold formulas."""
    from fer_core.settings import PROJECT_ROOT

    sources = [*(PROJECT_ROOT / "fer_core").rglob("*.py"), *(PROJECT_ROOT / "pages").rglob("*.py")]
    bare = [path.name for path in sources if "= csv.writer(" in path.read_text(encoding="utf-8")]
    assert bare == ["spreadsheet.py"]


def test_a_note_that_looks_like_a_formula_is_harmless_in_the_csv_of_marks_and_comes_back_whole() -> None:
    from fer_core.review.annotations import Annotation
    from fer_core.review.annotations_csv import read_annotations_csv, write_annotations_csv

    marks = {0: Annotation(0, "ambiguous", None, "=1+1"), 1: Annotation(1, "ambiguous", None, "'-not sad")}
    content = write_annotations_csv(marks, [0, 1], ["Training", "Training"])
    assert b",'=1+1," in content
    assert read_annotations_csv(content, [0, 1], ["Training", "Training"]) == list(marks.values())
