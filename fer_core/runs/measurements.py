"""Measurements that a run has only because somebody asked for them, since they take minutes: corruptions, faithfulness.

Each of the files says which model and which faces it is about. One that is about another model or other faces than the
rest of its folder is worse than none: whoever evaluates or exports drops it, and says so.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.errors import RunError
from fer_core.files import sha256_of
from fer_core.runs.folder import MEASURED_FILES, RunFolder, check_sealed, seal
from fer_core.runs.vote import promised_hash

PARQUET_KEY = b"fer_measured"
"""Where a Parquet file keeps the record of :class:`About` in its metadata; a JSON file has it as ``about``."""
COMMANDS = {
    "corruptions.parquet": "python -m fer_core evaluate {run} --data {data} --corruptions",
    "faithfulness.json": "python -m fer_core explain faithfulness --models {run} --data {data}",
}
"""How each is made."""


@dataclass(frozen=True)
class About:
    """What a measurement is about.

    ``rule``: what its numbers mean; raised when that changes. ``model``: sha256 of ``model.tflite``, of a vote that of
    ``vote.json``, which names its members' files. ``data``: name, title, kind, fingerprint and faces of the dataset.
    ``split``: the faces' split; ``of``: how many faces that split has.
    """

    rule: int
    model: str
    data: dict[str, Any]
    split: str
    of: int

    @property
    def fingerprint(self) -> str:
        return str(self.data["fingerprint"])

    def to_dict(self) -> dict[str, Any]:
        return {"rule": self.rule, "model": self.model, "data": self.data, "split": self.split, "of": self.of}

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> About:
        """Raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything that :meth:`to_dict` never gave."""
        data = dict(value["data"])
        str(data["fingerprint"])
        return cls(int(value["rule"]), str(value["model"]), data, str(value["split"]), int(value["of"]))


def model_of(folder: RunFolder) -> str:
    """What :attr:`About.model` would be now, by the files themselves."""
    return sha256_of(folder.vote_path if folder.is_vote else folder.tflite_path)


def command(folder: RunFolder, file: str, data: str | Path = "DATASET", *, by_name: bool = False) -> str:
    """The command that makes a file of this run; ``by_name``: the run is in models or runs."""
    run = folder.name if by_name else str(folder.path)
    return COMMANDS[file].format(run=shlex.quote(run), data=data if data == "DATASET" else shlex.quote(str(data)))


def check_measured_on(folder: RunFolder, fingerprint: str, data: Path) -> None:
    """Raises ``RunError`` unless the run is complete and its metrics are about the dataset with this fingerprint."""
    if not folder.complete:
        raise RunError(f"the run {folder.name} is not complete. Finish it first: see python -m fer_core runs")
    metrics = folder.metrics()
    evaluate = f"python -m fer_core evaluate {shlex.quote(str(folder.path))} --data {shlex.quote(str(data))}"
    if metrics is None:
        raise RunError(f"the run {folder.name} was not evaluated. Evaluate it first: {evaluate}")
    if metrics["data"]["fingerprint"] != fingerprint:
        raise RunError(
            f"the run {folder.name} was measured on other faces ({metrics['data']['title']}) than those of {data}, and "
            f"a run is about one dataset only. Evaluate it on these first: {evaluate}"
        )


def check_fresh(folder: RunFolder, file: str, about: About, rule: int) -> None:
    """Raises ``RunError`` where a file that was read is not of this version, this model or the faces of the metrics,
    or not the file that ``run.json`` lists.
    """
    manifest, metrics = folder.manifest(), folder.metrics()
    again = f"Measure again with: {command(folder, file)}"
    if manifest is None or metrics is None:
        raise RunError(f"the run {folder.name} is not complete, so {file} cannot be used.")
    promised = sha256_of(folder.vote_path) if folder.is_vote else promised_hash(folder)
    for wrong, why in (
        (about.rule != rule, "it was written by another version"),
        (about.model != promised, "it was measured with another model file"),
        (about.fingerprint != metrics["data"]["fingerprint"], "it is about other faces than metrics.json"),
    ):
        if wrong:
            raise RunError(f"{folder.path / file} cannot be used: {why}. {again}")
    check_sealed(folder, manifest, file, again)


def seal_again(folder: RunFolder) -> None:
    """List a file that was added or replaced in ``run.json``, which otherwise stays as it is. Raises ``RunError``."""
    manifest = folder.manifest()
    if manifest is None:
        raise RunError(f"the run {folder.name} is not complete. Finish it first: see python -m fer_core runs")
    seal(folder, {key: value for key, value in manifest.items() if key not in ("schema", "files")})


def there(folder: RunFolder) -> tuple[str, ...]:
    """Which of these files the folder has."""
    return tuple(file for file in MEASURED_FILES if (folder.path / file).exists())


def still_true(folder: RunFolder, fingerprint: str) -> tuple[str, ...]:
    """Those of :func:`there` that are about the model file that is there now and the faces of this fingerprint."""
    present = there(folder)
    if not present:
        return ()
    model = model_of(folder)
    abouts = {file: _about(folder.path / file) for file in present}
    return tuple(
        file
        for file, about in abouts.items()
        if about is not None and about.model == model and (about.fingerprint == fingerprint)
    )


def drop_outdated(folder: RunFolder, fingerprint: str) -> None:
    """Delete those of :func:`there` that are not :func:`still_true`."""
    for file in set(there(folder)) - set(still_true(folder, fingerprint)):
        (folder.path / file).unlink()


def gone_lines(folder: RunFolder, before: Iterable[str], data: str | Path) -> list[str]:
    """A sentence for each file that was there before and is not now."""
    return [
        f"{file} was about another model or other faces, and was dropped. Measure again with: "
        f"{command(folder, file, data)}"
        for file in before
        if not (folder.path / file).exists()
    ]


def _about(path: Path) -> About | None:
    """What the file is about; None where that cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if path.suffix == ".parquet":
            return About.from_dict(json.loads((pq.read_schema(path).metadata or {})[PARQUET_KEY])["about"])
        return About.from_dict(json.loads(path.read_text(encoding="utf-8"))["about"])
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError):
        return None
