"""Memory that is left, by the machine and by every control group above this process; giving it back."""

from __future__ import annotations

import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from fer_core import memory

Memory = namedtuple("Memory", "available")


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up ``/sys/fs/cgroup`` on a machine with 8 GB left; the process is in no group yet."""
    root = tmp_path / "cgroup"
    root.mkdir()
    monkeypatch.setattr(memory, "CGROUP", root)
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: Memory(8e9))
    return root


def belong(groups: Path, *lines: str) -> None:
    (groups.parent / "own").write_text("\n".join(lines) + "\n", encoding="utf-8")


def group(folder: Path, limit: str, used: int, cached: int, *, version: int = 2) -> None:
    names = ("memory.max", "memory.current", "inactive_file")
    if version == 1:
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip((*names[:2], "memory.stat"), (limit, str(used), f"anon 1\n{names[2]} {cached}"), strict=True):
        (folder / name).write_text(text + "\n", encoding="ascii")


def test_without_groups_it_is_what_the_machine_has(groups: Path) -> None:
    assert memory.free_memory() == 8e9
    belong(groups, "0::/")
    assert memory.free_memory() == 8e9


def test_a_containers_limit_counts_where_it_leaves_less_than_the_host_has(groups: Path) -> None:
    """On a shared host the machine's free memory used to be taken for ours, and the training was killed."""
    belong(groups, "0::/")
    group(groups, "max", 500_000_000, 200_000_000)
    assert memory.free_memory() == 8e9
    group(groups, "1000000000", 500_000_000, 200_000_000)
    assert memory.free_memory() == 7e8


def test_the_tightest_of_all_groups_above_counts(groups: Path) -> None:
    """Only the root's limit used to be read, which a service's own group, or the pod's above it, undercuts."""
    belong(groups, "0::/pod/app")
    group(groups / "pod" / "app", "max", 1, 0)
    assert memory.free_memory() == 8e9
    group(groups / "pod", "900000000", 400_000_000, 0)
    assert memory.free_memory() == 5e8
    group(groups / "pod" / "app", "300000000", 100_000_000, 50_000_000)
    assert memory.free_memory() == 2.5e8


def test_version_1_is_read_too_and_its_word_for_no_limit_known(groups: Path) -> None:
    belong(groups, "9:name=systemd:/x", "4:cpu,memory:/docker/app", "0::/")
    group(groups / "memory", "9223372036854771712", 10**9, 0, version=1)
    assert memory.free_memory() == 8e9
    group(groups / "memory" / "docker" / "app", "700000000", 300_000_000, 100_000_000, version=1)
    assert memory.free_memory() == 5e8


def test_a_container_that_sees_its_own_group_as_the_root_finds_it(groups: Path) -> None:
    """The path in ``/proc/self/cgroup`` is the host's, of which a container's mount shows the last folder alone."""
    belong(groups, "4:memory:/docker/0123abcd")
    group(groups / "memory", "690000000", 190_000_000, 0, version=1)
    assert memory.free_memory() == 5e8


def test_a_group_that_is_over_its_limit_has_nothing_left(groups: Path) -> None:
    belong(groups, "0::/")
    group(groups, "100", 500, 0)
    assert memory.free_memory() == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's heaps are Linux's")
@pytest.mark.parametrize(("size", "trim"), [(60_000, "give_back()"), (2_000_000, "None")])
def test_what_is_freed_goes_back_to_the_system(size: int, trim: str) -> None:
    """Small blocks by request, large ones by themselves; both used to stay, below one that was still in use."""
    code = f"""
import psutil
from fer_core.memory import give_back, stay_small
stay_small()
resident = lambda: psutil.Process().memory_info().rss / 1e6
# Freed blocks of 30 MB make glibc keep whatever is smaller, if it is left to itself.
bytearray(30_000_000); before = resident()
blocks = [bytearray(b"x") * {size} for _ in range(200_000_000 // {size})]; kept = blocks[::50] + blocks[-1:]
full = resident(); del blocks; {trim}; print(before, full, resident())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, full, after = map(float, done.stdout.split())
    assert full - before > 150
    assert after - before < 50


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's heaps are Linux's")
def test_threads_that_take_much_and_give_it_back_leave_none_of_it_in_heaps_of_their_own() -> None:
    """Each thread of a training kept the largest batch that it had seen."""
    code = """
import threading
import psutil
from fer_core.memory import stay_moderate
stay_moderate()
resident = lambda: psutil.Process().memory_info().rss / 1e6
turn, before = threading.Barrier(12), resident()
def work():
    for _ in range(3):
        block = bytearray(b"x") * 20_000_000
        turn.wait()
        del block
        turn.wait()
threads = [threading.Thread(target=work) for _ in range(12)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
print(resident() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 120


def test_arrow_has_no_memory_of_its_own() -> None:
    """Its own keeper held 53 MB of the app's process for good."""
    code = (
        "import pyarrow as pa; from fer_core.memory import stay_small; stay_small(); "
        "print(pa.default_memory_pool().backend_name)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "system"
