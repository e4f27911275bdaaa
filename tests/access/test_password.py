from __future__ import annotations

import pytest

from fer_core.access.password import ATTEMPTS, ATTEMPTS_OF_ALL, SECONDS, VARIABLE, Attempts, password
from fer_core.errors import AccessError

RIGHT = "correct horse battery"


@pytest.fixture(autouse=True)
def a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, RIGHT)


def test_the_password_unlocks_and_another_does_not() -> None:
    attempts = Attempts()
    assert attempts.unlock(RIGHT, "a")
    for wrong in ("", "wrong", RIGHT + " ", "ü" * 50):
        assert not attempts.unlock(wrong, "a")


def test_a_session_has_few_attempts_then_waits_even_with_the_right_one() -> None:
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    for _ in range(ATTEMPTS):
        assert not attempts.unlock("wrong", "a")
    with pytest.raises(AccessError, match="Wait"):
        attempts.unlock(RIGHT, "a")
    assert attempts.unlock(RIGHT, "b")
    now[0] = SECONDS + 1
    assert attempts.unlock(RIGHT, "a")


def test_new_sessions_give_no_new_attempts() -> None:
    attempts = Attempts()
    for number in range(ATTEMPTS_OF_ALL):
        attempts.unlock("wrong", str(number))
    with pytest.raises(AccessError, match="Wait"):
        attempts.unlock(RIGHT, "new")


def test_without_a_password_nothing_unlocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    assert password() is None
    with pytest.raises(AccessError, match="no owner's password"):
        Attempts().unlock("", "a")


def test_a_short_password_unlocks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(AccessError, match="shorter"):
        Attempts().unlock("short", "a")
