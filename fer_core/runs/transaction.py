"""Several files of a run folder changed as one: a reader sees all of the old ones or all of the new ones.

The new files are prepared in a hidden folder of the run. One small file, ``.commit.json``, then says what is to be
moved where; from the moment it is there the change has happened, and whoever comes next, after a crash too, finishes
the moving before it reads. Every step may be done twice. A folder that is new as a whole is prepared beside its place
and renamed.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from fer_core.errors import RunError
from fer_core.files import temporary_name, write_json
from fer_core.leftovers import abandoned
from fer_core.reading import MissingError, UnreadableError, parse, read_bytes
from fer_core.runs.contracts import CommitRecord
from fer_core.try_lock import short_lock

COMMIT_FILE = ".commit.json"
LOCK_FILE = ".commit.lock"
_PREFIX = ".change-"


class Change:
    """What is to become of a run folder. Nothing of it changes before the end of :func:`change`.

    Attributes:
        path: the hidden folder in which the new files are prepared.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._moves: list[str] = []
        self._removals: list[str] = []

    def file(self, name: str) -> Path:
        """Where to write the new file ``name``, a path within the run folder."""
        return self._new(name)

    def directory(self, name: str) -> Path:
        """An empty folder that takes the place of the folder ``name`` with all that is in it."""
        path = self._new(name)
        path.mkdir()
        return path

    def has(self, name: str) -> bool:
        """Whether the new file ``name`` is written already."""
        return (self.path / name).is_file()

    def newest(self, path: Path) -> Path:
        """The new file for ``path``, a file of the run folder itself, where there is one; otherwise ``path``."""
        return self.path / path.name if self.has(path.name) else path

    def remove(self, name: str) -> None:
        """The file or folder ``name`` goes; it need not be there. What is new must not lie in it."""
        self._removals.append(name)

    def _new(self, name: str) -> Path:
        if name not in self._moves:
            self._moves.append(name)
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def record(self) -> dict[str, object]:
        """What ``.commit.json`` says; files that were announced and not written are left out.

        Raises ``ValueError`` for something new within what is to be removed: done twice, that would not stay.
        """
        moves = [name for name in self._moves if (self.path / name).exists()]
        for name in moves:
            parts = {name, *(str(parent) for parent in PurePosixPath(name).parents)}
            if lost := parts & set(self._removals):
                raise ValueError(f"{name} is new, and {min(lost)} is to be removed")
        return {"prepared": self.path.name, "moves": moves, "removals": self._removals}


@contextmanager
def change(run: Path) -> Iterator[Change]:
    """Prepare new files of the run folder ``run``, which exists; they take effect together when the block ends.

    Where the block raises, nothing has happened. Raises ``OSError`` where the folder cannot be written to.
    """
    with exclusive(run):
        _sweep(run)
    prepared = Change(_hidden(run))
    prepared.path.mkdir()
    try:
        yield prepared
        with exclusive(run):
            # Written within the hidden folder first, so that a crash leaves nothing else behind.
            record = prepared.path / COMMIT_FILE
            write_json(record, prepared.record())
            record.replace(run / COMMIT_FILE)
            _finish(run)
    finally:
        # A change that has happened and could not be finished (a disk that fails) still needs its files.
        if _pending(run) != prepared.path.name:
            shutil.rmtree(prepared.path, ignore_errors=True)


@contextmanager
def exclusive(run: Path) -> Iterator[None]:
    """No other process or thread changes the run folder meanwhile; a change that was cut short is finished first.

    For short work only: others wait. May be nested. Raises ``OSError`` where the folder cannot be written to.
    """
    with short_lock(run / LOCK_FILE):
        _finish(run)
        yield


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """An empty folder that becomes the new folder ``out`` when the block ends; nothing is left where it raises."""
    out.parent.mkdir(parents=True, exist_ok=True)
    _sweep(out.parent)
    prepared = _hidden(out.parent)
    prepared.mkdir()
    try:
        yield prepared
        (prepared / LOCK_FILE).unlink(missing_ok=True)
        prepared.rename(out)
    finally:
        shutil.rmtree(prepared, ignore_errors=True)


def settle(run: Path) -> None:
    """Finish a change that was cut short. Cheap where there is none.

    Raises ``RunError`` where there is one and the folder cannot be written to.
    """
    if not (run / COMMIT_FILE).is_file():
        return
    try:
        with exclusive(run):
            pass
    except OSError as error:
        raise RunError(
            f"a change of {run} was cut short and cannot be finished here ({error}). Make the folder writable, or copy "
            "it to a place that is."
        ) from error


def _finish(run: Path) -> None:
    """Do what ``.commit.json`` says, if it is there. To be called with the lock held."""
    commit = run / COMMIT_FILE
    try:
        record = parse(read_bytes(commit), CommitRecord)
    except MissingError:
        return
    except UnreadableError as error:
        raise RunError(f"{commit} is damaged: {error}. {_BY_HAND}") from None
    prepared, moves, removals = run / Path(record["prepared"]).name, record["moves"], record["removals"]
    if not prepared.is_dir():
        # It goes only after the commit file has gone, so somebody has taken the new files away.
        raise RunError(f"{commit} names new files in {prepared}, which is not there. {_BY_HAND}")
    for name in moves:
        _move(prepared / name, _inside(run, name), prepared)
    for name in removals:
        target = _inside(run, name)
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
    commit.unlink()
    shutil.rmtree(prepared, ignore_errors=True)


_BY_HAND = "Delete that file, and do again what was cut short: evaluate, export or vote."


def _pending(run: Path) -> str:
    """Name of the hidden folder that ``.commit.json`` names; empty where there is none or it cannot be read."""
    try:
        return parse(read_bytes(run / COMMIT_FILE), CommitRecord)["prepared"]
    except UnreadableError:
        return ""


def _move(source: Path, target: Path, prepared: Path) -> None:
    if not source.exists():
        return  # moved before the change was cut short
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        target.rename(prepared / f".old-{secrets.token_hex(4)}")
    source.replace(target)


def _inside(run: Path, name: str) -> Path:
    """The path of ``name`` within the run. A file that somebody tampered with must not reach beyond it."""
    if Path(name).is_absolute() or ".." in Path(name).parts or not Path(name).parts:
        raise RunError(f"{run / COMMIT_FILE} is damaged: it names {name}, which is not in the run. {_BY_HAND}")
    return run / name


def _hidden(parent: Path) -> Path:
    """A name for a hidden folder that says which process makes it."""
    return parent / temporary_name(_PREFIX)


def _sweep(parent: Path) -> None:
    """Delete what processes prepared that are gone."""
    for path in parent.glob(f"{_PREFIX}*"):
        if path.name != _pending(parent) and abandoned(path):
            shutil.rmtree(path, ignore_errors=True)
