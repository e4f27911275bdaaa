"""Complete run folders in a fraction of a second, for tests that look at runs.

The model inside is the tiny one of ``tests/fixtures/tiny_model``; predictions are drawn at random with a
given accuracy, and every other file follows from them through the project's own writers.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.data.audit import NearDuplicates
from fer_core.emotions import COUNT, PRIVATE_TEST, PUBLIC_TEST, SPLITS, TRAINING
from fer_core.evaluation.scores import score_splits, temperature_scores
from fer_core.files import sha256_of, write_json, write_text
from fer_core.runs.card import write_card
from fer_core.runs.evaluations import (
    FOLDER,
    METRICS,
    PREDICTIONS,
    Evaluation,
    files_record,
    folder_name,
    seal_evaluation,
)
from fer_core.runs.folder import RunFolder, seal
from fer_core.runs.journal import Journal, read_events, write_history
from fer_core.runs.listing import VOTE
from fer_core.runs.predictions import probabilities_of, read_predictions, write_predictions
from fer_core.runs.recipe import Augmentation, Recipe
from fer_core.runs.vote import Member, Vote
from fer_core.stats.calibration import apply_temperature
from fer_core.stats.metrics import confusion_matrix
from fer_core.zoo.describe import Description, LayerRow
from fer_core.zoo.registry import get

if TYPE_CHECKING:
    import pandas as pd

    from fer_core.data.dataset import Dataset

TINY_MODEL = Path(__file__).parent / "fixtures" / "tiny_model"
TINY_MAP_GRID = (6, 6)
CLASS_SHARES = np.array([0.14, 0.04, 0.14, 0.25, 0.17, 0.11, 0.15])
NEIGHBOURS = np.array([4, 0, 4, 6, 2, 2, 4])
"""The class that each class is most often taken for."""


def make_labels(n: int = 420, *, seed: int = 0) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.str_]]:
    """Labels int8 (n,) with every class, and splits str (n,): a third each of the three splits."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(COUNT, size=n, p=CLASS_SHARES)
    labels[: 3 * COUNT] = np.tile(np.arange(COUNT), 3)
    return labels.astype(np.int8), np.array([SPLITS[(i // COUNT) % 3] for i in range(n)], dtype="<U11")


def make_noise(folder: str | Path, *, kind: str = "folder") -> Dataset:
    """420 faces of noise, labelled and split as :func:`make_labels` does; of kind ``sample`` no split is sealed."""
    from fer_core.data.dataset import write_dataset

    labels, splits = make_labels(seed=2013)
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 48, 48), dtype=np.uint8)
    return write_dataset(folder, images, labels, splits, title="Noise", kind=kind)


def make_probabilities(labels: npt.NDArray[Any], accuracy: float, *, seed: int = 0) -> npt.NDArray[np.float32]:
    """Probabilities float32 (n, 7) whose answers are right with probability ``accuracy``.

    Half of the wrong answers name the class's neighbour, the others any class.
    """
    generator = np.random.default_rng(seed)
    labels = np.asarray(labels, dtype=np.int64)
    n = len(labels)
    anything = (labels + generator.integers(1, COUNT, size=n)) % COUNT
    wrong = np.where(generator.random(n) < 0.5, NEIGHBOURS[labels], anything)
    answers = np.where(generator.random(n) < accuracy, labels, wrong)
    values = generator.gamma(1.0, 0.15, size=(n, COUNT))
    values[np.arange(n), answers] = values.max(axis=1) + generator.uniform(0.1, 1.5, size=n)
    return (values / values.sum(axis=1, keepdims=True)).astype(np.float32)


def make_run(
    folder: str | Path,
    *,
    labels: npt.ArrayLike | None = None,
    splits: npt.ArrayLike | None = None,
    rows: npt.ArrayLike | None = None,
    seed: int = 0,
    accuracy: float = 0.6,
    architecture: str = "custom_cnn",
    name: str = "",
    epochs: int = 5,
    state: str = "done",
    data: dict[str, Any] | None = None,
    near_duplicates: NearDuplicates | None = None,
    created: str = "2026-01-02T03:04:05.000+00:00",
) -> RunFolder:
    """Write a complete run folder by the contract of ``docs/ARCHITECTURE.md``; returns it.

    ``labels`` (n,), ``splits`` (n,) and ``rows`` (n,) describe the dataset's faces (default: 420 made-up
    ones; ``rows`` defaults to 0..n-1); only PublicTest and PrivateTest get predictions. ``accuracy`` is what
    the synthetic predictions aim at. ``data`` overrides keys of the manifest's ``data``. ``near_duplicates`` is as
    from :func:`fer_core.data.audit.near_duplicates_of`. ``name`` is the title people read; by default
    the folder's name.
    """
    run = RunFolder(Path(folder))
    run.path.mkdir(parents=True)
    if labels is None or splits is None:
        labels, splits = make_labels(seed=2013)
    true, split = np.asarray(labels, dtype=np.int8), np.asarray(splits, dtype=np.str_)
    row = np.arange(len(true)) if rows is None else np.asarray(rows)
    about = {
        "name": "made_up",
        "title": "Made-up faces",
        "kind": "sample",
        "fingerprint": "0" * 64,
        "faces": len(true),
        **(data or {}),
    }
    recipe = Recipe(architecture=architecture, epochs=epochs, seed=seed, precision="float32", name=name)
    if get(architecture).augmented:
        recipe = replace(recipe, augmentation=Augmentation(flip=True, shift=0.1))
    write_json(run.recipe_path, recipe.to_dict())
    write_json(run.architecture_path, tiny_description(architecture).to_dict())
    for file in ("model.keras", "model.tflite"):
        shutil.copy(TINY_MODEL / file, run.path / file)

    test = split != TRAINING
    probabilities = make_probabilities(true[test], accuracy, seed=seed)
    near_duplicate = None if near_duplicates is None else near_duplicates.exact_or_near[row[test]]
    measured = run.path / FOLDER / folder_name(about)
    measured.mkdir(parents=True)
    write_predictions(
        measured / PREDICTIONS,
        row[test],
        split[test],
        true[test],
        probabilities,
        near_duplicate,
        fingerprint=about["fingerprint"],
    )
    best = _write_journal(run, true, split, accuracy, epochs, state, created, seed, about)
    splits_scores = score_splits(read_predictions(measured / PREDICTIONS), near_duplicates, resamples=200, seed=0)
    metrics = {
        "schema": 2,
        "data": about,
        "seed": 0,
        "resamples": 200,
        "splits": splits_scores,
        "milliseconds_per_face": 0.31,
        "threads": 2,
        "machine": "a test",
        "megabytes": {file: (run.path / file).stat().st_size / 1e6 for file in ("model.keras", "model.tflite")},
    }
    write_json(measured / METRICS, metrics)
    seal_evaluation(measured, about, sha256_of(run.tflite_path), created)
    scored = splits_scores.get(PRIVATE_TEST) or splits_scores[PUBLIC_TEST]
    write_text(
        run.card_path,
        f"# {recipe.title}\n\nA made-up run for tests: {100 * scored['accuracy']:.1f} % right on "
        f"{scored['n']:,} faces.\n\n## Limits\n\nIt has learned nothing.\n",
    )
    manifest = {
        "id": f"{run.name}-{seed:08x}",
        "name": run.name,
        "title": name or run.name,
        "architecture": architecture,
        "created": created,
        "state": state,
        "data": about,
        "epochs": epochs,
        "best_epoch": best,
        "versions": {"python": "3.11.0", "keras": "3.15.1", "tensorflow": "2.21.0", "numpy": "2.0.0"},
    }
    seal(run, manifest)
    return run


def content(path: Path) -> dict[str, Any]:
    """A JSON file as it stands, be it damaged."""
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def measured_on(run: RunFolder, fingerprint: str | None = None) -> Evaluation:
    """The run's evaluation on these faces, or its first: it must have one."""
    found = run.evaluation(fingerprint)
    assert found is not None, run.evaluation_problems()
    return found


def reseal_evaluation(
    run: RunFolder, edit: Callable[[Evaluation], object], fingerprint: str | None = None
) -> Evaluation:
    """Let ``edit`` change an evaluation's files, and seal it again: what is wrong then is wrong in good order."""
    found = measured_on(run, fingerprint)
    edit(found)
    seal_evaluation(found.path, found.data, found.model, found.created)
    return run.evaluation(found.fingerprint) or found


def rewrite_predictions(run: RunFolder, frame: pd.DataFrame) -> Evaluation:
    """Give an evaluation other predictions, and the scores that follow from them."""

    def rewrite(found: Evaluation) -> None:
        about = frame["row"], frame["split"], frame["label"], probabilities_of(frame)
        twins = frame.get("near_duplicate")
        write_predictions(found.predictions_path, *about, twins, fingerprint=found.fingerprint)
        metrics = {**found.metrics(), "splits": score_splits(frame, resamples=50)}
        write_json(found.metrics_path, metrics)

    return reseal_evaluation(run, rewrite)


def reseal(run: RunFolder) -> None:
    """Let ``run.json`` promise the run's files as they are now."""
    manifest = run.manifest()
    assert manifest is not None
    seal(run, {key: value for key, value in manifest.items() if key not in ("schema", "origin", "files")})


def edit_metrics(run: RunFolder, edit: Callable[[dict[str, Any]], object], fingerprint: str | None = None) -> None:
    """Let ``edit`` change an evaluation's metrics in place; sealed again."""

    def rewrite(found: Evaluation) -> None:
        metrics = found.metrics()
        edit(metrics)
        write_json(found.metrics_path, metrics)

    reseal_evaluation(run, rewrite, fingerprint)


def as_unfinished(run: RunFolder) -> RunFolder:
    """The run as a training leaves it that has not been evaluated yet: no model file but Keras', no figures."""
    shutil.rmtree(run.path / FOLDER)
    for path in (run.manifest_path, run.card_path, run.tflite_path):
        path.unlink()
    return run


def as_schema_1(run: RunFolder) -> RunFolder:
    """The run as an earlier version left it: its one evaluation beside its other files, in the words of that time."""
    import pyarrow.parquet as pq

    found, manifest = measured_on(run), run.manifest()
    assert manifest is not None
    metrics = found.metrics()
    for scores in metrics["splits"].values():
        scores["without_twins"] = scores.pop("without_near_duplicates")
    for name in found.files:
        shutil.move(found.path / name, run.path / name)
    write_json(run.path / METRICS, {**metrics, "schema": 1})
    table = pq.read_table(run.path / PREDICTIONS)
    names = ["twin" if name == "near_duplicate" else name for name in table.column_names]
    pq.write_table(table.rename_columns(names).replace_schema_metadata({}), run.path / PREDICTIONS)
    shutil.rmtree(run.path / FOLDER)
    del manifest["origin"]
    listed = [*manifest["files"], *found.files, run.card_path.name]
    write_json(run.manifest_path, {**manifest, "schema": 1, "files": files_record(run.path, listed)})
    return run


def make_evaluated_run(
    folder: str | Path, dataset: Dataset, *, seed: int = 0, accuracy: float = 0.5, **options: Any
) -> RunFolder:
    """A run that was measured on this dataset's faces; the lower its ``seed``, the newer. See :func:`make_run`."""
    return make_run(
        folder,
        labels=dataset.labels,
        splits=dataset.splits,
        seed=seed,
        accuracy=accuracy,
        data=dataset.info.record(),
        created=f"2026-01-0{9 - seed}T00:00:00+00:00",
        **options,
    )


def make_vote(
    folder: str | Path,
    members: Sequence[RunFolder],
    *,
    weights: Sequence[float] | None = None,
    temperatures: Sequence[float] | None = None,
    created: str = "2026-02-02T03:04:05.000+00:00",
) -> RunFolder:
    """Write a complete vote folder over runs of :func:`make_run` that share their faces; returns it.

    ``weights`` add up to 1 (default: equal), ``temperatures`` are above 0 (default: 1). Nothing is fitted.
    """
    run = RunFolder(Path(folder))
    run.path.mkdir(parents=True)
    weights = weights or [1 / len(members)] * len(members)
    temperatures = temperatures or [1.0] * len(members)
    manifests = [member.manifest() or {} for member in members]
    vote = Vote(
        members=tuple(
            Member(member.name, manifest["architecture"], weight, temperature, sha256_of(member.tflite_path))
            for member, manifest, weight, temperature in zip(members, manifests, weights, temperatures, strict=True)
        ),
        chosen_on=PUBLIC_TEST,
        method="The weights were made up.",
    )
    write_json(run.vote_path, vote.to_dict())
    found = [member.evaluation() for member in members]
    frames = [one.predictions() for one in found if one is not None]
    first = frames[0]
    mean = sum(
        weight * apply_temperature(probabilities_of(frame), temperature)
        for frame, weight, temperature in zip(frames, weights, temperatures, strict=True)
    )
    data = manifests[0]["data"]
    measured = run.path / FOLDER / folder_name(data)
    measured.mkdir(parents=True)
    write_predictions(
        measured / PREDICTIONS, first["row"], first["split"], first["label"], mean, fingerprint=data["fingerprint"]
    )
    predictions = read_predictions(measured / PREDICTIONS)
    metrics = {
        "schema": 2,
        "data": data,
        "seed": 0,
        "resamples": 200,
        "splits": score_splits(predictions, resamples=200, seed=0),
        "temperature": temperature_scores(predictions),
        "milliseconds_per_face": 0.62,
        "threads": 1,
        "machine": "a test",
        "megabytes": {"model.tflite": sum(member.tflite_path.stat().st_size for member in members) / 1e6},
    }
    write_json(measured / METRICS, metrics)
    seal_evaluation(measured, data, sha256_of(run.vote_path), created)
    manifest = {
        "id": run.name,
        "name": run.name,
        "title": run.name,
        "architecture": VOTE,
        "created": created,
        "state": "done",
        "data": manifests[0]["data"],
        "epochs": 0,
        "best_epoch": None,
        "versions": {"python": "3.11.0"},
    }
    seal(run, manifest)
    write_card(run)
    return run


def tiny_description(architecture: str = "custom_cnn") -> Description:
    """The tiny model's layer table, under the name and title of a registered architecture."""
    layers = (
        LayerRow("image", "InputLayer", (48, 48, 1), 0, 0, ()),
        LayerRow("rescaling", "Rescaling", (48, 48, 1), 0, 0, ("image",)),
        LayerRow("conv2d", "Conv2D", (12, 12, 6), 156, 21_600, ("rescaling",)),
        LayerRow("conv2d_1", "Conv2D", (6, 6, 8), 440, 15_552, ("conv2d",)),
        LayerRow("classes", "Dense", (6, 6, 7), 56, 2_016, ("conv2d_1",)),
        LayerRow("logits", "GlobalAveragePooling2D", (7,), 0, 0, ("classes",)),
        LayerRow("probabilities", "Softmax", (7,), 0, 0, ("logits",)),
    )
    return Description(
        name=architecture,
        title=get(architecture).title,
        input_size=48,
        layers=layers,
        parameters=652,
        trainable_parameters=652,
        multiply_adds=sum(layer.multiply_adds for layer in layers),
        map_grid=TINY_MAP_GRID,
    )


def _write_journal(
    run: RunFolder,
    labels: npt.NDArray[np.int8],
    splits: npt.NDArray[np.str_],
    accuracy: float,
    epochs: int,
    state: str,
    created: str,
    seed: int,
    data: dict[str, Any],
) -> int:
    """``events.jsonl`` and ``history.csv``: curves that rise to ``accuracy``. Returns the best epoch."""
    public = labels[splits == PUBLIC_TEST]
    steps = 4
    journal = Journal(run.journal_path)
    clock = _Clock(created)
    clock.write(
        journal,
        "start",
        pid=1,
        process_started=datetime.fromisoformat(created).timestamp(),
        epochs=epochs,
        steps=steps,
        batch_size=64,
        train_faces=int((splits == TRAINING).sum()),
        validation_faces=len(public),
        precision="float32",
        precision_reason="asked for in the recipe",
        first_epoch=1,
        data=data,
    )
    best, best_accuracy = 0, -1.0
    clock.write(journal, "phase", name="training", detail=f"epoch 1 of {epochs}")
    for epoch in range(1, epochs + 1):
        reached = 1 / COUNT + (accuracy - 1 / COUNT) * (1 - 0.5**epoch) / (1 - 0.5**epochs)
        rate = 2e-3 * (1 - (epoch - 1) / epochs)
        for step in range(1, steps + 1):
            clock.write(
                journal,
                "batch",
                epoch=epoch,
                step=step,
                steps=steps,
                loss=2.0 - reached + 0.05 / step,
                accuracy=reached * (0.8 + 0.05 * step),
                learning_rate=rate,
                images_per_second=520.0,
            )
        answers = make_probabilities(public, reached, seed=seed + epoch).argmax(axis=1)
        right = float(np.mean(answers == public)) if len(public) else 0.0
        clock.write(
            journal,
            "epoch",
            epoch=epoch,
            loss=2.0 - reached,
            accuracy=reached,
            val_loss=2.1 - right,
            val_accuracy=right,
            learning_rate=rate,
            seconds=12.5,
            images_per_second=520.0,
            confusion=confusion_matrix(public, answers).tolist(),
        )
        if right > best_accuracy:
            best, best_accuracy = epoch, right
            clock.write(journal, "checkpoint", epoch=epoch, val_accuracy=right)
    if state == "stopped":
        clock.write(journal, "stopped", epoch=epochs, reason="asked to stop")
    else:
        clock.write(journal, "done", seconds=12.5 * epochs)
    write_history(run.history_path, read_events(run.journal_path))
    return best


class _Clock:
    """Journal times that run from ``created`` on, three seconds an event, so that runs repeat."""

    def __init__(self, created: str) -> None:
        self.time = datetime.fromisoformat(created).astimezone(UTC)

    def write(self, journal: Journal, event: str, **values: Any) -> None:
        journal.write(event, **{"time": self.time.isoformat(timespec="milliseconds"), **values})
        self.time += timedelta(seconds=3)


def make_test_set(folder: str | Path, *, split: str = PRIVATE_TEST, labels: Sequence[int] = (3, 5)) -> Dataset:
    """Somebody's own test set: 40 faces of noise, all of one split and of some classes only."""
    from fer_core.data.dataset import write_dataset

    images = np.random.default_rng(1).integers(0, 256, (40, 48, 48), dtype=np.uint8)
    return write_dataset(folder, images, np.resize(labels, 40), [split] * 40, title="Mine")
