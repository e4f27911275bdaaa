"""Ray, started on this computer or found on a cluster, for as long as one command runs.

By default it starts here, for this command alone, and ends with it. ``FER_EXPLORER_CLUSTER=host:port`` names a cluster
that runs already; the command must be given on one of its computers, and all of them must see the same home. Ray is
imported here and by what runs on it, never by the app.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import signal
import socket
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.errors import ClusterError
from fer_core.leftovers import DAY_S, untouched_for
from fer_core.processes import ProcessMark
from fer_core.settings import PROJECT_ROOT, settings

if TYPE_CHECKING:
    from types import ModuleType

PREFIX = "fer-ray-"
OWNER = "owner"
"""A file that says whose the folder is: its name has no room for that."""
CLUSTER = "FER_EXPLORER_CLUSTER"
"""The environment variable that names a cluster, as ``host:port`` of its head."""
STORE_BYTES = 100_000_000
"""Of shared memory for objects on their way between processes. Ours travel as files: little more than Ray's least."""
ANSWER_S = 5.0
"""Seconds that the head of a cluster may take to accept a connection."""
STARTS = 3
"""How often a start on this computer is tried: on a busy one Ray's parts give up on each other after 15 seconds."""


@dataclass(frozen=True)
class Engine:
    """What a started engine offers: whole computers, processors and graphics cards, of which some may be in use."""

    nodes: int
    cpus: float
    gpus: float


def require_ray() -> ModuleType:
    """The module ``ray``. Raises ``ClusterError`` with one sentence where it is not installed."""
    _before_import()
    try:
        import ray
    except ImportError:
        raise ClusterError(
            "this needs Ray, which is not installed: pip install -r requirements-ray.txt. Everything else works "
            "without it."
        ) from None
    return ray


@contextlib.contextmanager
def engine(*, cpus: int | None = None, store_bytes: int = STORE_BYTES) -> Iterator[Engine]:
    """Ray for the length of the block: here, or on the cluster that :data:`CLUSTER` names.

    ``cpus``: how many processors an engine on this computer uses, by default all; a cluster has its own. Raises
    ``ClusterError`` where Ray is missing, does not start, or the cluster does not answer.
    """
    ray = require_ray()
    address = os.environ.get(CLUSTER, "").strip()
    options: dict[str, Any] = {
        "log_to_driver": False,
        # What concerns people is told by the commands; of trials that are tried again it would print tracebacks.
        "logging_level": logging.CRITICAL,
        "runtime_env": {"env_vars": environment()},
    }
    with contextlib.ExitStack() as stack:
        if address:
            _check_answers(address)
            with _own_signals():
                _connect(ray, address=address, **options)
        else:
            folder = stack.enter_context(short_folder())
            with _own_signals():
                _start(ray, folder, cpus, store_bytes, options)
        stack.callback(_shut_down, ray)
        found = ray.cluster_resources()
        alive = sum(1 for node in ray.nodes() if node["Alive"])
        yield Engine(alive, found.get("CPU", 0.0), found.get("GPU", 0.0))


def environment() -> dict[str, str]:
    """What every process on the engine gets into its environment: this very package, home and models."""
    # Ray passes paths of modules on for the directory of a script alone, not for a package beside it.
    path = os.pathsep.join(filter(None, (str(PROJECT_ROOT), os.environ.get("PYTHONPATH", ""))))
    return {
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
        "PYTHONPATH": path,
        "FER_EXPLORER_HOME": str(settings().home),
        "FER_EXPLORER_MODELS": str(settings().models_dir),
    }


def _before_import() -> None:
    # Read once, when Ray is imported. It would otherwise tell its makers that it is used.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DISABLE_IMPORT_WARNING", "1")
    # Whoever reaches the ports of Ray runs programs as this account: nobody does without the token.
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    if os.environ.get(CLUSTER):
        return
    if not {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ):
        # Ray would make one and leave it in the user's home. One that lives as long as the engine is enough.
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    # Ray takes 127.0.0.1 for a mistake and listens on every address. This makes it stay on the loopback one, on Linux,
    # too.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"


def _start(ray: ModuleType, folder: Path, cpus: int | None, store_bytes: int, options: dict[str, Any]) -> None:
    for left in reversed(range(STARTS)):
        try:
            ray.init(
                address="local",
                num_cpus=cpus,
                include_dashboard=False,
                object_store_memory=store_bytes,
                _node_ip_address="127.0.0.1",
                _temp_dir=str(folder),
                **options,
            )
            return
        except Exception as error:
            # Ray raises whatever its parts do; each is the same to whoever waits.
            ray.shutdown()
            if not left:
                raise ClusterError(f"Ray could not be started on this computer: {_first_line(error)}") from error


def _connect(ray: ModuleType, address: str, **options: Any) -> None:
    try:
        ray.init(address=address, **options)
    except Exception as error:
        ray.shutdown()
        raise ClusterError(
            f"the cluster at {address} ({CLUSTER}) does not take this computer: {_first_line(error)} The command must "
            "be given on a computer of the cluster, with its token in RAY_AUTH_TOKEN_PATH."
        ) from error


def _shut_down(ray: ModuleType) -> None:
    with _own_signals():
        ray.shutdown()


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes SIGTERM for itself as it starts, and gives it back to the system, which kills, as it ends. After the
    block signals mean again what the command has made of them; one that Ray got meanwhile is an interruption, too.
    """
    # Only the main thread may have handlers, and Ray sets none in another.
    here = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)} if here else {}
    try:
        yield
    except SystemExit:
        # Ray's handler. It leaves with this once it has ended what it had started.
        raise KeyboardInterrupt from None
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)


def _check_answers(address: str) -> None:
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdigit()):
        raise ClusterError(f"{CLUSTER} is {address!r}; it must be host:port of the cluster's head.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"nothing answers at {address} ({CLUSTER}): {error}. Start the cluster (ray start --head), or unset the "
            "variable to use this computer alone."
        ) from None


@contextlib.contextmanager
def short_folder(where: Path | None = None) -> Iterator[Path]:
    """A folder for sockets and logs, deleted afterwards; those of engines whose command was killed go first.

    Names of sockets may have about a hundred letters in all, so it lies in ``where``, by default ``/tmp``.
    """
    if where is None:
        where = Path(tempfile.gettempdir() if sys.platform == "win32" else "/tmp")
    clear_left_behind(where)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=where))
    try:
        (folder / OWNER).write_text(str(ProcessMark.me()), encoding="ascii")
        # Ray lets every account of this computer write into the folder that it is given. Nobody gets that far.
        inside = folder / "r"
        inside.mkdir()
        yield inside
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_left_behind(where: Path) -> None:
    """Delete the folders of engines whose command is gone; where that cannot be seen, what nobody touched for a day."""
    for folder in where.glob(f"{PREFIX}*"):
        try:
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != _account():
                continue
            mark = ProcessMark.find((folder / OWNER).read_text(encoding="ascii"))
        except FileNotFoundError:
            mark = None  # it is being made just now, or an earlier version has made it
        except (OSError, ValueError):
            continue
        alive = mark.alive() if mark is not None else None
        if untouched_for(folder, DAY_S) if alive is None else not alive:
            # Another command that starts now may be at it, too.
            shutil.rmtree(folder, ignore_errors=True)


def _account() -> int:
    """Of this process, as files have it: 0 where the system knows none."""
    return 0 if sys.platform == "win32" else os.getuid()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300].rstrip(". ") + "."
