"""How much memory is left for this process and its children, and giving back what is not needed any more."""

from __future__ import annotations

import ctypes
import sys
import threading
from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
NO_LIMIT = 2**60
"""Control groups of version 1 say "no limit" with a number about as large as an address can be."""
MMAP_THRESHOLD = 256 * 1024
"""Bytes from which on a block is asked of the system alone, and goes back to it when it is freed. By itself glibc
raises this to 32 MB after the first large block, and keeps what lies below."""
ARENAS = 2
"""Heaps that threads share. By itself glibc makes eight for each core, and none gives back what another could use."""
LARGE = 32 * 1024**2
"""Bytes from which on a training's block is asked of the system alone: what it needs for each batch lies below. Asking
for that anew each time costs a training 40 % of its CPU time."""
TRIM_THRESHOLD = 1024**2
"""Bytes that may lie free at a heap's end."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX, _MADV_DONTNEED = -1, -3, -8, 4
_trimming = threading.Lock()


def free_memory() -> float:
    """Bytes that this process and new ones may still take: what the machine has, or the least that a container's leave.

    In a container the machine's figures are the host's. Limits are those of this process's own control group and of
    all above it, of version 2 (https://docs.kernel.org/admin-guide/cgroup-v2.html) and 1; elsewhere there are none.
    """
    left = float(psutil.virtual_memory().available)
    for folder, files in _groups():
        room = _room(folder, *files)
        left = left if room is None else min(left, room)
    return left


_V2 = ("memory.max", "memory.current", "inactive_file")
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def _groups() -> list[tuple[Path, tuple[str, str, str]]]:
    """The folders of this process's groups, from its own to the root, with the names of limit, use and cached files.

    Where the container's own mount hides the path that the host knows, the mount's root is the container's group.
    """
    try:
        lines = OWN_GROUPS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found: list[tuple[Path, tuple[str, str, str]]] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            roots, files = [CGROUP, CGROUP / "unified"], _V2
        elif "memory" in controllers.split(","):
            roots, files = [CGROUP / "memory"], _V1
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for root in roots:
            found += [(root.joinpath(*parts[:depth]), files) for depth in range(len(parts), -1, -1)]
    return found


def _room(folder: Path, limit_file: str, used_file: str, cached: str) -> float | None:
    """What a group's limit leaves; None where it has none, or is not there."""
    try:
        limit = (folder / limit_file).read_text(encoding="ascii").strip()
        if limit == "max" or float(limit) >= NO_LIMIT:
            return None
        used = float((folder / used_file).read_text(encoding="ascii"))
        stat = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
    except OSError:
        return None
    # Cached files count as used, but give way when somebody needs the room.
    return max(float(limit) - used + float(stat.get(cached, 0)), 0.0)


def no_room(needed: float, what: str) -> str:
    """Why ``what``, which needs so many bytes, cannot be begun, as one sentence; empty where they are left."""
    left = free_memory()
    if left >= needed:
        return ""
    return f"{what} needs about {needed / 1e9:.1f} GB of memory, and {left / 1e9:.1f} GB are left on this server."


def stay_small() -> None:
    """Have freed blocks go back to the system: for a process that lives long. To be called before there are any.

    Arrow gets its memory from the C library, like all else: its own keeper held 53 MB that nobody used. Where the
    library is not glibc, no more is done.
    """
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())
    libc = _glibc()
    if libc is not None:
        libc.mallopt(_M_ARENA_MAX, ARENAS)
        libc.mallopt(_M_MMAP_THRESHOLD, MMAP_THRESHOLD)


def stay_moderate() -> None:
    """For a process that trains or measures with TensorFlow, at its start: 130 MB less, for no more CPU time.

    TensorFlow's threads each have a heap by themselves, and the largest batch that each has seen stays in it.
    """
    libc = _glibc()
    if libc is not None:
        libc.mallopt(_M_ARENA_MAX, ARENAS)
        libc.mallopt(_M_MMAP_THRESHOLD, LARGE)
        libc.mallopt(_M_TRIM_THRESHOLD, TRIM_THRESHOLD)


def give_back() -> None:
    """Give the system what has been freed and lies in the heaps: after large work. Some milliseconds."""
    libc = _glibc()
    if libc is not None and _trimming.acquire(blocking=False):
        try:
            libc.malloc_trim(0)
        finally:
            _trimming.release()


def forget_mapped(path: Path) -> None:
    """Let go of a file's pages that this process has mapped and read; it reads them again where it needs them."""
    libc = _glibc()
    if libc is None:
        return
    name = str(path.resolve())
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        columns = line.split(maxsplit=5)
        # Never what may be written to: what was written there would be lost.
        if len(columns) == 6 and columns[5] == name and "w" not in columns[1]:
            begin, end = (int(value, 16) for value in columns[0].split("-"))
            libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), _MADV_DONTNEED)


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None
