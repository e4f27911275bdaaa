"""Measuring and exporting a run once more: what is added, what replaced, and what refused with nothing changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from edited_runs import content, measured_on
from factories import make_run
from made_up_faces import make_labels, make_noise, some_other_faces
from stand_ins import without_keras

from fer_core.data.dataset import Dataset, write_dataset
from fer_core.errors import ExportError, RunError
from fer_core.evaluation.evaluate import evaluate_run, export_run
from fer_core.evaluation.export import Parity
from fer_core.files import sha256_of, write_json
from fer_core.runs.folder import RunFolder
from fer_core.runs.measurements import keep
from fer_core.runs.predictions import write_predictions


@pytest.fixture
def run(home: Path) -> RunFolder:
    return make_run(home / "runs" / "mine")


def files(run: RunFolder) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file() and path.name[0] != "."}


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Dataset, Dataset]:
    without_keras(monkeypatch)
    first = make_noise(tmp_path / "first", kind="sample")
    images = np.asarray(first.images)[::-1].copy()
    return first, write_dataset(tmp_path / "second", images, *make_labels(seed=2013), title="Other noise")


def test_measuring_on_other_faces_adds_and_overwrites_nothing(
    run: RunFolder, datasets: tuple[Dataset, Dataset]
) -> None:
    first, second = datasets
    evaluate_run(run, first)
    before = files(run)
    figures = evaluate_run(run, second)
    after = files(run)
    new = {path for path in after if path not in before}
    assert {path.parent for path in new} == {measured_on(run, second.info.fingerprint).path}
    assert {path: after[path] for path in before if path != run.card_path} == {
        path: content for path, content in before.items() if path != run.card_path
    }
    assert run.metrics(second.info.fingerprint) == figures
    assert len(run.evaluations()) == 3
    card = run.card_path.read_text(encoding="utf-8")
    assert "## Results on Noise" in card
    assert "## Results on Other noise" in card


def test_measuring_on_the_same_faces_replaces_as_a_whole(run: RunFolder, datasets: tuple[Dataset, Dataset]) -> None:
    first, second = datasets
    for dataset in datasets:
        evaluate_run(run, dataset)
    kept = measured_on(run, second.info.fingerprint)
    before = files(run)
    (measured_on(run, first.info.fingerprint).path / "notes.txt").write_text("left by somebody")
    evaluate_run(run, first, average="flip")
    one = measured_on(run, first.info.fingerprint)
    assert {path.name for path in one.path.iterdir()} == {*one.files, "evaluation.json"}
    assert "flip_average" in one.metrics()["splits"]["PublicTest"]
    assert all(path.read_bytes() == before[path] for path in kept.path.iterdir())


def test_a_dataset_of_another_name_is_the_same_faces(run: RunFolder, datasets: tuple[Dataset, Dataset]) -> None:
    first, _ = datasets
    evaluate_run(run, first)
    shutil.copytree(first.info.path, first.info.path.with_name("renamed"))
    path = first.info.path.with_name("renamed") / "dataset.json"
    write_json(path, {**content(path), "name": "renamed"})
    from fer_core.data.dataset import load_dataset

    evaluate_run(run, load_dataset(path.parent))
    names = sorted(path.name for path in (run.path / "evaluations").iterdir())
    assert names == ["made_up-00000000", f"renamed-{first.info.fingerprint[:8]}"]


def test_a_new_export_takes_evaluations_with_it_that_are_about_the_old_file(
    run: RunFolder, datasets: tuple[Dataset, Dataset]
) -> None:
    first, second = datasets
    for dataset in datasets:
        evaluate_run(run, dataset)
    export_run(run, first)
    assert [one.fingerprint for one in run.evaluations()] == [first.info.fingerprint]
    assert run.evaluation_problems() == []
    assert measured_on(run).model == sha256_of(run.tflite_path) == run.promised_model()
    evaluate_run(run, second)
    export_run(run, first)
    assert len(run.evaluations()) == 2, "the very same file: what was measured with it stays"


def test_a_tampered_file_does_not_become_right_by_measuring_more(
    run: RunFolder, datasets: tuple[Dataset, Dataset]
) -> None:
    first, _ = datasets
    evaluate_run(run, first)
    one = measured_on(run, first.info.fingerprint)
    honest = one.predictions_path.read_bytes()
    write_predictions(one.predictions_path, *some_other_faces(), fingerprint=first.info.fingerprint)
    with pytest.raises(RunError, match=r"predictions\.parquet is damaged"):
        keep(run, first.info.fingerprint, "faithfulness.json", lambda path: path.write_text("{}"))
    assert not one.faithfulness_path.exists()
    export_run(run, first)
    assert measured_on(run, first.info.fingerprint).predictions_path.read_bytes() == honest, "predicted anew"
    write_json(run.recipe_path, {**content(run.recipe_path), "epochs": 99})
    export_run(run, first)
    assert content(run.manifest_path)["files"]["recipe.json"]["sha256"] != sha256_of(run.recipe_path)
    run.keras_path.write_bytes(b"another model")
    for step in (evaluate_run, export_run):
        with pytest.raises(RunError, match=r"model\.keras is damaged"):
            step(run, first)


def test_the_card_of_the_run_is_written_though_another_evaluation_is_damaged(
    run: RunFolder, datasets: tuple[Dataset, Dataset]
) -> None:
    measured_on(run).metrics_path.write_text("{}")
    evaluate_run(run, datasets[0])
    assert "## Results on Noise" in run.card_path.read_text(encoding="utf-8")


def test_an_export_whose_maps_differ_is_refused_with_nothing_changed(
    run: RunFolder, datasets: tuple[Dataset, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only probabilities were compared, so that a file with other class maps was taken."""
    from fer_core.evaluation import export

    first, _ = datasets
    evaluate_run(run, first)
    before = files(run)
    monkeypatch.setattr("fer_core.evaluation.evaluate.export_litert", export.export_litert)
    monkeypatch.setattr(export, "with_class_maps", lambda model: model)
    monkeypatch.setattr(export, "convert", lambda _, path, half_precision: path.write_bytes(b"converted"))
    monkeypatch.setattr(export, "check_parity", lambda *_: Parity(140, 0.0, 1.0, 0.017))
    with pytest.raises(ExportError, match=r"class maps differ by up to 1\.70 % .*not written"):
        export_run(run, first)
    assert files(run) == before


@pytest.mark.parametrize(
    ("half", "parity", "same"),
    [
        (False, Parity(9, 0.0, 1.0, 0.0), True),
        (False, Parity(9, 5e-5, 1.0, 5e-4), True),
        (False, Parity(9, 5e-5, 1.0, 2e-3), False),
        (False, Parity(9, 2e-4, 1.0, 0.0), False),
        (False, Parity(9, 0.0, 1.0, float("nan")), False),
        (True, Parity(9, 1e-3, 0.999, 5e-3), True),
        (True, Parity(9, 1e-3, 0.999, 1.7e-2), False),
        (True, Parity(9, 1e-3, 0.99, 5e-3), False),
        (True, Parity(9, float("nan"), 1.0, 0.0), False),
    ],
)
def test_when_two_files_are_the_same_model(half: bool, parity: Parity, same: bool) -> None:
    assert parity.agrees(half_precision=half) is same
