"""Downloads against a server on this machine: whole files arrive, everything else leaves nothing; temporary names."""

from __future__ import annotations

import ast
import hashlib
import io
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fer_core import files
from fer_core.errors import DownloadError
from fer_core.files import download, fetched
from fer_core.processes import ProcessMark

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/missing":
            self.send_error(404, "Not Found")
            return
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/whole")
            self.end_headers()
            return
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "ftp://127.0.0.1/whole")
            self.end_headers()
            return
        if self.path == "/slow":
            self.server.over.wait()  # type: ignore[attr-defined]
        self.send_response(200)
        if self.path != "/unsized":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:1000] if self.path == "/cut" else CONTENT)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.over = threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.over.set()  # type: ignore[attr-defined]
        running.shutdown()
        thread.join()


def test_md5_is_checked_where_the_publisher_gives_nothing_better(server: str, tmp_path: Path) -> None:
    digest = hashlib.md5(CONTENT).hexdigest()
    assert download(f"{server}/whole", tmp_path / "right", digest).read_bytes() == CONTENT
    with pytest.raises(DownloadError, match="md5"):
        download(f"{server}/whole", tmp_path / "wrong", "0" * 32)
    assert not (tmp_path / "wrong").exists()


@pytest.mark.parametrize("page", ["whole", "moved"])
def test_a_whole_file_arrives(server: str, tmp_path: Path, page: str) -> None:
    heard: list[tuple[int, int | None]] = []
    path = tmp_path / "new" / "folder" / "file.bin"
    got = download(f"{server}/{page}", path, SHA256.upper(), progress=lambda done, total: heard.append((done, total)))
    assert got == path
    assert path.read_bytes() == CONTENT
    assert heard[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)
    assert len(heard) > 2
    assert list(path.parent.iterdir()) == [path]


def test_a_server_that_does_not_say_the_size(server: str, tmp_path: Path) -> None:
    totals: list[int | None] = []
    download(f"{server}/unsized", tmp_path / "f", SHA256, progress=lambda _, total: totals.append(total))
    assert set(totals) == {None}


@pytest.mark.parametrize(
    ("page", "options", "words"),
    [
        ("missing", {}, "404"),
        ("cut", {}, "broke off after 1,000 of 1,024,000 bytes"),
        ("slow", {"timeout": 0.2}, "could not be fetched"),
        ("elsewhere", {}, "sends on to ftp://127.0.0.1/whole, which is not trusted"),
        ("whole", {"max_bytes": 5000}, "more than the 5,000 bytes"),
        ("whole", {"digest": "0" * 64}, "something else than expected"),
    ],
)
def test_failures_leave_what_was_there(
    server: str, tmp_path: Path, page: str, options: dict[str, object], words: str
) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(b"older")
    with pytest.raises(DownloadError, match=words):
        download(f"{server}/{page}", path, **{"digest": SHA256, **options})
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interruption_leaves_nothing(server: str, tmp_path: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(f"{server}/whole", tmp_path / "file.bin", SHA256, progress=stop)
    assert not list(tmp_path.iterdir())


def test_no_server_and_no_web_address(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="Check the network"):
        download("http://127.0.0.1:9/x", tmp_path / "f", SHA256, timeout=2)
    with pytest.raises(DownloadError, match="not a web address"):
        download((tmp_path / "secret").as_uri(), tmp_path / "f", SHA256)


def test_an_encrypted_address_is_not_followed_to_an_open_one() -> None:
    request, follow = urllib.request.Request("https://example.org/a"), files._Redirects().redirect_request
    assert follow(request, io.BytesIO(), 302, "Found", HTTPMessage(), "https://example.org/b") is not None
    with pytest.raises(DownloadError, match="not trusted"):
        follow(request, io.BytesIO(), 302, "Found", HTTPMessage(), "http://example.org/b")


def test_what_drips_for_too_long_is_given_up(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte came within the timeout, so that a file might take for ever."""
    steady = iter(range(0, 10_000, 20))
    monkeypatch.setattr(files.time, "monotonic", lambda: float(next(steady)))
    with pytest.raises(DownloadError, match="after 30 s"):
        fetched(f"{server}/whole", SHA256, max_bytes=len(CONTENT), timeout=5, most_seconds=30)


def test_a_folder_that_cannot_be_made(server: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    with pytest.raises(DownloadError, match="cannot be made"):
        download(f"{server}/whole", tmp_path / "file" / "below", SHA256)


def test_nothing_else_names_what_is_temporary_by_its_process() -> None:
    """Containers share process numbers and even host names, so a home of two had two files of one name."""
    root, calls = Path(files.__file__).parent, ("os.getpid", "ProcessMark.me", "place")
    sources = {
        path: text
        for path in (*root.rglob("*.py"), *(root.parent / "pages").rglob("*.py"))
        if any(f"{call}()" in (text := path.read_text(encoding="utf-8")) for call in calls)
    }
    found = {
        str(path.relative_to(root.parent)): call
        for path, source in sources.items()
        for text in ast.walk(ast.parse(source))
        if isinstance(text, ast.JoinedStr)
        for part in ast.walk(text)
        if isinstance(part, ast.Call) and (call := ast.unparse(part.func)) in calls
    }
    # A host has one lease for all its trainings, so its name holds the host alone.
    assert found == {"fer_core/files.py": "ProcessMark.me", "fer_core/training/lock.py": "place"}
    names = {files.temporary_name(".x.", ".part") for _ in range(100)}
    assert len(names) == 100
    assert all(ProcessMark.find(name) == ProcessMark.me() for name in names)


def test_the_disks_clock_is_asked_now_and_then_and_counted_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at a lease of another host made a file on the disk that they share."""
    made: list[object] = []
    plainly, steady = tempfile.TemporaryFile, [0.0]
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **how: made.append(how) or plainly(**how))
    monkeypatch.setattr(time, "monotonic", lambda: steady[0])
    monkeypatch.setattr(files, "_clocks", {})
    first = files.disk_time_ns(tmp_path)
    (tmp_path / "folder").mkdir()
    steady[0] = 2.0
    assert files.disk_time_ns(tmp_path / "folder") == first + 2_000_000_000
    assert len(made) == 1
    # The disk's clock may have been set meanwhile.
    steady[0] = 6.0
    assert abs(files.disk_time_ns(tmp_path) - time.time_ns()) < 60e9
    assert len(made) == 2
    assert abs(files.disk_time_ns(tmp_path / "absent") - time.time_ns()) < 60e9
