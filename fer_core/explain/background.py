"""Work of some seconds on a thread of its own, one piece after the other, so that a page stays alive meanwhile.

For methods that only predict: LiteRT lets go of Python while it computes. What needs TensorFlow goes to
:mod:`fer_core.explain.worker` instead. The tasks are the same, so a page shows both alike.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from typing import Any

from fer_core.errors import BusyError, FerError
from fer_core.explain.task import CANCELLED, DONE, FAILED, FORGOTTEN, FORGOTTEN_S, QUEUED, RUNNING, Task
from fer_core.explain.worker.serve import Cancelled
from fer_core.fair_queue import FairQueue, Lane
from fer_core.progress import Progress, ProgressCallback
from fer_core.threads import start_thread

Work = Callable[[ProgressCallback], Any]
"""What is to be done; it hands its progress over from time to time, and that is where it can be cancelled."""
_log = logging.getLogger(__name__)


class Background:
    """A queue and, while there is something in it, a thread. May be shared by any number of threads."""

    def __init__(
        self,
        most: int,
        line: FairQueue | None = None,
        *,
        lane: Lane = Lane.LONG,
        forgotten_s: float = FORGOTTEN_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``most``: finished tasks that are remembered, the latest.

        ``line``: whose ``lane`` says whose turn it is; without it everything waits in one of its own. ``forgotten_s``:
        after so many seconds without :meth:`find`, by ``clock``, what waits is given up.
        """
        self._most, self._lane, self._forgotten_s, self._clock = most, lane, forgotten_s, clock
        self._line = line or FairQueue({lane: 1})
        self._lock = threading.Condition()
        # All below is guarded by it.
        self._tasks: OrderedDict[Hashable, Task] = OrderedDict()
        self._queue: deque[tuple[Task, Work]] = deque()
        self._thread: threading.Thread | None = None
        self._numbers = 0

    def submit(self, key: Hashable, work: Work, owner: str = "") -> Task:
        """Ask for something. What waits, runs or is there under the same key is not done again.

        ``owner``: the visitor, so that each has a turn. Raises ``BusyError`` where too much waits already.
        """
        with self._lock:
            self._give_up_forgotten()
            known = self._tasks.get(key)
            if known is not None and known.stage in (QUEUED, RUNNING, DONE) and not known.cancelling:
                self._tasks.move_to_end(key)
                known.askers.add(owner)
                known.looked = self._clock()
                return known
            ticket = self._line.ask(owner, self._lane, called=self._called)
            if self._thread is None:
                try:
                    # It waits for the lock that is held here, and by then finds the task.
                    self._thread = start_thread(self._work, "explain", gives_way=True)
                except BusyError:
                    ticket.close()
                    raise
            self._numbers += 1
            task = self._tasks[key] = Task(key, self._numbers, ticket)
            task.askers.add(owner)
            task.looked = self._clock()
            self._tasks.move_to_end(key)
            self._queue.append((task, work))
            too_many = max(0, len(self._tasks) - self._most)
            for old in [one for one, known in self._tasks.items() if known.over][:too_many]:
                del self._tasks[old]
            return task

    def find(self, key: Hashable) -> Task | None:
        """The latest task under that key, or None. Whoever waits for it asks again and again."""
        with self._lock:
            task = self._tasks.get(key)
            if task is not None:
                task.looked = self._clock()
            return task

    def position(self, task: Task) -> int:
        """1 for the work that is done next, and so on; 0 for one that runs or is over."""
        return task.ticket.position()

    def cancel(self, task: Task) -> None:
        """Give it up: at once where it waits, at its next word about progress where it runs."""
        with self._lock:
            if not self._take_out(task, "Cancelled before its turn.") and not task.over:
                task.cancelling = True

    def _take_out(self, task: Task, why: str) -> bool:
        """Whether it waited, and now does no more. Called with the lock."""
        waiting = [pair for pair in self._queue if pair[0] is task]
        if waiting:
            self._queue.remove(waiting[0])
            task.close(CANCELLED, why)
            self._lock.notify_all()
        return bool(waiting)

    def _give_up_forgotten(self) -> None:
        """Called with the lock."""
        now = self._clock()
        for task, _ in list(self._queue):
            if now - task.looked > self._forgotten_s:
                self._take_out(task, FORGOTTEN)

    def _work(self) -> None:
        try:
            while (job := self._next()) is not None:
                self._do(*job)
        except BaseException as error:
            # Without this, pages would wait for ever.
            with self._lock:
                self._thread = None
                while self._queue:
                    self._queue.popleft()[0].close(FAILED, _broken_off(error))
            raise

    def _next(self) -> tuple[Task, Work] | None:
        """What to do now; None where nothing is left, and the thread ends."""
        with self._lock:
            self._give_up_forgotten()
            while self._queue:
                ready = next((pair for pair in self._queue if pair[0].ticket.its_turn), None)
                if ready is not None:
                    self._queue.remove(ready)
                    ready[0].stage = RUNNING
                    return ready
                self._lock.wait(self._forgotten_s / 10)
                self._give_up_forgotten()
            self._thread = None
            return None

    def _called(self) -> None:
        with self._lock:
            self._lock.notify_all()

    def _do(self, task: Task, work: Work) -> None:
        def hear(progress: Progress) -> None:
            task.progress = progress
            if task.cancelling:
                raise Cancelled

        try:
            answer = work(hear)
        except Cancelled:
            task.close(CANCELLED, "Cancelled.")
        except FerError as error:
            task.close(FAILED, str(error))
        except Exception as error:
            # A defect: who waits must hear of it, the log has the trace, and the next one may do better.
            _log.exception("a map could not be drawn")
            words = f"The map could not be drawn ({type(error).__name__}: {error}). The server's log says where."
            task.close(FAILED, words)
        except BaseException as error:
            task.close(FAILED, _broken_off(error))
            raise
        else:
            task.close(DONE, "", answer)


def _broken_off(error: BaseException) -> str:
    return f"The map could not be drawn: the thread that draws maps broke off ({type(error).__name__}: {error})."
