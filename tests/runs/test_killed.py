"""``kill -9`` at any moment: what is read afterwards is what was there before, or what was to be, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from edited_runs import as_schema_1, as_unfinished
from factories import make_run, make_vote
from killing import crashes, kill_at, writes
from stand_ins import without_keras

from fer_core.corruptions import measurement
from fer_core.corruptions.measurement import measure_corruptions, read_corruptions
from fer_core.data.audit import audit_dataset
from fer_core.data.dataset import Dataset, write_dataset
from fer_core.evaluation.evaluate import evaluate_run, export_run
from fer_core.evaluation.vote import build_vote, evaluate_vote
from fer_core.explain import faithfulness_study
from fer_core.explain.batch_maps import FaithfulnessPlan
from fer_core.explain.faithfulness_study import measure_faithfulness, read_faithfulness
from fer_core.runs.card import card_of, write_card
from fer_core.runs.embeddings import read_embeddings
from fer_core.runs.folder import RunFolder, check_sealed
from fer_core.runs.listing import list_runs
from fer_core.runs.transaction import COMMIT_FILE, LOCK_FILE
from fer_core.runs.upgrade import upgrade
from fer_core.settings import settings

PLAN = FaithfulnessPlan(n=7, masks=10, orders=5, steps=4)


def faces(folder: Path, seed: int) -> Dataset:
    labels, splits = np.tile(np.arange(7), 6), np.repeat(["Training", "PublicTest", "PrivateTest"], 14)
    images = np.random.default_rng(seed).integers(0, 256, (len(labels), 48, 48), dtype=np.uint8)
    found = write_dataset(folder, images, labels, splits, title=f"Noise {seed}")
    audit_dataset(found)  # kept beside the dataset, so that it is done once
    return found


class World:
    """A home with two datasets, two runs measured on the first, the second run on both, and a vote of both."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.one, self.two = faces(home / "datasets" / "one", 1), faces(home / "datasets" / "two", 2)
        about = {"labels": self.one.labels, "splits": self.one.splits, "data": self.one.info.record()}
        self.first, self.second = (make_run(home / "runs" / f"run{seed}", seed=seed, **about) for seed in (1, 2))
        self.third = make_run(home / "runs" / "run3", seed=3, **about)
        evaluate_run(self.first, self.two)
        evaluate_run(self.first, self.one)
        measure_corruptions(self.first, self.one, limit=7)
        measure_faithfulness(self.first, self.one, ["class_map"], plan=PLAN)
        self.vote = make_vote(home / "runs" / "vote", [self.first, self.second])
        evaluate_vote(self.vote, self.two)
        self.old = RunFolder(home / "runs" / "old")
        shutil.copytree(self.second.path, self.old.path)
        as_schema_1(self.old)
        self.new = home / "runs" / "new"
        self._kept = home.with_name("kept")
        shutil.copytree(home / "runs", self._kept)

    def restore(self) -> None:
        shutil.rmtree(self.home / "runs")
        shutil.copytree(self._kept, self.home / "runs")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    top = tmp_path_factory.mktemp("world")
    (top / "models").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_EXPLORER_HOME", str(top / "home"))
        patch.setenv("FER_EXPLORER_MODELS", str(top / "models"))
        settings.cache_clear()
        without_keras(patch)
        made = World(top / "home")
        # Both take a while, and say the same each time.
        robustness = read_corruptions(made.first, made.one.info.fingerprint).robustness
        patch.setattr(measurement, "evaluate_corruptions", lambda *_, **__: robustness)
        told = read_faithfulness(made.first, made.one.info.fingerprint).methods["class_map"]
        patch.setattr(faithfulness_study, "measure_maps", lambda *_, **__: None)
        patch.setattr(faithfulness_study, "_judged", lambda *_, **__: told)
        yield made
    settings.cache_clear()


def seen(path: Path) -> dict[str, Any]:
    """All that is read of a run, and how it is listed."""
    run = RunFolder(path)
    listed = [(info.name, info.state, info.complete, info.problem) for info in list_runs()]
    manifest = run.manifest()
    if manifest is None:
        return {"listed": listed}
    for name in manifest["files"]:
        check_sealed(run, manifest, name, "")
    measured: dict[str, Any] = {}
    for one in run.evaluations():
        for name in one.files:
            one.check(name)
        embeddings = read_embeddings(run, one.fingerprint)
        corrupted, explained = (read(run, one.fingerprint) for read in (read_corruptions, read_faithfulness))
        measured[one.fingerprint] = {
            "files": sorted(one.files),
            "model": one.model,
            "metrics": one.metrics(),
            "predictions": one.predictions().to_dict("list"),
            "embeddings": None if embeddings is None else embeddings.vectors.tolist(),
            "corruptions": None if corrupted is None else corrupted.robustness.answers.tolist(),
            "faithfulness": None if explained is None else faithfulness_study.as_json(explained),
        }
    models = {name: manifest["files"][name]["sha256"] for name in manifest["files"]}
    return {
        "listed": listed,
        "models": models,
        "measured": measured,
        "problems": run.evaluation_problems(),
        "card": card_of(run),
        "state": manifest["state"],
    }


def left_behind(home: Path) -> list[str]:
    hidden = [path for path in home.rglob(".*") if path.name != LOCK_FILE]
    return [str(path.relative_to(home)) for path in (*hidden, *home.rglob("*.tmp"))]


STEPS: dict[str, tuple[Callable[[World], Path], Callable[[World], object]]] = {
    "evaluate, same faces": (lambda at: at.second.path, lambda at: evaluate_run(at.second, at.one)),
    "evaluate, other faces": (lambda at: at.first.path, lambda at: evaluate_run(at.first, at.two, average="flip")),
    "complete a training": (lambda at: as_unfinished(at.third).path, lambda at: evaluate_run(at.third, at.one)),
    "export": (lambda at: at.first.path, lambda at: export_run(at.first, at.one)),
    "export, half": (lambda at: at.first.path, lambda at: export_run(at.first, at.two, half_precision="both")),
    "vote, new": (lambda at: at.new, lambda at: build_vote([at.first, at.second], at.one, at.new)),
    "vote, replaced": (lambda at: at.vote.path, lambda at: build_vote([at.second, at.third], at.one, at.vote.path)),
    "vote, measured": (lambda at: at.vote.path, lambda at: evaluate_vote(at.vote, at.two, flip=True)),
    "corruptions": (lambda at: at.second.path, lambda at: measure_corruptions(at.second, at.one, limit=7)),
    "faithfulness": (
        lambda at: at.second.path,
        lambda at: measure_faithfulness(at.second, at.one, ["class_map"], plan=PLAN),
    ),
    "upgrade": (lambda at: at.old.path, lambda at: upgrade(at.old)),
}


def before_and_after(world: World, step: str) -> tuple[Path, Callable[[], object], Callable[[], object], Any, Any]:
    """Where the step takes place, how to put the disk back, the step, and what is read before and after it."""
    prepare, act = STEPS[step]

    def restore() -> Path:
        world.restore()
        return prepare(world)

    path = restore()
    old = seen(path)
    path = restore()
    writes(lambda: act(world))
    new = seen(path)
    assert old != new or step == "upgrade"
    assert left_behind(world.home) == []
    restore()
    return path, restore, lambda: act(world), old, new


def go_on(path: Path, act: Callable[[], object]) -> None:
    """What somebody does next: the same again and, where that finds all done already, anything else."""
    act()
    write_card(RunFolder(path))


@pytest.mark.parametrize("step", STEPS)
def test_wherever_it_is_killed_a_step_has_happened_or_has_not(world: World, step: str) -> None:
    path, _, act, old, new = before_and_after(world, step)
    happened, states = False, 0
    for states, doing in enumerate(crashes(act, path), start=1):
        found = seen(path)
        assert found in (old, new), f"killed before: {doing}"
        assert found == new or not happened, f"killed before: {doing}; what had happened is undone"
        happened = found == new != old
        if states % 8 == 0:
            go_on(path, act)
            assert seen(path) == new, f"killed before: {doing}"
            assert left_behind(world.home) == [], f"killed before: {doing}"
    assert states > 5
    assert happened or step == "upgrade"


@pytest.mark.parametrize("step", ["evaluate, other faces", "export", "upgrade"])
def test_a_killed_process_leaves_nothing_that_stays(world: World, step: str) -> None:
    """The same with a real ``kill -9``, at the moments that decide."""
    path, restore, act, old, new = before_and_after(world, step)
    planned = writes(act)
    commit = next(number for number, words in enumerate(planned, start=1) if words.endswith(f"{path}/{COMMIT_FILE}"))
    for number, expected in ((commit // 2, old), (commit, old), (commit + 1, new), (commit + 3, new)):
        restore()
        kill_at(number, act)
        assert seen(path) == expected, planned[number - 1]
        go_on(path, act)
        assert seen(path) == new
        assert left_behind(world.home) == []


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_killed_for_real_all_along(world: World, step: str) -> None:
    """Each state that a kill can leave is looked at above; this is ``kill -9`` itself, at one write of seven."""
    path, restore, act, old, new = before_and_after(world, step)
    for number, words in list(enumerate(writes(act), start=1))[::7]:
        restore()
        kill_at(number, act)
        assert seen(path) in (old, new), f"killed before: {words}"
        go_on(path, act)
        assert seen(path) == new, f"killed before: {words}"
        assert left_behind(world.home) == [], f"killed before: {words}"
