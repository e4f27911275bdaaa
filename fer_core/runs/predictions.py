"""``predictions.parquet``: a model's probabilities for every test face, and the scores that follow from them.

Each line carries the face's row number in its dataset. Nothing is ever matched by order.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired

import numpy as np
import numpy.typing as npt
from typing_extensions import TypedDict

from fer_core.emotions import COUNT, SPLITS
from fer_core.files import write_parquet
from fer_core.reading import UnreadableError, parse, read_table
from fer_core.runs.reading import damaged

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

AGAIN = "Make it again with: python -m fer_core evaluate RUN --data DATASET"
SUM_TOLERANCE = 1e-3
"""How far the seven probabilities of a face may be from 1 together: float32 and half precision are far within."""
PROBABILITY_COLUMNS = tuple(f"p{label}" for label in range(COUNT))
COLUMNS = ("row", "split", "label", *PROBABILITY_COLUMNS)
NEAR_DUPLICATE = "near_duplicate"
"""The column that says whether a face has an exact or near duplicate in Training. Older files lack it."""
_OLD_TWIN = "twin"
"""What the column was called in runs of schema 1."""
_KEY = b"fer_predictions"
MOST_ROWS = 2**31
"""Row numbers are stored as int32."""


def write_predictions(
    path: str | Path,
    rows: npt.ArrayLike,
    splits: npt.ArrayLike,
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    near_duplicate: npt.ArrayLike | None = None,
    *,
    fingerprint: str = "",
) -> None:
    """Write the file atomically.

    ``rows``: int (n,), row numbers in the dataset. ``splits``: str (n,). ``labels``: int (n,), 0..6.
    ``probabilities``: float (n, 7). ``near_duplicate``: bool (n,), whether a face has an exact or near twin in
    Training, ``near_duplicates.exact_or_near[rows]``; without it the file does not say. ``fingerprint``: the dataset's,
    kept in the file. Raises ``ValueError`` if the lengths differ or a row occurs twice.
    """
    import pyarrow as pa

    row = np.asarray(rows, dtype=np.int32)
    split = np.asarray(splits, dtype=np.str_)
    label = np.asarray(labels, dtype=np.int8)
    values = np.asarray(probabilities, dtype=np.float32)
    if not (row.shape == split.shape == label.shape == (len(values),)) or values.shape != (len(row), COUNT):
        raise ValueError(
            f"rows {row.shape}, splits {split.shape}, labels {label.shape} and probabilities {values.shape} "
            f"must be (n,), (n,), (n,) and (n, {COUNT})"
        )
    if len(np.unique(row)) != len(row):
        raise ValueError("a row number occurs twice")
    columns: dict[str, Any] = {"row": row, "split": pa.array(split, pa.string()), "label": label}
    columns |= {name: values[:, index] for index, name in enumerate(PROBABILITY_COLUMNS)}
    if near_duplicate is not None:
        has = np.asarray(near_duplicate)
        if has.shape != row.shape or has.dtype != np.bool_:
            raise ValueError(f"near_duplicate must hold {len(row)} times true or false, not {has.dtype} {has.shape}")
        columns[NEAR_DUPLICATE] = has
    about = json.dumps({"fingerprint": fingerprint}).encode()
    table = pa.table(columns).replace_schema_metadata({_KEY: about})
    write_parquet(table, Path(path), split_bytes=["row", *PROBABILITY_COLUMNS])


class _About(TypedDict):
    """What the file says of itself in its metadata."""

    fingerprint: NotRequired[str]


@dataclass(frozen=True, eq=False)
class Predictions:
    """What ``predictions.parquet`` holds of n faces, in the order of the file.

    Attributes:
        rows: int64 (n,), row numbers in the dataset, each once.
        splits: str (n,).
        labels: int64 (n,), 0..6.
        probabilities: float32 (n, 7); each row adds up to 1.
        near_duplicate: bool (n,), whether a face has an exact or near duplicate in Training; None where the file does
            not say.
    """

    rows: npt.NDArray[np.int64]
    splits: npt.NDArray[np.str_]
    labels: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float32]
    near_duplicate: npt.NDArray[np.bool_] | None

    def __len__(self) -> int:
        return len(self.rows)


def read_arrays(path: Path, *, fingerprint: str = "", faces: int | None = None, again: str = AGAIN) -> Predictions:
    """The file, checked. ``fingerprint`` and ``faces`` are those of the dataset, where they are known.

    Raises ``RunError``, ending with the sentence ``again``, when it is missing, no Parquet file, lacks a column or has
    one of another type, is about other faces than those of ``fingerprint``, where both are known, and when its content
    is not what :func:`problem_with` expects.
    """
    try:
        table = read_table(path, COLUMNS, (NEAR_DUPLICATE, _OLD_TWIN))
        _check_types(table)
        own = parse((table.schema.metadata or {}).get(_KEY, b"{}"), _About).get("fingerprint", "")
        if own and fingerprint and own != fingerprint:
            raise UnreadableError("it is about other faces than it should be")
    except UnreadableError as error:
        raise damaged(path, error, again) from None
    near_duplicate = next((name for name in (NEAR_DUPLICATE, _OLD_TWIN) if name in table.column_names), None)
    found = Predictions(
        rows=_numbers(table, "row").astype(np.int64),
        splits=np.asarray(table["split"].to_pylist(), dtype=np.str_),
        labels=_numbers(table, "label").astype(np.int64),
        probabilities=np.stack([_numbers(table, name) for name in PROBABILITY_COLUMNS], axis=1).astype(np.float32),
        near_duplicate=np.asarray(table[near_duplicate].to_pylist(), dtype=np.bool_) if near_duplicate else None,
    )
    if problem := problem_with(found, faces=faces):
        raise damaged(path, problem, again)
    return found


def read_predictions(
    path: str | Path, *, fingerprint: str = "", faces: int | None = None, again: str = AGAIN
) -> pd.DataFrame:
    """:func:`read_arrays` as a DataFrame: ``row`` int32, ``split`` str, ``label`` int8, ``p0``..``p6`` float32.

    And ``near_duplicate`` bool, where the file says.
    """
    import pandas as pd

    found = read_arrays(Path(path), fingerprint=fingerprint, faces=faces, again=again)
    columns: dict[str, Any] = {
        "row": found.rows.astype(np.int32),
        "split": pd.array(found.splits.tolist(), dtype="str"),
        "label": found.labels.astype(np.int8),
        **{name: found.probabilities[:, index] for index, name in enumerate(PROBABILITY_COLUMNS)},
    }
    return pd.DataFrame(columns if found.near_duplicate is None else {**columns, NEAR_DUPLICATE: found.near_duplicate})


def problem_with(found: Predictions, *, faces: int | None = None) -> str:
    """What is wrong with predictions, as the end of a sentence; empty where nothing is.

    Rows are unique, not negative and below ``faces``; splits are those of FER-2013; labels 0..6; probabilities finite,
    not negative, and add up to 1 within a thousandth.
    """
    rows, labels, values = found.rows, found.labels, found.probabilities.astype(np.float64)
    if not len(rows):
        return "it holds no face"
    if rows.min() < 0:
        return "it has a negative row number"
    if len(np.unique(rows)) != len(rows):
        return "a row number occurs twice"
    if faces is not None and rows.max() >= faces:
        return f"it has row number {rows.max():,}, and the dataset has only {faces:,} faces"
    if rows.max() >= MOST_ROWS:
        return f"it has row number {rows.max():,}, and no dataset has so many faces"
    if not np.isin(found.splits, SPLITS).all():
        return f"it knows splits other than {', '.join(SPLITS)}"
    if labels.min() < 0 or labels.max() >= COUNT:
        return f"a label is outside 0..{COUNT - 1}"
    if not np.isfinite(values).all():
        return "a probability is not finite"
    if values.min() < 0:
        return "a probability is negative"
    if np.abs(values.sum(axis=1) - 1).max() > SUM_TOLERANCE:
        return "the probabilities of a face do not add up to 1"
    return ""


def _numbers(table: pa.Table, name: str) -> npt.NDArray[Any]:
    # Not to_numpy(), which imports pandas: half a second, and whoever lists runs needs no DataFrame.
    return np.from_dlpack(table[name].combine_chunks())


def _check_types(table: pa.Table) -> None:
    """Raises :class:`UnreadableError` for a column of another kind than it should have, or with gaps."""
    import pyarrow.types as kinds

    wanted = {"row": kinds.is_integer, "split": _is_text, "label": kinds.is_integer}
    wanted |= {NEAR_DUPLICATE: kinds.is_boolean, _OLD_TWIN: kinds.is_boolean}
    for field in table.schema:
        if not wanted.get(field.name, kinds.is_floating)(field.type):
            raise UnreadableError(f"its column {field.name} holds {field.type}")
        if table[field.name].null_count:
            raise UnreadableError(f"its column {field.name} has gaps")


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow.types as kinds

    return bool(
        kinds.is_string(kind)
        or kinds.is_large_string(kind)
        or (kinds.is_dictionary(kind) and kinds.is_string(kind.value_type))
    )


def probabilities_of(frame: pd.DataFrame) -> npt.NDArray[np.float32]:
    """The seven probability columns, float32 (n, 7), in label order."""
    return frame[list(PROBABILITY_COLUMNS)].to_numpy(dtype=np.float32)
