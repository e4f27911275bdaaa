"""Milliseconds that the server takes for a click on Compare and Mistakes, cold for the selection and warm for the data.

    python benchmarks/interaction.py
    python benchmarks/interaction.py --home /data/fer --runs custom_cnn resnet50 --repeats 50

The real pages run without a browser (see visitor.py). Every repetition asks for faces that nobody has asked for yet:
another cell, set, order, page, face or pair of runs. What it needs of the runs and the data has been read before, as
on a server that is in use.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.common import finish, machine, machine_text, progress, table  # noqa: E402
from benchmarks.visitor import Visitor  # noqa: E402
from fer_core.errors import FerError  # noqa: E402

if TYPE_CHECKING:
    from fer_core.review.scope import Scope
    from fer_core.runs.listing import ModelInfo

Thing = TypeVar("Thing")
Times = dict[str, list[float]]
"""Milliseconds of each click, by kind. The first click of a kind is not in it: it reads what all need."""
GOAL = 500.0
"""Milliseconds that the median of every kind of click must stay below."""
MOST_RUNS = 4
PACKAGES = ("streamlit", "numpy", "pandas", "plotly", "pillow", "ai-edge-litert")
SEED = 0

TITLES = {
    "cell": "click on a cell of a confusion matrix, to its faces",
    "set": "click on an agreement set, to its faces",
    "sort": "another order of the faces",
    "page": "another page of the faces",
    "face": "opening a face",
    "difference_cold": "difference of two runs, 2,000 paired resamples, new pair",
    "difference_warm": "difference of two runs, a pair seen before",
}


@dataclass(frozen=True)
class Setting:
    """What is looked at: the runs, and the faces and labels of each choice of split and twins."""

    runs: tuple[ModelInfo, ...]
    scopes: dict[tuple[str, bool], Scope]
    """By split, and whether twins of Training faces are in."""

    @property
    def names(self) -> list[str]:
        return [run.name for run in self.runs]

    def query(self, split: str, with_near_duplicates: bool = True) -> dict[str, str | list[str]]:
        """The choice as a link says it."""
        from pages.parts.scope import (
            ALL_FACES,
            NEAR_DUPLICATES,
            NEAR_DUPLICATES_TEXT,
            RUNS,
            SPLIT,
            WITHOUT_NEAR_DUPLICATES,
        )

        return {
            RUNS: self.names,
            SPLIT: split,
            NEAR_DUPLICATES: NEAR_DUPLICATES_TEXT[ALL_FACES if with_near_duplicates else WITHOUT_NEAR_DUPLICATES],
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="where datasets and runs are (default: as the app has it)")
    parser.add_argument(
        "--runs", nargs="+", metavar="RUN", help=f"runs to look at (default: up to {MOST_RUNS} shipped)"
    )
    parser.add_argument("--repeats", type=int, default=30, help="clicks of each kind (default 30)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    args = parser.parse_args()
    if args.home:
        # Before anybody asks for the settings.
        os.environ["FER_EXPLORER_HOME"] = str(args.home)
    return finish(lambda: measure(args.runs, args.repeats), as_json=args.json)


def measure(runs: Sequence[str] | None, repeats: int) -> tuple[dict[str, Any], str]:
    """Click, and take the time. Returns the figures and the text for people.

    Raises ``FerError`` where a run is unknown, fewer than two were measured on the same faces, these faces are not
    here, or a page fails.
    """
    if repeats < 1:
        raise FerError("--repeats must be at least 1.")
    about = machine(PACKAGES)
    setting = _setting(runs)
    figures: dict[str, Any] = {}
    for clicks in CLICKS:
        for action, times in clicks(setting, repeats).items():
            if not times:
                raise FerError(f"there is nothing to click: {TITLES[action]}. Name runs with more faces with --runs.")
            figures[action] = {"n": len(times), **_spread(times), "all": times}
            progress(f"{TITLES[action]}: {len(times)} times")
    faces = {
        split: len(scope.whole)
        for (split, with_near_duplicates), scope in setting.scopes.items()
        if with_near_duplicates
    }
    result = {
        "machine": about,
        "settings": {"runs": setting.names, "faces": faces, "repeats": repeats},
        "goal_ms": GOAL,
        "met": all(figure["median_ms"] < GOAL for figure in figures.values()),
        "figures": figures,
    }
    return result, report(result)


def report(result: dict[str, Any]) -> str:
    """The machine, one line a kind of click, and whether the goal is met."""
    settings = result["settings"]
    faces = ", ".join(f"{split} {count:,} faces" for split, count in settings["faces"].items())
    rows = [
        [TITLES[action], f"{figure['n']}", f"{figure['median_ms']:.0f}", f"{figure['p95_ms']:.0f}"]
        for action, figure in result["figures"].items()
    ]
    slow = [action for action, figure in result["figures"].items() if figure["median_ms"] >= result["goal_ms"]]
    goal = f"The goal, a median below {result['goal_ms']:.0f} ms for every kind of click, is"
    missed = "; ".join(f"{TITLES[action]} ({result['figures'][action]['median_ms']:.0f} ms)" for action in slow)
    return "\n\n".join(
        [
            machine_text(result["machine"]),
            f"{len(settings['runs'])} runs: {', '.join(settings['runs'])}. {faces}.",
            "Milliseconds on the server, of n clicks, each on something new:\n\n"
            + table(["click", "n", "median (p50)", "95th percentile"], rows),
            f"{goal} missed by: {missed}." if slow else f"{goal} met.",
        ]
    )


def _spread(times: Sequence[float]) -> dict[str, float]:
    import numpy as np

    return {"median_ms": float(np.median(times)), "p95_ms": float(np.percentile(times, 95))}


def _setting(names: Sequence[str] | None) -> Setting:
    """The runs, and what they say, read once before the clock starts."""
    from fer_core.data.audit import near_duplicates_of
    from fer_core.data.catalogue import list_datasets
    from fer_core.data.dataset import load_dataset
    from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
    from fer_core.review.scope import scope
    from fer_core.runs.listing import find_run, list_models

    known = {info.path.resolve(): info for info in list_models()}
    if names:
        folders = [find_run(name).path.resolve() for name in names]
        missing = [path.name for path in folders if path not in known]
        if missing:
            raise FerError(f"{', '.join(missing)}: not a complete run. See python -m fer_core runs")
        chosen = [known[path] for path in folders]
    else:
        chosen = [info for info in known.values() if info.shipped]
    measured = {info.path: info.folder.metrics() for info in chosen}
    fingerprints = {path: metrics["data"]["fingerprint"] if metrics else "" for path, metrics in measured.items()}
    here = {dataset.fingerprint: dataset.path for dataset in list_datasets()}
    if not names:
        chosen = [info for info in chosen if fingerprints[info.path] in here][:MOST_RUNS]
    found = {fingerprints[info.path] for info in chosen}
    if len(chosen) < 2 or len(found) != 1 or not found <= here.keys():
        raise FerError(
            "at least two runs are needed that were measured on the same faces, and these faces: import the data that "
            "the shipped runs were measured on, or name others with --runs and their place with --home."
        )
    folders_of = [info.folder for info in chosen]
    near_duplicate = near_duplicates_of(load_dataset(here[found.pop()])).exact_or_near
    scopes = {
        (split, with_near_duplicates): scope(
            folders_of, split, with_near_duplicates=with_near_duplicates, near_duplicate=near_duplicate
        )
        for split, with_near_duplicates in product((PRIVATE_TEST, PUBLIC_TEST), (True, False))
    }
    return Setting(tuple(chosen), scopes)


def _mixed(things: list[Thing]) -> list[Thing]:
    """In random order, the same each time."""
    import numpy as np

    return [things[at] for at in np.random.default_rng(SEED).permutation(len(things))]


def _cells(setting: Setting, split: str) -> list[tuple[str, int, int, int]]:
    """Mistakes with a face at least: the run, the true class, the answer, how many faces. In random order."""
    import numpy as np

    matrices = zip(setting.names, setting.scopes[split, True].confusions, strict=True)
    cells = [
        (name, true, said, int(counts[true, said]))
        for name, counts in matrices
        for true, said in np.ndindex(counts.shape)
        if true != said and counts[true, said]
    ]
    return _mixed(cells)


def _arrived(visitor: Visitor, faces: int) -> None:
    """Whether the click led to the faces it should: the time of anything else says nothing."""
    if visitor.title != "Mistakes" or f"**{faces:,} of " not in visitor.text:
        raise FerError(f"a click led to {visitor.title!r}, and not to the {faces:,} faces it stands for")


def _cell_clicks(setting: Setting, repeats: int) -> Times:
    from fer_core.emotions import PRIVATE_TEST

    times: list[float] = []
    start = {**setting.query(PRIVATE_TEST), "view": "Matrices", "matrices": setting.names}
    for name, true, said, faces in _cells(setting, PRIVATE_TEST)[: repeats + 1]:
        visitor = Visitor("compare", start)
        times.append(visitor.click(f"confusion-{name}", [true, said]))
        _arrived(visitor, faces)
    return {"cell": times[1:]}


def _set_clicks(setting: Setting, repeats: int) -> Times:
    from fer_core.stats.agreement import lattice

    wanted = [
        (split, with_near_duplicates, part.code, part.count)
        for (split, with_near_duplicates), scope in setting.scopes.items()
        for part in lattice(scope.aligned.right)
        if part.count
    ]
    times: list[float] = []
    for split, with_near_duplicates, code, faces in _mixed(wanted)[: repeats + 1]:
        visitor = Visitor("compare", {**setting.query(split, with_near_duplicates), "view": "Agreement"})
        times.append(visitor.click("lattice", [code]))
        _arrived(visitor, faces)
    return {"set": times[1:]}


def _sorts(setting: Setting, repeats: int) -> Times:
    from fer_core.emotions import NAMES, PUBLIC_TEST
    from fer_core.review.ordering import SORTS

    # The first is how faces are sorted anyway; similarity needs a face.
    orders = [words for key, words in list(SORTS.items())[1:] if key != "similarity"]
    times: list[float] = []
    for at, (name, true, said, _) in enumerate(_cells(setting, PUBLIC_TEST)[: repeats + 1]):
        cell = {"true": NAMES[true], "said": NAMES[said], "by": name}
        visitor = Visitor("mistakes", {**setting.query(PUBLIC_TEST), **cell})
        times.append(visitor.choose(sort=orders[at % len(orders)]))
    return {"sort": times[1:]}


def _pages(setting: Setting, repeats: int) -> Times:
    times: list[float] = []
    for visitor in _mistakes(setting):
        for page in range(2, visitor.pages("page") + 1):
            times.append(visitor.choose(page=page))
            if len(times) > repeats:
                return {"page": times[1:]}
    return {"page": times[1:]}


def _faces(setting: Setting, repeats: int) -> Times:
    times: list[float] = []
    for visitor in _mistakes(setting):
        # Every fourth of a sheet, so that more than one sheet is tried.
        for row in visitor.rows("mistakes-sheet")[::4]:
            times.append(visitor.click("mistakes-sheet", [row]))
            if visitor.app.session_state["face"] != row:
                raise FerError(f"a click on face {row} did not open it")
            if len(times) > repeats:
                return {"face": times[1:]}
    return {"face": times[1:]}


def _mistakes(setting: Setting) -> Iterator[Visitor]:
    """Visitors who look at all mistakes of a run, for each run and each choice of faces."""
    for (split, with_near_duplicates), name in product(setting.scopes, setting.names):
        yield Visitor("mistakes", {**setting.query(split, with_near_duplicates), "by": name})


def _differences(setting: Setting, repeats: int) -> Times:
    """New pairs, and the same pairs again: with other faces a pair is new once more."""
    pairs = list(permutations(setting.names, 2))
    cold: list[float] = []
    warm: list[float] = []
    for split, with_near_duplicates in setting.scopes:
        # The page opens with the first pair, which is how its other data get warm.
        visitor = Visitor("compare", {**setting.query(split, with_near_duplicates), "view": "Difference"})
        for times in (cold, warm):
            for first, second in pairs[1:]:
                if len(times) >= repeats:
                    break
                times.append(visitor.choose(a=first, b=second))
    return {"difference_cold": cold, "difference_warm": warm}


CLICKS: tuple[Callable[[Setting, int], Times], ...] = (
    _cell_clicks,
    _set_clicks,
    _sorts,
    _pages,
    _faces,
    _differences,
)


if __name__ == "__main__":
    sys.exit(main())
