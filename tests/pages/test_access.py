from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from fer_core.access.password import VARIABLE
from fer_core.settings import settings

RIGHT = "correct horse battery"


def test_the_owner_of_a_hosted_app_unlocks_it_and_locks_it_again(
    visitor: None, monkeypatch: pytest.MonkeyPatch, open_app: Callable[..., AppTest]
) -> None:
    monkeypatch.setenv(VARIABLE, RIGHT)
    app = open_app("limits")
    app.sidebar.text_input[0].set_value("something else")
    app.sidebar.button[0].click().run()
    assert any("not the password" in error.value for error in app.error)
    app.sidebar.text_input[0].set_value(RIGHT)
    app.sidebar.button[0].click().run()
    assert not app.sidebar.text_input
    app.sidebar.button("lock-again").click().run()
    assert app.sidebar.text_input


def test_without_a_password_there_is_nothing_to_unlock(visitor: None, open_app: Callable[..., AppTest]) -> None:
    assert not open_app("limits").sidebar.text_input


def test_a_test_without_a_connection_is_a_visitor(visitor: None) -> None:
    assert settings().ownership == "local"
