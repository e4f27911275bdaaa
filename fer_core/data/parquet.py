"""Write a Parquet file so that a reader sees the old one or the new one, never half of one."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def write_parquet(table: pa.Table, path: Path, *, split_bytes: Sequence[str] = ()) -> None:
    """Write ``table`` to a temporary sibling and rename it. Raises ``OSError``, with nothing left behind.

    ``split_bytes`` names columns of numbers that hardly ever repeat: without a dictionary, and with their high bytes
    apart from their low ones, they compress better.
    """
    import pyarrow.parquet as pq

    options = {
        "use_dictionary": [name for name in table.column_names if name not in split_bytes],
        "use_byte_stream_split": list(split_bytes),
    }
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        pq.write_table(table, temporary, compression="zstd", **options)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
