"""FER+: ten people's votes on each face of FER-2013, joined to a dataset by row position.

Barsoum et al., 2016, *Training Deep Networks for Facial Expression Recognition with Crowd-Sourced Label Distribution*
(https://arxiv.org/abs/1608.01041); ``fer2013new.csv`` from https://github.com/microsoft/FERPlus. Line i of the file
(the header not counted) belongs to line i of ``fer2013.csv``. Its image names are not used: they are empty for faces
that were thrown out, and their numbers do not keep step with the lines.

The votes are kept beside the dataset, in ``ferplus.parquet``: ``row`` int32, one int8 column for each of
:data:`ANSWERS`, and the dataset's fingerprint in the file's metadata.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_core import emotions
from fer_core.data.archives import CsvStream, open_csv, reading
from fer_core.data.dataset import Dataset
from fer_core.errors import DataError
from fer_core.files import write_parquet
from fer_core.writable import check_writable, explained

FERPLUS_FILE = "ferplus.parquet"

ANSWERS: tuple[str, ...] = (*emotions.NAMES, "contempt", "unknown", "not a face")
"""What the crowd could answer: our seven classes in label order, then three that are none of them."""

TIE = "a tie"
REASONS: tuple[str, ...] = ("", TIE, *ANSWERS[emotions.COUNT :])
"""Why the crowd gives no label. The position is the code in :attr:`Crowd.reasons`; 0 means that there is a label."""

MOST_VOTES = 10
LEAST_AGREEMENT = 0.4
"""Share of labels that the crowd must share for the rows to count as being in order. In FER-2013's own order it is
about 0.65; in any other order about 0.19, what chance gives."""

_COLUMNS = (
    *("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"),
    *("contempt", "unknown", "NF"),
)
_KEY = b"fer_ferplus"
_RULE = b"1"
_WHERE = "Get fer2013new.csv from https://github.com/microsoft/FERPlus."

Votes = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Crowd:
    """The crowd's votes on every face of a dataset, by row number.

    ``votes``: int8 (N, 10), 0..10 votes, columns as :data:`ANSWERS`. A face has ten votes as a rule, at least one.
    """

    votes: Votes

    def __len__(self) -> int:
        return len(self.votes)

    def labels(self) -> npt.NDArray[np.int8]:
        """The crowd's label, int8 (N,): 0..6, the answer with most votes, or -1 where there is none.

        There is none where two answers share the most votes, or where contempt, "unknown" or "not a face" has the
        most: :attr:`reasons` says which.
        """
        return np.where(self.reasons == 0, self._first, -1).astype(np.int8)

    @cached_property
    def reasons(self) -> npt.NDArray[np.int8]:
        """Why there is no label, int8 (N,): positions in :data:`REASONS`, 0 where there is one."""
        tied = (self.votes == self._most[:, np.newaxis]).sum(axis=1) > 1
        other = np.maximum(self._first - emotions.COUNT + 2, 0)
        return np.where(tied, REASONS.index(TIE), np.where(self._first < emotions.COUNT, 0, other)).astype(np.int8)

    def reason(self, row: int) -> str:
        """Why this face has no label, as a sentence; an empty text where it has one."""
        reason = REASONS[int(self.reasons[row])]
        if not reason:
            return ""
        if reason == TIE:
            first = [name for name, votes in self.answers(row) if votes == self._most[row]]
            return f"The crowd is split between {', '.join(first[:-1])} and {first[-1]}."
        words = {"contempt": "contempt, which is none of the seven classes", "unknown": "that it cannot tell"}
        return f"Most of the crowd says {words.get(reason, 'that this is not a face')}."

    def answers(self, row: int) -> list[tuple[str, int]]:
        """The answers that this face got, and how many votes each; most votes first."""
        votes = self.votes[row]
        order = np.argsort(-votes, kind="stable")
        return [(ANSWERS[answer], int(votes[answer])) for answer in order if votes[answer]]

    def agreement(self, row: int) -> float:
        """How much the crowd agrees with itself on a face: share of its votes for the commonest answer, above 0..1."""
        return float(self._most[row] / self.votes[row].sum(dtype=np.int64))

    def support(self, labels: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Share of each face's votes for the given label: float32 (N,), 0..1. ``labels``: int (N,), 0..6."""
        given = np.asarray(labels, dtype=np.int64)
        if given.shape != (len(self),) or (len(given) and not 0 <= given.min() <= given.max() < emotions.COUNT):
            raise ValueError(f"{len(self)} labels in 0..{emotions.COUNT - 1} were expected, not shape {given.shape}")
        return (self.votes[np.arange(len(self)), given] / self.votes.sum(axis=1, dtype=np.int64)).astype(np.float32)

    @cached_property
    def _first(self) -> npt.NDArray[np.intp]:
        return self.votes.argmax(axis=1)

    @cached_property
    def _most(self) -> Votes:
        return self.votes.max(axis=1)


def add_ferplus(dataset: Dataset, path: str | Path) -> Crowd:
    """Join FER+ to a dataset by row position and keep it in the dataset's folder; returns the votes.

    ``path``: ``fer2013new.csv``, plain or packed (gz, xz, zip, tar). What was there before is replaced, at the very
    end. Raises ``DataError`` when the file cannot be read or is not FER+, when the dataset was not imported from
    FER-2013's CSV, when rows or splits differ, when the rows do not seem to be in the same order, or when the folder
    cannot be written to.
    """
    if dataset.info.kind != "csv":
        raise DataError(
            f"{dataset.info.title} was not imported from FER-2013's CSV, so its faces are in another order than FER+'s "
            "lines, and nothing else tells which belong together. Import fer2013.csv, then add FER+ to that."
        )
    source = Path(path).expanduser()
    check_writable(dataset.path, "FER+", DataError)
    votes, usage = _read_csv(source)
    _check_splits(dataset, source, usage)
    crowd = Crowd(votes)
    _check_order(dataset, source, crowd)
    _write(dataset, votes)
    return crowd


def read_ferplus(dataset: Dataset) -> Crowd | None:
    """The votes kept in the dataset's folder; None when FER+ was not added.

    Raises ``DataError`` when the file is damaged or belongs to other faces.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = dataset.path / FERPLUS_FILE
    if not path.is_file():
        return None
    try:
        table = pq.read_table(path)
        metadata = table.schema.metadata or {}
        rows = table["row"].to_numpy()
        votes = np.stack([table[name].to_numpy() for name in ANSWERS], axis=1)
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise _unfit(path, f"it cannot be read ({error})") from error
    if metadata.get(_KEY) != _identity(dataset):
        raise _unfit(path, "it was made for other faces, or by another version")
    if votes.dtype != np.int8 or not np.array_equal(rows, np.arange(len(dataset))) or not _plausible(votes):
        raise _unfit(path, "its rows or votes are not what they should be")
    return Crowd(votes)


def remove_ferplus(dataset: Dataset) -> bool:
    """Take FER+ out of the dataset's folder again. False when it was not there. ``DataError`` if it cannot be."""
    path = dataset.path / FERPLUS_FILE
    with explained(f"{path} cannot be removed", DataError):
        try:
            path.unlink()
        except FileNotFoundError:
            return False
    return True


def _read_csv(path: Path) -> tuple[Votes, npt.NDArray[np.str_]]:
    """Votes int8 (n, 10), columns as :data:`ANSWERS`, and Usage str (n,)."""
    if not path.is_file():
        raise DataError(f"There is no file {path}. {_WHERE}")
    with open_csv(path) as stream, reading(stream.name):
        try:
            return _parse(stream)
        except UnicodeDecodeError as error:
            raise DataError(f"{stream.name} is not a text file, so it is no CSV. {_WHERE}") from error
        except csv.Error as error:
            raise DataError(f"{stream.name} is not a well-formed CSV: {error}. {_WHERE}") from error


def _parse(stream: CsvStream) -> tuple[Votes, npt.NDArray[np.str_]]:
    reader = csv.reader(stream.text)
    header = [column.strip().lower() for column in next(reader, [])]
    wanted = ["usage", *(column.lower() for column in _COLUMNS)]
    if missing := [column for column in wanted if header.count(column) != 1]:
        raise DataError(
            f"{stream.name}, line 1: FER+ has one column {missing[0]!r}, and this file has "
            f"{header.count(missing[0])}. This is not FER+. {_WHERE}"
        )
    positions = [header.index(column) for column in wanted]
    known = {split.lower(): split for split in emotions.SPLITS}
    votes: list[list[int]] = []
    usage: list[str] = []
    for line in reader:
        if not line:
            continue
        where = f"{stream.name}, line {reader.line_num:,}"
        if len(line) != len(header):
            raise DataError(f"{where}: {len(line)} columns instead of {len(header)}. Download the file again. {_WHERE}")
        split, *numbers = (line[position].strip() for position in positions)
        if split.lower() not in known:
            shown = repr(split[:30])
            raise DataError(f"{where}: unknown Usage {shown}; there are {', '.join(emotions.SPLITS)}.", quoted=[shown])
        usage.append(known[split.lower()])
        votes.append([_vote(text, where) for text in numbers])
        if not 1 <= sum(votes[-1]) <= MOST_VOTES:
            raise DataError(f"{where}: {sum(votes[-1])} votes, and a face has 1 to {MOST_VOTES}. {_WHERE}")
    if not votes:
        raise DataError(f"{stream.name} has no votes in it. {_WHERE}")
    return np.array(votes, dtype=np.int8), np.array(usage, dtype="<U11")


def _vote(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 2 or int(text) > MOST_VOTES:
        shown = repr(text[:30])
        raise DataError(
            f"{where}: {shown} is no number of votes; there are 0 to {MOST_VOTES}. {_WHERE}", quoted=[shown]
        )
    return int(text)


def _check_splits(dataset: Dataset, source: Path, usage: npt.NDArray[np.str_]) -> None:
    if len(usage) != len(dataset):
        raise DataError(
            f"{source} has {len(usage):,} rows, and {dataset.info.title} has {len(dataset):,} faces. FER+ goes with "
            "the whole FER-2013 in its original order, 35,887 faces: import fer2013.csv uncut, or get FER+ again."
        )
    differing = np.flatnonzero(usage != dataset.splits)
    if len(differing):
        row = int(differing[0])
        raise DataError(
            f"{source}, row {row:,} (counted from 0) belongs to {usage[row]}, and face {row:,} of "
            f"{dataset.info.title} to {dataset.splits[row]}; they differ in {len(differing):,} rows. So the faces are "
            "not in FER-2013's original order. Import fer2013.csv as it was published, then add FER+ to that."
        )


def _check_order(dataset: Dataset, source: Path, crowd: Crowd) -> None:
    """Splits of the right size say nothing about the order inside them; labels do."""
    crowds = crowd.labels()
    for split in emotions.SPLITS:
        judged = (dataset.splits == split) & (crowds >= 0)
        if not judged.any():
            continue
        share = float(np.mean(crowds[judged] == dataset.labels[judged]))
        if share < LEAST_AGREEMENT:
            raise DataError(
                f"{source} gives the label of {dataset.info.title} for only {100 * share:.0f} % of {split}, and for "
                "FER-2013 in its original order it does for about 65 %. So the rows do not belong together. Import "
                "fer2013.csv as it was published, in its own order, then add FER+ to that."
            )


def _write(dataset: Dataset, votes: Votes) -> None:
    import pyarrow as pa

    columns: dict[str, Any] = {"row": np.arange(len(votes), dtype=np.int32)}
    columns |= {name: np.ascontiguousarray(votes[:, answer]) for answer, name in enumerate(ANSWERS)}
    table = pa.table(columns).replace_schema_metadata({_KEY: _identity(dataset)})
    path = dataset.path / FERPLUS_FILE
    try:
        write_parquet(table, path)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}. Nothing was changed.") from error


def _plausible(votes: Votes) -> bool:
    totals = votes.sum(axis=1, dtype=np.int64)
    return not len(votes) or bool(votes.min() >= 0 and totals.min() >= 1 and totals.max() <= MOST_VOTES)


def _identity(dataset: Dataset) -> bytes:
    return _RULE + b" " + dataset.info.fingerprint.encode()


def _unfit(path: Path, reason: str) -> DataError:
    return DataError(f"{path} does not fit: {reason}. Remove it, and add fer2013new.csv again.")
