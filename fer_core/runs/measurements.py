"""Measurements that a run has only because somebody asked for them, since they take minutes: corruptions, faithfulness.

They belong to an evaluation. Each of the files says which model and which faces it is about. One that is about another
model than the rest of its folder is worse than none: whoever evaluates or exports drops it, and says so.
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from fer_core.data.contracts import DatasetRecord
from fer_core.errors import RunError
from fer_core.files import sha256_of
from fer_core.reading import UnreadableError, adapter, read_plain
from fer_core.runs.contracts import AboutRecord
from fer_core.runs.evaluations import ON_REQUEST, Evaluation, seal_evaluation
from fer_core.runs.folder import RunFolder
from fer_core.runs.transaction import change, exclusive
from fer_core.runs.upgrade import upgrade

PARQUET_KEY = b"fer_measured"
"""Where a Parquet file keeps the record of :class:`About` in its metadata; a JSON file has it as ``about``."""
COMMANDS = {
    "corruptions.parquet": "python -m fer_core evaluate {run} --data {data} --corruptions",
    "faithfulness.json": "python -m fer_core explain faithfulness --models {run} --data {data}",
}
"""How each is made."""


def corrupted_column(name: str, severity: int) -> str:
    """The column of ``corruptions.parquet`` with the answers to faces made worse so, at a severity of 1 to 5."""
    return f"{name}_{severity}"


@dataclass(frozen=True)
class About:
    """What a measurement is about.

    ``rule``: what its numbers mean; raised when that changes. ``model``: sha256 of ``model.tflite``, of a vote that of
    ``vote.json``, which names its members' files. ``data``: name, title, kind, fingerprint and faces of the dataset.
    ``split``: the faces' split; ``of``: how many faces that split has.
    """

    rule: int
    model: str
    data: DatasetRecord
    split: str
    of: int

    @property
    def fingerprint(self) -> str:
        return self.data["fingerprint"]

    def to_dict(self) -> AboutRecord:
        return AboutRecord(rule=self.rule, model=self.model, data=self.data, split=self.split, of=self.of)

    @classmethod
    def from_dict(cls, value: object) -> About:
        """Raises ``ValueError`` for anything that :meth:`to_dict` never gave."""
        found = adapter(AboutRecord).validate_python(value)
        return cls(found["rule"], found["model"], found["data"], found["split"], found["of"])


def model_of(folder: RunFolder) -> str:
    """What :attr:`About.model` would be now, by the files themselves. Raises ``RunError`` where there is no model."""
    folder.check_has_model()
    return sha256_of(folder.vote_path if folder.is_vote else folder.tflite_path)


def command(folder: RunFolder, file: str, data: str | Path = "DATASET", *, by_name: bool = False) -> str:
    """The command that makes a file of this run; ``by_name``: the run is in models or runs."""
    run = folder.name if by_name else str(folder.path)
    return COMMANDS[file].format(run=shlex.quote(run), data=data if data == "DATASET" else shlex.quote(str(data)))


def evaluation_on(folder: RunFolder, fingerprint: str, data: Path) -> Evaluation:
    """The run's evaluation on the dataset with this fingerprint. Raises ``RunError`` unless there is one."""
    if folder.manifest() is None:
        raise RunError(f"the run {folder.name} is not complete. Finish it first: see python -m fer_core runs")
    found = folder.evaluation(fingerprint)
    if found is None:
        folder.check_evaluation(fingerprint)
        evaluate = f"python -m fer_core evaluate {shlex.quote(str(folder.path))} --data {shlex.quote(str(data))}"
        raise RunError(f"the run {folder.name} was not measured on the faces of {data}. Measure it first: {evaluate}")
    return found


def check_fresh(folder: RunFolder, evaluation: Evaluation, file: str, about: About, rule: int) -> None:
    """Raises ``RunError`` where a file that was read is not of this version, the model or the faces of its evaluation,
    or not the file that ``evaluation.json`` lists.
    """
    again = f"Measure again with: {command(folder, file)}"
    for wrong, why in (
        (about.rule != rule, "it was written by another version"),
        (about.model != evaluation.model, "it was measured with another model file"),
        (about.fingerprint != evaluation.fingerprint, "it is about other faces than metrics.json"),
    ):
        if wrong:
            raise RunError(f"{evaluation.path / file} cannot be used: {why}. {again}")
    evaluation.check(file)


def keep(folder: RunFolder, fingerprint: str, file: str, write: Callable[[Path], None]) -> None:
    """Add a file to the evaluation with this fingerprint, or replace it there, and list it in ``evaluation.json``.

    ``write`` is given the path to write to. Raises ``RunError`` where there is no such evaluation, or it is damaged.
    """
    upgrade(folder)
    # Nobody else may replace the evaluation between reading and writing: two measurements may end at the same time.
    found = folder.evaluation(fingerprint)
    # What a shipped run was measured on here lies outside of it.
    root = folder.path if found is None or found.path.is_relative_to(folder.path) else found.path.parent
    with exclusive(root):
        found = folder.evaluation(fingerprint)
        if found is None:
            folder.check_evaluation(fingerprint)
            raise RunError(f"the run {folder.name} has no evaluation on these faces any more.")
        with change(root) as prepared:
            # The whole folder anew, so that its manifest never lists a file of another time.
            path = prepared.directory(found.path.relative_to(root).as_posix())
            for name in found.files:
                if name != file:
                    found.check(name)  # what was tampered with must not become right by this
                    shutil.copy2(found.path / name, path / name)
            write(path / file)
            seal_evaluation(path, found.data, found.model, found.created)


def there(folder: RunFolder) -> tuple[tuple[str, str], ...]:
    """Which of these files the run has: title of the data and name, of each."""
    return tuple((str(one.data["title"]), file) for one in folder.evaluations() for file in ON_REQUEST if one.has(file))


def still_true(evaluation: Evaluation, model: str) -> tuple[str, ...]:
    """The sound files of this kind in the evaluation that are about the model with this hash."""
    return tuple(
        file
        for file in ON_REQUEST
        if evaluation.sound(file) and (about := _about(evaluation.path / file)) and about.model == model
    )


def gone_lines(folder: RunFolder, before: Iterable[tuple[str, str]], data: str | Path) -> list[str]:
    """A sentence for each file that was there before, as from :func:`there`, and is not now."""
    now = there(folder)
    return [
        f"{file} ({title}) was about another model, and was dropped. Measure again with: {command(folder, file, data)}"
        for title, file in before
        if (title, file) not in now
    ]


def _about(path: Path) -> About | None:
    """What the file is about; None where that cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if path.suffix == ".parquet":
            return About.from_dict(json.loads((pq.read_schema(path).metadata or {})[PARQUET_KEY])["about"])
        return About.from_dict(read_plain(path)["about"])
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError, UnreadableError):
        return None
