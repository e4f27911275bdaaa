"""The page Sweeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from edited_runs import as_unfinished
from factories import make_run
from made_up_faces import make_noise
from streamlit.testing.v1 import AppTest

from fer_core.runs.recipe import Recipe
from fer_core.settings import settings
from fer_core.sweeps.contracts import Outcome
from fer_core.sweeps.folder import FILE, Plan, Sweep, create
from pages.parts.sweeps.trials import axes_of

OpenApp = Callable[..., AppTest]
BEST = "rates · learning rate 0.003 · seed 0"


@pytest.fixture
def sweep(sample: object) -> Sweep:
    data = make_noise(settings().datasets_dir / "few")
    grid = {"learning_rate": [0.001, 0.003], "augmentation.flip": [True]}
    plan = Plan("rates", Recipe("custom_cnn"), grid, data.info.path, seeds=3)
    made = create(plan)
    for number, accuracy in ((1, 0.4), (2, 0.5), (4, 0.7)):
        about = data.info.record()
        make_run(
            settings().runs_dir / f"rates-{number:03d}", labels=data.labels, splits=data.splits,
            accuracy=accuracy, seed=number, data=dict(about), state="stopped" if number == 2 else "done",
            name=BEST if number == 4 else "",
        )  # fmt: skip
    made = made.with_outcome("rates-002", Outcome.STOPPED_EARLY)
    return made.with_outcome("rates-005", Outcome.FAILED, "the loss became <b>infinite</b>")


def text(app: AppTest) -> str:
    return " ".join(one.value for one in [*app.main.markdown, *app.main.caption, *app.main.info])


def test_without_a_sweep_there_is_one_sentence_and_the_command(open_app: OpenApp, sample: object) -> None:
    app = open_app("sweeps")
    assert not app.exception
    assert "No sweep" in text(app)
    assert "fer_core sweep start" in app.code[0].value
    assert not app.dataframe


def test_the_command_names_the_sample_where_it_lies_in_another_home(open_app: OpenApp, sample: Path) -> None:
    """With FER_EXPLORER_HOME set, the printed command said there was no such folder."""
    assert f"--data {sample} " in open_app("sweeps").code[0].value


def test_the_trials_are_seen_in_a_picture_a_table_and_curves(open_app: OpenApp, sweep: Sweep) -> None:
    app = open_app("sweeps")
    assert not app.exception
    table = app.dataframe[0].value
    assert list(table["Run"])[:3] == ["rates-004", "rates-002", "rates-001"], "best first"
    assert list(table["State"]) == ["done", "stopped early", "done", "waiting", "failed", "waiting"]
    assert list(table["Learning rate"])[:3] == ["0.003", "0.001", "0.001"]
    picture, curves = app.get("plotly_chart")
    assert "3 trials" in picture.proto.alt
    assert "learning rate 0.003" in picture.proto.alt
    assert f"The best, {BEST}" in curves.proto.alt
    assert "1 fell behind" in text(app)
    assert "with 0.003 the trials reach" in text(app)
    assert "sweep resume rates" in app.code[0].value


def test_the_best_comes_with_a_warning_of_how_much_it_is_flattered(open_app: OpenApp, sweep: Sweep) -> None:
    words = open_app("sweeps").info[0].value
    assert BEST in words, "what other pages call it"
    assert "chosen among 3 trials" in words
    assert "points better than it is, by luck with these 140 faces" in words


def test_compare_opens_with_the_best_on_the_sweeps_own_data(open_app: OpenApp, sweep: Sweep) -> None:
    links = {one.proto.label: one.proto for one in open_app("sweeps", data="sample").get("page_link")}
    query = links["Compare the best"].query_string
    assert "data=few" in query
    assert [part for part in query.split("&") if part.startswith("compare.runs")] == [
        "compare.runs=rates-004",
        "compare.runs=rates-002",
        "compare.runs=rates-001",
    ]
    app = open_app("compare", data="few", **{"compare.runs": ["rates-004", "rates-001"]})
    assert not app.exception


def test_only_what_is_sealed_can_be_compared(open_app: OpenApp, sweep: Sweep) -> None:
    as_unfinished(sweep.folder(sweep.trial("rates-004")))
    links = {one.proto.label: one.proto for one in open_app("sweeps").get("page_link")}
    assert "rates-004" not in links["Compare the best"].query_string


def test_the_address_chooses_the_sweep(open_app: OpenApp, sweep: Sweep) -> None:
    create(Plan("other", Recipe("custom_cnn"), {"learning_rate": [0.001]}, sweep.data))
    assert open_app("sweeps", sweep="rates").selectbox(key="sweep").value == "rates"
    app = open_app("sweeps", sweep="other")
    assert app.selectbox(key="sweep").value == "other"
    assert "No trial has finished an epoch yet" in text(app)


def test_a_damaged_sweep_is_named_and_hides_no_other(open_app: OpenApp, sweep: Sweep) -> None:
    broken = create(Plan("broken", Recipe("custom_cnn"), {"learning_rate": [0.001]}, sweep.data))
    (broken.path / FILE).write_text("{", encoding="utf-8")
    app = open_app("sweeps")
    assert not app.exception
    assert "damaged" in app.warning[0].value
    assert app.selectbox(key="sweep").value == "rates"


def test_visitors_see_the_trials_and_nothing_of_the_servers_files(
    open_app: OpenApp, sweep: Sweep, visitor: None
) -> None:
    app = open_app("sweeps")
    assert not app.exception
    assert len(app.dataframe[0].value) == 6
    assert "infinite" not in text(app)
    assert str(settings().home) not in text(app)


def test_an_axis_stands_for_each_choice_of_several_values_and_for_the_seeds(sweep: Sweep) -> None:
    from fer_core.sweeps.standing import standing

    axes = axes_of(sweep, standing(sweep).ranked())
    assert [(axis.label, axis.values, axis.places) for axis in axes] == [
        ("learning rate", ("0.001", "0.003"), (1, 0, 0)),
        ("seed", ("0", "1", "2"), (0, 1, 0)),
    ]
