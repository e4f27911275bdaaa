"""The Robustness tab: stored curves alone, the faces that flip, and what to do where nothing is stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from edited_runs import reseal_evaluation
from factories import make_run
from streamlit.testing.v1 import AppTest

from fer_core.corruptions.measurement import Corrupted, measure_corruptions, read_corruptions
from fer_core.data.dataset import Dataset, load_dataset
from fer_core.runs.folder import RunFolder
from pages.parts.explain.robustness import accuracy_table, shared_measurements

OpenApp = Callable[..., AppTest]
QUERY = {"explain.view": "Robustness"}


@pytest.fixture
def dataset(sample: Path) -> Dataset:
    return load_dataset(sample)


def run_of(home: Path, name: str, dataset: Dataset, seed: int = 0) -> RunFolder:
    data = dataset.info.record()
    return make_run(home / "runs" / name, labels=dataset.labels, splits=dataset.splits, data=data, seed=seed)


@pytest.fixture
def corrupted(home: Path, dataset: Dataset) -> Corrupted:
    """A run called "mine" with its measurement of 28 faces."""
    return measure_corruptions(run_of(home, "mine", dataset), dataset, limit=28)


def alt_of(app: AppTest, words: str) -> str:
    return next(chart.proto.alt for chart in app.get("plotly_chart") if words in chart.proto.alt)


def texts(app: AppTest) -> str:
    return "\n".join(one.value for kind in (app.markdown, app.caption, app.info) for one in kind)


def test_curves_and_table_are_what_was_stored(open_app: OpenApp, corrupted: Corrupted) -> None:
    app = open_app("explain", **QUERY)
    assert not app.exception
    found = corrupted.robustness
    value = 100 * found.accuracy()[0]
    noise = alt_of(app, "Noise, accuracy")
    assert f"mine: {100 * found.clean_accuracy:.1f} % untouched, {value[0, 0]:.1f} % at 6" in noise
    assert sum("accuracy by" in chart.proto.alt for chart in app.get("plotly_chart")) == 9
    shown = next(one.value for one in app.dataframe if "Made worse (%)" in one.value.columns)
    assert shown["Made worse (%)"].tolist() == pytest.approx([100 * found.mean_accuracy()])
    assert "28 of the 209 faces of PublicTest of the drawn sample" in texts(app)


def test_the_faces_that_flip_are_those_of_the_choice(open_app: OpenApp, corrupted: Corrupted) -> None:
    found = corrupted.robustness
    name, severity = next(
        (name, severity)
        for name in found.names
        for severity in range(1, 6)
        if len(found.flipped(name, severity, "changed"))
    )
    rows = found.keys[found.flipped(name, severity, "changed")]
    title = {"jpeg": "JPEG", "resolution": "Low resolution"}.get(name, name.capitalize())
    query = {"explain.way": title, "explain.strength": str(severity), "explain.flips": "any change"}
    app = open_app("explain", **QUERY, **query)
    assert not app.exception
    sheet = alt_of(app, "Each is shown before and after")
    assert all(f"row {row}:" in sheet for row in rows[:16])
    assert f"{len(rows):,} answer" in texts(app)
    # The way to the other tabs, without a mouse.
    app.selectbox(key="flip-row").set_value(int(rows[0])).run()
    app.button(key="flip-explain").click().run()
    assert not app.exception
    assert app.number_input(key="explain.row").value == rows[0]
    assert app.session_state["explain.view"] == "Maps"


def test_a_choice_without_flips_says_so(open_app: OpenApp, home: Path, dataset: Dataset, monkeypatch) -> None:
    from fer_core.corruptions import robustness

    # A model whose answers nothing changes: faces are not made worse.
    monkeypatch.setattr(robustness, "corrupt", lambda faces, *_args, **_options: faces)
    measure_corruptions(run_of(home, "steady", dataset), dataset, limit=14)
    app = open_app("explain", **QUERY)
    assert not app.exception
    assert "0 right answers lost, 0 won, 0 answers changed" in texts(app)
    assert not [chart for chart in app.get("plotly_chart") if "before and after" in chart.proto.alt]


def test_without_a_measurement_the_command_is_given(open_app: OpenApp, home: Path, dataset: Dataset) -> None:
    run_of(home, "mine", dataset)
    app = open_app("explain", **QUERY)
    assert not app.exception
    (code,) = app.code
    assert code.value.startswith("python -m fer_core evaluate mine --data ")
    assert code.value.endswith("datasets/sample --corruptions")
    assert "Not measured yet: mine" in texts(app)
    assert "with `--limit 1000`" in texts(app)


def test_a_damaged_measurement_is_said(open_app: OpenApp, home: Path, corrupted: Corrupted) -> None:
    run = RunFolder(home / "runs" / "mine")
    reseal_evaluation(run, lambda one: one.corruptions_path.write_bytes(b"PAR1"))
    app = open_app("explain", **QUERY)
    assert not app.exception
    assert any("cannot be used" in one.value for one in app.warning)


def test_closed_it_reads_nothing_and_keeps_its_place_in_the_address(open_app: OpenApp, corrupted: Corrupted) -> None:
    app = open_app("explain", **{"explain.way": "Blur", "explain.view": "Maps"})
    assert not app.exception
    assert not [chart for chart in app.get("plotly_chart") if "accuracy by" in chart.proto.alt]
    assert not [box for box in app.selectbox if box.key == "explain.way"]
    turn_to(app, "Robustness")
    assert app.selectbox(key="explain.way").value == "Blur"
    app.selectbox(key="explain.way").set_value("Noise").run()
    turn_to(app, "Maps")
    turn_to(app, "Robustness")
    assert app.selectbox(key="explain.way").value == "Noise"


def turn_to(app: AppTest, view: str) -> None:
    app.session_state["explain.view"] = view
    app.run()
    assert not app.exception


def test_runs_on_other_faces_are_left_out_and_parts_are_cut_to_what_they_share(
    home: Path, dataset: Dataset, corrupted: Corrupted
) -> None:
    other = run_of(home, "other", dataset, seed=1)
    measure_corruptions(other, dataset, limit=70)
    larger = read_corruptions(other)
    assert larger is not None
    shared = shared_measurements({"mine": corrupted, "other": larger}, dataset.info.fingerprint)
    assert shared is not None
    common = np.intersect1d(corrupted.robustness.keys, larger.robustness.keys)
    assert 20 < len(common) <= 28
    assert all(one.keys.tolist() == common.tolist() for one in shared.runs.values())
    assert f"the {len(common)} faces" in shared.sentence
    assert list(accuracy_table(shared.runs)["Faces"]) == [len(common)] * 2
    about = type(larger.about)(
        **{**larger.about.__dict__, "data": {**larger.about.data, "fingerprint": "f", "title": "Others"}}
    )
    foreign = Corrupted(larger.robustness, about)
    for preferred, expected in ((dataset.info.fingerprint, ["mine"]), ("f", ["other"]), ("none", ["mine"])):
        shared = shared_measurements({"mine": corrupted, "other": foreign}, preferred)
        assert shared is not None
        assert list(shared.runs) == expected
    assert shared_measurements({}, "f") is None
