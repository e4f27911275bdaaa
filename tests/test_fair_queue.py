"""The fair queue: each visitor in turn, bounded, and refusing the newest where memory is short."""

from __future__ import annotations

import threading

import pytest

from fer_core.errors import BusyError
from fer_core.fair_queue import FairQueue, Lane, Ticket

LANE = Lane.LONG


def queue(places: int = 1, *, free: float = 1e9, **options: int) -> FairQueue:
    return FairQueue({LANE: places, Lane.QUICK: 1}, free=lambda: free, **options)  # type: ignore[arg-type]


def serve(tickets: dict[str, Ticket]) -> list[str]:
    """Names in the order in which their turn comes, each done at once."""
    order: list[str] = []
    while len(order) < len(tickets):
        (name,) = [one for one, ticket in tickets.items() if ticket.its_turn and one not in order]
        order.append(name)
        tickets[name].close()
    return order


def test_who_asks_for_one_thing_does_not_wait_for_all_that_another_asked_for() -> None:
    line = queue()
    tickets = {name: line.ask(name[0], LANE) for name in ("a1", "a2", "a3", "b1", "c1", "b2")}
    assert serve(tickets) == ["a1", "a2", "b1", "c1", "a3", "b2"]


def test_the_position_is_the_number_of_turns_until_its_own() -> None:
    line = queue()
    tickets = {name: line.ask(name[0], LANE) for name in ("a1", "a2", "b1", "b2", "a3", "c1")}
    positions = {name: ticket.position() for name, ticket in tickets.items()}
    assert line.waiting() == 5
    order = serve(tickets)
    assert [positions[name] for name in order] == [0, 1, 2, 3, 4, 5]
    assert line.waiting() == 0


def test_as_many_run_at_once_as_there_are_places_and_lanes_do_not_wait_for_each_other() -> None:
    line = queue(2)
    first, second, third = (line.ask(owner, LANE) for owner in "abc")
    quick = line.ask("d", Lane.QUICK)
    assert [one.its_turn for one in (first, second, third, quick)] == [True, True, False, True]
    second.close()
    assert third.its_turn


def test_who_gives_up_is_passed_over_and_closing_twice_is_harmless() -> None:
    line = queue()
    first, second, third = (line.ask(owner, LANE) for owner in "abc")
    second.close()
    second.close()
    assert third.position() == 1
    first.close()
    first.close()
    assert third.its_turn
    assert not second.its_turn


def test_the_newest_is_refused_where_too_many_wait() -> None:
    line = queue(most_visitors=2, most_each=3)
    running = line.ask("a", LANE)
    waiting = [line.ask(owner, LANE) for owner in ("b", "c")]
    with pytest.raises(BusyError, match="2 visitors wait"):
        line.ask("d", LANE)
    waiting += [line.ask("b", LANE), line.ask("b", LANE)]
    with pytest.raises(BusyError, match="3 of your requests"):
        line.ask("b", LANE)
    for one in (running, *waiting):
        one.close()
    assert line.ask("d", LANE).its_turn


def test_nothing_large_begins_where_memory_is_short() -> None:
    with pytest.raises(BusyError, match="memory"):
        queue(free=1e6).ask("a", LANE)


def test_a_waiting_thread_wakes_when_its_turn_comes_and_who_was_called_may_ask_again() -> None:
    line, heard = queue(), list[Ticket]()
    with line.ask("a", LANE):
        second = line.ask("b", LANE, called=lambda: heard.append(line.ask("b", LANE)))
        woken = threading.Thread(target=lambda: second.wait(30))
        woken.start()
        assert not second.its_turn
    woken.join(30)
    assert not woken.is_alive()
    assert heard[0].position() == 1


def test_a_visitor_with_one_open_page_kept_two_hundred_pieces_of_work_waiting() -> None:
    line = FairQueue({LANE: 1, Lane.WORKER: 1}, free=lambda: 1e9)
    waiting = [line.ask("a", LANE) for _ in range(41)]
    with pytest.raises(BusyError, match="40 of your requests"):
        line.ask("a", LANE)
    # Its maps by gradients wait elsewhere, and behind nothing of these.
    assert line.ask("a", Lane.WORKER).its_turn
    assert line.ask("b", LANE).position() == 2
    for one in waiting:
        one.close()
