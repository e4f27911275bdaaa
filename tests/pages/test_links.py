"""Links: hostile values of every name on every page, the one parser, and the rule for controls in the address."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from aiortc.contrib.media import MediaRelay
from apptest import ROOT, owners_home
from links_walk import HOSTILE, SCENES, Query, furnish, visit
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.testing.v1 import AppTest

from fer_core.emotions import NAMES
from fer_core.explain.inside import Inside
from fer_core.review.crowd_scores import LABELS, Share
from pages.parts import links
from pages.parts.explain import inside
from pages.parts.leaderboard import sections as leaderboard
from pages.parts.live import camera

PAGES = ROOT / "pages"
DRAWS = {"linked", "row_field", "fields"}
"""Modules and objects whose functions draw controls that live in the address."""
READS = {"read", "whole", "one_of", "given", "bound"}
"""Functions of ``links`` that read a name."""


# --- Every name of every page


class Seen:
    """Which names the pages asked the address for, and from which lines."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.names: dict[str, None] = {}
        self.lines: set[tuple[str, int]] = set()
        for name in ("read", "given", "bound"):
            patch.setattr(links, name, self._noting(getattr(links, name)))

    def _noting(self, reader: Callable[..., Any]) -> Callable[..., Any]:
        def noting(key: str, *args: Any, **options: Any) -> Any:
            self.names[key] = None
            frame: Any = sys._getframe(1)
            while frame is not None:
                self.lines.add((frame.f_code.co_filename, frame.f_lineno))
                frame = frame.f_back
            return reader(key, *args, **options)

        return noting


class Walk:
    """Pages in a furnished home, opened by hostile links. ``lines``: those that read the address so far."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._seen = Seen(patch)
        self._names: dict[tuple[str, int], list[str]] = {}
        self._walked: set[tuple[str, str, int]] = set()

    @property
    def lines(self) -> set[tuple[str, int]]:
        return self._seen.lines

    def names(self, page: str, scene: int) -> list[str]:
        """The names that a scene asks for, but those that make it."""
        if (page, scene) not in self._names:
            self._seen.names.clear()
            query = SCENES[page][scene]
            app = visit(page, query)
            assert not app.exception, (page, query, app.exception)
            self._names[page, scene] = [name for name in self._seen.names if name not in query]
        return self._names[page, scene]

    def hostile(self, page: str, scene: int, turn: int) -> AppTest:
        """The scene with a hostile value for each name, another one each ``turn``. It must come up."""
        values = self._values(page, scene, turn)
        bad: Query = {name: HOSTILE[value] for name, value in values.items()}
        self._walked |= {_pair(page, name, value) for name, value in values.items()}
        app = visit(page, {**bad, **SCENES[page][scene]})
        if app.exception:
            alone = {n: v for n, v in bad.items() if visit(page, {n: v, **SCENES[page][scene]}).exception}
            pytest.fail(f"{page} {SCENES[page][scene]}: {app.exception[0].message} for {alone or bad}"[:3000])
        return app

    def is_new(self, page: str, scene: int, turn: int) -> bool:
        """Whether such a visit brings a name on that page a value that it has not had."""
        values = self._values(page, scene, turn).items()
        return any(_pair(page, name, value) not in self._walked for name, value in values)

    def _values(self, page: str, scene: int, turn: int) -> dict[str, int]:
        # By the name and not by its place: other scenes go on where this one stopped.
        return {name: (crc32(name.encode()) + turn) % len(HOSTILE) for name in self.names(page, scene)}


def _pair(page: str, name: str, value: int) -> tuple[str, str, int]:
    # The entry asks for the data, whatever the page.
    return ("" if name == "data" else page, name, value)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    with owners_home(tmp_path_factory.mktemp("links")) as home, pytest.MonkeyPatch.context() as patch:
        # The browser's side of the camera, and the relay of a running server.
        idle = SimpleNamespace(state=SimpleNamespace(playing=False, signalling=False))
        patch.setattr(camera, "webrtc_streamer", lambda key, **options: idle)
        patch.setattr(camera, "get_global_relay", MediaRelay)
        # What only models that ship have.
        share = Share(0.7, 0.6, 0.8, 100)
        patch.setattr(leaderboard, "shipped_rows", lambda split: [("one", dict.fromkeys(LABELS, share))])
        pictures = np.zeros((len(NAMES), 48, 48), dtype=np.uint8)
        kept = Inside("", "conv", np.zeros((8, 3, 3), dtype=np.float32), pictures, np.eye(len(NAMES), dtype=np.float32))
        patch.setattr(inside, "_kept", lambda seal: kept)
        furnish(home)
        yield Walk(patch)


@pytest.mark.parametrize("page", ["dataset", "train", "compare", "mistakes", "explain", "photo", "live", "run"])
def test_a_page_opens_whatever_a_link_says(walk: Walk, page: str) -> None:
    walk.hostile(page, 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("page", SCENES)
def test_no_value_of_any_name_breaks_a_page(walk: Walk, page: str) -> None:
    scenes = range(len(SCENES[page]))
    # All values, from scene to scene; then those that are left of the names that only some scenes have.
    shared = [(turn % len(scenes), turn) for turn in range(len(HOSTILE))]
    for scene, turn in [*shared, *((scene, turn) for scene in scenes for turn in range(len(HOSTILE)))]:
        if walk.is_new(page, scene, turn):
            app = walk.hostile(page, scene, turn)
            if turn < 2:
                app.run()
                assert not app.exception, (page, scene, app.exception)


@pytest.mark.slow
def test_the_walk_reaches_every_place_that_reads_the_address(walk: Walk) -> None:
    for page, queries in SCENES.items():
        walked = {name for scene in range(len(queries)) for name in walk.names(page, scene)}
        # What makes a scene is left alone there, so it needs another one.
        assert not {name for query in queries for name in query} - walked, page
        # What is read only where the address says something, whatever tests ran before this one.
        walk.hostile(page, 0, 0)
    reached = {(file, line) for file, line in walk.lines if file.startswith(str(PAGES))}
    missed = [
        f"{file.relative_to(ROOT)}:{call.lineno}"
        for file, call in calls()
        if is_reading(call) and not any((str(file), line) in reached for line in lines_of(call))
    ]
    assert not missed, "draw these in a scene of links_walk.py"


def test_nothing_but_the_parser_reads_the_address_or_binds_to_it() -> None:
    found = []
    for file in sorted(PAGES.rglob("*.py")):
        if file == Path(links.__file__):
            continue
        tree = ast.parse(file.read_text())
        within = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr == "query_params" and not is_writing(within[node]):
                found.append(f"{file.relative_to(ROOT)}:{node.lineno} reads the address")
            if isinstance(node, ast.keyword) and node.arg == "bind":
                found.append(f"{file.relative_to(ROOT)}:{node.value.lineno} binds to the address")
    assert not found


def calls() -> Iterator[tuple[Path, ast.Call]]:
    for file in sorted(PAGES.rglob("*.py")):
        if file.name not in ("links.py", "linked.py"):
            yield from ((file, node) for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))


def is_reading(call: ast.Call) -> bool:
    function = call.func
    if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name):
        return False
    return function.value.id in DRAWS or (function.value.id == "links" and function.attr in READS)


def is_writing(node: ast.AST) -> bool:
    """Whether ``st.query_params`` is only written to, or asked whether it has a name."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.ctx, ast.Store | ast.Del)
    return isinstance(node, ast.Compare) or (isinstance(node, ast.Attribute) and node.attr == "update")


def lines_of(node: ast.Call) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


# --- Every kind of control


def gallery() -> None:
    """One of each kind, and what it returned."""
    import streamlit as st

    from pages.parts import linked, links

    links.make_place()
    st.session_state["_got"] = {
        "segmented": linked.segmented_control("1", ["a", "b"], key="segmented"),
        "pills": linked.pills("2", ["a", "b"], key="pills"),
        "select": linked.selectbox("3", ["a", "b"], 1, key="select"),
        "maybe": linked.maybe("4", ["a", "b"], key="maybe"),
        "radio": linked.radio("5", ["a", "b"], key="radio"),
        "select_slider": linked.select_slider("6", [4, 8], 8, key="select_slider"),
        "tabs": [tab.open for tab in linked.tabs(["a", "b"], key="tabs")],
        "several": linked.several(st.multiselect, "7", ["a", "b"], key="several", default=["a"]),
        "row": linked.number_input("8", 0, 20, None, 1, key="row"),
        "whole": linked.number_input("9", 0, 20, 3, 1, key="whole"),
        "number": linked.number_input("10", 0.0, 1.0, 0.5, 0.1, key="number"),
        "slider": linked.slider("11", 0.0, 1.0, 0.5, key="slider"),
        "span": linked.slider("12", 0, 50, (0, 50), key="span"),
        "switch": linked.toggle("13", True, key="switch"),
        "box": linked.checkbox("14", key="box"),
        "line": linked.text_input("15", "x", longest=40, key="line"),
        "page": linked.pagination(3, key="page"),
        "shrinks": linked.selectbox("16", st.session_state.get("_options", ["a", "b"]), key="shrinks"),
    }


DEFAULTS = {
    "segmented": "a",
    "pills": "a",
    "select": "b",
    "maybe": None,
    "radio": "a",
    "select_slider": 8,
    "tabs": [True, False],
    "several": ["a"],
    "row": None,
    "whole": 3,
    "number": 0.5,
    "slider": 0.5,
    "span": (0, 50),
    "switch": True,
    "box": False,
    "line": "x",
    "page": 1,
    "shrinks": "a",
}
CHOSEN: dict[str, tuple[str | list[str], Any]] = {
    "segmented": ("b", "b"),
    "pills": ("b", "b"),
    "select": ("a", "a"),
    "maybe": ("b", "b"),
    "radio": ("b", "b"),
    "select_slider": ("4", 4),
    "tabs": ("b", [False, True]),
    "several": (["b", "a"], ["b", "a"]),
    "row": ("20", 20),
    "whole": ("0", 0),
    "number": ("1e-2", 0.01),
    "slider": ("0.25", 0.25),
    "span": (["5", "40"], (5, 40)),
    "switch": ("False", False),
    "box": ("true", True),
    "line": ("drei Wörter hier", "drei Wörter hier"),
    "page": ("3", 3),
    "shrinks": ("b", "b"),
}
EMPTY = {"several": [], "line": ""}
"""What an empty value means, where that is a state of the control."""


def opened(query: Query) -> AppTest:
    app = AppTest.from_function(gallery)
    app.query_params.update(query)
    return app.run()


def got(app: AppTest) -> dict[str, Any]:
    assert not app.exception, app.exception
    return dict(app.session_state["_got"])


def test_a_good_link_is_followed_without_a_word() -> None:
    app = opened({name: asked for name, (asked, _) in CHOSEN.items()})
    assert got(app) == {name: value for name, (_, value) in CHOSEN.items()}
    assert not app.warning


@pytest.mark.parametrize("value", [v for v in HOSTILE if any(v)], ids=lambda value: str(value)[:12])
def test_what_is_not_on_offer_becomes_the_default_and_is_said_once(value: str | list[str]) -> None:
    # Any text will do for a line of text, and 2.5 for no number here.
    app = opened({name: value for name in DEFAULTS if name != "line"})
    assert got(app) == DEFAULTS
    named = [name for name in DEFAULTS if any(f"“{name}”" in said.value for said in app.warning)]
    assert len(app.warning) == len(DEFAULTS) - 1
    assert len(named) >= len(DEFAULTS) - 2  # pages are called so
    assert not app.query_params
    app.run()
    assert got(app) == DEFAULTS
    assert not app.warning


@pytest.mark.parametrize("value", ["", ["", ""]])
def test_an_empty_value_asks_for_nothing(value: str | list[str]) -> None:
    app = opened(dict.fromkeys(DEFAULTS, value))
    assert got(app) == {**DEFAULTS, **EMPTY}
    assert not app.warning
    assert app.segmented_control(key="segmented").value == "a"


def test_a_choice_after_a_broken_link_is_in_the_address_again() -> None:
    app = opened({"segmented": "text", "row": "inf", "span": ["nan", "2"]})
    app.segmented_control(key="segmented").select("b")
    app.number_input(key="row").set_value(7)
    app.slider(key="span").set_value((5, 40)).run()
    assert {name: got(app)[name] for name in ("segmented", "row", "span")} == {
        "segmented": "b",
        "row": 7,
        "span": (5, 40),
    }
    assert app.query_params == {"segmented": "b", "row": "7", "span": ["5", "40"]}


def test_going_back_to_a_broken_link_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened({"row": "7"})
    back = partial(RerunData, is_history_navigation=True)
    monkeypatch.setattr("streamlit.testing.v1.local_script_runner.RerunData", back)
    app.query_params = {"row": "inf", "whole": "1e400", "segmented": ["", ""], "page": "9" * 5000}
    app.run()
    assert got(app) == {**DEFAULTS, "row": got(app)["row"]}
    assert not app.query_params


def test_an_option_that_another_choice_takes_away_is_no_fault_of_the_link() -> None:
    app = opened({"shrinks": "b"})
    app.session_state["_options"] = ["a"]
    app.run()
    assert got(app)["shrinks"] == "a"
    assert not app.warning
    assert not app.query_params


def test_nothing_chosen_is_the_default_where_something_has_to_be() -> None:
    app = opened({"segmented": "b"})
    # No browser of ours sends that.
    app.segmented_control(key="segmented").set_value(None).run()
    assert got(app)["segmented"] == "a"


def test_of_several_options_those_that_are_there_are_kept() -> None:
    app = opened({"several": ["c", "b"]})
    assert got(app)["several"] == ["b"]
    assert [said.value for said in app.warning] == ["“c” is no choice for “several” here. It is ignored."]


def test_a_value_is_repeated_cut_and_never_as_markdown() -> None:
    app = opened({"radio": "<b>![a](//b)</b>\n# :red[x] $y$" + "z" * 500})
    (said,) = app.warning
    assert len(said.value) < 200
    assert "\n" not in said.value
    assert not re.search(r"(?<!\\)[<>\[\]:#$]", said.value)


# --- The parser


@pytest.mark.parametrize(
    "text", ["inf", "nan", "1e400", "9" * 5000, "-1", "21", "2.5", "x", "١٢", "²", "1\n", "1_0", ""]
)
def test_a_whole_number_is_plain_digits_in_its_range(text: str) -> None:
    assert links.whole_of([text], 0, 20) is None


def test_numbers_are_read() -> None:
    assert links.whole_of(["12"], 0, 20) == 12
    assert links.whole_of(["12.0", "12.0"], 0, 20) == 12
    assert links.whole_of(["12", "13"], 0, 20) is None
    assert links.number_of(["-1.5e-3"], -1, 1) == -0.0015
    assert links.number_of(["1e400"], 0, float("inf")) is None
    assert links.span_of(["0.5", "1"], 0, 1) == (0.5, 1.0)
    assert links.span_of(["1", "0.5"], 0, 1) is None
    assert links.span_of(["nan", "nan"], 0, 1) is None


def test_a_text_is_short_and_printable() -> None:
    assert links.text_of(["Größe 1 😀"], 40) == "Größe 1 😀"
    for text in ("a\nb", "\x00", "x" * 41):
        assert links.text_of([text], 40) is None
