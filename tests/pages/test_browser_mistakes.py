"""Mistakes in a real browser: a face is clicked, and its address shows the very same view anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from factories import make_evaluated_run
from playwright.sync_api import expect

from fer_core.data.dataset import load_dataset

if TYPE_CHECKING:
    from browser import AppServer
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
MINUTE = 60_000
PLOT = ".st-key-mistakes-sheet .js-plotly-plot"
SHEET = """plot => {
    const frame = (plot.layout.shapes || [])[0];
    return {
        rows: plot.data[0].customdata.map(point => point[0]),
        told: plot.data[0].customdata.map(point => point[1]),
        frame: frame ? [frame.x0, frame.y0, frame.x1, frame.y1] : null,
    };
}"""
CENTRE = """(plot, index) => {
    const box = plot.getBoundingClientRect(), layout = plot._fullLayout, points = plot.data[0];
    return [box.x + layout.xaxis._offset + layout.xaxis.d2p(points.x[index]),
            box.y + layout.yaxis._offset + layout.yaxis.d2p(points.y[index])];
}"""


@pytest.fixture
def runs(home: Path, sample: Path) -> None:
    """Three runs measured on the drawn sample."""
    dataset = load_dataset(sample)
    for seed, name in enumerate(("one", "two", "three")):
        make_evaluated_run(home / "runs" / name, dataset, seed=seed, accuracy=0.4)


def ready(page: Page) -> None:
    expect(page.locator(f"{PLOT} .main-svg").first).to_be_visible(timeout=MINUTE)
    # While a run of the script is under way, the page may hold the sheet before and the one after.
    expect(page.locator(PLOT)).to_have_count(1, timeout=MINUTE)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=MINUTE)
    page.wait_for_timeout(700)
    expect(page.locator(PLOT)).to_have_count(1, timeout=MINUTE)


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label, exact=False).first.click()
    page.get_by_role("option", name=option, exact=True).click()
    ready(page)


def click_face(page: Page, index: int) -> None:
    plot = page.locator(PLOT)
    expect(plot).to_have_count(1, timeout=MINUTE)
    plot.scroll_into_view_if_needed()
    x, y = plot.evaluate(CENTRE, index)
    page.mouse.move(x, y)
    page.wait_for_timeout(300)
    page.mouse.click(x, y)
    expect(page).to_have_url(re.compile("face="), timeout=MINUTE)
    ready(page)


def view_of(page: Page) -> dict[str, Any]:
    """Everything that a visitor would compare: the choices, the sentence, the sheet and its frame, the open face."""
    return {
        "sheet": page.locator(PLOT).evaluate(SHEET),
        "sentence": page.locator(".st-key-said-what").inner_text(),
        "runs": page.locator(".st-key-runs [data-tag]").all_inner_texts(),
        "split": page.locator(".st-key-split [aria-checked=true]").all_inner_texts(),
        "sort": page.locator(".st-key-sort input").input_value(),
        "page": page.locator(".st-key-pages").inner_text(),
        "face": page.locator(".st-key-face input").input_value(),
        "picture": page.get_by_text(re.compile(r"^Row [\d,]+, labelled")).inner_text(),
    }


def test_a_link_shows_the_same_face_in_the_same_frame_on_a_fresh_server(
    runs: None, app: AppServer, open_page: Callable[..., Page]
) -> None:
    page = open_page("mistakes?runs=one&runs=three&split=PublicTest&by=three")
    ready(page)
    choose(page, "Sorted by", "Margin of the label, smallest first")
    page.get_by_role("button", name="Page 2", exact=True).click()
    expect(page).to_have_url(re.compile("page=2"), timeout=MINUTE)
    ready(page)
    click_face(page, 7)
    before = view_of(page)
    assert int(before["face"]) == before["sheet"]["rows"][7]
    assert before["sheet"]["frame"] is not None
    assert len(before["runs"]) == 2
    assert before["split"] == ["PublicTest"]
    assert before["sort"].startswith("Margin")
    assert "Page 2" in before["page"]
    address = page.url
    page.context.close()

    app.restart()
    other = open_page(address.split("/", 3)[3])
    ready(other)
    assert view_of(other) == before
    assert parse_qs(urlsplit(other.url).query) == parse_qs(urlsplit(address).query)


def test_a_bare_address_names_its_runs_once_a_face_is_open(runs: None, open_page: Callable[..., Page]) -> None:
    page = open_page("mistakes")
    ready(page)
    click_face(page, 0)
    query = parse_qs(urlsplit(page.url).query)
    assert query["runs"] == ["one", "two", "three"]
    ready(page)
    assert query["face"] == [str(page.locator(PLOT).evaluate(SHEET)["rows"][0])]
    # By the keyboard to the next one, and by the browser's own button back.
    first = query["face"]
    page.keyboard.press("ArrowRight")
    expect(page).not_to_have_url(re.compile(rf"face={first[0]}\b"), timeout=MINUTE)
    ready(page)
    assert int(page.locator(".st-key-face input").input_value()) == page.locator(PLOT).evaluate(SHEET)["rows"][1]
