"""Mistakes in a real browser: a face is clicked, and its address shows the very same view anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from browser import choose_option
from factories import make_evaluated_run
from playwright.sync_api import expect

from fer_core.data.dataset import load_dataset

if TYPE_CHECKING:
    from browser import AppServer
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser
MINUTE = 60_000
FACES = ".st-key-mistakes-sheet button[data-row]"
SHEET = """faces => ({
    rows: faces.map(face => Number(face.dataset.row)),
    told: faces.map(face => face.getAttribute("aria-label")),
    open: faces.filter(face => face.getAttribute("aria-current")).map(face => Number(face.dataset.row)),
})"""


@pytest.fixture
def runs(home: Path, sample: Path) -> None:
    """Three runs measured on the drawn sample."""
    dataset = load_dataset(sample)
    for seed, name in enumerate(("one", "two", "three")):
        make_evaluated_run(home / "runs" / name, dataset, seed=seed, accuracy=0.4)


def ready(page: Page) -> None:
    expect(page.locator(FACES).first).to_be_visible(timeout=MINUTE)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=MINUTE)
    page.wait_for_timeout(700)


def choose(page: Page, label: str, option: str) -> None:
    choose_option(page.get_by_role("combobox", name=label, exact=False).first, option)
    ready(page)


def sheet_of(page: Page) -> dict[str, list[Any]]:
    sheet: dict[str, list[Any]] = page.locator(FACES).evaluate_all(SHEET)
    return sheet


def click_face(page: Page, index: int) -> None:
    row = sheet_of(page)["rows"][index]
    page.locator(FACES).nth(index).click()
    is_open(page, row)


def is_open(page: Page, row: int) -> None:
    expect(page).to_have_url(re.compile(rf"face={row}\b"), timeout=MINUTE)
    expect(page.locator(f'{FACES}[aria-current="true"]')).to_have_attribute("data-row", str(row), timeout=MINUTE)
    ready(page)


def view_of(page: Page) -> dict[str, Any]:
    """Everything that a visitor would compare: the choices, the sentence, the sheet and its frame, the open face."""
    return {
        "sheet": sheet_of(page),
        "sentence": page.locator(".st-key-said-what").inner_text(),
        "sort": page.locator(".st-key-sort input").input_value(),
        "page": page.locator(".st-key-pages [aria-current]").inner_text(),
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
    assert before["sheet"]["open"] == [int(before["face"])]
    assert "of PublicTest" in before["sentence"]
    assert before["sort"].startswith("Margin")
    assert before["page"] == "2"
    address = page.url
    page.context.close()

    app.restart()
    other = open_page(address.split("/", 3)[3])
    ready(other)
    assert view_of(other) == before
    assert parse_qs(urlsplit(other.url).query) == parse_qs(urlsplit(address).query)


def test_one_click_shows_face_verdict_answers_and_maps_without_scrolling(
    runs: None, home: Path, sample: Path, open_page: Callable[..., Page]
) -> None:
    # As many as ship, the vote included.
    names = ["one", "two", "three", "four", "five", "a_rather_long_name"]
    for seed, name in enumerate(names[3:], start=3):
        make_evaluated_run(home / "runs" / name, load_dataset(sample), seed=seed, accuracy=0.4)
    page = open_page("mistakes")
    page.set_viewport_size({"width": 1280, "height": 900})
    ready(page)
    click_face(page, 0)
    query = parse_qs(urlsplit(page.url).query)
    assert sorted(query["runs"]) == sorted(names), "a bare address names its runs once a face is open"
    answers = page.locator(".fer-answers")
    # The label's map and the answer's, of each run that is wrong; at least one is.
    expect(answers.get_by_role("img", name="Face with the map of")).not_to_have_count(0)
    parts = {
        "face": page.locator(".st-key-open-face").get_by_test_id("stImage").locator("img"),
        "verdict": page.locator(".st-key-face-and-verdict").get_by_text(
            re.compile("^balance|Probably|Unclear|Neither")
        ),
        "answers and maps": answers,
        "previous and next": page.locator(".st-key-steps"),
    }
    assert {name: within(part, 900) for name, part in parts.items()} == dict.fromkeys(parts, True)
    assert answers.get_by_role("group").count() == len(names)

    # By the keyboard to the next one; by the arrows of the sheet and Enter to another.
    rows = sheet_of(page)["rows"]
    page.get_by_role("heading", name="Mistakes").click()
    page.keyboard.press("ArrowRight")
    is_open(page, rows[1])
    page.locator(f'{FACES}[data-row="{rows[1]}"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    is_open(page, rows[3])

    # Elsewhere and back, each in one step, to the page as it was.
    address = page.url
    for way, kind, there in (("Explain this face", "link", "Explain"), ("In Dataset", "button", "Dataset")):
        page.get_by_role(kind, name=way).click()
        expect(page.get_by_role("heading", name=there, exact=True)).to_be_visible(timeout=MINUTE)
        expect(page).to_have_url(re.compile(rf"/{there.lower()}\?.*(row|face)={rows[3]}\b"), timeout=MINUTE)
        assert parse_qs(urlsplit(page.url).query)["data"] == [sample.name]
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=MINUTE)
        page.go_back()
        is_open(page, rows[3])
        assert page.url == address

    # On a phone a click far down brings the face to the top.
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    last = page.locator(FACES).nth(30)
    last.scroll_into_view_if_needed()
    click_face(page, 30)
    face = parts["face"].first
    expect(face).to_be_in_viewport(ratio=1, timeout=MINUTE)
    assert within(face, 500)


def within(part: Locator, height: int) -> bool:
    """Whether all of it lies in the first ``height`` pixels of the window."""
    box = part.first.bounding_box()
    return box is not None and box["y"] >= 0 and box["y"] + box["height"] <= height
