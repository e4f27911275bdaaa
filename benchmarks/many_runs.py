"""What a thousand runs and many marks cost the app's process: CPU time and memory for each.

    python benchmarks/many_runs.py
    python benchmarks/many_runs.py --runs 20 200 --run resnet50

Makes a home in a temporary folder with copies of a run that ships, its large files linked, and does what pages do with
them. All is told for one run, from the difference between the two numbers of runs: what is paid once, as importing a
library, is in neither. Marks are read and looked at again with one file of a process, and with many.

CPU time says something on a busy machine, too, if less exactly; it does not say how long a network disk takes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.common import finish, machine, machine_text, progress, run_child, table
from fer_core.errors import FerError
from fer_core.settings import settings

SMALL = 100_000
"""Bytes below which a file is copied. Larger ones are linked: a thousand models would fill the disk."""
MARKS = 5000
FILES = (1, 101)
"""Processes that have marked."""
FINGERPRINT = "0" * 64
LOOKS = 20


def copy_runs(source: Path, runs: Path, count: int) -> None:
    """Copies of the run folder ``source``, ``count`` of them."""
    for number in range(count):
        for path in sorted(one for one in source.rglob("*") if one.is_file()):
            target = runs / f"trial-{number:04d}" / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.stat().st_size < SMALL:
                shutil.copyfile(path, target)
                continue
            try:
                os.link(path, target)
            except OSError:  # another disk
                shutil.copyfile(path, target)


def child(task: dict[str, Any]) -> dict[str, Any]:
    """CPU seconds and bytes of each thing that is done with all runs of the home, or with all marks."""
    return _marks(task["files"]) if "files" in task else _runs()


def _runs() -> dict[str, Any]:
    from fer_core.runs.listing import list_runs
    from fer_core.training import jobs

    runs = [run for run in list_runs() if not run.shipped]
    if broken := [run.problem for run in runs if run.problem]:
        raise FerError(broken[0])
    deeds: dict[str, Callable[[], object]] = {
        "listed once more": list_runs,
        "its figures": lambda: [run.folder.metrics() for run in runs],
        "its curves": lambda: [run.folder.history() for run in runs],
        "its state and journal": lambda: [jobs.status(run.path) for run in runs],
    }
    first = {"listed for the first time, from importing on": (time.process_time(), _memory())}
    return {**first, **{name: _cost(deed) for name, deed in deeds.items()}}


def _marks(files: int) -> dict[str, Any]:
    from fer_core.review.annotations import AMBIGUOUS, Annotations
    from fer_core.review.mark_files import ENDING

    marks = Annotations(FINGERPRINT)
    marks.set(0, AMBIGUOUS)
    assert marks.path is not None
    (mine,) = marks.path.iterdir()
    line = json.loads(mine.read_text(encoding="utf-8"))
    for number in range(files - 1):
        rows = range(1 + number, MARKS, files - 1)
        text = "".join(json.dumps({**line, "row": row}) + "\n" for row in rows)
        # Of another place, as far as this process knows: never taken over.
        (marks.path / f"{0:012x}-1-1.{number:08x}{ENDING}").write_text(text, encoding="utf-8")
    if files == 1:
        with mine.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps({**line, "row": row}) + "\n" for row in range(1, MARKS))
    read = _cost(lambda: Annotations.load(FINGERPRINT))
    marks.refresh()

    def look() -> None:
        for _ in range(LOOKS):
            marks.refresh()

    looked = _cost(look)
    return {"read": read, "looked at again": (looked[0] / LOOKS, looked[1])}


def _cost(deed: Callable[[], object]) -> tuple[float, int]:
    memory, began = _memory(), time.process_time()
    kept = deed()
    cost = time.process_time() - began, _memory() - memory
    del kept
    return cost


def _memory() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)


def measure(counts: tuple[int, int], name: str) -> dict[str, Any]:
    """For each thing CPU seconds and bytes a run; for marks, for each number of files. Raises ``FerError``."""
    few, many = counts
    if not 0 < few < many:
        raise FerError("--runs takes two numbers, first the smaller one.")
    source = settings().models_dir / name
    if not (source / "run.json").is_file():
        raise FerError(f"there is no run called {name} among those that ship.")
    about, found = machine(), []
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="many-runs-") as home:
            progress(f"{count} runs")
            copy_runs(source, Path(home) / "runs", count)
            found.append(_in_home(home, {"runs": count}))
    runs = {
        deed: {
            "cpu_seconds": (found[1][deed][0] - found[0][deed][0]) / (many - few),
            "bytes": (found[1][deed][1] - found[0][deed][1]) / (many - few),
        }
        for deed in found[0]
    }
    marks = {}
    for files in FILES:
        with tempfile.TemporaryDirectory(prefix="many-runs-") as home:
            progress(f"{MARKS} marks in {files} files")
            marks[str(files)] = {deed: cost[0] for deed, cost in _in_home(home, {"files": files}).items()}
    return {"machine": about, "run": name, "runs": list(counts), "each": runs, "marks": MARKS, "of_marks": marks}


def _in_home(home: str, task: dict[str, Any]) -> dict[str, Any]:
    before = os.environ.get("FER_EXPLORER_HOME")
    os.environ["FER_EXPLORER_HOME"] = home
    try:
        found: dict[str, Any] = run_child(__file__, task)
    finally:
        if before is None:
            del os.environ["FER_EXPLORER_HOME"]
        else:
            os.environ["FER_EXPLORER_HOME"] = before
    return found


def report(result: dict[str, Any]) -> str:
    """Two tables for people."""
    runs = [
        [what, f"{1e3 * cost['cpu_seconds']:.2f}", f"{cost['bytes'] / 1e3:.0f}"]
        for what, cost in result["each"].items()
    ]
    marks = [
        [files, f"{1e3 * cost['read']:.0f}", f"{1e3 * cost['looked at again']:.2f}"]
        for files, cost in result["of_marks"].items()
    ]
    few, many = result["runs"]
    return "\n\n".join(
        [
            machine_text(result["machine"]),
            f"Copies of {result['run']}, {few} and {many}. Each run more costs:",
            table([f"a run of {result['run']}", "CPU ms", "kB"], runs),
            f"{result['marks']:,} marks on faces of one dataset:",
            table(["files", "read, CPU ms", "looked at again, CPU ms"], marks),
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, nargs=2, default=[20, 120], metavar="N", help="how many runs (20 and 120)")
    parser.add_argument("--run", default="custom_cnn", help="the run that is copied (custom_cnn)")
    parser.add_argument("--json", action="store_true", help="print one object with every measurement")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(child(json.loads(args.child))))
        return 0

    def work() -> tuple[dict[str, Any], str]:
        result = measure((args.runs[0], args.runs[1]), args.run)
        return result, report(result)

    return finish(work, as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
