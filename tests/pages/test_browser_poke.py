"""Poke in a real browser: painting with the mouse moves the bars, and the address shows the same anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from factories import make_run
from playwright.sync_api import expect

from fer_core.explain.poke.links import from_text
from fer_core.explain.poke.steps import Box, Brush

if TYPE_CHECKING:
    from browser import AppServer
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
MINUTE = 60_000
CANVAS = ".stack canvas"
BARS = ".st-key-poke-bars section"
MOUTH = ((16, 38), (32, 38))
PAINTED = """canvas => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, 48, 48).data;
    return Array.from(pixels).filter((value, at) => at % 4 === 3 && value > 0).length;
}"""


@pytest.fixture
def model(home: Path, sample: Path) -> None:
    make_run(home / "runs" / "net")


def ready(page: Page) -> None:
    expect(page.locator(CANVAS)).to_be_visible(timeout=MINUTE)
    expect(page.locator(BARS)).to_have_count(1, timeout=MINUTE)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=MINUTE)
    page.wait_for_timeout(300)


def changes(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query).get("poke.steps", [""])[0]


def seen(page: Page) -> tuple[str, str]:
    """The bars to a tenth of a per cent, and the picture."""
    return page.locator(BARS).inner_html(), page.locator(".stack img").get_attribute("src") or ""


def spot(page: Page, x: int, y: int) -> tuple[float, float]:
    """Where the middle of a pixel of the face is on the screen."""
    area = page.locator(CANVAS).bounding_box()
    assert area is not None
    return area["x"] + (x + 0.5) / 48 * area["width"], area["y"] + (y + 0.5) / 48 * area["height"]


def drag(page: Page, *pixels: tuple[int, int]) -> None:
    page.mouse.move(*spot(page, *pixels[0]))
    page.mouse.down()
    for pixel in pixels[1:]:
        page.mouse.move(*spot(page, *pixel), steps=8)
    page.mouse.up()


def changed(page: Page, before: tuple[str, str]) -> tuple[str, str]:
    """What is seen once bars and picture are others than before, and the preview has made way."""
    expect(page.locator(".stack img")).not_to_have_attribute("src", before[1], timeout=MINUTE)
    ready(page)
    after = seen(page)
    assert after[0] != before[0]
    page.mouse.move(1, 1)
    page.wait_for_timeout(200)
    assert page.locator(CANVAS).evaluate(PAINTED) == 0
    return after


def test_painting_over_the_mouth_moves_the_bars_and_undo_brings_them_back(
    model: None, open_page: Callable[..., Page], app: AppServer
) -> None:
    page = open_page("poke?data=sample&poke.from=Dataset&poke.row=1900&poke.tools=Paint")
    ready(page)
    page.locator(CANVAS).scroll_into_view_if_needed()
    untouched = seen(page)
    page.mouse.move(*spot(page, *MOUTH[0]))
    page.mouse.down()
    page.mouse.move(*spot(page, *MOUTH[1]), steps=8)
    # The stroke is seen before the server knows of it.
    assert page.locator(CANVAS).evaluate(PAINTED) > 70
    page.mouse.up()
    painted = changed(page, untouched)
    (stroke,) = from_text(changes(page))
    assert isinstance(stroke, Brush)
    assert stroke.points == MOUTH

    page.get_by_role("button", name="Undo").click()
    expect(page).not_to_have_url(re.compile(r"poke\.steps="), timeout=MINUTE)
    assert changed(page, painted) == untouched
    page.get_by_role("button", name="Redo").click()
    assert changed(page, untouched) == painted

    # A box, and a second box at once after it: none is lost.
    page.get_by_role("radio", name="Box", exact=True).click()
    expect(page.get_by_text("Press and drag to paint a box.")).to_be_visible(timeout=MINUTE)
    drag(page, (30, 20), (10, 12))
    drag(page, (2, 2), (5, 5))
    expect(page.get_by_text("3 changes, in this order")).to_be_visible(timeout=MINUTE)
    boxes = from_text(changes(page))[1:]
    assert boxes == (Box(10, 12, 31, 21, 127), Box(2, 2, 6, 6, 127))
    page.get_by_role("radio", name="Move", exact=True).click()
    expect(page.get_by_text("Press inside a box and drag it.")).to_be_visible(timeout=MINUTE)
    before = seen(page)
    drag(page, (20, 15), (25, 35))
    final = changed(page, before)
    assert from_text(changes(page))[1:] == (Box(15, 32, 36, 41, 127), Box(2, 2, 6, 6, 127))

    # The address, in another browser.
    other = open_page(page.url.removeprefix(app.url()))
    ready(other)
    assert seen(other) == final
    other.get_by_role("button", name="Undo").click()
    changed(other, final)
    assert len(from_text(changes(other))) == 2
    # The browser's own Back undoes, too.
    page.go_back()
    assert changed(page, final) == before


def test_a_muscle_moves_the_probabilities_of_a_drawn_face(model: None, open_page: Callable[..., Page]) -> None:
    page = open_page("poke?data=sample&poke.from=Dataset&poke.row=1900&poke.tools=Muscles", width=400)
    ready(page)
    untouched = seen(page)
    smile = page.get_by_role("slider", name="Lip corners up")
    smile.focus()
    smile.press("End")
    smiling = changed(page, untouched)
    assert changes(page) == "muscle_12_1"
    page.reload()
    ready(page)
    assert seen(page) == smiling
    # Nothing is wider than a phone.
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 400


def test_a_newcomer_sets_an_expression_and_watches_the_bars(model: None, open_page: Callable[..., Page]) -> None:
    page = open_page("poke")
    ready(page)
    at_rest = seen(page)
    surprise = page.get_by_role("button", name=re.compile("usual surprise face"))
    expect(page.get_by_role("button", name=re.compile("usual neutral face"))).to_have_attribute("aria-pressed", "true")
    surprise.click()
    changed(page, at_rest)
    expect(surprise).to_have_attribute("aria-pressed", "true")
    assert "muscle_2_1" in changes(page)
    # The face, the bars and the first muscles lie on the first screen.
    for place in (page.locator(CANVAS), page.locator(BARS), page.get_by_role("slider", name="Inner brows up")):
        area = place.bounding_box()
        assert area is not None
        assert area["y"] + area["height"] < 900
