"""Writes an annotated video that browsers play: H.264 in MP4, which all of them know, or VP9 in WebM.

PyAV writes it, not OpenCV: OpenCV's wheels bring no H.264 encoder, and the VP8 that they can write and browsers can
play took ten times as long and 42 times the bytes of H.264 here, for the same clip of 640 × 480. VP9 takes 1.6 times as
long as H.264, and twice the bytes.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

from fer_core.errors import DataError
from fer_core.photo import Picture

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

CODECS: dict[str, tuple[str, dict[str, str]]] = {
    # "veryfast" is the last step before files grow and edges of text fray.
    ".mp4": ("libx264", {"preset": "veryfast", "crf": "23"}),
    ".webm": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "row-mt": "1", "crf": "36", "b": "0"}),
}
TICKS = 90_000
"""Of time in a second. Frames keep their own times: phones film at rates that waver."""
MOST_THREADS = 4


class VideoWriter:
    """A video being written; it takes the size of its first frame."""

    def __init__(self, path: Path, rate: float) -> None:
        """``rate``: about how many frames a second there will be. Raises ``ValueError`` for another ending than .mp4
        or .webm.
        """
        if path.suffix.lower() not in CODECS:
            raise ValueError(f"the annotated video must end in {' or '.join(CODECS)}, not {path.name!r}")
        self.path, self._rate = path, Fraction(rate).limit_denominator(1001)
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._last = -1

    def write(self, frame: Picture, time_s: float) -> None:
        """Append a frame, uint8 (H, W, 3), blue-green-red, both sides even and always the same.

        ``time_s``: seconds from the start, growing. Raises ``DataError`` where it cannot be written.
        """
        import av

        with self._readable_errors():
            if self._stream is None:
                self._open(frame.shape[1], frame.shape[0])
            assert self._stream is not None
            picture = av.VideoFrame.from_ndarray(frame, format="bgr24")
            self._last = max(self._last + 1, round(time_s * TICKS))
            picture.pts, picture.time_base = self._last, Fraction(1, TICKS)
            self._mux(picture)

    def finish(self) -> None:
        """Write what the encoder still holds, and the end of the file. Raises ``DataError`` as :meth:`write` does."""
        if self._stream is None:
            return
        with self._readable_errors():
            self._mux(None)
            container, self._container, self._stream = self._container, None, None
            if container is not None:
                container.close()

    def close(self) -> None:
        """Let go of the file, finished or not; an unfinished one is of no use. May be called twice."""
        container, self._container, self._stream = self._container, None, None
        if container is not None:
            # The file is thrown away: that its end cannot be written either says nothing new.
            with contextlib.suppress(OSError, ValueError):
                container.close()

    def _open(self, width: int, height: int) -> None:
        import av

        codec, options = CODECS[self.path.suffix.lower()]
        self._container = av.open(str(self.path), "w")
        stream = cast("VideoStream", self._container.add_stream(codec, rate=self._rate, options=dict(options)))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, TICKS)
        stream.codec_context.thread_count = min(MOST_THREADS, os.cpu_count() or 1)
        self._stream = stream

    def _mux(self, picture: object) -> None:
        assert self._stream is not None
        assert self._container is not None
        for packet in self._stream.encode(picture):  # type: ignore[arg-type]
            self._container.mux(packet)

    @contextlib.contextmanager
    def _readable_errors(self) -> Iterator[None]:
        import av

        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            raise DataError(
                f"the annotated video cannot be written to {self.path.parent} ({error.strerror or error}). Is there "
                "room, and may the folder be written to?"
            ) from error
        except av.codec.codec.UnknownCodecError as error:
            other = next(ending for ending in CODECS if ending != self.path.suffix.lower())
            raise DataError(
                f"this computer's PyAV has no encoder for {self.path.suffix} videos. Choose {other}, or install PyAV "
                "from its own wheel: pip install --force-reinstall av"
            ) from error
