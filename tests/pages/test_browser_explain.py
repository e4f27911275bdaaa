"""Explain in a real browser: opened from Mistakes, with four models' maps and verdicts; its address shows the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from browser import choose_option
from factories import make_evaluated_run
from playwright.sync_api import expect

from fer_core.data.dataset import load_dataset
from fer_core.emotions import PRIVATE_TEST
from pages.parts.explain.trust import WORDS

if TYPE_CHECKING:
    from browser import AppServer
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
MINUTE = 60_000
NAMES = ("one", "two", "three", "four")


@pytest.fixture
def face(home: Path, sample: Path) -> int:
    """Four runs measured on the drawn sample; returns the row of a face of PrivateTest."""
    dataset = load_dataset(sample)
    for seed, name in enumerate(NAMES):
        make_evaluated_run(home / "runs" / name, dataset, seed=seed, accuracy=0.4)
    return int(np.flatnonzero(dataset.splits == PRIVATE_TEST)[3])


def done(page: Page) -> None:
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=MINUTE)
    page.wait_for_timeout(500)


def maps(page: Page) -> list[dict[str, object]]:
    """Of each model: its words, and its pictures."""
    expect(page.locator("section[aria-label] figure")).not_to_have_count(0, timeout=MINUTE)
    expect(page.get_by_text("Testing", exact=False)).to_have_count(0, timeout=MINUTE)
    done(page)
    found = []
    for name in NAMES:
        section = page.locator(f"section[aria-label='{name}']")
        expect(section).to_have_count(1)
        pictures = section.locator("img").evaluate_all("all => all.map(one => [one.src, one.alt, one.naturalWidth])")
        found.append({"words": section.inner_text(), "pictures": pictures})
    return found


def test_a_mistake_leads_to_four_models_maps_with_verdicts_and_its_address_shows_them_again(
    open_page: Callable[..., Page], app: AppServer, face: int
) -> None:
    page = open_page(f"mistakes?face={face}")
    link = page.get_by_role("link", name="Explain this face")
    expect(link).to_be_visible(timeout=MINUTE)
    link.click()
    expect(page.get_by_role("heading", name="Explain", exact=True)).to_be_visible(timeout=MINUTE)
    shown = maps(page)
    for one in shown:
        assert any(word in str(one["words"]) for word in WORDS.values())
        pictures = one["pictures"]
        assert isinstance(pictures, list)
        assert pictures
        assert all(width > 100 for _, _, width in pictures)  # the sanitizer of HTML lets them through
        assert all("strongest at" in alt for _, alt, _ in pictures)
    page.get_by_text("Show the test").click()
    expect(page.locator("[class*='st-key-trust-'] .main-svg").first).to_be_visible(timeout=MINUTE)
    query = parse_qs(urlsplit(page.url).query)
    assert query["explain.row"] == [str(face)]
    assert "explain.models" not in query  # all that there are is the default, which addresses leave out

    again = open_page(page.url.removeprefix(app.url()))
    assert maps(again) == shown

    # What was chosen on the Averages tab is still there after a look at another one.
    again.get_by_role("tab", name="Averages").click()
    expect(again.get_by_text("mean face")).to_be_visible(timeout=MINUTE)
    done(again)
    again.get_by_text("Which faces: chosen as on Mistakes").click()
    choose_option(again.get_by_role("combobox", name="Label", exact=True), "fear")
    expect(again.get_by_text(re.compile("labelled fear"))).to_be_visible(timeout=MINUTE)
    expect(again.get_by_text("mean face")).to_be_visible(timeout=MINUTE)
    done(again)
    again.get_by_role("tab", name="Maps").click()
    maps(again)
    again.get_by_role("tab", name="Averages").click()
    expect(again.get_by_text(re.compile("labelled fear"))).to_be_visible(timeout=MINUTE)
