from __future__ import annotations

import pytest

from fer_core.access.policy import Action, Person, check, may
from fer_core.errors import AccessError
from fer_core.settings import settings

THEIR_OWN = (Action.STOP, Action.RESUME, Action.DELETE)


@pytest.mark.parametrize("action", Action)
def test_an_owner_may_everything(action: Action) -> None:
    owner = Person(owner=True)
    assert may(owner, action)
    assert may(owner, action, started_by="somebody")


@pytest.mark.parametrize("action", [one for one in Action if one != Action.TRAIN])
def test_a_visitor_may_nothing_but_train(action: Action) -> None:
    visitor = Person(owner=False)
    assert may(visitor, Action.TRAIN)
    assert not may(visitor, action)
    with pytest.raises(AccessError, match="owner"):
        check(visitor, action)


@pytest.mark.parametrize("action", THEIR_OWN)
def test_a_visitor_may_stop_and_delete_what_they_started_and_nothing_else(action: Action) -> None:
    visitor, another = Person(owner=False), Person(owner=False)
    check(visitor, action, started_by=visitor.mark)
    assert not may(visitor, action, started_by=another.mark)
    assert not may(visitor, action, started_by="")
    assert not may(visitor, action, started_by="ü")


def test_what_is_kept_with_a_run_does_not_give_the_token_away() -> None:
    visitor = Person(owner=False)
    assert visitor.token not in visitor.mark
    assert visitor.token not in repr(visitor)


def test_shared_annotations_are_opened_by_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_EXPLORER_SHARED_ANNOTATIONS", "1")
    settings.cache_clear()
    try:
        assert may(Person(owner=False), Action.ANNOTATE_FOR_ALL)
        assert not may(Person(owner=False), Action.IMPORT_DATA)
    finally:
        monkeypatch.undo()
        settings.cache_clear()
