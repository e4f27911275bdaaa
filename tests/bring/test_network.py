"""A network as Keras or LiteRT opens it, and what is said where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.bring import network
from fer_core.errors import ModelError


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


def test_a_network_that_fails_when_it_is_asked_is_refused_in_a_sentence() -> None:
    """Its process ended early, and nobody knew of what."""

    class Failing:
        def predict_on_batch(self, pictures: object) -> object:
            raise ValueError("Matrix size-incompatible")

    asked = network.KerasNetwork.__new__(network.KerasNetwork)
    asked.model = Failing()
    with pytest.raises(ModelError, match="cannot be asked about 2 faces: Matrix size-incompatible"):
        asked(np.zeros((2, 48, 48, 1), np.float32))
