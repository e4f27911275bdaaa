"""Files held against what a manifest promises of them, and folders that are looked at once for each state of theirs."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np

from fer_core.emotions import COUNT
from fer_core.errors import RunError
from fer_core.files import sha256_of
from fer_core.reading import MissingError, UnreadableError, check_file
from fer_core.runs.contracts import FileRecord, Metrics
from fer_core.runs.predictions import Predictions
from fer_core.runs.reading import damaged
from fer_core.runs.transaction import COMMIT_FILE

T = TypeVar("T")
State = tuple[tuple[str, int, int, int], ...]

_verdicts: dict[tuple[str, str], tuple[State, str]] = {}
"""Of each check and folder: the state it was in, and what was wrong with it then. Grows with the number of folders."""


def state_of(path: Path) -> State:
    """Name, kind, time of change and size of everything in a folder that is not hidden, and of a change that was
    cut short. Raises ``OSError``.

    Links count as what they lead to.
    """
    found = []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name.startswith(".") and entry.name != COMMIT_FILE:
                continue
            try:
                about = entry.stat()
            except OSError:
                about = entry.stat(follow_symlinks=False)  # it leads nowhere, or in a circle
            found.append((entry.name, stat.S_IFMT(about.st_mode), about.st_mtime_ns, about.st_size))
    return tuple(sorted(found))


def once(check: Callable[[T], None], path: Path, value: T) -> None:
    """``check(value)``, which depends on the files in ``path`` alone, unless none of them has changed since the last
    time: then what it raised that time is raised again. Raises ``RunError``.
    """
    state, key = state_of(path), (check.__qualname__, str(path))
    known = _verdicts.get(key)
    if known is None or known[0] != state:
        problem = ""
        try:
            check(value)
        except RunError as error:
            problem = str(error)
        known = _verdicts[key] = (state, problem)
    if known[1]:
        raise RunError(known[1])


def check_promised(
    manifest: Path, files: Mapping[str, FileRecord], name: str, again: str, *, by_hash: bool = True
) -> None:
    """Raises ``RunError``, ending with the sentence ``again``, unless the file ``name`` beside ``manifest`` is there,
    and has the size and, ``by_hash``, the hash that ``files`` of the manifest give for it.
    """
    path, promised = manifest.with_name(name), files.get(name)
    promiser = manifest.name if manifest.name == "run.json" else "its manifest"
    if promised is None:
        raise damaged(manifest, f"it gives no hash of {name}", again)
    try:
        size = check_file(path)
        if size != promised["bytes"]:
            raise UnreadableError(
                f"its content is not what {promiser} promises ({size:,} bytes, not {promised['bytes']:,})"
            )
        if by_hash and sha256_of(path) != promised["sha256"]:
            raise UnreadableError(f"its content is not what {promiser} promises")
    except MissingError:
        raise RunError(f"{path} is missing. {again}") from None
    except UnreadableError as error:
        raise damaged(path, error, again) from None
    except OSError as error:
        raise damaged(path, f"it cannot be read: {error.strerror or error}", again) from None


def contradiction(metrics: Metrics, found: Predictions) -> str:
    """How predictions differ from what the metrics say of them, as the end of a sentence; empty where they do not."""
    answers = found.probabilities.argmax(axis=1)
    for split, scores in metrics["splits"].items():
        of = found.splits == split
        if int(of.sum()) != scores["n"]:
            return f"it has {int(of.sum()):,} faces of {split}, and metrics.json is about {scores['n']:,}"
        counts = np.bincount(found.labels[of] * COUNT + answers[of], minlength=COUNT * COUNT).reshape(COUNT, COUNT)
        if counts.tolist() != scores["confusion"]:
            return f"its answers on {split} are not those that metrics.json counts"
    if unknown := sorted(set(found.splits.tolist()) - set(metrics["splits"])):
        return f"it has faces of {unknown[0]}, and metrics.json is not about them"
    return ""
