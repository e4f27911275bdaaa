"""Titles, names and notes that people write are shown as they are: no format, link, picture, formula or HTML."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apptest
import numpy as np
import pytest
from factories import make_evaluated_run, make_run
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Element

from fer_core.data.dataset import load_dataset
from fer_core.emotions import PRIVATE_TEST
from fer_core.review.annotations import AMBIGUOUS, Annotations
from fer_core.settings import PROJECT_ROOT, settings

HOSTILE = "**bold** <script>alert(1)</script> [x](javascript:1) :red[y] $z$ ![](http://a/b)"
MEANS_SOMETHING = re.compile(r"(?<!\\)(?:\*\*bold|<script|\[x\]\(|:red|\$z|!\[\])")
HTML = re.compile(r"<script|\\u003cscript")
"""In a figure, where a few tags mean something."""
NO_MARKDOWN = {"id", "default", "set_value", "raw_value", "url", "alt", "data", "query_string", "placeholder"}
AS_TEXT = {"selectbox", "multiselect", "text_input", "arrow_data_frame", "imgs", "iframe", "file_uploader"}
"""Elements that draw no Markdown; of those with a label it is asked like any other's."""


@pytest.fixture(scope="module", autouse=True)
def hostile(tmp_path_factory: pytest.TempPathFactory, drawn_sample: Path) -> Iterator[None]:
    """A home in which everything that can be called something is called so."""
    with apptest.owners_home(tmp_path_factory.mktemp("hostile")):
        data = settings().datasets_dir / "mine"
        shutil.copytree(drawn_sample, data)
        # Of real data the title counts; the sample is always called the drawn sample.
        _edit(data / "dataset.json", title=HOSTILE, kind="csv", name="mine")
        shutil.copytree(data, settings().datasets_dir / "**bold** [x]")
        dataset = load_dataset(data)
        for seed, name in enumerate(("one", "two")):
            run = make_evaluated_run(settings().runs_dir / name, dataset, seed=seed, accuracy=0.6, name=name)
            _edit(run.path / "run.json", title=HOSTILE)
        make_run(settings().runs_dir / "**bold** :red[y]")
        row = int(np.flatnonzero(dataset.splits == PRIVATE_TEST)[0])
        Annotations(dataset.info.fingerprint).set(row, AMBIGUOUS, note=HOSTILE)
        yield


def _edit(path: Path, **values: str) -> None:
    content: dict[str, Any] = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **values}))


def words(block: Block) -> Iterator[tuple[str, str]]:
    """Every text on the page with the kind of its element."""
    for child in block.children.values():
        proto = child.proto
        if proto is not None:
            yield from ((child.type, text) for text in _texts(proto, child.type))
        if isinstance(child, Block):
            yield from words(child)
        assert isinstance(child, Element | Block)


def _texts(proto: Any, kind: str) -> Iterator[str]:
    for field, value in proto.ListFields():
        if field.name in (
            "id",
            "default",
            "set_value",
            "raw_value",
            "url",
            "alt",
            "data",
            "query_string",
            "placeholder",
        ):
            continue
        if kind in AS_TEXT and field.name not in ("label", "help"):
            continue
        for one in value if isinstance(value, list | tuple) or hasattr(value, "append") else [value]:
            if isinstance(one, str):
                yield one
            elif hasattr(one, "ListFields"):
                yield from _texts(one, kind)


def row_of_the_note() -> str:
    dataset = load_dataset(settings().datasets_dir / "mine")
    return str(next(iter(Annotations.load(dataset.info.fingerprint).all())))


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("home", {}),
        ("dataset", {}),
        ("dataset", {"view": "Audit"}),
        ("dataset", {"view": "Bring real data"}),
        ("train", {}),
        ("bring", {}),
        ("sweeps", {}),
        ("compare", {}),
        *(
            ("mistakes", {"panel": panel, "take": "true"})
            for panel in ("Evidence", "Similar faces", "Your mark", "How sure")
        ),
        ("explain", {}),
        ("explain", {"explain.view": "Robustness"}),
        ("leaderboard", {}),
        ("photo", {}),
        ("poke", {"poke.from": "Dataset"}),
        ("run", {}),
        ("run", {"run": "one"}),
        ("limits", {}),
        ("lessons", {}),
    ],
    ids=str,
)
def test_hostile_words_are_shown_as_they_are(page: str, query: dict[str, str]) -> None:
    if page == "mistakes":
        query = {**query, "face": row_of_the_note()}
    app: AppTest = apptest.open_app(page, data="mine", **query)
    assert not app.exception
    shown = [*words(app.main), *words(app.sidebar)]
    assert shown
    bad = [
        (kind, text[:200])
        for kind, text in shown
        # Values of a component: see the test of what its script does with them.
        if kind != "bidi_component"
        if (HTML if kind in ("plotly_chart", "html") else MEANS_SOMETHING).search(text)
    ]
    assert not bad


def test_no_component_reads_values_as_html() -> None:
    scripts = list((PROJECT_ROOT / "pages").rglob("*.js"))
    assert scripts
    for script in scripts:
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", script.read_text()), script.name


def test_this_test_sees_words_that_mean_something() -> None:
    def script() -> None:
        import streamlit as st

        st.caption("**bold**")
        with st.expander("[x](y)"):
            st.radio("a", ["b :red[c]"])

    assert (
        len([text for _, text in words(AppTest.from_function(script).run().main) if MEANS_SOMETHING.search(text)]) == 3
    )
