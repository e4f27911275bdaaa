"""The card says what the run folder says."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from edited_runs import edit_metrics, measured_on
from factories import make_run

from fer_core.cli.evaluate import metrics_text
from fer_core.files import write_json
from fer_core.formatting import interval, percent, points
from fer_core.runs.card import card_of, write_card
from fer_core.runs.events import Event
from fer_core.runs.folder import RunFolder
from fer_core.runs.metrics import flip_lines, litert_lines, temperature_lines
from fer_core.runs.recipe import Recipe
from fer_core.runs.recipe_in_words import history_sentences, recipe_sentences


def test_the_card_tells_training_results_and_limits(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", accuracy=0.6)
    metrics = folder.metrics()
    assert metrics is not None
    write_card(folder)
    card = card_of(folder)
    assert folder.card_path.read_text(encoding="utf-8") == card
    scores = metrics["splits"]["PrivateTest"]
    assert f"{percent(scores['accuracy'])} ({interval(scores)})" in card
    assert f"| {scores['n']:,} |" in card
    assert "does not know what anybody feels" in card
    assert card.count("| happy |") == 1


def test_a_run_measured_on_other_data_says_so_in_bold(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", accuracy=0.6)
    assert "Measured on other data" not in card_of(folder)
    manifest = folder.manifest()
    assert manifest is not None
    write_json(folder.manifest_path, {**manifest, "data": {**manifest["data"], "fingerprint": "a" * 64}})
    assert "## Results on Made-up faces\n\n**Measured on other data than it was trained on.**" in card_of(folder)


def test_a_damaged_evaluation_is_left_out_of_the_card_and_said(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    measured_on(folder).metrics_path.write_text("{}", encoding="utf-8")
    card = card_of(folder)
    assert "It has not been measured." in card
    assert "**Left out here:**" in card
    assert "metrics.json is damaged" in card


FLIP = {"n": 140, "accuracy": 0.7, "accuracy_low": 0.62, "accuracy_high": 0.78, "macro_f1": 0.65}
CALIBRATION = {"ece_before": 0.061, "ece_after": 0.012, "log_loss_before": 1.21, "log_loss_after": 1.1}
METRICS = {
    "litert": {"PublicTest": {"n": 140, "accuracy": 0.6}, "PrivateTest": {"n": 140, "accuracy": 0.65}},
    "temperature": {"value": 1.3456, "fitted_on": "PublicTest", "splits": {"PrivateTest": CALIBRATION}},
}


def test_the_card_reports_litert_averaging_and_temperature_apart_from_the_single_pass(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", accuracy=0.6)
    old = card_of(folder)
    for word in ("as the app runs it", "mirror image", "emperature"):
        assert word not in old, "a run measured before these figures existed has none"

    def measured(metrics: dict[str, Any]) -> None:
        metrics.update(METRICS)
        flip = {**FLIP, "gain": 0.012, "gain_low": -0.004, "gain_high": 0.03}
        metrics["splits"]["PrivateTest"]["flip_average"] = flip

    edit_metrics(folder, measured)
    new = card_of(folder)
    assert "one pass a face: 60.0 % of PublicTest (n = 140) and 65.0 % of PrivateTest (n = 140)." in new
    assert "two passes a face): 70.0 % (95 % interval 62.0–78.0 %; n = 140), macro F1 0.650; gain" in new
    assert "+1.2 points (95 % interval −0.4 to +3.0 points)" in new
    assert "Temperature 1.346, fitted on PublicTest" in new
    assert "With it, on PrivateTest: ECE 0.061 → 0.012, log loss 1.210 → 1.100 nats." in new
    assert set(old.splitlines()) < set(new.splitlines()), "the plain figures stay as they are"


def taught(unseen: int) -> Event:
    teachers = [
        {"name": name, "sha256": letter * 64, "folds": 0, "fold": 0} for name, letter in (("a*", "1"), ("b", "2"))
    ]
    return {"event": "teachers", "teachers": teachers, "faces": 200, "unseen": unseen, "agreement": 0.815}


def test_the_card_says_who_taught_and_whether_they_had_learnt_the_labels(tmp_path: Path) -> None:
    recipe = Recipe("tiny", teachers=("a*", "b"), soft_weight=0.6, soft_temperature=2, averaging=0.999)
    [knowing] = history_sentences(recipe, [taught(unseen=0)])
    assert knowing.startswith(
        "60 % of each label is what teachers say of the face at temperature 2: the mean of a* (SHA"
    )
    assert "the label for 81.5 % of the 200 faces" in knowing
    assert "The teachers had learnt these very labels" in knowing
    [honest] = history_sentences(recipe, [taught(unseen=200)])
    assert "No face was labelled by a teacher that had learnt its label." in honest
    assert history_sentences(recipe, []) == []
    folder = make_run(tmp_path / "run")
    with folder.journal_path.open("a", encoding="utf-8") as journal:
        journal.write(json.dumps(taught(unseen=0)) + "\n")
    assert "the mean of a\\*" in card_of(folder), "a name is somebody's own words"
    told = " ".join(recipe_sentences(replace(recipe, folds=3, fold=2)))
    assert "running average of the weights, of which each step keeps 0.999" in told
    assert "Part 2 of 3 of the Training faces was left out" in told


def shipped(name: str) -> str:
    return card_of(RunFolder(Path(__file__).parents[2] / "models" / name))


def test_figures_without_twins_stand_before_those_with_them_class_by_class() -> None:
    card = shipped("custom_cnn")
    assert (
        0 < card.index("| PrivateTest without twins | 3,066 | 65") < card.index("| PrivateTest, all faces | 3,589 | 68")
    )
    line = next(line for line in card.splitlines() if line.startswith("| disgust |"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    # Of 55 faces, 24 have a twin in Training: the recall lives on them.
    assert (cells[3], cells[7]) == ("31", "55")
    assert float(cells[1]) < 0.5 * float(cells[5])


def test_a_card_says_on_which_copy_and_after_which_interruptions() -> None:
    assert "fingerprint ab79c2b6" in shipped("resnet50")
    assert "177 faces" in shipped("resnet50")
    assert "resumed from its last whole epoch: at epoch 9." in shipped("resnet50")
    assert "at epoch 9 (2 times)." in shipped("tiny")
    assert "interrupted" not in shipped("custom_cnn")


def test_what_was_not_measured_is_left_out_and_what_cannot_be_fitted_is_said() -> None:
    old = {"splits": {"PrivateTest": {"n": 3}}}
    assert litert_lines(old) == flip_lines(old) == temperature_lines(old) == []
    [line] = temperature_lines({**old, "temperature": None})
    assert "no temperature" in line


@pytest.mark.parametrize(("difference", "text"), [(0.0123, "+1.2 points"), (-0.004, "−0.4 points"), (0, "+0.0 points")])
def test_points_have_a_sign(difference: float, text: str) -> None:
    assert points(difference) == text


def test_a_test_set_of_some_classes_has_no_recall_of_0_and_says_what_macro_f1_is(tmp_path: Path) -> None:
    labels, splits = [3, 5] * 20, ["PublicTest"] * 40
    folder = make_run(tmp_path / "run", labels=labels, splits=splits)
    metrics = folder.metrics()
    assert metrics is not None
    card = card_of(folder)
    assert "PublicTest, class by class:" in card
    assert "| happy |" in card
    assert "| disgust |" not in card
    for text in (card, metrics_text(metrics)):
        assert (
            "PublicTest: There are faces of happy and surprise only: macro F1 is the mean over these 2 classes" in text
        )
    assert "There are faces of" not in card_of(make_run(tmp_path / "whole"))
