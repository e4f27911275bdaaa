"""The most memory that importing, training and measuring hold with many faces: 500,000, a few drawn ones over and over.

    python benchmarks/many_faces.py
    python benchmarks/many_faces.py --faces 60000 --stages training evaluation

Writes a dataset into a temporary folder (1.2 GB for 500,000 faces), one face in 25 a test face, the rest Training. Each
stage runs in a child process of its own. Told are the peak of its resident memory (RSS), and of the part of it that is
its own (anonymous): the rest are pages of files, some 370 MB of which are TensorFlow's libraries, which the system
takes back when it needs them. Each stage also runs with 15,000 faces, which fill every batch: what is more with more
faces is what their number adds, told as MB for each 100,000.

- **libraries**: TensorFlow is imported and a model opened, nothing else: below that no training can be;
- **import**: a dataset is written, batch by batch;
- **training**: every batch of an epoch is gathered and augmented; the network learns from ``--steps`` of them;
- **evaluation**: ``model.keras`` predicts the test faces, which are scored; embeddings of all faces are compared;
- **measuring**: the same with LiteRT alone, as the app does it in the background;
- **duplicates**: all pairs of faces are compared, once for a dataset. With 500,000 faces this takes an hour and more.

How long it takes says little here; memory does not depend on what else the machine does. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from benchmarks.common import finish, machine, machine_text, progress, run_child, table
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST, TRAINING
from fer_core.errors import FerError

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset

GOAL = 1e9
"""Bytes of memory of its own that a stage may hold."""
EVERY_S = 0.02
ONE_TEST_FACE_IN = 25
STAGE_SECONDS = 4 * 3600
"""On a machine that does other things, too."""
STAGES = ("libraries", "import", "training", "evaluation", "measuring", "duplicates")
MODEL = "custom_cnn"
BATCH_SIZE = 64
BLOCK = 10_000
FEWEST = 1000
BASE = 15_000
"""Faces of which 300 are in each test split: more than a batch, so that no batch is larger where there are more."""
STEPS = 40


def write_faces(out: Path, count: int) -> None:
    """A dataset of ``count`` faces: 2,100 drawn ones in all, again and again, each time with other noise on top."""
    from fer_core.data.sample import draw_sample
    from fer_core.data.writer import DatasetWriter

    drawn = draw_sample()
    with DatasetWriter(out, kind="folder", source="drawn again and again", title="Many faces") as writer:
        writer.expect(count)
        for start in range(0, count, BLOCK):
            rows = np.arange(start, min(start + BLOCK, count))
            noise = np.random.default_rng(start).integers(0, 16, (len(rows), 48, 48), dtype=np.uint8)
            splits = np.where(rows % ONE_TEST_FACE_IN, TRAINING, PRIVATE_TEST)
            splits[rows % (2 * ONE_TEST_FACE_IN) == 0] = PUBLIC_TEST
            of = rows % len(drawn.images)
            writer.add(drawn.images[of] // 2 + noise, drawn.labels[of], splits)


def measure_memory(count: int, stages: tuple[str, ...], steps: int) -> dict[str, Any]:
    """Peak bytes of each stage. Raises ``FerError`` for fewer than :data:`FEWEST` faces, or where a stage fails."""
    if count < FEWEST:
        raise FerError(f"--faces must be at least {FEWEST:,}.")
    if steps < 1:
        raise FerError("--steps must be at least 1.")
    about = machine()
    with tempfile.TemporaryDirectory(prefix="many-faces-") as folder:
        figures = []
        for faces in dict.fromkeys((min(BASE, count), count)):
            data = Path(folder) / "datasets" / str(faces)
            # The import is measured whenever it is made.
            for stage in dict.fromkeys(("import", *stages)):
                progress(f"Measuring {stage} with {faces:,} faces")
                task = {"stage": stage, "home": folder, "data": str(data), "faces": faces, "steps": steps}
                figures.append({"stage": stage, "faces": faces, **run_child(__file__, task, seconds=STAGE_SECONDS)})
                # Each takes long: what was measured must not be lost with a later one that fails.
                progress(f"{stage}: {figures[-1]['own'] / 1e6:.0f} MB of its own")
    return {"machine": about, "figures": figures, "goal": GOAL}


def report(result: dict[str, Any]) -> str:
    """The table, with whether each stage stays below :data:`GOAL`, and what the number of faces adds."""
    fewest = {one["stage"]: one for one in reversed(result["figures"])}
    rows = [
        [
            one["stage"],
            f"{one['faces']:,}",
            f"{one['faces'] * 48 * 48 / 1e6:.0f}",
            f"{one['own'] / 1e6:.0f}",
            "met" if one["own"] < result["goal"] else "missed",
            f"{one['resident'] / 1e6:.0f}",
            _slope(fewest[one["stage"]], one),
        ]
        for one in result["figures"]
    ]
    goal = f"under {result['goal'] / 1e6:.0f} MB"
    head = ["stage", "faces", "MB of pixels", "peak MB of its own", goal, "peak MB resident", "own MB for 100,000 more"]
    return f"{machine_text(result['machine'])}\n\n{MODEL}, batches of {BATCH_SIZE}\n\n{table(head, rows)}"


def _slope(few: dict[str, Any], many: dict[str, Any]) -> str:
    more = many["faces"] - few["faces"]
    return f"{(many['own'] - few['own']) / more / 10:.0f}" if more else ""


def child(task: dict[str, Any]) -> dict[str, int]:
    """One stage, in this process. Returns the peaks of its memory in bytes: ``own`` (sampled) and ``resident``."""
    over, own = threading.Event(), [0]

    def watch() -> None:
        while not over.wait(EVERY_S):
            own[0] = max(own[0], _memory("RssAnon"))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    os.environ["FER_EXPLORER_HOME"] = task["home"]
    from fer_core.data.dataset import load_dataset
    from fer_core.memory import stay_moderate

    # As the commands do.
    stay_moderate()
    data, stage = Path(task["data"]), task["stage"]
    if stage == "import":
        write_faces(data, task["faces"])
    elif stage == "libraries":
        _open_libraries()
    elif stage == "training":
        _train(load_dataset(data), task["steps"])
    elif stage == "evaluation":
        _evaluate(load_dataset(data), Path(task["home"]))
    elif stage == "measuring":
        _measure(load_dataset(data))
    else:
        _compare_all(load_dataset(data))
    over.set()
    watcher.join()
    return {"own": own[0], "resident": _memory("VmHWM")}


def _memory(key: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith(key)).split()[1]) * 1024


def _open_libraries() -> None:
    from fer_core.runs.listing import find_run
    from fer_core.zoo.keras_model import load_keras, predict

    predict(load_keras(find_run(MODEL).keras_path), np.zeros((1, 48, 48), np.uint8))


def _train(dataset: Dataset, steps: int) -> None:
    from fer_core.runs.folder import RunFolder
    from fer_core.runs.recipe import Augmentation, Recipe
    from fer_core.training.build import build_for_training, compile_stage
    from fer_core.training.loop import Trainer

    augmentation = Augmentation(flip=True, shift=0.1, rotation=10)
    recipe = Recipe(MODEL, epochs=1, batch_size=BATCH_SIZE, precision="float32", augmentation=augmentation)
    trainer = Trainer(RunFolder(dataset.path.parent / "run"), recipe, dataset)
    model = build_for_training(recipe)
    compile_stage(model, recipe, 1)
    every = max(1, len(trainer.batches) // steps)
    for step, (images, targets, weights) in enumerate(trainer.batches.epoch(1)):
        if step % every == 0:
            model.train_on_batch(images, targets, sample_weight=weights)
    trainer._validate(model)


def _evaluate(dataset: Dataset, home: Path) -> None:
    from fer_core.data.face_rows import FaceRows
    from fer_core.evaluation import measure
    from fer_core.evaluation.embeddings import write_embeddings_of
    from fer_core.runs.listing import find_run
    from fer_core.runs.predictions import read_predictions, write_predictions
    from fer_core.zoo.keras_model import load_keras, predict

    model = load_keras(find_run(MODEL).keras_path)
    rows = measure.test_rows(dataset, final=True)
    probabilities = predict(model, FaceRows(dataset.images, rows))
    path = home / "predictions.parquet"
    write_predictions(path, rows, dataset.splits[rows], dataset.labels[rows], probabilities, np.zeros(len(rows), bool))
    write_embeddings_of(home / "embeddings.parquet", dataset, model, rows)
    measure.near_duplicates_of = _no_near_duplicates  # type: ignore[assignment]
    measure.measure(read_predictions(path), dataset, None, {})


def _measure(dataset: Dataset) -> None:
    from fer_core.evaluation import measure, measure_litert
    from fer_core.runs.listing import find_run

    for module in (measure, measure_litert):
        module.near_duplicates_of = _no_near_duplicates  # type: ignore[attr-defined]
    measure_litert.measure_with_litert(find_run(MODEL), dataset)


def _no_near_duplicates(dataset: Dataset, *_: object) -> Any:
    """In place of the comparison of all pairs, which is a stage of its own."""
    from fer_core.data.audit import NearDuplicates

    nothing = np.zeros(len(dataset), dtype=bool)
    return NearDuplicates(nothing, nothing, 0.93)


def _compare_all(dataset: Dataset) -> None:
    from fer_core.data.audit import near_duplicates_of

    near_duplicates_of(dataset)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--faces", type=int, default=500_000, metavar="N", help="faces in all (default: 500000)")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES), help="default: all")
    parser.add_argument(
        "--steps", type=int, default=STEPS, metavar="N", help=f"batches to learn from; all are gathered ({STEPS})"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(child(json.loads(args.child))))
        return 0

    def work() -> tuple[dict[str, Any], str]:
        result = measure_memory(args.faces, tuple(args.stages), args.steps)
        return result, report(result)

    return finish(work, as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
