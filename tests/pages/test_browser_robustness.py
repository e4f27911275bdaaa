"""The Robustness tab in a real browser: from a point of a curve to the faces that flip there, and on to one of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from factories import make_run
from playwright.sync_api import expect

from fer_core.corruptions.measurement import Corrupted, measure_corruptions
from fer_core.data.dataset import load_dataset

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
MINUTE = 60_000
"""Milliseconds."""
CENTRE = """(plot, index) => {
    const box = plot.getBoundingClientRect(), layout = plot._fullLayout, points = plot.data[0];
    return [box.x + layout.xaxis._offset + layout.xaxis.d2p(points.x[index]),
            box.y + layout.yaxis._offset + layout.yaxis.d2p(points.y[index])];
}"""


@pytest.fixture
def corrupted(home: Path, sample: Path) -> Corrupted:
    dataset = load_dataset(sample)
    data = dataset.info.record()
    run = make_run(home / "runs" / "mine", labels=dataset.labels, splits=dataset.splits, data=data)
    return measure_corruptions(run, dataset, limit=42)


def click(page: Page, chart: str, index: int) -> None:
    """A point of a chart, by the chart's key."""
    plot = page.locator(f".st-key-{chart} .js-plotly-plot")
    expect(plot.locator(".main-svg").first).to_be_visible(timeout=MINUTE)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=MINUTE)
    plot.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    x, y = plot.evaluate(CENTRE, index)
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y)
    page.wait_for_timeout(300)
    page.mouse.click(x, y)


def test_from_a_point_to_the_faces_that_flip_there_and_on_to_one(
    open_page: Callable[..., Page], corrupted: Corrupted
) -> None:
    found = corrupted.robustness
    changes = found.flips("changed")
    corruption = int(changes[:, 4].argmax())
    name = found.names[corruption]
    assert changes[corruption, 4], "the model never changes its mind: the test says nothing"
    page = open_page("explain?explain.view=Robustness&explain.flips=any+change")
    click(page, f"robust-{name}", 5)
    expect(page.get_by_text(f"{changes[corruption, 4]:,} answer")).to_be_visible(timeout=MINUTE)
    page.wait_for_function("location.search.includes('explain.strength=5')", timeout=MINUTE)
    rows = found.keys[found.flipped(name, 5, "changed")]
    click(page, "flip-sheet", 1)  # the first face, as it is afterwards
    explain = page.get_by_role("button", name="Explain it")
    expect(explain).to_be_visible(timeout=MINUTE)
    expect(page.get_by_text(re.compile(rf"Row {rows[0]:,} is labelled"))).to_be_visible(timeout=MINUTE)
    explain.click()
    expect(page.get_by_role("tab", name="Maps")).to_have_attribute("aria-selected", "true", timeout=MINUTE)
    number = page.get_by_role("spinbutton", name="Row number of the face")
    expect(number).to_have_value(str(rows[0]), timeout=MINUTE)
    page.wait_for_function(f"location.search.includes('explain.row={rows[0]}')", timeout=MINUTE)
