"""``answers.parquet`` of a dataset folder: what models said of each face before it was imported, where they did.

``row`` int32, then seven float32 columns a model; the SHA-256 of each model's file in the metadata. Only datasets made
of a scored folder have it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.data.scored_folder import probability_columns
from fer_core.emotions import COUNT
from fer_core.errors import DataError
from fer_core.reading import UnreadableError, parse
from fer_core.value_types import Sha256

if TYPE_CHECKING:
    import pyarrow.parquet as pq

ANSWERS_FILE = "answers.parquet"
_ROW = "row"
_MODELS = b"fer_models"
"""Of the metadata: the models' hashes by name, as JSON. Missing where an earlier version wrote the file."""

Probabilities = npt.NDArray[np.float32]


class AnswersWriter:
    """The file, written batch by batch."""

    def __init__(self, path: Path, models: Sequence[str], hashes: Mapping[str, str] | None = None) -> None:
        """``hashes``: the SHA-256 of the models' files by name, where that is known."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._models, self._rows = tuple(models), 0
        columns = [name for model in models for name in probability_columns(model)]
        about = {_MODELS: json.dumps(dict(hashes))} if hashes else None
        self._schema = pa.schema([(_ROW, pa.int32()), *((name, pa.float32()) for name in columns)], about)
        self._file: pq.ParquetWriter = pq.ParquetWriter(path, self._schema, compression="zstd", use_dictionary=False)

    def add(self, answers: Mapping[str, Probabilities]) -> None:
        """The next faces: float32 (n, 7) of each model. Raises ``OSError``, and ``KeyError`` without one of them."""
        import pyarrow as pa

        values = [answers[model] for model in self._models]
        number = len(values[0])
        rows = np.arange(self._rows, self._rows + number, dtype=np.int32)
        columns = [np.ascontiguousarray(one[:, label]) for one in values for label in range(COUNT)]
        self._file.write_table(pa.table([rows, *columns], schema=self._schema))
        self._rows += number

    def close(self) -> None:
        self._file.close()


def read_answers(folder: Path, faces: int) -> dict[str, Probabilities]:
    """By model, in the order in which they were asked: float32 (``faces``, 7). Empty where the dataset has none.

    Raises ``DataError`` where the file is damaged, or is about another number of faces.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / ANSWERS_FILE
    if not path.is_file():
        return {}
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(folder, str(error)) from error
    names = table.column_names[1:]
    models = [name.rpartition(":")[0] for name in names[::COUNT]]
    if [name for model in models for name in probability_columns(model)] != names or table.num_rows != faces:
        raise _damaged(folder, "it has other columns or lines than it should")
    return {
        model: np.stack([table[name].to_numpy() for name in probability_columns(model)], axis=1).astype(np.float32)
        for model in models
    }


def read_models(folder: Path) -> dict[str, str]:
    """The SHA-256 of the files of the models that answered, by name. Of a vote it is that of its ``vote.json``. Empty
    where an earlier version wrote the file, or the dataset has none.

    Raises ``DataError`` where the file is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / ANSWERS_FILE
    if not path.is_file():
        return {}
    try:
        metadata = pq.read_schema(path).metadata or {}
        return parse(metadata[_MODELS], dict[str, Sha256]) if _MODELS in metadata else {}
    except (pa.ArrowException, OSError, UnreadableError) as error:
        raise _damaged(folder, str(error)) from error


def _damaged(folder: Path, reason: str) -> DataError:
    return DataError(f"{folder / ANSWERS_FILE} cannot be read ({reason}). Import the scored folder again.")
