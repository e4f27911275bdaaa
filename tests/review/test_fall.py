"""How far models made for photographs fall on drawn faces, in figures and in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from edited_runs import measured_on
from factories import make_run
from made_up_faces import make_labels

from fer_core.emotions import NAMES
from fer_core.review.fall import fall
from fer_core.runs.folder import RunFolder
from fer_core.settings import PROJECT_ROOT

MODELS = PROJECT_ROOT / "models"
PHOTOGRAPHS = {"kind": "csv", "title": "FER-2013", "name": "fer2013", "fingerprint": "1" * 64}


def graft(run: RunFolder, other: RunFolder) -> None:
    """Give ``run`` the evaluation of ``other``, which has the same model file."""
    found = measured_on(other)
    found.path.rename(run.path / "evaluations" / found.path.name)


@pytest.fixture
def both(tmp_path: Path) -> list[RunFolder]:
    runs = []
    for seed, (there, here) in enumerate(((0.9, 0.4), (0.8, 0.5))):
        run = make_run(tmp_path / f"run{seed}", accuracy=there, seed=seed, data=PHOTOGRAPHS)
        graft(run, make_run(tmp_path / f"drawn{seed}", accuracy=here, seed=seed))
        runs.append(run)
    return runs


def test_the_span_of_accuracies_there_and_here(both: list[RunFolder]) -> None:
    found = fall(both, "0" * 64, "PrivateTest")
    assert found is not None
    of = [[run.metrics(mark * 64)["splits"]["PrivateTest"]["accuracy"] for run in both] for mark in "10"]
    assert found.photographs == (min(of[0]), max(of[0]))
    assert found.drawings == (min(of[1]), max(of[1]))
    assert found.drawings[1] < found.photographs[0]
    text = found.sentence()
    assert f"{100 * min(of[0]):.0f} to {100 * max(of[0]):.0f} % of FER-2013" in text
    assert f"{100 * min(of[1]):.0f} to {100 * max(of[1]):.0f} % here" in text


def test_an_expression_counts_as_missed_by_the_share_found_over_all_runs(tmp_path: Path) -> None:
    labels, splits = make_labels()
    run = make_run(tmp_path / "run", data=PHOTOGRAPHS)
    graft(run, make_run(tmp_path / "drawn", accuracy=0.0, labels=labels, splits=splits))
    found = fall([run], "0" * 64, "PrivateTest")
    assert found is not None
    assert [name for name, _ in found.missed] == list(NAMES), "nothing is right, so nothing is found"
    assert "Hardly found: angry (0 %), " in found.sentence()


def test_there_is_no_fall_on_photographs_of_runs_made_for_drawings_or_measured_on_one_of_them(
    both: list[RunFolder], tmp_path: Path
) -> None:
    assert fall(both, "1" * 64, "PrivateTest") is None
    assert fall([make_run(tmp_path / "drawn")], "0" * 64, "PrivateTest") is None
    assert fall([make_run(tmp_path / "photographs", data=PHOTOGRAPHS)], "0" * 64, "PrivateTest") is None
    assert fall([], "0" * 64, "PrivateTest") is None
    measured_on(both[0], "0" * 64).metrics_path.write_text("{")
    assert fall(both[:1], "0" * 64, "PrivateTest") is None


def test_the_shipped_models_hardly_ever_find_angry_and_disgust_on_drawings() -> None:
    runs = [RunFolder(path.parent) for path in sorted(MODELS.glob("*/run.json"))]
    drawn = next(one for one in runs[0].evaluations() if one.data["kind"] == "sample")
    found = fall(runs, drawn.fingerprint, "PrivateTest")
    assert found is not None
    assert found.title == "FER-2013"
    assert found.photographs[0] > 0.65
    assert 0.5 < found.drawings[0] < found.drawings[1] < 0.6
    assert [name for name, _ in found.missed] == ["angry", "disgust"]
