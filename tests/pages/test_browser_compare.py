"""From a number on Compare to the faces behind it, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from factories import make_run
from playwright.sync_api import expect

from fer_core.data.dataset import load_dataset

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser
MINUTE = 60_000
"""Milliseconds."""


@pytest.fixture
def runs(home: Path, sample: Path) -> None:
    """Two runs measured on the drawn sample."""
    dataset = load_dataset(sample)
    about = {"name": "sample", "title": "The drawn sample", "fingerprint": dataset.info.fingerprint}
    for seed, (name, accuracy) in enumerate([("strong", 0.8), ("weak", 0.4)]):
        make_run(
            home / "runs" / name,
            labels=dataset.labels,
            splits=dataset.splits,
            seed=seed,
            accuracy=accuracy,
            data=about,
            created=f"2026-01-0{9 - seed}T00:00:00+00:00",
        )


def query_of(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def click_cell(page: Page, chart: Locator, true: int, said: int) -> None:
    """Click a cell of a matrix, found through the figure's own axes."""
    expect(chart.locator(".main-svg").first).to_be_visible(timeout=MINUTE)
    page.wait_for_timeout(500)
    chart.scroll_into_view_if_needed()
    x, y = chart.locator(".js-plotly-plot").evaluate(
        """(plot, cell) => {
            const box = plot.getBoundingClientRect(), layout = plot._fullLayout;
            return [box.x + layout.xaxis._offset + layout.xaxis.d2p(cell[1]),
                    box.y + layout.yaxis._offset + layout.yaxis.d2p(cell[0])];
        }""",
        [true, said],
    )
    page.mouse.move(x, y)
    page.wait_for_timeout(300)
    page.mouse.click(x, y)


def test_a_click_on_a_cell_shows_its_faces(runs: None, open_page: Callable[..., Page]) -> None:
    page = open_page("compare?runs=strong&runs=weak&split=PublicTest&order=by+confusion")
    expect(page.get_by_role("heading", name="Accuracy on PublicTest")).to_be_visible(timeout=MINUTE)
    chart = page.locator(".st-key-confusion-weak")
    expect(chart.locator(".main-svg").first).to_be_visible(timeout=MINUTE)
    # By confusion the classes stand elsewhere: fear and sad are found by their names.
    places = chart.locator(".js-plotly-plot").evaluate(
        "plot => ['fear', 'sad'].map(name => plot.layout.xaxis.ticktext.indexOf(name))"
    )
    click_cell(page, chart, *places)
    expect(page.get_by_role("heading", name="Mistakes", exact=True)).to_be_visible(timeout=MINUTE)
    expect(page).to_have_url(re.compile("/mistakes"))
    query = query_of(page)
    assert query["true"] == ["fear"]
    assert query["said"] == ["sad"]
    assert query["by"] == ["weak"]
    assert query["runs"] == ["strong", "weak"]
    assert query["split"] == ["PublicTest"]
    # One step back is back, with the order chosen there, and not at once away again.
    page.go_back()
    expect(page.get_by_role("heading", name="Accuracy on PublicTest")).to_be_visible(timeout=MINUTE)
    expect(chart.locator(".main-svg").first).to_be_visible(timeout=MINUTE)
    page.wait_for_timeout(2000)
    assert urlsplit(page.url).path == "/compare"
    query = query_of(page)
    assert query["order"] == ["by confusion"]
    assert query["compare.split"] == ["PublicTest"]
    assert query["compare.runs"] == ["strong", "weak"]


def test_a_link_keeps_the_choice_and_can_narrow_it(
    runs: None, home: Path, sample: Path, open_page: Callable[..., Page]
) -> None:
    """Streamlit takes out of a link whatever is called like a widget of the page that it leaves."""
    dataset = load_dataset(sample)
    about = {"name": "sample", "title": "The drawn sample", "fingerprint": dataset.info.fingerprint}
    make_run(home / "runs" / "third", labels=dataset.labels, splits=dataset.splits, seed=7, data=about)
    page = open_page("compare?runs=third&runs=strong&runs=weak&split=PublicTest&view=Difference&a=third&b=weak")
    page.get_by_role("link", name=re.compile("One of the two says so")).click(timeout=MINUTE)
    expect(page.get_by_role("heading", name="Mistakes", exact=True)).to_be_visible(timeout=MINUTE)
    page.wait_for_timeout(2000)
    query = query_of(page)
    assert query["runs"] == ["third", "weak"]
    assert query["split"] == ["PublicTest"]
    assert "view" not in query
    page.go_back()
    expect(page.get_by_text("Where they differ")).to_be_visible(timeout=MINUTE)
    assert query_of(page)["b"] == ["weak"]


def test_a_link_is_not_mixed_with_an_earlier_visit(runs: None, open_page: Callable[..., Page]) -> None:
    """Streamlit gives a page back what its widgets held, where a link does not name them or names their default."""
    page = open_page("mistakes?runs=weak&split=PublicTest&answer=right&set=weak+is+right&true=happy")
    expect(page.get_by_text("faces of PublicTest").filter(visible=True).first).to_be_visible(timeout=MINUTE)
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Compare").click()
    page.get_by_text("One cell of every run").click(timeout=MINUTE)
    link = page.get_by_role("link", name=re.compile("^weak: "))
    expect(link).to_be_visible(timeout=MINUTE)
    label = link.inner_text()
    faces = re.search(r"\d+", label)
    assert faces, label
    link.click()
    expect(page.get_by_text("faces of PrivateTest").filter(visible=True).first).to_be_visible(timeout=MINUTE)
    expect(page.get_by_text(re.compile(rf"^{faces[0]} of ")).first).to_be_visible(timeout=MINUTE)
    page.wait_for_timeout(1000)
    query = query_of(page)
    assert query["true"] == ["fear"]
    assert not {"answer", "set"} & query.keys()


def test_a_click_on_a_set_and_on_a_difference(runs: None, open_page: Callable[..., Page]) -> None:
    page = open_page("compare?runs=strong&runs=weak&view=Agreement&sorted=most+runs+right+first")
    chart = page.locator(".st-key-lattice")
    click_cell(page, chart, 5, 1)
    expect(page.get_by_role("heading", name="Mistakes", exact=True)).to_be_visible(timeout=MINUTE)
    assert query_of(page)["set"] == ["only strong is right"]

    page = open_page("compare?runs=strong&runs=weak&view=Difference")
    click_cell(page, page.locator(".st-key-difference"), 2, 4)
    expect(page.get_by_role("heading", name="Mistakes", exact=True)).to_be_visible(timeout=MINUTE)
    query = query_of(page)
    assert (query["true"], query["said"]) == (["fear"], ["sad"])


def test_the_address_keeps_what_other_tabs_were_set_to(runs: None, open_page: Callable[..., Page]) -> None:
    page = open_page("compare?view=Certainty&least=70&show=Faces&along=by+time")
    expect(page.get_by_text("70 %").first).to_be_visible(timeout=MINUTE)
    page.get_by_role("tab", name="Classes").click()
    expect(page.get_by_text("Right with the first or the second guess")).to_be_visible(timeout=MINUTE)
    page.get_by_role("tab", name="Matrices").click()
    expect(page.get_by_text("answer (faces)").first).to_be_visible(timeout=MINUTE)
    query = query_of(page)
    assert query["least"] == ["70"]
    assert query["show"] == ["Faces"]
    assert query["along"] == ["by time"]
    # The very same in another browser.
    other = open_page(page.url.split("/", 3)[3])
    expect(other.get_by_text("answer (faces)").first).to_be_visible(timeout=MINUTE)
    other.get_by_role("tab", name="Certainty").click()
    expect(other.get_by_text("70 %").first).to_be_visible(timeout=MINUTE)
