"""Broken links in a real browser: the address is cleaned, a choice goes into it, and the way back breaks nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
MINUTE = 60_000
"""Milliseconds."""


def query_of(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_a_broken_link_is_cleaned_and_its_controls_go_on(sample: Path, open_page: Callable[..., Page]) -> None:
    page = open_page("dataset?face=inf&split=Nowhere&view=Nothing")
    expect(page.get_by_text("There is no row “inf”")).to_be_visible(timeout=MINUTE)
    expect(page.get_by_text("“Nowhere” is not one of")).to_be_visible()
    expect(page.get_by_text("“Nothing” is no choice")).to_be_visible()
    expect(page).not_to_have_url(re.compile("inf|Nowhere|Nothing"))
    row = page.get_by_label("Row number of the face")
    expect(row).to_have_value("0")
    row.fill("12")
    row.press("Enter")
    expect(page).to_have_url(re.compile("face=12"), timeout=MINUTE)
    expect(page.get_by_text("There is no row")).to_have_count(0, timeout=MINUTE)
    row.fill("13")
    row.press("Enter")
    expect(page).to_have_url(re.compile("face=13"), timeout=MINUTE)
    # What the browser does on the way back to the broken link; how many steps away it lies depends on the server's age.
    page.evaluate(
        """() => {
            history.pushState(null, "", "/dataset?face=inf&split=Nowhere&view=Nothing");
            dispatchEvent(new PopStateEvent("popstate"));
        }"""
    )
    expect(page.get_by_role("heading", name="Dataset", exact=True)).to_be_visible(timeout=MINUTE)
    expect(row).to_be_visible(timeout=MINUTE)
    page.wait_for_timeout(2000)
    expect(page.get_by_test_id("stException")).to_have_count(0)
