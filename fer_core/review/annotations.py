"""Marks on faces: label wrong, ambiguous, not a face, model wrong. Saved at once, kept for good.

One folder a dataset, ``reviews/<fingerprint>`` in the home folder, so that marks outlive the dataset folder and hold
again when the same data are imported again. In it each process that marks has a file, which is only ever appended to
(:mod:`fer_core.review.mark_files`), and of all files the last mark of a face wins:

    {"row": 7, "mark": "label wrong", "new_label": "fear", "note": "", "time": "2026-03-01T12:00:00.000+00:00",
     "order": 1772366400000}
    {"row": 7, "mark": null, "time": "…", "order": …}   the mark is taken back
    [{"row": 1, …}, {"row": 2, …}]                      an import: all of it, or, torn, nothing

``order`` is the time of writing in milliseconds, or more: later than all that its writer had read. Clocks of hosts
differ, and whoever sees a mark and changes it comes after it all the same. Earlier versions wrote none; there, and
within each file, what stands below comes later. Who may not mark for everybody has marks in memory, of the same form.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, NAMES, index_of
from fer_core.review.mark_files import ENDING, Line, MarkFiles, MarksInMemory
from fer_core.settings import settings

LABEL_WRONG, AMBIGUOUS, NOT_A_FACE, MODEL_WRONG = "label wrong", "ambiguous", "not a face", "model wrong"
KINDS: tuple[str, ...] = (LABEL_WRONG, AMBIGUOUS, NOT_A_FACE, MODEL_WRONG)
ABOUT_THE_LABEL: tuple[str, ...] = (LABEL_WRONG, AMBIGUOUS, NOT_A_FACE)
"""Marks that say the label cannot be used as it is. "Model wrong" confirms the label."""

LONGEST_NOTE = 1000
MOST_ORDER = 2**53
"""Beyond it other readers of JSON are not exact; in milliseconds it is the year 287,396."""
MOST_IN_MEMORY = 2_000_000
"""Bytes of marks that one visit may hold: tens of thousands."""
_FINGERPRINT = re.compile(r"[0-9a-f]{16,128}")


@dataclass(frozen=True)
class Annotation:
    """What somebody thinks of one face.

    ``row``: its row number. ``kind``: one of :data:`KINDS`. ``new_label``: 0..6 with "label wrong", else None.
    ``note``: any text of at most 1,000 characters. ``time``: UTC, ISO 8601; now, unless it is given. Raises
    ``ValueError`` for anything else.
    """

    row: int
    kind: str
    new_label: int | None = None
    note: str = ""
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))

    def __post_init__(self) -> None:
        if self.row < 0:
            raise ValueError(f"a row number is 0 or more, not {self.row}")
        if self.kind not in KINDS:
            raise ValueError(f"unknown mark {self.kind[:40]!r}; there are {', '.join(KINDS)}")
        if (self.new_label is not None) != (self.kind == LABEL_WRONG):
            raise ValueError(f"{LABEL_WRONG!r} needs the right class, and no other mark has one")
        if self.new_label is not None and not 0 <= self.new_label < COUNT:
            raise ValueError(f"the right class is 0..{COUNT - 1}, not {self.new_label}")
        if len(self.note) > LONGEST_NOTE:
            raise ValueError(f"a note has at most {LONGEST_NOTE:,} characters, not {len(self.note):,}")
        try:
            zone = datetime.fromisoformat(self.time).utcoffset()
        except ValueError:
            raise ValueError(f"{self.time[:40]!r} is no time as 2026-03-01T12:00:00+00:00 is one") from None
        if zone is None:
            raise ValueError(f"{self.time!r} does not say its time zone, as +00:00 does")

    @property
    def words(self) -> str:
        """``label wrong → fear``, ``ambiguous`` and so on."""
        return self.kind if self.new_label is None else f"{self.kind} → {NAMES[self.new_label]}"

    def same_as(self, other: Annotation | None) -> bool:
        """Whether both say the same, whenever they were made."""
        return other is not None and replace(self, time=other.time) == other


class Annotations:
    """The marks of one dataset, as they are on disk. Others may write at the same time: :meth:`refresh` sees it.

    Attributes:
        path: their folder, absent until the first mark; None for marks that lie in memory and go with this object.
        problems: sentences about lines that could not be read and were left out. The files keep them.
    """

    def __init__(self, fingerprint: str, *, in_memory: bool = False) -> None:
        if not _FINGERPRINT.fullmatch(fingerprint):
            raise ValueError(f"{fingerprint!r} is no fingerprint of a dataset")
        self.path: Path | None = None if in_memory else settings().reviews_dir / fingerprint
        self.problems: tuple[str, ...] = ()
        self._lines: MarkFiles | MarksInMemory = (
            MarksInMemory(MOST_IN_MEMORY)
            if self.path is None
            else MarkFiles(self.path, before=self.path.with_suffix(ENDING))
        )
        self._name = secrets.token_hex(8) if self.path is None else str(self.path)
        # One object may serve several sessions of a server.
        self._guard = threading.RLock()
        self._forget()

    @classmethod
    def load(cls, fingerprint: str) -> Annotations:
        """The marks of the dataset with this fingerprint (``DatasetInfo.fingerprint``,
        ``AlignedPredictions.fingerprint``).

        Raises ``DataError`` when the file is there and cannot be read.
        """
        annotations = cls(fingerprint)
        annotations.refresh()
        return annotations

    def __len__(self) -> int:
        return len(self._annotations)

    @property
    def state_key(self) -> tuple[str, int]:
        """Equal only for the same marks in the same state: their place, and the bytes that were read so far."""
        return self._name, self._lines.size

    def all(self) -> dict[int, Annotation]:
        """Every face that bears a mark now, by row number, rising."""
        with self._guard:
            return dict(sorted(self._annotations.items()))

    def get(self, row: int) -> Annotation | None:
        """The mark that a face bears now, or None."""
        return self._annotations.get(int(row))

    def counts(self) -> dict[str, int]:
        """How many faces bear each mark now: every one of :data:`KINDS`, in that order, 0 included."""
        with self._guard:
            kinds = [annotation.kind for annotation in self._annotations.values()]
        return {kind: kinds.count(kind) for kind in KINDS}

    def set(self, row: int, kind: str, new_label: int | None = None, note: str = "") -> Annotation:
        """Mark a face; an earlier mark of it is replaced. On disk when this returns.

        Arguments as in :class:`Annotation`, which raises ``ValueError``. Raises ``DataError`` when it cannot be saved.
        """
        annotation = Annotation(int(row), kind, None if new_label is None else int(new_label), note)
        self._append([_entry(annotation)])
        return annotation

    def unset(self, row: int) -> bool:
        """Take a face's mark back. False when it bears none. Raises ``DataError`` when it cannot be saved."""
        self.refresh()
        if self.get(row) is None:
            return False
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._append([{"row": int(row), "mark": None, "time": now}])
        return True

    def add(self, annotations: Iterable[Annotation]) -> int:
        """Set many marks, all or none; returns how many were new or said something else than before.

        Raises ``DataError`` when they cannot be saved.
        """
        self.refresh()
        fresh = [annotation for annotation in annotations if not annotation.same_as(self.get(annotation.row))]
        if fresh:
            self._append([_entry(annotation) for annotation in fresh])
        return len(fresh)

    def refresh(self) -> None:
        """Read what anybody has added since the last look; microseconds when nothing was.

        Raises ``DataError`` when a file cannot be read.
        """
        with self._guard:
            anew, lines = self._lines.news()
            if anew:
                self._forget()
            for line in lines:
                self._take(line)
            self.problems = (*self._damaged, *self._lines.torn)

    def _forget(self) -> None:
        self._annotations: dict[int, Annotation] = {}
        self._damaged: list[str] = []
        self._orders: dict[int, tuple[int, str]] = {}
        """Of the last word on each face, also where that takes a mark back."""
        self._last: dict[str, int] = {}
        """The order of each writer's last line."""

    def _take(self, line: Line) -> None:
        if not line.content.strip():
            return
        try:
            value = json.loads(line.content)
            parsed = [_parse(entry) for entry in (value if isinstance(value, list) else [value])]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            self._damaged.append(f"{line.where} is damaged and was left out ({error}).")
            return
        order = max(self._last.get(line.writer, 0), *(one.order for one in parsed)) if parsed else 0
        self._last[line.writer] = order
        for one in parsed:
            # The writer's name decides where two wrote in the same millisecond, for all readers alike.
            if (order, line.writer) < self._orders.get(one.row, (0, "")):
                continue
            self._orders[one.row] = order, line.writer
            if one.annotation is None:
                self._annotations.pop(one.row, None)
            else:
                self._annotations[one.row] = one.annotation

    def _append(self, entries: list[dict[str, Any]]) -> None:
        with self._guard:
            self.refresh()
            order = max(time.time_ns() // 1_000_000, 1 + max(self._last.values(), default=0))
            ordered = [{**entry, "order": order} for entry in entries]
            value = ordered if len(ordered) > 1 else ordered[0]
            self._lines.append(json.dumps(value, ensure_ascii=False).encode() + b"\n")
            self.refresh()


def relabel(labels: npt.ArrayLike, annotations: Annotations, rows: npt.ArrayLike | None = None) -> npt.NDArray[np.int8]:
    """Labels with the marked wrong ones corrected: int8 (n,).

    ``labels``: int (n,), 0..6. ``rows``: int (n,), their row numbers; 0..n-1 where it is not given, for the labels of a
    whole dataset. Faces marked otherwise keep their label: leave them out with :func:`without`.
    """
    given = np.asarray(labels)
    numbers = _rows(given, rows)
    corrected = given.astype(np.int8)
    wrong = {
        row: annotation.new_label for row, annotation in annotations.all().items() if annotation.new_label is not None
    }
    for position in np.flatnonzero(np.isin(numbers, list(wrong))):
        corrected[position] = wrong[int(numbers[position])]
    return corrected


def without(
    rows: npt.ArrayLike, annotations: Annotations, kinds: Collection[str] = ABOUT_THE_LABEL
) -> npt.NDArray[np.bool_]:
    """Which faces stay when those marked with one of ``kinds`` are left out: bool (n,). ``rows``: int (n,).

    Metrics without marked faces: ``aligned.where(without(aligned.rows, annotations))``. With corrected ones: leave out
    :data:`AMBIGUOUS` and :data:`NOT_A_FACE` only, then ``with_labels(relabel(labels, marks, rows))``. Raises
    ``ValueError`` for an unknown kind.
    """
    if unknown := set(kinds) - set(KINDS):
        raise ValueError(f"unknown mark {sorted(unknown)[0]!r}; there are {', '.join(KINDS)}")
    return ~np.isin(
        np.asarray(rows), [row for row, annotation in annotations.all().items() if annotation.kind in kinds]
    )


def _rows(labels: npt.NDArray[Any], rows: npt.ArrayLike | None) -> npt.NDArray[np.int64]:
    numbers = np.arange(len(labels)) if rows is None else np.asarray(rows, dtype=np.int64)
    if labels.ndim != 1 or numbers.shape != labels.shape:
        raise ValueError(f"labels {labels.shape} and rows {numbers.shape} must be two lists of equal length")
    return numbers


def _entry(annotation: Annotation) -> dict[str, Any]:
    label = None if annotation.new_label is None else NAMES[annotation.new_label]
    return {
        "row": annotation.row,
        "mark": annotation.kind,
        "new_label": label,
        "note": annotation.note,
        "time": annotation.time,
    }


@dataclass(frozen=True)
class _Entry:
    """What a line says of one face: a mark, or None where one is taken back."""

    row: int
    annotation: Annotation | None
    order: int


def _parse(entry: Any) -> _Entry:
    row = entry["row"]
    if type(row) is not int or row < 0:
        raise ValueError(f"{row!r} is no row number")
    order = entry["order"] if "order" in entry else _milliseconds(entry["time"])
    if type(order) is not int or not 0 <= order < MOST_ORDER:
        raise ValueError(f"{order!r} is no order")
    if entry["mark"] is None:
        return _Entry(row, None, order)
    label, note = entry["new_label"], entry["note"]
    if not isinstance(note, str):
        raise ValueError("the note is no text")
    label = None if label is None else index_of(label)
    return _Entry(row, Annotation(row, entry["mark"], label, note, entry["time"]), order)


def _milliseconds(time: str) -> int:
    """POSIX, of a time as :class:`Annotation` has it. Of one without a zone, which that refuses, any."""
    moment = datetime.fromisoformat(time)
    return max(0, round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000))
