"""Maps that several visitors wait for are shared; nobody ends another's."""

from __future__ import annotations

import pytest

from fer_core.explain.task import Task
from fer_core.fair_queue import FairQueue, Lane
from pages.parts import access
from pages.parts.explain import worker


class Keeper:
    def __init__(self) -> None:
        self.cancelled: list[Task] = []

    def cancel(self, task: Task) -> None:
        self.cancelled.append(task)


def test_a_visitor_cancels_no_map_that_another_waits_for(visitor: None, monkeypatch: pytest.MonkeyPatch) -> None:
    me, keeper = access.person().token, Keeper()
    monkeypatch.setattr(access, "person", lambda: access.Person(owner=False, token=me))
    monkeypatch.setattr(worker, "_keeper", lambda _: keeper)
    line = FairQueue({Lane.WORKER: 1})
    mine, shared, another = (Task(name, at, line.ask(me, Lane.WORKER)) for at, name in enumerate("abc"))
    mine.askers, shared.askers, another.askers = {me}, {me, "other"}, {"other"}
    worker._cancel([mine, shared, another])
    assert keeper.cancelled == [mine]
