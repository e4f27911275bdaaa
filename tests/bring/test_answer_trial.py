"""What answers for a sealed PrivateTest tell: a look, counted in the ledger, and nothing before it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_answers import SORTED, table, written
from made_up_faces import make_probabilities

from fer_core.bring.answers import TRIED_NOTE, ClosedError, bring, look, metrics_of
from fer_core.bring.orders import FER
from fer_core.data.dataset import Dataset
from fer_core.emotions import NAMES, PRIVATE_TEST, PUBLIC_TEST, TRAINING
from fer_core.errors import ModelError, RunError
from fer_core.runs import ledger
from fer_core.runs.card import card_of
from fer_core.runs.folder import RunFolder


def test_answers_for_a_sealed_private_test_are_a_look_which_is_counted(
    home: Path, data: Dataset, tmp_path: Path
) -> None:
    """They were scored without a line in the ledger."""
    frame = table(data)
    public = look(written(frame[frame["row"].isin(data.rows(PUBLIC_TEST))], tmp_path / "public.csv"), data)
    assert "opened" not in metrics_of(bring(public, data, home / "runs" / "public", "public"))
    assert not (home / ledger.FILE).exists()
    both = look(written(frame, tmp_path / "both.csv"), data)
    assert any("ledger" in note for note in both.notes)
    assert not any("ledger" in note for note in public.notes)
    run = bring(both, data, home / "runs" / "both", "both")
    assert metrics_of(run)["opened"]["looks"] == 1
    assert [line["run"] for line in ledger.read(home / ledger.FILE)] == ["both"]
    assert "1 look" in card_of(run)
    with pytest.raises(ModelError, match="owner"):
        bring(both, data, home / "runs" / "visitors", "visitors", visitor="a" * 32)
    theirs = look(both.source, data, visitor=True)
    assert theirs.splits == (PUBLIC_TEST,)
    assert any("owner" in note for note in theirs.notes)
    bring(theirs, data, home / "runs" / "visitors", "visitors", visitor="a" * 32)
    assert len(ledger.read(home / ledger.FILE)) == 1
    (home / ledger.FILE).write_text("{")
    with pytest.raises(RunError, match="line 1"):
        bring(both, data, home / "runs" / "again", "again")
    assert not (home / "runs" / "again").exists()


def test_no_accuracy_on_private_test_is_told_before_its_look_is_in_the_ledger(
    home: Path, noise: Path, data: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table of orders told how many PrivateTest answers are right, and whoever then went away had not looked."""
    from fer_core.cli import main

    frame = table(data, order=SORTED)
    frame.columns = ["row", *NAMES]
    path = written(frame[frame["row"].isin(data.rows(PRIVATE_TEST))], tmp_path / "net.csv")
    with pytest.raises(ClosedError, match="a look"):
        look(path, data)
    with pytest.raises(ModelError, match="owner"):
        look(path, data, visitor=True)
    assert not (home / ledger.FILE).exists()
    arguments = ["predictions", "import", str(path), "--data", str(noise)]
    assert main(arguments) == 2
    assert "of PrivateTest" in capsys.readouterr().err
    [told] = ledger.read(home / ledger.FILE)
    assert (told["run"], told["note"]) == ("net", TRIED_NOTE)
    # The same answers scored under the same name tell nothing new.
    assert main([*arguments, "--classes", "alphabetical"]) == 0
    assert ledger.read(home / ledger.FILE) == [told]
    assert metrics_of(RunFolder(home / "runs" / "net"))["opened"]["looks"] == 1
    assert main([*arguments, "--classes", "alphabetical", "--name", "again"]) == 0
    assert [line["run"] for line in ledger.read(home / ledger.FILE)] == ["net", "again"]


@pytest.mark.parametrize(
    ("public", "training", "tried_on"), [(60, 0, "PublicTest"), (20, 50, "Training and PublicTest")]
)
def test_the_order_is_tried_on_other_faces_than_private_test_where_enough_have_answers(
    home: Path, data: Dataset, tmp_path: Path, public: int, training: int, tried_on: str
) -> None:
    rows = np.concatenate([data.rows(TRAINING)[:training], data.rows(PUBLIC_TEST)[:public], data.rows(PRIVATE_TEST)])
    frame = pd.DataFrame(make_probabilities(data.labels[rows], 0.8), columns=SORTED).assign(row=rows)
    found = look(written(frame, tmp_path / "net.csv"), data)
    assert (found.tried_on, found.tried) == (tried_on, public + training)
    assert found.likeliest.order.name == FER
    assert found.splits == (PRIVATE_TEST,)
    assert not (home / ledger.FILE).exists()
    with pytest.raises(ModelError, match="owner"):
        look(tmp_path / "net.csv", data, visitor=True)


def test_answers_for_a_part_of_private_test_are_no_look(home: Path, data: Dataset, tmp_path: Path) -> None:
    frame = table(data)
    path = written(frame[frame["row"].isin(data.rows(PRIVATE_TEST)[1:])], tmp_path / "net.csv")
    with pytest.raises(ModelError, match="no split as a whole"):
        look(path, data, out=home / "runs" / "net")
    assert not (home / ledger.FILE).exists()
