"""Training labels from the crowd: which votes count, which faces are left out, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fer_core.data.dataset import Dataset, load_dataset, write_dataset
from fer_core.data.ferplus import ANSWERS, TIE, add_ferplus
from fer_core.errors import DataError, FerError, RunError
from fer_core.evaluation.training_run import resume, train
from fer_core.runs.folder import RunFolder
from fer_core.runs.recipe import Recipe
from fer_core.training import resources
from fer_core.training.crowd_labels import crowd_labels, lacking_votes
from fer_core.zoo import custom_cnn

HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
ORDER = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", *ANSWERS[7:])


def vote(dataset: Dataset, path: Path, changed: dict[int, dict[str, int]]) -> None:
    """Ten votes for each face's label, less what ``changed`` says for some rows, added as FER+."""
    lines = [HEADER]
    for row, (label, split) in enumerate(zip(dataset.labels, dataset.splits, strict=True)):
        votes = changed.get(row, {ANSWERS[label]: 10})
        lines.append(f"{split},,{','.join(str(votes.get(answer, 0)) for answer in ORDER)}")
    path.write_text("\n".join(lines))
    add_ferplus(dataset, path)


@pytest.fixture
def dataset(home: Path) -> Dataset:
    """84 faces of noise, 42 to train on."""
    images = np.random.default_rng(0).integers(0, 256, (84, 48, 48), dtype=np.uint8)
    splits = np.repeat(["Training", "PublicTest", "PrivateTest"], [42, 21, 21])
    write_dataset(home / "datasets" / "noise", images, np.arange(84) % 7, splits, kind="csv")
    return load_dataset(home / "datasets" / "noise")


def test_votes_for_the_seven_are_shares_and_faces_without_any_or_no_faces_are_left_out(
    dataset: Dataset, tmp_path: Path
) -> None:
    odd = {
        0: {"angry": 3, "fear": 1, "contempt": 4, "unknown": 2},
        1: {"not a face": 6, "disgust": 4},
        2: {"contempt": 5, "unknown": 5},
        3: {"not a face": 5, "happy": 5},
        4: {"surprise": 6, "sad": 4},
    }
    vote(dataset, tmp_path / "votes.csv", odd)
    crowd = crowd_labels(dataset)
    assert crowd.shares.dtype == np.float32
    assert crowd.shares[0].tolist() == [0.75, 0, 0.25, 0, 0, 0, 0], "other answers are no part of the whole"
    assert np.flatnonzero(~crowd.learnt).tolist() == [1, 2], f"{TIE} is no rejection"
    assert not crowd.shares[~crowd.learnt].any()
    assert np.allclose(crowd.shares[crowd.learnt].sum(axis=1), 1)
    assert (crowd.not_faces, crowd.unclassed) == (1, 1)
    # Of the 40 that are learnt, one has another class than its label.
    assert crowd.agreement == pytest.approx(39 / 40)


def test_without_votes_nothing_is_trained_and_the_message_says_how_to_get_them(dataset: Dataset, home: Path) -> None:
    recipe = Recipe("custom_cnn", labels="crowd")
    [problem] = resources.check_resources(recipe, dataset.path)
    assert "fer2013new.csv" in problem
    assert "labels=dataset" in problem
    with pytest.raises(RunError, match="FER\\+"):
        train(recipe, dataset.path, home / "runs" / "none")
    assert not (home / "runs" / "none").exists()
    with pytest.raises(DataError, match="FER\\+"):
        crowd_labels(dataset)


def test_a_class_that_nobody_named_is_told_before_the_training(dataset: Dataset, tmp_path: Path) -> None:
    nobody = {row: {"unknown": 6, "happy": 4} for row in range(1, 84, 7)}
    vote(dataset, tmp_path / "votes.csv", nobody)
    assert lacking_votes(dataset.path) == ""
    with pytest.raises(DataError, match="gave disgust no vote in Training"):
        crowd_labels(dataset)


@pytest.mark.slow
def test_a_training_on_votes_goes_on_after_a_break_with_the_same_votes_alone_and_can_be_repeated(
    dataset: Dataset, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fer_core.training.loop import Trainer

    monkeypatch.setattr(custom_cnn, "WIDTHS", (4,))
    votes = {0: {"not a face": 9, "fear": 1}, 1: {"unknown": 10}, 9: {"happy": 9, "sad": 1}}
    vote(dataset, tmp_path / "votes.csv", votes)
    crowd = crowd_labels(dataset)
    recipe = Recipe("custom_cnn", epochs=2, batch_size=8, precision="float32", labels="crowd")
    folder = RunFolder(home / "runs" / "first")
    one_epoch = Trainer._epoch

    def dies_in_the_second(self: Trainer, model: object, epoch: int) -> bool:
        assert self.batches.shares is not None
        assert np.array_equal(self.batches.shares, crowd.shares[crowd.learnt]), "what is learnt"
        if epoch == 2:
            raise FerError("the power went out")
        return one_epoch(self, model, epoch)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "_epoch", dies_in_the_second)
        with pytest.raises(FerError, match="power"):
            train(recipe, dataset.path, folder.path)
        again = RunFolder(home / "runs" / "again")
        with pytest.raises(FerError, match="power"):
            train(Recipe.read(folder.recipe_path), dataset.path, again.path)
    assert again.history()["loss"].tolist() == pytest.approx(folder.history()["loss"].tolist())
    vote(dataset, tmp_path / "other.csv", {8: {"happy": 9, "disgust": 1}})
    with pytest.raises(RunError, match="other votes"):
        resume(folder.path)
    vote(dataset, tmp_path / "votes.csv", votes)
    assert resume(folder.path).complete
    [told] = [event for event in folder.events() if event["event"] == "crowd"]
    starts = [event for event in folder.events() if event["event"] == "start"]
    assert [start["train_faces"] for start in starts] == [told["faces"]] * 2 == [40] * 2
    assert (folder.manifest() or {})["labels"] == "crowd"
    assert "40 faces were learnt; 1 that the crowd calls no face and 1 without" in folder.card_path.read_text()
