"""A scored folder as a source of faces: labelled where its rows have labels, else as nobody labelled them.

Where there are no labels, the answer of all its models together stands in their place, so that faces can be filtered
and framed by it; the dataset says that nobody labelled them, and nothing is measured or trained on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.data.imported_faces import Batch
from fer_core.data.scored_folder import (
    FACE,
    FILE,
    LABEL,
    PIXELS,
    PROBLEM,
    TIME,
    finished_shards,
    probability_columns,
    read_manifest,
)
from fer_core.data.stated import Stated
from fer_core.data.understanding import Corrections, FoundSplit, LeftOutTally, Understanding
from fer_core.emotions import COUNT, IMAGE_SIZE, PUBLIC_TEST
from fer_core.errors import DataError
from fer_core.formatting import listed, plural

if TYPE_CHECKING:
    import pyarrow as pa

BATCH = 512


class ScoredSource:
    """A :class:`~fer_core.data.imported_faces.FaceSource` of a folder that ``score`` wrote."""

    def __init__(self, folder: Path, said: Corrections) -> None:
        """Read labels and answers. Raises ``DataError`` where the folder is not finished, damaged, or has no face."""
        self.label = str(folder)
        self.left_out = LeftOutTally()
        manifest = read_manifest(folder)
        self._shards = list(finished_shards(folder, manifest))
        self._models = {model["name"]: model["sha256"] for model in manifest["models"]}
        words: Counter[tuple[str, str]] = Counter()
        answers = np.zeros(COUNT, dtype=np.int64)
        unlabelled = 0
        for table in self._tables([LABEL, *self._columns()]):
            found = [_word(word) for word in table[LABEL].to_pylist()] if LABEL in table.column_names else []
            words.update((word, "") for word in found if word)
            unlabelled += table.num_rows - sum(map(bool, found))
            answers += np.bincount(self._together(table), minlength=COUNT)
        if not answers.sum():
            raise DataError(f"{folder} holds no face: none of its files could be read, or nobody is in them.")
        self._stated = Stated(words, said, where=str(folder), hint=folder.name) if words else None
        self.held_out: Mapping[str, float] = self._stated.held_out if self._stated else {}
        self.understanding = self._understood(answers)

    def _understood(self, answers: npt.NDArray[np.int64]) -> Understanding:
        layout = f"A scored folder: {plural(len(self._shards), 'shard')}, answers of {listed(list(self._models))}"
        if self._stated is not None:
            return Understanding(
                f"{layout}, with labels.",
                self._stated.classes,
                self._stated.splits,
                self._stated.left_out,
                reassigned=self._stated.reassigned,
            )
        split = FoundSplit(PUBLIC_TEST, tuple(answers.tolist()), "the models' answers")
        return Understanding(f"{layout}, without labels.", splits=(split,), labelled=False)

    def batches(self) -> Iterator[Batch]:
        """All faces in the order of shards. Raises ``DataError`` where a class is in doubt."""
        if self._stated is not None:
            self._stated.require_answers(self.label)
        self.left_out = LeftOutTally()
        for table in self._tables([FILE, TIME, FACE, PROBLEM, LABEL, PIXELS, *self._columns()], count=True):
            names = [
                f"{file}#{face}" if time_s is None else f"{file}@{time_s:.3f}#{face}"
                for file, time_s, face in zip(*(table[name].to_pylist() for name in (FILE, TIME, FACE)), strict=True)
            ]
            labels = self._labels(table, names)
            faces = table[PIXELS].to_pylist()
            for at, face in enumerate(faces):
                if labels[at] >= 0 and not (isinstance(face, bytes) and len(face) == IMAGE_SIZE**2):
                    self.left_out.add("faces without their pixels", names[at])
                    labels[at] = -1
            kept = np.flatnonzero(labels >= 0)
            if not len(kept):
                continue
            pixels = b"".join(faces[at] for at in kept)
            split = PUBLIC_TEST if self._stated is None else self._stated.split("")
            yield Batch(
                np.frombuffer(pixels, np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE),
                labels[kept].astype(np.int8),
                [split] * len(kept),
                [names[at] for at in kept],
                {model: _probabilities(table, model)[kept] for model in self._models},
                self._models,
            )

    def notes(self) -> list[str]:
        """That nobody labelled the faces, where it is so."""
        return (
            [] if self._stated else ["Nobody has labelled these faces: what stands for labels are answers of models."]
        )

    def _labels(self, table: pa.Table, names: list[str]) -> npt.NDArray[np.int64]:
        """0..6, or -1 for what is left out."""
        if self._stated is None:
            return self._together(table)
        labels = np.full(table.num_rows, -1)
        for at, cell in enumerate(table[LABEL].to_pylist()):
            word = _word(cell)
            label = self._stated.label(word) if word else None
            if label is None:
                self.left_out.add(self._stated.kind_of(word) if word else "faces without a label", names[at])
            else:
                labels[at] = label
        return labels

    def _together(self, table: pa.Table) -> npt.NDArray[np.int64]:
        """The likeliest class by the mean of all models: int64 (n,)."""
        return np.asarray(np.mean([_probabilities(table, model) for model in self._models], axis=0).argmax(axis=1))

    def _columns(self) -> list[str]:
        return [name for model in self._models for name in probability_columns(model)]

    def _tables(self, columns: list[str], *, count: bool = False) -> Iterator[pa.Table]:
        """Rows that are faces, some hundred at a time; of ``columns`` those that a shard has. ``count``: what others
        there are joins what is left out."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        for path in self._shards:
            try:
                with pq.ParquetFile(path, page_checksum_verification=True) as file:
                    there = [name for name in dict.fromkeys([*columns, FACE]) if name in file.schema_arrow.names]
                    for batch in file.iter_batches(BATCH, columns=there, use_threads=False):
                        table = pa.Table.from_batches([batch])
                        faces = pc.is_valid(table[FACE])
                        if count:
                            self._count(table.filter(pc.invert(faces)).to_pylist())
                        table = table.filter(faces)
                        if table.num_rows:
                            yield table
            except (pa.ArrowException, OSError, KeyError) as error:
                reason = str(error).splitlines()[0][:200]
                raise DataError(f"{path} cannot be read: {reason}. Delete it and score once more.") from error

    def _count(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            kind = "files that could not be read" if row[PROBLEM] else "files without a face"
            self.left_out.add(kind, row[FILE])


def _probabilities(table: pa.Table, model: str) -> npt.NDArray[np.float32]:
    return np.stack([table[name].to_numpy() for name in probability_columns(model)], axis=1).astype(np.float32)


def _word(cell: object) -> str:
    return "" if cell is None else str(cell).strip()
