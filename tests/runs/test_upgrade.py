"""Runs of schema 1 become runs of schema 2, once and as a whole; where that cannot be, they are read as they are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from edited_runs import as_schema_1, content, measured_on
from factories import make_run, make_vote

from fer_core.errors import RunError
from fer_core.files import write_json
from fer_core.inference.models import load_model
from fer_core.runs import transaction
from fer_core.runs import upgrade as module
from fer_core.runs.card import card_of
from fer_core.runs.folder import RunFolder
from fer_core.runs.listing import list_models, list_runs
from fer_core.runs.upgrade import upgrade

ROOT_FILES = {"recipe.json", "architecture.json", "events.jsonl", "history.csv", "model.keras", "model.tflite"}


@pytest.fixture
def old(home: Path) -> RunFolder:
    return as_schema_1(make_run(home / "runs" / "old"))


def schema(run: RunFolder) -> int:
    return int(content(run.manifest_path)["schema"])


def test_it_is_upgraded_when_it_is_listed_and_says_the_same(home: Path, old: RunFolder) -> None:
    metrics, predictions, card = old.metrics(), old.predictions(), card_of(old)
    before = content(old.manifest_path)
    assert metrics is not None
    assert "without_near_duplicates" in metrics["splits"]["PrivateTest"]
    assert [info.name for info in list_models()] == ["old"]
    after = content(old.manifest_path)
    assert (after["schema"], after["origin"]) == (2, "trained")
    assert set(after["files"]) == ROOT_FILES
    assert {path.name for path in old.path.iterdir() if path.name[0] != "."} == {
        *ROOT_FILES,
        "run.json",
        "CARD.md",
        "evaluations",
    }
    for name in ROOT_FILES:
        assert after["files"][name] == before["files"][name]
    assert {key: after[key] for key in before if key not in ("schema", "files")} == {
        key: before[key] for key in before if key not in ("schema", "files")
    }
    assert (old.metrics(), card_of(old)) == (metrics, card)
    assert old.predictions().equals(predictions)
    one = measured_on(old)
    assert one.created == before["created"]
    for name in one.files:
        one.check(name)
    assert load_model("old").name == "old"


def test_once_it_is_done_it_is_not_done_again(old: RunFolder) -> None:
    upgrade(old)
    key = old.state_key()
    upgrade(old)
    list_models()
    assert old.state_key() == key


def test_a_vote_is_upgraded_too(home: Path) -> None:
    members = [make_run(home / "runs" / name) for name in ("one", "two")]
    vote = make_vote(home / "runs" / "both", members)
    without = vote.metrics()["splits"]["PrivateTest"].pop("without_near_duplicates", None)
    as_schema_1(vote)
    list_models()
    manifest = content(vote.manifest_path)
    assert (manifest["schema"], manifest["origin"], set(manifest["files"])) == (2, "vote", {"vote.json"})
    assert vote.metrics()["splits"]["PrivateTest"]["without_near_duplicates"] == without
    assert load_model("both").name == "both"


def test_a_tampered_model_does_not_become_right(old: RunFolder) -> None:
    old.tflite_path.write_bytes(old.tflite_path.read_bytes() + b"\0")
    upgrade(old)
    assert schema(old) == 2
    with pytest.raises(RunError, match=r"model\.tflite is damaged"):
        load_model(old.path)


def test_a_damaged_evaluation_stays_where_it_is_until_it_is_measured_anew(old: RunFolder) -> None:
    (old.path / "metrics.json").write_text("{}")
    before = {path: path.read_bytes() for path in old.path.iterdir() if path.is_file()}
    upgrade(old)
    assert {path: path.read_bytes() for path in before} == before
    assert "metrics.json is damaged" in old.evaluation_problems()[0]
    assert [info.state for info in list_runs()] == ["damaged"]
    upgrade(old, drop_damaged=True)
    assert (schema(old), old.evaluation_problems(), old.evaluations()) == (2, [], ())


@pytest.mark.parametrize("harm", ["no columns", "a row twice"])
def test_sealed_nonsense_harms_nothing(old: RunFolder, harm: str) -> None:
    import pandas as pd

    path = old.path / "predictions.parquet"
    frame = pd.read_parquet(path)
    (frame[["row"]] if harm == "no columns" else frame.assign(row=1)).to_parquet(path)
    manifest = content(old.manifest_path)
    manifest["files"][path.name] = module_files(old, path.name)
    write_json(old.manifest_path, manifest)
    assert [info.state for info in list_runs()] == ["damaged"]
    assert schema(old) == 1
    upgrade(old, drop_damaged=True)
    assert schema(old) == 2


def module_files(run: RunFolder, name: str) -> dict[str, object]:
    from fer_core.runs.evaluations import files_record

    return files_record(run.path, [name])[name]


def test_where_the_disk_is_read_only_it_is_read_as_it_is(old: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.read_bytes() for path in old.path.rglob("*") if path.is_file()}
    plain = os.open

    def read_only(path: object, flags: int, *args: object, **options: object) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(30, "Read-only file system", str(path))
        return plain(path, flags, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", read_only)
    monkeypatch.setattr(Path, "mkdir", lambda *_, **__: read_only("", os.O_CREAT))
    assert [(info.name, info.state) for info in list_models()] == [("old", "done")]
    assert old.metrics()["splits"]["PrivateTest"]["n"] == len(old.predictions().query("split == 'PrivateTest'"))
    assert card_of(old)
    assert load_model("old").name == "old"
    monkeypatch.undo()
    assert {path: path.read_bytes() for path in old.path.rglob("*") if path.is_file()} == before


def test_two_processes_at_once_do_it_once(home: Path, old: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real processes; each gets far into its upgrade before the other may go on, if nothing holds it back."""
    copies = [shutil.copytree(old.path, home / "runs" / f"copy{number}") for number in range(4)]
    gate, ready = os.pipe()
    children = []
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.close(ready)
                os.read(gate, 1)
                infos = list_runs()
                status = 0 if {info.state for info in infos} == {"done"} and len(infos) == 5 else 2
            finally:
                os._exit(status)
        children.append(pid)
    os.close(gate)
    os.close(ready)  # everybody goes
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0]
    for path in (*copies, old.path):
        run = RunFolder(Path(path))
        assert schema(run) == 2
        one = measured_on(run)
        for name in one.files:
            one.check(name)
        assert not [
            found for found in run.path.iterdir() if found.name.startswith((".change", transaction.COMMIT_FILE))
        ]


def test_the_slower_of_two_changes_nothing(old: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """It had read the run of before, and would put back what has been measured since."""
    plain, keys = module.exclusive, []

    def slow(path: Path):
        monkeypatch.setattr(module, "exclusive", plain)
        upgrade(old)
        manifest = content(old.manifest_path)
        write_json(old.manifest_path, {**manifest, "title": "since"})
        keys.append(old.state_key())
        return plain(path)

    monkeypatch.setattr(module, "exclusive", slow)
    upgrade(old)
    assert content(old.manifest_path)["title"] == "since"
    assert [old.state_key()] == keys
