"""One queue for everything that takes long, fair between visitors: each in turn, however much one of them asks for.

What cannot stand in each other's way has lanes of its own (see :class:`Lane`), in which a few pieces of work run at a
time. Within a lane whoever waits is served round by round: one piece of work of each visitor, in the order in which
they came. Where too many visitors wait, or too little memory is left, the newest request is refused rather than all
be lost.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from enum import StrEnum

from fer_core.errors import BusyError
from fer_core.memory import free_memory

MOST_VISITORS = 40
"""Visitors that may wait: the last of them for about a minute in the quick lane."""
MOST_EACH = 40
"""Requests of one visitor that may wait in a lane: all maps of a face, by every method, of the models that ship."""
LEAST_FREE = 60e6
"""Bytes that must be left before something expensive begins: more than a batch and its results take."""
LOOK_S = 1.0
"""Seconds for which the memory that was left is believed: reading it takes some tenths of a millisecond."""


class Lane(StrEnum):
    """Kinds of work that do not wait for each other."""

    QUICK = "quick"
    """A second or less each, while a page is drawn: the tests of maps."""
    LONG = "long"
    """Many seconds in this process: average maps, occlusion and RISE, the search for a patch."""
    WORKER = "worker"
    """What the gradient worker computes."""
    PICTURE = "picture"
    """A picture that is decoded and searched for faces: some hundred megabytes for a second."""
    VIDEO = "video"


class Ticket:
    """A place in the queue. Use it as a context, or close it: else those behind it wait for ever."""

    def __init__(self, queue: FairQueue, owner: str, lane: str, called: Callable[[], None] | None) -> None:
        self._queue, self.owner, self.lane, self._called = queue, owner, lane, called
        self._turn = threading.Event()

    @property
    def its_turn(self) -> bool:
        """Whether the work may begin."""
        return self._turn.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait at most ``timeout`` seconds; returns whether its turn has come."""
        return self._turn.wait(timeout)

    def position(self) -> int:
        """1 for who comes next, and so on; 0 once its turn has come."""
        return self._queue.position(self)

    def close(self) -> None:
        """The work is done, or not wanted any more. May be called twice."""
        self._queue.leave(self)

    def call(self) -> None:
        """Its turn has come (the queue says so)."""
        self._turn.set()
        if self._called is not None:
            self._called()

    def __enter__(self) -> Ticket:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class FairQueue:
    """Shared by all threads of a server. It runs nothing itself: it says whose turn it is."""

    def __init__(
        self,
        places: Mapping[Lane, int],
        *,
        most_visitors: int = MOST_VISITORS,
        most_each: int = MOST_EACH,
        least_free: float = LEAST_FREE,
        free: Callable[[], float] = free_memory,
    ) -> None:
        """``places``: pieces of work at a time, by lane. ``free``: bytes of memory that are left."""
        self._places = dict(places)
        self._most_visitors, self._most_each = most_visitors, most_each
        self._least_free, self._free = least_free, free
        self._looked, self._left = -LOOK_S, 0.0
        self._lock = threading.Lock()
        # Below guarded by it. Who was served last stands last.
        self._waiting: dict[Lane, dict[str, deque[Ticket]]] = {lane: {} for lane in places}
        self._served: dict[Lane, list[Ticket]] = {lane: [] for lane in places}

    def ask(self, owner: str, lane: Lane, *, called: Callable[[], None] | None = None) -> Ticket:
        """A place for one piece of work of visitor ``owner``. ``called``: hears from any thread when its turn has come.

        Raises ``BusyError`` where too many wait, or too little memory is left.
        """
        self.check_memory()
        ticket = Ticket(self, owner, lane, called)
        with self._lock:
            mine = len(self._waiting[lane].get(owner, ()))
            visitors = {one for owners in self._waiting.values() for one in owners}
            if mine >= self._most_each:
                raise BusyError(f"{mine} of your requests wait already. Try again when some of them are done.")
            if owner not in visitors and len(visitors) >= self._most_visitors:
                raise BusyError(
                    f"This server is busy: {len(visitors)} visitors wait for something large. Try again in a moment."
                )
            self._waiting[lane].setdefault(owner, deque()).append(ticket)
            turn = self._next(lane)
        self._call(turn)
        return ticket

    def check_memory(self) -> None:
        """Raise ``BusyError`` where too little memory is left to begin anything large, also what waits in no queue."""
        if self._memory_left() < self._least_free:
            raise BusyError(
                "This server is busy: it has next to no memory left, so it begins nothing large. Try again in a moment."
            )

    def leave(self, ticket: Ticket) -> None:
        """See :meth:`Ticket.close`."""
        lane = Lane(ticket.lane)
        with self._lock:
            if ticket in self._served[lane]:
                self._served[lane].remove(ticket)
            elif ticket in self._waiting[lane].get(ticket.owner, ()):
                own = self._waiting[lane][ticket.owner]
                own.remove(ticket)
                if not own:
                    del self._waiting[lane][ticket.owner]
            turn = self._next(lane)
        self._call(turn)

    def position(self, ticket: Ticket) -> int:
        """See :meth:`Ticket.position`."""
        with self._lock:
            owners = self._waiting[Lane(ticket.lane)]
            own = owners.get(ticket.owner, deque())
            if ticket not in own:
                return 0
            # Before its own round everybody is served once a round; in its own, those who stand before its owner.
            rounds = own.index(ticket)
            earlier, ahead = True, 0
            for owner, theirs in owners.items():
                if owner == ticket.owner:
                    earlier = False
                    ahead += rounds
                else:
                    ahead += min(len(theirs), rounds + earlier)
            return ahead + 1

    def waiting(self) -> int:
        """Requests that wait, of all visitors in all lanes."""
        with self._lock:
            return sum(len(own) for owners in self._waiting.values() for own in owners.values())

    def _next(self, lane: Lane) -> list[Ticket]:
        """Those whose turn it is now. Called with the lock."""
        turn = []
        owners, served = self._waiting[lane], self._served[lane]
        while owners and len(served) < self._places[lane]:
            owner = next(iter(owners))
            own = owners.pop(owner)
            ticket = own.popleft()
            if own:
                owners[owner] = own
            served.append(ticket)
            turn.append(ticket)
        return turn

    @staticmethod
    def _call(turn: list[Ticket]) -> None:
        # Without the lock: whoever hears of it may ask for more.
        for ticket in turn:
            ticket.call()

    def _memory_left(self) -> float:
        now = time.monotonic()
        if now - self._looked >= LOOK_S:
            self._left, self._looked = self._free(), now
        return self._left


def for_this_server() -> FairQueue:
    """A queue for all that one server does, by its cores: LiteRT itself uses several."""
    few = max(1, (os.cpu_count() or 1) // 2)
    return FairQueue({Lane.QUICK: few, Lane.LONG: 1, Lane.WORKER: 1, Lane.PICTURE: few, Lane.VIDEO: few})


QUEUE = for_this_server()
"""The one queue of this process."""
