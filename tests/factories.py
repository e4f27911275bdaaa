"""Complete run folders in a fraction of a second, for tests that look at runs.

The model inside is the tiny one of ``tests/fixtures/tiny_model``; predictions are drawn at random with a
given accuracy, and every other file follows from them through the project's own writers.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from made_up_faces import make_labels, make_probabilities
from made_up_journal import write_journal

from fer_core.data.audit import NearDuplicates
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST, TRAINING
from fer_core.evaluation.scores import score_splits, temperature_scores
from fer_core.files import sha256_of, write_json, write_text
from fer_core.runs.card import write_card
from fer_core.runs.evaluations import FOLDER, METRICS, PREDICTIONS, folder_name, seal_evaluation
from fer_core.runs.folder import RunFolder, seal
from fer_core.runs.listing import VOTE
from fer_core.runs.predictions import probabilities_of, read_predictions, write_predictions
from fer_core.runs.recipe import Augmentation, Recipe
from fer_core.runs.vote import Member, Vote
from fer_core.stats.calibration import apply_temperature
from fer_core.zoo.describe import Description, LayerRow
from fer_core.zoo.registry import get

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset


TINY_MODEL = Path(__file__).parent / "fixtures" / "tiny_model"
TINY_MAP_GRID = (6, 6)


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
    best = write_journal(run, true, split, accuracy, epochs, state, created, seed, about)
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
