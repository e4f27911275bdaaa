"""Explain, methods: drawn when asked for, by whom, tested, compared; what the page says when the worker dies."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from factories import make_run, make_vote
from streamlit.testing.v1 import AppTest

from fer_core import memory
from fer_core.data.dataset import Dataset, load_dataset
from fer_core.explain.background import Background
from fer_core.explain.methods import METHODS
from fer_core.explain.worker.client import CRASHED, OFF, Worker
from fer_core.settings import settings
from pages.parts.explain import worker as explain_worker
from pages.parts.explain.trust import WORDS

OpenApp = Callable[..., AppTest]
FAKE = Path(__file__).resolve().parent.parent / "explain" / "fake_maps.py"
DEADLY = "deadly"
PATIENCE = 120.0


@pytest.fixture
def fake(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """The page's worker is one without TensorFlow, and the thread is a fresh one."""
    start = f"import runpy, sys; sys.argv = ['', {str(home)!r}]; runpy.run_path({str(FAKE)!r}, run_name='__main__')"
    worker, background = Worker((sys.executable, "-c", start)), Background(20)
    monkeypatch.setattr(explain_worker, "worker", lambda: worker)
    monkeypatch.setattr(explain_worker, "background", lambda: background)
    yield worker
    worker.stop()


@pytest.fixture
def dataset(sample: Path) -> Dataset:
    found = load_dataset(sample)
    about = {"fingerprint": found.info.fingerprint}
    run = make_run(settings().runs_dir / "one", labels=found.labels, splits=found.splits, data=about)
    make_vote(settings().runs_dir / "both", [run])
    return found


def open_methods(open_app: OpenApp, *methods: str, **query: str | list[str]) -> AppTest:
    chosen = {f"explain.by.{name}": str(name in methods).lower() for name in METHODS}
    app = open_app("explain", **{"explain.view": "Methods", "explain.row": "100", **chosen, **query})
    assert not app.exception, app.exception
    return app


def draw(app: AppTest) -> AppTest:
    """Press the button, wait until all is over, and look again."""
    app.button(key="draw-maps").click().run()
    return settled(app)


def settled(app: AppTest) -> AppTest:
    deadline = time.monotonic() + PATIENCE
    worker, thread = explain_worker.worker(), explain_worker.background()
    while any(not one.over for one in [*worker._tasks.values(), *thread._tasks.values()]):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    app.run()
    assert not app.exception, app.exception
    return app


def rows_of(app: AppTest) -> list[str]:
    bodies = [element.proto.body for element in app.get("html")]
    return [body for body in bodies if body.lstrip().startswith("<section") and "by method" in body]


def words_of(body: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", body).split())


def test_nothing_is_drawn_before_it_is_asked_for(open_app: OpenApp, dataset: Dataset, fake: Worker) -> None:
    app = open_methods(open_app, "class_map", "layercam", "occlusion")
    (row,) = rows_of(app)
    assert row.count("<img") == 1
    assert words_of(row).count("Not drawn yet.") == 2
    assert app.button(key="draw-maps").label == "Draw 2 maps"
    assert fake.status().state == OFF
    assert any("Gradient worker: off" in one.value for one in app.markdown)


def test_maps_come_with_verdict_and_agreement(open_app: OpenApp, dataset: Dataset, fake: Worker) -> None:
    app = draw(open_methods(open_app, "class_map", "layercam", "occlusion", "rise", **{"explain.masks": "500"}))
    (row,) = rows_of(app)
    assert row.count("<img") == 4
    assert sum(words_of(row).count(word) for word in WORDS.values()) == 4
    assert "At classes." in row
    assert "500 masks" in row
    assert app.button(key="draw-maps").disabled
    table = next(frame.value for frame in app.dataframe if "LayerCAM" in frame.value)
    assert list(table.iloc[:, 0]) == ["Class map", "LayerCAM", "Occlusion", "RISE"]
    square = table[["Class map", "LayerCAM", "Occlusion", "RISE"]].to_numpy(dtype=float)
    assert np.allclose(np.diag(square), 1)
    assert np.allclose(square, square.T)
    assert fake.status().pid is not None


def test_another_layer_or_class_is_another_map(open_app: OpenApp, dataset: Dataset, fake: Worker) -> None:
    app = draw(open_methods(open_app, "layercam"))
    assert app.button(key="draw-maps").disabled
    app.selectbox(key="explain.layer.one").set_value("conv2d").run()
    assert app.button(key="draw-maps").label == "Draw 1 map"
    draw(app)
    assert "At conv2d." in rows_of(app)[0]
    other = next(name for name in ("happy", "sad") if name not in words_of(rows_of(app)[0]))
    app.selectbox(key="explain.for").set_value(other).run()
    assert app.button(key="draw-maps").label == "Draw 1 map"
    assert f"Maps of {other}" in words_of(rows_of(app)[0])
    # What was drawn before is still there.
    app.selectbox(key="explain.for").set_value("each model's answer").run()
    assert app.button(key="draw-maps").disabled


def test_a_crash_is_told_and_the_next_click_works(
    open_app: OpenApp, dataset: Dataset, fake: Worker, home: Path
) -> None:
    (home / DEADLY).touch()
    app = draw(open_methods(open_app, "scorecam"))
    assert fake.status().state == CRASHED
    assert "ended unexpectedly" in rows_of(app)[0]
    assert any("ended unexpectedly" in one.value and "Ask again" in one.value for one in app.error)
    assert app.button(key="start-worker")
    (home / DEADLY).unlink()
    draw(app)
    assert rows_of(app)[0].count("<img") == 1
    assert not app.error


def test_a_refusal_stands_in_the_place_of_the_map(open_app: OpenApp, dataset: Dataset, fake: Worker) -> None:
    app = draw(open_methods(open_app, "saliency", "layercam"))
    assert "Saliency was refused by hand." in rows_of(app)[0]
    assert rows_of(app)[0].count("<img") == 1
    assert app.button(key="draw-maps").label == "Draw 1 map"


def test_a_vote_has_no_layers_but_can_be_asked(open_app: OpenApp, dataset: Dataset, fake: Worker) -> None:
    query: dict[str, str | list[str]] = {"explain.models": ["both"]}
    app = draw(open_methods(open_app, "layercam", "occlusion", **query))
    (row,) = rows_of(app)
    assert "both is a vote of several models" in row
    assert row.count("<img") == 1
    assert any("a vote has no weights of its own" in one.value for one in app.caption)


def test_the_sanity_check_judges_in_words_and_draws_its_curve(
    open_app: OpenApp, dataset: Dataset, fake: Worker
) -> None:
    app = open_methods(open_app, "class_map")
    app.button(key="sanity").click().run()
    settled(app)
    words = " ".join(words_of(element.proto.body) for element in app.get("html"))
    assert "untrained model" in words
    assert "✗ ignores the model" in words
    assert "+ block1: 1.00" in words
    assert len(app.get("plotly_chart")) == 1


def test_a_sanity_check_is_cancelled_where_it_was_asked_for(
    open_app: OpenApp, dataset: Dataset, fake: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its progress and the button stood thousands of pixels above."""
    silent = Worker((sys.executable, "-c", "import time; time.sleep(300)"))
    monkeypatch.setattr(explain_worker, "worker", lambda: silent)
    try:
        app = open_methods(open_app, "class_map")
        app.button(key="sanity").click().run()
        assert not app.exception
        app.button(key="cancel-sanity").click().run()
        assert [task.cancelling or task.over for task in silent._tasks.values()] == [True]
    finally:
        silent.stop()


def test_stop_ends_the_worker(open_app: OpenApp, dataset: Dataset, fake: Worker) -> None:
    app = draw(open_methods(open_app, "layercam"))
    app.button(key="stop-worker").click().run()
    deadline = time.monotonic() + PATIENCE
    while fake.status().state != OFF:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    app.run()
    assert app.button(key="start-worker")
    # The maps are kept by the app.
    assert rows_of(app)[0].count("<img") == 1


def test_the_closed_tab_draws_nothing_and_opens_as_it_was_left(
    open_app: OpenApp, dataset: Dataset, fake: Worker
) -> None:
    app = open_app("explain", **{"explain.by.rise": "true"})
    assert not app.exception
    assert not app.checkbox
    for view in ("Methods", "Maps", "Methods"):
        app.session_state["explain.view"] = view
        app.run()
        assert not app.exception
    assert app.checkbox(key="explain.by.rise").value is True


def test_maps_by_gradients_are_not_offered_where_too_little_memory_is_left(
    open_app: OpenApp, dataset: Dataset, fake: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They used to be, and the process took what the app itself needed."""
    methods = ("saliency", "class_map", "occlusion")
    app = open_methods(open_app, *methods)
    assert "Draw 2 maps" in app.button(key="draw-maps").label
    monkeypatch.setattr(memory, "free_memory", lambda: 0.2e9)
    app = open_methods(open_app, *methods)
    assert "Draw 1 map" in app.button(key="draw-maps").label
    assert any("0.9 GB of memory, and 0.2 GB are left" in one.value for one in app.warning)
    assert not [one for one in app.button if one.key in ("sanity", "start-worker")]
