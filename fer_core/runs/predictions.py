"""``predictions.parquet``: a model's probabilities for every test face, and the scores that follow from them.

Each line carries the face's row number in its dataset. Nothing is ever matched by order.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT
from fer_core.errors import RunError
from fer_core.files import write_parquet

if TYPE_CHECKING:
    import pandas as pd


PROBABILITY_COLUMNS = tuple(f"p{label}" for label in range(COUNT))
COLUMNS = ("row", "split", "label", *PROBABILITY_COLUMNS)
TWIN = "twin"
"""The column that says whether a face has a twin in Training. Older files lack it."""


def write_predictions(
    path: str | Path,
    rows: npt.ArrayLike,
    splits: npt.ArrayLike,
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    twin: npt.ArrayLike | None = None,
) -> None:
    """Write the file atomically.

    ``rows``: int (n,), row numbers in the dataset. ``splits``: str (n,). ``labels``: int (n,), 0..6.
    ``probabilities``: float (n, 7). ``twin``: bool (n,), whether a face has an exact or near twin in Training,
    ``twins.near[rows]``; without it the file does not say. Raises ``ValueError`` if the lengths
    differ or a row occurs twice.
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
    columns: dict[str, Any] = {"row": row, "split": pa.array(split.tolist(), pa.string()), "label": label}
    columns |= {name: values[:, index] for index, name in enumerate(PROBABILITY_COLUMNS)}
    if twin is not None:
        has = np.asarray(twin)
        if has.shape != row.shape or has.dtype != np.bool_:
            raise ValueError(f"twin must hold {len(row)} times true or false, not {has.dtype} {has.shape}")
        columns[TWIN] = has
    write_parquet(pa.table(columns), Path(path))


def read_predictions(path: str | Path) -> pd.DataFrame:
    """The file as a DataFrame: ``row`` int32, ``split`` str, ``label`` int8, ``p0``..``p6`` float32.

    And ``twin`` bool, where the file says.

    Raises ``RunError`` when it is missing, unreadable or lacks a column.
    """
    import pandas as pd
    import pyarrow as pa

    again = "Make it again with: python -m fer_core evaluate RUN --data DATASET"
    try:
        frame = pd.read_parquet(path)
    except FileNotFoundError:
        raise RunError(f"{path} does not exist. {again}") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RunError(f"{path} is damaged ({error}). {again}") from error
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise RunError(f"{path} is damaged: it has no column {', '.join(missing)}. {again}")
    return frame[[*COLUMNS, *([TWIN] if TWIN in frame.columns else [])]]


def probabilities_of(frame: pd.DataFrame) -> npt.NDArray[np.float32]:
    """The seven probability columns, float32 (n, 7), in label order."""
    return frame[list(PROBABILITY_COLUMNS)].to_numpy(dtype=np.float32)
