"""Milliseconds from letting go of the mouse until all models' bars have moved, on Poke.

    python benchmarks/poke.py
    python benchmarks/poke.py --home /data/fer --data fer2013 --models custom_cnn resnet50 --repeats 50

A server of the app and a real Chromium on this machine: each repetition paints another stroke over the same face. What
is timed is all of it, from the browser's event to the changed bars in the page: the way to the server, drawing the
changed face, asking every model for probabilities and maps, the way back, and the browser's own work.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks.browsing import PACKAGES, served_page
from benchmarks.common import finish, machine, machine_text, progress, table
from fer_core.errors import FerError

if TYPE_CHECKING:
    from playwright.sync_api import Page

GOAL = 200.0
"""Milliseconds that the median must stay below, on two idle cores."""
MOST_REPEATS = 58
"""A link carries 60 changes; the first stroke warms everything up."""
CANVAS, BARS, LINES = ".stack canvas", ".st-key-poke-bars section", ".st-key-poke-lines"
WATCH = """bars => {
    const now = () => document.querySelector(bars)?.innerHTML;
    const before = now();
    window.poked = {};
    const begin = event => { window.poked.began = event.timeStamp; };
    window.addEventListener("pointerup", begin, {capture: true, once: true});
    new MutationObserver((_, watch) => {
        if (!now() || now() === before) return;
        window.poked.ended = performance.now();
        watch.disconnect();
    }).observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
}"""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, metavar="DIR", help="where datasets and runs are (default: the app's)")
    parser.add_argument("--data", default="sample", help="name of the dataset (default: %(default)s)")
    parser.add_argument("--models", nargs="+", metavar="MODEL", help="models to ask (default: those of the page)")
    parser.add_argument("--row", type=int, default=0, help="row number of the face (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=40, help=f"1 to {MOST_REPEATS} (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args(argv)
    return finish(lambda: _run(args), as_json=args.json)


def _run(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    if not 1 <= args.repeats <= MOST_REPEATS:
        raise FerError(f"--repeats must be 1 to {MOST_REPEATS}, not {args.repeats}")
    if args.home is not None:
        os.environ["FER_EXPLORER_HOME"] = str(args.home.resolve())
    about = machine(PACKAGES)
    query: dict[str, Any] = {"data": args.data, "poke.from": "Dataset", "poke.row": args.row}
    if args.models:
        query["poke.models"] = args.models
    names, times = _strokes(f"poke?{urlencode(query, doseq=True)}", args.repeats)
    median, slow = float(np.median(times)), float(np.percentile(times, 95))
    result = {
        "machine": about,
        "data": args.data,
        "row": args.row,
        "models": names,
        "milliseconds": {"median": median, "p95": slow, "n": len(times), "all": times},
        "goal": GOAL,
        "met": median < GOAL,
    }
    rows = [
        [
            f"a stroke, until the bars of {len(names)} models moved",
            f"{median:.0f} ms",
            f"{slow:.0f} ms",
            str(len(times)),
        ]
    ]
    text = (
        f"{machine_text(about)}\nModels: {', '.join(names)}\n\n"
        f"{table(['what', 'median', '95th percentile', 'n'], rows)}\n\n"
        f"Goal: a median below {GOAL:.0f} ms. {'Met' if median < GOAL else 'Missed'}."
    )
    return result, text


def _strokes(path: str, repeats: int) -> tuple[list[str], list[float]]:
    """The models that answered, and the milliseconds of each stroke but the first."""
    with served_page(path) as (_, page):
        page.locator(BARS).first.wait_for()
        page.locator(CANVAS).scroll_into_view_if_needed()
        page.wait_for_timeout(1000)
        times = [_stroke(page, number) for number in range(repeats + 1)]
        heads = page.locator(f"{LINES} li").all_inner_texts()
        names = [head.split()[0].rstrip(":") for head in heads]
    return names, times[1:]


def _stroke(page: Page, number: int) -> float:
    """Paint a short stroke somewhere over eyes, nose or mouth. Milliseconds until the bars moved."""
    progress(f"stroke {number}")
    area = page.locator(CANVAS).bounding_box()
    if area is None:
        raise FerError("the page shows no face to paint on")
    x, y = np.random.default_rng(number).uniform((0.2, 0.25), (0.7, 0.85))
    start = (area["x"] + x * area["width"], area["y"] + y * area["height"])
    page.evaluate(WATCH, BARS)
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + 0.12 * area["width"], start[1], steps=4)
    page.mouse.up()
    page.wait_for_function("window.poked.ended !== undefined")
    took = float(page.evaluate("window.poked.ended - window.poked.began"))
    # So that nothing of this stroke is left to do when the next one begins.
    page.wait_for_timeout(400)
    return took


if __name__ == "__main__":
    sys.exit(main())
