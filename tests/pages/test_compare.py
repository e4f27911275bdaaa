"""The Compare page over made-up runs: what is compared, how accurate it is, and that a link says it all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import make_run, make_vote
from made_up_faces import make_labels, make_noise
from stand_ins import without_keras

from fer_core.data.audit import NearDuplicates
from fer_core.data.dataset import write_dataset
from fer_core.data.ferplus import add_ferplus
from fer_core.evaluation.aligned_predictions import align
from fer_core.evaluation.evaluate import evaluate_run
from fer_core.runs.folder import RunFolder
from fer_core.settings import settings

FACES = 420
TABS = ("Matrices", "Difference", "Agreement", "Classes", "Certainty", "Learning")


@pytest.fixture
def two_runs(home: Path) -> tuple[RunFolder, RunFolder]:
    near_duplicate = np.zeros(FACES, dtype=bool)
    near_duplicate[::11] = True
    near_duplicates = NearDuplicates(exact=near_duplicate, exact_or_near=near_duplicate)
    return (
        make_run(
            home / "runs" / "strong",
            accuracy=0.9,
            seed=1,
            near_duplicates=near_duplicates,
            created="2026-01-03T00:00:00+00:00",
        ),
        make_run(home / "runs" / "weak", accuracy=0.3, seed=2, created="2026-01-02T00:00:00+00:00"),
    )


def _table(app, column: str) -> pd.DataFrame:
    return next(element.value for element in app.dataframe if column in element.value.columns)


def test_without_runs_it_says_what_to_do(open_app):
    app = open_app("compare", figures="true")
    assert not app.exception
    assert "Train a model" in app.info[0].value
    assert not app.dataframe


def test_accuracy_has_interval_n_and_twins(open_app, two_runs):
    app = open_app("compare", figures="true")
    assert not app.exception
    table = _table(app, "95 % interval")
    assert list(table["Run"]) == ["strong", "weak"]
    scores = two_runs[0].metrics()["splits"]["PrivateTest"]
    assert table["Accuracy (%)"][0] == pytest.approx(scores["accuracy"] * 100)
    low, high = (float(end) for end in table["95 % interval"][0].removesuffix(" %").split("–"))
    # The page draws ten times the resamples of these runs' own metrics.
    assert low == pytest.approx(100 * scores["accuracy_low"], abs=1)
    assert high == pytest.approx(100 * scores["accuracy_high"], abs=1)
    assert any(f"Measured on the drawn sample, n\u00a0=\u00a0{scores['n']} faces" in c.value for c in app.caption)
    clean = scores["without_near_duplicates"]
    assert clean["n"] < scores["n"]
    assert table["Without twins"][0].startswith(f"{clean['accuracy'] * 100:.1f} % (")
    assert table["Without twins"][0].endswith(f"of {clean['n']}")
    assert table["Macro F1 without twins"][0] == pytest.approx(clean["macro_f1"])
    # The other run was evaluated before twins were kept; its faces are the same.
    assert table["Without twins"][1].endswith(f"of {clean['n']}")


def test_every_tab_can_leave_out_twins(open_app, two_runs):
    clean = two_runs[0].metrics()["splits"]["PrivateTest"]["without_near_duplicates"]
    for tab in TABS:
        app = open_app("compare", figures="true", view=tab, twins="without twins of training faces")
        assert not app.exception
        table = _table(app, "95 % interval")
        assert table["Accuracy (%)"][0] == pytest.approx(clean["accuracy"] * 100)
        assert "Without twins" not in table
    assert any("with a twin in Training" in caption.value for caption in app.caption)


def test_classes_without_twins_stand_before_those_with_them(open_app, two_runs):
    table = _table(open_app("compare", view="Classes", all_measures="true"), "F1 (%)").set_index(["Run", "Expression"])
    columns = list(table.columns)
    assert columns.index("F1 without twins (%)") < columns.index("F1 (%)")
    scores = two_runs[0].metrics()["splits"]["PrivateTest"]
    for entry, clean in zip(scores["per_class"], scores["without_near_duplicates"]["per_class"], strict=True):
        row = table.loc[("strong", entry["emotion"])]
        assert row["F1 without twins (%)"] == pytest.approx(100 * clean["f1"])
        assert (row["Faces without twins"], row["Faces"]) == (clean["support"], entry["support"])


def test_where_all_faces_are_twins_it_says_so(open_app, home):
    every = np.ones(FACES, dtype=bool)
    make_run(home / "runs" / "copy", near_duplicates=NearDuplicates(exact=every, exact_or_near=every))
    for tab in TABS:
        app = open_app("compare", figures="true", view=tab)
        assert not app.exception
        assert _table(app, "95 % interval")["Without twins"][0] == "no face is left"
        app = open_app("compare", figures="true", view=tab, twins="without twins of training faces")
        assert not app.exception
        assert "No face is left" in app.info[0].value
        assert any("140 faces with a twin in Training" in caption.value for caption in app.caption)


def test_split_and_runs_come_from_the_url(open_app, two_runs):
    app = open_app("compare", figures="true", split="PublicTest", runs="weak")
    table = _table(app, "95 % interval")
    assert list(table["Run"]) == ["weak"]
    expected = two_runs[1].metrics()["splits"]["PublicTest"]["accuracy"] * 100
    assert table["Accuracy (%)"][0] == pytest.approx(expected)


def test_bad_query_values_are_said_and_ignored(open_app, two_runs):
    nonsense = dict.fromkeys(
        ("view", "show", "order", "a", "b", "which", "measure", "curves", "least", "curve", "along"), "x"
    )
    app = open_app("compare", figures="true", split="Nowhere", runs="gone", **nonsense)
    assert not app.exception
    assert "gone" in app.warning[0].value
    assert len(_table(app, "95 % interval")) == 2


def test_the_data_in_the_sidebar_decide_which_runs_are_compared(open_app, home, two_runs):
    """Compare and Mistakes once had a choice of their own, so that two pages could be about different faces."""
    other = {"fingerprint": "1" * 64, "kind": "csv", "name": "fer2013", "title": "FER-2013"}
    make_run(home / "runs" / "elsewhere", data=other, created="2026-01-01T00:00:00+00:00")
    app = open_app("compare", figures="true")
    assert list(_table(app, "95 % interval")["Run"]) == ["strong", "weak"]
    app.selectbox(key="data").set_value("fer2013").run()
    assert not app.exception
    assert list(_table(app, "95 % interval")["Run"]) == ["elsewhere"]
    assert any("Measured on FER-2013" in caption.value for caption in app.caption)
    assert any("the faces are not on this computer" in caption.value for caption in app.caption)
    assert not app.warning
    app.switch_page("pages/mistakes.py").run()
    assert not app.exception
    assert app.multiselect(key="runs").value == ["elsewhere"]
    app.selectbox(key="data").set_value("made_up").run()
    assert app.multiselect(key="runs").value == ["strong", "weak"]
    app = open_app("compare", figures="true", runs=["weak", "elsewhere"])
    assert "measured on other faces: “elsewhere”" in app.warning[0].value
    assert list(_table(app, "95 % interval")["Run"]) == ["weak"]


def test_links_that_name_the_data_as_earlier_versions_did_choose_them(open_app, home, two_runs):
    other = {"fingerprint": "1" * 64, "kind": "csv", "name": "fer2013", "title": "FER-2013"}
    make_run(home / "runs" / "elsewhere", data=other, created="2026-01-01T00:00:00+00:00")
    for page, name in (("compare", "on"), ("compare", "compare.on"), ("mistakes", "on")):
        app = open_app(page, **{name: "FER-2013"})
        assert not app.exception
        assert not app.warning
        assert app.selectbox(key="data").value == "fer2013"
        assert name not in app.query_params
    app = open_app("compare", figures="true", on="the drawn sample")
    assert list(_table(app, "95 % interval")["Run"]) == ["strong", "weak"]
    assert "“Nowhere”" in open_app("compare", figures="true", on="Nowhere").warning[0].value
    # A link that names a run alone finds its data; one that names data is obeyed.
    app = open_app("compare", figures="true", runs="elsewhere")
    assert list(_table(app, "95 % interval")["Run"]) == ["elsewhere"]
    app = open_app("compare", figures="true", runs="elsewhere", data="made_up")
    assert list(_table(app, "95 % interval")["Run"]) == ["strong", "weak"]


def test_two_datasets_of_one_title_are_told_apart(open_app, home, two_runs):
    make_run(home / "runs" / "elsewhere", data={"fingerprint": "1" * 64})
    assert open_app("compare", figures="true").selectbox(key="data").options == ["made_up", "made_up-11111111"]
    app = open_app("compare", figures="true", on=f"the drawn sample {'1' * 8}")
    assert list(_table(app, "95 % interval")["Run"]) == ["elsewhere"]
    # Links from before there were two.
    app = open_app("compare", figures="true", on="the drawn sample")
    assert not app.warning
    assert list(_table(app, "95 % interval")["Run"]) == ["strong", "weak"]
    app = open_app("compare", figures="true", on="the drawn sample", runs="elsewhere")
    assert not app.warning
    assert list(_table(app, "95 % interval")["Run"]) == ["elsewhere"]


def test_a_run_measured_on_two_datasets_stands_under_each(open_app, home, two_runs, tmp_path, monkeypatch):
    """Measuring on other faces once took a run away from those that it had been measured on."""
    without_keras(monkeypatch)
    noise = make_noise(tmp_path / "noise")
    evaluate_run(two_runs[1], noise)
    app = open_app("compare", figures="true")
    assert list(_table(app, "95 % interval")["Run"]) == ["strong", "weak"]
    app = open_app("compare", figures="true", on="Noise")
    assert not app.exception
    table = _table(app, "95 % interval")
    assert list(table["Run"]) == ["weak"]
    splits = two_runs[1].metrics(noise.info.fingerprint)["splits"]
    assert set(splits) == {"PublicTest"}, "PrivateTest stays closed"
    assert table["Accuracy (%)"][0] == pytest.approx(100 * splits["PublicTest"]["accuracy"])
    assert "Looks" not in table.columns
    assert any("Measured on Noise" in caption.value for caption in app.caption)
    assert not app.warning


def test_the_looks_at_private_test_stand_beside_its_figures(open_app, home, two_runs, tmp_path, monkeypatch):
    without_keras(monkeypatch)
    noise = make_noise(tmp_path / "noise")
    for _ in range(2):
        evaluate_run(two_runs[1], noise, final=True)
    evaluate_run(two_runs[0], noise)
    table = _table(open_app("compare", figures="true", on="Noise"), "95 % interval").set_index("Run")
    assert list(table["Looks"]) == ["2 looks"], "the other run has no figure for PrivateTest"
    app = open_app("run", run=two_runs[0].name, on="Noise")
    assert not app.exception
    for page in ("home", "mistakes", "compare", "leaderboard"):
        assert not open_app(page).exception


def test_seven_runs_open_with_six(open_app, home):
    for number in range(7):
        make_run(home / "runs" / f"run{number}", seed=number)
    for tab in TABS:
        app = open_app("compare", figures="true", view=tab)
        assert not app.exception
        assert len(_table(app, "95 % interval")) == 6


def _ship(number: int, **more) -> RunFolder:
    return make_run(settings().models_dir / f"shipped{number}", seed=number, **more)


def _away_and_back(app, page: str, meanwhile) -> None:
    """To another page and back by the navigation, whose addresses are empty."""
    for target in ("limits", page):
        app.query_params.clear()
        app.switch_page(f"pages/{target}.py").run()
        if target != page:
            meanwhile()


@pytest.mark.parametrize("page", ["compare", "mistakes"])
def test_a_new_run_is_seen_beside_the_shipped_ones_on_the_next_visit_too(open_app, home, page):
    """Six ship, and took all six places; a newer run could not even be read in the field."""
    key = "compare.runs" if page == "compare" else "runs"
    for number in range(6):
        _ship(number)
    app = open_app(page)
    assert app.multiselect(key=key).value == [f"shipped{number}" for number in range(6)]
    _away_and_back(app, page, meanwhile=lambda: make_run(home / "runs" / "mine", seed=7))
    assert not app.exception
    assert app.multiselect(key=key).value == [*(f"shipped{number}" for number in range(5)), "mine"]
    assert any("There is also “shipped5”" in one.value for one in app.caption)


def test_what_was_chosen_stays_when_a_run_has_come(open_app, home):
    for number in range(3):
        _ship(number)
    app = open_app("compare")
    app.multiselect(key="compare.runs").set_value(["shipped0", "shipped2"]).run()
    _away_and_back(app, "compare", meanwhile=lambda: make_run(home / "runs" / "mine", seed=7))
    assert app.multiselect(key="compare.runs").value == ["shipped0", "shipped2"]


def test_no_run_chosen(open_app, two_runs):
    app = open_app("compare", figures="true")
    app.multiselect(key="compare.runs").set_value([]).run()
    assert not app.exception
    assert "at least one" in app.info[0].value


def test_a_run_without_private_faces(open_app, home):
    labels, splits = make_labels()
    splits[splits == "PrivateTest"] = "Training"
    make_run(home / "runs" / "public-only", labels=labels, splits=splits)
    app = open_app("compare", figures="true")
    assert not app.exception
    assert not app.error
    assert any("faces of PublicTest" in caption.value for caption in app.caption)
    app.segmented_control(key="compare.split").set_value("PublicTest").run()
    assert not app.error
    assert list(_table(app, "95 % interval")["Run"]) == ["public-only"]


@pytest.mark.parametrize("tab", TABS)
def test_one_run_alone(open_app, two_runs, tab):
    app = open_app("compare", figures="true", view=tab, runs="strong")
    assert not app.exception
    assert len(_table(app, "95 % interval")) == 1
    if tab == "Difference":
        assert "needs two runs" in app.info[0].value


@pytest.mark.parametrize("tab", TABS)
def test_only_the_open_tab_is_drawn(open_app, two_runs, tab):
    keys = {
        "Matrices": "Confusion matrix of strong",
        "Difference": "Difference matrix",
        "Agreement": "both models are right",
        "Classes": "F1 of each expression",
        "Certainty": "Accuracy by confidence",
        "Learning": "over epochs",
    }
    app = open_app("compare", figures="true", view=tab)
    assert not app.exception
    words = " ".join(chart.proto.alt for chart in app.get("plotly_chart"))
    assert [name for name, found in keys.items() if found in words] == [tab]


def test_closed_tabs_keep_their_controls(open_app, two_runs):
    """Otherwise the address would forget them on the way to another tab."""
    app = open_app(
        "compare", view="Learning", show="Faces", order="by confusion", curves="Precision and recall", least="70"
    )
    assert app.segmented_control(key="show").value == "Faces"
    assert app.segmented_control(key="order").value == "by confusion"
    assert app.segmented_control(key="curves").value == "Precision and recall"
    assert app.slider(key="least").value == 70


def test_a_vote_is_compared_but_has_no_curve(open_app, home, two_runs):
    vote = make_vote(home / "runs" / "both", two_runs)
    app = open_app("compare", figures="true", view="Learning")
    assert not app.exception
    table = _table(app, "95 % interval").set_index("Run")
    accuracy = vote.metrics()["splits"]["PrivateTest"]["accuracy"]
    assert table.loc["both", "Accuracy (%)"] == pytest.approx(accuracy * 100)
    [curves] = [chart.proto.alt for chart in app.get("plotly_chart") if "over epochs" in chart.proto.alt]
    assert "strong:" in curves
    assert "both" not in curves
    assert any("built of trained runs: both" in caption.value for caption in app.caption)
    app = open_app("compare", figures="true", view="Learning", runs="both")
    assert not app.exception
    assert not any("over epochs" in chart.proto.alt for chart in app.get("plotly_chart"))


def test_learning_by_time(open_app, two_runs):
    app = open_app("compare", learning_table="true", view="Learning", along="by time", curve="Loss")
    assert not app.exception
    [curves] = [chart.proto.alt for chart in app.get("plotly_chart") if "Loss over training time" in chart.proto.alt]
    assert "after 5 epochs, 62 s" in curves
    table = _table(app, "Best epoch").set_index("Run")
    assert table.loc["strong", "Training time"] == "62 s"
    assert table.loc["strong", "Best epoch"] == two_runs[0].manifest()["best_epoch"]


def test_with_the_crowds_votes_three_labels_stand_side_by_side(open_app, home, tmp_path):
    labels, splits = make_labels(FACES, seed=7)
    images = np.random.default_rng(0).integers(0, 256, (FACES, 48, 48), dtype=np.uint8)
    dataset = write_dataset(settings().datasets_dir / "noise", images, labels, splits, kind="csv", title="Noise")
    about = {"fingerprint": dataset.info.fingerprint, "title": "Noise", "kind": "csv"}
    run = make_run(settings().runs_dir / "one", labels=labels, splits=splits, data=about, accuracy=0.8)
    app = open_app("compare", figures="true")
    assert not any("Eight of ten agree" in element.value.columns for element in app.dataframe)
    # The crowd gives every label, unanimously for even rows and with six votes for odd ones.
    columns = [4, 5, 6, 1, 3, 2, 0]
    lines = ["Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"]
    for row, (label, split) in enumerate(zip(labels, splits, strict=True)):
        votes = [0] * 10
        votes[columns[label]] = 6 if row % 2 else 10
        votes[8] = 10 - sum(votes)
        lines.append(f"{split},," + ",".join(map(str, votes)))
    file = tmp_path / "fer2013new.csv"
    file.write_text("\n".join(lines) + "\n")
    add_ferplus(dataset, file)
    app = open_app("compare", figures="true")
    assert not app.exception
    table = _table(app, "Eight of ten agree")
    right = align([run], "PrivateTest").right[0]
    even = right[align([run], "PrivateTest").rows % 2 == 0]
    assert table["FER-2013's label"][0].endswith(f"of {len(right)}")
    assert table["The crowd's label"][0] == table["FER-2013's label"][0]
    assert table["Eight of ten agree"][0].startswith(f"{100 * even.mean():.1f} %")
    assert table["Eight of ten agree"][0].endswith(f"of {len(even)}")


def test_the_report_holds_the_figures_and_needs_nothing_else(open_app, two_runs, monkeypatch):
    made = []
    monkeypatch.setattr("streamlit.download_button", lambda label, data, **options: made.append((label, data())))
    app = open_app("compare")
    assert not app.exception
    [page] = [data for label, data in made if "Report" in label]
    scores = two_runs[0].metrics()["splits"]["PrivateTest"]
    for figure in (scores["accuracy"], scores["without_near_duplicates"]["accuracy"]):
        assert f"<td>{100 * figure:.1f}</td>" in page
    assert "strong is better than weak: +" in page
    assert "taken for" in page
    assert "http" not in page
