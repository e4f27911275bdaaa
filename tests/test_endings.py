"""How child processes ended, in words for people."""

from __future__ import annotations

import pytest

from fer_core.endings import DEFECT, MEMORY, how_it_ended

TRACEBACK = [
    '  File "/x/network.py", line 50, in __call__',
    "    return f(x)",
    "  ^^^^^~~~",
    "TypeError: not a number",
    "",
]


def test_of_an_error_that_nobody_caught_only_its_last_line_is_told() -> None:
    """Rows of ^ and paths stood in the message of a model that could not be opened."""
    words = how_it_ended(1, TRACEBACK)
    assert words == f"exit code 1. It said: TypeError: not a number {DEFECT}"


@pytest.mark.parametrize(
    ("code", "said", "words"),
    [(2, ["a", "", "b"], "It said: a b"), (1, [], "It said: nothing."), (-9, TRACEBACK, MEMORY), (137, [], MEMORY)],
)
def test_other_endings_are_told_by_their_last_lines_or_their_signal(code: int, said: list[str], words: str) -> None:
    assert how_it_ended(code, said).endswith(words)
