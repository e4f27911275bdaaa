"""Many visitors at once: how long the server takes for each, what it costs in CPU time, memory, threads and handles.

    python benchmarks/visitors.py --home /data/fer --visitors 1 10 20 50
    python benchmarks/visitors.py --home /data/fer --servers 2 --visitors 50
    python benchmarks/visitors.py --seconds 20 --visitors 1 --json

Starts the app, and for each number of visitors as many WebSocket sessions, which open Home, Compare, Mistakes and
Explain and click there, with the pauses of a person who looks. Each visitor walks the same way at times and on faces of
their own. Times are from asking to the end of the page's script; what the browser draws is not in them. With several
servers, which share a home, each visitor stays with one, as ``docs/hosting.md`` sets it up; CPU time and memory are
those of all together.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "tests"))

import psutil  # noqa: E402

from benchmarks.browsing import PACKAGES  # noqa: E402
from benchmarks.common import finish, machine, machine_text, progress, table  # noqa: E402
from benchmarks.websocket import Visit  # noqa: E402
from fer_core.errors import FerError  # noqa: E402

PAUSE = (1.0, 6.0)
"""Seconds that a visitor looks before the next click, evenly spread."""
AFTER = 60.0
"""Seconds after the last visitor has left, when memory is looked at again."""
GOALS = {"p95_click": 2.0, "failures": 0, "megabytes_kept": 50.0}
CPU_GOALS = {"open": 0.2, "click": 0.1}
SEED = 0


@dataclass(frozen=True)
class App:
    """One process of the app, and where it listens."""

    port: int
    process: psutil.Process


@dataclass
class Seen:
    """What happened to all visitors of one round."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """By ``open Home``, ``click Compare`` and so on."""
    cpu: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """The server's own seconds of CPU time, where there is one visitor alone."""
    failures: list[str] = field(default_factory=list)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, metavar="DIR", help="where datasets and runs are (default: the app's)")
    parser.add_argument("--visitors", type=int, nargs="+", default=[1, 10, 20, 50], help="(default: %(default)s)")
    parser.add_argument("--servers", type=int, default=1, help="processes of the app (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=180, help="of each round (default: %(default)s)")
    parser.add_argument(
        "--after", type=float, default=AFTER, help="seconds until memory is looked at (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args(argv)
    return finish(lambda: measure(args), as_json=args.json)


def measure(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """All rounds, one after another on one server. Raises ``FerError`` where the app does not start."""
    if min(args.visitors) < 1 or args.servers < 1 or args.seconds <= 0:
        raise FerError("--visitors, --servers and --seconds must be above 0.")
    if args.home is not None:
        os.environ["FER_EXPLORER_HOME"] = str(args.home.resolve())
    from browser import AppServer  # type: ignore[import-not-found]

    about = machine(PACKAGES)
    with TemporaryDirectory() as folder:
        servers: list[AppServer] = []
        try:
            for number in range(args.servers):
                servers.append(AppServer(Path(folder) / f"server{number}.log").start())
            progress("one visitor first: what a server reads once for all belongs to nobody's time")
            for server in servers:
                asyncio.run(_hurry(server.port))
            apps = [App(server.port, psutil.Process(server.pid)) for server in servers]
            rounds = [_measured(apps, count, args.seconds, args.after) for count in args.visitors]
        finally:
            for server in servers:
                server.stop()
    result = {
        "machine": about,
        "seconds": args.seconds,
        "servers": args.servers,
        "goals": GOALS,
        "cpu_goals": CPU_GOALS,
        "rounds": rounds,
    }
    return result, report(result)


def _measured(apps: Sequence[App], count: int, seconds: float, after: float) -> dict[str, Any]:
    import numpy as np

    progress(f"{count} visitors for {seconds:.0f} s")
    before, began = _state(apps), time.perf_counter()
    own, theirs = time.process_time(), sum(map(_cpu, apps))
    seen, during = asyncio.run(_round(apps, count, seconds))
    took = time.perf_counter() - began
    own, theirs = time.process_time() - own, sum(map(_cpu, apps)) - theirs
    time.sleep(after)
    left = _state(apps)
    clicks = [one for kind, values in seen.seconds.items() if kind.startswith("click") for one in values]
    return {
        "visitors": count,
        "kinds": {
            kind: {"n": len(values), "p50": float(np.median(values)), "p95": float(np.percentile(values, 95))}
            for kind, values in sorted(seen.seconds.items())
        },
        "cpu": {kind: float(np.median(values)) for kind, values in sorted(seen.cpu.items())},
        "p50_click": float(np.median(clicks)) if clicks else None,
        "p95_click": float(np.percentile(clicks, 95)) if clicks else None,
        "failures": seen.failures,
        "server_cpu_share": theirs / took,
        "client_cpu_share": own / took,
        "before": before,
        "during": during,
        "after": left,
        "megabytes_kept": left["megabytes"] - before["megabytes"],
    }


async def _round(apps: Sequence[App], count: int, seconds: float) -> tuple[Seen, dict[str, float]]:
    """``count`` visitors for ``seconds``, who come one after another during the first tenth of it."""
    seen, during = Seen(), _state(apps)
    stop = time.monotonic() + seconds
    visitors = [
        asyncio.create_task(_visitor(apps[number % len(apps)], number, count, stop, seconds / 10, seen))
        for number in range(count)
    ]
    while not all(task.done() for task in visitors):
        await asyncio.sleep(0.5)
        during = {name: max(value, during[name]) for name, value in _state(apps).items()}
    return seen, during


async def _hurry(port: int) -> None:
    """One visitor who does everything once, without a pause."""
    visit = await Visit.open(port)
    async for _, act in _walk(visit, random.Random(SEED)):
        await act()
    await visit.close()


async def _visitor(app: App, number: int, count: int, stop: float, come: float, seen: Seen) -> None:
    chance = random.Random(f"{SEED} {number}")
    await asyncio.sleep(chance.uniform(0, come) if count > 1 else 0)
    visit: Visit | None = None
    alone = app if count == 1 else None
    try:
        visit = await _timed(seen, alone, "open Home", lambda: Visit.open(app.port))
        while time.monotonic() < stop:
            async for kind, act in _walk(visit, chance):
                await asyncio.sleep(chance.uniform(*PAUSE))
                if time.monotonic() >= stop:
                    break
                await _timed(seen, alone, kind, act)
    except (FerError, OSError) as error:
        seen.failures.append(f"visitor {number}: {error}")
    except Exception as error:  # a connection that broke has a class of its own in each library
        seen.failures.append(f"visitor {number}: {type(error).__name__}: {error}")
    finally:
        if visit is not None:
            await visit.close()


async def _walk(visit: Visit, chance: random.Random) -> AsyncIterator[tuple[str, Callable[[], Awaitable[Any]]]]:
    """What one visitor does, step by step. Steps are made when they are due: they depend on what the page shows."""
    yield "open Home", lambda: visit.show("")
    yield "open Compare", lambda: visit.show("compare")
    for view in ("Agreement", "Difference", "Matrices"):
        yield "click Compare", lambda view=view: visit.choose("view", view)  # type: ignore[misc]
    yield "open Mistakes", lambda: visit.click("confusion-", lambda cells: chance.choice(_mistaken(cells)))
    yield "click Mistakes", lambda: visit.click("mistakes-sheet", chance.choice)
    yield "click Mistakes", lambda: visit.press("step-Next")
    yield "click Mistakes", lambda: visit.press("step-Next")
    yield "open Explain", lambda: visit.show("explain")
    yield "click Explain", lambda: visit.press("explain-shuffle")
    yield "click Explain", lambda: visit.press("explain-shuffle")


def _mistaken(cells: list[list[Any]]) -> list[list[Any]]:
    """The cells of a confusion matrix, ``[true, answer, faces, …]``, that hold mistakes."""
    return [cell for cell in cells if cell[0] != cell[1] and cell[2]]


async def _timed(seen: Seen, alone: App | None, kind: str, act: Callable[[], Awaitable[Any]]) -> Any:
    before, began = _cpu(alone) if alone else 0.0, time.perf_counter()
    result = await act()
    seen.seconds[kind].append(time.perf_counter() - began)
    if alone:
        await asyncio.sleep(0.2)  # what the server still does for it, such as sending
        seen.cpu[kind].append(_cpu(alone) - before)
    return result


def _cpu(app: App) -> float:
    times = app.process.cpu_times()
    return float(times.user + times.system)


def _state(apps: Sequence[App]) -> dict[str, float]:
    """Of all processes together."""
    every = [one.process for one in apps]
    return {
        "megabytes": sum(one.memory_info().rss for one in every) / 1e6,
        "threads": float(sum(one.num_threads() for one in every)),
        "handles": float(sum(one.num_fds() if hasattr(one, "num_fds") else one.num_handles() for one in every)),
    }


def report(result: dict[str, Any]) -> str:
    """The machine, a table of the rounds, what each page costs, and which goals are missed."""
    rounds: Sequence[dict[str, Any]] = result["rounds"]
    head = [
        "visitors",
        "p50 of a click (s)",
        "p95",
        "failures",
        "server CPU",
        "client CPU",
        "MB before",
        "most",
        "after",
        "threads",
        "handles",
    ]
    rows = [
        [
            str(one["visitors"]),
            *("-" if one[key] is None else f"{one[key]:.2f}" for key in ("p50_click", "p95_click")),
            str(len(one["failures"])),
            *(f"{100 * one[key]:.0f} %" for key in ("server_cpu_share", "client_cpu_share")),
            *(f"{one[when]['megabytes']:.0f}" for when in ("before", "during", "after")),
            *(
                "/".join(f"{one[when][what]:.0f}" for when in ("before", "during", "after"))
                for what in ("threads", "handles")
            ),
        ]
        for one in rounds
    ]
    servers = f"{result['servers']} processes of the app" if result["servers"] > 1 else "1 process of the app"
    parts = [machine_text(result["machine"]), servers, table(head, rows)]
    kinds = sorted({kind for one in rounds for kind in one["kinds"]})
    if kinds:
        cells = [
            [
                kind,
                *(_cell(one["kinds"].get(kind)) for one in rounds),
                *(f"{one['cpu'][kind]:.2f}" for one in rounds if kind in one["cpu"]),
            ]
            for kind in kinds
        ]
        alone = ["CPU s (1 visitor)"] if any(one["cpu"] for one in rounds) else []
        parts.append(
            "Seconds, p50 / p95, by number of visitors:\n\n"
            + table(["", *(str(one["visitors"]) for one in rounds), *alone], cells)
        )
    missed = [
        f"{one['visitors']} visitors: {what}"
        for one in rounds
        for what, bad in (
            (f"p95 of a click {one['p95_click'] or 0:.2f} s", (one["p95_click"] or 0) > GOALS["p95_click"]),
            (f"{len(one['failures'])} failures ({'; '.join(one['failures'][:2])})", bool(one["failures"])),
            (f"{one['megabytes_kept']:.0f} MB kept", one["megabytes_kept"] > GOALS["megabytes_kept"]),
            *(
                (f"{kind} takes {value:.2f} CPU s", value > CPU_GOALS[kind.split()[0]])
                for kind, value in one["cpu"].items()
            ),
        )
        if bad
    ]
    parts.append("Missed: " + "; ".join(missed) + "." if missed else "Every goal is met.")
    return "\n\n".join(parts)


def _cell(figure: dict[str, float] | None) -> str:
    return "-" if figure is None else f"{figure['p50']:.2f} / {figure['p95']:.2f}"


if __name__ == "__main__":
    sys.exit(main())
