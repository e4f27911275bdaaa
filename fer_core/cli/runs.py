"""``runs``: which runs there are, and what each is doing."""

from __future__ import annotations

import argparse
from typing import Any

from fer_core.cli import add_json_option
from fer_core.emotions import PRIVATE_TEST
from fer_core.formatting import interval, percent
from fer_core.runs.contracts import RunState


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "runs",
        help="list the runs, or show one",
        description="List every run, shipped and trained, with its state and its PrivateTest accuracy; or show one.",
    )
    parser.add_argument("name", metavar="RUN", nargs="?", help="name of a run, or its folder")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    return _one(args.name) if args.name else _all()


def _all() -> tuple[dict[str, Any], str]:
    from fer_core.runs.listing import list_runs
    from fer_core.training.jobs import status

    entries = []
    for info in list_runs():
        state = status(info.path).state if info.state == RunState.UNFINISHED else info.state
        metrics = info.folder.metrics() if info.complete else None
        scores = (metrics or {}).get("splits", {}).get(PRIVATE_TEST)
        entries.append(
            {
                "name": info.name,
                "title": info.title,
                "folder": str(info.path),
                "shipped": info.shipped,
                "architecture": info.architecture,
                "state": state,
                "problem": info.problem,
                "data": metrics["data"]["title"] if metrics else info.data["title"] if info.data else "",
                "private_test": scores
                and {key: scores[key] for key in ("n", "accuracy", "accuracy_low", "accuracy_high")},
            }
        )
    if not entries:
        return {"runs": []}, "No runs yet. Train one: python -m fer_core train custom_cnn --data datasets/sample"
    return {"runs": entries}, "\n".join(_line(entry) for entry in entries)


def _line(entry: dict[str, Any]) -> str:
    scores = entry["private_test"]
    if entry["problem"]:
        figure = entry["problem"]
    elif scores:
        figure = (
            f"{percent(scores['accuracy'])} ({interval(scores)}) on "
            f"{scores['n']:,} {PRIVATE_TEST} faces of {entry['data']}"
        )
    else:
        figure = "not evaluated"
    return f"{entry['name']}  [{entry['state']}{', shipped' if entry['shipped'] else ''}]  {figure}"


def _one(name: str) -> tuple[dict[str, Any], str]:
    from fer_core.runs.card import card_of
    from fer_core.runs.listing import find_run
    from fer_core.training.jobs import status

    folder = find_run(name)
    now = status(folder.path)
    result = {
        "folder": str(folder.path),
        "state": now.state,
        "message": now.message,
        "resumable": now.resumable,
        "progress": now.progress,
        **({"vote": folder.vote()} if folder.is_vote else {"recipe": folder.recipe().to_dict()}),
        "manifest": folder.manifest(),
        "metrics": folder.metrics(),
    }
    card = card_of(folder) if folder.complete else "No card yet: the run is not complete."
    return result, "\n".join([now.message, "", card])
