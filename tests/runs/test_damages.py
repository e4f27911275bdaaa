"""However a run folder is harmed: it is listed as damaged, with what, where and what to do; all others stay usable."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from apptest import WarmPagesManager, open_app
from damage_tools import Damage
from damages import DAMAGES
from factories import make_run, make_vote
from made_up_faces import make_noise
from PIL import Image

from fer_core.cli import main
from fer_core.data.dataset import Dataset
from fer_core.runs.contracts import RunState
from fer_core.runs.folder import RunFolder
from fer_core.runs.listing import ModelInfo, list_models, list_runs
from fer_core.settings import settings

GOOD = ["good", "better"]


@pytest.fixture(scope="module")
def harmed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home with two good runs, a good vote of them, and a run for each damage."""
    home = tmp_path_factory.mktemp("harmed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_EXPLORER_HOME", str(home))
        patch.setenv("FER_EXPLORER_MODELS", str(home / "models"))
        patch.setattr("streamlit.testing.v1.app_test.PagesManager", WarmPagesManager)
        settings.cache_clear()
        runs = [make_run(home / "runs" / name, seed=seed) for seed, name in enumerate(GOOD)]
        vote = make_vote(home / "runs" / "vote", runs)
        for damage in DAMAGES:
            path = home / "runs" / damage.name
            shutil.copytree((vote if damage.of == "vote" else runs[0]).path, path)
            damage.do(RunFolder(path))
        (home / "runs" / os.fsdecode(b"name\xff")).mkdir()
        shutil.copytree(runs[0].path, home / "runs" / "two\nlines")
        yield home
    settings.cache_clear()


@pytest.fixture(scope="module")
def dataset(harmed: Path) -> Dataset:
    """Faces that no run was measured on."""
    return make_noise(harmed / "datasets" / "noise")


@pytest.fixture(scope="module")
def listed(harmed: Path) -> dict[str, ModelInfo]:
    return {info.path.name: info for info in list_runs()}


def test_there_are_many_damages_of_different_names() -> None:
    assert len({damage.name for damage in DAMAGES}) == len(DAMAGES) >= 70


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_it_is_listed_as_damaged_with_a_sentence_that_names_the_file(
    listed: dict[str, ModelInfo], damage: Damage
) -> None:
    info = listed[damage.name]
    assert info.state == RunState.DAMAGED
    assert not info.complete
    assert damage.file in info.problem
    assert str(info.path) in info.problem
    assert info.problem.endswith((".", "DATASET"))
    assert info.problem.isprintable()
    assert len(info.problem) < 700


def test_folders_whose_names_are_no_text_are_listed_under_names_that_can_be_shown(listed: dict[str, ModelInfo]) -> None:
    odd = [info for path, info in listed.items() if not path.isprintable()]
    assert {info.name for info in odd} == {"name\\udcff", "two\\nlines"}
    assert all(info.state == RunState.DAMAGED and "Rename" in info.problem for info in odd)


def test_all_others_stay_what_they_are(harmed: Path) -> None:
    assert sorted(info.name for info in list_models()) == sorted([*GOOD, "vote"])


def run_command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    return code, told.out, told.err


def test_runs_lists_all(harmed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run_command(capsys, "runs", "--json")
    runs = {run["name"]: run for run in json.loads(out)["runs"]}
    assert code == 0
    assert len(runs) == len(DAMAGES) + len(GOOD) + 3
    assert runs["good"]["private_test"]["n"] > 0
    code, out, _ = run_command(capsys, "runs")
    assert code == 0
    assert len(out.splitlines()) == len(runs)


def test_each_is_shown_with_a_sentence(harmed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for damage in DAMAGES:
        code, out, err = run_command(capsys, "runs", damage.name)
        assert code in (0, 2), damage.name
        assert damage.file in out + err, damage.name
    assert run_command(capsys, "runs", "good")[0] == 0


def test_the_leaderboard_and_a_prediction_by_all_models_work(
    harmed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(capsys, "leaderboard")[0] == 0
    picture = tmp_path / "grey.png"
    Image.new("L", (64, 64), 128).save(picture)
    code, out, _ = run_command(capsys, "predict", str(picture), "--model", "all", "--json")
    assert code == 0
    assert {model["name"] for model in json.loads(out)["models"]} == {*GOOD, "vote"}


def test_a_vote_of_a_damaged_run_is_refused(harmed: Path, dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("metrics_with_another_accuracy", "predictions_of_fewer_faces", "manifest_is_a_list"):
        code, _, err = run_command(capsys, "vote", name, "good", "--data", str(dataset.info.path), "--name", "new")
        assert code == 2
        assert name in err
    assert not (harmed / "runs" / "new").exists()


@pytest.mark.parametrize(
    "name", ["manifest_of_a_newer_schema", "model.tflite_is_cut_in_half", "model.keras_is_missing"]
)
def test_a_damaged_run_is_not_measured(
    harmed: Path, dataset: Dataset, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    code, _, err = run_command(capsys, "evaluate", name, "--data", str(dataset.info.path))
    assert code == 2
    assert name in err


@pytest.mark.parametrize("page", ["home", "compare", "mistakes", "leaderboard"])
def test_pages_show_the_good_runs(harmed: Path, page: str) -> None:
    app = open_app(page, **({"home.figures": "true"} if page == "home" else {}))
    assert not app.exception
    if page == "home":
        assert sorted(app.dataframe[0].value["Model"]) == sorted([*GOOD, "vote"])


def check_cards(damages: Sequence[Damage]) -> None:
    app = open_app("run", run=damages[0].name)
    for damage in damages:
        app.selectbox(key="run").set_value(damage.name).run()
        assert not app.exception, damage.name
        assert any(damage.file in error.value for error in app.error), damage.name


def test_a_card_says_what_is_wrong(harmed: Path) -> None:
    check_cards(DAMAGES[::20])


@pytest.mark.slow
def test_more_cards_say_what_is_wrong(harmed: Path) -> None:
    # All of them are listed above; a card takes two seconds, and draws the sentence of the list.
    check_cards(DAMAGES[3::6])
