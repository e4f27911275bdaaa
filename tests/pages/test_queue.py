"""The server's queue on the page: the place in it is shown, who leaves loses it, and a server that is full says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from factories import make_evaluated_run
from streamlit.testing.v1 import AppTest

from fer_core.access.policy import Person
from fer_core.data.dataset import load_dataset
from fer_core.explain.background import Background
from fer_core.fair_queue import FairQueue, Lane
from pages.parts import queue
from pages.parts.explain import testing


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> FairQueue:
    made = FairQueue({Lane.QUICK: 1, Lane.LONG: 1}, free=lambda: 1e9)
    monkeypatch.setattr(queue, "QUEUE", made)
    return made


class LeftError(Exception):
    """What Streamlit raises in a script whose visitor has gone."""


def test_the_place_in_the_queue_is_shown_until_the_turn_comes(line: FairQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    first, second = line.ask("a", Lane.QUICK), line.ask("b", Lane.QUICK)

    def caption(words: str) -> None:
        said.append(words)
        # Whoever is before goes, one after the other.
        (first if len(said) == 1 else second).close()

    place = SimpleNamespace(caption=caption, empty=lambda: said.append("gone"))
    monkeypatch.setattr(queue, "st", SimpleNamespace(empty=lambda: place))
    monkeypatch.setattr(queue.access, "person", lambda: Person(owner=False, token="c"))
    with queue.turn(Lane.QUICK, "The test waits"):
        assert line.ask("d", Lane.QUICK).position() == 1
    assert ["2nd" in said[0], "1st" in said[1], said[2:]] == [True, True, ["gone"]]


def test_who_leaves_while_waiting_gives_up_the_place(line: FairQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    def caption(words: str) -> None:
        raise LeftError

    monkeypatch.setattr(queue, "st", SimpleNamespace(empty=lambda: SimpleNamespace(caption=caption)))
    monkeypatch.setattr(queue.access, "person", lambda: Person(owner=False, token="b"))
    first = line.ask("a", Lane.QUICK)
    with pytest.raises(LeftError), queue.turn(Lane.QUICK, "The test waits"):
        raise AssertionError("it was nobody's turn")
    assert line.waiting() == 0
    first.close()
    assert line.ask("c", Lane.QUICK).its_turn


def test_a_server_without_memory_says_that_it_is_busy_and_the_page_lives(
    open_app: Callable[..., AppTest], home: Path, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_evaluated_run(home / "runs" / "one", load_dataset(sample))
    left = [0.0]
    line = FairQueue({Lane.QUICK: 1}, free=lambda: left[0])
    tests = Background(10, line, lane=Lane.QUICK)
    monkeypatch.setattr(testing, "background", lambda: tests)
    # The tests begin at the second look, since who goes on at once has no use for them.
    app = open_app("explain").run()
    assert not app.exception
    assert any("busy" in one.value and "again in a moment" in one.value for one in app.warning)
    assert any("<figure" in one.proto.body for one in app.get("html"))
    left[0] = 1e9
    monkeypatch.setattr(line, "_looked", -10.0)
    app.run()
    assert not app.exception
    assert not [one for one in app.warning if "busy" in one.value]
