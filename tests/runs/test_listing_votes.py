"""Votes among the runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from factories import make_run, make_vote

from fer_core.errors import RunError
from fer_core.runs.folder import SEALED_VOTE_FILES, seal
from fer_core.runs.listing import find_run, list_models, list_runs
from fer_core.runs.vote import read_vote
from fer_core.settings import settings
from fer_core.training import jobs


def test_shipped_votes_come_after_shipped_models_and_trained_ones_by_date(home: Path) -> None:
    shipped = [
        make_run(settings().models_dir / name, architecture=architecture)
        for name, architecture in (("zeta", "vgg16"), ("custom_cnn", "custom_cnn"), ("resnet50", "resnet50"))
    ]
    make_vote(settings().models_dir / "all", shipped)
    mine = make_run(settings().runs_dir / "mine", created="2026-03-01T00:00:00+00:00")
    make_vote(settings().runs_dir / "older", [mine, shipped[0]], created="2026-02-01T00:00:00+00:00")
    make_vote(settings().runs_dir / "newer", [mine, shipped[0]], created="2026-04-01T00:00:00+00:00")
    names = [info.name for info in list_models()]
    assert names == ["custom_cnn", "resnet50", "zeta", "all", "newer", "mine", "older"]
    assert [info.name for info in list_models() if info.is_vote] == ["all", "newer", "older"]
    vote = next(info for info in list_models() if info.name == "all")
    assert (vote.architecture, vote.state, vote.epochs, vote.best_epoch) == ("vote", "done", 0, None)
    assert vote.title == "all"
    assert vote.shipped
    assert vote.complete
    assert vote.data["title"] == "Made-up faces"


def test_a_vote_is_found_read_and_deleted_like_any_run(home: Path) -> None:
    members = [make_run(settings().runs_dir / name) for name in ("one", "two")]
    make_vote(settings().runs_dir / "both", members, weights=(0.25, 0.75), temperatures=(1.5, 0.5))
    folder = find_run("both")
    vote = read_vote(folder)
    assert [(member.name, member.weight, member.temperature) for member in vote.members] == [
        ("one", 0.25, 1.5),
        ("two", 0.75, 0.5),
    ]
    assert json.loads(folder.vote_path.read_text()) == vote.to_dict()
    status = jobs.status(folder.path)
    assert (status.state, status.alive, status.resumable, status.can_stop) == ("done", False, False, False)
    with pytest.raises(RunError, match="cannot be resumed"):
        jobs.restart(folder.path)
    jobs.delete(folder.path)
    assert [info.name for info in list_runs()] == ["two", "one"]


def test_a_vote_is_sealed_with_files_of_its_own(home: Path) -> None:
    members = [make_run(settings().runs_dir / name) for name in ("one", "two")]
    folder = make_vote(settings().runs_dir / "both", members)
    manifest = folder.manifest()
    assert manifest is not None
    assert tuple(manifest["files"]) == SEALED_VOTE_FILES
    folder.card_path.unlink()
    assert read_vote(folder).members, "a card is made of the rest"
    folder.vote_path.unlink()
    with pytest.raises(RunError, match=r"cannot be completed: .* missing"):
        seal(folder, {})
