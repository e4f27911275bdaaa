"""Which faces answers are about: by row, by the names of files, or by their order in a split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_answers import table, test_rows, written
from made_up_faces import make_probabilities

from fer_core.bring.answers import look
from fer_core.data.dataset import Dataset, write_dataset
from fer_core.emotions import NAMES, PRIVATE_TEST, PUBLIC_TEST, TRAINING
from fer_core.errors import ModelError


def test_an_array_is_about_the_split_whose_labels_it_fits(home: Path, data: Dataset, tmp_path: Path) -> None:
    """PublicTest and PrivateTest have as many faces each: only the labels tell them apart."""
    frame = table(data).set_index("row")
    path = tmp_path / "net.npy"
    np.save(path, frame.loc[data.rows(PUBLIC_TEST), list(NAMES)].to_numpy())
    found = look(path, data)
    assert found.splits == (PUBLIC_TEST,)
    assert np.array_equal(found.rows, data.rows(PUBLIC_TEST))
    assert any("PublicTest, in their order" in note for note in found.notes)
    np.save(path, frame.loc[data.rows(PRIVATE_TEST), list(NAMES)].to_numpy())
    with pytest.raises(ModelError, match="--split"):
        look(path, data)
    found = look(path, data, split=PRIVATE_TEST, out=home / "runs" / "net")
    assert (found.splits, found.tried_on) == ((PRIVATE_TEST,), PRIVATE_TEST)
    assert look(path, data, split=PUBLIC_TEST).splits == (PUBLIC_TEST,)


def test_only_whole_splits_are_scored(data: Dataset, tmp_path: Path) -> None:
    frame = table(data)
    some = frame[~frame["row"].isin(data.rows(PRIVATE_TEST)[:5])]
    found = look(written(some, tmp_path / "net.csv"), data)
    assert found.splits == (PUBLIC_TEST,)
    assert any("135 of the 140 faces of PrivateTest" in note for note in found.notes)
    with pytest.raises(ModelError, match="no split as a whole"):
        look(written(some.iloc[:200], tmp_path / "net.csv"), data)


def test_lines_that_count_from_0_are_not_taken_for_training_faces(data: Dataset, tmp_path: Path) -> None:
    """An index of the answers, read as row numbers, was all about Training, and nothing else was tried."""
    moved = write_dataset(
        tmp_path / "moved", data.images, data.labels, np.where(np.arange(len(data)) < 280, TRAINING, PUBLIC_TEST)
    )
    rows = moved.rows(PUBLIC_TEST)
    pd.DataFrame(make_probabilities(moved.labels[rows], 0.8), columns=list(NAMES)).to_csv(tmp_path / "net.csv")
    assert np.array_equal(look(tmp_path / "net.csv", moved).rows, rows)


def test_faces_are_known_by_the_names_of_their_files(tmp_path: Path, data: Dataset) -> None:
    names = [f"{data.splits[row]}/{NAMES[data.labels[row]]}/face_{row}.png" for row in range(len(data))]
    named = write_dataset(tmp_path / "named", data.images, data.labels, data.splits, title="Named", source_names=names)
    frame = table(named)
    for keep in (lambda name: name, lambda name: name.rsplit("/", 1)[-1], lambda name: f"C:\\data\\{name}"):
        files = frame.assign(row=[keep(names[row]) for row in frame["row"]]).rename(columns={"row": "filename"})
        found = look(written(files, tmp_path / "net.csv"), named)
        assert np.array_equal(found.rows, test_rows(named))
    files.loc[files.index[0], "filename"] = "nobody.png"
    with pytest.raises(ModelError, match=r"nobody\.png"):
        look(written(files, tmp_path / "net.csv"), named)


def test_names_of_files_need_a_dataset_that_knows_its_own(data: Dataset, tmp_path: Path) -> None:
    """Each name was taken for all faces at once."""
    frame = table(data).assign(row="C:\\faces\\1.png").rename(columns={"row": "file"})
    with pytest.raises(ModelError, match="its own were called"):
        look(written(frame, tmp_path / "net.csv"), data)
