"""Every page, light and dark, as axe-core sees it; its words; and at a phone's width, where nothing may be cut off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import ROOT

if TYPE_CHECKING:
    from browser import AppServer
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]
MINUTE = 60_000
"""Milliseconds."""
PAGES = tuple(sorted(path.stem for path in (ROOT / "pages").glob("*.py")))
QUERIES = {"run": "?run=custom_cnn"}
"""What a page needs in order to show more than a way to others."""
GRAVE = {"serious", "critical"}
"""What makes something unusable for somebody, in axe-core's words."""
ALSO: set[str] = {"page-has-heading-one", "heading-order"}
"""Rules that axe-core calls less grave, and that hold here, too."""
NAVIGATION = '[data-testid="stSidebarNavItems"]'
EXCLUDED = {
    # Streamlit puts each group of the navigation with its links into a <div> between the <ul> and its <li>.
    "list": NAVIGATION,
    "listitem": NAVIGATION,
}
"""By rule: the part of Streamlit's own markup that breaks it and cannot be changed from here."""
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
DRAWN = """() => {
    const app = document.querySelector('[data-testid="stApp"]')
    return document.querySelector('h1') && app.dataset.testScriptState === 'notRunning'
        && !document.querySelector('[data-testid="stSkeleton"], [data-stale="true"]')
}"""
INSIDE = "([element, part]) => document.querySelector(element)?.closest(part) !== null"
MOST_WORDS = 150
"""On a page before anything is opened: whoever comes for a picture does not read more."""
WORDS = r"""() => {
    const page = document.querySelector('[data-testid="stMain"]')
    const texts = document.createTreeWalker(page, NodeFilter.SHOW_TEXT)
    // What a figure or a table says is looked at, not read; an icon's name is not seen.
    const aside = 'svg, table, style, script, [aria-hidden="true"], [data-testid="stIconMaterial"]'
    let words = 0
    while (texts.nextNode()) {
        const around = texts.currentNode.parentElement
        if (around.checkVisibility({visibilityProperty: true}) && !around.closest(aside))
            words += (texts.currentNode.data.match(/\p{L}[\p{L}’'-]+/gu) ?? []).length
    }
    return words
}"""
CUT_OFF = """() => {
    const main = document.querySelector('[data-testid="stMain"]')
    return main.scrollWidth - main.clientWidth
}"""
ABOVE_TITLE = "() => document.querySelector('h1').getBoundingClientRect().top"
HEADER = 80
"""Pixels of a phone's height that Streamlit's own bar takes, and a little more. Above titles half as much lay empty."""
REQUIRED = """() => {
    const words = document.querySelectorAll('[data-testid="stWidgetLabelRequired"]')
    return [...words].some(one => one.checkVisibility())
}"""


def problems(page: Page, found: dict[str, Any]) -> list[str]:
    """What counts of axe-core's answer, a line an element."""
    lines = []
    for rule in found["violations"]:
        if rule["impact"] not in GRAVE and rule["id"] not in ALSO:
            continue
        excluded = EXCLUDED.get(rule["id"])
        for node in rule["nodes"]:
            if excluded and page.evaluate(INSIDE, [node["target"][-1], excluded]):
                continue
            why = " ".join(check["message"] for check in [*node["any"], *node["all"], *node["none"]])
            lines.append(f"{rule['id']}: {node['html'][:200]} {why[:200]}")
    return lines


def test_no_page_has_what_somebody_cannot_use(
    shipped: None, sample: Path, app: AppServer, open_page: Callable[..., Page]
) -> None:
    checker = Axe()
    page = open_page("limits")
    wrong: list[str] = []
    for name in PAGES:
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESKTOP)
        page.goto(app.url(f"{name}{QUERIES.get(name, '')}"))
        # Only the colours differ between the themes.
        for theme, rules in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
            page.emulate_media(color_scheme=theme)
            page.wait_for_function(DRAWN, timeout=MINUTE)
            # The theme's colours come in over a fifth of a second, and some pages are run twice when they are opened.
            page.wait_for_timeout(500)
            page.wait_for_function(DRAWN, timeout=MINUTE)
            found = checker.run(page, options={"resultTypes": ["violations"], **rules})
            wrong += [f"{name}, {theme}: {line}" for line in problems(page, found.response)]
        if (words := page.evaluate(WORDS)) > MOST_WORDS:
            wrong.append(f"{name}: {words} words before anything is opened")
        page.set_viewport_size(PHONE)
        # Figures take a moment to become narrower.
        for _ in range(10):
            page.wait_for_timeout(300)
            if (pixels := page.evaluate(CUT_OFF)) <= 0:
                break
        else:
            wrong.append(f"{name}: {pixels} pixels are cut off at a phone's width")
        if (pixels := page.evaluate(ABOVE_TITLE)) > HEADER:
            wrong.append(f"{name}: {pixels:.0f} pixels lie above the title on a phone")
        if page.evaluate(REQUIRED):
            wrong.append(f"{name}: a field that is never empty is called required")
    assert not wrong, "\n".join(wrong)
