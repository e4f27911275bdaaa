"""Choosing a vote's weights, building the folder, and evaluating it again."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from edited_runs import measured_on, rewrite_predictions
from factories import make_run
from made_up_faces import make_labels, make_probabilities

from fer_core.cli import main
from fer_core.data.dataset import Dataset, write_dataset
from fer_core.errors import RunError
from fer_core.evaluation import vote as module
from fer_core.evaluation.evaluate import evaluate_run
from fer_core.evaluation.vote import SMALLEST_WEIGHT, build_vote, choose_weights, without_featherweights
from fer_core.files import sha256_of
from fer_core.inference.models import load_model
from fer_core.runs.card import card_of
from fer_core.runs.folder import RunFolder
from fer_core.runs.predictions import PROBABILITY_COLUMNS, probabilities_of
from fer_core.runs.transaction import LOCK_FILE
from fer_core.runs.vote import read_vote
from fer_core.settings import settings
from fer_core.stats.metrics import log_loss


def _mixture(weights: np.ndarray | tuple[float, ...], members: list[np.ndarray]) -> np.ndarray:
    return sum(weight * member for weight, member in zip(weights, members, strict=True))


def test_no_other_weights_do_better() -> None:
    labels = make_labels(500)[0]
    members = [make_probabilities(labels, accuracy, seed=seed) for seed, accuracy in enumerate((0.7, 0.6, 0.3))]
    weights = choose_weights(labels, members)
    assert weights.shape == (3,)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    best = log_loss(labels, _mixture(weights, members))
    assert best < min(log_loss(labels, member) for member in members) - 0.05
    grid = [w for w in itertools.product(np.linspace(0, 1, 41), repeat=3) if abs(sum(w) - 1) < 1e-9]
    assert len(grid) == 861
    assert best <= min(log_loss(labels, _mixture(w, members)) for w in grid) + 1e-6
    # Scattered closely around it, too: it is the very bottom.
    generator = np.random.default_rng(0)
    for _ in range(50):
        nearby = np.abs(weights + generator.normal(0, 0.01, 3))
        assert best <= log_loss(labels, _mixture(nearby / nearby.sum(), members)) + 1e-6


def test_a_known_answer() -> None:
    """Two members that each know one of two kinds of face: the weights are the kinds' shares."""
    labels = np.repeat([0, 1], (30, 10))
    knows_first, knows_second = np.zeros((40, 7)), np.zeros((40, 7))
    knows_first[:, 0], knows_second[:, 1] = 1, 1
    np.testing.assert_allclose(choose_weights(labels, [knows_first, knows_second]), [0.75, 0.25], atol=1e-3)


def test_a_useless_member_is_left_out_and_the_rest_still_adds_up() -> None:
    labels = make_labels(500)[0]
    good, other = (make_probabilities(labels, 0.7, seed=seed) for seed in (1, 2))
    lies = np.roll(good, 1, axis=1)
    weights = without_featherweights(labels, [good, lies, other])
    assert weights[1] == 0
    assert weights.sum() == 1
    assert (weights[[0, 2]] > 0.2).all()
    assert (np.round(weights, 4) == weights).all()
    np.testing.assert_allclose(weights[[0, 2]], choose_weights(labels, [good, other]), atol=1e-3)


def test_twice_the_same_member_is_no_trouble() -> None:
    labels = make_labels(100)[0]
    member = make_probabilities(labels, 0.7)
    weights = without_featherweights(labels, [member] * 3)
    assert weights.sum() == pytest.approx(1)
    assert weights[weights > 0].min() >= SMALLEST_WEIGHT


def test_nothing_to_choose_from() -> None:
    with pytest.raises(ValueError, match="at least one"):
        choose_weights([0], [])
    with pytest.raises(ValueError, match="at least one"):
        choose_weights([], [np.empty((0, 7))])
    with pytest.raises(ValueError, match="1 members and 2 labels"):
        choose_weights([0, 1], [np.full((3, 7), 1 / 7)])


def _dataset(folder: Path, labels: np.ndarray, splits: np.ndarray) -> Dataset:
    images = np.random.default_rng(5).integers(0, 256, (len(labels), 48, 48), dtype=np.uint8)
    return write_dataset(folder, images, labels, splits, title="Noise", source="test", kind="sample")


def _members(dataset: Dataset, parent: Path, *names: str, predicted: np.ndarray | None = None) -> list[RunFolder]:
    """Runs measured on the dataset; their answers are about ``predicted`` where that is given, not the labels."""
    runs = []
    for seed, name in enumerate(names or ("first", "second")):
        labels, splits, data = np.asarray(dataset.labels), dataset.splits, dataset.info.record()
        run = make_run(parent / name, labels=labels, splits=splits, seed=seed, accuracy=0.7 - 0.1 * seed, data=data)
        if predicted is not None:
            frame = run.predictions()
            frame[list(PROBABILITY_COLUMNS)] = make_probabilities(predicted[frame["row"]], 0.7 - 0.1 * seed, seed=seed)
            rewrite_predictions(run, frame)
        runs.append(run)
    return runs


@pytest.fixture
def dataset(home: Path) -> Dataset:
    return _dataset(home / "datasets" / "noise", *make_labels(210, seed=3))


@pytest.fixture
def built(dataset: Dataset) -> RunFolder:
    return build_vote(_members(dataset, settings().models_dir), dataset, settings().models_dir / "vote")


def contents(run: RunFolder) -> set[str]:
    return {path.name for path in run.path.iterdir()} - {LOCK_FILE}


def files(run: RunFolder) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file() and path.name != LOCK_FILE}


def test_the_folder_is_a_whole_run_made_of_its_members(built: RunFolder, dataset: Dataset) -> None:
    manifest, metrics, vote = built.manifest(), built.metrics(), read_vote(built)
    assert manifest is not None
    assert metrics is not None
    assert contents(built) == {"CARD.md", "evaluations", "run.json", "vote.json"}
    measured = measured_on(built)
    assert {path.name for path in measured.path.iterdir()} == {
        "evaluation.json",
        "metrics.json",
        "predictions.parquet",
    }
    for name, file in manifest["files"].items():
        assert file["sha256"] == sha256_of(built.path / name)
    for name in measured.files:
        measured.check(name)
    assert measured.model == sha256_of(built.vote_path)
    assert (manifest["architecture"], manifest["state"], manifest["name"]) == ("vote", "done", "vote")
    assert (manifest["epochs"], manifest["best_epoch"]) == (0, None)
    assert manifest["data"] == metrics["data"] == dataset.info.record()
    assert [member.name for member in vote.members] == ["first", "second"]
    assert sum(member.weight for member in vote.members) == pytest.approx(1)
    assert vote.members[0].sha256 == sha256_of(settings().models_dir / "first" / "model.tflite")
    expected = sum(
        member.weight * module.apply_temperature(probabilities_of(run.predictions()), member.temperature)
        for member in vote.members
        for run in [RunFolder(settings().models_dir / member.name)]
    )
    np.testing.assert_allclose(probabilities_of(built.predictions()), expected, atol=1e-6)
    member = RunFolder(settings().models_dir / "first")
    assert set(metrics["splits"]["PrivateTest"]) >= set(member.metrics()["splits"]["PrivateTest"])
    assert metrics["splits"]["PrivateTest"]["without_near_duplicates"]["n"] == metrics["splits"]["PrivateTest"]["n"]
    assert metrics["milliseconds_per_face"] > 0
    assert metrics["megabytes"]["model.tflite"] == pytest.approx(2 * member.tflite_path.stat().st_size / 1e6, abs=1e-3)
    alone = member.metrics()["splits"]["PrivateTest"]["accuracy"]
    assert f"| first | Custom CNN | {100 * vote.members[0].weight:.1f} % |" in card_of(built)
    assert f"{100 * alone:.1f} % |\n" in card_of(built)
    assert "## Limits" in card_of(built)
    assert list(settings().models_dir.glob(".*")) == []


def test_private_labels_never_touch_the_choice(home: Path) -> None:
    labels, splits = make_labels(210, seed=3)
    texts, accuracies = {}, {}
    for name, shuffled in (("as they are", None), ("private", "PrivateTest"), ("public", "PublicTest")):
        changed = labels.copy()
        if shuffled:
            changed[splits == shuffled] = np.random.default_rng(1).permutation(labels[splits == shuffled])
        dataset = _dataset(home / "datasets" / name, changed, splits)
        folder = home / name
        vote = build_vote(_members(dataset, folder, predicted=labels), dataset, folder / "vote")
        texts[name] = vote.vote_path.read_text()
        accuracies[name] = vote.metrics()["splits"]["PrivateTest"]["accuracy"]
    assert texts["private"] == texts["as they are"]
    assert accuracies["private"] < accuracies["as they are"] - 0.2, "the shuffling must be seen in the scores"
    assert texts["public"] != texts["as they are"]


def test_evaluating_again_runs_the_members_and_keeps_the_weights(built: RunFolder, dataset: Dataset) -> None:
    before, created = built.vote_path.read_text(), built.manifest()["created"]
    metrics = evaluate_run(built, dataset, average="flip")
    assert built.vote_path.read_text() == before
    assert built.manifest()["created"] == created
    frame = built.predictions()
    expected = load_model("vote").predict(np.asarray(dataset.images[frame["row"].to_numpy()]))
    np.testing.assert_allclose(probabilities_of(frame), expected, atol=1e-6)
    assert metrics == built.metrics()
    right = (expected.argmax(axis=1) == frame["label"])[frame["split"] == "PrivateTest"]
    assert metrics["splits"]["PrivateTest"]["accuracy"] == pytest.approx(right.mean())
    assert metrics["splits"]["PrivateTest"]["flip_average"]["n"] == len(right)
    assert load_model("vote").name == "vote", "run.json must fit the new files"
    assert list(settings().models_dir.glob(".*")) == []


def test_on_other_data_the_card_says_so(built: RunFolder, home: Path) -> None:
    other = _dataset(home / "datasets" / "other", *make_labels(42, seed=9))
    evaluate_run(built, other)
    assert "Results on Noise\n\n**Measured on other data than its weights were chosen on" in card_of(built)
    assert "| first | Custom CNN |" in card_of(built)
    assert built.manifest()["data"]["faces"] == 210
    assert built.metrics(other.info.fingerprint)["data"]["faces"] == 42
    assert built.metrics()["data"]["faces"] == 210, "what its weights were chosen on comes first"
    assert card_of(built) == built.card_path.read_text()


def test_a_vote_is_replaced_and_a_failure_leaves_the_old_one(
    built: RunFolder, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = files(built)
    members = _members(dataset, settings().models_dir, "third", "fourth", "fifth")
    with monkeypatch.context() as patch:
        patch.setattr("fer_core.evaluation.measure.seal_evaluation", _fail)
        with pytest.raises(OSError, match="disk full"):
            build_vote(members, dataset, built.path)
    assert files(built) == old
    assert list(settings().models_dir.glob(".*")) == []
    build_vote(members, dataset, built.path)
    assert [member.name for member in read_vote(built).members] == ["third", "fourth", "fifth"]
    assert built.evaluation_problems() == [], "evaluations of other weights are gone"
    assert measured_on(built, dataset.info.fingerprint).model == sha256_of(built.vote_path)
    assert load_model("vote").title == "Soft vote of 3 models"


def _fail(*_: object) -> None:
    raise OSError("disk full")


def test_what_cannot_vote_is_told(home: Path, dataset: Dataset, built: RunFolder) -> None:
    models, runs = settings().models_dir, settings().runs_dir
    first, second = RunFolder(models / "first"), RunFolder(models / "second")
    out = runs / "mine"

    def refused(members: list[RunFolder], words: str, where: Path = out) -> None:
        with pytest.raises(RunError, match=words):
            build_vote(members, dataset, where)
        assert not out.exists()

    refused([first], "at least two runs of different names, not first")
    refused([first, first], "different names, not first, first")
    refused([first, built], "vote is a vote itself")
    refused([first, second], "exists already and is not a vote", second.path)
    elsewhere = make_run(models / "elsewhere", data={"fingerprint": "1" * 64, "title": "Other faces"})
    refused([first, elsewhere], r"elsewhere was not measured on the faces of.*fer_core evaluate")
    some = slice(0, len(dataset) - 30)
    fewer = make_run(
        models / "fewer", labels=dataset.labels[some], splits=dataset.splits[some], data=dataset.info.record()
    )
    refused([first, fewer], "predictions of fewer are not about the test faces")
    hidden = _members(dataset, home / "hidden", "hidden")[0]
    refused([first, hidden], "would not find it again")
    second.tflite_path.write_bytes(b"changed")
    refused([first, second], r"model\.tflite is missing or is not what run\.json promises")
    second.manifest_path.unlink()
    refused([first, second], "second is not complete")


def test_without_public_faces_nothing_can_be_chosen(home: Path) -> None:
    labels, splits = make_labels(84)
    splits[splits == "PublicTest"] = "Training"
    dataset = _dataset(home / "datasets" / "private", labels, splits)
    members = _members(dataset, home / "runs")
    with pytest.raises(RunError, match="no PublicTest face"):
        build_vote(members, dataset, home / "runs" / "vote")
    assert not (home / "runs" / "vote").exists()


def test_the_command(home: Path, dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    _members(dataset, settings().runs_dir)
    command = ["vote", "first", "second", "--data", str(dataset.info.path)]
    assert main([*command, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["run"] == str(settings().runs_dir / "vote")
    assert [member["name"] for member in result["vote"]["members"]] == ["first", "second"]
    assert result["splits"]["PrivateTest"]["n"] == 70
    assert main([*command, "--name", "two"]) == 0
    assert "first: weight" in capsys.readouterr().out
    for arguments, words in (
        ([*command, "--name", "../two"], "cannot be the name of a folder"),
        ([*command, "--name", "first"], "exists already and is not a vote"),
        (["vote", "first", "gone", "--data", str(dataset.info.path)], "no run called 'gone'"),
    ):
        assert main(arguments) == 2
        assert words in capsys.readouterr().err
    assert main(["runs", "two"]) == 0
    assert "Done: a vote of first, second." in capsys.readouterr().out
    assert main(["runs", "two", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["vote"]["chosen_on"] == "PublicTest"
    assert shown["resumable"] is False
    assert main(["export", "two", "--data", str(dataset.info.path)]) == 2
    assert "Export its members" in capsys.readouterr().err
    assert main(["train", "--resume", "two"]) == 2
