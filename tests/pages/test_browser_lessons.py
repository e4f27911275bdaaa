"""All shipped lessons, walked in a browser on a host without FER-2013: each step leads to what its sentence says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from fer_core.lessons.shelf import lesson_files, read_lessons
from fer_core.settings import PROJECT_ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
MINUTE = 60_000
MISSING = """words => {
    const page = document.querySelector("[data-testid='stMain']").cloneNode(true);
    page.querySelectorAll(".st-key-lesson-strip").forEach(one => one.remove());
    const text = page.textContent.toLowerCase();
    return words.filter(one => !text.includes(one.toLowerCase()));
}"""
"""Which of the words the page itself does not show; those in the strip above it do not count."""
OWN = """# A teacher's lesson

minutes: 3

## First

go: explain?data=sample&explain.view=Methods

Look.

- [ ] one
- [x] other

> So it is.

## Second

go: explain?data=sample&explain.view=Averages

Look.
"""


def missing(page: Page, words: Sequence[str]) -> list[str]:
    """What has not come after a minute."""
    for _ in range(120):
        if not (left := page.evaluate(MISSING, list(words))):
            break
        page.wait_for_timeout(500)
    return [str(word) for word in left]


def test_all_six_lessons_are_walked_and_every_step_shows_what_it_speaks_of(
    shipped: None, sample: Path, open_page: Callable[..., Page]
) -> None:
    pages = {path.stem for path in (PROJECT_ROOT / "pages").glob("*.py")}
    shelf = read_lessons(lesson_files(), pages)
    assert (len(shelf.lessons), shelf.damaged) == (6, ())
    page = open_page("lessons")
    for lesson in shelf.lessons:
        page.locator(f".st-key-lesson-{lesson.name}").get_by_role("button", name="Begin").click()
        strip = page.locator(".st-key-lesson-strip")
        for number, step in enumerate(lesson.steps, 1):
            expect(strip).to_contain_text(f"step {number} of {len(lesson.steps)}", timeout=MINUTE)
            expect(page).to_have_url(re.compile(f"lesson={lesson.name}.*step={number}"))
            if step.predict_first:
                # The answer must not be read below the question.
                expect(strip).to_contain_text("Answer first")
                expect(page.get_by_test_id("stPlotlyChart")).to_have_count(0)
                assert page.evaluate(MISSING, list(step.shows)) == list(step.shows), (lesson.name, number)
            else:
                assert missing(page, step.shows) == [], (lesson.name, number)
            if "both matrices" in step.text:
                # What is to be looked at begins on the first screen, under the question.
                first = page.get_by_test_id("stPlotlyChart").first.bounding_box()
                assert first is not None
                assert first["y"] < 900
            expect(page.get_by_text("It is ignored")).to_have_count(0)
            expect(page.locator(".stException")).to_have_count(0)
            if step.options:
                # Everybody who does not know yet.
                guess = (step.right + 1) % len(step.options)
                strip.get_by_test_id("stButtonGroup").get_by_text(step.options[guess], exact=True).click()
                expect(strip).to_contain_text(f"it is “{step.options[step.right]}”", timeout=MINUTE)
            if step.predict_first:
                assert missing(page, step.shows) == [], (lesson.name, number)
            strip.get_by_role("button", name="Next" if number < len(lesson.steps) else "Done").click()
        expect(page.get_by_role("heading", name="Lessons", exact=True)).to_be_visible(timeout=MINUTE)
        # A lesson on figures alone gives the faces back.
        expect(page).to_have_url(re.compile(r"/lessons\?data=sample$"), timeout=MINUTE)
    expect(page.get_by_role("button", name="Begin again")).to_have_count(6, timeout=MINUTE)


def test_next_stays_under_the_pointer_while_the_page_below_still_works(
    shipped: None, sample: Path, home: Path, open_page: Callable[..., Page]
) -> None:
    (home / "lessons").mkdir()
    (home / "lessons" / "own.md").write_text(OWN)
    page = open_page("explain?lesson=own&step=1&data=sample&explain.view=Methods")
    strip = page.locator(".st-key-lesson-strip")
    strip.get_by_test_id("stButtonGroup").get_by_text("one", exact=True).click()
    following = strip.get_by_role("button", name="Next")
    following.hover()
    before = following.bounding_box()
    # Presses take the focus from the question.
    page.mouse.down()
    page.wait_for_timeout(300)
    assert following.bounding_box() == before
    page.mouse.up()
    expect(strip).to_contain_text("step 2 of 2", timeout=MINUTE)
    expect(page).to_have_url(re.compile("explain.view=Averages"))


def test_a_reload_keeps_an_answer_that_a_copied_link_does_not_give_away(
    shipped: None, sample: Path, home: Path, open_page: Callable[..., Page]
) -> None:
    (home / "lessons").mkdir()
    # Limits adds nothing of its own to its address.
    (home / "lessons" / "own.md").write_text(re.sub("go: .*", "go: limits?data=sample", OWN))
    page = open_page("limits?lesson=own&step=1&data=sample")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    strip = page.locator(".st-key-lesson-strip")
    expect(strip).to_contain_text("step 1 of 2", timeout=MINUTE)
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()
    steps = page.evaluate("history.length")
    strip.get_by_test_id("stButtonGroup").get_by_text("one", exact=True).click()
    expect(page).to_have_url(re.compile("predicted=1-1"), timeout=MINUTE)
    assert page.evaluate("history.length") == steps
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert "step=1" in link
    assert "predicted" not in link
    page.reload()
    expect(strip).to_contain_text("You said “one”", timeout=MINUTE)
    strip.get_by_role("button", name="Next").click()
    expect(strip).to_contain_text("step 2 of 2", timeout=MINUTE)
    expect(page).not_to_have_url(re.compile("predicted"))
