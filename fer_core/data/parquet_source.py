"""Faces as Parquet, as Hugging Face keeps data sets: a picture's file in each row, or its pixels, and a label.

A label is a word, or a number whose names the file's own metadata tells. Several files are the parts of one set; which
split each belongs to its name tells (``train-00000-of-00001.parquet``), unless a column does.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.data.imported_faces import Batch
from fer_core.data.number_text import numbers_in
from fer_core.data.pictures import FaceCutter, decode
from fer_core.data.pixel_values import FaceMaker, PixelError, Scale, scale_of
from fer_core.data.stated import Stated, split_word
from fer_core.data.table_source import HOW_UNLABELLED, TOO_MANY_BAD
from fer_core.data.understanding import Corrections, LeftOutTally, Understanding
from fer_core.errors import DataError, UnusableFileError
from fer_core.regular_files import open_file

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

BATCH = 256
MOST_GROUP_BYTES = 1024**3
"""Unpacked, of a row group, of which a column is read at once. Hugging Face writes 100 to 1,000 rows each."""
MOST_BATCH_BYTES = 128 * 1024**2
"""Of rows that are unpacked at once, were each as large as all that is stored."""
MAGIC = b"PAR1"
_LABEL = ("label", "labels", "emotion", "emotions", "class", "target", "expression", "fine_label", "labelname")
_PICTURE = ("image", "img", "picture", "pixels", "pixel", "face", "jpg", "png", "bytes", "data")
_USAGE = ("usage", "split", "set", "subset", "partition")


@dataclass(frozen=True)
class _Part:
    """One file: its columns by name. ``names``: of numbers, by its metadata; ``usage``: None where there is none."""

    path: Path
    picture: str
    label: str
    usage: str | None
    split: str
    names: Mapping[str, str]
    rows: int


class ParquetSource:
    """A :class:`~fer_core.data.imported_faces.FaceSource` of one Parquet file, or several of one set."""

    def __init__(
        self, label: str, files: Sequence[Path], said: Corrections | None = None, cutter: FaceCutter | None = None
    ) -> None:
        """Read the labels. ``cutter`` as for :func:`~fer_core.data.pictures.decode`.

        Raises ``DataError`` for files that are damaged, too large, or hold no labelled faces.
        """
        self.label = label
        self.left_out = LeftOutTally()
        self._cutter = cutter
        self._first_bad: DataError | None = None
        self._makers: dict[Scale, FaceMaker] = {}
        self._resized = self._squeezed = self._coloured = self._cut = self._faces = 0
        self._parts = [_look(file) for file in files]
        tally: Counter[tuple[str, str]] = Counter()
        for part in self._parts:
            for rows in _columns(part.path, [part.label, *([part.usage] if part.usage else [])]):
                for row in rows:
                    if (word := _word(row[part.label])) is not None:
                        tally[word, _split(part, row)] += 1
        if not tally:
            raise DataError(
                f"{label}: no row has a label, so this is an unlabelled file. Import one with labels. {HOW_UNLABELLED}"
            )
        names = {number: name for part in self._parts for number, name in part.names.items()}
        hint = " ".join([label, *(part.path.name for part in self._parts)])
        self._stated = Stated(tally, said or Corrections(), where=label, hint=hint, names=names)
        self.held_out: Mapping[str, float] = self._stated.held_out
        first = self._parts[0]
        many = "A Parquet file" if len(self._parts) == 1 else f"{len(self._parts)} Parquet files"
        self.understanding = Understanding(
            f"{many}: “{first.picture}” is the picture, “{first.label}” the class.",
            self._stated.classes,
            self._stated.splits,
            self._stated.left_out,
            reassigned=self._stated.reassigned,
        )

    def batches(self) -> Iterator[Batch]:
        """All faces in the order of rows. Raises ``DataError`` where a class is in doubt, and when half is bad."""
        self._stated.require_answers(self.label)
        self.left_out = LeftOutTally()
        bad = 0
        for part in self._parts:
            number = 0
            for rows in _columns(part.path, [one for one in (part.picture, part.label, part.usage) if one]):
                images: list[npt.NDArray[np.uint8]] = []
                kept: list[tuple[int, str, str]] = []
                for row in rows:
                    name = f"{part.path.name}[{number}]"
                    number += 1
                    label = self._label(row[part.label], name)
                    if label is None:
                        continue
                    try:
                        images.append(self._face(row[part.picture], f"{part.path}, row {number - 1:,}"))
                    except UnusableFileError as problem:
                        bad += 1
                        self.left_out.add(problem.kind, name)
                        self._first_bad = self._first_bad or DataError(str(problem))
                        continue
                    kept.append((label, self._stated.split(_split(part, row)), name))
                if kept:
                    labels = np.array([label for label, _, _ in kept], np.int8)
                    yield Batch(np.stack(images), labels, [split for _, split, _ in kept], [name for *_, name in kept])
        if self._first_bad is not None and bad > TOO_MANY_BAD * sum(part.rows for part in self._parts):
            raise self._first_bad

    def notes(self) -> list[str]:
        """What was done to the faces."""
        notes = [note for maker in self._makers.values() for note in maker.notes()]
        if self._resized:
            tail = f"; {self._squeezed:,} of them were not square and are distorted" if self._squeezed else ""
            notes.append(f"{self._resized:,} of {self._faces:,} pictures were not 48×48 pixels and were resized{tail}.")
        if self._cut:
            notes.append(f"In {self._cut:,} of {self._faces:,} pictures a face was found and cut out.")
        if self._cutter is not None and self._cutter.caution:
            notes.append(self._cutter.caution)
        if self._coloured:
            notes.append(f"{self._coloured:,} of {self._faces:,} pictures were in colour and were turned to grey.")
        return notes

    def _label(self, cell: object, name: str) -> int | None:
        word = _word(cell)
        if word is None:
            self.left_out.add("faces without a label", name)
            return None
        label = self._stated.label(word)
        if label is None:
            self.left_out.add(self._stated.kind_of(word), name)
        return label

    def _face(self, cell: object, where: str) -> npt.NDArray[np.uint8]:
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        if isinstance(content, bytes):
            picture = decode(content, where, self._cutter)
            self._faces += 1
            self._resized += picture.resized
            self._squeezed += picture.squeezed and not picture.cut
            self._coloured += picture.had_colour
            self._cut += picture.cut
            return picture.pixels
        try:
            if content is None:
                raise PixelError("there is no picture in it, perhaps only the path of one")
            values = numbers_in(content) if isinstance(content, str) else np.array(content, np.float64)
            if values.size == 0:
                raise PixelError("there are no pixels in it")
            scale = scale_of(float(values.min()), float(values.max()), whole=not np.mod(values, 1).any())
            return self._makers.setdefault(scale, FaceMaker(scale)).faces(values[np.newaxis])[0]
        except (PixelError, ValueError, TypeError) as problem:
            raise UnusableFileError(f"{where}: {problem}.", "rows without a face that can be read") from None


def _look(path: Path) -> _Part:
    """Find the columns of a file, and refuse one that would fill the memory."""
    with _opened(path) as file:
        groups = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
        if any(group.total_byte_size > MOST_GROUP_BYTES for group in groups):
            raise DataError(
                f"{path} has row groups of more than {MOST_GROUP_BYTES / 1e9:.1f} GB, which are read at once. Write it "
                "anew with smaller ones (row_group_size=1000)."
            )
        schema, rows = file.schema_arrow, file.metadata.num_rows
    columns = {re.sub(r"[^a-z_]", "", name.lower()): name for name in schema.names}
    picture = next((columns[one] for one in _PICTURE if one in columns), None)
    if picture is None:
        picture = next((name for name in schema.names if _holds_pictures(schema.field(name).type)), None)
    label = next((columns[one] for one in _LABEL if one in columns), None)
    if picture is None or label is None:
        missing = "pictures (such as image)" if picture is None else "labels (such as label)"
        shown = ", ".join(schema.names[:8])
        raise DataError(f"{path} has no column of {missing}; its columns are: {shown}.", quoted=[shown])
    usage = next((columns[one] for one in _USAGE if one in columns), None)
    return _Part(path, picture, label, usage, split_word(path.stem), _class_names(schema, label), rows)


def _holds_pictures(kind: pa.DataType) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return any(kind.field(i).name == "bytes" for i in range(kind.num_fields))
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_list(kind))


def _class_names(schema: pa.Schema, label: str) -> dict[str, str]:
    """What Hugging Face's metadata call the numbers of a column; empty where they say nothing that is understood."""
    content = (schema.metadata or {}).get(b"huggingface")
    if content is None:
        return {}
    try:
        found: Any = json.loads(content)
        names = found["info"]["features"][label]["names"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    if isinstance(names, dict):
        return {str(number): str(name) for number, name in names.items()}
    return {str(number): str(name) for number, name in enumerate(names)} if isinstance(names, list) else {}


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Opened by us: a pipe in its place is not waited for.
        with open_file(path) as raw, pq.ParquetFile(raw) as file:
            yield file
    except (pa.ArrowException, EOFError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else "it ends too early"
        raise DataError(f"{path} is no Parquet file that can be read: {reason}. Download it again.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {str(error).splitlines()[0][:200]}.") from error


def _columns(path: Path, columns: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    """The rows of some columns, a few hundred at a time, or fewer where each may be large."""
    with _opened(path) as file:
        # A value that stands once in a file's dictionary may stand in every row.
        largest = max(1, _largest_chunk(file, columns))
        rows = max(1, min(BATCH, MOST_BATCH_BYTES // largest))
        for batch in file.iter_batches(batch_size=rows, columns=list(columns), use_threads=False):
            yield batch.to_pylist()


def _largest_chunk(file: pq.ParquetFile, columns: Sequence[str]) -> int:
    """Bytes, unpacked, of the largest piece in which one of the columns is stored."""
    chunks = (
        file.metadata.row_group(group).column(column)
        for group in range(file.num_row_groups)
        for column in range(file.metadata.num_columns)
    )
    return max(
        (one.total_uncompressed_size for one in chunks if one.path_in_schema.split(".")[0] in columns), default=0
    )


def _word(cell: object) -> str | None:
    # Hugging Face's sign for a face that has no label.
    if cell is None or cell == -1:
        return None
    if isinstance(cell, float):
        return str(int(cell)) if cell == cell and cell % 1 == 0 else None
    return str(cell).strip() or None


def _split(part: _Part, row: Mapping[str, Any]) -> str:
    return str(row[part.usage] or "").strip() if part.usage is not None else part.split
