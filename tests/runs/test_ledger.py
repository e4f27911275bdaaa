"""The ledger of looks at PrivateTest: what opens it, what is written down, what is noticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from factories import make_run
from made_up_faces import make_labels, make_test_set

from fer_core.data.dataset import Dataset, write_dataset
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.evaluation.measure import open_rows
from fer_core.runs import ledger
from fer_core.runs.folder import RunFolder

MODEL = "ab" * 32


def dataset_at(folder: Path, kind: str = "folder") -> Dataset:
    labels, splits = make_labels(140, seed=3)
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 48, 48), dtype=np.uint8)
    return write_dataset(folder, images, labels, splits, title="Noise", kind=kind)


def splits_of(dataset: Dataset, rows: np.ndarray) -> set[str]:
    return set(dataset.splits[rows])


def test_private_test_stays_closed_until_a_final_look_which_is_counted(home: Path, tmp_path: Path) -> None:
    dataset, run = dataset_at(tmp_path / "data"), RunFolder(home / "runs" / "mine")
    rows, opened = open_rows(run, dataset, MODEL, run.path, final=False)
    assert splits_of(dataset, rows) == {PUBLIC_TEST}
    assert opened is None
    assert not (home / ledger.FILE).exists()
    rows, opened = open_rows(run, dataset, MODEL, run.path, final=True)
    assert splits_of(dataset, rows) == {PUBLIC_TEST, PRIVATE_TEST}
    assert opened is not None
    assert (opened["looks"], opened["model"], opened["at_least"]) == (1, MODEL, False)
    _, opened = open_rows(run, dataset, MODEL, run.path, final=True)
    assert opened is not None
    assert opened["looks"] == 2
    assert ledger.looks_words(run.path, dataset.info.fingerprint) == "2 looks"
    assert ledger.looks_words(run.path, "0" * 64) == "", "another dataset's PrivateTest was not opened"


def test_the_same_model_is_measured_again_without_a_look_and_another_one_is_not(home: Path, tmp_path: Path) -> None:
    dataset, run = dataset_at(tmp_path / "data"), RunFolder(home / "runs" / "mine")
    open_rows(run, dataset, MODEL, run.path, final=True)
    rows, opened = open_rows(run, dataset, MODEL, run.path, final=False)
    assert PRIVATE_TEST in splits_of(dataset, rows)
    assert opened is not None
    assert opened["looks"] == 1
    rows, opened = open_rows(run, dataset, "cd" * 32, run.path, final=False)
    assert splits_of(dataset, rows) == {PUBLIC_TEST}
    assert opened is None


def test_figures_from_before_the_ledger_stay_and_count_as_at_least_one_look(home: Path, tmp_path: Path) -> None:
    dataset, run = dataset_at(tmp_path / "data"), make_run(home / "runs" / "old")
    old = run.evaluation()
    assert old is not None
    dataset.info = replace(dataset.info, fingerprint=old.fingerprint)
    rows, opened = open_rows(run, dataset, old.model, run.path, final=False)
    assert PRIVATE_TEST in splits_of(dataset, rows)
    assert opened is not None
    assert opened["looks"] == 1
    assert opened["at_least"]


@pytest.mark.parametrize("which", ["sample", "test set"])
def test_drawn_faces_and_data_with_nothing_to_choose_by_are_not_sealed(home: Path, tmp_path: Path, which: str) -> None:
    dataset = dataset_at(tmp_path / "data", "sample") if which == "sample" else make_test_set(tmp_path / "data")
    rows, opened = open_rows(RunFolder(home / "mine"), dataset, MODEL, home / "mine", final=False)
    assert PRIVATE_TEST in splits_of(dataset, rows)
    assert opened is None
    assert not (home / ledger.FILE).exists()


def test_a_changed_or_shortened_ledger_is_noticed_and_opens_nothing(home: Path, tmp_path: Path) -> None:
    dataset, run = dataset_at(tmp_path / "data"), RunFolder(home / "runs" / "mine")
    for _ in range(3):
        ledger.write_look(run.path, run.path, MODEL, dataset.info.record())
    file = home / ledger.FILE
    lines = file.read_text().splitlines(keepends=True)
    for content in ("".join(lines[1:]), "".join([lines[0].replace("mine", "other"), *lines[1:]]), lines[0] + "{"):
        file.write_text(content)
        with pytest.raises(RunError, match="line"):
            open_rows(run, dataset, MODEL, run.path, final=True)
        assert file.read_text() == content
        assert "damaged" in ledger.looks_words(run.path, dataset.info.fingerprint)


def test_where_no_look_can_be_written_private_test_stays_closed(home: Path, tmp_path: Path) -> None:
    dataset, run = dataset_at(tmp_path / "data"), RunFolder(home / "runs" / "mine")
    home.rmdir()
    home.write_text("in the way")
    with pytest.raises(RunError, match="PrivateTest"):
        open_rows(run, dataset, MODEL, run.path, final=True)


def test_a_look_that_was_no_evaluation_says_what_it_was(home: Path, tmp_path: Path) -> None:
    dataset, run = dataset_at(tmp_path / "data"), home / "runs" / "mine"
    ledger.write_look(run, run, MODEL, dataset.info.record())
    ledger.write_look(run, run, MODEL, dataset.info.record(), "Under other labels.")
    assert [look.get("note") for look in ledger.read(home / ledger.FILE)] == [None, "Under other labels."]


def test_what_ships_has_its_looks_in_the_ledger_that_ships() -> None:
    root = Path(__file__).resolve().parents[2] / "models"
    looks = ledger.read(root / ledger.FILE)
    for run in sorted(path.parent for path in root.glob("*/run.json")):
        folder = RunFolder(run)
        evaluation = folder.evaluation()
        assert evaluation is not None
        own = [look for look in looks if look["run"] == folder.name and look["model"] == evaluation.model]
        assert own
        assert all(look["data"]["fingerprint"] == evaluation.fingerprint for look in own), folder.name


def test_a_run_of_yours_with_the_name_of_one_that_ships_has_none_of_its_looks(home: Path, tmp_path: Path) -> None:
    dataset = dataset_at(tmp_path / "data")
    ships, mine = tmp_path / "models" / "vote", home / "runs" / "vote"
    ledger.write_look(ships, ships, MODEL, dataset.info.record())
    ledger.write_look(home / "evaluations" / "vote", ships, MODEL, dataset.info.record())
    assert ledger.looks_words(ships, dataset.info.fingerprint) == "2 looks"
    assert ledger.looks_words(mine, dataset.info.fingerprint) == ""
    assert len(ledger.read(home / ledger.FILE)) == len(ledger.read(tmp_path / "models" / ledger.FILE)) == 1
