"""LiteRT's interpreters: one for each model file in a process, shared by all that ask it, and closed when unused.

An open interpreter holds the weights a second time, in the order in which its kernels read them, and room for the
largest batch it has seen. So a model that Live, Explain and a vote ask is open once, batches are small, and what
nobody has asked for a while is closed; the next question opens it again, in a fraction of a second.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, IMAGE_SIZE
from fer_core.errors import RunError
from fer_core.memory import forget_mapped, give_back
from fer_core.threads import start_thread

CHUNK = 8
"""Faces per call. With 64, VGG16 takes 9 % less of a core and ResNet50 1 %, and they hold 100 MB more each."""
BYTES_PER_BYTE = 3.0
"""What an open model holds for each byte of its file: 2.7 measured for VGG16, whose file is in half precision."""
BUDGET = 350e6
"""Bytes that open models may hold together, by that estimate: the four that ship take 250 MB."""
IDLE_SECONDS = 50.0
"""After which a model that nobody asks is closed: while somebody looks at a page they seldom pause longer, and opening
it again takes a tenth of a second."""
LOOK_SECONDS = 10.0
IN_USE_SECONDS = 5.0
"""For so long after a question a model counts as in use, and stays open whatever others take."""

Floats = npt.NDArray[np.float32]
NO_MAPS: Floats = np.zeros((1, COUNT, 1, 1), dtype=np.float32)
"""What stands for class maps where a model has none: one cell, in which nothing speaks for anything. Whatever looks at
maps says of one cell that it shows nothing."""


class Turns:
    """A lock that is given in the order in which it was asked for, so that a long series of calls starves nobody."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._taken = False

    @property
    def free(self) -> bool:
        """Whether nobody has it at this moment."""
        return not self._taken

    def __enter__(self) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False


@dataclass(frozen=True)
class _Opened:
    interpreter: Any
    input: int
    probabilities: int
    maps: int | None
    """None: a brought model whose head has none."""


class SharedInterpreter:
    """One model file. Safe to share between threads: calls take turns. Make it with :func:`interpreter_of`."""

    def __init__(self, path: Path, threads: int, size: int) -> None:
        """``size``: of the file, in bytes."""
        self.path, self.threads = path, threads
        self._size = size
        self.used_s = time.monotonic()
        self._turns = Turns()
        self._opened: _Opened | None = None
        self._batch = 0

    @property
    def bytes(self) -> float:
        """What it holds now, estimated from its file's size; 0 while it is closed."""
        return 0.0 if self._opened is None else self._size * BYTES_PER_BYTE

    @property
    def idle(self) -> bool:
        """Whether it is open and answers nobody at this moment."""
        return self._opened is not None and self._turns.free

    def run(self, images: npt.NDArray[np.uint8]) -> tuple[Floats, Floats]:
        """Probabilities (B, 7) and maps (B, 7, h, w) of at most :data:`CHUNK` faces uint8 (B, 48, 48); of a
        model without maps :data:`NO_MAPS`.

        Opens the file where it is closed: raises ``RunError`` when it is missing, is no LiteRT model, or has other
        inputs or outputs than ours.
        """
        batch = images.astype(np.float32)[..., np.newaxis]
        with self._turns:
            fresh = self._opened is None
            opened = self._opened or _open(self.path, self.threads)
            if fresh:
                self._opened, self._batch = opened, 0
            interpreter = opened.interpreter
            if len(batch) != self._batch:
                # Planning the memory anew costs more than a prediction, so only when the size changes.
                self._batch = 0
                interpreter.resize_tensor_input(opened.input, list(batch.shape))
                interpreter.allocate_tensors()
                self._batch = len(batch)
            interpreter.set_tensor(opened.input, batch)
            interpreter.invoke()
            probabilities = interpreter.get_tensor(opened.probabilities)
            maps = NO_MAPS if opened.maps is None else interpreter.get_tensor(opened.maps)
            answer = probabilities, np.broadcast_to(maps, (len(batch), *maps.shape[1:]))
            if fresh:
                # Its kernels have their own copy of the weights by now.
                forget_mapped(self.path)
            self.used_s = time.monotonic()
        if fresh:
            _keep_within(BUDGET, self)
        _watch_idle()
        return answer

    def close(self) -> None:
        """Give its memory back; the next question opens it again."""
        with self._turns:
            self._opened, self._batch = None, 0
        give_back()


_known: weakref.WeakValueDictionary[tuple[object, ...], SharedInterpreter] = weakref.WeakValueDictionary()
_guard = threading.Lock()
_watching = False


def interpreter_of(path: Path, threads: int) -> SharedInterpreter:
    """The one interpreter of this file; another file at the same place has another.

    Raises ``RunError`` where there is no such file.
    """
    try:
        about = path.stat()
    except OSError as error:
        raise RunError(f"there is no model file {path}.") from error
    key = (str(path.resolve()), about.st_mtime_ns, about.st_size, about.st_ino, threads)
    with _guard:
        found = _known.get(key)
        if found is None:
            found = _known[key] = SharedInterpreter(path, threads, about.st_size)
        return found


def open_interpreters() -> list[SharedInterpreter]:
    """Those that hold memory now, the longest unused first."""
    with _guard:
        held = [one for one in _known.values() if one.bytes]
    return sorted(held, key=lambda one: one.used_s)


def close_unused(seconds: float = IDLE_SECONDS) -> None:
    """Close those that nobody has asked for so long."""
    for one in open_interpreters():
        if one.idle and time.monotonic() - one.used_s >= seconds:
            one.close()


def _keep_within(budget: float, asked: SharedInterpreter) -> None:
    """Close the longest unused until the rest fits, but none in use: a stream asks all its models for each frame."""
    held = open_interpreters()
    total = sum(one.bytes for one in held)
    for one in held:
        if total <= budget:
            return
        if one is not asked and one.idle and time.monotonic() - one.used_s >= IN_USE_SECONDS:
            total -= one.bytes
            one.close()


def _watch_idle() -> None:
    """Look from time to time, as long as anything is open."""
    global _watching
    with _guard:
        if not _watching:
            start_thread(_look, "close models")
            _watching = True


def _look() -> None:
    global _watching
    while True:
        time.sleep(LOOK_SECONDS)
        close_unused()
        with _guard:
            if not any(one.bytes for one in _known.values()):
                _watching = False
                return


def _open(path: Path, threads: int) -> _Opened:
    # Imported here: it costs 0.2 s, and most commands never predict.
    from ai_edge_litert.interpreter import Interpreter

    if not path.is_file():
        raise RunError(f"there is no model file {path}.")
    try:
        interpreter = Interpreter(model_path=str(path), num_threads=threads)
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    except (ValueError, RuntimeError) as error:
        raise RunError(f"{path} is not a LiteRT model, or it is damaged ({error}).") from error
    by_rank = {len(output["shape"]): output for output in outputs}
    fits = (
        len(inputs) == 1
        and inputs[0]["dtype"] == np.float32
        and list(inputs[0]["shape"][1:]) == [IMAGE_SIZE, IMAGE_SIZE, 1]
        and len(outputs) == len(by_rank)
        and set(by_rank) in ({2}, {2, 4})
        and all(output["shape"][1] == COUNT for output in outputs)
    )
    if not fits:
        raise RunError(
            f"{path} is not one of our models: one input (B, 48, 48, 1) and two outputs, "
            "probabilities (B, 7) and class maps (B, 7, h, w), were expected. Make it with: python -m fer_core export "
            "RUN --data DATASET. A model from elsewhere: python -m fer_core models import FILE --data DATASET"
        )
    maps = by_rank[4]["index"] if 4 in by_rank else None
    return _Opened(interpreter, inputs[0]["index"], by_rank[2]["index"], maps)


def default_threads(most: int) -> int:
    """Threads for a model on this computer, at most so many."""
    return min(most, os.cpu_count() or 1)
