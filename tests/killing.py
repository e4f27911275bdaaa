"""``kill -9`` at every write: what a process leaves on disk that dies before its first write, its second, …

A write is whatever changes the disk: opening a file to write, writing to it, renaming, deleting, making or removing a
folder, a Parquet file. Files are also left empty and half written. Between two writes the disk is what it is just
before the second, so these are all the moments there are.
"""

from __future__ import annotations

import builtins
import io
import os
import shutil
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

HUNG_S = 60

_OF_PATHS = ("replace", "rename", "unlink", "remove", "rmdir", "mkdir", "link", "symlink", "truncate")


def writes(act: Callable[[], object]) -> list[str]:
    """Do ``act`` in a child that nobody kills; what it wrote, in order. Raises where it fails."""
    told = _child(act, lambda tell: tell)
    return told.splitlines()


def kill_at(number: int, act: Callable[[], object]) -> None:
    """Do ``act`` in a child that is killed just before its write of that number, from 1."""

    def watch(tell: Callable[[str], None]) -> Callable[[str], None]:
        done = 0

        def at(_words: str) -> None:
            nonlocal done
            done += 1
            if done == number:
                os.kill(os.getpid(), signal.SIGKILL)

        return at

    _child(act, watch, killed=True)


def crashes(act: Callable[[], object], path: Path, *, hidden: int = 8) -> Iterator[str]:
    """Do ``act`` once, in a child, and put ``path`` and its hidden neighbours into each state in which a kill would
    have left them, the earliest first. Yields what was about to be done; each state at most once. Of states that differ
    in hidden folders alone, which nobody reads, only each ``hidden``-th.
    """
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder)

        def watch(tell: Callable[[str], None]) -> Callable[[str], None]:
            done = asked = 0
            last: object = None

            def at(words: str) -> None:
                nonlocal done, asked, last
                asked += 1
                now = _listing(path)
                if now != last or asked % hidden == 0:
                    last, done = now, done + 1
                    _copy(path, kept / str(done))
                    tell(words)

            return at

        for number, words in enumerate(_child(act, watch).splitlines(), start=1):
            for found in _family(path):
                shutil.rmtree(found) if found.is_dir() else found.unlink()
            for found in (kept / str(number)).iterdir():
                found.rename(path.parent / found.name)
            yield words


def _family(path: Path) -> list[Path]:
    found = [path, *path.parent.glob(".*")] if path.parent.is_dir() else []
    return [one for one in found if one.exists()]


def _listing(path: Path) -> object:
    """What is there to be read: names, which file it is, and how long."""
    found = [one for top in _family(path) for one in (top, *top.rglob("*"))]
    found = [one for one in found if not any(part.startswith(".change-") for part in one.parts)]
    return sorted((str(one), one.stat().st_ino, one.stat().st_size if one.is_file() else 0) for one in found)


def _copy(path: Path, to: Path) -> None:
    to.mkdir(parents=True)
    for found in _family(path):
        (shutil.copytree if found.is_dir() else shutil.copy2)(found, to / found.name)


def _child(
    act: Callable[[], object],
    watch: Callable[[Callable[[str], None]], Callable[[str], None]],
    *,
    killed: bool = False,
) -> str:
    """Fork, let ``watch`` see every moment in the child, and do ``act`` there. Returns what was told, line by line."""
    told, name = tempfile.mkstemp()
    try:
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                signal.alarm(HUNG_S)
                _hook(watch(lambda words: os.write(told, words.replace("\n", " ").encode() + b"\n")))
                act()
                status = 0
            except BaseException:
                os.write(told, traceback.format_exc().encode())
            finally:
                os._exit(status)
        _, status = os.waitpid(pid, 0)
        words = Path(name).read_text()
    finally:
        os.close(told)
        Path(name).unlink()
    ended = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL if killed else status == 0
    assert ended, f"status {status}: {words}"
    return words


def _hook(at: Callable[[str], Any]) -> None:
    """Call ``at`` before each write of this process, which is a child that ends soon: nothing is put back."""
    busy = False

    def now(words: str) -> None:
        nonlocal busy
        if not busy:
            busy = True
            at(words)
            busy = False

    def before(name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            now(f"{name} {' '.join(str(arg) for arg in args[:2])}")
            return plain(*args, **options)

        return call

    for name in _OF_PATHS:
        setattr(os, name, before(name, getattr(os, name)))

    plain_open = builtins.open

    def opened(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        if isinstance(file, int) or not set(mode) & set("wax+"):
            return plain_open(file, mode, *args, **options)
        now(f"open {file}")
        return _Half(plain_open(file, mode, *args, **options), str(file), now)

    builtins.open = io.open = opened  # type: ignore[assignment]
    plain_table = pq.write_table

    def table(value: Any, where: Any, *args: Any, **options: Any) -> None:
        now(f"table {where}")
        plain_table(value, where, *args, **options)
        content = Path(where).read_bytes()
        for part, words in ((content[: len(content) // 2], "half of table"), (content, "")):
            with plain_open(where, "wb") as file:
                file.write(part)
            if words:
                now(f"{words} {where}")

    pq.write_table = table


class _Half:
    """A file that is looked at before each write and in the middle of the first; else what it stands for."""

    def __init__(self, file: Any, name: str, now: Callable[[str], None]) -> None:
        self._file, self._name, self._now = file, name, now
        self._first = True

    def write(self, content: Any) -> Any:
        self._now(f"write {self._name}")
        if not self._first:
            return self._file.write(content)
        self._first = False
        middle = len(content) // 2
        size = self._file.write(content[:middle])
        self._file.flush()
        self._now(f"rest of {self._name}")
        return size + self._file.write(content[middle:])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> _Half:
        self._file.__enter__()
        return self

    def __exit__(self, *error: Any) -> Any:
        return self._file.__exit__(*error)

    def __iter__(self) -> Any:
        return iter(self._file)
