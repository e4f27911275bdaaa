"""Runs are shown by what people called them, and addresses have their folders' names."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import apptest
import pytest
from factories import make_evaluated_run
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.testing.v1 import AppTest

from fer_core.data.dataset import load_dataset
from fer_core.settings import settings

HOSTILE = "**bold** <script>alert(1)</script> [x](javascript:1) :red[y] 😀 " + "long " * 40


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, drawn_sample: Path) -> Iterator[None]:
    """Four runs: two of one title, one of a hostile title, and one of its own."""
    with apptest.owners_home(tmp_path_factory.mktemp("names")):
        data = settings().datasets_dir / "sample"
        shutil.copytree(drawn_sample, data)
        dataset = load_dataset(data)
        for seed, (name, title) in enumerate(
            {"one": "My CNN", "two": "My CNN", "three": "A third", "bad": "Bad"}.items()
        ):
            make_evaluated_run(settings().runs_dir / name, dataset, seed=seed, accuracy=0.6, name=title)
        rename("bad", HOSTILE)
        yield


def rename(run: str, title: str) -> None:
    path = settings().runs_dir / run / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "title": title}))


def shown(app: AppTest) -> str:
    """All words on the page that are Markdown, HTML or the cells of tables."""
    html = [str(one.proto) for one in app.get("html")]
    return "\n".join([*(one.value for one in app.markdown), *(one.value for one in app.caption), *html])


@pytest.mark.parametrize("page", ["compare", "mistakes"])
def test_a_link_with_folders_shows_what_people_called_them(page: str) -> None:
    app = apptest.open_app(page, data="sample", runs=["three", "one"])
    assert not app.exception
    field = app.multiselect(key="compare.runs" if page == "compare" else "runs")
    assert field.value == ["three", "one"]
    assert "A third" in field.options
    assert "A third" in shown(app)
    assert "three" not in shown(app).replace("three of", "")


def test_equal_names_are_told_apart() -> None:
    app = apptest.open_app("mistakes", data="sample", runs=["one", "two"])
    assert {"My CNN (one)", "My CNN (two)"} <= set(app.multiselect(key="runs").options)
    assert "My CNN (one)" in shown(app)


def test_a_choice_writes_the_folder_into_the_address() -> None:
    app = apptest.open_app("mistakes", data="sample", runs=["one", "three"])
    app.multiselect(key="runs").set_value(["three", "two"]).run()
    assert app.query_params["runs"] == ["three", "two"]
    app.selectbox(key="by").set_value("three").run()
    assert not app.exception
    assert app.query_params["by"] == "three"
    assert "A third" in shown(app)


def test_who_is_right_is_kept_by_folders() -> None:
    app = apptest.open_app("mistakes", data="sample", runs=["one", "three"], set="only three is right")
    assert not app.warning
    field = app.selectbox(key="set")
    assert field.value == "only three is right"
    assert "only A third is right" in field.options


def test_the_default_is_left_out_of_the_address() -> None:
    app = apptest.open_app("mistakes", data="sample", runs=["one", "three"], by="three")
    app.selectbox(key="by").set_value(app.selectbox(key="by").proto.options[0]).run()
    assert "by" not in app.query_params


def test_the_browsers_history_leads_to_the_choice_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    app = apptest.open_app("mistakes", data="sample", runs=["one", "three"])
    app.multiselect(key="runs").set_value(["two"]).run()
    back = partial(RerunData, is_history_navigation=True)
    monkeypatch.setattr("streamlit.testing.v1.local_script_runner.RerunData", back)
    app.query_params["runs"] = ["one", "three"]
    app.run()
    assert app.multiselect(key="runs").value == ["one", "three"]


def test_a_click_that_comes_before_the_address_counts() -> None:
    """The browser sends the address of before where it has not heard yet of the one that its click makes."""
    app = apptest.open_app("mistakes", data="sample", runs=["one", "three"])
    app.multiselect(key="runs").set_value(["two"])
    app.query_params["runs"] = ["one", "three"]
    app.run()
    assert app.multiselect(key="runs").value == ["two"]
    assert app.query_params["runs"] == "two"


def test_another_title_keeps_links_alive() -> None:
    rename("three", "Renamed")
    try:
        app = apptest.open_app("compare", data="sample", runs=["three", "one"], a="one")
        assert not app.warning
        assert app.selectbox(key="a").value == "one"
        assert "Renamed" in app.selectbox(key="a").options
        assert "Renamed" in shown(app)
    finally:
        rename("three", "A third")


@pytest.mark.parametrize("page", ["compare", "mistakes", "run", "explain"])
def test_hostile_names_are_plain_words(page: str) -> None:
    query: dict[str, str | list[str]] = {
        "run": {"run": "bad"},
        "explain": {"explain.models": ["bad"]},
    }.get(page, {"runs": ["bad", "one"]})
    app = apptest.open_app(page, data="sample", **query)
    assert not app.exception
    assert "＊＊bold＊＊" in shown(app) + "".join(one.value for one in app.header)
    assert "**bold" not in shown(app)
    assert "<script" not in shown(app)
    assert "long " * 20 not in shown(app)


@pytest.mark.parametrize(("page", "key"), [("explain", "explain.models"), ("poke", "poke.models"), ("photo", "models")])
def test_models_are_asked_for_by_folder_and_shown_by_name(page: str, key: str) -> None:
    app = apptest.open_app(page, data="sample", **{key: ["three"]})
    assert not app.exception
    field = app.multiselect(key=key)
    assert field.value == ["three"]
    assert "A third" in field.options
    field.set_value(["two"]).run()
    assert app.query_params[key] == "two"


def test_the_card_of_a_folder_has_its_name_as_heading() -> None:
    app = apptest.open_app("run", run="three")
    assert app.header[0].value == "A third"
    app.selectbox(key="run").set_value("one").run()
    assert app.query_params["run"] == "one"
    assert app.header[0].value == "My CNN (one)"


def test_a_link_to_no_run_is_said() -> None:
    app = apptest.open_app("run", run="nobody")
    assert "nobody" in app.warning[0].value
    assert "run" not in app.query_params
