"""A visitor of the app without a browser: opens pages, clicks in charts, and takes the server's time for it.

It runs the real pages under Streamlit's own ``AppTest``. What is timed is what a server does for one click: every run
of a script that follows from it, also where one page leads to another, and turning all that is sent into bytes. What
the network and the browser do is not in it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.websocket import EVENTS
from fer_core.errors import FerError

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 120
"""Longest a single click may take."""
KINDS = ("selectbox", "pagination")
"""Widgets that a visitor can set."""

Query = Mapping[str, str | Sequence[str]]


class Visitor:
    """One session of the app, opened by a link to ``pages/<page>.py`` with that query.

    What the server keeps for all visitors stays warm from one to the next. Raises ``FerError`` where a page fails.
    """

    def __init__(self, page: str, query: Query) -> None:
        from streamlit.testing.v1 import AppTest

        _prepare()
        self.app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=SECONDS)
        # AppTest can go to a page only from another one.
        self._run()
        self.app.switch_page(f"pages/{page}.py")
        for key, value in query.items():
            self.app.query_params[key] = value if isinstance(value, str) else list(value)
        self._run()

    def choose(self, **values: Any) -> float:
        """Set the widgets with these keys, as their user would, all at once. Milliseconds.

        Raises ``FerError`` where the page has no such widget, or does not take the value.
        """
        for key, value in values.items():
            self._widget(key).set_value(value)
        milliseconds = self._run()
        for key, value in values.items():
            if self.app.session_state[key] != value:
                raise FerError(f"the widget {key!r} did not take {value!r}")
        return milliseconds

    def pages(self, key: str) -> int:
        """How many pages the widget with this key offers; 1 where it is not there."""
        found: list[Any] = [widget for widget in self.app.get("pagination") if widget.key == key]
        return int(found[0].num_pages) if found else 1

    def click(self, key: str, customdata: Sequence[Any]) -> float:
        """Click the mark with this ``customdata`` in the chart with this key, or that face of a sheet. Milliseconds.

        Raises ``FerError`` where the page has no such chart, or the chart no such mark.
        """
        if (sheet := self._sheet(key)) is not None:
            states = self.app._tree.get_widget_states()
            events = json.dumps([{"event": "face", "value": customdata[0]}])
            states.widgets.add(id=f"{EVENTS[0]}{sheet.id}{EVENTS[1]}", json_trigger_value=events)
            return self._run(states)
        chart = next((chart for chart in self.app.get("plotly_chart") if _key_of(chart.proto.id) == key), None)
        if chart is None:
            raise FerError(f"this page has no chart called {key!r} that can be clicked")
        traces = json.loads(chart.proto.spec)["data"]
        known = [list(point) for trace in traces for point in _points(trace)]
        point = next((point for point in known if point[: len(customdata)] == list(customdata)), None)
        if point is None:
            raise FerError(f"the chart {key!r} has no mark {list(customdata)}")
        # AppTest cannot click charts, so this says what a browser would: the state of that one widget.
        states = self.app._tree.get_widget_states()
        states.widgets.add(
            id=chart.proto.id, string_value=json.dumps({"selection": {"points": [{"customdata": point}]}})
        )
        return self._run(states)

    def _widget(self, key: str) -> Any:
        for kind in KINDS:
            for widget in self.app.get(kind):
                if widget.key == key:
                    return widget
        raise FerError(f"this page has no widget called {key!r}")

    def rows(self, key: str) -> list[int]:
        """The faces of a contact sheet, by row number, as they stand on the page."""
        if (sheet := self._sheet(key)) is not None:
            return [int(face[0]) for face in json.loads(sheet.mixed.json or sheet.json)["faces"]]
        chart = next(chart for chart in self.app.get("plotly_chart") if _key_of(chart.proto.id) == key)
        return [int(point[0]) for trace in json.loads(chart.proto.spec)["data"] for point in _points(trace)]

    def _sheet(self, key: str) -> Any:
        """The sheet of faces with this key; None where there is none."""
        return next((one.proto for one in self.app.get("bidi_component") if _key_of(one.proto.id) == key), None)

    @property
    def title(self) -> str:
        """The heading of the page that is shown."""
        return str(self.app.title[0].value) if self.app.title else ""

    @property
    def text(self) -> str:
        """All plain text of the page."""
        parts: Iterable[Any] = (*self.app.markdown, *self.app.caption, *self.app.info)
        return "\n".join(str(part.value) for part in parts)

    def _run(self, states: Any = None) -> float:
        """Run, and fail where a page fails: the time of an error says nothing."""
        _Timed.milliseconds = float("nan")
        self.app._run(states) if states is not None else self.app.run()
        if self.app.exception:
            shown = self.app.exception[0]
            raise FerError(f"the page failed: {shown.message}\n" + "\n".join(shown.stack_trace))
        return _Timed.milliseconds


class _Timed:
    """Where the runner below leaves the time of the last run."""

    milliseconds = float("nan")


_prepared = False


def _prepare() -> None:
    """Put a clock into AppTest, and let each of its runs be a later one of its server."""
    global _prepared
    if _prepared:
        return
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.testing.v1 import app_test
    from streamlit.testing.v1.local_script_runner import LocalScriptRunner

    class TimedRunner(LocalScriptRunner):
        """AppTest itself looks only every 100 ms whether the script has ended, so the clock is in its thread."""

        def _run_script_thread(self) -> None:
            began = time.perf_counter()
            try:
                super()._run_script_thread()
            finally:
                for message in self.forward_msgs():
                    message.SerializeToString()
                _Timed.milliseconds = 1000 * (time.perf_counter() - began)

    class WarmPagesManager(PagesManager):
        """AppTest makes every run the first one of a server, which takes the folder ``pages`` for an old app's."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            PagesManager.uses_pages_directory = False

    # AppTest has no setting for either.
    app_test.LocalScriptRunner = TimedRunner  # type: ignore[misc]
    app_test.PagesManager = WarmPagesManager  # type: ignore[misc]
    _prepared = True


def _key_of(widget_id: str) -> str:
    """The key that a page gave a widget: the end of the id that Streamlit makes of it."""
    return widget_id.split("-", 2)[-1]


def _points(trace: Mapping[str, Any]) -> list[list[Any]]:
    return [point for point in trace.get("customdata") or [] if isinstance(point, list)]
