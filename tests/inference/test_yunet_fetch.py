"""YuNet fetched by itself from a server on this machine: once, whole or not at all, never waited for."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fer_core.errors import DownloadError, RunError
from fer_core.inference import detectors, yunet, yunet_fetch
from fer_core.inference.detectors import HaarDetector, YuNetDetector, best_kind, caution, detector_called
from fer_core.inference.yunet import yunet_path, yunet_ready
from fer_core.inference.yunet_fetch import Absence
from fer_core.settings import settings
from fer_core.try_lock import try_lock

CONTENT = bytes(range(256)) * 900
LOGIN = b"<html>Welcome to the hotel's network. Please sign in.</html>"


class Server:
    """What the test's server sends, how often it was asked, and a gate that it waits at."""

    def __init__(self) -> None:
        self.content, self.status, self.length = CONTENT, 200, len(CONTENT)
        self.asked: Counter[str] = Counter()
        self.gate = threading.Event()
        self.gate.set()


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Fetching is on; this process knows of no earlier try."""
    sends = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sends.asked[self.path] += 1
            sends.gate.wait(20)
            self.send_response(sends.status)
            self.send_header("Content-Length", str(sends.length))
            self.end_headers()
            self.wfile.write(sends.content)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    monkeypatch.setenv("FER_EXPLORER_FETCH_DETECTOR", "1")
    settings.cache_clear()
    monkeypatch.setattr(yunet_fetch, "_tries", {})
    monkeypatch.setattr(yunet, "YUNET_SHA256", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setattr(yunet, "YUNET_BYTES", len(CONTENT))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        monkeypatch.setattr(yunet, "YUNET_URL", f"http://127.0.0.1:{running.server_address[1]}/yunet")
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield sends
        sends.gate.set()
        ended()
        running.shutdown()
        thread.join()


def ended() -> None:
    """Wait until the try that is under way has ended."""
    for tries in yunet_fetch._tries.values():
        if tries.thread is not None:
            tries.thread.join(20)
            assert not tries.thread.is_alive()


def another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this were one: nothing is remembered but what lies in the home."""
    monkeypatch.setattr(yunet_fetch, "_tries", {})


def left() -> set[str]:
    return {path.name for path in yunet_path().parent.iterdir()} - {f".{yunet_path().name}.lock"}


def test_who_needs_a_detector_gets_one_at_once_and_yunet_comes_meanwhile_once(server: Server) -> None:
    server.gate.clear()
    for _ in range(5):
        assert isinstance(best_kind()(), HaarDetector)
    assert yunet_fetch.absence() == (Absence.COMING, "")
    server.gate.set()
    ended()
    assert yunet_ready()
    assert yunet_fetch.absence() is None
    assert server.asked == {"/yunet": 1}
    assert left() == {yunet_path().name}
    yunet_fetch.begin()
    ended()
    assert server.asked == {"/yunet": 1}


@pytest.mark.parametrize(
    ("content", "length", "status"),
    [
        (LOGIN, len(LOGIN), 200),
        (CONTENT[:-1] + b"x", len(CONTENT), 200),
        (CONTENT[:1000], len(CONTENT), 200),
        (CONTENT + b"more", len(CONTENT) + 4, 200),
        (LOGIN, len(LOGIN), 407),
    ],
    ids=["login page", "changed", "cut off", "too long", "refused"],
)
def test_anything_else_leaves_nothing_and_is_not_asked_for_again_at_once(
    server: Server, monkeypatch: pytest.MonkeyPatch, content: bytes, length: int, status: int
) -> None:
    server.content, server.length, server.status = content, length, status
    for _ in range(3):
        yunet_fetch.begin()
        ended()
    another_process(monkeypatch)
    yunet_fetch.begin()
    ended()
    assert server.asked == {"/yunet": 1}
    assert left() == {"yunet-failed.json"}
    absent = yunet_fetch.absence()
    assert absent is not None
    assert absent[0] is Absence.FAILED
    assert "/yunet" in absent[1]


def test_a_failure_is_forgotten_after_a_while_and_counts_on_its_own_host_only(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.status = 500
    yunet_fetch.begin()
    ended()
    record = yunet_path().with_name("yunet-failed.json")
    found = json.loads(record.read_text())
    for changed in ({"time": time.time() - yunet_fetch.PAUSE_S - 1}, {"place": "elsewhere"}, {"time": "noon"}):
        record.write_text(json.dumps(found | changed))
        another_process(monkeypatch)
        before = server.asked["/yunet"]
        yunet_fetch.begin()
        ended()
        assert server.asked["/yunet"] == before + 1, changed
    server.status = 200
    yunet_fetch.fetch_now()
    assert yunet_ready()
    assert left() == {yunet_path().name}


def test_no_network_and_a_home_that_cannot_be_written_leave_haar(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yunet, "YUNET_URL", "http://127.0.0.1:9/yunet")
    assert isinstance(best_kind()(), HaarDetector)
    ended()
    absent = yunet_fetch.absence()
    assert absent is not None
    assert "network" in absent[1]
    another_process(monkeypatch)
    for path in yunet_path().parent.iterdir():
        path.unlink()
    yunet_path().parent.rmdir()
    yunet_path().parent.write_bytes(b"in the way, as what cannot be written is")
    assert isinstance(best_kind()(), HaarDetector)
    ended()
    absent = yunet_fetch.absence()
    assert absent is not None
    assert "cannot be written" in absent[1]


def test_one_process_of_a_home_fetches_and_the_others_leave_it_to_it(server: Server) -> None:
    yunet_path().parent.mkdir()
    with try_lock(yunet_path().with_name(f".{yunet_path().name}.lock")) as mine:
        assert mine
        yunet_fetch.begin()
        ended()
        assert yunet_fetch.absence() == (Absence.COMING, "")
        with pytest.raises(DownloadError, match="another process"):
            yunet_fetch.fetch_now()
    assert not server.asked
    yunet_fetch.begin()
    ended()
    assert yunet_ready()


def test_it_can_be_switched_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_EXPLORER_FETCH_DETECTOR", "0")
    settings.cache_clear()
    best_kind()
    ended()
    assert not server.asked
    assert yunet_fetch.absence() == (Absence.OFF, "")
    assert not yunet_path().parent.exists()
    yunet_fetch.fetch_now()
    assert yunet_ready(), "the owner may have it all the same"


def test_work_that_opens_several_detectors_keeps_to_one_kind(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that read its first pictures with Haar read the rest with YuNet once it had come, and said Haar."""
    server.gate.clear()
    kind = best_kind()
    server.gate.set()
    ended()
    assert yunet_ready()
    assert isinstance(kind(), HaarDetector)
    monkeypatch.setattr(detectors, "YuNetDetector", lambda path: path)
    assert best_kind()() == yunet_path()


def test_what_began_with_a_detector_goes_on_with_it(home: Path) -> None:
    assert isinstance(detector_called(HaarDetector.title), HaarDetector)
    with pytest.raises(RunError, match="no face detector file"):
        detector_called(YuNetDetector.title)
    with pytest.raises(RunError, match="called Nobody"):
        detector_called("Nobody")
    assert "YuNet" in caution(HaarDetector.title)
    assert not caution(YuNetDetector.title)
