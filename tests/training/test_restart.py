"""A training that dies while it loads leaves all that a restart needs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fer_core.errors import DataError, RunError
from fer_core.evaluation import training_run
from fer_core.files import write_json
from fer_core.runs.folder import RunFolder
from fer_core.runs.recipe import Recipe
from fer_core.training import jobs, resume_state


@pytest.fixture
def spawned(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """Children that never get to their first line, in place of trainings; the arguments each was given."""
    seen: list[list[str]] = []
    stub = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    monkeypatch.setattr(jobs, "check_resources", lambda *_: [])
    monkeypatch.setattr(jobs, "_command", lambda arguments: seen.append(arguments) or stub)
    yield seen
    kill()


def kill() -> None:
    found = jobs.holder()
    if found:
        process = psutil.Process(found.pid)
        process.kill()
        process.wait(10)


def test_a_trainer_killed_right_after_its_start_can_be_started_again(data: Path, spawned: list[list[str]]) -> None:
    """It used to leave no word of where the dataset lies, so the run could only be thrown away."""
    run_dir = jobs.start(Recipe("custom_cnn", epochs=2), data)
    kill()
    now = jobs.status(run_dir)
    assert (now.state, now.resumable, now.start) == ("died", True, None)
    assert jobs.restart(run_dir) == run_dir
    assert jobs.status(run_dir).alive
    assert spawned[-1] == ["train", "--resume", str(run_dir)]
    # What that child reads first.
    assert resume_state.remembered_data(RunFolder(run_dir)) == data
    assert RunFolder(run_dir).recipe() == Recipe("custom_cnn", epochs=2)


def test_a_child_that_ends_before_anybody_looks_is_a_run_that_died(
    data: Path, spawned: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of a process that is gone used to be a traceback, and the run folder was thrown away."""

    def gone(pid: int, run_dir: Path) -> None:
        psutil.Process(pid).kill()
        raise psutil.NoSuchProcess(pid)

    monkeypatch.setattr(jobs, "claim", gone)
    run_dir = jobs.start(Recipe("custom_cnn"), data)
    assert jobs.status(run_dir).state == "died"


def test_the_command_line_writes_it_down_before_it_loads_anything(
    data: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(folder: RunFolder, _: Path) -> None:
        raise SystemExit(resume_state.remembered_data(folder))

    monkeypatch.setattr(training_run, "check_resources", lambda *_: [])
    monkeypatch.setattr(training_run, "_train", dies)
    with pytest.raises(SystemExit) as ended:
        training_run.train(Recipe("custom_cnn"), data, home / "runs" / "mine")
    assert ended.value.code == data
    # Whoever says where it lies now, says it for the next time, too.
    moved = data.rename(data.with_name("moved"))
    with pytest.raises(SystemExit) as ended:
        training_run.resume(home / "runs" / "mine", moved)
    assert ended.value.code == moved


def test_a_folder_that_a_start_has_just_made_is_taken_by_its_own_child(
    data: Path, spawned: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir = jobs.start(Recipe("custom_cnn"), data)
    kill()
    began: list[Path] = []
    monkeypatch.setattr(training_run, "check_resources", lambda *_: [])
    monkeypatch.setattr(training_run, "_train", lambda folder, _: began.append(folder.path))
    training_run.train(Recipe("custom_cnn"), data, run_dir)
    assert began == [run_dir]


def test_a_restart_without_its_dataset_is_refused_here_and_not_by_the_child(
    data: Path, spawned: list[list[str]]
) -> None:
    run_dir = jobs.start(Recipe("custom_cnn"), data)
    kill()
    data.rename(data.with_name("moved"))
    with pytest.raises(DataError, match=str(data)):
        jobs.restart(run_dir)
    (run_dir / training_run.LOCAL_FILE).unlink()
    with pytest.raises(RunError, match=r"--resume .* --data"):
        jobs.restart(run_dir)
    assert len(spawned) == 1


def test_a_restart_without_room_for_it_is_refused_here_and_not_by_the_system(
    data: Path, spawned: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a start used to look at the memory; a resumed training was killed, and the app with it."""
    run_dir = jobs.start(Recipe("custom_cnn"), data)
    kill()
    monkeypatch.setattr(jobs, "check_resources", lambda recipe, _: [f"no room for {recipe.architecture}"])
    with pytest.raises(RunError, match="no room for custom_cnn"):
        jobs.restart(run_dir)
    assert len(spawned) == 1


def test_a_home_that_another_host_sees_at_another_path_has_the_data_of_its_runs(
    data: Path, home: Path, spawned: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir = jobs.start(Recipe("custom_cnn"), data)
    kill()
    elsewhere = home.rename(home.with_name("mounted-elsewhere"))
    found = resume_state.remembered_data(RunFolder(elsewhere / run_dir.relative_to(home)))
    assert found == elsewhere / data.relative_to(home)


@pytest.mark.parametrize("content", ["", "[]", '{"data": 7}', "{}"])
def test_a_damaged_note_of_where_the_data_lie_is_told(home: Path, content: str) -> None:
    folder = RunFolder(home / "runs" / "mine")
    folder.path.mkdir(parents=True)
    write_json(folder.recipe_path, Recipe("custom_cnn").to_dict())
    (folder.path / training_run.LOCAL_FILE).write_text(content)
    with pytest.raises(RunError, match="does not say which dataset"):
        resume_state.remembered_data(folder)
