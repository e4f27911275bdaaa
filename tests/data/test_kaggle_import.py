"""Kaggle's copy through the real kagglehub, against a local server that stands in for Kaggle."""

from __future__ import annotations

import base64
import hashlib
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from data_sources import Faces, left_behind, picture_files, write_zip

from fer_core.data.importer import import_dataset
from fer_core.errors import DownloadError
from fer_core.progress import Progress

FACES = Faces(each=10)


class Kaggle(ThreadingHTTPServer):
    """Answers the one request that a download makes. ``status``, ``cut`` and ``wrong_sum`` make it go wrong."""

    def __init__(self, archive: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.archive = archive
        self.status = 200
        self.cut = len(archive)
        self.wrong_sum = False
        self.requests: list[tuple[str, bytes, str | None]] = []


class Handler(BaseHTTPRequestHandler):
    server: Kaggle

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kaggle = self.server
        kaggle.requests.append((self.path, body, self.headers.get("Authorization")))
        self.send_response(kaggle.status)
        if kaggle.status == 200:
            checksum = hashlib.md5(b"other" if kaggle.wrong_sum else kaggle.archive).digest()
            self.send_header("Content-Type", "application/zip")
            self.send_header("Content-Length", str(len(kaggle.archive)))
            self.send_header("X-Goog-Hash", f"crc32c=AAAAAA==,md5={base64.b64encode(checksum).decode()}")
        self.end_headers()
        if kaggle.status == 200:
            self.wfile.write(kaggle.archive[: kaggle.cut])

    def log_message(self, *args: object) -> None:
        pass


def point_kaggle_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, port: int) -> None:
    from kagglesdk import kaggle_env

    endpoints = kaggle_env._env_to_endpoint
    # Who calls is looked for in the stack, six times a request: half a second in a process that has loaded much.
    monkeypatch.setattr("kagglehub.clients.get_user_agent", lambda: "kagglehub")
    monkeypatch.setitem(endpoints, kaggle_env.KaggleEnv.PROD, f"http://127.0.0.1:{port}")
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("HOME", str(tmp_path / "no-home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN", "KAGGLE_API_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_zip(tmp_path_factory.mktemp("kaggle") / "archive.zip", picture_files(FACES)).read_bytes()


@pytest.fixture
def kaggle(archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kaggle]:
    server = Kaggle(archive)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    point_kaggle_to(monkeypatch, tmp_path, server.server_port)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_kaggle_is_downloaded_with_progress_and_imported(
    kaggle: Kaggle, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small chunks, and every one reported: the archive here is a thousandth of the real one.
    monkeypatch.setattr("kagglehub.clients.CHUNK_SIZE", 4096)
    clock = SimpleNamespace(monotonic=iter(range(10**6)).__next__)
    monkeypatch.setattr("fer_core.progress.time", clock)
    seen: list[Progress] = []
    dataset = import_dataset("kaggle", tmp_path / "out", progress=seen.append)
    assert {image.tobytes() for image in dataset.images} == {image.tobytes() for image in FACES.images}
    assert dataset.info.kind == "kaggle"
    assert dataset.info.source == "Kaggle, msambare/fer2013/versions/1"
    assert dataset.info.counts == {"Training": (10,) * 7, "PublicTest": (10,) * 7, "PrivateTest": (10,) * 7}

    download = [progress for progress in seen if progress.unit == "bytes" and progress.total is not None]
    assert {progress.total for progress in download} == {len(kaggle.archive)}
    assert len({progress.done for progress in download}) > 5, "bytes are reported as they come"
    assert download[-1].done == len(kaggle.archive)
    assert download[3].seconds_left is not None
    assert seen[-1].unit == "faces"

    (path, body, authorization) = kaggle.requests[0]
    assert path.endswith("/DownloadDataset")
    assert b"msambare" in body
    assert authorization is None, "public data needs no account"
    assert capsys.readouterr().out == "", "standard output belongs to the result"

    # Once in kagglehub's cache, it needs no network.
    kaggle.status = 500
    again = import_dataset("kaggle", tmp_path / "again")
    assert again.info.fingerprint == dataset.info.fingerprint
    assert len(kaggle.requests) == 1


def test_kagglehub_gets_its_own_bar_back(kaggle: Kaggle, tmp_path: Path) -> None:
    from kagglehub import clients

    before = clients.tqdm
    import_dataset("kaggle", tmp_path / "out")
    kaggle.status = 403
    with pytest.raises(DownloadError):
        import_dataset("kaggle", tmp_path / "out2", progress=lambda _: _clear_cache(tmp_path))
    assert clients.tqdm is before


def _clear_cache(tmp_path: Path) -> None:
    import shutil

    shutil.rmtree(tmp_path / "cache", ignore_errors=True)


def refused(tmp_path: Path, *fragments: str) -> None:
    with pytest.raises(DownloadError) as caught:
        import_dataset("kaggle", tmp_path / "out")
    for fragment in fragments:
        assert fragment in str(caught.value)
    assert left_behind(tmp_path, {"cache"}) == []


@pytest.mark.parametrize(
    ("status", "fragments"),
    [
        (401, ("HTTP 401", "kaggle.json", "KAGGLE_USERNAME", "https://www.kaggle.com/datasets/msambare/fer2013")),
        (403, ("HTTP 403", "kaggle.json", "data import archive.zip")),
        (404, ("HTTP 404", "no longer has")),
        (429, ("HTTP 429", "too many", "some minutes")),
        (500, ("HTTP 500", "Try again later")),
    ],
)
def test_kaggle_refuses(status: int, fragments: tuple[str, ...], kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.status = status
    refused(tmp_path, *fragments)


def test_a_download_that_breaks_off(kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.cut = len(kaggle.archive) // 2
    refused(tmp_path, "broke off", "Try again")
    kaggle.cut = len(kaggle.archive)
    assert len(import_dataset("kaggle", tmp_path / "out")) == 210


def test_a_download_with_another_checksum(kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.wrong_sum = True
    refused(tmp_path, "damaged on its way", "MD5", "deleted")
    assert list((tmp_path / "cache").rglob("*.archive")) == []


def test_an_archive_that_is_none(kaggle: Kaggle, tmp_path: Path) -> None:
    kaggle.archive = b"<html>Sorry</html>" * 100
    kaggle.cut = len(kaggle.archive)
    refused(tmp_path, "not a sound archive", "Try again later")


def test_malformed_credentials(kaggle: Kaggle, tmp_path: Path) -> None:
    folder = tmp_path / "no-credentials"
    folder.mkdir()
    (folder / "kaggle.json").write_text("{")
    with pytest.raises(DownloadError, match=r"credentials cannot be read.*kaggle\.json"):
        import_dataset("kaggle", tmp_path / "out")


def test_credentials_are_used(kaggle: Kaggle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_USERNAME", "someone")
    monkeypatch.setenv("KAGGLE_KEY", "secret")
    import_dataset("kaggle", tmp_path / "out")
    assert kaggle.requests[0][2] == "Basic " + base64.b64encode(b"someone:secret").decode()


def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    point_kaggle_to(monkeypatch, tmp_path, port)
    refused(tmp_path, "no connection to Kaggle", "Check your network", "data import archive.zip")


def test_stopping_ends_the_download(kaggle: Kaggle, tmp_path: Path) -> None:
    class StoppedError(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.done:
            raise StoppedError

    with pytest.raises(StoppedError):
        import_dataset("kaggle", tmp_path / "out", progress=stop)
    assert left_behind(tmp_path, {"cache"}) == []


def test_kagglehub_is_imported_only_when_needed() -> None:
    import subprocess

    code = "import sys, fer_core.data.importer, fer_core.data.kaggle; print('kagglehub' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
