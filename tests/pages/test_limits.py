"""The Limits page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from factories import make_run
from streamlit.testing.v1 import AppTest

from fer_core.evaluation.weak_points import weak_points
from fer_core.settings import settings

OpenApp = Callable[..., AppTest]


def test_every_run_is_shown_with_how_often_it_is_wrong(home: Path, open_app: OpenApp) -> None:
    run = make_run(settings().models_dir / "custom_cnn", accuracy=0.7)
    app = open_app("limits")
    assert not app.exception
    points = weak_points(run)
    assert points is not None
    line = app.dataframe[0].value.set_index("Model").loc["custom_cnn"]
    assert line["Wrong"].startswith(f"{points.wrong.value * 100:.1f} %")
    assert f"n = {points.wrong.n:,}" in line["Wrong"]
    assert line["Hardest class, missed"].startswith(f"{points.hardest}: ")


def test_without_a_run_the_page_says_so_and_still_warns(home: Path, open_app: OpenApp) -> None:
    app = open_app("limits")
    assert not app.exception
    assert any("No run has been measured" in info.value for info in app.info)
    text = " ".join(block.value for block in app.markdown)
    assert "Article 5(1)(f)" in text
