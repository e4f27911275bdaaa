"""The JSON files of a run folder, read without trust: one place that says what is wrong, where, and what to do.

Types and ranges are those of :mod:`fer_core.runs.contracts`; what those cannot say (a best epoch beyond the last one, a
confusion matrix that counts other faces) is in :data:`CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from fer_core.emotions import COUNT, NAMES, SPLITS
from fer_core.errors import RunError
from fer_core.reading import MissingError, NewerError, UnreadableError, parse, read_bytes
from fer_core.runs.contracts import (
    DescriptionRecord,
    EvaluationManifest,
    ImportRecord,
    Metrics,
    RecipeRecord,
    RunManifest,
    Timing,
    VoteRecord,
)
from fer_core.stats.metrics import Scores

T = TypeVar("T")

RESTORE = "Restore the file, or delete the run folder."
"""What to do about a file that only a training can make."""
SCHEMAS: dict[Any, tuple[int, ...]] = {
    RunManifest: (1, 2),
    EvaluationManifest: (2,),
    Metrics: (1, 2),
    VoteRecord: (1, 2),
    ImportRecord: (1,),
    RecipeRecord: (),
    DescriptionRecord: (),
}
"""The schemas that this version reads; files without one have no schema."""
CONTRACTS: dict[str, Any] = {
    "run.json": RunManifest,
    "evaluation.json": EvaluationManifest,
    "metrics.json": Metrics,
    "vote.json": VoteRecord,
    "import.json": ImportRecord,
    "recipe.json": RecipeRecord,
    "architecture.json": DescriptionRecord,
}
"""What a file of that name holds."""


def read_json(path: Path, contract: type[T], again: str = RESTORE) -> T:
    """The file as ``contract`` declares it, one of the typed dictionaries of a run folder.

    Refused, with ``RunError`` that names the file and ends with the sentence ``again``: what is no regular file, is
    larger than 32 MB, not UTF-8, not JSON, holds NaN or Infinity, is nested too deeply, has other types or lacks keys,
    is of an unknown schema, or contradicts itself.
    """
    try:
        value = parse(read_bytes(path), contract, SCHEMAS.get(contract, ()))
    except UnreadableError as error:
        raise damaged(path, error, again) from None
    check = CHECKS.get(contract)
    if check and (problem := check(value)):
        raise damaged(path, problem, again)
    return value


def damaged(path: Path, reason: str | UnreadableError, again: str) -> RunError:
    """The error for a file of a run: which, ``reason`` as the end of a sentence, and what to do."""
    if isinstance(reason, MissingError):
        return RunError(f"{shown(path)} does not exist. {again}")
    if isinstance(reason, NewerError):
        return RunError(f"{shown(path)} {reason}.")
    return RunError(f"{shown(path)} is damaged: {reason}. {again}")


def shown(path: Path | str) -> str:
    """A path as text that every terminal and every browser takes: what is no character stands as an escape."""
    text = str(path).encode("utf-8", "backslashreplace").decode()
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def _manifest(value: RunManifest) -> str:
    best, epochs = value["best_epoch"], value["epochs"]
    if best is not None and not 1 <= best <= epochs:
        return f"its best_epoch is {best}, and it has {epochs} epochs"
    return _files(value["files"])


def _evaluation(value: EvaluationManifest) -> str:
    return _files(value["files"])


def _files(files: Any) -> str:
    outside = [name for name in files if Path(name).name != name or name in ("", ".", "..")]
    return "it lists files that are not in its folder" if outside else ""


def _metrics(value: Metrics) -> str:
    timed = [name for name in Timing.__annotations__ if name in value]
    if len(timed) not in (0, len(Timing.__annotations__)) or bool(timed) != bool(value["megabytes"]):
        return "it should give time, threads, machine and sizes of a model, or none of them"
    for split, scores in value["splits"].items():
        if split not in SPLITS:
            return f"it knows a split called {shown(split)[:40]}"
        if problem := _scores(scores):
            return f"the scores of {split} contradict each other: {problem}"
        clean = scores.get("without_near_duplicates") or scores.get("without_twins")
        if clean and (problem := _scores(clean)):
            return f"the scores of {split} without near duplicates contradict each other: {problem}"
    faces = sum(scores["n"] for scores in value["splits"].values())
    if faces > value["data"]["faces"]:
        return f"it is about {faces:,} faces of a dataset that has {value['data']['faces']:,}"
    return ""


def _scores(scores: Scores) -> str:
    confusion = scores["confusion"]
    if len(confusion) != COUNT or any(len(row) != COUNT for row in confusion):
        return f"its confusion matrix is not {COUNT}×{COUNT}"
    if sum(map(sum, confusion)) != scores["n"] or scores["n"] < 1:
        return f"it counts other than {scores['n']:,} faces"
    if [entry["emotion"] for entry in scores["per_class"]] != list(NAMES):
        return "its classes are not the seven"
    if [entry["support"] for entry in scores["per_class"]] != [sum(row) for row in confusion]:
        return "its classes have other numbers of faces"
    if abs(sum(confusion[label][label] for label in range(COUNT)) / scores["n"] - scores["accuracy"]) > 1e-6:
        return "its accuracy is not that of its confusion matrix"
    return ""


def _vote(value: VoteRecord) -> str:
    members = value["members"]
    sound = (
        bool(members)
        and all(Path(member["name"]).name == member["name"] for member in members)
        and abs(sum(member["weight"] for member in members) - 1) < 1e-3
    )
    return "" if sound else "members need plain names, and weights that add up to 1"


def _import(value: ImportRecord) -> str:
    classes = value["classes"]
    if not classes or any(classes.count(name) > 1 for name in NAMES):
        return "each of its columns should be about another class"
    if value["missing"] != [name for name in NAMES if name not in classes]:
        return "the classes that it says it never answers are not those that it has no column of"
    if value["left_out"] != [name for name in classes if name not in NAMES]:
        return "the classes that it says it leaves out are not those that are none of the seven"
    return "" if value["evidence"]["fits"] else "it does not say what its order of classes was tried on"


def _description(value: DescriptionRecord) -> str:
    if len(value["map_grid"]) != 2:
        return "its map_grid should be a height and a width"
    known: set[str] = set()
    for layer in value["layers"]:
        if unknown := [name for name in layer["inputs"] if name not in known]:
            return f"a layer reads {shown(unknown[0])[:40]}, which is not before it"
        known.add(layer["name"])
    return "" if known else "it has no layer"


CHECKS: dict[Any, Callable[[Any], str]] = {
    RunManifest: _manifest,
    EvaluationManifest: _evaluation,
    Metrics: _metrics,
    VoteRecord: _vote,
    ImportRecord: _import,
    DescriptionRecord: _description,
}
"""What is wrong with a value whose types are right, as the end of a sentence; empty where nothing is."""
