"""What a run was measured on: one sealed folder a dataset, and what is done with those that cannot be used."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from edited_runs import as_schema_1, content, edit_metrics, measured_on
from factories import make_run
from made_up_faces import some_other_faces

from fer_core.errors import RunError
from fer_core.files import write_json
from fer_core.runs.evaluations import Evaluation, files_record, folder_name, seal_evaluation
from fer_core.runs.folder import RunFolder
from fer_core.runs.listing import list_runs
from fer_core.runs.measurements import keep
from fer_core.runs.predictions import write_predictions
from fer_core.settings import settings

OTHER = {"name": "others", "title": "Other faces", "kind": "csv", "fingerprint": "1" * 64, "faces": 420}


@pytest.fixture
def run(home: Path) -> RunFolder:
    return make_run(home / "runs" / "mine")


def another(run: RunFolder, data: dict[str, Any] | None = None, created: str = "2026-05-05T00:00:00+00:00") -> Path:
    """A second evaluation of the run, of the same content but for what it is about."""
    about = {**OTHER, **(data or {})}
    first = measured_on(run)
    path = run.path / "evaluations" / folder_name(about)
    shutil.copytree(first.path, path)
    frame = first.predictions()
    values = frame[[f"p{label}" for label in range(7)]].to_numpy()
    write_predictions(
        path / "predictions.parquet",
        frame["row"],
        frame["split"],
        frame["label"],
        values,
        fingerprint=about["fingerprint"],
    )
    write_json(path / "metrics.json", {**first.metrics(), "data": about})
    manifest = content(path / "evaluation.json")
    files = files_record(path, list(manifest["files"]))
    write_json(path / "evaluation.json", {**manifest, "data": about, "created": created, "files": files})
    return path


def test_what_it_was_trained_on_comes_first_then_the_newest(run: RunFolder) -> None:
    another(run, created="2026-03-01T00:00:00+00:00")
    another(run, {"name": "third", "fingerprint": "2" * 64}, created="2026-04-01T00:00:00+00:00")
    assert [one.fingerprint[0] for one in run.evaluations()] == ["0", "2", "1"]
    assert run.evaluation("1" * 64).data["title"] == "Other faces"
    assert run.evaluation("3" * 64) is None
    assert run.metrics()["data"]["fingerprint"] == "0" * 64
    assert run.metrics("1" * 64)["data"]["fingerprint"] == "1" * 64
    assert run.predictions("3" * 64) is None


def test_of_two_about_the_same_faces_the_newer_counts(run: RunFolder) -> None:
    another(run, {"name": "as it was called", "title": "Old"}, created="2026-03-01T00:00:00+00:00")
    another(run, {"name": "as it is called now", "title": "New"}, created="2026-04-01T00:00:00+00:00")
    assert [one.data["title"] for one in run.evaluations()] == ["Made-up faces", "New"]
    assert run.evaluation_problems() == []


def test_one_by_another_model_file_is_refused_with_a_sentence_and_harms_no_other(run: RunFolder) -> None:
    path = another(run)
    write_json(
        path / "evaluation.json",
        {**content(path / "evaluation.json"), "model": "e" * 64},
    )
    assert [one.fingerprint for one in run.evaluations()] == ["0" * 64]
    (problem,) = run.evaluation_problems()
    assert "another model file" in problem
    assert f"python -m fer_core evaluate {run.path}" in problem
    assert str(path) in problem


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "damaged"),
        ("[]", "a JSON object was expected"),
        ('{"schema": 2}', "damaged"),
        ('{"schema": 3}', "schema 3"),
        ('{"schema": 2, "data": {"fingerprint": "1"}, "model": "", "files": {}, "created": ""}', "damaged"),
    ],
)
def test_a_damaged_one_is_said_and_harms_no_other(run: RunFolder, content: str, words: str) -> None:
    path = another(run)
    (path / "evaluation.json").write_text(content)
    assert [one.fingerprint for one in run.evaluations()] == ["0" * 64]
    (problem,) = run.evaluation_problems()
    assert words in problem
    assert str(path) in problem
    assert [info.state for info in list_runs()] == ["done"]


@pytest.mark.parametrize("name", ["predictions.parquet", "metrics.json"])
def test_a_file_that_is_not_what_was_promised_is_never_read(run: RunFolder, name: str) -> None:
    path = measured_on(run).path / name
    path.write_bytes(path.read_bytes() + b" ")
    read = run.predictions if name.endswith("parquet") else run.metrics
    with pytest.raises(RunError, match=rf"{name} is damaged.*evaluate {run.path}"):
        read()
    path.unlink()
    with pytest.raises(RunError, match="is missing"):
        read()


def test_predictions_of_other_faces_under_its_name_are_damage_not_figures(run: RunFolder) -> None:
    """Evaluating on 300 faces, killed half-way, left them under FER-2013's name; pages showed them as its figures."""
    one = measured_on(run)
    write_predictions(one.predictions_path, *some_other_faces(), fingerprint="3" * 64)
    with pytest.raises(RunError, match="damaged"):
        run.predictions()
    # Even where somebody seals it again.
    seal_evaluation(one.path, one.data, one.model, one.created)
    with pytest.raises(RunError, match="about other faces than it should be"):
        run.predictions()


def test_predictions_of_other_faces_in_a_run_of_before_are_damage_too(run: RunFolder) -> None:
    as_schema_1(run)
    write_predictions(run.path / "predictions.parquet", *some_other_faces(), fingerprint="3" * 64)
    for read in (run.predictions, run.metrics):
        with pytest.raises(RunError, match=r"predictions\.parquet is damaged"):
            read()
    (problem,) = run.evaluation_problems()
    assert "predictions.parquet is damaged" in problem
    list_runs()
    assert content(run.manifest_path)["schema"] == 1, "what is damaged is not carried over"
    assert run.evaluation_problems() == [problem]


def test_a_folder_without_its_seal_is_no_evaluation(run: RunFolder) -> None:
    (another(run) / "evaluation.json").unlink()
    (run.path / "evaluations" / "notes.txt").write_text("mine")
    assert len(run.evaluations()) == 1
    assert run.evaluation_problems() == []


def test_the_key_changes_with_every_evaluation(run: RunFolder) -> None:
    keys = [run.state_key()]
    another(run)
    keys.append(run.state_key())
    edit_metrics(run, lambda metrics: metrics.update(seed=7))
    keys.append(run.state_key())
    assert len(set(keys)) == 3
    assert run.state_key() == keys[-1]


def test_a_name_is_plain_and_short() -> None:
    assert folder_name({"name": "../Ünï cøde/x", "fingerprint": "ab" * 32}) == "n-c-de-x-abababab"
    assert folder_name({"name": "…", "fingerprint": "ab" * 32}) == "data-abababab"
    assert len(folder_name({"name": "x" * 500, "fingerprint": "ab" * 32})) == 49


def test_two_measurements_that_end_at_the_same_time_are_both_kept(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    fingerprint = measured_on(run).fingerprint
    with ThreadPoolExecutor(4) as pool:
        for name in ("corruptions.parquet", "faithfulness.json"):
            pool.submit(keep, run, fingerprint, name, lambda path: path.write_text("{}"))
    found = measured_on(run)
    assert found.has("corruptions.parquet")
    assert found.has("faithfulness.json")


def test_paths_of_an_evaluation_are_in_its_folder(run: RunFolder) -> None:
    one: Evaluation = measured_on(run)
    assert one.path.parent == run.path / "evaluations"
    assert {one.metrics_path.parent, one.predictions_path.parent, one.embeddings_path.parent} == {one.path}


# --- Damaged, and asked for


def test_a_damaged_evaluation_does_not_answer_for_others(run: RunFolder) -> None:
    """Asked for an evaluation that there is not, a run once told of another one that was damaged."""
    path = another(run)
    (path / "metrics.json").write_text("{")
    assert run.metrics("2" * 64) is None
    assert run.predictions("2" * 64) is None
    assert run.metrics()["data"]["fingerprint"] == "0" * 64
    with pytest.raises(RunError, match=r"metrics\.json is damaged"):
        run.metrics("1" * 64)


def test_where_its_own_evaluation_is_damaged_a_run_does_not_pass_off_another_as_its_own(run: RunFolder) -> None:
    """Else a figure on drawings would stand where one on photographs did, with nothing said."""
    another(run)
    measured_on(run).metrics_path.write_text("{")
    assert run.evaluation() is None
    with pytest.raises(RunError, match=r"metrics\.json is damaged"):
        run.metrics()
    assert run.metrics("1" * 64)["data"]["fingerprint"] == "1" * 64


def test_a_run_that_was_never_measured_on_its_own_data_has_another_evaluation_instead(run: RunFolder) -> None:
    another(run)
    shutil.rmtree(measured_on(run).path)
    assert run.evaluation().fingerprint == "1" * 64


# --- Beside shipped runs


@pytest.fixture
def shipped(home: Path) -> RunFolder:
    return make_run(settings().models_dir / "shipped")


def move_beside(run: RunFolder) -> Path:
    path, beside = another(run), settings().evaluations_dir / run.name
    beside.mkdir(parents=True)
    return path.rename(beside / path.name)


def test_an_evaluation_of_a_shipped_run_may_lie_in_the_home(shipped: RunFolder) -> None:
    before = shipped.state_key()
    path = move_beside(shipped)
    assert shipped.state_key() != before, "caches must see it"
    assert [one.fingerprint[0] for one in shipped.evaluations()] == ["0", "1"]
    assert shipped.evaluation("1" * 64).path == path
    assert shipped.predictions("1" * 64) is not None
    (path / "metrics.json").write_text("{")
    assert "metrics.json is damaged" in " ".join(shipped.evaluation_problems())
    assert list_runs()[0].state == "done", "the run itself is sound"


def test_one_in_the_home_that_is_about_a_former_shipped_model_is_none(shipped: RunFolder) -> None:
    path = move_beside(shipped)
    write_json(path / "evaluation.json", {**content(path / "evaluation.json"), "model": "f" * 64})
    assert shipped.evaluation("1" * 64) is None
    assert shipped.evaluation_problems() == []


def test_what_is_measured_on_request_is_kept_beside_the_evaluation_in_the_home(shipped: RunFolder) -> None:
    path = move_beside(shipped)
    keep(shipped, "1" * 64, "faithfulness.json", lambda target: target.write_text("{}"))
    assert (path / "faithfulness.json").read_text() == "{}"
    assert shipped.evaluation("1" * 64).has("faithfulness.json")
    assert not list(shipped.path.rglob("faithfulness.json"))


def test_runs_of_the_home_have_nothing_to_do_with_that_folder(run: RunFolder) -> None:
    path = another(run)
    beside = settings().evaluations_dir / run.name
    beside.mkdir(parents=True)
    path.rename(beside / path.name)
    assert run.evaluation("1" * 64) is None
