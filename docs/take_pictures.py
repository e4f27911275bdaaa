"""The README's pictures, taken anew: ``python docs/take_pictures.py``.

Starts the app in a home of its own, where nothing but drawn faces is, walks through it in Chromium, and writes into
``docs/pictures``: Home in the light theme, Mistakes in the dark one, and the way from a number to a verdict as an
animation.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "tests"))

from browser import CHROMIUM_ARGS, AppServer, chromium_path  # noqa: E402
from playwright.sync_api import expect, sync_playwright  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

PICTURES = ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 1280, 800
ROUND, ANSWER = 12, "surprise"
MODEL, LABEL, SAID = "Custom-CNN", 0, 6
"""Whose cell the animation opens: angry faces taken for neutral."""
SECONDS = 4.0
"""How long each step of the animation stands."""
PATIENCE = 180_000
"""Milliseconds: the sample is drawn first."""
COLOURS = 200
FACES = ".st-key-mistakes-sheet button[data-row]"
RING = "#B100CD"

Point = tuple[float, float]


def main() -> None:
    """Take all pictures."""
    PICTURES.mkdir(exist_ok=True)
    expect.set_options(timeout=PATIENCE)
    with TemporaryDirectory() as home, sync_playwright() as playwright:
        os.environ["FER_EXPLORER_HOME"] = home
        server = AppServer(Path(home) / "server.log").start()
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_ARGS)
        try:
            _home(_opened(browser, server, f"?data=sample&round={ROUND}")).save(PICTURES / "home.png", optimize=True)
            _mistakes(_opened(browser, server, "mistakes?data=sample&true=fear", dark=True)).save(
                PICTURES / "mistakes.png", optimize=True
            )
            _animate(list(_chain(_opened(browser, server, "compare?data=sample"))), PICTURES / "chain.gif")
        finally:
            browser.close()
            server.stop()


def _opened(browser: Browser, server: AppServer, path: str, *, dark: bool = False) -> Page:
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark" if dark else "light")
    page.set_default_timeout(PATIENCE)
    page.goto(server.url(path))
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()
    return page


def _shot(page: Page) -> Image.Image:
    """What the browser shows once nothing changes any more."""
    before = b""
    while (now := page.screenshot(animations="disabled")) != before:
        before = now
        page.wait_for_timeout(2500)
    return Image.open(io.BytesIO(now)).convert("RGB")


def _home(page: Page) -> Image.Image:
    """A face that is turned over."""
    page.get_by_role("button", name=ANSWER).click()
    expect(page.get_by_role("button", name="Next face")).to_be_visible()
    page.mouse.move(5, 5)
    return _shot(page)


def _mistakes(page: Page) -> Image.Image:
    """An opened face."""
    page.locator(FACES).nth(4).click()
    expect(page.locator(".fer-answers").get_by_role("img", name="Face with the map of").first).to_be_visible()
    page.mouse.move(5, 5)
    return _shot(page)


def _chain(page: Page) -> Iterator[Image.Image]:
    """From a cell of a matrix to its faces, to one face, to the verdict about it; each with a ring where one looks."""
    chart = page.locator(f".st-key-confusion-{MODEL}")
    expect(chart.locator(".main-svg").first).to_be_visible()
    page.mouse.move(WIDTH / 2, HEIGHT / 2)
    page.mouse.wheel(0, chart.bounding_box()["y"] - 120)
    _shot(page)
    cell = chart.locator(".js-plotly-plot").evaluate(
        """(plot, cell) => {
            const box = plot.getBoundingClientRect(), layout = plot._fullLayout;
            return [box.x + layout.xaxis._offset + layout.xaxis.d2p(cell[1]),
                    box.y + layout.yaxis._offset + layout.yaxis.d2p(cell[0])];
        }""",
        [LABEL, SAID],
    )
    page.mouse.move(*cell)
    yield _ringed(_shot(page), cell)
    page.mouse.click(*cell)
    face = page.locator(FACES).nth(2)
    expect(face).to_be_visible()
    page.mouse.move(5, 5)
    still = _shot(page)
    yield still
    yield _ringed(still, _middle(face))
    face.click()
    expect(page.locator(".fer-answers").get_by_role("img", name="Face with the map of").first).to_be_visible()
    page.mouse.move(5, 5)
    still = _shot(page)
    yield still
    verdict = page.locator(".st-key-face-and-verdict").get_by_text(re.compile("^balance|Probably|Unclear|Neither"))
    yield _ringed(still, _middle(verdict.first))


def _middle(part: Locator) -> Point:
    box = part.bounding_box()
    if box is None:
        raise RuntimeError(f"{part} is not on the page")
    return box["x"] + min(box["width"], 200) / 2, box["y"] + box["height"] / 2


def _ringed(image: Image.Image, at: Point, radius: int = 34) -> Image.Image:
    ringed = image.copy()
    x, y = at
    ImageDraw.Draw(ringed).ellipse((x - radius, y - radius, x + radius, y + radius), outline=RING, width=5)
    return ringed


def _animate(steps: list[Image.Image], path: Path) -> None:
    """One palette for each step; smaller than the page, since it is looked at in a column of text."""
    frames = [
        step.resize((960, 960 * HEIGHT // WIDTH), Image.Resampling.LANCZOS).quantize(COLOURS, dither=Image.Dither.NONE)
        for step in steps
    ]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=round(1000 * SECONDS), loop=0, optimize=True)


if __name__ == "__main__":
    main()
