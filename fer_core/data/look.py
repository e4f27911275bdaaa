"""Looks at somebody's faces before anything is written: what is understood, what is left out, and a few of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fer_core.data import archives
from fer_core.data.folder_source import Shown
from fer_core.data.imported_faces import FaceSource
from fer_core.data.pictures import FaceCutter
from fer_core.data.sources import KAGGLE, SAMPLE, find_source
from fer_core.data.table_source import TableFile, TableSource
from fer_core.data.understanding import Corrections, Understanding
from fer_core.errors import DataError
from fer_core.progress import Progress, ProgressCallback, Pulse, no_beat

FACES = 12
OPENED = 300
"""Pictures that are looked into; the import looks into all of them."""


@dataclass(frozen=True, eq=False)
class Look:
    """What was understood of a source, and up to twelve of its faces."""

    understanding: Understanding
    faces: Sequence[Shown]


def look_at(
    source: str | Path,
    said: Corrections | None = None,
    *,
    cutter: FaceCutter | None = None,
    progress: ProgressCallback | None = None,
) -> Look:
    """Look through a file, folder or archive; nothing is written.

    Arguments and errors as of :func:`fer_core.data.importer.import_dataset`. What is in doubt is no error here: see
    ``understanding.question``.
    """
    if source in (SAMPLE, KAGGLE):
        raise DataError(f"{source} needs no look: nothing about it is in doubt. Import it.")
    said = said or Corrections()
    beat = no_beat
    if progress is not None:
        beat = Pulse(progress, Progress(0, None, "faces", None, "Looking through the files")).beat
    with find_source(Path(source).expanduser(), said, None if said.already_cut else cutter, beat) as found:
        if found.pictures is not None:
            known = found.pictures.left_out.total
            shown = found.pictures.some(FACES, opened=OPENED)
            understood = found.pictures.understanding
            opened = min(OPENED, sum(sum(numbers) for numbers in understood.counts.values()))
            bad = found.pictures.left_out.total - known
            if bad * 2 > opened:
                note = f"{bad:,} of {opened:,} pictures that were opened cannot be used; an import would end with that."
                understood = replace(understood, notes=(*understood.notes, note))
            # Asked again: looking into pictures finds more that is of no use.
            return Look(replace(understood, left_out=found.pictures.left_out.result()), shown)
        table = found.numbers or TableSource(
            found.path.name, [TableFile(lambda: archives.open_csv(found.path, found.member, beat=beat))], said
        )
        return Look(table.understanding, [] if table.understanding.question else _first(table))


def _first(table: FaceSource) -> list[Shown]:
    """Faces out of the first batch, of every class there is by turns."""
    for batch in table.batches():
        labels = batch.labels.tolist()
        turn = [labels[:row].count(label) for row, label in enumerate(labels)]
        order = sorted(range(len(labels)), key=lambda row: (turn[row], labels[row]))
        return [Shown(batch.names[row], labels[row], batch.images[row]) for row in order[:FACES]]
    return []
