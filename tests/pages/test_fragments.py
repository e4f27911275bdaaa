"""Fragments keep their place, whatever of them reaches the browser."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

if TYPE_CHECKING:
    import pytest
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

PAGES = Path(__file__).resolve().parents[2] / "pages"


def page_with_fragments() -> None:
    import streamlit as st

    from pages.parts.fragments import fragment

    @fragment
    def outer(word: str) -> None:
        st.markdown(word)
        fragment(lambda: st.write("within"), every=1.0)()
        st.button("In the fragment")

    st.title("Above")
    outer("first")
    st.button("Between")
    with st.expander("Below"):
        fragment(lambda: st.write("second"), every=1.0)()
        st.write("Last")


def test_a_fragment_whose_part_is_not_sent_leaves_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fragment that begins at once takes its part out of what is still to be sent of the page's run.

    Streamlit's browser side closed the gap, and moved what was below onto the fragment's place: Live went blank.
    """
    runs: list[list[ForwardMsg]] = []
    whole = LocalScriptRunner.forward_msgs

    def kept(runner: LocalScriptRunner) -> list[ForwardMsg]:
        runs.append(whole(runner))
        return runs[-1]

    monkeypatch.setattr(LocalScriptRunner, "forward_msgs", kept)
    app = AppTest.from_function(page_with_fragments).run()
    assert not app.exception
    deltas = [message for message in runs[-1] if message.WhichOneof("type") == "delta"]
    fragments = {message.delta.fragment_id for message in deltas} - {""}
    assert len(fragments) == 3
    for fragment in fragments:
        children = defaultdict(set)
        for message in deltas:
            if message.delta.fragment_id != fragment:
                *parent, place = message.metadata.delta_path
                children[tuple(parent)].add(place)
        for parent, places in children.items():
            assert places == set(range(len(places))), (fragment, parent)


def page_that_draws_itself_anew() -> None:
    import streamlit as st

    from pages.parts import linked, links
    from pages.parts.fragments import fragment

    def look() -> None:
        if not st.session_state.get("_over"):
            st.session_state["_over"] = True
            st.rerun()

    links.make_place()
    linked.runs("Models", ["one", "two"], {}, default=["one"], key="models", says="There is no model called {asked}.")
    fragment(look, every=1.0)()
    st.write("over" if st.session_state.get("_over") else "at work")


def test_what_a_link_asks_in_vain_is_still_said_when_the_page_draws_itself_anew() -> None:
    """Explain named the deleted run of a link until its maps were tested, two seconds later, and then no more."""
    app = AppTest.from_function(page_that_draws_itself_anew)
    app.query_params["models"] = ["two", "gone"]
    app.run()
    assert [one.value for one in app.markdown] == ["over"]
    assert [one.value for one in app.warning] == ["There is no model called “gone”."]
    app.multiselect(key="models").select("one").run()
    assert not app.warning, "whoever has chosen has read it"


def test_every_fragment_of_the_pages_is_one_that_keeps_its_place() -> None:
    users = {
        str(path.relative_to(PAGES))
        for path in PAGES.rglob("*.py")
        if "st.fragment" in path.read_text(encoding="utf-8")
    }
    assert users == {"parts/fragments.py"}
