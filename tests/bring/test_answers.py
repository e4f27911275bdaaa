"""Answers brought without their model: their order asked about, scored, and sealed as a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_answers import SORTED, table, written
from PIL import Image

from fer_core.bring.answer_values import ANSWERS, PROBABILITIES
from fer_core.bring.answers import bring, look
from fer_core.bring.orders import ALPHABETICAL, DECLARED, FER
from fer_core.data.dataset import Dataset
from fer_core.emotions import NAMES, PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import FerError, ModelError
from fer_core.runs.card import card_of
from fer_core.runs.contracts import Origin
from fer_core.runs.listing import list_runs
from fer_core.runs.predictions import probabilities_of


def true_accuracy(data: Dataset, frame: pd.DataFrame) -> float:
    answers = np.array([NAMES.index(name) for name in frame[list(NAMES)].idxmax(axis=1)])
    return float(np.mean(answers == data.labels[frame["row"]]))


def test_probabilities_become_a_run_of_which_every_figure_is_theirs(home: Path, data: Dataset, tmp_path: Path) -> None:
    frame = table(data, order=SORTED)
    found = look(written(frame, tmp_path / "net.csv"), data)
    assert (found.kind, found.assumed.order.name, found.doubtful) == (PROBABILITIES, DECLARED, False)
    run = bring(found, data, home / "runs" / "net", "My net")
    info = next(one for one in list_runs() if one.name == "net")
    assert info.complete, info.problem
    assert (info.origin, info.has_model, info.is_brought) == (Origin.PREDICTIONS, False, True)
    metrics, stored = run.metrics(), run.predictions()
    assert metrics is not None
    assert stored is not None
    assert set(metrics["splits"]) == {PUBLIC_TEST, PRIVATE_TEST}
    n = sum(scores["n"] for scores in metrics["splits"].values())
    right = sum(scores["n"] * scores["accuracy"] for scores in metrics["splits"].values())
    assert right / n == pytest.approx(true_accuracy(data, frame))
    expected = frame.set_index("row").loc[stored["row"], list(NAMES)].to_numpy()
    np.testing.assert_allclose(probabilities_of(stored), expected, atol=1e-5)
    record = run.import_record()
    assert record["source"] == "net.csv"
    assert record["classes"] == SORTED
    assert record["evidence"]["chosen_by"] == "evidence"
    assert record["evidence"]["split"] == PUBLIC_TEST


def test_columns_in_another_order_than_they_say_are_asked_about(home: Path, data: Dataset, tmp_path: Path) -> None:
    """Alphabetical probabilities under FER-2013's names: 40 points would be lost without a word."""
    frame = table(data, order=SORTED)
    frame.columns = ["row", *NAMES]
    path = written(frame, tmp_path / "net.csv")
    found = look(path, data)
    assert found.doubtful
    assert "--classes alphabetical" in found.question()
    with pytest.raises(ModelError, match="in doubt"):
        bring(found, data, home / "runs" / "net", "net")
    assert list_runs() == []
    chosen = look(path, data, classes="alphabetical")
    assert not chosen.doubtful
    assert chosen.assumed.accuracy == pytest.approx(found.likeliest.accuracy)
    record = bring(chosen, data, home / "runs" / "net", "net").import_record()
    assert (record["order"], record["evidence"]["chosen_by"]) == (ALPHABETICAL, "owner")


def test_the_owner_may_insist_on_the_order_that_does_worse(data: Dataset, tmp_path: Path) -> None:
    frame = table(data, order=SORTED)
    frame.columns = ["row", *NAMES]
    path = written(frame, tmp_path / "net.csv")
    for said in (FER, ",".join(NAMES)):
        found = look(path, data, classes=said)
        assert not found.doubtful
        assert found.assumed.accuracy < found.likeliest.accuracy


@pytest.mark.parametrize("words", [True, False])
def test_answers_alone_are_enough(home: Path, data: Dataset, tmp_path: Path, words: bool) -> None:
    frame = table(data)
    named = frame[list(NAMES)].idxmax(axis=1)
    answer = named.str.replace("happy", "Happiness") if words else named.map(NAMES.index)
    path = written(pd.DataFrame({"row": frame["row"], "answer": answer}), tmp_path / "said.csv")
    found = look(path, data)
    assert found.kind == ANSWERS
    run = bring(found, data, home / "runs" / "said", "said")
    metrics = run.metrics()
    assert metrics is not None
    assert not run.tells_confidence
    assert "ECE" not in card_of(run)
    assert "temperature" not in metrics
    n = sum(scores["n"] for scores in metrics["splits"].values())
    right = sum(scores["n"] * scores["accuracy"] for scores in metrics["splits"].values())
    assert right / n == pytest.approx(true_accuracy(data, frame))


def test_contempt_is_left_out_and_missing_classes_are_never_answered(home: Path, data: Dataset, tmp_path: Path) -> None:
    frame = table(data)
    eight = frame.assign(Contempt=frame["happy"] / 2)
    eight[[*NAMES, "Contempt"]] = eight[[*NAMES, "Contempt"]].div(1 + frame["happy"] / 2, axis=0)
    record = bring(look(written(eight, tmp_path / "eight.csv"), data), data, home / "runs" / "a", "a").import_record()
    assert record["left_out"] == ["contempt"]
    six = frame.drop(columns="disgust")
    six[six.columns[1:]] = six[six.columns[1:]].div(six[six.columns[1:]].sum(axis=1), axis=0)
    run = bring(look(written(six, tmp_path / "six.csv"), data), data, home / "runs" / "b", "b")
    assert run.import_record()["missing"] == ["disgust"]
    stored = run.predictions()
    assert stored is not None
    assert (stored["p1"] == 0).all()


def test_the_command_shows_the_table_and_stops_where_it_is_in_doubt(
    home: Path, noise: Path, data: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from fer_core.cli import main

    frame = table(data, order=SORTED)
    frame.columns = ["row", *NAMES]
    path = str(written(frame, tmp_path / "my net.csv"))
    arguments = ["predictions", "import", path, "--data", str(noise)]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert "--classes alphabetical" in said
    assert "affectnet" in said
    assert main([*arguments, "--classes", "alphabetical", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert Path(result["run"]) == home / "runs" / "my-net"
    assert result["import"]["classes"] == SORTED
    assert main(["runs", "my-net"]) == 0
    assert "no model to ask" in capsys.readouterr().out
    picture = tmp_path / "face.png"
    Image.fromarray(np.asarray(data.images[0])).save(picture)
    for command in (
        ["evaluate", "my-net", "--data", str(noise)],
        ["export", "my-net", "--data", str(noise)],
        ["predict", str(picture), "--model", "my-net"],
        ["explain", "face", "--row", "0", "--data", str(noise), "--models", "my-net", "--out", str(tmp_path / "f.png")],
    ):
        assert main(command) == 2, command
        assert "no model to ask" in capsys.readouterr().err, command


def test_a_run_of_answers_that_lost_its_account_is_damaged(home: Path, data: Dataset, tmp_path: Path) -> None:
    run = bring(look(written(table(data), tmp_path / "net.csv"), data), data, home / "runs" / "net", "net")
    record = run.import_path.read_text(encoding="utf-8")
    run.import_path.write_text(record.replace("net.csv", "own.csv"), encoding="utf-8")
    assert "import.json" in list_runs()[0].problem
    run.import_path.unlink()
    assert "import.json" in list_runs()[0].problem
    found = look(tmp_path / "net.csv", data)
    with pytest.raises(FerError, match="exists already"):
        bring(found, data, run.path, "net")
