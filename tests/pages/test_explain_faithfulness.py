"""The table of which maps may be trusted: what the runs hold, or the command that measures it."""

from __future__ import annotations

from pathlib import Path

import pytest
from edited_runs import reseal_evaluation
from factories import make_run
from made_up_faces import make_noise
from streamlit.testing.v1 import AppTest

from fer_core.data.dataset import Dataset
from fer_core.explain.batch_maps import FaithfulnessPlan
from fer_core.explain.faithfulness_study import measure_faithfulness
from fer_core.runs.folder import RunFolder
from fer_core.settings import settings


def page() -> None:
    from fer_core.runs.listing import list_models
    from pages.parts import models
    from pages.parts.explain import faithfulness

    faithfulness.show([models.open_info(info) for info in list_models()])


@pytest.fixture
def dataset(home: Path) -> Dataset:
    return make_noise(settings().datasets_dir / "noise")


def run_of(home: Path, dataset: Dataset, name: str, seed: int = 0) -> RunFolder:
    return make_run(home / "runs" / name, data=dataset.info.record(), seed=seed)


def test_measured_runs_have_a_row_a_method_and_the_others_a_command(home: Path, dataset: Dataset) -> None:
    run_of(home, dataset, "plain")
    explained = measure_faithfulness(
        run_of(home, dataset, "mine"), dataset, ["class_map", "occlusion"], plan=FaithfulnessPlan(n=10)
    )
    app = AppTest.from_function(page, default_timeout=240).run()
    assert not app.exception
    table = app.dataframe[0].value
    assert table["Method"].tolist() == ["Class map", "Occlusion"]
    assert table["Model"].tolist() == ["mine", "mine"]
    rows = explained.methods["class_map"].summary.rows
    if rows:
        assert table["Deletion area"][0] == pytest.approx(rows[0].map_deletion)
    assert "Measured on 10 of the 140 PublicTest faces of Noise" in app.caption[0].value
    assert "Not measured over many faces yet: plain" in app.info[0].value
    assert app.code[0].value.startswith("python -m fer_core explain faithfulness --models plain --data ")
    assert not app.warning


def test_different_plans_are_not_to_be_compared(home: Path, dataset: Dataset) -> None:
    for seed, n in ((0, 8), (1, 9)):
        measure_faithfulness(run_of(home, dataset, f"run{n}", seed), dataset, ["class_map"], plan=FaithfulnessPlan(n=n))
    app = AppTest.from_function(page, default_timeout=240).run()
    assert not app.exception
    assert "do not compare" in app.warning[0].value


def test_a_damaged_measurement_is_said(home: Path, dataset: Dataset) -> None:
    run = run_of(home, dataset, "broken")
    reseal_evaluation(run, lambda one: one.faithfulness_path.write_text("{", encoding="utf-8"))
    app = AppTest.from_function(page, default_timeout=240).run()
    assert not app.exception
    assert "cannot be used" in app.warning[0].value
    assert "explain faithfulness" in app.warning[0].value
    assert not app.dataframe
