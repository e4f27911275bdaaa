"""A limit of memory for the app's process and its children: a control group where one can be made, else RLIMIT_DATA.

A control group (Linux) counts what is really in memory, of all processes in it together, as a container's limit does,
and kills a process where nothing can be given back. RLIMIT_DATA counts each process by itself, and what it has asked
for rather than what it uses (every thread asks for a stack of 8 MB), so it is the stricter of the two; where it is
reached, Python raises ``MemoryError``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fer_core.errors import FerError

ROOT = Path("/sys/fs/cgroup")
NAME = "fer-explorer-memory"


@dataclass(frozen=True)
class Limit:
    """``prefix``: a command that enters the limit and becomes the command after it. ``words``: which kind it is.

    ``group``: the control group's folder; None for RLIMIT_DATA, which keeps no count.
    """

    prefix: tuple[str, ...]
    words: str
    group: Path | None = None

    def peak_mb(self) -> float | None:
        """The most that was in memory at once, cached files included, in MB; None where nobody counted."""
        for name in ("memory.peak", "memory.max_usage_in_bytes"):
            if self.group is not None and (self.group / name).exists():
                return float((self.group / name).read_text(encoding="ascii")) / 1e6
        return None

    def kills(self) -> int | None:
        """Processes that were killed for want of memory; None where nobody counted."""
        for name in ("memory.events", "memory.oom_control"):
            if self.group is not None and (self.group / name).exists():
                lines = (self.group / name).read_text(encoding="ascii").splitlines()
                counts = dict(line.split()[:2] for line in lines)
                return int(counts.get("oom_kill", 0))
        return None


@contextmanager
def limited(megabytes: float) -> Iterator[Limit]:
    """A limit of so many MB (a million bytes), taken away afterwards.

    Raises ``FerError`` for less than 100 MB, or on systems other than Linux.
    """
    if megabytes < 100:
        raise FerError("--limit must be at least 100 (MB): the app does not even start in less.")
    if not Path("/proc/self/cgroup").exists():
        raise FerError("--limit needs Linux. Measure without it here.")
    group = _make_group(int(megabytes * 1e6))
    if group is None:
        kilobytes = int(megabytes * 1e6 / 1024)
        yield Limit(
            ("/bin/sh", "-c", f'ulimit -d {kilobytes} && exec "$@"', "sh"),
            f"RLIMIT_DATA of {megabytes:.0f} MB for each process (no control group can be made here)",
        )
        return
    folder, version = group
    try:
        yield Limit(
            ("/bin/sh", "-c", f'echo $$ > "{folder}/cgroup.procs" && exec "$@"', "sh"),
            f"control group (version {version}) of {megabytes:.0f} MB, without swap, for the app and its children",
            folder,
        )
    finally:
        _remove(folder)


def _make_group(limit: int) -> tuple[Path, int] | None:
    """A group below the one this process is in: its folder and version. None where that is not allowed."""
    for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            parent, version, file = ROOT / "memory" / path.lstrip("/"), 1, "memory.limit_in_bytes"
        elif not controllers:
            parent, version, file = ROOT / path.lstrip("/"), 2, "memory.max"
        else:
            continue
        folder = parent / f"{NAME}-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        try:
            (folder / file).write_text(str(limit), encoding="ascii")
            # With swap, a limit is no limit. The file is absent where the kernel counts none.
            swap, value = ("memory.memsw.limit_in_bytes", str(limit)) if version == 1 else ("memory.swap.max", "0")
            if (folder / swap).exists():
                (folder / swap).write_text(value, encoding="ascii")
            return folder, version
        except OSError:
            _remove(folder)
    return None


def _remove(folder: Path) -> None:
    """Take the group away; whoever is still in it goes back to its parent first."""
    for pid in (folder / "cgroup.procs").read_text(encoding="ascii").split():
        try:
            (folder.parent / "cgroup.procs").write_text(pid, encoding="ascii")
        except OSError:
            continue  # it has just ended
    folder.rmdir()
