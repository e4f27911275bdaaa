"""On a phone what belongs together is seen together: nothing that answers a touch lies screens away from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from factories import make_run
from playwright.sync_api import expect
from train_page import unfinished

from fer_core.settings import settings

if TYPE_CHECKING:
    from playwright.sync_api import FloatRect, Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
MINUTE = 60_000
WIDTH, HEIGHT = 390, 844
IS_SEEN = """element => {
    const box = element.getBoundingClientRect();
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return box.top >= 0 && box.bottom <= innerHeight && (element === top || element.contains(top));
}"""
"""Whether all of it is on the screen, and nothing lies over its middle."""


def phone(open_page: Callable[..., Page], path: str) -> Page:
    return open_page(path, width=WIDTH, height=HEIGHT)


def box_of(element: Locator) -> FloatRect:
    expect(element).to_be_visible(timeout=MINUTE)
    found = element.bounding_box()
    assert found is not None
    return found


def at_rest(page: Page) -> None:
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=MINUTE)
    page.wait_for_timeout(500)


def test_the_face_that_is_chosen_on_dataset_stands_above_the_sheet(
    sample: Path, open_page: Callable[..., Page]
) -> None:
    """A click moved a frame; the large face lay 400 pixels below the sheet, off the screen."""
    page = phone(open_page, "dataset?data=sample&face=5")
    sheet = page.locator(".st-key-sheet .main-svg").first
    expect(sheet).to_be_visible(timeout=MINUTE)
    at_rest(page)
    around = box_of(sheet)
    page.mouse.click(around["x"] + around["width"] / 24, around["y"] + around["width"] / 24)
    expect(page).to_have_url(re.compile("face=0|sample$"), timeout=MINUTE)
    expect(page.get_by_text("Row 0, labelled")).to_be_visible(timeout=MINUTE)
    face = page.locator(".st-key-open-face img")
    assert face.evaluate(IS_SEEN)
    assert box_of(face)["y"] + box_of(face)["height"] < box_of(sheet)["y"]
    # Beside the sheet it stays where there is room.
    page.set_viewport_size({"width": 1280, "height": 900})
    at_rest(page)
    assert box_of(face)["x"] > box_of(sheet)["x"] + box_of(sheet)["width"]


def test_all_columns_of_how_wrong_models_are_fit(home: Path, open_page: Callable[..., Page]) -> None:
    """The sentence below the table spoke of two columns beyond the edge."""
    for name in ("custom_cnn", "custom_cnn_augmented", "resnet50"):
        make_run(settings().models_dir / name, accuracy=0.7)
    page = phone(open_page, "limits")
    heads = page.locator(".fer-wrong th[scope=col]")
    expect(heads).to_have_count(4, timeout=MINUTE)
    assert all(box["x"] + box["width"] <= WIDTH for box in map(box_of, heads.all()))
    cells = page.locator(".fer-wrong td")
    assert all(cell.evaluate("cell => cell.scrollWidth <= cell.clientWidth") for cell in cells.all())


def test_who_moves_the_last_muscle_sees_the_face_move(home: Path, sample: Path, open_page: Callable[..., Page]) -> None:
    """The sliders began 800 pixels below the face."""
    make_run(home / "runs" / "net")
    page = phone(open_page, "poke?data=sample")
    face, last = page.locator(".stack img"), page.locator(".st-key-_poke_AU26").get_by_role("slider")
    expect(last).to_be_attached(timeout=MINUTE)
    at_rest(page)
    before = face.get_attribute("src")
    page.mouse.move(WIDTH / 2, HEIGHT - 60)
    for _ in range(20):
        if box_of(last)["y"] < HEIGHT / 2:
            break
        page.mouse.wheel(0, 60)
        page.wait_for_timeout(100)
    last.focus()
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    expect(face).not_to_have_attribute("src", str(before), timeout=MINUTE)
    assert page.locator(".st-key-_poke_canvas").evaluate(IS_SEEN)
    assert page.locator(".st-key-_poke_AU26").evaluate(IS_SEEN)
    # And what the model says of it begins on the same screen.
    assert box_of(page.locator(".st-key-poke-bars"))["y"] < HEIGHT - 200


def test_poke_has_all_tools_in_one_row(home: Path, sample: Path, open_page: Callable[..., Page]) -> None:
    """“Smallest patch” stood alone in a second one."""
    make_run(home / "runs" / "net")
    page = phone(open_page, "poke?data=sample")
    tools = page.locator(".st-key-poke-tools").get_by_role("radio")
    expect(tools).to_have_count(5, timeout=MINUTE)
    at_rest(page)
    boxes = [box_of(tool) for tool in page.locator(".st-key-poke-tools button").all()]
    assert len({round(box["y"]) for box in boxes}) == 1
    assert max(box["x"] + box["width"] for box in boxes) <= WIDTH


def test_the_figures_of_a_training_stand_two_in_a_row(home: Path, sample: Path, open_page: Callable[..., Page]) -> None:
    """Each took a row of 128 pixels, half of them empty, and the curves began below."""
    page = phone(open_page, f"train?run={unfinished(home).name}")
    figures = page.locator(".st-key-job-numbers").get_by_test_id("stMetric")
    expect(figures).to_have_count(4, timeout=MINUTE)
    at_rest(page)
    boxes = [box_of(figure) for figure in figures.all()]
    assert boxes[0]["x"] < boxes[1]["x"]
    assert boxes[0]["y"] + boxes[0]["height"] == pytest.approx(boxes[1]["y"] + boxes[1]["height"], abs=2)
    assert boxes[3]["y"] + boxes[3]["height"] - boxes[0]["y"] < 200
    # Nothing of a label is cut off.
    labels = page.locator('.st-key-job-numbers [data-testid="stMetricLabel"] p')
    assert all(label.evaluate("label => label.scrollWidth <= label.clientWidth + 1") for label in labels.all())
