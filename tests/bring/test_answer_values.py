"""What the numbers of answers are: probabilities, logits or votes, in more columns than seven, too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_answers import table, written

from fer_core.bring.answer_values import LOGITS, PER_CENT, PROBABILITIES, SHARES, VOTES
from fer_core.bring.answers import look
from fer_core.data.dataset import Dataset
from fer_core.emotions import NAMES
from fer_core.errors import ModelError


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda values: np.log(values + 1e-9), LOGITS),
        (lambda values: 3 * np.log(values + 1e-9) + 5, LOGITS),
        (lambda values: 100 * values, PER_CENT),
        (lambda values: values**0.5 / 2, SHARES),
        (lambda values: values.round(2), PROBABILITIES),
    ],
)
def test_what_the_numbers_are_is_found_out(
    data: Dataset, tmp_path: Path, change: Callable[[np.ndarray], np.ndarray], kind: str
) -> None:
    frame = table(data).sort_values("row")
    before = frame[list(NAMES)].to_numpy()
    frame[list(NAMES)] = change(before.astype(np.float64))
    found = look(written(frame, tmp_path / "net.csv"), data)
    assert found.kind == kind
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-9)
    assert np.mean(found.probabilities.argmax(axis=1) == before.argmax(axis=1)) > 0.98


@pytest.mark.parametrize("form", ["csv", "npy"])
def test_true_and_false_are_answers(data: Dataset, tmp_path: Path, form: str) -> None:
    frame = table(data).sort_values("row")
    best = frame[list(NAMES)].to_numpy().argmax(axis=1)
    flags = np.eye(7, dtype=bool)[best]
    path = tmp_path / f"net.{form}"
    if form == "csv":
        written(pd.DataFrame(flags, columns=list(NAMES)).assign(row=frame["row"].to_numpy()), path)
    else:
        np.save(path, flags)
    assert np.array_equal(look(path, data).probabilities.argmax(axis=1), best)


def test_numbers_of_votes_are_shares_and_no_logits(data: Dataset, tmp_path: Path) -> None:
    """Three votes to two are 60 %; as logits they would be 73 %."""
    frame = table(data)
    frame[list(NAMES)] = np.round(frame[list(NAMES)] * 10).astype(int)
    found = look(written(frame, tmp_path / "votes.csv"), data)
    assert found.kind == VOTES
    wanted = frame.sort_values("row")[list(NAMES)].to_numpy()
    np.testing.assert_allclose(found.probabilities, wanted / wanted.sum(axis=1, keepdims=True))
    frame.iloc[3, 1:] = 0
    with pytest.raises(ModelError, match="no vote in line 4"):
        look(written(frame, tmp_path / "votes.csv"), data)


def test_more_than_eight_columns_of_which_three_are_none_of_the_seven_are_understood(
    data: Dataset, tmp_path: Path
) -> None:
    """FER+'s ten were refused as a model of ten classes."""
    frame = table(data)
    for name in ("contempt", "unknown", "NF"):
        frame[name] = 0.1
    frame[list(NAMES)] *= 0.7
    found = look(written(frame, tmp_path / "ten.csv"), data)
    assert found.assumed.order.classes == (*NAMES, "other")
    np.testing.assert_allclose(found.probabilities[:, -1], 0.3, atol=1e-6)


def votes(data: Dataset) -> pd.DataFrame:
    """Whole numbers of votes on the test faces in the dataset's order, in FER+'s ten columns."""
    frame = table(data).sort_values("row")
    frame[list(NAMES)] = np.round(frame[list(NAMES)] * 10).astype(int)
    frame = frame.assign(contempt=1, unknown=np.arange(len(frame)) % 3, NF=0)
    return frame[["neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt", "unknown", "NF"]]


@pytest.mark.parametrize("form", ["npy", "csv"])
def test_ferpluss_ten_columns_need_no_names(form: str, data: Dataset, tmp_path: Path) -> None:
    """An array has none, so it was refused as one of ten classes, and the same votes as a table were brought."""
    frame = votes(data)
    path = tmp_path / f"votes.{form}"
    if form == "npy":
        np.save(path, frame.to_numpy(dtype=np.uint8))
    else:
        frame.to_csv(path, index=False, header=False)
    found = look(path, data)
    assert (found.kind, found.doubtful) == (VOTES, False)
    assert found.assumed.order.classes == (*frame.columns[:7], "other")
    wanted = frame.to_numpy() / frame.to_numpy().sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.probabilities[:, :7], wanted[:, :7])
    np.testing.assert_allclose(found.probabilities[:, 7], wanted[:, 7:].sum(axis=1))
    assert any("FER+" in note for note in found.notes)
    said = look(path, data, classes="ferplus")
    assert said.by_owner
    np.testing.assert_allclose(said.probabilities, found.probabilities)


def test_ten_columns_in_another_order_are_asked_about_and_can_be_named(data: Dataset, tmp_path: Path) -> None:
    frame = votes(data)
    frame = frame[sorted(frame.columns)]
    np.save(tmp_path / "votes.npy", frame.to_numpy())
    with pytest.raises(ModelError, match="Name them all in their order"):
        look(tmp_path / "votes.npy", data)
    with pytest.raises(ModelError, match="Name them all after --classes"):
        look(tmp_path / "votes.npy", data, classes="alphabetical")
    found = look(tmp_path / "votes.npy", data, classes=",".join(frame.columns))
    assert (found.by_owner, found.doubtful) == (True, False)
    assert set(found.assumed.order.classes) == {*NAMES, "other"}
    assert not any("FER+" in note for note in found.notes)
    assert found.assumed.accuracy == found.fits[0].accuracy
    with pytest.raises(ModelError, match="9 classes are named"):
        look(tmp_path / "votes.npy", data, classes=",".join(frame.columns[:9]))
    np.save(tmp_path / "nine.npy", frame.to_numpy()[:, :9])
    with pytest.raises(ModelError, match="9 answers a face"):
        look(tmp_path / "nine.npy", data)
