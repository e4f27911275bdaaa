"""What a page has drawn for somebody it sends again as it is: a server's time belongs to what is new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from factories import make_evaluated_run
from PIL import Image
from plotly.basedatatypes import BaseFigure
from streamlit.testing.v1 import AppTest

from fer_core.data.dataset import Dataset, load_dataset
from fer_core.inference.predictor import Predictor
from fer_core.runs.evaluations import Evaluation

OpenApp = Callable[..., AppTest]
WORK = {
    "figures built": (BaseFigure, "__init__"),
    "pictures encoded": (Image.Image, "save"),
    "evaluations read": (Evaluation, "predictions"),
    "metrics read": (Evaluation, "metrics"),
    "faces explained": (Predictor, "explain"),
}


@pytest.fixture
def dataset(home: Path, sample: Path) -> Dataset:
    """The drawn sample, and two runs measured on it."""
    dataset = load_dataset(sample)
    for seed, name in enumerate(("one", "two")):
        make_evaluated_run(home / "runs" / name, dataset, seed=seed)
    return dataset


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each kind of work was done."""
    done: Counter[str] = Counter()

    def counted(name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*args: Any, **more: Any) -> Any:
            done[name] += 1
            return act(*args, **more)

        return counting

    for name, (kind, method) in WORK.items():
        monkeypatch.setattr(kind, method, counted(name, getattr(kind, method)))
    return done


@pytest.mark.parametrize("view", ["Matrices", "Difference", "Agreement", "Classes", "Certainty", "Learning"])
def test_compare_builds_nothing_twice(open_app: OpenApp, dataset: Dataset, work: Counter[str], view: str) -> None:
    app = open_app("compare", view=view)
    assert not app.exception
    assert work["figures built"], "the first visitor's figures"
    work.clear()
    app.run()
    assert not work
    # Nor for the next visitor.
    assert not open_app("compare", view=view).exception
    assert not work


def test_mistakes_draws_nothing_twice(open_app: OpenApp, dataset: Dataset, work: Counter[str]) -> None:
    row = str(dataset.rows("PrivateTest")[3])
    app = open_app("mistakes", face=row)
    assert not app.exception
    assert work["pictures encoded"] > 3
    assert work["faces explained"] == 2
    work.clear()
    app.run()
    assert not work
    assert not open_app("mistakes", face=row).exception
    assert not work


def test_home_draws_nothing_twice(open_app: OpenApp, dataset: Dataset, work: Counter[str]) -> None:
    app = open_app("home")
    assert not app.exception
    assert work["pictures encoded"] == 10, "the faces of the round"
    number = app.query_params["round"]
    work.clear()
    app.run()
    assert not open_app("home", round=number).exception
    # Metrics are looked at each time, which is quick: a damaged file shall be told, not what it held before.
    assert not work.keys() - {"metrics read"}
