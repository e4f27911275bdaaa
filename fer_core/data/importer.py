"""Import FER-2013, in any of its forms, into a dataset folder: one function."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fer_core import emotions
from fer_core.data import archives, csv_source
from fer_core.data.dataset import Dataset, empty_class_message, load_dataset
from fer_core.data.imported_faces import FaceSource
from fer_core.data.pictures import FaceCutter
from fer_core.data.sources import KAGGLE, SAMPLE, Found, find_in_tree, find_source, open_tree
from fer_core.data.splitting import draw_splits
from fer_core.data.table_source import TableFile, TableSource
from fer_core.data.understanding import Corrections
from fer_core.data.writer import DatasetWriter, check_target
from fer_core.errors import DataError
from fer_core.progress import Beat, Meter, Progress, ProgressCallback, Pulse, no_beat
from fer_core.writable import check_writable

__all__ = ["Progress", "import_dataset"]

OFFICIAL_SIZES = {emotions.TRAINING: 28_709, emotions.PUBLIC_TEST: 3_589, emotions.PRIVATE_TEST: 3_589}
"""Faces per split in FER-2013 (Goodfellow et al., 2013)."""


@dataclass(frozen=True)
class _Job:
    """What stays the same through one import."""

    out: Path
    progress: ProgressCallback | None
    beat: Beat
    name: str | None
    title: str | None
    overwrite: bool
    said: Corrections
    cutter: FaceCutter | None

    def writer(self, kind: str, source: str) -> DatasetWriter:
        return DatasetWriter(
            self.out, kind=kind, source=source, name=self.name, title=self.title, overwrite=self.overwrite
        )


def import_dataset(
    source: str | Path,
    out: str | Path,
    *,
    progress: ProgressCallback | None = None,
    name: str | None = None,
    title: str | None = None,
    overwrite: bool = False,
    said: Corrections | None = None,
    cutter: FaceCutter | None = None,
) -> Dataset:
    """Import ``source`` into the new dataset folder ``out`` and return it, mapped.

    ``source`` is ``"sample"`` (faces we draw), ``"kaggle"`` (downloaded), or a path: a CSV (plain or packed), an
    image folder, a zip or tar of either. ``said`` is what somebody says about them (see ``data look``), ``cutter``
    finds the faces in larger pictures; without one, or where they are said to be cut already, each picture is a face.
    ``progress`` is called with :class:`Progress`, at most ten times a second, from the first file that is looked at; an
    exception it raises ends the import. Nothing is left behind unless the import succeeds.

    Raises ``DataError`` naming file, row and reason, or, before anything else is done, why ``out`` cannot be written;
    ``DownloadError`` for Kaggle.
    """
    beat = no_beat
    if progress is not None:
        pulse = Pulse(progress, Progress(0, None, "faces", None, "Looking through the files"))
        progress, beat = pulse.report, pulse.beat
    said = said or Corrections()
    job = _Job(Path(out), progress, beat, name, title, overwrite, said, None if said.already_cut else cutter)
    # Before a long download or a long file, not after it.
    target = job.out.expanduser().absolute()
    check_target(target, overwrite=overwrite)
    check_writable(target.parent, f"The dataset {target.name}", DataError)
    if source == SAMPLE:
        _import_sample(job)
    elif source == KAGGLE:
        from fer_core.data import kaggle

        with open_tree(kaggle.download_from_kaggle(progress), job.beat) as tree:
            _import_found(job, find_in_tree(tree, f"Kaggle, {kaggle.HANDLE}", job.said, job.cutter, job.beat), KAGGLE)
    else:
        _import_path(job, Path(source).expanduser())
    return load_dataset(target, unlabelled=True)


def _import_sample(job: _Job) -> None:
    # Imported here: drawing, which has the seed, needs OpenCV, and importing a CSV does not.
    from fer_core.data.kept_sample import kept_sample
    from fer_core.data.sample.populate import SEED

    if job.progress is not None:
        job.progress(Progress(0, None, "faces", None, "Drawing faces"))
    sample = kept_sample()
    with job.writer("sample", f"drawn with seed {SEED}") as writer:
        writer.title = job.title or "Drawn sample"
        writer.expect(len(sample.images))
        writer.add(sample.images, sample.labels, sample.splits, [f"drawn {i}" for i in range(len(sample.images))])
        writer.add_regions(sample.regions)
        writer.note(
            "These faces are drawn by the project, they are no photographs: good for trying things out, and no "
            "measure of how well a model reads real faces."
        )
        Meter(job.progress, "faces", "Drawing faces").finish(len(sample.images))


def _import_path(job: _Job, path: Path) -> None:
    with find_source(path, job.said, job.cutter, job.beat) as found:
        _import_found(job, found, "folder")


def _import_found(job: _Job, found: Found, kind: str) -> None:
    if found.pictures is not None:
        official = kind == KAGGLE or found.pictures.official
        _import_source(job, found.pictures, kind, found.name, official=official)
    elif found.numbers is not None:
        _import_source(job, found.numbers, "numbers", found.name)
    else:
        _import_csv(job, found.path, found.member, found.name)


def _import_csv(job: _Job, path: Path, member: str | None, source: str) -> None:
    """FER-2013's own file, or else a table that somebody wrote; that, too, where somebody says what it means."""
    strict: DataError | None = None
    if job.said == Corrections(seed=job.said.seed):
        try:
            with job.writer("csv", source) as writer, archives.open_csv(path, member, beat=job.beat) as stream:
                writer.expect(stream.expected_bytes // csv_source.BYTES_PER_ROW)
                meter = Meter(job.progress, "faces", f"Reading {path.name}")
                for batch in csv_source.read_batches(stream):
                    writer.add(batch.images, batch.labels, batch.splits, batch.names)
                    fraction = stream.fraction()
                    meter.update(len(writer), max(round(len(writer) / fraction), len(writer)) if fraction > 0 else None)
                _conclude(writer, job, official=True)
                # Inside: whoever stops the import now must find nothing kept.
                meter.finish(len(writer))
                return
        except csv_source.NotOfficialError as other:
            strict = other.strict
    table = TableSource(path.name, [TableFile(lambda: archives.open_csv(path, member, beat=job.beat))], job.said)
    if strict is not None and table.mixed:
        raise strict
    _import_source(job, table, "csv", source, official=table.official)


def _import_source(job: _Job, faces: FaceSource, kind: str, source: str, *, official: bool = False) -> None:
    """Faces that are understood already."""
    with job.writer(kind, source) as writer:
        expected = faces.understanding.faces
        writer.expect(expected)
        meter = Meter(job.progress, "faces", f"Reading {Path(faces.label).name}")
        for batch in faces.batches():
            writer.add(batch.images, batch.labels, batch.splits, batch.names)
            if batch.answers:
                writer.add_answers(batch.answers, batch.models)
            meter.update(len(writer), max(expected, len(writer)))
        for note in faces.notes():
            writer.note(note)
        writer.draw_unstated(
            lambda images, labels: draw_splits(
                images, labels, seed=job.said.seed, held_out=faces.held_out, progress=job.progress
            )
        )
        left_out = faces.left_out.result()
        if left_out:
            writer.note(f"Left out: {', '.join(f'{one.kind}: {one.count:,}' for one in left_out)}.")
        writer.understood(faces.understanding.layout, left_out, labelled=faces.understanding.labelled)
        if faces.understanding.labelled:
            _conclude(writer, job, official=official)
        meter.finish(len(writer))


def _conclude(writer: DatasetWriter, job: _Job, *, official: bool) -> None:
    """What to tell about the whole: any class and any split may be missing. ``official``: it looks like FER-2013."""
    counts = writer.counts
    sizes = {split: sum(numbers) for split, numbers in counts.items()}
    if sizes == OFFICIAL_SIZES:
        writer.title = job.title or "FER-2013"
    elif official:
        held = ", ".join(f"{sizes[split]:,} {split}" for split in emotions.SPLITS)
        all_there_is = ", ".join(f"{OFFICIAL_SIZES[split]:,} {split}" for split in emotions.SPLITS)
        writer.note(f"This is not the whole FER-2013, or not FER-2013: {held}. FER-2013 has {all_there_is}.")
    empty = empty_class_message(counts)
    if empty and sizes[emotions.TRAINING]:
        writer.note(f"{empty}. Models can be measured on these faces; a training needs all seven classes.")
    if not sizes[emotions.TRAINING]:
        writer.note("There is no face in Training: models can be measured on these faces, and none be trained.")
    if not sizes[emotions.PUBLIC_TEST]:
        writer.note("There is no face in PublicTest, so a training could not choose its best epoch.")
    if not sizes[emotions.PRIVATE_TEST]:
        writer.note("There is no face in PrivateTest, so no final score can be measured.")
