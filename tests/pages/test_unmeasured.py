"""Data on which not every run was measured: the button, the progress, and what happens by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from factories import make_run
from made_up_faces import make_noise
from streamlit.testing.v1 import AppTest

from fer_core.data.info import DatasetInfo
from fer_core.evaluation import measuring
from fer_core.evaluation.measuring_child import measure_all
from fer_core.files import write_json
from fer_core.runs.listing import find_run
from fer_core.settings import settings
from pages.parts import unmeasured

OpenApp = Callable[..., AppTest]
Begun = list[tuple[str, list[str]]]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Begun:
    """Measurings that were begun, by dataset and names; none of them is carried out."""
    found: Begun = []

    def start(dataset: DatasetInfo, runs: Sequence[str | Path]) -> None:
        found.append((dataset.name, [Path(run).name for run in runs]))

    monkeypatch.setattr(measuring, "start", start)
    return found


@pytest.fixture
def visitor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.parts.access._connects_as_owner", lambda: False)


@pytest.fixture(autouse=True)
def fresh_server() -> Iterator[None]:
    unmeasured._tries.clear()
    yield
    unmeasured._tries.clear()


def words(app: AppTest) -> str:
    return " ".join(element.value for kind in (app.info, app.warning, app.markdown, app.caption) for element in kind)


@pytest.mark.parametrize("page", ["compare", "mistakes"])
def test_the_owner_has_runs_measured_on_the_chosen_faces(
    home: Path, open_app: OpenApp, begun: Begun, page: str
) -> None:
    make_run(settings().models_dir / "custom_cnn")
    make_noise(settings().datasets_dir / "noise")
    app = open_app(page)
    assert app.selectbox(key="data").value == "noise", "faces come before figures alone"
    assert "no evaluated run on Noise" in words(app)
    app.button(key="measure-here").click().run()
    assert not app.exception
    assert begun == [("noise", ["custom_cnn"])]


def test_a_visitor_is_told_and_offered_nothing(home: Path, open_app: OpenApp, begun: Begun, visitor: None) -> None:
    make_run(settings().models_dir / "custom_cnn")
    make_noise(settings().datasets_dir / "noise")
    app = open_app("compare")
    assert "owner of this app" in words(app)
    assert not [button for button in app.button if button.key == "measure-here"]


def test_the_runs_that_are_missing_beside_others_are_offered_and_appear_when_measured(
    home: Path, open_app: OpenApp, begun: Begun
) -> None:
    one, two = (make_run(settings().models_dir / name, seed=seed) for seed, name in enumerate(("one", "two")))
    noise = make_noise(settings().datasets_dir / "noise")
    assert measure_all(noise.path, [str(one.path)]) == []
    app = open_app("compare")
    assert app.multiselect(key="compare.runs").options == ["one"]
    assert app.button(key="measure-here").label == "Measure 1 model on these faces"
    assert measure_all(noise.path, [str(two.path)]) == []
    app = open_app("compare")
    assert app.multiselect(key="compare.runs").options == ["one", "two"]
    assert not [button for button in app.button if button.key == "measure-here"]


def test_progress_is_shown_while_somebody_measures(home: Path, open_app: OpenApp, begun: Begun) -> None:
    make_run(settings().models_dir / "custom_cnn")
    noise = make_noise(settings().datasets_dir / "noise")
    settings().evaluations_dir.mkdir()
    record = measuring.new_record(noise.info.record(), ["custom_cnn"])
    write_json(measuring.record_path(), {**record, "share": 0.25, "now": "custom_cnn looks at the test faces"})
    with measuring.held():
        for page in ("compare", "home"):
            app = open_app(page)
            assert not app.exception
            [bar] = app.get("progress")
            assert bar.proto.value == 25
            assert "1 model being measured on Noise" in bar.proto.text
            assert not [button for button in app.button if button.key == "measure-here"]


def sample_elsewhere(name: str) -> None:
    """A shipped run with figures on the drawn sample as another platform draws it."""
    make_run(settings().models_dir / name, data={"name": "sample", "title": "Drawn sample"})


def test_where_the_sample_has_other_pixels_the_shipped_runs_are_measured_on_it_once(
    home: Path, open_app: OpenApp, sample: Path, begun: Begun
) -> None:
    for name in ("one", "two"):
        sample_elsewhere(name)
    make_run(settings().runs_dir / "mine")
    for page in ("home", "compare", "home"):
        assert not open_app(page).exception
    assert begun == [("sample", ["one", "two"])]


def test_nothing_is_measured_by_itself_where_the_shipped_figures_are_about_these_faces(
    home: Path, open_app: OpenApp, sample: Path, begun: Begun
) -> None:
    sample_elsewhere("one")
    assert measure_all(sample, [str(find_run("one").path)]) == []
    assert not open_app("home").exception
    assert begun == []
