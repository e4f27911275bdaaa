"""A report as one file."""

from __future__ import annotations

import base64
import io
import re

import pytest
from PIL import Image

from fer_core.review.html_report import Report


def test_everything_is_inside_and_people_s_words_are_text() -> None:
    report = Report("My <b>work</b>")
    report.heading("Fear & sad")
    report.paragraph("<script>alert(1)</script>")
    report.paragraph("")
    report.table(["run", "accuracy"], [["<i>one</i>", "70.0"]], [["", "#2A2677"]])
    buffer = io.BytesIO()
    Image.new("L", (4, 4)).save(buffer, "JPEG")
    report.picture(buffer.getvalue(), 'a "face"', "caption")
    page = report.text()
    assert "<script>" not in page
    assert "<i>one" not in page
    assert "<b>work" not in page
    assert "&lt;script&gt;" in page
    assert 'style="background:#2A2677;color:#fff"' in page
    assert not re.search(r'(?:src|href)="(?!data:)', page), "nothing is fetched"
    data = re.search(r'src="data:image/jpeg;base64,([^"]+)"', page)
    assert data
    assert Image.open(io.BytesIO(base64.b64decode(data[1]))).size == (4, 4)


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 cells"):
        Report("x").table(["a", "b"], [["1"]])
