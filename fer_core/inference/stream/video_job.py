"""A video being read in a thread of its own, for a page that shows how far it is.

All files lie in a temporary folder of the job. The video that was brought is deleted as soon as it is read; what came
out, when the job is closed, or nobody holds it any more, or nobody has looked for an hour, or the program ends orderly.
What a killed program leaves goes when the app starts again (:mod:`fer_core.runs.clean_up`).
"""

from __future__ import annotations

import math
import shutil
import tempfile
import threading
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from fer_core.errors import BusyError, DataError, FerError
from fer_core.fair_queue import QUEUE, FairQueue, Lane, Ticket
from fer_core.formatting import duration
from fer_core.inference.stream.draw import Style, draw_result
from fer_core.inference.stream.pipeline import Pipeline
from fer_core.inference.stream.result import Result
from fer_core.inference.stream.video import VideoCancelledError, VideoSummary, analyse_video
from fer_core.inference.stream.video_timeline import VideoTimeline
from fer_core.leftovers import temporary_folder
from fer_core.photo import Picture
from fer_core.threads import start_thread
from fer_core.writable import reason

WAITING, RUNNING, DONE, STOPPED, FAILED = "waiting", "running", "done", "stopped", "failed"
MOST_FACES = 64
"""Faces of which a picture is kept, 2 KB each: those seen longest."""
PREVIEW_S = 0.7
KEEP_RESULT_S = 3600.0
"""Seconds that a result is kept after the last look: a server may hold a visit long after its visitor has left."""
CHECK_S = 30.0


@dataclass(frozen=True)
class VideoProgress:
    """``state``: one of the words above. ``frames`` read of about ``expected`` (None where the file does not say), in
    ``seconds`` of work; ``left`` is an estimate in seconds, or None. ``message``: why it failed or was stopped, or "".
    ``position``: 1 for the video that is read next, and so on; 0 where it does not wait.
    """

    state: str
    frames: int
    expected: int | None
    seconds: float
    left: float | None
    message: str
    position: int = 0

    @property
    def active(self) -> bool:
        """Whether it is still under way."""
        return self.state in (WAITING, RUNNING)


@dataclass(frozen=True, eq=False)
class Portrait:
    """One face of the video.

    ``frames``: how many show it. ``time_s``: seconds into the video where it was largest, ``crop``: how it looked then,
    uint8 (48, 48).
    """

    number: int
    frames: int
    time_s: float
    crop: npt.NDArray[np.uint8]


class VideoJob:
    """One visitor's video. Starts at once; all methods may be called from any thread."""

    def __init__(
        self,
        source: BinaryIO,
        name: str,
        pipeline: Pipeline,
        style: Style,
        *,
        ending: str = ".mp4",
        owner: str = "",
        line: FairQueue = QUEUE,
        most_seconds: float = math.inf,
    ) -> None:
        """``source``: the video's bytes, copied piece by piece before this returns. ``name``: what people call it.

        ``pipeline`` is this job's alone. ``ending``: of the annotated video, ".mp4" or ".webm". ``owner``: the
        visitor, whose turn ``line`` says. ``most_seconds``: see :func:`analyse_video`. Raises ``DataError`` where the
        copy cannot be written, ``BusyError`` where too much waits already or there is no thread for it.
        """
        self.name = name
        self._work = _Work(source, name, pipeline, style, ending, line.ask(owner, Lane.VIDEO), most_seconds)
        # The thread holds the work, never this object: when the visitor is gone, this goes, and the work is dropped.
        self._work.start()
        self._drop = weakref.finalize(self, self._work.drop)

    @property
    def progress(self) -> VideoProgress:
        """How far it is."""
        return self._work.progress()

    @property
    def detector(self) -> str:
        """The title of who looks for faces."""
        return self._work.detector

    @property
    def summary(self) -> VideoSummary | None:
        """What was read; None before the end."""
        return self._work.summary

    @property
    def timeline(self) -> VideoTimeline:
        """Smoothed probabilities of every face by model, over what was read so far."""
        return self._work.timeline

    @property
    def video_path(self) -> Path:
        """The annotated video, once the state is "done"."""
        return self._work.video_out

    @property
    def csv_path(self) -> Path:
        """The numbers of every frame, once the state is "done"."""
        return self._work.csv_out

    def portraits(self) -> list[Portrait]:
        """The faces so far, by number."""
        return self._work.portraits()

    def preview(self) -> Picture | None:
        """A recent frame with what was found on it, uint8 (H, W, 3), blue-green-red."""
        return self._work.preview

    def stop(self) -> None:
        """Give up after the frame at hand; nothing is kept."""
        self._work.cancelled.set()

    def wait(self, timeout_s: float) -> bool:
        """Whether the work has ended within ``timeout_s`` seconds."""
        return self._work.ended.wait(timeout_s)

    def close(self) -> None:
        """Stop if need be, and delete all files. May be called twice."""
        self._drop()


class _Work:
    """What the thread does, and what it has found so far."""

    def __init__(
        self,
        source: BinaryIO,
        name: str,
        pipeline: Pipeline,
        style: Style,
        ending: str,
        ticket: Ticket,
        most_seconds: float,
    ) -> None:
        self._ticket, self._most_seconds = ticket, most_seconds
        try:
            self._folder = temporary_folder("fer-explorer", Path(tempfile.gettempdir()))
        except OSError as error:
            # Its place in the queue would keep every later video waiting.
            ticket.close()
            raise DataError(f"{name} could not be kept in a temporary file: {reason(error)}") from error
        self._source = self._folder / f"source{Path(name).suffix.lower()}"
        self.video_out, self.csv_out = self._folder / f"annotated{ending}", self._folder / "numbers.csv"
        self._name, self._pipeline, self._style = name, pipeline, style
        self.cancelled, self.ended, self._dropped = threading.Event(), threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._looked = time.monotonic()
        self._state, self._message = WAITING, ""
        self._frames, self._expected = 0, None  # type: int, int | None
        self._began: float | None = None
        self._seconds = 0.0
        self.summary: VideoSummary | None = None
        self.timeline = VideoTimeline()
        self.preview: Picture | None = None
        self._preview_at = -math.inf
        self._portraits: dict[int, tuple[int, Portrait]] = {}
        try:
            with self._source.open("wb") as file:
                shutil.copyfileobj(source, file, 1 << 20)
        except OSError as error:
            self._ticket.close()
            self._delete()
            raise DataError(
                f"{name} could not be kept in a temporary file while it is read ({error.strerror or error}). Is the "
                "disk full?"
            ) from error

    def start(self) -> None:
        try:
            start_thread(self._run, f"video {self._name}", gives_way=True)
        except BusyError:
            self._ticket.close()
            self._delete()
            raise

    @property
    def detector(self) -> str:
        return self._pipeline.detector.title

    def progress(self) -> VideoProgress:
        with self._lock:
            self._looked = time.monotonic()
            seconds = time.monotonic() - self._began if self._state == RUNNING and self._began else self._seconds
            left = None
            # Anything said after the first second is a fair guess.
            if self._expected and self._frames and seconds > 1:
                left = max(0.0, seconds * (self._expected - self._frames) / self._frames)
            waiting = self._ticket.position() if self._state == WAITING else 0
            return VideoProgress(self._state, self._frames, self._expected, seconds, left, self._message, waiting)

    def portraits(self) -> list[Portrait]:
        with self._lock:
            return [portrait for _, (_, portrait) in sorted(self._portraits.items())]

    def drop(self) -> None:
        """Nobody wants it any more."""
        self.cancelled.set()
        self._dropped.set()
        if self.ended.is_set():
            self._ticket.close()
            self._delete()

    def _run(self) -> None:
        state, message = FAILED, "Something unexpected went wrong; the server's log says what."
        try:
            while not self._ticket.wait(0.2):
                if self.cancelled.is_set():
                    state, message = STOPPED, f"{self._name} was stopped before its turn came. Nothing was kept."
                    return
            state, message = self._read()
        finally:
            self._ticket.close()
            self._source.unlink(missing_ok=True)
            self.preview = None
            with self._lock:
                self._state, self._message = state, message
                self._seconds = time.monotonic() - self._began if self._began else 0.0
            self.ended.set()
            self._keep()

    def _keep(self) -> None:
        """Wait until nobody wants the result any more, or has looked at it for long; then delete it."""
        while not self._dropped.wait(CHECK_S):
            with self._lock:
                if time.monotonic() - self._looked > KEEP_RESULT_S:
                    self._state = STOPPED
                    self._message = (
                        f"The result of {self._name} was deleted, because nobody has looked at it for "
                        f"{duration(KEEP_RESULT_S)}. Bring the video again."
                    )
                    break
        self._delete()

    def _read(self) -> tuple[str, str]:
        with self._lock:
            self._state, self._began = RUNNING, time.monotonic()
        try:
            self.summary = analyse_video(
                self._source,
                self._pipeline,
                video_out=self.video_out,
                csv_out=self.csv_out,
                style=self._style,
                progress=self._advance,
                cancel=self.cancelled.is_set,
                watch=self._watch,
                most_seconds=self._most_seconds,
            )
        except VideoCancelledError as error:
            return STOPPED, self._named(error)
        except FerError as error:
            return FAILED, self._named(error)
        return DONE, ""

    def _named(self, error: FerError) -> str:
        """The message with the name that people know; the temporary file has another."""
        return str(error).replace(self._source.name, self._name)

    def _advance(self, frames: int, expected: int | None) -> None:
        with self._lock:
            self._frames, self._expected = frames, expected

    def _watch(self, frame: Picture, result: Result) -> None:
        self.timeline.add(result)
        now = time.monotonic()
        if now - self._preview_at >= PREVIEW_S:
            self.preview, self._preview_at = draw_result(frame, result, self._style), now
        with self._lock:
            for face in result.faces:
                area, old = self._portraits.get(face.number, (-1, None))
                frames = 1 if old is None else old.frames + 1
                if old is None or face.face.area > area:
                    new = Portrait(face.number, frames, result.time_s, face.crop.copy())
                    self._portraits[face.number] = (face.face.area, new)
                else:
                    self._portraits[face.number] = (area, Portrait(old.number, frames, old.time_s, old.crop))
            while len(self._portraits) > MOST_FACES:
                seen_least = min(self._portraits, key=lambda number: self._portraits[number][1].frames)
                del self._portraits[seen_least]

    def _delete(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
