"""Milliseconds from clicking "Explain this face" on Mistakes until all models' maps and verdicts are there.

    python benchmarks/opening.py --data fer2013
    python benchmarks/opening.py --home /data/fer --data fer2013 --repeats 30

A server of the app and a real Chromium on this machine. Each repetition opens another face of PrivateTest that a model
gets wrong, and that nobody has opened before, so every map and every test of it is computed then. What is timed is all
of it, from the browser's click to the last verdict in the page.
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

from benchmarks.browsing import MINUTE, PACKAGES, served_page
from benchmarks.common import finish, machine, machine_text, progress, table
from fer_core.emotions import PRIVATE_TEST
from fer_core.errors import FerError

if TYPE_CHECKING:
    from browser import AppServer  # type: ignore[import-not-found]
    from playwright.sync_api import Page

GOAL = 1000.0
"""Milliseconds that the median must stay below, on two idle cores."""
LINK, MAPS, WAITING = "Explain this face", ".st-key-maps-row section[aria-label]", "Testing"
WATCH = """([maps, waiting, models]) => {
    window.opening = {};
    const begin = event => { window.opening.began = event.timeStamp; };
    window.addEventListener("click", begin, {capture: true, once: true});
    new MutationObserver((_, watch) => {
        const found = [...document.querySelectorAll(maps)];
        if (!window.opening.began || found.length < models) return;
        if (found.some(one => !one.querySelector("figure"))) return;
        window.opening.maps ??= performance.now();
        if (found.some(one => one.textContent.includes(waiting))) return;
        window.opening.ended = performance.now();
        watch.disconnect();
    }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, metavar="DIR", help="where datasets and runs are (default: the app's)")
    parser.add_argument("--data", default="sample", help="name of the dataset (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=20, help="faces (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args(argv)
    return finish(lambda: _run(args), as_json=args.json)


def _run(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    if args.repeats < 1:
        raise FerError("--repeats must be at least 1.")
    if args.home is not None:
        os.environ["FER_EXPLORER_HOME"] = str(args.home.resolve())
    about = machine(PACKAGES)
    names, rows = mistakes(args.data, args.repeats + 1)
    with served_page(_address(args.data, rows[0])) as (server, page):
        times = [_open(server, page, args.data, row, len(names)) for row in rows][1:]
    shown, tested = (np.array(values) for values in zip(*times, strict=True))
    result = {
        "machine": about,
        "data": args.data,
        "rows": rows[1:],
        "models": names,
        "milliseconds": {
            kind: {"median": float(np.median(values)), "p95": float(np.percentile(values, 95)), "all": values.tolist()}
            for kind, values in (("maps", shown), ("verdicts", tested))
        },
        "goal": GOAL,
        "met": float(np.median(tested)) < GOAL,
    }
    lines = [
        [what, f"{np.median(values):.0f} ms", f"{np.percentile(values, 95):.0f} ms", str(len(values))]
        for what, values in (
            (f"a click, until the maps of {len(names)} models are there", shown),
            ("until every map has its verdict", tested),
        )
    ]
    text = (
        f"{machine_text(about)}\nModels: {', '.join(names)}\n\n"
        f"{table(['what', 'median', '95th percentile', 'n'], lines)}\n\n"
        f"Goal: verdicts within {GOAL:.0f} ms (median). {'Met' if result['met'] else 'Missed'}."
    )
    return result, text


def mistakes(data: str, count: int) -> tuple[list[str], list[int]]:
    """The models that Explain opens by itself, and rows of PrivateTest that at least one of them gets wrong."""
    from fer_core.data.catalogue import list_datasets
    from fer_core.evaluation.aligned_predictions import align
    from fer_core.runs.listing import list_models

    dataset = next((info for info in list_datasets() if info.path.name == data), None)
    if dataset is None:
        raise FerError(f"there is no dataset called {data!r} in the home.")
    runs = [info.folder for info in list_models() if not info.is_vote]
    folders = [run for run in runs if run.evaluation(dataset.fingerprint) is not None][:4]
    if not folders:
        raise FerError(f"no model was measured on {data!r}, so nobody knows its mistakes.")
    aligned = align(folders, PRIVATE_TEST, fingerprint=dataset.fingerprint)
    wrong = aligned.rows[~aligned.right.all(axis=0)]
    if len(wrong) < count:
        raise FerError(f"only {len(wrong)} faces are mistakes. Choose --repeats {max(1, len(wrong) - 1)} or fewer.")
    return [run.name for run in folders], [int(row) for row in np.random.default_rng(0).permutation(wrong)[:count]]


def _address(data: str, row: int) -> str:
    return f"mistakes?{urlencode({'data': data, 'face': row})}"


def _open(server: AppServer, page: Page, data: str, row: int, models: int) -> tuple[float, float]:
    """Milliseconds from the click until the maps are there, and until they are tested."""
    progress(f"row {row}")
    page.goto(server.url(_address(data, row)), timeout=3 * MINUTE)
    link = page.get_by_role("link", name=LINK)
    link.wait_for()
    # So that nothing of this page is left to do when it is left.
    page.wait_for_timeout(1500)
    page.evaluate(WATCH, [MAPS, WAITING, models])
    link.click()
    page.wait_for_function("window.opening.ended !== undefined")
    began, maps, ended = page.evaluate("[window.opening.began, window.opening.maps, window.opening.ended]")
    return float(maps - began), float(ended - began)


if __name__ == "__main__":
    sys.exit(main())
