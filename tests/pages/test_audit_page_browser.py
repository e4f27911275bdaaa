"""The audit in a real browser: run by the button, a finding chosen, its faces seen, one of them opened by its link."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from fer_core.data.audit import AUDIT_FILE

if TYPE_CHECKING:
    from browser import AppServer
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
MINUTE = 60_000


def test_audit_the_sample_and_look_at_what_was_found(
    sample: Path, app: AppServer, open_page: Callable[..., Page]
) -> None:
    page = open_page("dataset?view=Audit")
    page.get_by_role("button", name="Audit these faces").click(timeout=MINUTE)
    expect(page.get_by_text("also occurs in Training")).to_be_visible(timeout=MINUTE)
    assert (sample / AUDIT_FILE).is_file()

    page.get_by_role("radiogroup", name="Findings").get_by_text("near duplicates").click()
    expect(page).to_have_url(re.compile(r"finding=near(\+|%20)duplicates"))
    first = page.get_by_role("img", name=re.compile(r"^Face in row \d+ of Training"))
    groups = page.locator(".stPlotlyChart", has=page.locator(".js-plotly-plot")).locator("visible=true").first
    expect(page.get_by_text(re.compile(r"^1 pair with 2 faces"))).to_be_visible(timeout=MINUTE)
    expect(groups).to_be_visible(timeout=MINUTE)
    shown = page.locator("[data-testid=stImageCaption]").locator("visible=true")
    left, right = shown.nth(0), shown.nth(1)
    expect(right).to_be_visible()
    before = left.inner_text(), right.inner_text()
    assert before[0] != before[1]

    # A click on the second face of the pair puts it first.
    groups.scroll_into_view_if_needed()
    box = groups.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 3 / 8, box["y"] + box["height"] * 0.4)
    expect(left).to_have_text(before[1], timeout=MINUTE)
    expect(right).to_have_text(before[0])
    expect(page).to_have_url(re.compile(r"shown=\d+"))
    assert first.count() >= 2

    # Its link shows the same to somebody else.
    other = open_page(page.url.removeprefix(app.url()))
    there = other.locator("[data-testid=stImageCaption]").locator("visible=true")
    expect(there.nth(0)).to_have_text(before[1], timeout=MINUTE)
    expect(there.nth(1)).to_have_text(before[0])
