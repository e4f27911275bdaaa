"""Explain, the tab Look inside: what is kept with a run is shown as it is, the rest by the worker when it is asked."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from factories import make_run, make_vote
from streamlit.testing.v1 import AppTest

from fer_core.explain.inside import Inside, keep_inside, layers_to_show
from fer_core.explain.worker.client import OFF, Worker
from fer_core.files import sha256_of
from fer_core.runs.folder import RunFolder
from fer_core.settings import settings
from pages.parts.explain import worker as explain_worker
from pages.parts.explain.inside import sentence

OpenApp = Callable[..., AppTest]
FAKE = Path(__file__).parents[1] / "explain" / "fake_maps.py"
VIEW = {"explain.view": "Look inside", "explain.row": "5"}


@pytest.fixture
def run(sample: Path) -> RunFolder:
    run = make_run(settings().runs_dir / "net")
    make_vote(settings().runs_dir / "both", [run])
    return run


@pytest.fixture
def fake(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """The page's worker is one without TensorFlow."""
    start = f"import runpy, sys; sys.argv = ['', {str(home)!r}]; runpy.run_path({str(FAKE)!r}, run_name='__main__')"
    worker = Worker((sys.executable, "-c", start))
    monkeypatch.setattr(explain_worker, "worker", lambda: worker)
    yield worker
    worker.stop()


def made(model: str, probabilities: np.ndarray) -> Inside:
    generator = np.random.default_rng(0)
    pictures = generator.integers(0, 256, (7, 48, 48)).astype(np.uint8)
    return Inside(model, "conv", generator.normal(size=(8, 3, 3)), pictures, probabilities.astype(np.float32))


def html_of(app: AppTest) -> str:
    return " ".join(element.proto.body for element in app.get("html"))


def test_what_is_kept_is_shown_and_starts_nothing(open_app: OpenApp, run: RunFolder, fake: Worker) -> None:
    keep_inside(run, made(sha256_of(run.keras_path), np.eye(7)))
    app = open_app("explain", **VIEW, **{"explain.inside.kernels": "true"})
    assert not app.exception
    assert html_of(app).count("that is most ") == 7
    assert "The kernels of conv" in html_of(app)
    assert any("sure of each of these pictures" in block.value for block in app.markdown)
    assert not [button for button in app.button if button.label == "Make these pictures"]
    assert fake.status().state == OFF


def test_what_is_not_kept_is_made_by_the_worker(open_app: OpenApp, run: RunFolder, fake: Worker) -> None:
    app = open_app("explain", **VIEW)
    assert "that is most " not in html_of(app)
    for label in ("Make these pictures", "Look at the layers"):
        next(button for button in app.button if button.label == label).click().run()
        assert not app.exception
    until = time.monotonic() + 120
    while "that is most " not in html_of(app) or "Channel " not in html_of(app):
        assert time.monotonic() < until, "the worker has not answered within two minutes"
        time.sleep(0.1)
        app.run()
    assert not app.exception
    for name in layers_to_show(run.description()):
        assert f"of {name}" in html_of(app)
    assert any("are silent on this face" in block.value for block in app.markdown)


def test_a_vote_has_nothing_inside(open_app: OpenApp, run: RunFolder) -> None:
    app = open_app("explain", **VIEW, **{"explain.models": ["both"]})
    assert not app.exception
    assert any("no vote" in info.value for info in app.info)


def test_the_sentence_follows_the_figures() -> None:
    unsure = np.eye(7)
    unsure[1] = 1 / 7
    assert "sure of 6 of these 7 pictures" in sentence("net", made("", unsure))
    assert "disgust, which it gives 14" in sentence("net", made("", unsure))
    assert "over 99 % sure" in sentence("net", made("", np.eye(7)))
    assert "at least 95 % sure" in sentence("net", made("", np.full((7, 7), 0.95)))
