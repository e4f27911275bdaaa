"""Runs of ``factories`` changed afterwards, and sealed again: other figures, an earlier schema, a training not over."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.evaluation.scores import score_splits
from fer_core.files import write_json
from fer_core.runs.evaluations import FOLDER, METRICS, PREDICTIONS, Evaluation, files_record, seal_evaluation
from fer_core.runs.folder import RunFolder, seal
from fer_core.runs.predictions import probabilities_of, write_predictions

if TYPE_CHECKING:
    import pandas as pd


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
