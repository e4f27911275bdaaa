"""Histories of other people's trainings, in the forms that Keras leaves behind."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path

import pytest

from fer_core.bring.history import read_foreign_history, write_foreign_history
from fer_core.errors import ModelError
from fer_core.runs.journal import history_rows

KERAS = {"loss": [1.5, 1.2], "acc": [0.3, 0.5], "val_loss": [1.6, 1.4], "val_acc": [0.25, 0.4], "lr": [0.1, 0.01]}


def test_keras_history_and_csv_logger_become_the_runs_own(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text(json.dumps(KERAS))
    rows = read_foreign_history(tmp_path / "h.json")
    write_foreign_history(tmp_path / "history.csv", rows)
    assert history_rows(tmp_path / "history.csv") == rows
    told = [(row["epoch"], row["val_accuracy"], row["learning_rate"]) for row in rows]
    assert told == [(1, 0.25, 0.1), (2, 0.4, 0.01)]
    (tmp_path / "log.csv").write_text("epoch;accuracy;loss;val_accuracy;val_loss\n0;30;1.5;25;1.6\n1;50;1.2;40;1.4\n")
    logged = read_foreign_history(tmp_path / "log.csv")
    assert [(row["epoch"], row["accuracy"], row["val_accuracy"]) for row in logged] == [(1, 0.3, 0.25), (2, 0.5, 0.4)]
    assert read_foreign_history(tmp_path / "history.csv") == rows


HEAD = "epoch,loss,accuracy,val_loss,val_accuracy"
ROWS = [dict(zip(("epoch", *KERAS), numbers, strict=True)) for numbers in zip([0, 1], *KERAS.values(), strict=True)]


@pytest.mark.parametrize(
    "text",
    [
        str(KERAS),
        re.sub(r"([\d.]+)", r"np.float32(\1)", str(KERAS)),
        json.dumps({name: [str(one) for one in numbers] for name, numbers in KERAS.items()}),
        json.dumps({name: dict(enumerate(numbers)) for name, numbers in KERAS.items()}),
        json.dumps(ROWS),
        "\n".join(map(json.dumps, ROWS)),
        json.dumps({"epoch": [0, 1], "params": {"epochs": 2}, "history": KERAS}),
        json.dumps(json.dumps(KERAS)),
        "epoch;loss;acc;val_loss;val_acc;lr\n0;1,5;0,3;1,6;0,25;0,1\n1;1,2;0,5;1,4;0,4;1e-2\n",
        'epoch,loss,acc,val_loss,val_acc,lr\n0,"1,5","0,3","1,6","0,25","0,1"\n1,"1,2","0,5","1,4","0,4","0,01"\n',
        "Epoch, Train Loss, TrainAcc, Val Loss, ValAcc, LR\n0, 1.5, 30, 1.6, 25, 0.1\n1, 1.2, 50, 1.4, 40, 0.01\n",
    ],
    ids=["printed", "NumPy", "words", "pandas", "records", "lines", "whole", "twice", "commas", "quoted", "spaced"],
)
def test_a_history_is_read_as_notebooks_commonly_write_it(text: str, tmp_path: Path) -> None:
    (tmp_path / "plain.json").write_text(json.dumps(KERAS))
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (tmp_path / "h.txt").write_text(text, encoding=encoding)
        assert read_foreign_history(tmp_path / "h.txt") == read_foreign_history(tmp_path / "plain.json"), encoding


def test_an_accuracy_rounded_to_more_than_1_is_not_taken_for_per_cent(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text(json.dumps({**KERAS, "acc": [0.5, 1.0000001]}))
    assert [row["accuracy"] for row in read_foreign_history(tmp_path / "h.json")] == [0.5, 1.0]


def test_of_a_model_with_two_heads_the_figures_of_the_whole_are_taken(tmp_path: Path) -> None:
    heads = {"emotion_loss": [9, 9], "emotion_acc": [0.9, 0.9], "top_2_acc": [1, 1]}
    (tmp_path / "h.json").write_text(json.dumps({**heads, **KERAS}))
    assert [row["loss"] for row in read_foreign_history(tmp_path / "h.json")] == KERAS["loss"]


@pytest.mark.parametrize("content", [pickle.dumps(KERAS), b"\x93NUMPY\x01\x00" + pickle.dumps(KERAS)])
def test_a_pickled_history_is_refused_with_what_to_write_instead(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "h.pkl").write_bytes(content)
    with pytest.raises(ModelError, match=r"pickle.*json\.dump"):
        read_foreign_history(tmp_path / "h.pkl")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "JSON"),
        ("", "no loss"),
        ("[" * 5000, "JSON"),
        (json.dumps({**KERAS, "val_loss": [1]}), "2 epochs of loss and 1 of val_loss"),
        (json.dumps({**KERAS, "loss": ["a", 1]}), "'a', which is no number, as loss of epoch 1"),
        (json.dumps({**KERAS, "loss": [1, float("nan")]}), "nan as loss of epoch 2"),
        (json.dumps({**KERAS, "loss": [10**400, 1]}), "no number"),
        (json.dumps({**KERAS, "lr": [0.1, None]}), "nothing as learning_rate of epoch 2"),
        (json.dumps({**KERAS, "acc": [0.5, 200]}), "200 as accuracy"),
        (json.dumps({name: [] for name in KERAS}), "0 epochs"),
        (f"{HEAD}\n0,1,5,0,3,1,6,0,25\n", "9 cells in line 1"),
        (f"{HEAD}\n0,1,0.3,1,{'1' * 200_000}\n", "no table"),
        (json.dumps({"loss": [1]}), "no accuracy"),
    ],
)
def test_what_is_no_history_is_refused(text: str, word: str, tmp_path: Path) -> None:
    (tmp_path / "h.txt").write_text(text)
    with pytest.raises(ModelError, match=word):
        read_foreign_history(tmp_path / "h.txt")
