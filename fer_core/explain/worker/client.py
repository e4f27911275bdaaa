"""The app's side of the gradient worker: a queue, one child process on demand, its state, progress and cancelling.

One request runs at a time, for all visitors of a server together; the same request by two people is computed once, and
answers are kept. A thread serves the queue while there is a child; nothing here needs TensorFlow or Streamlit.

Cancelling happens between two pieces of work (eight faces). Where a piece takes longer than :data:`CANCEL_SECONDS`, the
process is ended instead, and the next request starts another one.
"""

from __future__ import annotations

import functools
import logging
import pickle
import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from fer_core.errors import BusyError, ExplainError
from fer_core.explain.task import CANCELLED, DONE, FAILED, FORGOTTEN, FORGOTTEN_S, QUEUED, RUNNING, Task, TaskStage
from fer_core.explain.worker import serve
from fer_core.explain.worker.child import Child
from fer_core.fair_queue import FairQueue, Lane
from fer_core.memory import no_room
from fer_core.progress import ProgressCallback
from fer_core.settings import settings
from fer_core.threads import start_thread

OFF: Final = "off"
STARTING: Final = "starting"
BUSY: Final = "busy"
IDLE: Final = "idle"
CRASHED: Final = "crashed"
COMMAND = (sys.executable, "-m", "fer_core.explain.worker")
CANCEL_SECONDS = 3.0
"""Longer than eight faces take in any model here, and about as long as people wait for a button."""
START_SECONDS = 600.0
"""Loading TensorFlow takes 5 to 30 seconds, and minutes on a machine that trains meanwhile. This is for one that hangs;
whoever is less patient has a button."""
CHILD_BYTES = 0.9e9
"""TensorFlow with three models open, measured on Linux."""
MOST_TASKS = 512
"""Finished requests that are remembered, the latest: at most 10 KB each, sanity checks 200 KB."""

State = Literal["off", "starting", "busy", "idle", "crashed"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Status:
    """The worker at one moment. ``message``: of a crash, kept until a request has gone well. ``queued``: waiting."""

    state: State
    message: str
    pid: int | None
    queued: int
    running: Task | None


class Worker:
    """The gradient worker of a server. Making one starts nothing; it may be shared by any number of threads."""

    def __init__(
        self,
        command: Sequence[str] = COMMAND,
        *,
        idle_seconds: float | None = None,
        cancel_seconds: float = CANCEL_SECONDS,
        start_seconds: float = START_SECONDS,
        line: FairQueue | None = None,
        forgotten_s: float = FORGOTTEN_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``idle_seconds``: after which it ends without a request, by default the settings'. ``command``: for tests.

        ``line``: whose :data:`Lane.WORKER` says whose turn it is; without it all requests wait in one of their own.
        ``forgotten_s``: seconds without :meth:`find` or :meth:`run`, by ``clock``, after which what waits is given up.
        """
        self._command = tuple(command)
        self._idle_seconds = settings().worker_idle_seconds if idle_seconds is None else idle_seconds
        self._cancel_seconds, self._start_seconds = cancel_seconds, start_seconds
        self._forgotten_s, self._clock = forgotten_s, clock
        self._line = line or FairQueue({Lane.WORKER: 1})
        self._changed = threading.Condition()
        # All below is guarded by it.
        self._tasks: OrderedDict[Any, Task] = OrderedDict()
        self._queue: deque[Task] = deque()
        self._running: Task | None = None
        self._child: Child | None = None
        self._state: State = OFF
        self._message = ""
        self._thread: threading.Thread | None = None
        self._warm = self._stopping = False
        self._numbers = 0

    def submit(self, request: Any, owner: str = "") -> Task:
        """Ask for something hashable. Waiting, running and answered requests are not asked for again.

        ``owner``: the visitor, so that each has a turn. Raises ``BusyError`` where too much waits already.
        """
        with self._changed:
            self._give_up_forgotten()
            known = self._tasks.get(request)
            if known is not None and known.stage in (QUEUED, RUNNING, DONE) and not known.cancelling:
                self._tasks.move_to_end(request)
                known.askers.add(owner)
                known.looked = self._clock()
                return known
            ticket = self._line.ask(owner, Lane.WORKER, called=self._called)
            self._numbers += 1
            task = self._tasks[request] = Task(request, self._numbers, ticket)
            task.askers.add(owner)
            task.looked = self._clock()
            self._tasks.move_to_end(request)
            try:
                task.packed = pickle.dumps(request, protocol=pickle.HIGHEST_PROTOCOL)
            except Exception as error:
                # Most likely Streamlit has loaded edited modules anew under a running page, which holds classes of
                # both. Which exception that gives depends on the class and on Python's version.
                _log.exception("a request could not be sent to the gradient worker")
                task.close(FAILED, f"The program was changed while this page ran ({error}). Reload the page.")
                return task
            self._queue.append(task)
            for old in [key for key, one in self._tasks.items() if one.over][: max(0, len(self._tasks) - MOST_TASKS)]:
                del self._tasks[old]
            self._wake()
            return task

    def find(self, request: Any) -> Task | None:
        """The latest task of that request, or None. Whoever waits for it asks again and again."""
        with self._changed:
            if (task := self._tasks.get(request)) is not None:
                task.looked = self._clock()
            return task

    def run(self, request: Any, *, timeout: float = 600, progress: ProgressCallback | None = None) -> Any:
        """Submit, wait at most ``timeout`` seconds, and return the answer. Raises ``ExplainError``."""
        task, deadline, last_progress = self.submit(request), time.monotonic() + timeout, None
        while not task.over and time.monotonic() < deadline:
            task.wait(min(0.1, max(0.0, deadline - time.monotonic())))
            task.looked = self._clock()
            if progress is not None and task.progress is not None and task.progress is not last_progress:
                last_progress = task.progress
                progress(last_progress)
        return task.result(0)

    def position(self, task: Task) -> int:
        """1 for the request that is served next, and so on: 0 for one that runs or is over."""
        return task.ticket.position()

    def no_room(self) -> str:
        """Why the process cannot be started now, as a sentence; empty where it can, or runs already."""
        with self._changed:
            if self._child is not None and self._child.alive:
                return ""
        return no_room(CHILD_BYTES, "Gradients are computed in a process of its own, which")

    def status(self) -> Status:
        with self._changed:
            if self._state == IDLE and self._child is not None and not self._child.alive:
                # The thread notices within a second, too.
                self._crashed(self._child)
            pid = self._child.pid if self._child is not None else None
            return Status(self._state, self._message, pid, len(self._queue), self._running)

    def start(self) -> None:
        """Start the process before there is a request."""
        with self._changed:
            self._warm = True
            self._wake()

    def stop(self) -> None:
        """End the process and everything that waits for it, of all visitors. Returns at once."""
        with self._changed:
            self._message = ""
            while self._queue:
                self._queue.popleft().close(CANCELLED, "The worker was stopped before this was its turn.")
            self._warm = False
            if self._thread is None:
                self._state = OFF
                return
            self._stopping = True
            child = self._child
            self._changed.notify_all()
        if child is not None:
            child.kill()

    def cancel(self, task: Task) -> None:
        """Give up a request, for everybody who waits for it. Nothing happens to one that is over."""
        with self._changed:
            if task in self._queue:
                self._queue.remove(task)
                task.close(CANCELLED, "Cancelled before its turn.")
                return
            if task.over or task.cancelling:
                return
            task.cancelling = True
            child = self._child if self._state == BUSY else None
        if child is not None:
            child.send(serve.CANCEL, task.number)
            timer = threading.Timer(self._cancel_seconds, self._insist, (task, child))
            timer.daemon = True
            timer.start()

    def _insist(self, task: Task, child: Child) -> None:
        if not task.over:
            child.kill()

    def _called(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _give_up_forgotten(self) -> None:
        """Called with the lock."""
        now = self._clock()
        for task in list(self._queue):
            if now - task.looked > self._forgotten_s:
                self._queue.remove(task)
                task.close(CANCELLED, FORGOTTEN)

    def _wake(self) -> None:
        if self._thread is None:
            try:
                self._thread = start_thread(self._work, "gradient worker")
            except BusyError as error:
                self._warm = False
                self._give_up(f"The gradient worker could not be started. {error}")
                return
        self._changed.notify_all()

    def _work(self) -> None:
        """Serve the queue until the process has been idle for long enough, crashed while idle, or was stopped."""
        try:
            while (job := self._next()) is not None:
                job()
        except BaseException as error:
            # Without this, pages would wait for ever.
            with self._changed:
                self._give_up(f"The gradient worker broke off: {type(error).__name__}: {error}")
            raise

    def _next(self) -> Callable[[], None] | None:
        """What to do now; None when the thread shall end, the process having ended before."""
        with self._changed:
            deadline = time.monotonic() + self._idle_seconds
            while not self._stopping:
                if self._child is not None and not self._child.alive:
                    self._crashed(self._child)
                self._give_up_forgotten()
                task = next((one for one in self._queue if one.ticket.its_turn), None)
                if task is not None:
                    self._queue.remove(task)
                    self._running, task.stage = task, RUNNING
                    return functools.partial(self._serve, task)
                if self._warm:
                    self._warm = False
                    return self._only_start
                left = deadline - time.monotonic()
                if not self._queue and (self._child is None or left <= 0):
                    break
                self._changed.wait(1.0 if self._queue else min(left, 1.0))
            child, self._child = self._child, None
            self._thread, self._stopping = None, False
            if self._state != CRASHED:
                self._state = OFF
            again = bool(self._queue or self._warm)
        if child is not None:
            child.end()
        if again:
            # Submitted between being stopped and here.
            with self._changed:
                self._wake()
        return None

    def _only_start(self) -> None:
        try:
            self._ready()
        except ExplainError:
            return  # the state tells

    def _serve(self, task: Task) -> None:
        try:
            child = self._ready()
        except ExplainError as error:
            stage: TaskStage = CANCELLED if task.cancelling or self._stopping else FAILED
            crashed = stage == FAILED and self._state == CRASHED
            self._close(task, stage, str(error), CRASHED if crashed else IDLE)
            return
        if task.cancelling:
            self._close(task, CANCELLED, "Cancelled.", IDLE)
            return
        with self._changed:
            self._state = BUSY
        child.send(serve.RUN, task.number, task.packed)
        while True:
            message = child.receive()
            if message is None:
                self._died(task, child)
                return
            kind, number, *rest = message
            if number != task.number:
                raise RuntimeError(f"the worker answered request {number} while {task.number} ran")
            if kind == serve.PROGRESS:
                task.progress = rest[0]
                continue
            if kind == serve.DONE:
                with self._changed:
                    self._message = ""
                self._close(task, DONE, "", IDLE, rest[0])
            elif kind == serve.CANCELLED:
                self._close(task, CANCELLED, "Cancelled.", IDLE)
            elif kind == serve.FAILED:
                self._close(task, FAILED, rest[0], IDLE)
            else:
                _log.error("the gradient worker met a defect\n%s", rest[1])
                words = f"The map could not be drawn ({rest[0]}). The server's log says where."
                self._close(task, FAILED, words, IDLE)
            return

    def _ready(self) -> Child:
        """A process that is ready. Raises ``ExplainError`` where it cannot be had."""
        with self._changed:
            if self._child is not None and self._child.alive:
                return self._child
            if self._stopping:
                raise ExplainError("The worker was stopped.")
            self._state, self._child = OFF, None
            if why := self.no_room():
                raise ExplainError(why)
            self._state = STARTING
            try:
                child = self._child = Child(self._command)
            except OSError as error:
                self._state = CRASHED
                self._message = f"The gradient worker could not be started: {error.strerror or error}."
                raise ExplainError(self._message) from error
        late = f"it was not ready after {self._start_seconds:g} seconds."
        timer = threading.Timer(self._start_seconds, child.kill, (late,))
        timer.daemon = True
        timer.start()
        message = child.receive()
        timer.cancel()
        with self._changed:
            if message is None:
                if self._stopping:
                    raise ExplainError("The worker was stopped.")
                self._crashed(child, "while it was starting")
                raise ExplainError(self._message)
            self._state = IDLE
        return child

    def _died(self, task: Task, child: Child) -> None:
        with self._changed:
            if task.cancelling or self._stopping:
                child.end()
                self._child = None
                words = "The worker was stopped." if self._stopping else "Cancelled, by ending the worker's process."
                self._running, self._state = None, OFF
                task.close(CANCELLED, words)
                return
            self._crashed(child, "in the middle of this map")
            self._running = None
            task.close(FAILED, self._message)

    def _crashed(self, child: Child, when: str = "while it had nothing to do") -> None:
        # Its output may end a moment before it does, and its exit code is worth waiting for.
        child.end(grace=2)
        self._child, self._state = None, CRASHED
        self._message = f"The gradient worker ended unexpectedly {when}: {child.last_lines()}"

    def _close(self, task: Task, stage: TaskStage, message: str, state: State, answer: Any = None) -> None:
        with self._changed:
            self._running = None
            self._state = state if self._child is not None or state == CRASHED else OFF
            task.close(stage, message, answer)
            self._changed.notify_all()

    def _give_up(self, message: str) -> None:
        child, self._child, self._thread = self._child, None, None
        if child is not None:
            child.kill()
        left = [*([self._running] if self._running is not None else []), *self._queue]
        self._queue.clear()
        self._running, self._state, self._message = None, CRASHED, message
        for task in left:
            task.close(FAILED, message)
