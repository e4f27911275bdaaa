"""The Run card over made-up runs."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from edited_runs import as_unfinished, edit_metrics, measured_on
from factories import make_run, make_vote

from pages.parts.run import card

OPEN = dict.fromkeys(card.SECTIONS, "true")
"""A link with all sections of the card open."""


def _text(app) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption, *app.info, *app.warning])


def test_without_runs_it_says_what_to_do(open_app):
    app = open_app("run")
    assert not app.exception
    assert "no run yet" in app.info[0].value


def test_without_a_choice_all_runs_are_listed(open_app, home: Path):
    make_run(home / "runs" / "one")
    make_run(home / "runs" / "two")
    app = open_app("run")
    assert not app.exception
    assert set(app.dataframe[0].value["Run"]) == {"one", "two"}


def test_an_unknown_run_is_said(open_app, home: Path):
    make_run(home / "runs" / "one")
    app = open_app("run", run="../../etc/passwd")
    assert not app.exception
    assert "no run called" in app.warning[0].value


def test_a_complete_run_shows_everything(open_app, home: Path):
    run = make_run(home / "runs" / "mine", accuracy=0.7)
    short = open_app("run", run="mine")
    assert "Weakest class" in _text(short)
    assert not short.get("download_button"), "nothing folded is drawn"
    app = open_app("run", run="mine", **OPEN)
    assert not app.exception
    text = _text(app)
    scores = run.metrics()["splits"]["PrivateTest"]
    assert f"{scores['accuracy'] * 100:.1f} % of PrivateTest" in text
    assert "95 % interval" in text
    assert "the drawn sample" in text
    assert "learning rate 0.002" in text
    assert "652 parameters" in text
    assert "Do not use it to judge people" in text
    assert not app.warning
    (diagram,) = (element.proto.body for element in app.get("html") if "fer-diagram" in element.proto.body)
    (least,) = re.findall(r"min-width:(\d+)px", diagram)
    assert int(least) > 390, "on a phone it would be too small to read"
    labels = " ".join(button.label for button in app.get("download_button"))
    for kind in ("Keras", "LiteRT", "Predictions", "History", "Recipe"):
        assert kind in labels


def test_litert_averaging_and_temperature_are_shown_where_they_were_measured(open_app, home: Path):
    run = make_run(home / "runs" / "mine")
    assert "emperature" not in _text(open_app("run", run="mine", **OPEN))
    flip = {"n": 9, "accuracy": 0.7, "accuracy_low": 0.6, "accuracy_high": 0.8, "macro_f1": 0.6}
    flip |= {"gain": 0.01, "gain_low": -0.01, "gain_high": 0.03}

    def measured(metrics):
        metrics["splits"]["PrivateTest"]["flip_average"] = flip
        metrics["litert"] = {"PrivateTest": {"n": 9, "accuracy": 0.65}}
        metrics["temperature"] = {"value": 1.25, "fitted_on": "PublicTest", "splits": {}}

    edit_metrics(run, measured)
    app = open_app("run", run="mine", **OPEN)
    assert not app.exception
    text = _text(app)
    assert "65.0 % of PrivateTest (n = 9)" in text
    assert "+1.0 points" in text
    assert "Temperature 1.250" in text


def test_a_stopped_run_says_what_is_usable(open_app, home: Path):
    make_run(home / "runs" / "mine", state="stopped")
    text = _text(open_app("run", run="mine"))
    assert "stopped before its last epoch" in text
    assert "usable" in text


def test_a_died_run_says_what_is_usable(open_app, home: Path):
    run = as_unfinished(make_run(home / "runs" / "mine"))
    lines = run.journal_path.read_text().splitlines()
    run.journal_path.write_text("\n".join(line for line in lines if '"done"' not in line) + "\n")
    app = open_app("run", run="mine")
    assert not app.exception
    assert "best epoch so far" in app.warning[0].value
    assert "All figures" not in [section.label for section in app.expander]


def test_a_damaged_run_says_why(open_app, home: Path):
    run = make_run(home / "runs" / "mine")
    run.manifest_path.write_text("{")
    app = open_app("run", run="mine")
    assert not app.exception
    assert "damaged" in app.error[0].value


def test_a_damaged_evaluation_beside_a_sound_one_is_said_and_hides_nothing_else(open_app, home: Path):
    run = make_run(home / "runs" / "mine")
    one = measured_on(run)
    shutil.copytree(one.path, one.path.with_name("other-11111111"))
    (one.path.with_name("other-11111111") / "metrics.json").write_text("{")
    app = open_app("run", run="mine")
    assert not app.exception
    assert any("metrics.json is damaged" in warning.value for warning in app.warning)
    assert "Recipe" in [section.label for section in app.expander]
    one.metrics_path.write_text("{")
    app = open_app("run")
    assert not app.exception
    assert list(app.dataframe[0].value["Run"]) == ["mine"]


def test_split_comes_from_the_url(open_app, home: Path):
    run = make_run(home / "runs" / "mine")
    app = open_app("run", run="mine", split="PublicTest")
    accuracy = 100 * run.metrics()["splits"]["PublicTest"]["accuracy"]
    assert f"**{accuracy:.1f} % of PublicTest" in _text(app)


def test_the_recipe_table_lists_every_field(open_app, home: Path):
    run = make_run(home / "runs" / "mine")
    app = open_app("run", run="mine", **OPEN)
    table = next(e.value for e in app.dataframe if "Field" in e.value.columns)
    recipe = json.loads(run.recipe_path.read_text())
    flat = {*recipe, *(f"augmentation.{key}" for key in recipe["augmentation"])} - {"augmentation"}
    assert set(table["Field"]) == flat


def test_a_trained_run_can_be_deleted_and_a_shipped_one_offers_no_such_thing(open_app, home: Path):
    make_run(home / "runs" / "mine")
    make_run(home.parent / "models" / "shipped")
    app = open_app("run", run="shipped")
    assert "delete-run" not in [button.key for button in app.button]
    app = open_app("run", run="mine")
    app.button(key="delete-run").click().run()
    assert not app.exception
    assert not (home / "runs" / "mine").exists()
    assert set(app.dataframe[0].value["Run"]) == {"shipped"}


def test_a_vote_shows_its_members_and_nothing_of_a_training(open_app, home: Path):
    members = [make_run(home / "runs" / "one"), make_run(home / "runs" / "two", seed=1)]
    vote = make_vote(home / "runs" / "both", members, weights=(0.25, 0.75), temperatures=(1.5, 0.5))
    app = open_app("run", run="both", **OPEN)
    assert not app.exception
    assert not app.warning
    headers = [header.value for header in app.subheader]
    assert "Members" in headers
    assert "Learning curves" not in headers
    assert not {"Recipe", "Network"} & {section.label for section in app.expander}
    text = _text(app)
    assert "a vote of other runs" in text
    assert "chosen on PublicTest of the drawn sample" in text
    assert "used to choose weights and temperatures" in text
    assert "epoch" not in text
    assert "for all members together" in text
    table = next(e.value for e in app.dataframe if "Member" in e.value.columns)
    assert table["Weight (%)"].tolist() == [25, 75]
    assert table["Temperature"].tolist() == [1.5, 0.5]
    expected = [100 * run.metrics()["splits"]["PrivateTest"]["accuracy"] for run in members]
    assert table["PrivateTest alone (%)"].tolist() == pytest.approx(expected)
    assert [link.proto.label for link in app.get("page_link")].count("Card of one") == 1
    labels = " ".join(button.label for button in app.get("download_button"))
    assert "Vote" in labels
    assert "Keras" not in labels
    app = open_app("run")
    states = app.dataframe[0].value.set_index("Run")["State"]
    assert states["both"] == "a vote of other runs"
    assert vote.path.exists()


def test_a_vote_whose_member_is_gone_says_what_to_do(open_app, home: Path):
    members = [make_run(home / "runs" / name) for name in ("one", "two")]
    make_vote(home / "runs" / "both", members)
    app = open_app("run", run="one")
    assert any("These votes need it" in warning.value and "both" in warning.value for warning in app.warning)
    app.button(key="delete-run").click().run()
    app = open_app("run", run="both")
    assert not app.exception
    assert "needs the run one" in app.warning[0].value
    app.button(key="delete-run").click().run()
    assert not app.exception
    assert set(app.dataframe[0].value["Run"]) == {"two"}


def test_other_data_that_it_was_measured_on_are_told_too(open_app, home):
    run = make_run(home / "runs" / "mine", data={"kind": "csv", "title": "FER-2013", "fingerprint": "1" * 64})
    other = next((make_run(home / "runs" / "drawn").path / "evaluations").iterdir())
    other.rename(run.path / "evaluations" / other.name)
    app = open_app("run", run="mine", **OPEN)
    assert not app.exception
    assert any("Measured elsewhere, too" in text.value and "drawn sample" in text.value for text in app.markdown)
