"""Files of answers in every form, and those that hold none or do not hold together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_answers import table, test_rows, written

from fer_core.bring.answers import look
from fer_core.data.dataset import Dataset
from fer_core.emotions import NAMES
from fer_core.errors import ModelError


def as_csv(separator: str, decimal: str = ".", encoding: str = "utf-8") -> Callable[[pd.DataFrame, Path], Path]:
    def write(frame: pd.DataFrame, folder: Path) -> Path:
        return written(frame, folder / "net.csv", sep=separator, decimal=decimal, encoding=encoding)

    return write


def as_parquet(frame: pd.DataFrame, folder: Path) -> Path:
    frame.to_parquet(folder / "net.parquet")
    return folder / "net.parquet"


def with_index(frame: pd.DataFrame, folder: Path) -> Path:
    frame.sort_values("row").drop(columns="row").reset_index(drop=True).to_csv(folder / "net.csv")
    return folder / "net.csv"


def in_order(frame: pd.DataFrame, folder: Path) -> Path:
    return written(frame.sort_values("row").drop(columns="row"), folder / "net.csv")


def without_header(frame: pd.DataFrame, folder: Path) -> Path:
    return written(frame, folder / "net.csv", header=False)


def our_own(frame: pd.DataFrame, folder: Path) -> Path:
    """As the app's own download calls its columns."""
    renamed = frame.rename(columns={name: f"p{label}" for label, name in enumerate(NAMES)})
    return written(renamed.assign(split="PublicTest", label=0, near_duplicate=False), folder / "net.csv")


def prefixed(frame: pd.DataFrame, folder: Path) -> Path:
    return written(frame.rename(columns={name: f"prob_{name.title()}" for name in NAMES}), folder / "net.csv")


def numbered_with_rows(frame: pd.DataFrame, folder: Path) -> Path:
    renamed = frame.rename(columns={name: str(label) for label, name in enumerate(NAMES)})
    return written(renamed[[*map(str, range(7)), "row"]], folder / "net.csv")


def per_cent_signs(frame: pd.DataFrame, folder: Path) -> Path:
    return written(
        frame.assign(**{name: (100 * frame[name]).map("{:.5f} %".format) for name in NAMES}), folder / "a.csv"
    )


def lists(frame: pd.DataFrame, folder: Path) -> Path:
    values = [str(row) for row in frame[list(NAMES)].to_numpy().tolist()]
    return written(pd.DataFrame({"row": frame["row"], "probs": values}), folder / "net.csv")


def lists_in_parquet(frame: pd.DataFrame, folder: Path) -> Path:
    pd.DataFrame({"row": frame["row"], "probs": list(frame[list(NAMES)].to_numpy())}).to_parquet(folder / "net.parquet")
    return folder / "net.parquet"


def per_cent_with_commas(frame: pd.DataFrame, folder: Path) -> Path:
    shares = frame[list(NAMES)].map(lambda value: f"{100 * value:.5f} %".replace(".", ","))
    return written(pd.concat([frame[["row"]], shares], axis=1), folder / "net.csv", sep=";")


def below_comments(frame: pd.DataFrame, folder: Path) -> Path:
    path = folder / "net.csv"
    path.write_text("# my net, run 3\nsep=;\n" + frame.to_csv(index=False, sep=";"))
    return path


def in_brackets(frame: pd.DataFrame, folder: Path) -> Path:
    return written(frame.rename(columns={name: f"P({name.title()})" for name in NAMES}), folder / "net.csv")


def by_savetxt(frame: pd.DataFrame, folder: Path) -> Path:
    np.savetxt(folder / "net.txt", frame.sort_values("row")[list(NAMES)].to_numpy())
    return folder / "net.txt"


@pytest.mark.parametrize(
    "write",
    [
        per_cent_with_commas,
        below_comments,
        in_brackets,
        by_savetxt,
        numbered_with_rows,
        per_cent_signs,
        lists,
        lists_in_parquet,
        as_csv(","),
        as_csv(";", ","),
        as_csv("\t", encoding="utf-8-sig"),
        as_csv(",", encoding="utf-16"),
        as_parquet,
        with_index,
        in_order,
        without_header,
        our_own,
        prefixed,
    ],
)
def test_every_form_of_the_same_table_is_read_alike(
    data: Dataset, tmp_path: Path, write: Callable[[pd.DataFrame, Path], Path]
) -> None:
    frame = table(data)
    found = look(write(frame, tmp_path), data)
    assert not found.doubtful
    assert np.array_equal(found.rows, test_rows(data))
    np.testing.assert_allclose(found.probabilities, frame.sort_values("row")[list(NAMES)], atol=1e-6)


def broken(change: Callable[[pd.DataFrame], object]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def apply(frame: pd.DataFrame) -> pd.DataFrame:
        new = frame.reset_index(drop=True).astype({"row": object})
        result = change(new)
        return result if isinstance(result, pd.DataFrame) else new

    return apply


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (broken(lambda frame: frame.__setitem__("row", [*frame["row"][:-1], frame["row"][0]])), "more than once"),
        (broken(lambda frame: frame.__setitem__("row", [*frame["row"][:-1], 420])), "row 420"),
        (broken(lambda frame: frame.__setitem__("row", [*frame["row"][:-1], -1])), "row -1"),
        (broken(lambda frame: frame.__setitem__("row", [*frame["row"][:-1], "x"])), "'x'"),
        (broken(lambda frame: frame.__setitem__("happy", [np.nan, *frame["happy"][1:]])), "happy is empty"),
        (broken(lambda frame: frame.__setitem__("happy", ["nan", *frame["happy"][1:]])), "NaN"),
        (broken(lambda frame: frame.__setitem__("happy", ["high", *frame["happy"][1:]])), "'high'"),
        (broken(lambda frame: frame.__setitem__("happy", [3.0, *frame["happy"][1:]])), "add up"),
        (broken(lambda frame: frame.__setitem__("happy", [-0.01, *frame["happy"][1:]])), "no probability"),
        (broken(lambda frame: frame[["row", "happy", "sad"]]), "neither"),
        (broken(lambda frame: frame.iloc[:0]), "no face"),
        (broken(lambda frame: frame.assign(glad=frame["sad"]).drop(columns=["sad", "angry", "fear"])), "neither"),
    ],
)
def test_what_does_not_hold_together_is_said_in_a_sentence(
    data: Dataset, tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], word: str
) -> None:
    path = written(change(table(data)), tmp_path / "net.csv")
    with pytest.raises(ModelError, match=word):
        look(path, data)


def test_files_that_hold_no_answers_are_refused(data: Dataset, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
            return (Path.touch, (tmp_path / "ran",))  # type: ignore[return-value]

    def array(value: object) -> bytes:
        np.save(tmp_path / "x.npy", np.asarray(value), allow_pickle=True)
        return (tmp_path / "x.npy").read_bytes()

    for name, content, word in (
        ("a.npy", array([Evil()]), "programs"),
        ("a.npy", array(np.zeros((3, 48, 48))), "3×48×48"),
        ("a.npy", array(np.full((280, 7), 1j)), "array of numbers"),
        ("a.npy", array(np.full((17, 7), 1 / 7)), "17 lines"),
        ("a.npy", b"nonsense", "no NumPy"),
        ("a.parquet", b"nonsense", "no Parquet"),
        ("a.csv", b"", "no"),
        ("a.csv", b"\x80\x81", "UTF-8"),
        ("a.pt", b"PK", "np.save"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ModelError, match=word):
            look(path, data)
    assert not (tmp_path / "ran").exists()
