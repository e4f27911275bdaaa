"""``train``: train a model, watch it, resume it."""

from __future__ import annotations

import argparse
import json
import os
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fer_core.cli import add_json_option
from fer_core.cli.arguments import label, new_folder, real, some, some_path, whole
from fer_core.cli.evaluate import metrics_text
from fer_core.cli.terminal import one_line, whisper
from fer_core.errors import RecipeError
from fer_core.formatting import percent
from fer_core.runs.events import Event
from fer_core.runs.folder import RunFolder, new_run_dir
from fer_core.runs.recipe import RANGES, Recipe
from fer_core.value_types import JsonObject

EPILOG = """\
examples:
  python -m fer_core train custom_cnn --data datasets/sample --epochs 5
  python -m fer_core train custom_cnn_augmented --data datasets/fer2013 --preset serious
  python -m fer_core train tiny --data datasets/fer2013 --preset serious --teachers resnet50 vgg16
  python -m fer_core train tiny --data datasets/fer2013 --preset serious --set labels=crowd   (FER+'s vote shares)
  python -m fer_core train --recipe models/custom_cnn/recipe.json --data datasets/fer2013
  python -m fer_core train custom_cnn_augmented --data datasets/fer2013 --twin
  python -m fer_core train --resume runs/my-run

While it trains: a file called "pause" in the run folder pauses it, one called "stop" stops it after the current
batch. The best epoch on PublicTest is kept either way.
"""


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "train",
        help="train a model into a run folder",
        description="Train a model into a run folder.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=some_path, help="dataset folder; see: data import")
    parser.add_argument("--run-dir", type=new_folder, help="new folder for the run (default: runs/<name>-<time>)")
    parser.add_argument("--resume", type=some_path, metavar="RUN", help="go on with a stopped, failed or killed run")
    parser.add_argument("--name", type=label, help="what people read in the app")
    add_choices(parser)
    parser.add_argument(
        "--twin",
        action="store_true",
        help="then train its twin, the same recipe and seed with augmentation off (or on, where it is off), and say "
        "what augmentation gained. With --resume: also of a run that is done",
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def add_choices(parser: argparse.ArgumentParser) -> None:
    """The options that make a recipe, for :func:`chosen_recipe`."""
    parser.add_argument("architecture", nargs="?", type=some, help="for example custom_cnn; see: architectures")
    parser.add_argument(
        "--preset", type=some, default="quick", help="recipe to start from: minute, quick (default), serious"
    )
    parser.add_argument("--recipe", type=some_path, help="train this recipe.json again, instead of a preset")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change one choice of the recipe, for example --set learning_rate=0.001 --set augmentation.flip=true",
    )
    for name, kind, text in (
        ("epochs", whole(*map(int, RANGES["epochs"])), "times through the training faces"),
        ("batch-size", whole(*map(int, RANGES["batch_size"])), "faces per step"),
        ("learning-rate", real(*RANGES["learning_rate"]), "highest learning rate"),
        ("seed", whole(*map(int, RANGES["seed"])), "seed of everything random"),
        ("initial-weights", some, "transfer models: imagenet, none, or a local weights file"),
    ):
        parser.add_argument(f"--{name}", type=kind, help=text)
    parser.add_argument(
        "--teachers",
        nargs="+",
        type=some,
        metavar="RUN",
        help="runs whose answers for the training faces are mixed into the labels (distillation); how much: "
        "--set soft_weight=0.5. Teachers trained with --set folds=3 --set fold=1 (2, 3) label what they left out",
    )


def run(args: argparse.Namespace) -> tuple[JsonObject, str]:
    from fer_core.evaluation.training_run import train, train_twin
    from fer_core.memory import stay_moderate
    from fer_core.training.scheduled import end_with_the_engine
    from fer_core.training.twins import unfinished_twin

    end_with_the_engine()
    stay_moderate()
    if args.resume:
        folder = _go_on(args)
    else:
        recipe = chosen_recipe(args)
        if args.data is None:
            raise RecipeError("say which faces to train on: --data FOLDER. See: python -m fer_core data import -h")
        target = args.run_dir or new_run_dir(recipe.architecture, recipe.name)
        with _Narrator(target):
            folder = train(recipe, args.data, target, twin=args.twin)
    result, text = _outcome(folder)
    if twin := unfinished_twin(folder):
        whisper(f"now its twin, {one_line(twin.recipe().title)}")
        with _Narrator(twin.path):
            train_twin(folder, args.data)
        theirs, about = _outcome(twin)
        return _compared(folder, twin, {**result, "twin": theirs}, f"{text}\n\n{about}")
    return result, text


def _go_on(args: argparse.Namespace) -> RunFolder:
    """The run after it was resumed; one that is done, as it is, where only its twin is asked for."""
    from fer_core.evaluation.training_run import resume
    from fer_core.runs.listing import find_run
    from fer_core.training import twins
    from fer_core.training.resume_state import remembered_data

    folder = find_run(args.resume)
    if args.twin and twins.may_follow(folder):
        twins.prepare(folder, args.data or remembered_data(folder))
        return folder
    if args.twin and twins.unfinished_twin(folder):
        return folder
    with _Narrator(folder.path):
        return resume(folder.path, args.data, twin=args.twin)


def _outcome(folder: RunFolder) -> tuple[JsonObject, str]:
    metrics = folder.metrics()
    result = {"run": str(folder.path), "complete": folder.complete, "metrics": metrics}
    if metrics is None:
        return result, f"Stopped before the first epoch ended. Resume with: train --resume {one_line(folder.path)}"
    return result, f"{metrics_text(metrics)}\nRun folder: {one_line(folder.path)}"


def _compared(first: RunFolder, twin: RunFolder, result: JsonObject, text: str) -> tuple[JsonObject, str]:
    """What augmentation gained, added; nothing where one of the two has no figures."""
    from fer_core.review.twins import compare_twins

    if not (first.complete and twin.complete):
        return result, text
    found = compare_twins(first, twin)
    return {**result, "augmentation": asdict(found)}, f"{text}\n\n{found.sentence()}"


def chosen_recipe(args: argparse.Namespace) -> Recipe:
    """The recipe that the options of :func:`add_choices` ask for. Raises ``RecipeError`` where that is none."""
    from fer_core.training.presets import preset
    from fer_core.zoo.backend import VARIABLE, preferred

    if args.recipe:
        recipe = Recipe.read(args.recipe)
    elif args.architecture:
        recipe = preset(args.preset, args.architecture)
    else:
        raise RecipeError(f"name an architecture, or give --recipe. See: python -m fer_core {args.command} -h")
    changes = {
        name: value
        for name in ("epochs", "batch_size", "learning_rate", "seed", "name", "initial_weights")
        if (value := getattr(args, name, None)) is not None
    }
    if os.environ.get(VARIABLE):
        changes["backend"] = preferred()
    if args.teachers:
        changes["teachers"] = tuple(args.teachers)
    if "epochs" in changes:
        # A shorter training than the preset's shortens its stages with it.
        changes["warmup_epochs"] = min(recipe.warmup_epochs, changes["epochs"] / 2)
        changes["frozen_epochs"] = min(recipe.frozen_epochs, changes["epochs"] // 2)
        changes["start_epochs"] = min(recipe.start_epochs, changes["epochs"] - 1)
    values = dict(replace(recipe, **changes).to_dict())
    for assignment in args.set:
        _assign(values, assignment)
    return Recipe.from_dict(values).validate()


def _assign(values: dict[str, Any], assignment: str) -> None:
    key, found, text = assignment.partition("=")
    if not found:
        raise RecipeError(f"--set {assignment}: write KEY=VALUE, for example --set epochs=10")
    target, _, name = key.rpartition(".")
    try:
        value = json.loads(text)
    except ValueError:
        value = text  # a plain word needs no quotes
    if target and not isinstance(values.get(target), dict):
        raise RecipeError(f"--set {assignment}: the recipe has no {target!r} with choices in it.")
    (values[target] if target else values)[name] = value


class _Narrator:
    """Tells the journal's news on standard error while the training runs in the main thread."""

    def __init__(self, run_dir: Path) -> None:
        self.path = run_dir / "events.jsonl"
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._report, daemon=True)

    def __enter__(self) -> None:
        self.reported = len(self._news())
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()

    def _news(self) -> list[Event]:
        """All events but those of batches, which are not told, and most of which go when the run is complete."""
        from fer_core.runs.journal import read_events

        return [event for event in read_events(self.path) if event["event"] != "batch"]

    def _report(self) -> None:
        finished = False
        while not finished:
            finished = self.done.wait(0.5)
            events = self._news()
            for event in events[self.reported :]:
                if text := _sentence(event):
                    whisper(one_line(text))
            self.reported = len(events)


def _sentence(event: Event) -> str:
    if event["event"] == "phase":
        detail = event.get("detail")
        return f"{event['name']}: {detail}" if detail else event["name"]
    if event["event"] == "start":
        return (
            f"{event.get('train_faces', 0):,} faces, {event['steps']} batches an epoch, {event.get('precision')} "
            f"({event.get('precision_reason')})"
        )
    if event["event"] == "epoch":
        return (
            f"epoch {event['epoch']}: loss {event['loss']:.4f}, accuracy {percent(event['accuracy'])}, PublicTest loss "
            f"{event['val_loss']:.4f}, accuracy {percent(event['val_accuracy'])}, {event['seconds']:.0f} s, "
            f"{event['images_per_second']:.0f} images/s"
        )
    return event["event"] if event["event"] in ("paused", "resumed", "stopped") else ""
