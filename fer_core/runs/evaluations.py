"""What a run was measured on: one folder a dataset under ``evaluations/``, each sealed by its ``evaluation.json``.

An evaluation names the dataset by its fingerprint and the measured model by its hash. Measuring on other faces adds a
folder; measuring on the same faces replaces one. What a shipped run was measured on here lies in the home, under
``evaluations/<run>/``, since the run itself may be read-only. Runs of schema 1 hold a single evaluation beside their
other files, which is read where it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.data.contracts import DatasetRecord
from fer_core.errors import RunError
from fer_core.files import sha256_of, write_json
from fer_core.runs.contracts import EvaluationManifest, FileRecord, Metrics, RunManifest
from fer_core.runs.integrity import check_promised, contradiction, once
from fer_core.runs.predictions import read_arrays
from fer_core.runs.reading import damaged, read_json
from fer_core.runs.transaction import settle
from fer_core.settings import settings

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 2
FOLDER = "evaluations"
MANIFEST = "evaluation.json"
PREDICTIONS, METRICS, EMBEDDINGS = "predictions.parquet", "metrics.json", "embeddings.parquet"
CORRUPTIONS, FAITHFULNESS = "corruptions.parquet", "faithfulness.json"
REQUIRED_FILES = (PREDICTIONS, METRICS)
OPTIONAL_FILES = (EMBEDDINGS, CORRUPTIONS, FAITHFULNESS)
"""Sealed where they are there. Votes have no embeddings; the last two are measured on request."""
ON_REQUEST = (CORRUPTIONS, FAITHFULNESS)


@dataclass(frozen=True)
class Problem:
    """Why an evaluation cannot be used, in a sentence or two; ``path`` is where its files are."""

    path: Path
    text: str

    def is_about(self, run: Path, fingerprint: str) -> bool:
        """Whether it may be the evaluation on these data: by the name of its folder, all that is sure to be whole."""
        return self.path == run or self.path.name.endswith(f"-{fingerprint[:8]}")


@dataclass(frozen=True)
class Evaluation:
    """One evaluation of one run: paths, and what its manifest promises. Nothing is cached.

    Attributes:
        run: the run folder.
        path: where the evaluation's files are: a folder of their own or, in schema 1, the run folder itself.
        data: the dataset: name, title, kind, fingerprint, faces.
        model: sha256 of the measured ``model.tflite``; of a vote, that of its ``vote.json``.
        files: sha256 and bytes of each file.
        created: UTC, ISO 8601.
    """

    run: Path
    path: Path
    data: DatasetRecord
    model: str
    files: Mapping[str, FileRecord]
    created: str

    @property
    def fingerprint(self) -> str:
        return self.data["fingerprint"]

    @property
    def manifest_path(self) -> Path:
        return self.path / ("run.json" if self.path == self.run else MANIFEST)

    @property
    def predictions_path(self) -> Path:
        return self.path / PREDICTIONS

    @property
    def metrics_path(self) -> Path:
        return self.path / METRICS

    @property
    def embeddings_path(self) -> Path:
        return self.path / EMBEDDINGS

    @property
    def corruptions_path(self) -> Path:
        return self.path / CORRUPTIONS

    @property
    def faithfulness_path(self) -> Path:
        return self.path / FAITHFULNESS

    @property
    def again(self) -> str:
        """What to do where something is wrong with it."""
        return f"Measure again with: python -m fer_core evaluate {self.run} --data DATASET"

    def has(self, name: str) -> bool:
        """Whether the manifest lists the file; only then is it part of the evaluation."""
        return name in self.files

    def metrics(self) -> Metrics:
        """``metrics.json``. Raises ``RunError`` where it is missing or not what the manifest promises."""
        self.check(METRICS)
        return _renamed(read_json(self.metrics_path, Metrics, self.again))

    def predictions(self) -> pd.DataFrame:
        """See :func:`fer_core.runs.predictions.read_predictions`. Raises ``RunError`` as :meth:`metrics` does."""
        from fer_core.runs.predictions import read_predictions

        self.check(PREDICTIONS)
        return read_predictions(
            self.predictions_path, fingerprint=self.fingerprint, faces=self.data["faces"], again=self.again
        )

    def check(self, name: str) -> None:
        """Raises ``RunError`` unless the file is there and has the size and hash that the manifest gives for it."""
        check_promised(self.manifest_path, self.files, name, self.again)

    def sound(self, name: str) -> bool:
        """Whether it has this file, as its manifest promises it."""
        try:
            self.check(name)
        except RunError:
            return False
        return True


def read_evaluations(run: Path, manifest: RunManifest, model: str) -> tuple[list[Evaluation], list[Problem]]:
    """The evaluations of a complete run, and a problem for each folder that cannot be used.

    ``manifest``: the run's ``run.json``; ``model``: the hash of the model as that promises it. What was measured on the
    data that the run was trained on comes first, then the newest. Of two about the same faces the newer counts.
    """
    found: list[Evaluation] = []
    problems: list[Problem] = []
    settle(home_of_evaluations(run))  # a change that was cut short has happened; those of the run itself are settled
    for path in [run] if manifest["schema"] == 1 else folders(run):
        try:
            one = _schema_1(run, manifest, model) if manifest["schema"] == 1 else _read(run, path, model)
            if one is not None:
                once(_check, one.path, one)
                found.append(one)
        except RunError as error:
            problems.append(Problem(path, str(error)))
    found.sort(key=lambda one: one.created, reverse=True)
    newest: dict[str, Evaluation] = {}
    for one in found:
        newest.setdefault(one.fingerprint, one)
    return sorted(newest.values(), key=lambda one: one.fingerprint != manifest["data"]["fingerprint"]), problems


def home_of_evaluations(run: Path) -> Path:
    """The folder in which what a run is measured on from now on is kept: of a shipped run one in the home."""
    shipped = run.absolute().parent == settings().models_dir
    return settings().evaluations_dir / run.name if shipped else run / FOLDER


def folders(run: Path) -> list[Path]:
    """The folders of a run's evaluations. One without a manifest is being deleted, or was left behind by a process
    that died, and does not count.
    """
    parents = dict.fromkeys([run / FOLDER, home_of_evaluations(run)])
    found = [path for parent in parents if parent.is_dir() for path in parent.glob("[!.]*")]
    return sorted(path for path in found if os.path.lexists(path / MANIFEST))


def _read(run: Path, path: Path, model: str) -> Evaluation | None:
    again = f"Delete the folder, or measure again with: python -m fer_core evaluate {run} --data DATASET"
    value = read_json(path / MANIFEST, EvaluationManifest, again)
    if value["model"] != model:
        if path.parent != run / FOLDER:
            return None  # made here of a model that shipped earlier: no fault of the run that ships now
        raise RunError(f"{path} was measured with another model file than the run has now. {again}")
    return Evaluation(run, path, value["data"], value["model"], value["files"], value["created"])


def _schema_1(run: Path, manifest: RunManifest, model: str) -> Evaluation | None:
    """The one evaluation of a run of schema 1, sealed by ``run.json`` itself."""
    files = manifest["files"]
    own = {name: files[name] for name in (*REQUIRED_FILES, *OPTIONAL_FILES) if name in files}
    if METRICS not in own:
        return None
    found = Evaluation(run, run, manifest["data"], model, own, manifest["created"])
    return replace(found, data=found.metrics()["data"])


def _check(one: Evaluation) -> None:
    """Raises ``RunError`` unless metrics and predictions are sound, and about the same faces as each other."""
    metrics = one.metrics()
    if metrics["data"]["fingerprint"] != one.fingerprint:
        raise damaged(one.metrics_path, "it is about other data than its manifest", one.again)
    one.check(PREDICTIONS)
    found = read_arrays(one.predictions_path, fingerprint=one.fingerprint, faces=one.data["faces"], again=one.again)
    if problem := contradiction(metrics, found):
        raise damaged(one.predictions_path, problem, one.again)


def _renamed(metrics: Metrics) -> Metrics:
    """The same with the keys of today."""
    for scores in metrics["splits"].values():
        if "without_twins" in scores:
            scores["without_near_duplicates"] = scores.pop("without_twins")
    metrics["schema"] = SCHEMA
    return metrics


def folder_name(data: DatasetRecord) -> str:
    """The name of the evaluation's folder: the dataset's, in plain letters, and the start of its fingerprint."""
    plain = re.sub(r"[^a-z0-9_]+", "-", str(data["name"]).lower()).strip("-")[:40] or "data"
    return f"{plain}-{str(data['fingerprint'])[:8]}"


def made_useless(run: Path, data: DatasetRecord, model: str = "") -> list[str]:
    """Evaluations that go when one on ``data`` comes, as paths within the run: others of the same faces.

    With ``model``, the hash of what the run is to be from now on, also those that are about another or cannot be read.
    """
    new, gone = folder_name(data), []
    for path in (run / FOLDER).iterdir() if (run / FOLDER).is_dir() else ():
        if path.name == new or not path.is_dir():
            continue
        try:
            value = read_json(path / MANIFEST, EvaluationManifest, "")
            same, other = value["data"]["fingerprint"] == data["fingerprint"], value["model"] != model
        except RunError:
            same, other = False, True
        if same or (model and other):
            gone.append(f"{FOLDER}/{path.name}")
    return sorted(gone)


def seal_evaluation(path: Path, data: DatasetRecord, model: str, created: str = "") -> None:
    """Write ``evaluation.json``, last, over the files in ``path``. Raises ``RunError`` if one is missing."""
    missing = [name for name in REQUIRED_FILES if not (path / name).is_file()]
    if missing:
        raise RunError(f"the evaluation in {path} cannot be completed: {', '.join(missing)} missing.")
    names = [*REQUIRED_FILES, *(name for name in OPTIONAL_FILES if (path / name).is_file())]
    write_json(
        path / MANIFEST,
        {
            "schema": SCHEMA,
            "data": dict(data),
            "model": model,
            "files": files_record(path, names),
            "created": created or datetime.now(UTC).isoformat(timespec="milliseconds"),
        },
    )


def files_record(path: Path, names: Sequence[str]) -> dict[str, FileRecord]:
    """Hash and size of each file, as manifests list them."""
    return {name: {"sha256": sha256_of(path / name), "bytes": (path / name).stat().st_size} for name in names}
