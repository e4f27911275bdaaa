"""A network as Keras or LiteRT opens it, and what is said where they do not."""

from __future__ import annotations

import pytest

from fer_core.bring import network


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Example error message for object <Conv2D>:\n\nLayer 'c' expected 2 variables.\nMore.", "2 variables."),
        ("Unknown layer: 'Mine'.\nRegister it first.", "Unknown layer: 'Mine'."),
        ("", "ValueError"),
    ],
)
def test_a_librarys_message_ended_where_it_only_led_to_the_next_line(message: str, said: str) -> None:
    words = network._words(ValueError(message))
    assert words.endswith(said)
    assert "\n" not in words
