"""A visit of a running server without a browser: Streamlit's own WebSocket, and its endpoint for uploads."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Iterable, Iterator
from types import TracebackType

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect
from websockets.typing import Subprotocol

XSRF = "_streamlit_xsrf"


class Visit:
    """One session of the server at that port, at the page with that address ("" is Home). ``headers``: of its browser.

    >>> with Visit(8501, "photo") as visit:  # doctest: +SKIP
    ...     status, words = visit.upload(b"...")
    """

    def __init__(self, port: int, page: str = "", headers: dict[str, str] | None = None) -> None:
        self.port, self.page = port, page
        self._headers = headers or {}
        self.session = ""

    def __enter__(self) -> Visit:
        request = http.client.HTTPConnection("127.0.0.1", self.port)
        request.request("GET", "/_stcore/health")
        cookie = request.getresponse().getheader("set-cookie") or ""
        request.close()
        self._token = cookie.split(";")[0].partition("=")[2]
        self._connection = connect(
            f"ws://127.0.0.1:{self.port}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            additional_headers={"Cookie": f"{XSRF}={self._token}", **self._headers},
            max_size=None,
        )
        self._socket = self._connection.__enter__()
        self.open(self.page)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.__exit__(kind, error, trace)

    def open(self, page: str, query: str = "", states: Iterable[WidgetState] = ()) -> list[ForwardMsg]:
        """Go to the page, and wait until its script has run; what the server sent.

        ``query``: of the address, without the question mark. ``states``: of widgets, whether the page has them or not.
        """
        message = BackMsg()
        message.rerun_script.page_name = page
        message.rerun_script.query_string = query
        message.rerun_script.widget_states.widgets.extend(states)
        self._socket.send(message.SerializeToString())
        return list(self._run())

    def upload_urls(self, count: int = 1) -> list[str]:
        """Ask for the addresses of so many uploads, as an uploader does."""
        message = BackMsg()
        message.file_urls_request.request_id = "1"
        message.file_urls_request.session_id = self.session
        message.file_urls_request.file_names.extend(f"file-{number}" for number in range(count))
        self._socket.send(message.SerializeToString())
        for answer in self._messages():
            if answer.WhichOneof("type") == "file_urls_response":
                return [one.upload_url for one in answer.file_urls_response.file_urls]
        raise AssertionError("no addresses came")

    def upload(self, content: bytes, url: str | None = None, *, announce: int | None = None) -> tuple[int, str]:
        """Send a file as a browser does; status and words of the answer. ``announce`` another length than it has."""
        return put(self.port, url or self.upload_urls()[0], content, self._token, announce=announce)

    def put(self, url: str, body: bytes | Iterable[bytes], *, announce: int | None = None) -> tuple[int, str]:
        return put(self.port, url, body, self._token, announce=announce)

    def _messages(self) -> Iterator[ForwardMsg]:
        while True:
            data = self._socket.recv(timeout=60)
            assert isinstance(data, bytes)
            message = ForwardMsg()
            message.ParseFromString(data)
            yield message

    def _run(self) -> Iterator[ForwardMsg]:
        for message in self._messages():
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.session = message.new_session.initialize.session_id
            yield message
            if kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return


def widgets(messages: Iterable[ForwardMsg]) -> dict[str, str]:
    """The kind of each widget that the server has drawn, by its id, which ends with the key that the page gave it."""
    found = {}
    for message in messages:
        if message.WhichOneof("type") == "delta":
            for part in (message.delta.new_element, message.delta.add_block):
                kind = part.WhichOneof("type")
                if kind and (identity := getattr(getattr(part, kind), "id", "")):
                    found[identity] = kind
    return found


def put(
    port: int, url: str, content: bytes | Iterable[bytes], token: str, *, announce: int | None = None
) -> tuple[int, str]:
    """``PUT`` a file to the endpoint: status and words. Content in pieces is sent without telling its length."""
    head = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.png"\r\nContent-Type: image/png\r\n\r\n'
    tail = b"\r\n--x--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Cookie": f"{XSRF}={token}", "X-Xsrftoken": token}
    request = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        if isinstance(content, bytes):
            body: bytes | Iterable[bytes] = head + content + tail
            headers["Content-Length"] = str(announce if announce is not None else len(head + content + tail))
        else:
            body = (part for parts in ([head], content, [tail]) for part in parts)
        # Broken where it was answered before all was sent.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            request.request("PUT", url, body, headers, encode_chunked=not isinstance(content, bytes))
        answer = request.getresponse()
        try:
            words = answer.read()
        except (http.client.IncompleteRead, ConnectionResetError):
            # The server hangs up on what it refuses: on a busy machine its words may be lost, after the status.
            words = b""
        return answer.status, words.decode()
    finally:
        request.close()
