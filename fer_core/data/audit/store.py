"""``audit.parquet``: an audit kept in the dataset folder, so that it is paid for once.

It is a cache. It counts only if it was made from the very same faces (fingerprint) by the very same rule (version and
threshold); anything else, a damaged file included, is as if it were not there, and the audit is done again.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from fer_core.data.audit.near_duplicates import THRESHOLD, Neighbours
from fer_core.data.audit.result import MOST_NEAR_DUPLICATES, Audit
from fer_core.data.dataset import Dataset
from fer_core.files import write_parquet

AUDIT_FILE = "audit.parquet"
RULE = 1
"""Raise it whenever the findings or the columns change their meaning."""

_KEY = b"fer_audit"
_LISTS = ("near_row", "near_ncc", "near_mirrored")


def read(dataset: Dataset) -> Audit | None:
    """The audit kept in the dataset's folder, or None when there is none that fits."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = dataset.path / AUDIT_FILE
    try:
        if not path.is_file() or (pq.read_schema(path).metadata or {}).get(_KEY) != _identity(dataset):
            return None
        table = pq.read_table(path)
        columns = {name: table[name].combine_chunks() for name in table.column_names}
        plain = {name: column.to_numpy(zero_copy_only=False) for name, column in columns.items() if name not in _LISTS}
        lists = [columns[name] for name in _LISTS]
        values = [part.flatten().to_numpy(zero_copy_only=False) for part in lists]
        if not np.array_equal(plain.pop("row"), np.arange(len(dataset))):
            return None
        return Audit(
            dataset.info.fingerprint,
            THRESHOLD,
            dataset.labels,
            dataset.splits,
            **plain,
            nearest=Neighbours(lists[0].offsets.to_numpy().astype(np.int64), *values),
            cached=True,
        )
    except (pa.ArrowException, OSError, ValueError, KeyError):
        return None


def write(dataset: Dataset, audit: Audit) -> str:
    """Keep an audit made with the standard threshold, atomically.

    Returns an empty text, or why it could not be kept: nobody needs the file, so a folder that must not be written to
    is no error.
    """
    import pyarrow as pa

    start = pa.array(audit.nearest.start.astype(np.int32))
    columns: dict[str, Any] = {
        "row": np.arange(len(audit), dtype=np.int32),
        "group": audit.group,
        "constant": audit.constant,
        "nearly_constant": audit.nearly_constant,
        "near_count": audit.near_count,
        "near_row": pa.ListArray.from_arrays(start, pa.array(audit.nearest.row)),
        "near_ncc": pa.ListArray.from_arrays(start, pa.array(audit.nearest.ncc)),
        "near_mirrored": pa.ListArray.from_arrays(start, pa.array(audit.nearest.mirrored)),
        "training_row": audit.training_row,
        "training_ncc": audit.training_ncc,
        "training_mirrored": audit.training_mirrored,
    }
    table = pa.table(columns).replace_schema_metadata({_KEY: _identity(dataset)})
    path = dataset.path / AUDIT_FILE
    try:
        write_parquet(table, path)
    except OSError as error:
        return f"The result could not be kept in {path}: {error.strerror or error}. The next audit starts anew."
    return ""


def _identity(dataset: Dataset) -> bytes:
    what = {"fingerprint": dataset.info.fingerprint, "rule": RULE, "threshold": THRESHOLD, "kept": MOST_NEAR_DUPLICATES}
    return json.dumps(what, sort_keys=True).encode()
