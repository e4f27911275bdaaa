"""A visit over Streamlit's own WebSocket protocol: what a browser says to the server, without the browser.

Unlike ``visitor.py``, which runs pages in this process, this talks to a real server, so that many visits at once can be
measured. What a browser does with the answers (drawing, fetching media) is not in it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

from fer_core.errors import FerError

SECONDS = 60.0
"""Longest that the server may take for one answer."""
EVENTS = ("$$STREAMLIT_INTERNAL_KEY_", "__events")
"""What Streamlit puts around the id of a component for the events that the component reports."""
_ENDED = {ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY}


@dataclass
class Visit:
    """One visitor's tab. Made by :meth:`open`; :meth:`show` and :meth:`set` each wait until the page is complete.

    Attributes:
        elements: what stands on the page, Streamlit's ``Element`` or ``Block`` messages by their path.
        pages: the hash of each page by the last part of its address; Home's is empty.
    """

    connection: ClientConnection
    elements: dict[tuple[int, ...], Any] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    query: str = ""
    _page: str = ""
    _states: dict[str, WidgetState] = field(default_factory=dict)
    _fragments: dict[str, str] = field(default_factory=dict)
    """The fragment that each widget stands in: the server runs that alone, as it does for a browser."""
    _fragment: str = ""

    @classmethod
    async def open(cls, port: int) -> Visit:
        """Connect to the app on this computer, and show Home."""
        connection = await connect(
            f"ws://localhost:{port}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            origin=f"http://localhost:{port}",  # type: ignore[arg-type]
            max_size=None,
            ping_interval=None,
        )
        visit = cls(connection)
        await visit.show("")
        return visit

    async def close(self) -> None:
        await self.connection.close()

    async def show(self, page: str, query: str = "") -> float:
        """Go to a page, by the last part of its address, as by a link with that query. Returns seconds."""
        if self.pages and page not in self.pages:
            raise FerError(f"the app has no page {page!r}; it has {', '.join(self.pages)}")
        self._page, self.query = self.pages.get(page, ""), query
        self._states.clear()
        return await self._run(page_name=page)

    async def press(self, key: str) -> float:
        """Press the button with this key, or the first whose key begins so. Returns seconds."""
        state = WidgetState(id=self._find(key), trigger_value=True)
        return await self._run(state, fragment=self._fragments.get(state.id, ""))

    async def choose(self, key: str, value: str) -> float:
        """Choose among a selection box or tabs. Returns seconds."""
        return await self._keep(WidgetState(id=self._find(key), string_value=value))

    async def pick(self, key: str, value: str) -> float:
        """Choose one of a row of choices (a segmented control). Returns seconds."""
        state = WidgetState(id=self._find(key))
        state.string_array_value.data.append(value)
        return await self._keep(state)

    async def click(self, key: str, among: Callable[[list[list[Any]]], list[Any]]) -> float:
        """Click the mark of a chart that ``among`` picks of the ``customdata`` of all, or the face of a sheet that it
        picks of what the browser knows of all. Returns seconds.
        """
        sheet = next((one for one in self._of("bidi_component") if _key(one.id).startswith(key)), None)
        if sheet is not None:
            return await self._trigger(sheet, among)
        chart = next((one for one in self._of("plotly_chart") if _key(one.id).startswith(key)), None)
        if chart is None:
            raise FerError(f"the page has no chart {key!r}")
        point = among(list(_points(json.loads(chart.spec))))
        selection = json.dumps({"selection": {"points": [{"customdata": point}]}})
        return await self._keep(WidgetState(id=chart.id, string_value=selection))

    async def _trigger(self, sheet: Any, among: Callable[[list[list[Any]]], list[Any]]) -> float:
        face = among(json.loads(sheet.mixed.json or sheet.json)["faces"])
        state = WidgetState(
            id=f"{EVENTS[0]}{sheet.id}{EVENTS[1]}", json_trigger_value=json.dumps([{"event": "face", "value": face[0]}])
        )
        return await self._run(state, fragment=self._fragments.get(sheet.id, ""))

    def keys(self) -> list[str]:
        """The keys of all widgets on the page."""
        return [_key(one) for one in self._ids()]

    async def _keep(self, state: WidgetState) -> float:
        self._states[state.id] = state
        return await self._run(fragment=self._fragments.get(state.id, ""))

    async def _run(self, once: WidgetState | None = None, page_name: str = "", fragment: str = "") -> float:
        """Ask for a run of the page and wait for its end. Raises ``FerError`` where it fails or takes too long."""
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.page_script_hash = self._page
        message.rerun_script.page_name = page_name
        message.rerun_script.fragment_id = self._fragment = fragment
        message.rerun_script.widget_states.widgets.extend(self._states.values())
        if once is not None:
            message.rerun_script.widget_states.widgets.append(once)
        began = time.perf_counter()
        await self.connection.send(message.SerializeToString())
        failures: list[str] = []
        while True:
            remaining = SECONDS - (time.perf_counter() - began)
            answer = ForwardMsg.FromString(await _bytes(self.connection, remaining))
            if self._take(answer, failures):
                break
        if failures:
            raise FerError(f"the page failed: {failures[0]}")
        return time.perf_counter() - began

    def _take(self, message: ForwardMsg, failures: list[str]) -> bool:
        """Keep what the message says; whether it ends the run."""
        kind = message.WhichOneof("type")
        if kind == "new_session":
            if not self._fragment:
                self.elements.clear()
                self._fragments.clear()
            self._page = message.new_session.page_script_hash
        elif kind == "navigation":
            self.pages = {
                "" if page.is_default else page.url_pathname: page.page_script_hash
                for page in message.navigation.app_pages
            }
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "delta":
            delta = message.delta
            is_element = delta.HasField("new_element")
            part: Any = delta.new_element if is_element else delta.add_block
            self.elements[tuple(message.metadata.delta_path)] = part
            if delta.fragment_id and (identity := _identity(part)):
                self._fragments[identity] = delta.fragment_id
            if is_element and part.HasField("exception"):
                failures.append(f"{part.exception.type}: {part.exception.message}")
        elif kind == "script_finished":
            return message.script_finished in _ENDED
        return False

    def _find(self, key: str) -> str:
        ids = list(self._ids())
        found = [one for one in ids if _key(one) == key] or [one for one in ids if _key(one).startswith(key)]
        if not found:
            raise FerError(f"the page has no widget {key!r}; it has {', '.join(sorted(map(_key, ids)))}")
        return found[0]

    def _ids(self) -> Iterator[str]:
        yield from filter(None, map(_identity, list(self.elements.values())))

    def _of(self, kind: str) -> Iterator[Any]:
        for part in self.elements.values():
            if part.WhichOneof("type") == kind:
                yield getattr(part, kind)


def _identity(part: Any) -> str:
    kind = part.WhichOneof("type")
    return str(getattr(getattr(part, kind), "id", "")) if kind else ""


async def _bytes(connection: ClientConnection, seconds: float) -> bytes:
    import asyncio

    try:
        data = await asyncio.wait_for(connection.recv(), max(seconds, 0.001))
    except TimeoutError:
        raise FerError(f"the server did not answer within {SECONDS:.0f} s") from None
    return data if isinstance(data, bytes) else data.encode()


def _key(identity: str) -> str:
    """The key that a page gave a widget: the end of the id that Streamlit makes of it."""
    return identity.split("-", 2)[-1]


def _points(figure: dict[str, Any]) -> Iterator[list[Any]]:
    for trace in figure["data"]:
        yield from (point for point in trace.get("customdata") or [] if isinstance(point, list))
