"""A video file through the pipeline, frame by frame: an annotated video and a CSV of the numbers come out.

Memory does not grow with the video's length: one frame is held at a time, and those few that the encoder looks ahead.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np

from fer_core.errors import DataError, FerError
from fer_core.file_types import HEAD, is_video
from fer_core.files import replacing
from fer_core.formatting import duration
from fer_core.inference.stream.draw import Style, draw_result
from fer_core.inference.stream.pipeline import Pipeline
from fer_core.inference.stream.result import Result
from fer_core.inference.stream.timeline import HEADER, write_rows
from fer_core.inference.stream.video_writer import CODECS, VideoWriter
from fer_core.photo import Picture
from fer_core.regular_files import open_file
from fer_core.spreadsheet import SpreadsheetWriter

READABLE = ("mp4", "webm", "mov", "avi", "mkv")
LONGEST = 960
"""Pixels of the longer side at which a video is read and written: faces are 48 pixels to the models, and writing 1080
lines takes longer than reading the faces."""
MOST_FRAME = 4096 * 2304
"""Pixels of a frame: any kind of 4K fits."""
USUAL_RATE = 25.0
SLOWEST, FASTEST = 1.0, 120.0
"""Frames per second that are believed. Files of phones and screen recorders claim 1,000 or 90,000."""

Progress = Callable[[int, int | None], None]
"""Called with the frames read so far and those expected (None where the file does not say)."""
Watch = Callable[[Picture, Result], None]
"""Called with each frame (uint8 (H, W, 3)) and what was found on it, for those who show it meanwhile."""


class VideoCancelledError(FerError):
    """Somebody asked to stop. Nothing was kept."""


@dataclass(frozen=True)
class VideoSummary:
    """``frames`` read, over ``seconds`` of video; ``frames_with_faces`` of them show one; ``faces``: different numbers
    given; ``rows`` of the CSV; ``size``: width and height written; ``note``: what people should know, or empty.
    """

    frames: int
    seconds: float
    frames_with_faces: int
    faces: int
    rows: int
    size: tuple[int, int]
    note: str


def read_video(path: str | Path, longest: int = LONGEST) -> Iterator[tuple[float, Picture]]:
    """Frames of a video file: seconds from its start, and uint8 (H, W, 3), blue-green-red, upright, even sides.

    The longer side is at most ``longest`` pixels. Raises ``DataError`` if there is no such file, it is no video that
    OpenCV can read, or it holds no frame.
    """
    with _open_video(Path(path)) as video:
        yield from video.frames(longest)


def analyse_video(
    path: str | Path,
    pipeline: Pipeline,
    *,
    video_out: str | Path | None,
    csv_out: str | Path | None,
    style: Style | None = None,
    longest: int = LONGEST,
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
    watch: Watch | None = None,
    most_seconds: float = math.inf,
) -> VideoSummary:
    """Read every frame of ``path``; write the annotated video (.webm or .mp4) and the CSV, either of which may be None.

    The pipeline is reset first. ``style``: what is drawn. ``longest``: see :func:`read_video`. ``cancel`` is asked
    before each frame. ``most_seconds``: of video; a longer one is refused. Both files appear when all is done, or
    neither does. Raises ``DataError`` for a video that cannot be read or a place that cannot be written to;
    ``VideoCancelledError``; ``ValueError`` for another ending.
    """
    source = Path(path)
    targets = [Path(out) for out in (video_out, csv_out) if out is not None]
    if any(target.resolve() == source.resolve() for target in targets):
        raise DataError(f"{source} cannot be read and written at once. Choose another name for the result.")
    if video_out is not None and Path(video_out).suffix.lower() not in CODECS:
        raise ValueError(f"the annotated video must end in {' or '.join(CODECS)}, not {Path(video_out).name!r}")
    try:
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"the folder for the result of {source.name} cannot be made ({error}).") from error
    pipeline.reset()
    try:
        with contextlib.ExitStack() as places, contextlib.ExitStack() as stack:
            parts = [places.enter_context(replacing(target)) for target in targets]
            video = stack.enter_context(_open_video(source))
            video_writer = VideoWriter(parts[0], video.rate) if video_out is not None else None
            if video_writer is not None:
                stack.callback(video_writer.close)
            table = stack.enter_context(parts[-1].open("w", encoding="utf-8", newline="")) if csv_out else None
            summary = _run(
                video, pipeline, video_writer, table, style or Style(), longest, progress, cancel, watch, most_seconds
            )
            if video_writer is not None:
                video_writer.finish()
    except OSError as error:
        raise DataError(f"the result of {source.name} could not be written ({error}).") from error
    return summary


def _run(
    video: _Video,
    pipeline: Pipeline,
    video_writer: VideoWriter | None,
    table: TextIO | None,
    style: Style,
    longest: int,
    progress: Progress | None,
    cancel: Callable[[], bool] | None,
    watch: Watch | None,
    most_seconds: float,
) -> VideoSummary:
    if (video.expected or 0) / video.rate > most_seconds:
        raise _too_long(video, most_seconds)
    writer = SpreadsheetWriter(table) if table is not None else None
    if writer is not None:
        writer.writerow(HEADER)
    frames = with_faces = rows = 0
    highest, last_s, size = 0, 0.0, (0, 0)
    for time_s, frame in video.frames(longest):
        if cancel is not None and cancel():
            raise VideoCancelledError(f"{video.path.name} was stopped after {frames:,} frames. Nothing was kept.")
        # By its frames, too: times are what the file says they are.
        if max(time_s, frames / FASTEST) > most_seconds:
            raise _too_long(video, most_seconds)
        result = pipeline.process(frame, time_s)
        if writer is not None:
            write_rows(writer, result)
        if video_writer is not None:
            video_writer.write(draw_result(frame, result, style), time_s)
        if watch is not None:
            watch(frame, result)
        frames += 1
        with_faces += bool(result.faces)
        rows += sum(len(face.smoothed) for face in result.faces)
        highest = max([highest, *(face.number for face in result.faces)])
        last_s, size = time_s, (frame.shape[1], frame.shape[0])
        if progress is not None:
            progress(frames, video.expected)
    return VideoSummary(frames, last_s + 1 / video.rate, with_faces, highest, rows, size, video.note(frames))


def _too_long(video: _Video, most_seconds: float) -> DataError:
    return DataError(
        f"{video.path.name} is longer than {duration(most_seconds)}. Cut it, or read it on your own computer: "
        "python -m fer_core predict VIDEO --json"
    )


class _Video:
    """An open video file."""

    def __init__(self, path: Path, capture: cv2.VideoCapture) -> None:
        self.path, self._capture = path, capture
        claimed = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self.expected = int(claimed) if 0 < claimed < 1e9 else None
        rate = capture.get(cv2.CAP_PROP_FPS)
        self.rate = float(rate) if math.isfinite(rate) and SLOWEST <= rate <= FASTEST else USUAL_RATE

    def frames(self, longest: int) -> Iterator[tuple[float, Picture]]:
        """See :func:`read_video`. All frames have the size of the first."""
        number, last_s, size = 0, -1.0, None
        while True:
            there, frame = self._capture.read()
            if not there or frame is None or frame.size == 0:
                break
            stamp = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            # Some files give no times, or the same one again and again.
            time_s = stamp if math.isfinite(stamp) and stamp > last_s else last_s + 1 / self.rate
            time_s = max(0.0, time_s) if number else 0.0
            last_s = time_s
            size = size or even_size(frame.shape[1], frame.shape[0], longest)
            yield time_s, _fitted(np.asarray(frame, dtype=np.uint8), size)
            number += 1
        if not number:
            raise DataError(
                f"{self.path.name} holds no frame that can be read: it is empty, cut off, or packed in a way that "
                "OpenCV does not know. Save it as MP4 (H.264) or WebM and try again."
            )

    def note(self, frames: int) -> str:
        """A sentence if much less could be read than the file says it holds."""
        if self.expected is None or frames >= 0.9 * self.expected:
            return ""
        return (
            f"Only {frames:,} of about {self.expected:,} frames could be read: the file seems to be damaged or cut off."
        )


@contextlib.contextmanager
def _open_video(path: Path) -> Iterator[_Video]:
    if not path.is_file():
        raise DataError(f"there is no video file {path}.")
    if path.stat().st_size == 0:
        raise DataError(f"{path.name} is empty.")
    # FFmpeg goes by the content, not by the name, and knows lists of other files and addresses: those are no videos.
    with open_file(path) as file:
        known = is_video(file.read(HEAD))
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG) if known else None
    try:
        if capture is None or not capture.isOpened():
            raise DataError(f"{path.name} is not a video that can be read. Readable kinds: {', '.join(READABLE)}.")
        if capture.get(cv2.CAP_PROP_FRAME_WIDTH) * capture.get(cv2.CAP_PROP_FRAME_HEIGHT) > MOST_FRAME:
            raise DataError(f"{path.name} has too many pixels. Save it smaller, at most 4K, and try again.")
        yield _Video(path, capture)
    finally:
        if capture is not None:
            capture.release()


def even_size(width: int, height: int, longest: int) -> tuple[int, int]:
    """Width and height, made smaller to fit ``longest``, both even because the encoders want that, at least 16."""
    scale = min(1.0, longest / max(width, height))
    return max(16, 2 * round(width * scale / 2)), max(16, 2 * round(height * scale / 2))


def _fitted(frame: Picture, size: tuple[int, int]) -> Picture:
    if (frame.shape[1], frame.shape[0]) == size:
        return frame
    method = cv2.INTER_AREA if frame.shape[1] > size[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(frame, size, interpolation=method), dtype=np.uint8)
