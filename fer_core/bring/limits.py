"""What a process may take that opens a stranger's file: memory, time, files, no network. For that process itself."""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass

CPU_SECONDS = 900
"""TensorFlow starts in 10; 400 faces at seven scales take ResNet50 at 224 pixels some 500 on one core."""
ADDRESS_BYTES = 24 * 1024**3
"""Of addresses, of which TensorFlow reserves many more than it uses: what it uses, the parent watches."""
FILE_BYTES = 3 * 1024**3
OPEN_FILES = 512
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000


@dataclass(frozen=True)
class Limits:
    """``network``: whether the process could be cut off from it. Elsewhere than on Linux it cannot."""

    network: bool


def limit_this_process() -> Limits:
    """Take the limits, before anything of a stranger is opened and before any library starts threads.

    They cannot be loosened again, and child processes inherit them. A system that has no such limit goes without: the
    parent's clock and its watch over memory hold everywhere.
    """
    if sys.platform != "win32":
        _resources()
    return Limits(network=_cut_off())


def _resources() -> None:
    import resource

    for kind, most in (
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, ADDRESS_BYTES),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (allowed, allowed))
        except (ValueError, OSError):
            # macOS has no limit on addresses.
            continue


def _cut_off() -> bool:
    """Into a network of its own, which has nothing in it: by the right to do so, or as a user of a world of its own."""
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return any(libc.unshare(flags) == 0 for flags in (_NEW_NET, _NEW_USER | _NEW_NET))


def clean_environment(scratch: str) -> dict[str, str]:
    """What the process sees of the environment: no passwords and keys, and its own folder for all that is written."""
    kept = (
        "PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "SYSTEMROOT", "TF_NUM_INTRAOP_THREADS",
        "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VIRTUAL_ENV",
    )  # fmt: skip
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "HOME": scratch,
        "TMPDIR": scratch,
        "TEMP": scratch,
        "KERAS_HOME": scratch,
        "KERAS_BACKEND": "tensorflow",
        "FER_EXPLORER_HOME": scratch,
        "HDF5_PLUGIN_PATH": scratch,
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
