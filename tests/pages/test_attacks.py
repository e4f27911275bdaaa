"""What a stranger may try on a hosted app, over its WebSocket and its addresses, without a browser that would obey."""

from __future__ import annotations

import http.client
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from browser import AppServer
from factories import make_run
from proxy import forwarding
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from visit import Visit, widgets
from websockets.exceptions import InvalidStatus

from fer_core.access.password import VARIABLE
from pages.parts.dataset.import_tab import PATH

pytestmark = pytest.mark.slow
PASSWORD = "a secret of the owner"
STRANGER = {"X-Forwarded-For": "203.0.113.7"}
PATHS = ("/etc/passwd", "/proc/self/environ", "../../../../etc/passwd", ".streamlit/secrets.toml", "/")
IMPORT = {"view": "Bring real data"}
OWNERS_OWN = (
    ("dataset", IMPORT),
    ("dataset", {**IMPORT, "from": PATH}),
    ("dataset", {**IMPORT, "from": "Kaggle"}),
    ("dataset", {"view": "Audit"}),
    ("run", {"run": "mine"}),
    ("photo", {}),
)
"""Pages with something that the owner alone is offered."""


@dataclass(frozen=True)
class Hosted:
    server: AppServer
    home: Path

    @property
    def port(self) -> int:
        return self.server.port

    def state(self) -> list[tuple[str, int]]:
        """Every file of the home with its size."""
        return sorted((str(path.relative_to(self.home)), path.stat().st_size) for path in self.home.rglob("*"))


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory, drawn_sample: Path) -> Iterator[Hosted]:
    """A server with the drawn sample and one run, which knows a password and a file beside its home."""
    folder = tmp_path_factory.mktemp("hosted")
    (folder / "models").mkdir()
    shutil.copytree(drawn_sample, folder / "home" / "datasets" / "sample")
    make_run(folder / "home" / "runs" / "mine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_EXPLORER_HOME", str(folder / "home"))
        patch.setenv("FER_EXPLORER_MODELS", str(folder / "models"))
        patch.setenv(VARIABLE, PASSWORD)
        patch.delenv("FER_EXPLORER_OWNER", raising=False)
        server = AppServer(folder / "log").start()
    yield Hosted(server, folder / "home")
    server.stop()


def drawn(port: int, page: str, query: dict[str, str], headers: dict[str, str] | None = None) -> dict[str, str]:
    """The widgets of a page, kind by id, in a session of its own."""
    with Visit(port, headers=headers) as visit:
        return widgets(visit.open(page, urlencode(query)))


def at_once(found: dict[str, str], text: str) -> list[WidgetState]:
    """Every button pressed, and every field filled in."""
    states = [WidgetState(id=one, trigger_value=True) for one, kind in found.items() if kind == "button"]
    return states + [WidgetState(id=one, string_value=text) for one, kind in found.items() if kind == "text_input"]


def said(messages: list[ForwardMsg]) -> bytes:
    return b"".join(message.SerializeToString() for message in messages)


def is_secret(content: bytes, hosted: Hosted) -> str:
    """What of the server this gives away; "" for nothing."""
    secrets = (PASSWORD, "root:x:", "PATH=", str(hosted.home), str(Path.home() / "."), "Traceback")
    return next((one for one in secrets if one.encode() in content), "")


@pytest.mark.parametrize(("page", "query"), OWNERS_OWN, ids=str)
def test_what_only_the_owner_is_offered_does_nothing_for_a_stranger_who_calls_it(
    hosted: Hosted, page: str, query: dict[str, str]
) -> None:
    """The owner's page tells the ids of its widgets, and a stranger sends the server what those would send."""
    theirs = drawn(hosted.port, page, query)
    mine = drawn(hosted.port, page, query, STRANGER)
    forbidden = {one: kind for one, kind in theirs.items() if one not in mine}
    assert forbidden
    before = hosted.state()
    for path in PATHS[:2]:
        with Visit(hosted.port, headers=STRANGER) as visit:
            heard = visit.open(page, urlencode(query), at_once(forbidden, path))
            # And again where the page has been drawn.
            heard += visit.open(page, urlencode(query), at_once(forbidden, path))
            assert not is_secret(said(heard), hosted)
    assert hosted.state() == before


def test_the_owner_imports_and_deletes_the_very_same_way(hosted: Hosted, tmp_path: Path) -> None:
    """Without this, the test above could be one of a way that leads nowhere for anybody."""
    csv = tmp_path / "faces.csv"
    csv.write_text("emotion,pixels,Usage\n" + "".join(f"{i % 7},{' '.join(['9'] * 2304)},Training\n" for i in range(9)))
    query = {**IMPORT, "from": PATH}
    common = drawn(hosted.port, "dataset", {})
    found = drawn(hosted.port, "dataset", query)
    field, press = (
        next(one for one, kind in found.items() if kind == wanted and one not in common)
        for wanted in ("text_input", "button")
    )
    states = [WidgetState(id=field, string_value=str(csv)), WidgetState(id=press, trigger_value=True)]
    with Visit(hosted.port) as owner:
        owner.open("dataset", urlencode(query), states)

    def looked() -> str | None:
        return next((one for one in drawn(hosted.port, "dataset", query) if one.endswith("import-faces")), None)

    until(lambda: looked() is not None)
    states = [WidgetState(id=looked() or "", trigger_value=True)]
    before = hosted.state()
    with Visit(hosted.port, headers=STRANGER) as stranger:
        stranger.open("dataset", urlencode(query), states)
        stranger.open("dataset", urlencode(query), states)
    assert hosted.state() == before
    with Visit(hosted.port) as owner:
        owner.open("dataset", urlencode(query), states)
    until(lambda: (hosted.home / "datasets" / "faces" / "dataset.json").exists())
    found = drawn(hosted.port, "run", {"run": "mine"})
    delete = next(one for one in found if one.endswith("delete-run"))
    with Visit(hosted.port, "run", STRANGER) as stranger:
        stranger.open("run", "run=mine", [WidgetState(id=delete, trigger_value=True)])
        assert (hosted.home / "runs" / "mine").exists()
    with Visit(hosted.port) as owner:
        owner.open("run", "run=mine")
        owner.open("run", "run=mine", [WidgetState(id=delete, trigger_value=True)])
        assert not (hosted.home / "runs" / "mine").exists()


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_stranger_cannot_call_themselves_the_owner(hosted: Hosted) -> None:
    """The notes of the session are none of the widgets that a browser may set."""
    lies = [WidgetState(id=one, bool_value=True) for one in ("_unlocked", "$$ID-0-_unlocked", "_framed")]
    lies += [WidgetState(id="_token", string_value="x")]
    with Visit(hosted.port, headers=STRANGER) as visit:
        for query in (IMPORT, {**IMPORT, "_unlocked": "true", "owner": "1"}):
            assert "file_uploader" not in widgets(visit.open("dataset", urlencode(query), lies)).values()


@pytest.mark.parametrize(
    "headers",
    [{"Forwarded": "for=127.0.0.1"}, {"X-Real-IP": "127.0.0.1"}, {"Via": "1.1 proxy"}],
    ids=str,
)
def test_whoever_does_not_come_straight_from_this_computer_is_a_stranger(
    hosted: Hosted, headers: dict[str, str]
) -> None:
    assert "file_uploader" in drawn(hosted.port, "dataset", IMPORT).values()
    assert "file_uploader" not in drawn(hosted.port, "dataset", IMPORT, headers).values()


def test_a_foreign_page_in_the_owners_browser_gets_no_connection(hosted: Hosted) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        drawn(hosted.port, "dataset", IMPORT, {"Origin": "http://evil.example"})


@pytest.mark.parametrize("page", ["run", "dataset", "mistakes"])
def test_a_link_reads_no_file(hosted: Hosted, page: str) -> None:
    names = ("run", "data", "face", "runs", "models", "explain.row", "view", "of")
    with Visit(hosted.port, headers=STRANGER) as visit:
        for path in PATHS:
            heard = said(visit.open(page, urlencode(dict.fromkeys(names, path))))
            assert not is_secret(heard, hosted)


@pytest.mark.parametrize("place", ["", "media/", "static/", "app/static/", "component/", "_stcore/upload_file/"])
def test_an_address_reads_no_file(hosted: Hosted, place: str) -> None:
    for path in PATHS:
        for written in (path, quote(path, safe=""), "../" * 8 + path.lstrip("/"), "..%2f" * 8 + path.lstrip("/")):
            connection = http.client.HTTPConnection("127.0.0.1", hosted.port, timeout=30)
            connection.request("GET", f"/{place}{written}", headers=STRANGER)
            assert not is_secret(connection.getresponse().read(), hosted)
            connection.close()


@pytest.mark.parametrize(("host", "may"), [("localhost:8501", False), ("127.0.0.1", False), ("fer.example.org", True)])
def test_a_foreign_page_frames_no_app_whose_owner_might_click(hosted: Hosted, host: str, may: bool) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", hosted.port, timeout=30)
    connection.request("GET", "/", headers={"Host": host})
    said = connection.getresponse().getheader("Content-Security-Policy") or ""
    connection.close()
    assert ("frame-ancestors 'self'" in said) is not may


def test_a_strangers_photo_stays_theirs(hosted: Hosted) -> None:
    with Visit(hosted.port, "photo", STRANGER) as one, Visit(hosted.port, "photo", STRANGER) as other:
        url = one.upload_urls()[0]
        assert one.upload(b"a picture of me", url)[0] == 204
        connection = http.client.HTTPConnection("127.0.0.1", hosted.port, timeout=30)
        connection.request("GET", url)
        assert b"a picture of me" not in connection.getresponse().read()
        connection.close()
        heard = b"".join(said(other.open(page)) for page in ("photo", "explain", "live"))
        assert b"a picture of me" not in heard
    assert not [path for path in hosted.home.rglob("*") if path.is_file() and b"a picture of me" in path.read_bytes()]


def test_nothing_that_strangers_did_brought_the_server_down(hosted: Hosted) -> None:
    assert drawn(hosted.port, "dataset", {})
    assert PASSWORD not in hosted.server.log()


def test_through_a_real_proxy_everybody_is_a_stranger(hosted: Hosted) -> None:
    with forwarding(hosted.port) as port:
        assert "file_uploader" not in drawn(port, "dataset", IMPORT).values()
