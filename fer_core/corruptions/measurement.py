"""``corruptions.parquet``: a run's answers to PublicTest faces made worse, in every way and at every strength.

One row a face: ``row`` int32, its number in the dataset, ascending; ``label`` int8; ``clean`` int8, the answer to the
face as it is; and for each corruption and severity ``<name>_<1..5>`` int8, the answer to the face made worse. All 0..6.
The metadata say which model and which faces these are, and with which seed and strengths the faces were made worse, so
that everybody can make the very same ones again. LiteRT alone answers: no TensorFlow is needed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_core.corruptions.kinds import CORRUPTIONS, SEVERITIES
from fer_core.corruptions.robustness import Robustness, evaluate_corruptions
from fer_core.emotions import COUNT, PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.files import write_parquet
from fer_core.progress import ProgressCallback
from fer_core.runs import measurements
from fer_core.runs.evaluations import CORRUPTIONS as CORRUPTIONS_FILE
from fer_core.runs.folder import RunFolder
from fer_core.stats.sampling import stratified

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset

RULE = 1
"""Raise it whenever a corruption or what is stored changes its meaning."""
SEED = 0
FILE = CORRUPTIONS_FILE


@dataclass(frozen=True, eq=False)
class Corrupted:
    """What ``corruptions.parquet`` holds: the answers, and what they are about.

    ``robustness.keys`` are row numbers of the dataset. ``about.of``: how many faces the split has; fewer than that
    were measured where a limit was given, drawn class by class.
    """

    robustness: Robustness
    about: measurements.About

    def __len__(self) -> int:
        """Faces."""
        return len(self.robustness.labels)

    def which(self) -> str:
        """Which faces, for a caption: ``1,000 of the 3,589 faces of PublicTest``."""
        n, of = len(self), self.about.of
        return f"{f'all {n:,}' if n == of else f'{n:,} of the {of:,}'} faces of {self.about.split}"


def measure_corruptions(
    folder: RunFolder, dataset: Dataset, *, limit: int | None = None, progress: ProgressCallback | None = None
) -> Corrupted:
    """Measure a run or a vote, write ``corruptions.parquet`` and list it in ``run.json``; nothing else changes.

    ``limit``: so many PublicTest faces, drawn class by class with a fixed seed, instead of all. Costs 46 predictions a
    face. Raises ``RunError`` where the run is not complete or was measured on other faces, its model is missing or
    damaged, the dataset has no PublicTest face, or the limit is below 1; then nothing is written.
    """
    from fer_core.inference.models import load_model  # 0.2 s, and readers do not predict

    measurements.evaluation_on(folder, dataset.info.fingerprint, dataset.info.path)
    rows = dataset.rows(PUBLIC_TEST)
    if not len(rows):
        raise RunError(f"{dataset.info.path} has no {PUBLIC_TEST} faces, which are what corruptions are measured on.")
    if limit is not None and limit < 1:
        raise RunError(f"--limit must be at least 1 face, not {limit}.")
    of, labels = len(rows), np.asarray(dataset.labels[rows])
    if limit is not None:
        chosen = stratified(labels, limit, seed=SEED)
        rows, labels = rows[chosen], labels[chosen]
    predictor = load_model(folder.path)
    about = measurements.About(RULE, measurements.model_of(folder), dataset.info.record(), PUBLIC_TEST, of)
    faces = np.asarray(dataset.images[rows])
    corrupted = Corrupted(
        evaluate_corruptions(predictor.predict, faces, labels, keys=rows, seed=SEED, progress=progress), about
    )
    measurements.keep(folder, dataset.info.fingerprint, FILE, lambda path: _write(path, corrupted))
    return corrupted


def read_corruptions(folder: RunFolder, fingerprint: str | None = None) -> Corrupted | None:
    """What was measured on the faces of that evaluation of the run; None where nobody asked for it.

    Raises ``RunError`` when the file is damaged, or is about another model or other faces than the rest of the run.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    evaluation = folder.evaluation_with(FILE, fingerprint)
    if evaluation is None:
        return None
    path = evaluation.corruptions_path
    evaluation.check(FILE)
    try:
        table = pq.read_table(path)
        metadata = json.loads((table.schema.metadata or {})[measurements.PARQUET_KEY])
        about, seed = measurements.About.from_dict(metadata["about"]), int(metadata["seed"])
        strengths = {name: tuple(values) for name, values in metadata["strengths"].items()}
        answers = [
            [_answers(table, measurements.corrupted_column(name, severity)) for severity in SEVERITIES]
            for name in strengths
        ]
        keys = table["row"].to_numpy().astype(np.int64)
        robustness = Robustness(
            tuple(strengths), _answers(table, "label"), _answers(table, "clean"), np.array(answers), keys, seed
        )
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(folder, path, f"it cannot be read ({error})") from error
    if not len(keys) or keys[0] < 0 or (np.diff(keys) <= 0).any():
        raise _damaged(folder, path, "its row numbers are missing or not in order")
    if any(strengths[name] != CORRUPTIONS[name].strengths for name in strengths if name in CORRUPTIONS) or (
        not strengths or set(strengths) - set(CORRUPTIONS)
    ):
        raise _damaged(folder, path, "its faces were made worse in other ways than this version does it")
    measurements.check_fresh(folder, evaluation, FILE, about, RULE)
    return Corrupted(robustness, about)


def _write(path: Path, corrupted: Corrupted) -> None:
    import pyarrow as pa

    found = corrupted.robustness
    columns: dict[str, Any] = {
        "row": found.keys.astype(np.int32),
        "label": found.labels,
        "clean": found.clean,
    }
    for name, of_name in zip(found.names, found.answers, strict=True):
        columns |= {measurements.corrupted_column(name, severity): of_name[severity - 1] for severity in SEVERITIES}
    metadata = {
        "about": corrupted.about.to_dict(),
        "seed": found.seed,
        "strengths": {name: list(CORRUPTIONS[name].strengths) for name in found.names},
    }
    table = pa.table(columns).replace_schema_metadata({measurements.PARQUET_KEY: json.dumps(metadata).encode()})
    write_parquet(table, path)


def _answers(table: Any, column: str) -> Any:
    values = table[column].to_numpy().astype(np.int8)
    if len(values) and not (values.min() >= 0 and values.max() < COUNT):
        raise ValueError(f"{column} has an answer outside 0..{COUNT - 1}")
    return values


def _damaged(folder: RunFolder, path: Path, why: str) -> RunError:
    return RunError(f"{path} cannot be used: {why}. Measure again with: {measurements.command(folder, FILE)}")
