"""Seconds of the very first visit to a fresh host: an empty home, the models that ship, and nothing configured.

    python benchmarks/first_visit.py
    python benchmarks/first_visit.py --repeats 5 --json

Each repetition starts a server with an empty home, and opens it in a real Chromium: Home until a face with its seven
buttons is there, and until the models' figures below it are, too; then Explain by its link until four models' maps of
the most disputed face are there; then "A random mistake" until those of another face are.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks.browsing import MINUTE, PACKAGES, served_page
from benchmarks.common import finish, machine, machine_text, progress, table
from fer_core.errors import FerError

GOALS = {"home": 3.0, "maps": 10.0}
"""Seconds until Home is complete, and from the first of the two clicks until the second one's maps are."""
STEPS = {
    "face": "a face with its seven buttons",
    "home": "all of Home, from the beginning",
    "explain": "a click on “Explain”, until the maps of four models are there",
    "random": "a click on “A random mistake”, until those of another face are",
}
FACE, BUTTONS, FIGURES = ".game-face", ".st-key-game-answers button", ".how-good"
MAPS = ".st-key-maps-row section[aria-label]"
SHOWN = "maps => [...document.querySelectorAll(maps)].map(one => one.innerHTML)"
FOUR = """([maps, before]) => {
    const found = [...document.querySelectorAll(maps)];
    return found.length >= 4 && found.every(one => one.querySelector("figure") && !before.includes(one.innerHTML));
}"""
"""Whether four maps are there, none of which was there ``before``: Streamlit leaves old ones until new ones come."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3, help="fresh hosts (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args(argv)
    return finish(lambda: _run(args), as_json=args.json)


def _run(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    if args.repeats < 1:
        raise FerError("--repeats must be at least 1.")
    about = machine(PACKAGES)
    visits = [_visit(number) for number in range(args.repeats)]
    seconds = {name: [visit[name] for visit in visits] for name in STEPS}
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    met = {"home": medians["home"] < GOALS["home"], "maps": medians["explain"] + medians["random"] < GOALS["maps"]}
    result = {"machine": about, "seconds": seconds, "goals": GOALS, "met": met}
    lines = [[STEPS[name], f"{medians[name]:.2f} s", f"{max(values):.2f} s"] for name, values in seconds.items()]
    text = (
        f"{machine_text(about)}\n\n{table(['what', 'median', 'longest'], lines)}\n\n"
        f"Goals: Home within {GOALS['home']:.0f} s ({'met' if met['home'] else 'missed'}); a mistake's maps within two "
        f"clicks and {GOALS['maps']:.0f} s ({'met' if met['maps'] else 'missed'})."
    )
    return result, text


def _visit(number: int) -> dict[str, float]:
    """Seconds of each step, at a host that nobody has visited."""
    progress(f"visit {number + 1}")
    with tempfile.TemporaryDirectory() as home:
        os.environ["FER_EXPLORER_HOME"] = home
        with served_page("_stcore/health") as (server, page):
            began = time.perf_counter()
            page.goto(server.url(""), timeout=3 * MINUTE)
            page.locator(FACE).wait_for()
            page.locator(BUTTONS).nth(6).wait_for()
            face_s = time.perf_counter() - began
            page.locator(FIGURES).first.wait_for()
            home_s = time.perf_counter() - began
            page.wait_for_timeout(1500)  # as somebody who reads a little
            began = time.perf_counter()
            page.get_by_role("link", name="Explain", exact=True).click()
            page.wait_for_function(FOUR, arg=[MAPS, []])
            explain_s = time.perf_counter() - began
            page.wait_for_timeout(1500)
            before = page.evaluate(SHOWN, MAPS)
            began = time.perf_counter()
            page.get_by_role("button", name="A random mistake").click()
            page.wait_for_function(FOUR, arg=[MAPS, before])
            random_s = time.perf_counter() - began
            return {"face": face_s, "home": home_s, "explain": explain_s, "random": random_s}


if __name__ == "__main__":
    sys.exit(main())
