"""What it takes to train the shipped runs again, read from the runs themselves.

python benchmarks/reproduce.py                     the table of the shipped runs
python benchmarks/reproduce.py --write             the same, into benchmarks/reproduce.md
python benchmarks/reproduce.py RUN RUN RUN         how far the accuracy of several seeds lies apart
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.common import table  # noqa: E402
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST  # noqa: E402
from fer_core.errors import FerError  # noqa: E402
from fer_core.runs.contracts import Metrics  # noqa: E402

PAGE = ROOT / "benchmarks" / "reproduce.md"
BEGIN, END = "<!-- written by benchmarks/reproduce.py -->", "<!-- end -->"
MAY_DIFFER = ("seed", "name", "precision")
"""Choices in which runs of several seeds may differ. Precision: ``auto`` resolves to what the machine does best."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", metavar="RUN", help="runs of one recipe with several seeds")
    parser.add_argument("--write", action="store_true", help="write the table of the shipped runs into reproduce.md")
    args = parser.parse_args()
    try:
        if args.write:
            from fer_core.files import write_text

            write_text(PAGE, with_table(PAGE.read_text(encoding="utf-8")))
            print(f"Wrote {PAGE.relative_to(ROOT)}.")
        else:
            print(seeds_table(args.runs) if args.runs else runs_table())
    except FerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def with_table(page: str) -> str:
    """The page with the table of the shipped runs between its two marks. Raises ``FerError`` without the marks."""
    before, _begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not _begin or not end:
        raise FerError(f"{PAGE.name} has lost its marks {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n{runs_table()}\n{END}{after}"


def runs_table() -> str:
    """One line a shipped run: command, epochs, hours on its machine, precision. Votes are built, not trained."""
    from fer_core.runs.listing import list_models

    rows = []
    for info in list_models():
        if not info.shipped or info.is_vote:
            continue
        recipe, metrics, seconds = info.folder.recipe(), info.folder.metrics(), info.folder.history()["seconds"]
        rows.append(
            [
                info.name,
                f"`python -m fer_core train --recipe models/{info.name}/recipe.json --data datasets/fer2013`",
                f"{info.best_epoch} of {info.epochs}",
                f"{seconds.sum() / 3600:.2f}",
                f"{seconds.min():.0f}–{seconds.max():.0f}",
                recipe.precision,
                str(recipe.seed),
                metrics["machine"] if metrics else "",
            ]
        )
    head = ["run", "command", "best epoch", "hours", "seconds an epoch", "precision", "seed", "machine"]
    return table(head, rows)


def seeds_table(names: Sequence[str]) -> str:
    """Accuracy of each run, then mean ± standard deviation over the seeds.

    Raises ``FerError`` for fewer than two runs, or runs that differ in more than :data:`MAY_DIFFER`.
    """
    import numpy as np

    from fer_core.runs.listing import find_run

    if len(names) < 2:
        raise FerError("name at least two runs of one recipe with different seeds.")
    folders = [find_run(name) for name in names]
    recipes = [folder.recipe().to_dict() for folder in folders]
    for name, recipe in zip(names, recipes, strict=True):
        if different := _differences(recipes[0], recipe):
            raise FerError(f"{name} differs from {names[0]} in {', '.join(different)}: seeds compare one recipe.")
    scores: list[list[float]] = []
    rows = []
    for name, folder, recipe in zip(names, folders, recipes, strict=True):
        metrics = folder.metrics()
        if metrics is None:
            raise FerError(f"{name} is not evaluated yet.")
        if PRIVATE_TEST not in metrics["splits"]:
            raise FerError(f"{name} was not measured on {PRIVATE_TEST} yet: evaluate it with --final.")
        values = [_accuracy(metrics, split, clean) for split, clean in COLUMNS]
        scores.append(values)
        rows.append([name, str(recipe["seed"]), *(f"{value:.1f} %" for value in values)])
    mean, deviation = np.mean(scores, axis=0), np.std(scores, axis=0, ddof=1)
    rows.append(["mean ± sd", "", *(f"{m:.1f} ± {d:.1f} %" for m, d in zip(mean, deviation, strict=True))])
    return table(["run", "seed", PUBLIC_TEST, PRIVATE_TEST, f"{PRIVATE_TEST} without twins"], rows)


COLUMNS = ((PUBLIC_TEST, False), (PRIVATE_TEST, False), (PRIVATE_TEST, True))


def _accuracy(metrics: Metrics, split: str, clean: bool) -> float:
    """Per cent; not a number where no face without a twin is left."""
    of_split = metrics["splits"][split]
    scores = of_split.get("without_near_duplicates") if clean else of_split
    return 100 * float(scores["accuracy"]) if scores else float("nan")


def _differences(first: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    return [key for key in first if key not in MAY_DIFFER and first[key] != other[key]]


if __name__ == "__main__":
    sys.exit(main())
