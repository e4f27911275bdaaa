"""FER-2013 fetched for a host: what the environment may ask for, and a server that behaves well and badly."""

from __future__ import annotations

import csv
import gzip
import hashlib
import http.server
import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from fer_core.data import fetch, fetch_child
from fer_core.data.fetch import SHA256, URL, FetchState, wanted
from fer_core.data.fetch_child import Outcome, fetch_once
from fer_core.data.importer import import_dataset
from fer_core.errors import DataError, DownloadError
from fer_core.evaluation.fetching import ELSEWHERE, FAILED, HERE, REFUSED, Fetching, begin
from fer_core.settings import settings


def small_csv() -> bytes:
    """FER-2013's own format with 21 faces."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["emotion", "pixels", "Usage"])
    generator = np.random.default_rng(0)
    for number in range(21):
        pixels = " ".join(map(str, generator.integers(0, 256, 2304)))
        rows.writerow([number % 7, pixels, ("Training", "PublicTest", "PrivateTest")[number // 7]])
    return gzip.compress(text.getvalue().encode(), mtime=0)


FILE = small_csv()
DIGEST = hashlib.sha256(FILE).hexdigest()
Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


def whole(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(FILE)))
    request.end_headers()
    request.wfile.write(FILE)


def broken_off(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(FILE)))
    request.end_headers()
    request.wfile.write(FILE[: len(FILE) // 2])


def slowly(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(FILE)))
    request.end_headers()
    for start in range(0, len(FILE), 1 + len(FILE) // 4):
        request.wfile.write(FILE[start : start + 1 + len(FILE) // 4])
        request.wfile.flush()
        time.sleep(0.1)


def other_bytes(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    request.wfile.write(FILE + b"x")


def out_of_order(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_error(500)


def to(location: str) -> Answer:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", location)
        request.end_headers()

    return answer


class Host:
    """A web server on this computer that gives one answer after the other; the last one again and again."""

    def __init__(self) -> None:
        self.answers: list[Answer] = [whole]
        self.asked = 0
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = host.answers[min(host.asked, len(host.answers) - 1)]
                host.asked += 1
                answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """Silence."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/fer%202013.csv.gz"


@pytest.fixture
def host(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """The server, and an environment that asks for its file."""
    server = Host()
    monkeypatch.setenv(URL, server.url)
    monkeypatch.setenv(SHA256, DIGEST.upper())
    yield server
    server.server.shutdown()
    server.server.server_close()


def kept() -> list[str]:
    """What lies in the folder of downloads but the state and the lock."""
    return sorted(path.name for path in fetch.folder().rglob("*") if path.name not in ("state.json", ".lock"))


# --- What the environment may ask for


def test_without_anything_asked_nothing_is_fetched(home: Path) -> None:
    assert wanted({}) is None
    assert wanted({"KAGGLE_USERNAME": "me"}) is None
    found = wanted({"KAGGLE_USERNAME": "me", "KAGGLE_KEY": "k"})
    assert found is not None
    assert (found.url, found.words) == ("", "Kaggle")


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://host/file", "/etc/passwd", "https://", "data:text/csv,x", "http://[", "x"]
)
def test_what_is_no_web_address_is_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(DataError, match="is no web address") as error:
        wanted({URL: url, SHA256: DIGEST})
    assert "passwd" not in str(error.value)


@pytest.mark.parametrize("digest", ["", "abc", "g" * 64, DIGEST[:-1]])
def test_without_a_whole_hash_nothing_is_fetched(digest: str) -> None:
    with pytest.raises(DataError, match="64 hex digits"):
        wanted({URL: "https://host/file", SHA256: digest})


def test_a_hash_alone_is_a_mistake() -> None:
    with pytest.raises(DataError, match="set both"):
        wanted({SHA256: DIGEST})


def test_what_is_said_of_an_address_holds_none_of_its_secrets() -> None:
    found = wanted({URL: "https://me:secret@host.example/file?token=secret", SHA256: DIGEST})
    assert found is not None
    assert found.words == "host.example"


# --- One try


@pytest.mark.parametrize("answer", [whole, slowly])
def test_what_has_the_hash_is_imported_and_nothing_else_is_left(host: Host, answer: Answer) -> None:
    host.answers = [answer]
    assert fetch_once() == Outcome.HERE
    assert fetch.is_here()
    assert (settings().datasets_dir / "fer2013" / "dataset.json").is_file()
    found = fetch.state()
    assert found is not None
    assert (found["state"], found["source"]) == (FetchState.DONE, "127.0.0.1")
    assert kept() == []
    assert fetch_once() == Outcome.HERE
    assert host.asked == 1, "what is here is not fetched again"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (broken_off, "broke off"),
        (other_bytes, "something else than expected"),
        (out_of_order, "500"),
        (to("file:///etc/passwd"), "302"),
    ],
)
def test_what_goes_wrong_is_told_and_nothing_is_imported_or_left(host: Host, answer: Answer, why: str) -> None:
    host.answers = [answer, answer, whole]
    for tries in (1, 2):
        assert fetch_once() == Outcome.FAILED
        found = fetch.state()
        assert found is not None
        assert (found["state"], found["tries"]) == (FetchState.WAITING, tries)
        assert why in found["message"]
        assert not fetch.is_here()
        assert kept() == []
    assert fetch_once() == Outcome.HERE, "a later try works"
    found = fetch.state()
    assert found is not None
    assert found["tries"] == 0


def test_a_redirect_to_another_web_address_is_followed(host: Host) -> None:
    host.answers = [to(host.url), whole]
    assert fetch_once() == Outcome.HERE


def test_two_servers_of_one_home_do_not_both_fetch(host: Host) -> None:
    with fetch.held() as free:
        assert free
        assert fetch_once() == Outcome.ELSEWHERE
    assert host.asked == 0


def test_half_a_download_of_a_killed_try_is_cleared(host: Host) -> None:
    left = fetch.folder() / "download" / ".fer2013.csv.gz.123.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(FILE[:100])
    assert fetch_once() == Outcome.HERE
    assert kept() == []


def test_nonsense_is_not_tried(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL, "file:///etc/passwd")
    assert fetch_once() == Outcome.REFUSED
    assert begin() is None


def test_kaggle_is_asked_as_an_import_asks_it(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    monkeypatch.setenv("KAGGLE_KEY", "k")
    asked: list[str] = []

    def importing(source: str, out: Path, **more: object) -> None:
        asked.append(source)
        raise DownloadError("Kaggle refused the download (HTTP 403)")

    monkeypatch.setattr(fetch_child, "import_dataset", importing)
    assert fetch_once() == Outcome.FAILED
    assert asked == ["kaggle"]
    found = fetch.state()
    assert found is not None
    assert "403" in found["message"]


# --- Try after try


def test_exit_codes_are_those_that_the_server_knows() -> None:
    assert tuple(Outcome) == (HERE, FAILED, REFUSED, ELSEWHERE)


def test_after_a_failure_it_is_tried_again_until_the_data_are_here(host: Host) -> None:
    host.answers = [out_of_order, whole]
    thread = Fetching(first_pause_s=0.05)
    thread.start()
    thread.join(120)
    assert not thread.is_alive()
    assert host.asked == 2
    assert fetch.is_here()


def test_it_begins_only_where_there_is_no_real_data(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "small.csv.gz"
    path.write_bytes(FILE)
    import_dataset(path, settings().datasets_dir / "mine")
    assert begin() is None
    assert host.asked == 0
