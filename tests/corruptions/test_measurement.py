"""``corruptions.parquet``: what is kept of a run's answers to faces made worse, and when it goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from edited_runs import measured_on, reseal_evaluation
from factories import make_run, make_vote
from made_up_faces import make_noise

from fer_core.cli import main
from fer_core.corruptions.kinds import CORRUPTIONS, corrupt
from fer_core.corruptions.measurement import measure_corruptions, read_corruptions
from fer_core.data.dataset import Dataset, write_dataset
from fer_core.errors import RunError
from fer_core.files import sha256_of
from fer_core.inference.models import load_model
from fer_core.inference.predictor import Predictor
from fer_core.runs.evaluations import Evaluation
from fer_core.runs.folder import RunFolder
from fer_core.runs.measurements import PARQUET_KEY, gone_lines, still_true, there
from fer_core.stats.sampling import stratified


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return make_noise(tmp_path / "data")


@pytest.fixture
def run(tmp_path: Path, dataset: Dataset) -> RunFolder:
    return make_run(tmp_path / "runs" / "mine", data=dataset.info.record())


def test_what_is_written_is_what_the_model_says_and_comes_back(run: RunFolder, dataset: Dataset) -> None:
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    promised = dict(measured_on(run).files)
    corrupted = measure_corruptions(run, dataset, limit=30)
    read = read_corruptions(run)
    assert read is not None
    assert read.about == corrupted.about
    found = read.robustness
    for name in ("labels", "clean", "answers", "keys"):
        np.testing.assert_array_equal(getattr(found, name), getattr(corrupted.robustness, name))
    assert found.names == tuple(CORRUPTIONS)
    rows = found.keys
    assert (dataset.splits[rows] == "PublicTest").all()
    np.testing.assert_array_equal(found.labels, dataset.labels[rows])
    predictor = Predictor(run.tflite_path)
    faces = np.asarray(dataset.images[rows])
    worse = predictor.predict(corrupt(faces, "rotation", 4, keys=rows)).argmax(axis=1)
    np.testing.assert_array_equal(found.answers[found.names.index("rotation"), 3], worse)
    np.testing.assert_array_equal(found.clean, predictor.predict(faces).argmax(axis=1))
    assert read.which() == f"{len(rows)} of the 140 faces of PublicTest"

    after = measured_on(run)
    files = dict(after.files)
    assert files.pop("corruptions.parquet")["sha256"] == sha256_of(after.corruptions_path)
    assert files == promised
    del before[after.path / "evaluation.json"]
    assert {path: path.read_bytes() for path in before} == before, "nothing else of the run may change"
    assert after.corruptions_path.stat().st_size < 100_000


def test_all_faces_without_a_limit_and_a_vote_too(tmp_path: Path, dataset: Dataset, run: RunFolder) -> None:
    other = make_run(tmp_path / "runs" / "other", seed=1, data=dataset.info.record())
    vote = make_vote(tmp_path / "runs" / "vote", [run, other])
    corrupted = measure_corruptions(vote, dataset)
    assert len(corrupted) == 140
    assert corrupted.which() == "all 140 faces of PublicTest"
    read = read_corruptions(vote)
    assert read is not None
    expected = load_model(vote.path).predict(np.asarray(dataset.images[dataset.rows("PublicTest")])).argmax(axis=1)
    np.testing.assert_array_equal(read.robustness.clean, expected)
    assert measured_on(vote).has("corruptions.parquet")


def test_a_run_without_the_file_has_none(run: RunFolder) -> None:
    assert read_corruptions(run) is None
    assert there(run) == ()


def test_it_goes_when_the_model_or_the_faces_change_and_stays_otherwise(run: RunFolder, dataset: Dataset) -> None:
    measure_corruptions(run, dataset, limit=7)
    model = sha256_of(run.tflite_path)
    assert still_true(measured_on(run), model) == ("corruptions.parquet",)
    assert still_true(measured_on(run), "e" * 64) == (), "another model"
    before = there(run)
    assert before == (("Noise", "corruptions.parquet"),)
    assert gone_lines(run, before, "D") == []
    reseal_evaluation(run, lambda one: one.corruptions_path.unlink())
    assert there(run) == ()
    (line,) = gone_lines(run, before, "D")
    assert "about another model" in line
    assert f"python -m fer_core evaluate {run.path} --data D --corruptions" in line


def test_of_a_damaged_file_nothing_is_taken_over(run: RunFolder, dataset: Dataset) -> None:
    measure_corruptions(run, dataset, limit=7)
    path = measured_on(run).corruptions_path
    path.write_bytes(path.read_bytes() + b"\0")
    assert still_true(measured_on(run), sha256_of(run.tflite_path)) == ()


def test_an_evaluated_vote_keeps_it_for_the_same_faces_only(tmp_path: Path, run: RunFolder, dataset: Dataset) -> None:
    from fer_core.evaluation.vote import evaluate_vote

    other = make_run(tmp_path / "runs" / "other", seed=1, data=dataset.info.record())
    vote = make_vote(tmp_path / "runs" / "vote", [run, other])
    first = measure_corruptions(vote, dataset, limit=7)
    evaluate_vote(vote, dataset)
    again = read_corruptions(vote)
    assert again is not None
    np.testing.assert_array_equal(again.robustness.answers, first.robustness.answers)
    images = np.asarray(dataset.images)[::-1].copy()
    new = write_dataset(tmp_path / "new", images, np.asarray(dataset.labels), np.asarray(dataset.splits))
    evaluate_vote(vote, new)
    assert there(vote) == (("Noise", "corruptions.parquet"),)
    assert read_corruptions(vote, new.info.fingerprint) is None


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda one: one.corruptions_path.write_bytes(b"PAR1 no"), "cannot be read"),
        (lambda one: _about(one, model="e" * 64), "another model file"),
        (lambda one: _about(one, data={**one.data, "fingerprint": "e" * 64}), "other faces than metrics.json"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_with_the_command(run, dataset, harm, words) -> None:
    measure_corruptions(run, dataset, limit=7)
    reseal_evaluation(run, harm)
    with pytest.raises(RunError, match=words) as refused:
        read_corruptions(run)
    assert "--corruptions" in str(refused.value)


def test_a_file_of_another_time_is_refused_with_the_command(run: RunFolder, dataset: Dataset) -> None:
    measure_corruptions(run, dataset, limit=7)
    path = measured_on(run).corruptions_path
    older = path.read_bytes()
    measure_corruptions(run, dataset, limit=14)
    path.write_bytes(older)
    with pytest.raises(RunError, match="not what its manifest promises"):
        read_corruptions(run)


def _about(one: Evaluation, **changed: Any) -> None:
    """Let the file say that it is about something else."""
    table = pq.read_table(one.corruptions_path)
    printed = json.loads(table.schema.metadata[PARQUET_KEY])
    printed["about"].update(changed)
    pq.write_table(table.replace_schema_metadata({PARQUET_KEY: json.dumps(printed).encode()}), one.corruptions_path)


def test_the_command_prints_a_table_and_json(
    run: RunFolder, dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", str(run.path), "--data", str(dataset.info.path), "--corruptions", "--limit", "14"]
    assert main(command) == 0
    out = capsys.readouterr()
    assert "14 of the 140 faces of PublicTest" in out.out
    assert "Rotation (±6, 12, 20, 30, 45 degrees)" in out.out
    assert "644 of 644 predictions" in out.err
    assert main([*command, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["n"] == 14
    assert printed["of"] == 140
    assert len(printed["corruptions"]["jpeg"]["accuracy"]) == 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--limit", "5"], "goes with --corruptions"),
        (["--corruptions", "--average", "flip"], "without averaging"),
    ],
)
def test_options_that_make_no_sense_are_refused(run, dataset, capsys, options: list[str], words: str) -> None:
    assert main(["evaluate", str(run.path), "--data", str(dataset.info.path), *options]) == 2
    assert words in capsys.readouterr().err
    assert there(run) == ()


def test_other_faces_than_the_runs_are_refused(tmp_path: Path, dataset: Dataset) -> None:
    foreign = make_run(tmp_path / "foreign")
    with pytest.raises(RunError, match="not measured on the faces of"):
        measure_corruptions(foreign, dataset)
    (foreign.path / "run.json").unlink()
    with pytest.raises(RunError, match="not complete"):
        measure_corruptions(foreign, dataset)


def test_a_stratified_part_has_each_class_in_its_share() -> None:
    labels = np.repeat(np.arange(7), [60, 5, 60, 100, 80, 45, 150])
    np.random.default_rng(0).shuffle(labels)
    chosen = stratified(labels, 100, seed=3)
    assert len(chosen) == 100
    assert (np.diff(chosen) > 0).all()
    assert np.bincount(labels[chosen]).tolist() == [12, 1, 12, 20, 16, 9, 30]
    np.testing.assert_array_equal(chosen, stratified(labels, 100, seed=3))
    assert not np.array_equal(chosen, stratified(labels, 100, seed=4))
    assert set(chosen) <= set(stratified(labels, 200, seed=3))
    assert len(stratified(labels, 10_000)) == len(labels)
    assert np.bincount(labels[stratified(labels, 8)]).tolist() == [1, 1, 1, 1, 1, 1, 2], "no class is lost"
    assert len(stratified(labels, 3)) == 7
    with pytest.raises(ValueError, match="at least 1"):
        stratified(labels, 0)
