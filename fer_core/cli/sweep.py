"""``sweep``: train one recipe with many choices, on this computer or a cluster."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from fer_core.cli import add_json_option
from fer_core.cli.arguments import real, some, some_path, whole
from fer_core.cli.terminal import one_line, whisper
from fer_core.cli.train import add_choices, chosen_recipe
from fer_core.errors import PartlyDoneError
from fer_core.formatting import percent
from fer_core.value_types import JsonObject

if TYPE_CHECKING:
    from fer_core.sweeps.folder import Sweep
    from fer_core.sweeps.standing import SweepStanding, TrialStanding

DEFAULT_ARCHITECTURE = "custom_cnn"

EPILOG = """\
examples:
  python -m fer_core sweep start rates custom_cnn --data datasets/sample --grid learning_rate=0.0003,0.001,0.003
  python -m fer_core sweep start turns custom_cnn --data datasets/fer2013 --grid learning_rate=0.001,0.002 \\
      --grid augmentation.rotation=0,10,20 --seeds 3 --stopper asha
  python -m fer_core sweep status rates
  python -m fer_core sweep stop rates
  python -m fer_core sweep resume rates

Each combination of the grid is an ordinary run, once for each seed. Starting needs Ray: pip install -r
requirements-ray.txt. FER_EXPLORER_CLUSTER=host:port sends the trials to a cluster whose computers share the home.
"""


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "sweep",
        help="train one recipe with many choices",
        description="Train one recipe with many choices: each combination is a run like any other.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", metavar="start|status|stop|resume", required=True)
    start = actions.add_parser("start", help="start a new sweep, and stay until it ends")
    start.add_argument("sweep", metavar="NAME", type=some, help="small letters, digits and hyphens")
    add_choices(start)
    start.add_argument("--data", type=some_path, required=True, help="dataset folder; see: data import")
    start.add_argument(
        "--grid",
        action="append",
        default=[],
        metavar="KEY=VALUE,VALUE",
        help="values of one choice of the recipe, for example --grid augmentation.rotation=0,10; may be given again",
    )
    start.add_argument("--seeds", type=whole(1, 100), default=1, help="trials of each combination (default: 1)")
    start.add_argument(
        "--stopper", choices=("none", "asha"), default="none", help="asha stops trials early that fall behind"
    )
    start.add_argument(
        "--cpus-per-trial", type=real(0.1, 1024), default=1.0, metavar="N", help="processors a trial uses (default: 1)"
    )
    start.add_argument(
        "--gpus-per-trial", type=real(0, 64), default=0.0, metavar="F", help="graphics cards a trial uses (default: 0)"
    )
    add_json_option(start)
    start.set_defaults(run=_start)
    for action, text, run in (
        ("status", "show how a sweep stands, or all of them", _status),
        ("stop", "stop a running sweep; its trials are evaluated", _stop),
        ("resume", "go on with a sweep that was stopped or killed", _resume),
    ):
        one = actions.add_parser(action, help=text)
        one.add_argument("sweep", metavar="NAME", type=some, nargs="?" if action == "status" else None)
        add_json_option(one)
        one.set_defaults(run=run)


def _start(args: argparse.Namespace) -> tuple[JsonObject, str]:
    from fer_core.cluster.engine import require_ray
    from fer_core.sweeps.contracts import Stopper
    from fer_core.sweeps.folder import Plan, create
    from fer_core.sweeps.grid import parse_grid

    if not args.architecture and not args.recipe:
        args.architecture = DEFAULT_ARCHITECTURE
    plan = Plan(
        name=args.sweep,
        recipe=chosen_recipe(args),
        grid=parse_grid(args.grid),
        data=args.data,
        seeds=args.seeds,
        stopper=Stopper(args.stopper),
        cpus_per_trial=args.cpus_per_trial,
        gpus_per_trial=args.gpus_per_trial,
    )
    plan.check()
    require_ray()
    return _driven(create(plan))


def _resume(args: argparse.Namespace) -> tuple[JsonObject, str]:
    from fer_core.sweeps.folder import find_sweep

    return _driven(find_sweep(args.sweep))


def _driven(sweep: Sweep) -> tuple[JsonObject, str]:
    from fer_core.cluster.sweep import drive
    from fer_core.sweeps.standing import TrialState, standing

    drive(sweep, lambda text: whisper(one_line(text)))
    now = standing(_again(sweep))
    result, text = _entry(now), _text(now)
    bad = {TrialState.FAILED, TrialState.DAMAGED}
    if not sweep.stop_path.exists():
        bad.add(TrialState.INTERRUPTED)  # killed again and again
    if failed := [trial for trial in now.trials if trial.state in bad]:
        raise PartlyDoneError([f"{trial.run}: {trial.message}" for trial in failed], result, text)
    return result, text


def _again(sweep: Sweep) -> Sweep:
    from fer_core.sweeps.folder import read_sweep

    return read_sweep(sweep.path)


def _stop(args: argparse.Namespace) -> tuple[JsonObject, str]:
    from fer_core.sweeps.folder import find_sweep

    sweep = find_sweep(args.sweep)
    sweep.ask_to_stop()
    return {"sweep": sweep.name, "stopping": True}, (
        f"{sweep.name} stops: its running trials end after the current batch, and their best epochs are evaluated."
    )


def _status(args: argparse.Namespace) -> tuple[JsonObject, str]:
    from fer_core.sweeps.folder import find_sweep, list_sweeps
    from fer_core.sweeps.standing import counted, standing

    if args.sweep:
        now = standing(find_sweep(args.sweep))
        return _entry(now), _text(now)
    sweeps, problems = list_sweeps()
    all_now = [standing(sweep) for sweep in sweeps]
    lines = [f"{now.sweep.name}  [{now.state}]  {counted(now)}" for now in all_now]
    result: JsonObject = {"sweeps": [_entry(now) for now in all_now]}
    text = "\n".join(lines) or "No sweeps yet. Start one: python -m fer_core sweep start -h"
    if problems:
        raise PartlyDoneError(problems, result, text)
    return result, text


def _entry(now: SweepStanding) -> dict[str, Any]:
    ranked = now.ranked()
    return {
        "sweep": now.sweep.name,
        "folder": str(now.sweep.path),
        "state": now.state,
        "best": ranked[0].run if ranked else None,
        "flattered_by": now.flattered,
        "trials": [_trial(trial) for trial in now.trials],
    }


def _trial(trial: TrialStanding) -> JsonObject:
    best = trial.best
    return {
        "run": trial.run,
        "settings": trial.settings,
        "seed": trial.seed,
        "state": trial.state,
        "epochs": len(trial.epochs),
        "planned": trial.planned,
        "public_test": None if best is None else {"n": trial.faces, "accuracy": best.accuracy},
        "best_epoch": None if best is None else best.epoch,
        "message": trial.message,
    }


def _text(now: SweepStanding) -> str:
    from fer_core.sweeps.grid import words
    from fer_core.sweeps.standing import best_in_words, counted

    ranked = now.ranked()
    lines = [f"{now.sweep.name} is {now.state}. {counted(now)}", ""]
    judged = {trial.run for trial in ranked}
    for trial in [*ranked, *(trial for trial in now.trials if trial.run not in judged)]:
        accuracy = trial.accuracy
        figure = "     -" if accuracy is None else percent(accuracy)
        what = words({**trial.settings, "seed": trial.seed})
        lines.append(
            one_line(f"{figure:>7}  {trial.run}  [{trial.state}, {len(trial.epochs)}/{trial.planned}]  {what}")
        )
    return "\n".join([*lines, "", best_in_words(now)])
