"""One worker: shard after shard, on one core, with models and detector of its own; no Ray in here.

It reads pictures and videos exactly as ``predict`` does, by the same functions. While it looks at one file, the next
few of a store are fetched by threads, which only wait.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2

from fer_core.cluster.scoring.listing import Shard
from fer_core.cluster.scoring.places import Entry, Place, open_place
from fer_core.cluster.scoring.table import ShardTable
from fer_core.data.scored_folder import NO_LABELS, ScoredModel, ScoreManifest, ShardRecord, shard_path
from fer_core.errors import DataError, RunError
from fer_core.file_types import HEAD, is_video
from fer_core.files import replacing, sha256_of
from fer_core.inference.detectors import FaceDetector, best_detector, detector_called
from fer_core.inference.faces import AlreadyCut
from fer_core.inference.models import open_places
from fer_core.inference.picture_files import answered, read_content
from fer_core.inference.pictures import Reading
from fer_core.inference.predictor import Average, Predictor
from fer_core.inference.sources import ends_as_video
from fer_core.inference.stream.result import Result
from fer_core.inference.stream.video import analyse_video
from fer_core.inference.videos import Moments, clip_pipeline, why_no_video
from fer_core.photo import MAX_BYTES, Picture
from fer_core.reading import UnreadableError

AT_ONCE = 64
"""Faces that are collected before the models are asked."""
AHEAD_BYTES = 64 * 1024**2
"""Of files that are fetched ahead."""


@dataclass(frozen=True)
class Job:
    """What every worker of a scoring needs to know, and nothing that cannot be sent to another computer.

    Attributes:
        source: the address of the place.
        out: the scored folder's path, which all computers see.
        models: where each model lies, by :func:`fer_core.inference.models.places_of`.
        manifest: what the scoring promises.
    """

    source: str
    out: str
    models: tuple[str, ...]
    manifest: ScoreManifest


def identity(model: Predictor) -> ScoredModel:
    """What tells a model from another: of a vote, the hash of the file that names its members and their hashes."""
    return {
        "name": model.name,
        "title": model.title,
        "sha256": sha256_of(model.path),
        "temperature": model.temperature,
    }


def detector_of(*, already_cut: bool, title: str = "") -> FaceDetector:
    """As ``predict`` chooses it; or the one called ``title``, with which a scoring began: YuNet may have come since.

    Raises ``RunError`` where that one is not here.
    """
    if already_cut:
        return AlreadyCut()
    return detector_called(title) if title else best_detector()


class Scorer:
    """Opens models and detector once. Raises ``RunError`` where they are not those of the manifest: another computer
    may see other files."""

    def __init__(self, job: Job) -> None:
        cv2.setNumThreads(1)
        manifest, options = job.manifest, job.manifest["options"]
        self._job = job
        self._place: Place = open_place(job.source)
        self._average: Average = "flip" if options["average"] == "flip" else "none"
        self._models = open_places(map(Path, job.models), threads=1, calibrated=options["calibrated"])
        self._detector = detector_of(already_cut=options["already_cut"], title=manifest["detector"])
        self._why_no_video = why_no_video(self._average, already_cut=options["already_cut"])
        if [identity(model) for model in self._models] != manifest["models"]:
            raise RunError(
                f"the models at {', '.join(job.models)} are not those that the scoring began with. All computers must "
                "see the same home, and no model may change meanwhile."
            )

    def score(self, shard: Shard) -> ShardRecord:
        """Write a shard's file, whole or not at all.

        Raises ``OSError`` where it cannot be written, ``DataError`` where the source is gone.
        """
        manifest = self._job.manifest
        path = shard_path(Path(self._job.out), shard.number)
        names = [model.name for model in self._models]
        labels = manifest["options"]["labels"] != NO_LABELS
        with replacing(path) as part, ShardTable(part, names, labels=labels) as table:
            self._read(shard, table)
            if table.unreadable > sum(bool(entry.problem) for entry in shard.entries):
                # All files of a disk that was taken out, or of a store that takes its password no more, cannot be read:
                # rows that say so would count as done for good.
                self._place.check()
            return table.finish(manifest["seal"], shard.number)

    def _read(self, shard: Shard, table: ShardTable) -> None:
        waiting: list[tuple[Entry, Reading | str]] = []
        faces = 0
        for entry, content in self._contents(shard.entries):
            if content is None:
                self._ask(waiting, table)
                waiting, faces = [], 0
                self._read_video(entry, table)
                continue
            reading = content if isinstance(content, str) else self._look(entry, content)
            waiting.append((entry, reading))
            faces += len(reading.faces) if isinstance(reading, Reading) else 0
            if faces >= AT_ONCE:
                self._ask(waiting, table)
                waiting, faces = [], 0
        self._ask(waiting, table)

    def _contents(self, entries: tuple[Entry, ...]) -> Iterator[tuple[Entry, bytes | str | None]]:
        """Each file in turn with its content, or with why there is none; None for a video, which is not held."""
        if not self._place.ahead:
            yield from ((entry, self._content(entry)) for entry in entries)
            return
        with ThreadPoolExecutor(self._place.ahead) as pool:
            ahead: deque[tuple[Entry, Future[bytes | str | None]]] = deque()
            held = 0
            try:
                for entry in entries:
                    size = 0 if ends_as_video(entry.name) else entry.size
                    while ahead and (len(ahead) >= self._place.ahead or held + size > AHEAD_BYTES):
                        first, future = ahead.popleft()
                        held -= 0 if ends_as_video(first.name) else first.size
                        yield first, future.result()
                    ahead.append((entry, pool.submit(self._content, entry)))
                    held += size
                while ahead:
                    first, future = ahead.popleft()
                    yield first, future.result()
            finally:
                for _, future in ahead:
                    future.cancel()

    def _content(self, entry: Entry) -> bytes | str | None:
        if entry.problem:
            return f"{entry.name}: {entry.problem}."
        if ends_as_video(entry.name):
            return None
        try:
            content = self._place.read(entry, MAX_BYTES)
        except UnreadableError as error:
            return f"{entry.name} cannot be read: {error}."
        return None if is_video(content[:HEAD]) else content

    def _look(self, entry: Entry, content: bytes) -> Reading | str:
        try:
            return read_content(content, entry.name, self._detector)
        except Exception as error:
            # A defect of ours or of a decoder's. Among millions of files it must cost one row, which says so.
            return f"{entry.name} cannot be read: {_defect(error)}"

    def _ask(self, waiting: list[tuple[Entry, Reading | str]], table: ShardTable) -> None:
        readings = answered([reading for _, reading in waiting], self._models, self._average)
        for (entry, _), reading in zip(waiting, readings, strict=True):
            if isinstance(reading, str):
                table.add_file(entry.name, 0, reading)
                continue
            for at, face in enumerate(reading.faces):
                said = {name: rows[at] for name, rows in reading.answers.items()}
                table.add_face(entry.name, at + 1, face, reading.crops[at], said)
            table.add_file(entry.name, len(reading.faces))

    def _read_video(self, entry: Entry, table: ShardTable) -> None:
        if self._why_no_video:
            table.add_file(entry.name, 0, f"{entry.name} was left out: {self._why_no_video}")
            return
        moments = Moments(self._job.manifest["options"]["every_s"])
        faces = 0

        def watch(_: Picture, result: Result) -> None:
            nonlocal faces
            if moments.is_told(result):
                for one in result.faces:
                    faces += 1
                    time_s = round(result.time_s, 3)
                    table.add_face(entry.name, one.number, one.face, one.crop, one.smoothed, time_s)

        try:
            with self._place.on_disk(entry) as path:
                pipeline = clip_pipeline(self._models, self._detector)
                summary = analyse_video(path, pipeline, video_out=None, csv_out=None, watch=watch)
            problem = summary.note
        except DataError as error:
            problem = str(error)
        except UnreadableError as error:
            problem = f"{entry.name} cannot be read: {error}."
        except OSError:
            raise  # the shard's own file, most likely: a full disk is no property of a video
        except Exception as error:
            # See above.
            problem = f"{entry.name} cannot be read: {_defect(error)}"
        table.add_file(entry.name, faces, problem)


def _defect(error: Exception) -> str:
    words = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}, {words}. This is a defect: please report it with the file."
