"""The leaderboard: our lines come from run folders, the document from the code, and every line has its origin."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from edited_runs import edit_metrics, measured_on, reseal
from factories import make_run, make_vote

from fer_core.cli import main
from fer_core.emotions import PRIVATE_TEST
from fer_core.files import write_json
from fer_core.leaderboard.crowd import shipped_crowd_figures, shipped_rows
from fer_core.leaderboard.entries import Entry, checked_on, leaderboard, missing, published, shipped
from fer_core.leaderboard.markdown import leaderboard_markdown
from fer_core.leaderboard.words import (
    CHOSEN_MEANING,
    GROUP_MEANING,
    GROUPS,
    REPRODUCED_MEANING,
    TEST_TIME_AUGMENTATION_MEANING,
)
from fer_core.runs.listing import list_runs
from fer_core.settings import PROJECT_ROOT, settings

REAL = {"kind": "csv", "title": "FER-2013"}
PLAIN = Entry(
    system="a system",
    accuracy=0.7,
    split=PRIVATE_TEST,
    n=3589,
    chosen="validation",
    extra_data="none",
    passes="single",
    models=1,
    reproduced="no",
)


def test_the_committed_document_is_what_the_code_writes_from_the_shipped_runs() -> None:
    text = (PROJECT_ROOT / "docs" / "leaderboard.md").read_text(encoding="utf-8")
    assert text == leaderboard_markdown(leaderboard(), checked_on()), (
        "write it anew: python -m fer_core leaderboard --write docs/leaderboard.md"
    )


@pytest.mark.parametrize(
    ("change", "group"),
    [
        ({}, "fair"),
        ({"chosen": "blind"}, "fair"),
        ({"passes": "flip"}, "averaged"),
        ({"passes": "unknown"}, "averaged"),
        ({"models": 4}, "averaged"),
        ({"models": None}, "averaged"),
        ({"chosen": "test"}, "flattered"),
        ({"chosen": "public"}, "flattered"),
        ({"chosen": "unknown"}, "flattered"),
        ({"split": "PublicTest"}, "flattered"),
        ({"chosen": "people"}, "people"),
    ],
)
def test_the_group_follows_from_the_origin(change: dict[str, object], group: str) -> None:
    assert replace(PLAIN, **change).group == group  # type: ignore[arg-type]


def test_every_published_line_has_a_public_source_and_an_accuracy_that_can_be() -> None:
    entries = published()
    assert len(entries) >= 10
    assert len({entry.system for entry in entries}) == len(entries)
    for entry in entries:
        assert 0.3 < entry.accuracy < 0.9
        assert entry.span is None or entry.span[0] <= entry.accuracy <= entry.span[1]
        assert entry.sources
        assert entry.note.endswith(".")
        assert not entry.ours
        for source in entry.sources:
            assert source.url.startswith("https://")
            assert source.name


def test_the_only_blind_number_is_the_challenges() -> None:
    assert [entry.accuracy for entry in published() if entry.chosen == "blind"] == [0.7116]


def test_an_unknown_word_in_the_published_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "published.json"
    source = PROJECT_ROOT / "fer_core" / "leaderboard" / "published.json"
    value = json.loads(source.read_text(encoding="utf-8"))
    value["entries"][0]["chosen"] = "guess"
    write_json(path, value)
    with pytest.raises(ValueError, match="'guess' is not one of blind"):
        published(path)
    del value["entries"][0]["chosen"]
    write_json(path, value)
    with pytest.raises(ValueError, match="People of the published systems is damaged"):
        published(path)


def test_a_shipped_run_appears_with_its_own_figures(home: Path) -> None:
    run = make_run(settings().models_dir / "resnet50", architecture="resnet50", accuracy=0.7, data=REAL)
    recipe = json.loads(run.recipe_path.read_text())
    write_json(run.recipe_path, {**recipe, "initial_weights": "../weights/resnet50_imagenet_conv1_conv4.npz"})
    reseal(run)
    make_run(settings().runs_dir / "mine", accuracy=0.9, data=REAL)
    (entry,) = shipped()
    metrics = run.metrics()
    assert metrics is not None
    scores = metrics["splits"][PRIVATE_TEST]
    assert (entry.run, entry.accuracy, entry.n) == ("resnet50", scores["accuracy"], scores["n"])
    assert entry.span == (scores["accuracy_low"], scores["accuracy_high"])
    assert entry.extra_data == "ImageNet"
    assert entry.group == "fair"
    text = leaderboard_markdown(leaderboard(), checked_on())
    assert "| **resnet50** (ours) |" in text
    assert "[card](../models/resnet50/CARD.md)" in text
    assert "mine" not in text


def test_a_vote_is_averaged_and_takes_over_what_its_members_learnt_from(home: Path) -> None:
    plain = make_run(settings().models_dir / "custom_cnn", data=REAL)
    transfer = make_run(settings().models_dir / "resnet50", architecture="resnet50", data=REAL)
    recipe = json.loads(transfer.recipe_path.read_text())
    write_json(transfer.recipe_path, {**recipe, "initial_weights": "imagenet"})
    reseal(transfer)
    make_vote(settings().models_dir / "vote", [plain, transfer])
    (vote,) = [entry for entry in shipped() if entry.run == "vote"]
    assert (vote.models, vote.group, vote.extra_data, vote.chosen) == (2, "averaged", "ImageNet", "validation")
    assert "2 members chosen on PublicTest" in vote.note
    assert "| 2 models, one pass |" in leaderboard_markdown(leaderboard(), checked_on())


def test_the_mirror_images_share_is_a_line_of_its_own(home: Path) -> None:
    run = make_run(settings().models_dir / "custom_cnn", data=REAL)
    flip = {"n": 140, "accuracy": 0.7, "accuracy_low": 0.6, "accuracy_high": 0.8, "macro_f1": 0.6}
    flip |= {"gain": 0.012, "gain_low": -0.004, "gain_high": 0.03}
    edit_metrics(run, lambda metrics: metrics["splits"][PRIVATE_TEST].update(flip_average=flip))
    single, averaged = shipped()
    assert (single.group, averaged.group) == ("fair", "averaged")
    assert (averaged.accuracy, averaged.span, averaged.run) == (0.7, (0.6, 0.8), "custom_cnn")
    assert averaged.note == "Against one pass +1.2 points (95 % interval -0.4 to +3.0)."


def test_a_run_on_the_drawn_sample_is_no_line(home: Path) -> None:
    make_run(settings().models_dir / "custom_cnn", data={"kind": "sample"})
    assert shipped() == []


def test_a_damaged_shipped_run_is_said_and_took_the_whole_leaderboard_down(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run(settings().models_dir / "resnet50", architecture="resnet50", data=REAL)
    run = make_run(settings().models_dir / "custom_cnn", data=REAL)
    run.manifest_path.write_text("{", encoding="utf-8")
    assert [entry.run for entry in shipped()] == ["resnet50"]
    [problem] = missing()
    assert "custom_cnn" in problem
    assert "run.json is damaged" in problem
    assert main(["leaderboard"]) == 1
    assert "run.json is damaged" in capsys.readouterr().err
    assert main(["leaderboard", "--write", str(home / "document.md")]) == 2
    assert not (home / "document.md").exists()


def test_a_shipped_run_whose_figures_on_photographs_are_damaged_gets_no_line_from_drawings(home: Path) -> None:
    run = make_run(settings().models_dir / "custom_cnn", data=REAL)
    drawn = measured_on(make_run(home / "runs" / "drawn", data={"name": "sample", "fingerprint": "1" * 64}))
    drawn.path.rename(run.path / "evaluations" / drawn.path.name)
    assert [entry.run for entry in shipped()] == ["custom_cnn"]
    measured_on(run).metrics_path.write_text("{", encoding="utf-8")
    assert list_runs()[0].complete, "the run itself can be used"
    assert shipped() == []
    [problem] = missing()
    assert "metrics.json is damaged" in problem


def test_lines_stand_by_group_then_by_accuracy(home: Path) -> None:
    entries = leaderboard()
    keys = [(list(GROUPS).index(entry.group), -entry.accuracy) for entry in entries]
    assert keys == sorted(keys)


def test_every_word_that_occurs_is_explained_in_the_document(home: Path) -> None:
    text = leaderboard_markdown(leaderboard(), checked_on())
    for meanings in (CHOSEN_MEANING, TEST_TIME_AUGMENTATION_MEANING, REPRODUCED_MEANING, GROUP_MEANING):
        for key, meaning in meanings.items():
            if meanings is not GROUP_MEANING or any(entry.group == key for entry in leaderboard()):
                assert meaning in text
    for entry in leaderboard():
        assert entry.chosen in CHOSEN_MEANING
        assert entry.passes in TEST_TIME_AUGMENTATION_MEANING
        assert entry.reproduced in REPRODUCED_MEANING


def test_the_command_prints_writes_and_gives_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(settings().models_dir / "custom_cnn", accuracy=0.7, data=REAL)
    assert main(["leaderboard"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# Leaderboard")
    out = home / "board.md"
    assert main(["leaderboard", "--write", str(out), "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)["entries"]
    assert [entry["run"] for entry in entries if entry["run"]] == ["custom_cnn"]
    assert out.read_text(encoding="utf-8").strip() == printed.strip()
    assert main(["leaderboard", "--write", str(home)]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_shipped_figures_under_the_crowds_labels_are_those_of_the_shipped_models() -> None:
    figures = shipped_crowd_figures()
    for split, runs in figures.splits.items():
        assert (
            {name for name, _ in shipped_rows(split)} == set(runs) == {run.name for run in list_runs() if run.shipped}
        )
    for info in list_runs():
        metrics = info.folder.metrics()
        assert metrics is not None
        for split, runs in figures.splits.items():
            own = runs[info.name]["dataset"]
            assert own.accuracy == pytest.approx(metrics["splits"][split]["accuracy"], abs=1e-6)
            assert own.n == metrics["splits"][split]["n"]


def test_figures_of_another_model_are_not_shown_under_its_name() -> None:
    figures = shipped_crowd_figures()
    model = figures.models["vgg16"]
    assert figures.of(figures.fingerprint, PRIVATE_TEST, "vgg16", model)
    assert figures.of(figures.fingerprint, PRIVATE_TEST, "vgg16", "0" * 64) is None
    assert figures.of("0" * 64, PRIVATE_TEST, "vgg16", model) is None
