"""A shard's Parquet file, written row by row: faces with what the models say of them, and files without any."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from fer_core.data.scored_folder import (
    BOX,
    FACE,
    FILE,
    KEY,
    LABEL,
    PIXELS,
    PROBLEM,
    SCORE,
    TIME,
    ShardRecord,
    answer_column,
    probability_columns,
)
from fer_core.emotions import IMAGE_SIZE, NAMES
from fer_core.inference.detectors import Face
from fer_core.inference.predictor import Probabilities

GROUP = 1_000
"""Rows that are held until they are written: some 2.5 MB."""


def schema_of(models: Sequence[str], *, labels: bool) -> pa.Schema:
    """The columns; see :mod:`fer_core.data.scored_folder`. ``labels``: whether there is one of labels."""
    fields = [(FILE, pa.string()), (TIME, pa.float64()), (FACE, pa.int32())]
    fields += [(name, pa.int32()) for name in BOX] + [(SCORE, pa.float32())]
    fields += [(LABEL, pa.string())] if labels else []
    for model in models:
        fields.append((answer_column(model), pa.string()))
        fields += [(name, pa.float32()) for name in probability_columns(model)]
    return pa.schema([*fields, (PROBLEM, pa.string()), (PIXELS, pa.binary(IMAGE_SIZE**2))])


class ShardTable:
    """A file that is written in groups of rows, for use in a ``with`` statement. What raises leaves half a file."""

    def __init__(self, path: Path, models: Sequence[str], *, labels: bool) -> None:
        self._models, self._labels = tuple(models), labels
        self._schema = schema_of(models, labels=labels)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd", write_page_checksum=True)
        self._rows: list[dict[str, Any]] = []
        self._files = self._faces = self._unreadable = self._without_face = 0

    def __enter__(self) -> ShardTable:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._writer.close()

    def add_file(self, name: str, faces: int, problem: str = "") -> None:
        """A file is done: ``faces`` of it were added before. One with neither face nor problem is a row of its own."""
        self._files += 1
        self._unreadable += bool(problem)
        self._without_face += not problem and not faces
        if problem or not faces:
            self._append({**self._head(name), PROBLEM: _storable(problem) or None})

    def add_face(
        self,
        name: str,
        number: int,
        face: Face,
        pixels: npt.NDArray[np.uint8],
        answers: Mapping[str, Probabilities],
        time_s: float | None = None,
    ) -> None:
        """A face, ``number`` from 1, uint8 (48, 48), with the seven probabilities of each model, float32 (7,)."""
        self._faces += 1
        row = self._head(name) | {TIME: time_s, FACE: number, SCORE: face.score, PIXELS: pixels.tobytes()}
        row |= dict(zip(BOX, (face.x, face.y, face.width, face.height), strict=True))
        for model in self._models:
            values = answers[model]
            row[answer_column(model)] = NAMES[int(values.argmax())]
            row |= zip(probability_columns(model), values.tolist(), strict=True)
        self._append(row)

    @property
    def unreadable(self) -> int:
        """How many of the files so far have a problem."""
        return self._unreadable

    def finish(self, seal: str, number: int) -> ShardRecord:
        """Write what is left, and what the shard says of itself."""
        self._flush()
        record = ShardRecord(
            seal=seal,
            shard=number,
            files=self._files,
            faces=self._faces,
            unreadable=self._unreadable,
            without_face=self._without_face,
        )
        self._writer.add_key_value_metadata({KEY.decode(): json.dumps(record)})
        return record

    def _head(self, name: str) -> dict[str, Any]:
        row: dict[str, Any] = {FILE: _storable(name)}
        if self._labels:
            parent = name.rpartition("/")[0]
            row[LABEL] = _storable(parent.rpartition("/")[2]) or None
        return row

    def _append(self, row: dict[str, Any]) -> None:
        self._rows.append(row)
        if len(self._rows) >= GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


def _storable(text: str) -> str:
    """Text as UTF-8 can hold it: names of files need not be UTF-8, and their odd bytes are written out."""
    return text.encode("utf-8", "backslashreplace").decode()
