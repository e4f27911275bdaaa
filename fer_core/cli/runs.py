"""``runs``: which runs there are, and what each is doing."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING, Any

from fer_core.cli import add_json_option
from fer_core.cli.arguments import some
from fer_core.cli.terminal import one_line
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import FerError, RunError
from fer_core.formatting import interval, percent
from fer_core.runs.contracts import BROUGHT, RunState
from fer_core.value_types import JsonObject

if TYPE_CHECKING:
    from fer_core.runs.folder import RunFolder
    from fer_core.runs.listing import ModelInfo
    from fer_core.stats.metrics import Accuracy


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "runs",
        help="list the runs, or show one",
        description="List every run, shipped and trained, with its state and its PrivateTest accuracy; or show one.",
    )
    parser.add_argument("name", metavar="RUN", nargs="?", type=some, help="name of a run, or its folder")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> tuple[JsonObject, str]:
    return _one(args.name) if args.name else _all()


def _all() -> tuple[JsonObject, str]:
    from fer_core.runs.listing import list_runs
    from fer_core.training.lock import worker

    infos = list_runs()
    for info in infos:
        # A first look at all, so that the second, seconds later, is waited for once and not for every run.
        if info.state == RunState.UNFINISHED:
            with contextlib.suppress(RunError):
                worker(info.path)
    entries = [_entry(info) for info in infos]
    if not entries:
        return {"runs": []}, "No runs yet. Train one: python -m fer_core train custom_cnn --data datasets/sample"
    return {"runs": entries}, "\n".join(_line(entry) for entry in entries)


def _entry(info: ModelInfo) -> dict[str, Any]:
    """One run in the list. What cannot be read of it is its problem, and not the list's."""
    from fer_core.training.lock import worker
    from fer_core.training.status import JobState, status

    state: str = info.state
    problem, metrics = info.problem, None
    try:
        if info.state == RunState.UNFINISHED:
            # What a process of before a reboot left looks alive at first.
            worker(info.path, wait=True)
            now = status(info.path)
            state, problem = now.state, now.message if now.state == JobState.DAMAGED else problem
        metrics = info.folder.metrics() if info.complete else None
    except FerError as error:
        state, problem = RunState.DAMAGED, str(error)
    splits = metrics["splits"] if metrics else {}
    scores = splits.get(PRIVATE_TEST)
    return {
        "name": info.name,
        "title": info.title,
        "folder": str(info.path),
        "shipped": info.shipped,
        "architecture": info.architecture,
        "state": state,
        "problem": problem,
        "data": metrics["data"]["title"] if metrics else info.data["title"] if info.data else "",
        "origin": info.origin,
        "private_test": _figure(scores),
        "public_test": _figure(splits.get(PUBLIC_TEST)),
    }


def _figure(scores: Accuracy | None) -> JsonObject | None:
    return scores and {key: scores[key] for key in ("n", "accuracy", "accuracy_low", "accuracy_high")}


def _line(entry: dict[str, Any]) -> str:
    scores = entry["private_test"] or entry["public_test"]
    split = PRIVATE_TEST if entry["private_test"] else PUBLIC_TEST
    if entry["problem"]:
        figure = one_line(entry["problem"])
    elif scores:
        figure = (
            f"{percent(scores['accuracy'])} ({interval(scores)}) on "
            f"{scores['n']:,} {split} faces of {one_line(entry['data'])}"
        )
    else:
        figure = "not evaluated"
    how = ", shipped" if entry["shipped"] else ", brought" if entry["origin"] in BROUGHT else ""
    return f"{one_line(entry['name'])}  [{entry['state']}{how}]  {figure}"


def _made_of(folder: RunFolder) -> dict[str, Any]:
    if folder.is_vote:
        return {"vote": folder.vote()}
    return {"import": folder.import_record()} if folder.is_brought else {"recipe": folder.recipe().to_dict()}


def _one(name: str) -> tuple[JsonObject, str]:
    from fer_core.runs.card import card_of
    from fer_core.runs.listing import find_run
    from fer_core.training.lock import worker
    from fer_core.training.status import JobState, status

    folder = find_run(name)
    worker(folder.path, wait=True)
    now = status(folder.path)
    if now.state == JobState.DAMAGED:
        raise RunError(now.message)
    result = {
        "folder": str(folder.path),
        "state": now.state,
        "message": now.message,
        "resumable": now.resumable,
        "progress": now.progress,
        **_made_of(folder),
        "manifest": folder.manifest(),
        "metrics": folder.metrics(),
    }
    card = card_of(folder) if folder.complete else "No card yet: the run is not complete."
    return result, "\n".join([one_line(now.message), "", card])
