"""``predictions.parquet``: a model's probabilities for every test face, and the scores that follow from them.

Each line carries the face's row number in its dataset. Nothing is ever matched by order.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT
from fer_core.errors import RunError
from fer_core.files import write_parquet
from fer_core.regular import require_file

if TYPE_CHECKING:
    import pandas as pd


PROBABILITY_COLUMNS = tuple(f"p{label}" for label in range(COUNT))
COLUMNS = ("row", "split", "label", *PROBABILITY_COLUMNS)
TWIN = "near_duplicate"
"""The column that says whether a face has an exact or near duplicate in Training. Older files lack it."""
_OLD_TWIN = "twin"
"""What the column was called in runs of schema 1."""
_KEY = b"fer_predictions"


def write_predictions(
    path: str | Path,
    rows: npt.ArrayLike,
    splits: npt.ArrayLike,
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    twin: npt.ArrayLike | None = None,
    *,
    fingerprint: str = "",
) -> None:
    """Write the file atomically.

    ``rows``: int (n,), row numbers in the dataset. ``splits``: str (n,). ``labels``: int (n,), 0..6.
    ``probabilities``: float (n, 7). ``twin``: bool (n,), whether a face has an exact or near twin in Training,
    ``twins.near[rows]``; without it the file does not say. ``fingerprint``: the dataset's, kept in the file. Raises
    ``ValueError`` if the lengths differ or a row occurs twice.
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
    about = json.dumps({"fingerprint": fingerprint}).encode()
    write_parquet(pa.table(columns).replace_schema_metadata({_KEY: about}), Path(path))


def read_predictions(path: str | Path, *, fingerprint: str = "") -> pd.DataFrame:
    """The file as a DataFrame: ``row`` int32, ``split`` str, ``label`` int8, ``p0``..``p6`` float32.

    And ``near_duplicate`` bool, where the file says.

    Raises ``RunError`` when it is missing, unreadable or lacks a column, or is about other faces than those of
    ``fingerprint``, where both are known.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    again = "Make it again with: python -m fer_core evaluate RUN --data DATASET"
    try:
        require_file(Path(path))
        table = pq.read_table(path)
        frame = table.to_pandas()
        own = str(json.loads((table.schema.metadata or {}).get(_KEY, b"{}")).get("fingerprint", ""))
    except FileNotFoundError:
        raise RunError(f"{path} does not exist. {again}") from None
    except (pa.ArrowException, OSError, ValueError, AttributeError) as error:
        raise RunError(f"{path} is damaged ({error}). {again}") from error
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise RunError(f"{path} is damaged: it has no column {', '.join(missing)}. {again}")
    if own and fingerprint and own != fingerprint:
        raise RunError(f"{path} is damaged: it is about other faces than it should be. {again}")
    frame = frame.rename(columns={_OLD_TWIN: TWIN})
    return frame[[*COLUMNS, *([TWIN] if TWIN in frame.columns else [])]]


def probabilities_of(frame: pd.DataFrame) -> npt.NDArray[np.float32]:
    """The seven probability columns, float32 (n, 7), in label order."""
    return frame[list(PROBABILITY_COLUMNS)].to_numpy(dtype=np.float32)
