"""What to do about rare classes: nothing, class weights, or balanced sampling, compared on PublicTest alone.

    python benchmarks/class_imbalance.py --data datasets/fer2013 --out /tmp/imbalance
    python benchmarks/class_imbalance.py --data datasets/fer2013 --out /tmp/whole --recipe models/custom_cnn/recipe.json

Trains the same recipe (the augmented custom CNN's shortened, or the one you name) once for each treatment and prints
accuracy, macro F1 and the recall of disgust, the rarest class, for the epoch that is best on PublicTest. PrivateTest is
never read. Started again with the same ``--out``, it goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common import finish, progress, table
from fer_core.data.dataset import load_dataset
from fer_core.emotions import NAMES
from fer_core.errors import FerError
from fer_core.files import write_json
from fer_core.runs.events import best_of
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import epochs_of
from fer_core.runs.recipe import Recipe
from fer_core.stats.metrics import per_class
from fer_core.training.presets import preset

TREATMENTS: dict[str, dict[str, str]] = {
    "plain": {},
    "class weights, square root": {"class_weights": "sqrt"},
    "class weights, balanced": {"class_weights": "balanced"},
    "balanced sampling": {"sampling": "balanced"},
}
RAREST = NAMES.index("disgust")
SHORT = 6
"""Epochs without ``--recipe``: a quick look. A whole training tells another story."""


def train(recipe: Recipe, data: Path, out: Path) -> dict[str, Any]:
    """Train one treatment (or go on with it) and return the figures of its best epoch.

    Raises ``FerError`` if ``out`` holds a training with another recipe.
    """
    folder = RunFolder(out)
    begun = folder.recipe() if folder.recipe_path.exists() else None
    if begun is not None and begun != recipe.with_precision(begun.precision):
        raise FerError(f"{out} was begun with another recipe. Choose another --out, or the settings of before.")

    import keras

    from fer_core.training.build import choose_precision
    from fer_core.training.loop import Trainer

    recipe = begun or recipe.with_precision(choose_precision(recipe)[0])
    if begun is None:
        out.mkdir(parents=True)
        write_json(folder.recipe_path, recipe.to_dict())
    if len(folder.history()) < recipe.epochs:
        keras.backend.clear_session()
        Trainer(folder, recipe, load_dataset(data)).run("measured before the first treatment")
    return figures(folder)


def figures(folder: RunFolder) -> dict[str, Any]:
    """Accuracy, macro F1 and recall of the rarest class on PublicTest, from the journal's best epoch."""
    epochs = epochs_of(folder.events())
    best = best_of(epochs)
    assert best is not None
    confusion = np.array(best["confusion"])
    classes = per_class(confusion)
    return {
        "epoch": best["epoch"],
        "epochs": len(epochs),
        "accuracy": best["val_accuracy"],
        "macro_f1": float(np.mean([entry["f1"] for entry in classes if entry["f1"] is not None])),
        "disgust_recall": classes[RAREST]["recall"],
        "disgust_precision": classes[RAREST]["precision"],
        "disgust_faces": int(confusion[RAREST].sum()),
        "seconds": sum(event["seconds"] for event in epochs),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="dataset folder")
    parser.add_argument("--out", type=Path, required=True, help="folder for the trainings; kept, so that it can resume")
    parser.add_argument("--recipe", type=Path, help="recipe.json to start from (default: the augmented custom CNN's)")
    parser.add_argument("--epochs", type=int, help=f"default {SHORT}, or those of --recipe")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=TREATMENTS, action="append", help="this treatment only; may be repeated")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    return finish(lambda: measure(args), as_json=args.json)


def measure(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Train every treatment. Returns the figures and the table for people. Raises ``FerError`` for wrong settings."""
    start = Recipe.read(args.recipe) if args.recipe else preset("serious", "custom_cnn_augmented")
    epochs = args.epochs
    if epochs is None:
        epochs = start.epochs if args.recipe else SHORT
    start = replace(start, epochs=epochs, seed=args.seed).validate()
    results = {}
    for name in args.only or TREATMENTS:
        folder = args.out / name.replace(",", "").replace(" ", "-")
        results[name] = train(replace(start, **TREATMENTS[name]), args.data, folder)  # type: ignore[arg-type]
        progress(f"{name}: done")
    rows = [
        [
            name,
            f"{100 * found['accuracy']:.1f} %",
            f"{found['macro_f1']:.3f}",
            f"{found['disgust_recall']:.2f} (n = {found['disgust_faces']})",
            f"{found['disgust_precision']:.2f}",
            f"{found['seconds'] / 60:.1f}",
        ]
        for name, found in results.items()
    ]
    head = ["treatment", "accuracy", "macro F1", "disgust recall", "disgust precision", "minutes"]
    text = f"{start.title}, PublicTest, best of {epochs} epochs, seed {args.seed}\n\n{table(head, rows)}"
    return {"recipe": start.to_dict(), "epochs": epochs, "seed": args.seed, "treatments": results}, text


if __name__ == "__main__":
    sys.exit(main())
