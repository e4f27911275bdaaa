"""Uploads over a real server, sent straight to Streamlit's endpoint as no page would."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from browser import ROOT, AppServer
from streamlit.proto.Common_pb2 import FileURLs, StringArray
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec, UploadFileUrlInfo
from streamlit.testing.v1 import AppTest
from visit import Visit, widgets

from fer_core.access.uploads import MB, Place
from pages.parts.server import Keeper
from pages.parts.uploads import file_name

STRANGER = {"X-Forwarded-For": "203.0.113.7"}
TTL_S = 5
"""Of sessions whose connection broke. The server sweeps a little before."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "models").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_EXPLORER_HOME", str(folder / "home"))
        patch.setenv("FER_EXPLORER_MODELS", str(folder / "models"))
        patch.delenv("FER_EXPLORER_OWNER", raising=False)
        server = AppServer(folder / "log", options=["--server.disconnectedSessionTTL", str(TTL_S)]).start()
    yield server
    server.stop()


def test_a_page_without_an_uploader_takes_nothing(server: AppServer) -> None:
    with Visit(server.port, "limits", STRANGER) as visit:
        status, words = visit.upload(b"x")
        assert status == 403
        assert "Nothing can be uploaded" in words
        visit.open("photo")
        assert visit.upload(b"x")[0] == 204
        visit.open("limits")
        assert visit.upload(b"x")[0] == 403


def test_a_file_too_large_is_refused_before_it_is_sent_and_while_it_is(server: AppServer) -> None:
    with Visit(server.port, "photo", STRANGER) as visit:
        assert visit.upload(b"x" * 15 * MB)[0] == 204
        assert visit.upload(b"x", announce=16 * MB)[0] == 413
        sent = 0

        def endless() -> Iterator[bytes]:
            nonlocal sent
            while sent < 400 * MB:
                sent += MB
                yield bytes(MB)

        assert visit.put(visit.upload_urls()[0], endless())[0] == 413
        assert sent < 60 * MB


def test_an_owner_may_upload_larger_pictures_than_a_visitor(server: AppServer) -> None:
    with Visit(server.port, "photo") as owner:
        assert owner.upload(b"x" * 16 * MB)[0] == 204
    with Visit(server.port, "photo", STRANGER) as visitor:
        assert visitor.upload(b"x" * 16 * MB)[0] == 413


def test_ids_of_other_sessions_and_made_up_ones_are_refused(server: AppServer) -> None:
    with Visit(server.port, "photo", STRANGER) as one, Visit(server.port, "photo", STRANGER) as other:
        url = one.upload_urls()[0]
        assert one.put(url.replace(one.session, other.session), b"x")[0] == 403
        assert one.put(f"/_stcore/upload_file/{other.session}/made-up", b"x")[0] == 403
        assert one.put("/_stcore/upload_file/nobody/made-up", b"x")[0] == 403


def test_a_session_cannot_fill_the_server_and_gives_back_all_of_it_when_it_leaves(server: AppServer) -> None:
    process = psutil.Process(server.pid)
    with Visit(server.port, "photo", STRANGER) as visit:
        before = process.memory_info().rss
        answers = [visit.upload(b"x" * 15 * MB)[0] for _ in range(12)]
        assert answers == [204] * 10 + [413] * 2
        url = visit.upload_urls()[0]
        full = process.memory_info().rss
        assert full - before > 100 * MB
    deadline = time.monotonic() + TTL_S + 20
    while process.memory_info().rss > full - 100 * MB:
        assert time.monotonic() < deadline, "the memory was not given back"
        time.sleep(0.3)
    assert visit.put(url, b"x")[0] in (400, 403)


def test_the_memory_of_uploads_stayed_taken_when_their_page_was_left(server: AppServer) -> None:
    """Ten of 15 MB are all that a visitor may hold: there was no eleventh in the visit, on whatever page."""
    process = psutil.Process(server.pid)
    with Visit(server.port, "photo", STRANGER) as visit:
        assert [visit.upload(bytes(15 * MB))[0] for _ in range(11)] == [204] * 10 + [413]
        full = process.memory_info().rss
        visit.open("limits")
        assert full - process.memory_info().rss > 100 * MB
        way = next(one for one in widgets(visit.open("photo")) if one.endswith("-way"))
        for number in range(6):
            # 99 MB each, of 150 that a visitor may hold.
            video = number % 2 == 0
            chosen = WidgetState(id=way, string_array_value=StringArray(data=["Video" if video else "Upload"]))
            visit.open("photo", states=[chosen])
            assert visit.upload(bytes(99 * MB))[0] == (204 if video else 413)


def test_streamlit_s_keeper_of_files_has_what_this_app_relies_on() -> None:
    """A failure here: this release of Streamlit keeps uploads in another way, and none would be bounded."""
    keeper = MemoryUploadedFileManager("/_stcore/upload_file")
    for name in ("get_upload_urls", "add_file", "remove_file", "remove_session_files"):
        ours = getattr(Keeper, name, None)
        assert ours is not None, f"pages/parts/server.py does not replace {name} any more"
        theirs = getattr(keeper, name, None)
        assert theirs is not None, f"Streamlit's upload manager has no {name} any more"
        wanted = list(inspect.signature(ours).parameters)[1:]
        assert list(inspect.signature(theirs).parameters) == wanted, f"{name} of Streamlit takes other things now"
    assert {"file_id", "data"} <= set(UploadedFileRec._fields)
    assert "file_id" in UploadFileUrlInfo._fields
    for name in ("uploaded_file_mgr", "is_active_session", "close_session"):
        assert hasattr(Runtime, name), f"Streamlit's runtime has no {name} any more"


def test_nothing_large_is_read_elsewhere(server: AppServer) -> None:
    with Visit(server.port, "limits", STRANGER) as visit:
        assert visit.put("/_stcore/health", (bytes(MB) for _ in range(100)))[0] == 413
        assert visit.put("/_stcore/upload_file/x", bytes(2 * MB))[0] == 413


def test_every_field_that_takes_files_says_what_for() -> None:
    """They go through ``uploads``; a new one that does not would have no place, and no limit."""
    for path in sorted((ROOT / "pages").rglob("*.py")):
        source = path.read_text()
        if path.name != "uploads.py":
            assert "file_uploader(" not in source, path
        fields = source.count("camera_input(") + source.count("accept_file=") + source.count("audio_input(")
        assert source.count("uploads.within(") >= fields, path


def test_the_page_itself_takes_no_larger_file_than_its_place(
    visitor: None, open_app: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app("photo")
    assert app.file_uploader[0].proto.max_upload_size_mb == Place.PICTURE.megabytes(owner=False)
    app.file_uploader[0].set_value([("large.png", bytes(15 * MB + 1), "image/png")]).run()
    assert not app.exception
    assert any("more than 15 MB" in warning.value for warning in app.warning)
    assert not app.dataframe


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("fer2013.csv.gz", "fer2013.csv.gz"),
        ("../../etc/passwd", "passwd"),
        ("..", "upload"),
        ("C:\\Users\\me\\faces.zip", "faces.zip"),
        ("a\x00b\n.zip", "a_b_.zip"),
        ("x" * 300 + ".csv", "x" * 96 + ".csv"),
        ("", "upload"),
    ],
)
def test_a_name_becomes_one_that_every_disk_takes(name: str, safe: str, tmp_path: Path) -> None:
    file = UploadedFile(UploadedFileRec("id", name, "", b""), FileURLs())
    assert file_name(file) == safe
    (tmp_path / safe).touch()
