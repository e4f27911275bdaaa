"""Images per second of our training against plain Keras ``fit`` fed by ``ImageDataGenerator``.

    python benchmarks/training_throughput.py --data datasets/fer2013

Same network (``custom_cnn``), batch size, optimiser, loss, labels and augmentation (mirrored half of the time, ±10 %
shift, ±10° rotation, ±10 % zoom), same machine, one run. Every measurement is a process of its own; variants take
turns, and the order turns around from one repetition to the next, so that a machine that warms up favours nobody.

Plain Keras is measured without XLA, as ours is: on a CPU, XLA makes this network slower.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.common import finish, machine, machine_text, progress, run_child, spread, table  # noqa: E402
from fer_core.errors import FerError  # noqa: E402

if TYPE_CHECKING:
    import keras
    import numpy as np
    import numpy.typing as npt

    from fer_core.runs.recipe import Recipe

VARIANTS = {
    "ours": "ours: pipeline and loop, precision as measured",
    "ours_float32": "ours, in float32",
    "ours_pipeline": "ours: pipeline alone",
    "ours_step": "ours: training step alone",
    "keras": "plain Keras: ImageDataGenerator and fit",
    "keras_pipeline": "plain Keras: ImageDataGenerator alone",
    "keras_step": "plain Keras: training step alone",
}
WARM_UP = 5
"""Batches before the clock starts: the first builds the graph, the next ones fill caches."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="dataset folder, for example datasets/fer2013 or datasets/sample")
    parser.add_argument("--batches", type=int, default=100, help="batches a measurement (default 100)")
    parser.add_argument("--batch-size", type=int, default=64, help="faces a batch (default 64)")
    parser.add_argument("--repeats", type=int, default=3, help="measurements of each variant (default 3)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(_child(json.loads(args.child))))
        return 0
    if args.data is None:
        parser.error("say which faces to train on: --data FOLDER")
    return finish(lambda: measure(args.data, args.batches, args.batch_size, args.repeats), as_json=args.json)


def measure(data: Path, batches: int, batch_size: int, repeats: int) -> tuple[dict[str, Any], str]:
    """Run all variants. Returns the figures (images per second) and the text for people.

    Raises ``FerError`` for settings that measure nothing, or where a measurement fails.
    """
    if min(batches, repeats) < 1 or batch_size < 2:
        raise FerError("--batches and --repeats must be at least 1, --batch-size at least 2.")
    about = machine()
    task = {"data": str(data.resolve()), "batches": batches, "batch_size": batch_size}
    progress("measuring which precision is faster")
    precision, reason = run_child(__file__, {**task, "variant": "precision"})
    figures: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
    for repeat in range(repeats):
        order = list(VARIANTS) if repeat % 2 == 0 else list(reversed(VARIANTS))
        for variant in order:
            progress(f"{repeat + 1} of {repeats}: {VARIANTS[variant]}")
            figures[variant].append(run_child(__file__, {**task, "variant": variant, "precision": precision}))
    result = {
        "machine": about,
        "settings": {"data": data.name, "batches": batches, "batch_size": batch_size, "repeats": repeats},
        "precision": precision,
        "precision_reason": reason,
        "images_per_second": {variant: spread(values) for variant, values in figures.items()},
    }
    result["factor"] = factor(result, "ours", "keras")
    return result, report(result)


def factor(result: dict[str, Any], variant: str, against: str) -> float:
    """How many times as fast one variant is as another, by their medians."""
    speeds = result["images_per_second"]
    return float(speeds[variant]["median"] / speeds[against]["median"])


def report(result: dict[str, Any]) -> str:
    """The table, and what it says."""
    settings, speeds = result["settings"], result["images_per_second"]
    rows = [
        [
            title,
            f"{speeds[variant]['median']:,.0f}",
            f"{speeds[variant]['low']:,.0f}–{speeds[variant]['high']:,.0f}",
            f"{factor(result, variant, 'keras'):.2f}",
        ]
        for variant, title in VARIANTS.items()
    ]
    return "\n".join(
        [
            machine_text(result["machine"]),
            f"{settings['batches']} batches of {settings['batch_size']} faces of {settings['data']}, "
            f"{settings['repeats']} times, custom_cnn; {result['precision']} ({result['precision_reason']})",
            "",
            table(["variant", "images/s (median)", "lowest–highest", "× plain Keras"], rows),
            "",
            f"Ours trains {result['factor']:.2f} times as fast as plain Keras; in float32, which leaves the precision "
            f"out, {factor(result, 'ours_float32', 'keras'):.2f} times.",
        ]
    )


def _child(task: dict[str, Any]) -> Any:
    """One measurement, in images per second; for ``precision`` the policy and its reason."""
    from dataclasses import replace

    from fer_core.data.dataset import load_dataset
    from fer_core.emotions import TRAINING
    from fer_core.runs.recipe import Recipe
    from fer_core.training.presets import AUGMENTATION

    recipe = Recipe("custom_cnn", batch_size=task["batch_size"], augmentation=AUGMENTATION)
    if task["variant"] == "precision":
        from fer_core.training.build import choose_precision

        return choose_precision(recipe)
    dataset = load_dataset(task["data"])
    rows = dataset.rows(TRAINING)
    if len(rows) < recipe.batch_size:
        raise FerError(f"{task['data']} has {len(rows)} Training faces; a batch needs {recipe.batch_size}.")
    images, labels = dataset.images[rows], dataset.labels[rows]
    variant = task["variant"]
    plain = variant in ("ours_float32", "keras", "keras_step")
    recipe = replace(recipe, precision="float32" if plain else task["precision"])
    if variant.startswith("keras"):
        seconds = _keras(variant, recipe, images, labels, task["batches"])
    else:
        seconds = _ours(variant, recipe, images, labels, task["batches"])
    return task["batches"] * recipe.batch_size / seconds


def _ours(
    variant: str, recipe: Recipe, images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int8], batches: int
) -> float:
    """Seconds that ``batches`` batches take in our pipeline, our training step, or both."""
    from fer_core.training.augmentation import Batch, Batches
    from fer_core.training.build import build_for_training, compile_stage
    from fer_core.training.schedule import Plateau, learning_rate

    pipeline = Batches(images, labels, recipe)

    def endless() -> Iterator[Batch]:
        for epoch in count(1):
            yield from pipeline.epoch(epoch)

    source = endless()
    if variant == "ours_pipeline":
        return _clock(lambda: next(source), batches)
    model = build_for_training(recipe)
    compile_stage(model, recipe, recipe.epochs)
    if variant == "ours_step":
        faces, targets, weights = next(source)
        return _clock(lambda: model.train_on_batch(faces, targets, sample_weight=weights), batches)
    plateau, steps = Plateau(), len(pipeline)
    position = count()

    def step() -> None:
        # What the trainer does a batch: the rate of the schedule, the step, its figures as numbers.
        done = next(position)
        rate = learning_rate(recipe, 1 + done // steps % recipe.epochs, (done % steps + 1) / steps, plateau)
        model.optimizer.learning_rate.assign(rate)
        faces, targets, weights = next(source)
        logs = model.train_on_batch(faces, targets, sample_weight=weights, return_dict=True)
        float(logs["loss"])
        float(logs["accuracy"])

    return _clock(step, batches)


def _keras(
    variant: str, recipe: Recipe, images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int8], batches: int
) -> float:
    """Seconds that ``batches`` batches take in plain Keras: generator, training step, or both."""
    import numpy as np

    from fer_core.emotions import COUNT

    smoothing = recipe.label_smoothing
    faces = images[..., None].astype(np.float32)
    targets = (np.eye(COUNT, dtype=np.float32) * (1 - smoothing) + smoothing / COUNT)[labels]
    if variant == "keras_step":
        model = _plain_model(recipe)
        batch = slice(0, recipe.batch_size)
        return _clock(lambda: model.train_on_batch(faces[batch], targets[batch]), batches)
    source = _generator(recipe, faces, targets)
    if variant == "keras_pipeline":
        return _clock(lambda: next(source), batches)
    model = _plain_model(recipe)
    model.fit(source, steps_per_epoch=WARM_UP, epochs=1, verbose=0)
    began = time.perf_counter()
    model.fit(source, steps_per_epoch=batches, epochs=1, verbose=0)
    return time.perf_counter() - began


def _plain_model(recipe: Recipe) -> keras.Model:
    """The network as Keras builds it, compiled with the same optimiser, loss and metric."""
    from fer_core.training.build import build_model, compile_stage

    model = build_model(recipe, precision="float32")
    compile_stage(model, recipe, recipe.epochs)
    return model


def _generator(recipe: Recipe, faces: npt.NDArray[np.float32], targets: npt.NDArray[np.float32]) -> Any:
    """Keras' own augmentation with the recipe's ranges; it needs SciPy. Endless."""
    # Keras 3 has it only under TensorFlow's name for compatibility.
    import tensorflow as tf

    ours = recipe.augmentation
    generator = tf.keras.preprocessing.image.ImageDataGenerator(
        horizontal_flip=ours.flip,
        width_shift_range=ours.shift,
        height_shift_range=ours.shift,
        rotation_range=ours.rotation,
        zoom_range=ours.zoom,
        fill_mode="reflect",
    )
    return generator.flow(faces, targets, batch_size=recipe.batch_size, shuffle=True, seed=recipe.seed)


def _clock(step: Callable[[], Any], batches: int) -> float:
    """Seconds of ``batches`` calls, after the warm-up."""
    for _ in range(WARM_UP):
        step()
    began = time.perf_counter()
    for _ in range(batches):
        step()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
