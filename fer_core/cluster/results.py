"""What a trial tells the engine after each epoch, and when it has ended."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict


class Result(TypedDict):
    """``epoch``: that has ended, from 1 (0: none yet); ``val_accuracy``: on PublicTest, 0..1. With ``done`` it is the
    last one, and ``failed`` says why the trial failed; empty where it did not.
    """

    run: str
    epoch: int
    val_accuracy: float
    done: NotRequired[bool]
    failed: NotRequired[str]
