"""What damages of a run folder are made with: ways to change a file and to list it again, and lists of damages."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_core.files import sha256_of
from fer_core.runs.folder import RunFolder

Do = Callable[[RunFolder], None]


@dataclass(frozen=True)
class Damage:
    """``file``: what the sentence about it must name. ``of``: what kind of run it harms."""

    name: str
    file: str
    do: Do
    of: str = "run"


def measured(run: RunFolder) -> Path:
    """The folder of the run's one evaluation."""
    (path,) = (run.path / "evaluations").iterdir()
    return path


def seal_anew(manifest: Path, file: Path) -> None:
    """Make a manifest promise what a file now is."""
    value = json.loads(manifest.read_text())
    value["files"][file.name] = {"sha256": sha256_of(file), "bytes": file.stat().st_size}
    manifest.write_text(json.dumps(value))


def edit(path: Path, change: Callable[[Any], Any]) -> None:
    """Change JSON in place, or replace it by what ``change`` returns. NaN is written as Python writes it."""
    value = json.loads(path.read_text())
    result = change(value)
    path.write_text(json.dumps(value if result is None else result))


def put(*keys: str | int, to: Any) -> Callable[[Any], None]:
    """A change for :func:`edit`: set the value at ``keys``."""

    def change(value: Any) -> None:
        for key in keys[:-1]:
            value = value[key]
        value[keys[-1]] = to

    return change


def drop(key: str) -> Callable[[Any], None]:
    def change(value: Any) -> None:
        del value[key]

    return change


def manifest(change: Callable[[Any], Any]) -> Do:
    return lambda run: edit(run.manifest_path, change)


def sealed(name: str, change: Callable[[Any], Any]) -> Do:
    """Change a JSON file of the run, and list it anew."""

    def do(run: RunFolder) -> None:
        edit(run.path / name, change)
        seal_anew(run.manifest_path, run.path / name)

    return do


def sealed_text(name: str, change: Callable[[str], str]) -> Do:
    def do(run: RunFolder) -> None:
        path = run.path / name
        path.write_text(change(path.read_text()))
        seal_anew(run.manifest_path, path)

    return do


def of(name: str) -> Callable[[RunFolder], Path]:
    """Where a file of a run is: in the run, or in its evaluation."""
    return lambda run: run.path / name if (run.path / name).exists() else measured(run) / name


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def instead(path: Path, make: Callable[[Path], Any]) -> None:
    path.unlink()
    make(path)


KINDS: dict[str, Callable[[Path], Any]] = {
    "is_missing": lambda path: path.unlink(),
    "is_a_folder": lambda path: instead(path, lambda place: place.mkdir()),
    "is_a_pipe": lambda path: instead(path, os.mkfifo),
    "is_a_link_to_itself": lambda path: instead(path, lambda place: place.symlink_to(place.name)),
    "is_a_link_to_nothing": lambda path: instead(path, lambda place: place.symlink_to("nowhere")),
    "is_empty": lambda path: write(path, b""),
    "is_cut_in_half": lambda path: write(path, path.read_bytes()[: path.stat().st_size // 2]),
}
"""What may be where a file should be."""


class Damages(list[Damage]):
    """Those of one kind of file, in the order in which they are listed."""

    def damage(self, file: str, of: str = "run") -> Callable[[Do], Do]:
        """List a function among the damages, under its own name."""

        def add(do: Do) -> Do:
            self.append(Damage(do.__name__, file, do, of))
            return do

        return add

    def many(self, file: str, prefix: str, ways: dict[str, Do], of: str = "run") -> None:
        """List several damages of one file."""
        self.extend(Damage(f"{prefix}_{name}", file, do, of) for name, do in ways.items())

    def kinds(self, name: str, *chosen: str) -> None:
        """List what may be where the file ``name`` should be: all of :data:`KINDS`, or those ``chosen``."""
        for kind in chosen or KINDS:
            where, make = of(name), KINDS[kind]
            self.append(Damage(f"{name}_{kind}", name, lambda run, where=where, make=make: make(where(run))))
