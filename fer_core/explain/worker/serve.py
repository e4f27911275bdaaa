"""The worker's side of the pipe: hears requests and cancellations, answers one request after the other.

Knows nothing of models, so that tests can serve something quick. Standard input and output are taken away from
everything else, which may print: pickles alone go through them, and output by others to standard error.
"""

from __future__ import annotations

import io
import os
import pickle
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

from fer_core.errors import FerError
from fer_core.progress import Meter, Progress

RUN, CANCEL = "run", "cancel"
READY, PROGRESS, DONE, FAILED, BROKEN, CANCELLED = "ready", "progress", "done", "failed", "broken", "cancelled"


class Cancelled(Exception):  # noqa: N818 - it is no error
    """Somebody does not want the answer any more."""


class Watch:
    """Handed to whatever computes: tells progress, and stops it, between two pieces of work, once it is cancelled."""

    def __init__(
        self, callback: Callable[[Progress], None] | None = None, cancelled: Callable[[], bool] = bool
    ) -> None:
        self._callback, self.cancelled = callback, cancelled
        self._meter = Meter(None, "", "")

    def begin(self, unit: str, message: str) -> None:
        """What is counted from now on, such as "masks"."""
        self._meter = Meter(self._callback, unit, message)
        self.check()

    def step(self, done: int, total: int) -> None:
        """``done`` of ``total``. Raises :class:`Cancelled`."""
        self._meter.update(done, total, force=done == total)
        self.check()

    def check(self) -> None:
        """Raises :class:`Cancelled` where it is time to stop."""
        if self.cancelled():
            raise Cancelled


Handle = Callable[[Any, Watch], Any]


def serve(handle: Handle, prepare: Callable[[], None]) -> None:
    """Run ``prepare`` once, say so, then answer requests until standard input ends, which ends the process."""
    inbox, outbox = _pipes()
    requests: queue.Queue[tuple[int, bytes]] = queue.Queue()
    cancelled: set[int] = set()
    threading.Thread(target=_listen, args=(inbox, requests, cancelled), name="listen", daemon=True).start()

    def send(*message: Any) -> None:
        pickle.dump(message, outbox, protocol=pickle.HIGHEST_PROTOCOL)
        outbox.flush()

    def watch_over(number: int) -> Watch:
        return Watch(lambda progress: send(PROGRESS, number, progress), lambda: number in cancelled)

    prepare()
    send(READY)
    while True:
        number, request = requests.get()
        watch = watch_over(number)
        try:
            watch.check()
            answer = handle(pickle.loads(request), watch)
        except Cancelled:
            send(CANCELLED, number)
        except FerError as error:
            send(FAILED, number, str(error))
        except Exception as error:
            # A defect, or too little memory for one layer: the app logs the trace, and the next request may do better.
            send(BROKEN, number, f"{type(error).__name__}: {error}", traceback.format_exc())
        else:
            send(DONE, number, answer)


def _listen(inbox: io.BufferedReader, requests: queue.Queue[tuple[int, bytes]], cancelled: set[int]) -> None:
    while True:
        try:
            kind, number, *rest = pickle.load(inbox)
        except (EOFError, OSError, pickle.UnpicklingError):
            # The app has gone, or has let go. Nothing here needs tidying up, and TensorFlow takes its time to.
            os._exit(0)
        if kind == CANCEL:
            cancelled.add(number)
        else:
            requests.put((number, rest[0]))


def _pipes() -> tuple[io.BufferedReader, io.BufferedWriter]:
    sys.stdout.flush()
    inbox, outbox = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return inbox, outbox
