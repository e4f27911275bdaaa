"""Megabytes of the app's process, page by page: the peak while a page does its most expensive things, and what stays.

    python benchmarks/memory.py
    python benchmarks/memory.py --home /data/fer --data fer2013
    python benchmarks/memory.py --home /data/fer --data fer2013 --limit 690

A server of the app and a real Chromium on this machine. One visitor opens every page in turn and waits until it has
drawn all it draws: all models and the vote on each tab of Explain, 30 photographs of 12 million pixels on Photo, half
a minute of Chromium's fake camera on Live, and leaves. Memory is read five times a second from
``/proc/PID/smaps_rollup``: RSS is what of the process is in memory, PSS the same with what it shares with others
divided among them. Children (gradient worker, trainings) are added up beside it. ``--limit`` runs the app inside a
limit and says whether it survived. Without ``--home`` the home is empty, as on a first visit. Linux only.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import psutil

from benchmarks.browsing import MINUTE, PACKAGES, served_page
from benchmarks.common import finish, machine, machine_text, progress, table
from benchmarks.memory_limit import Limit, limited
from benchmarks.opening import mistakes
from fer_core.errors import FerError
from fer_core.settings import settings

if TYPE_CHECKING:
    from browser import AppServer  # type: ignore[import-not-found]
    from playwright.sync_api import Page

HOME_GOAL, GOAL = 250.0, 600.0
"""Megabytes of the app's process: at Home, and at any time."""
EVERY_S = 0.2
QUIET_S, SETTLE_S = 1.5, 4.0
"""The page must stand still so long before it counts as drawn; then so long again until what stays is read."""
LIVE_S, AFTER_S = 30.0, 60.0
PATIENCE_S = 900.0
PHOTOGRAPH = (3000, 4000)
"""Rows and columns of a photograph: 12 million pixels."""
CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
RUNNING = "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState !== 'notRunning'"
CAMERA_FRAME = 'iframe[title*="webrtc"]'
TABS = ("Maps", "Methods", "Averages", "Poke", "Robustness")


@dataclass
class Figures:
    """Megabytes of one step. ``peak``, ``settled``: RSS; ``peak_pss``: PSS; ``children``: the most PSS of all
    children."""

    step: str
    peak: float = 0.0
    peak_pss: float = 0.0
    settled: float = 0.0
    children: float = 0.0


@dataclass
class Watch:
    """Reads a process's memory in a thread of its own, for the step that is going on."""

    pid: int
    steps: list[Figures] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self._look, name="memory")
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def begin(self, step: str) -> None:
        progress(step)
        self.steps.append(Figures(step))

    def settle(self) -> None:
        step = self.steps[-1]
        step.settled = (memory_of(self.pid) or {"Rss": 0.0})["Rss"]
        progress(f"  peak {step.peak:.0f} MB, stays {step.settled:.0f} MB")

    def _look(self) -> None:
        while not self._over.wait(EVERY_S):
            now = memory_of(self.pid)
            if now is None or not self.steps:
                continue
            step = self.steps[-1]
            step.peak, step.peak_pss = max(step.peak, now["Rss"]), max(step.peak_pss, now["Pss"])
            step.children = max(
                step.children, sum((memory_of(pid) or {"Pss": 0.0})["Pss"] for pid in children(self.pid))
            )


def memory_of(pid: int) -> dict[str, float] | None:
    """``Rss``, ``Pss`` and the other lines of ``smaps_rollup``, in MB (a million bytes); None once the process is
    over."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except (OSError, ProcessLookupError):
        return None
    return {line.split(":")[0]: int(line.split()[1]) * 1024 / 1e6 for line in lines if line.endswith("kB")}


def children(pid: int) -> list[int]:
    """All children of a process, and theirs."""
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, metavar="DIR", help="where datasets and runs are (default: an empty one)")
    parser.add_argument("--data", default="sample", help="name of the dataset (default: %(default)s)")
    parser.add_argument("--photos", type=int, default=30, help="photographs on Photo (default: %(default)s)")
    parser.add_argument("--live", type=float, default=LIVE_S, metavar="SECONDS", help="of Live (default: %(default)s)")
    parser.add_argument(
        "--after", type=float, default=AFTER_S, metavar="SECONDS", help="once all have left (default: %(default)s)"
    )
    parser.add_argument("--limit", type=float, metavar="MB", help="run the app inside a limit of so many MB")
    parser.add_argument("--only", nargs="+", metavar="PAGE", help="visit Home and these pages alone, such as photo")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args(argv)
    return finish(lambda: _run(args), as_json=args.json)


def _run(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    if not Path("/proc/self/smaps_rollup").exists():
        raise FerError("this benchmark reads /proc/PID/smaps_rollup, which only Linux has.")
    if args.photos < 1 or args.live < 1 or args.after < 1:
        raise FerError("--photos, --live and --after must be at least 1.")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        home = folder / "home" if args.home is None else args.home.resolve()
        os.environ["FER_EXPLORER_HOME"], os.environ["FER_EXPLORER_ICE_SERVERS"] = str(home), "[]"
        settings.cache_clear()
        limit = stack.enter_context(limited(args.limit)) if args.limit else None
        return _visit(args, folder, limit)


def _visit(args: argparse.Namespace, folder: Path, limit: Limit | None) -> tuple[dict[str, Any], str]:
    about = machine(PACKAGES)
    survived, problem, steps = True, "", []
    try:
        with served_page("_stcore/health", prefix=limit.prefix if limit else (), more_args=CAMERA) as (server, page):
            watch = Watch(server.pid)
            steps = watch.steps
            with watch.watching():
                for step, act in _walk(server, page, args, folder):
                    watch.begin(step)
                    act()
                    time.sleep(SETTLE_S)
                    watch.settle()
                    if not server.alive:
                        raise FerError(f"the server ended at {step}:\n{server.log()[-1000:]}")
    except FerError as error:
        if limit is None:
            raise
        survived, problem = False, str(error)
    result = {
        "machine": about,
        "data": args.data,
        "limit": None if limit is None else limit.words,
        "limit_peak": None if limit is None else limit.peak_mb(),
        "killed": None if limit is None else limit.kills(),
        "survived": survived,
        "problem": problem,
        "steps": [vars(step) for step in steps],
        "goals": {"home": HOME_GOAL, "all": GOAL},
    }
    return result, report(result)


def report(result: dict[str, Any]) -> str:
    """The figures as a table, and whether the goals are met."""
    steps = result["steps"]
    rows = [
        [step["step"], *(f"{step[name]:.0f}" for name in ("peak", "peak_pss", "settled", "children"))] for step in steps
    ]
    lines = [
        machine_text(result["machine"]),
        f"Data: {result['data']}. MB of the app's process, and of all its children together.",
        "",
        table(["what the visitor does", "peak RSS", "peak PSS", "stays (RSS)", "children (PSS)"], rows),
        "",
    ]
    if steps:
        home = max((step["peak"] for step in steps if step["step"].startswith("Home")), default=0.0)
        most = max(steps, key=lambda step: step["peak"])
        lines += [
            f"Home: {home:.0f} MB (goal: under {result['goals']['home']:.0f}: {_met(home, result['goals']['home'])}).",
            f"All: {most['peak']:.0f} MB, at {most['step']} (goal: under {result['goals']['all']:.0f}: "
            f"{_met(most['peak'], result['goals']['all'])}).",
        ]
    if result["limit"] is not None:
        ended = "survived" if result["survived"] else "did not survive"
        lines.append(f"Inside a limit the app {ended}: {result['limit']}.")
        if result["limit_peak"] is not None:
            lines.append(f"Counted there: at most {result['limit_peak']:.0f} MB, {result['killed']} processes killed.")
        if result["problem"]:
            lines.append(result["problem"])
    return "\n".join(lines)


def _met(value: float, goal: float) -> str:
    return "met" if value < goal else "missed"


def _walk(
    server: AppServer, page: Page, args: argparse.Namespace, folder: Path
) -> Iterator[tuple[str, Callable[[], None]]]:
    """What the visitor does, in order; later steps are made once the earlier ones are done."""

    def visit(path: str, **query: str | Sequence[str]) -> Callable[[], None]:
        address = f"{path}?{urlencode({'data': args.data, **query}, doseq=True)}" if path else ""

        def go() -> None:
            page.goto(server.url(address), timeout=5 * MINUTE)
            wait_until_drawn(server, page)

        return go

    def wanted(name: str) -> bool:
        return args.only is None or name in args.only

    yield "Home", visit("")
    for name in ("dataset", "train", "compare", "leaderboard", "limits"):
        if wanted(name):
            yield name.capitalize(), visit(name)
    if wanted("run"):
        yield "Run card", visit("run")
    names, rows = mistakes(args.data, 1) if wanted("mistakes") or wanted("explain") else ([], [0])
    if wanted("mistakes"):
        yield "Mistakes, a face opened", visit("mistakes", face=str(rows[0]))
    if wanted("explain"):
        everyone = [*names, *_votes()]
        for tab in TABS:
            query = {"explain.row": str(rows[0]), "explain.models": everyone, "explain.view": tab}
            yield f"Explain: {tab}", visit("explain", **query)
    if wanted("photo"):
        files = photographs(folder, args.data, args.photos)
        yield f"Photo, {args.photos} photographs", lambda: _upload(server, visit("photo"), page, files)
    if wanted("live"):
        yield f"Live, {args.live:.0f} s", lambda: _live(visit("live"), page, args.live)
        yield "Live stopped", lambda: page.frame_locator(CAMERA_FRAME).get_by_role("button", name="Stop").click()
    yield "left", lambda: page.close()
    yield f"{args.after:.0f} s later", lambda: time.sleep(args.after)


def wait_until_drawn(server: AppServer, page: Page) -> None:
    """Until the server has had nothing to draw for a while. Raises ``FerError`` where it ends, or takes minutes."""
    deadline, quiet = time.monotonic() + PATIENCE_S, 0.0
    page.wait_for_selector("[data-testid=stApp]", timeout=5 * MINUTE)
    page.wait_for_timeout(500)
    while quiet < QUIET_S:
        if not server.alive:
            raise FerError(f"the server ended while it drew a page:\n{server.log()[-1000:]}")
        if time.monotonic() > deadline:
            raise FerError(f"a page was not drawn after {PATIENCE_S:.0f} seconds.")
        quiet = 0.0 if page.evaluate(RUNNING) else quiet + 0.1
        page.wait_for_timeout(100)


def _votes() -> list[str]:
    from fer_core.runs.listing import list_models

    return [info.name for info in list_models() if info.is_vote]


def photographs(folder: Path, data: str, count: int) -> list[Path]:
    """JPEG files with four faces of the dataset each, pasted into pictures of 12 million pixels."""
    import cv2

    from fer_core.data.dataset import load_dataset

    images = load_dataset(settings().datasets_dir / data).images
    rng = np.random.default_rng(0)
    files = []
    for number in range(count):
        picture = cv2.resize(rng.integers(90, 160, (30, 40, 3), dtype=np.uint8), PHOTOGRAPH[::-1])
        for place in range(4):
            face = cv2.resize(np.asarray(images[int(rng.integers(len(images)))]), (700, 700))[..., np.newaxis]
            y, x = 300 + 1400 * (place // 2), 500 + 1900 * (place % 2)
            picture[y : y + 700, x : x + 700] = face
        path = folder / f"photograph-{number + 1}.jpg"
        cv2.imwrite(str(path), picture)
        files.append(path)
    return files


def _upload(server: AppServer, visit: Callable[[], None], page: Page, files: Sequence[Path]) -> None:
    visit()
    page.locator("input[type=file]").first.set_input_files([str(file) for file in files])
    page.get_by_text(f"{len(files)} picture").first.wait_for(timeout=10 * MINUTE)
    wait_until_drawn(server, page)


def _live(visit: Callable[[], None], page: Page, seconds: float) -> None:
    visit()
    page.frame_locator(CAMERA_FRAME).get_by_role("button", name="Start the camera").click()
    page.get_by_text("frames/s").first.wait_for(state="attached", timeout=3 * MINUTE)  # folded
    page.wait_for_timeout(1000 * seconds)


if __name__ == "__main__":
    sys.exit(main())
