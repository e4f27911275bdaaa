"""How far a connection is, and when people are told that something is wrong."""

from __future__ import annotations

import pytest

from fer_core.inference.stream.connection import Connection, ConnectionStage, ConnectionWatch


def at(
    watch: ConnectionWatch, now_s: float, *, trying: bool = True, agreed: bool = False, frame_s: float | None = None
) -> Connection:
    return watch.update(trying=trying, agreed=agreed, last_frame_s=frame_s, now_s=now_s)


def test_off_until_somebody_starts() -> None:
    assert at(ConnectionWatch(), 5.0, trying=False).stage is ConnectionStage.IDLE


def test_connecting_never_lasts_silently_beyond_15_seconds() -> None:
    watch = ConnectionWatch()
    assert at(watch, 100.0).stage is ConnectionStage.CONNECTING
    early = at(watch, 114.9)
    assert (early.stage, early.stage.is_trouble) == (ConnectionStage.CONNECTING, False)
    late = at(watch, 115.0)
    assert (late.stage, late.seconds, late.agreed) == (ConnectionStage.LATE, 15.0, False)
    assert late.stage.is_trouble


def test_frames_make_it_live_and_their_end_is_noticed() -> None:
    watch = ConnectionWatch()
    at(watch, 0.0)
    assert at(watch, 2.0, agreed=True, frame_s=1.9).stage is ConnectionStage.LIVE
    assert at(watch, 6.8, agreed=True, frame_s=1.9).stage is ConnectionStage.LIVE
    still = at(watch, 7.0, agreed=True, frame_s=1.9)
    assert (still.stage, still.seconds) == (ConnectionStage.STALLED, pytest.approx(5.1))
    assert at(watch, 8.0, agreed=True, frame_s=7.9).stage is ConnectionStage.LIVE


def test_an_attempt_that_ends_without_a_picture_is_lost_until_the_next() -> None:
    watch = ConnectionWatch()
    at(watch, 0.0)
    at(watch, 9.0)
    lost = at(watch, 10.0, trying=False)
    assert (lost.stage, lost.seconds, lost.agreed) == (ConnectionStage.LOST, 10.0, False)
    assert at(watch, 60.0, trying=False) == lost
    assert at(watch, 61.0).stage is ConnectionStage.CONNECTING
    assert at(watch, 62.0, trying=False).stage is ConnectionStage.IDLE, "called off after a second"


def test_stopping_a_camera_that_worked_is_no_trouble() -> None:
    watch = ConnectionWatch()
    at(watch, 0.0)
    at(watch, 2.0, agreed=True, frame_s=1.9)
    assert at(watch, 30.0, trying=False, frame_s=29.9).stage is ConnectionStage.IDLE


def test_a_frame_of_the_attempt_before_does_not_count() -> None:
    watch = ConnectionWatch()
    at(watch, 0.0)
    at(watch, 2.0, agreed=True, frame_s=1.9)
    at(watch, 3.0, trying=False, frame_s=2.9)
    assert at(watch, 10.0, frame_s=2.9).stage is ConnectionStage.CONNECTING
    late = at(watch, 25.0, agreed=True, frame_s=2.9)
    assert (late.stage, late.agreed) == (ConnectionStage.LATE, True)
