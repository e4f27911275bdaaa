"""Video files in, annotated videos and numbers out; whatever goes wrong, nothing half-written stays."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from stream_helpers import FRAMES, RATE, MadeDetector, MadeModel, clip

from fer_core.errors import DataError
from fer_core.inference.stream import video
from fer_core.inference.stream.draw import Style
from fer_core.inference.stream.pipeline import Pipeline
from fer_core.inference.stream.video import VideoCancelledError, analyse_video, even_size, read_video
from fer_core.inference.stream.video_writer import VideoWriter


def pipeline() -> Pipeline:
    def boxes(call: int) -> list[tuple[float, float, float, float]]:
        return [(0.14, 0.26, 0.36, 0.48)]

    return Pipeline({"made": MadeModel()}, MadeDetector(boxes))  # type: ignore[dict-item]


def frames_of(path: Path) -> list[np.ndarray]:
    return [frame for _, frame in read_video(path)]


@pytest.mark.parametrize(("ending", "code"), [("webm", "VP80"), ("mp4", "mp4v")])
def test_reading(tmp_path: Path, ending: str, code: str) -> None:
    frames = list(read_video(clip(tmp_path / f"in.{ending}", code=code)))
    assert len(frames) == FRAMES
    assert [time_s for time_s, _ in frames] == pytest.approx([index / RATE for index in range(FRAMES)], abs=0.01)
    assert frames[0][1].shape == (120, 160, 3)
    assert frames[0][1].dtype == np.uint8
    smaller = list(read_video(clip(tmp_path / f"big.{ending}", size=(320, 180), code=code), longest=100))
    assert smaller[0][1].shape == (56, 100, 3)


@pytest.mark.parametrize("ending", ["webm", "mp4"])
def test_annotated_video_and_numbers(tmp_path: Path, ending: str) -> None:
    source, shown, table = clip(tmp_path / "in.webm"), tmp_path / "out" / f"shown.{ending}", tmp_path / "numbers.csv"
    reports: list[tuple[int, int | None]] = []
    seen: list[int] = []
    summary = analyse_video(
        source,
        pipeline(),
        video_out=shown,
        csv_out=table,
        style=Style(model="made"),
        progress=lambda done, total: reports.append((done, total)),
        watch=lambda frame, result: seen.append(len(result.faces)),
    )
    assert (summary.frames, summary.faces, summary.size, summary.note) == (FRAMES, 1, (160, 120), "")
    assert summary.seconds == pytest.approx(FRAMES / RATE, abs=0.05)
    # The first detection is not shown yet.
    assert summary.frames_with_faces == summary.rows == FRAMES - 1
    assert reports == [(index + 1, FRAMES) for index in range(FRAMES)]
    assert seen == [0] + [1] * (FRAMES - 1)
    lines = list(csv.DictReader(table.open(encoding="utf-8", newline="")))
    assert len(lines) == FRAMES - 1
    assert lines[0]["time_s"] == "0.100"
    assert {line["model"] for line in lines} == {"made"}
    assert all(sum(float(value) for name, value in line.items() if name.startswith("p_")) > 0.99 for line in lines)
    drawn, plain = frames_of(shown), frames_of(source)
    assert len(drawn) == FRAMES
    assert np.abs(drawn[10].astype(int) - plain[10]).max() > 60, "something is drawn"
    assert np.abs(drawn[0].astype(int) - plain[0]).max() < 60, "nothing yet on the first"
    assert sorted(path.name for path in (*tmp_path.iterdir(), *shown.parent.iterdir())) == sorted(
        ["in.webm", "numbers.csv", "out", shown.name]
    )


def test_numbers_alone(tmp_path: Path) -> None:
    summary = analyse_video(clip(tmp_path / "in.webm"), pipeline(), video_out=None, csv_out=tmp_path / "n.csv")
    assert summary.rows == FRAMES - 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.webm", "n.csv"]


def test_every_run_begins_with_face_one(tmp_path: Path) -> None:
    source, stream = clip(tmp_path / "in.webm"), pipeline()
    for _ in range(2):
        assert analyse_video(source, stream, video_out=None, csv_out=tmp_path / "n.csv").faces == 1


def test_stopping_keeps_nothing_and_spares_what_was_there(tmp_path: Path) -> None:
    source, table = clip(tmp_path / "in.webm"), tmp_path / "n.csv"
    table.write_text("earlier")
    asked: list[int] = []

    def cancel() -> bool:
        asked.append(1)
        return len(asked) > 5

    with pytest.raises(VideoCancelledError, match="stopped after 5 frames"):
        analyse_video(source, pipeline(), video_out=tmp_path / "o.webm", csv_out=table, cancel=cancel)
    assert table.read_text() == "earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.webm", "n.csv"]


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    def reading(path: Path) -> None:
        analyse_video(path, pipeline(), video_out=tmp_path / "o.webm", csv_out=tmp_path / "n.csv")

    with pytest.raises(DataError, match=r"no video file .*none\.mp4"):
        reading(tmp_path / "none.mp4")
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(DataError, match=r"empty\.mp4 is empty"):
        reading(tmp_path / "empty.mp4")
    (tmp_path / "text.mp4").write_text("this is no video at all\n" * 50)
    with pytest.raises(DataError, match=r"text\.mp4 (is not a video|holds no frame)"):
        reading(tmp_path / "text.mp4")
    whole = clip(tmp_path / "in.mp4", code="mp4v").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut\.mp4 (is not a video|holds no frame)"):
        reading(tmp_path / "cut.mp4")
    assert not list(tmp_path.glob("o.webm"))
    assert not list(tmp_path.glob(".*"))


def test_a_damaged_video_says_how_much_was_read(tmp_path: Path) -> None:
    whole = clip(tmp_path / "in.webm", frames=60).read_bytes()
    (tmp_path / "cut.webm").write_bytes(whole[: len(whole) // 2])
    summary = analyse_video(tmp_path / "cut.webm", pipeline(), video_out=None, csv_out=tmp_path / "n.csv")
    assert 5 < summary.frames < 55
    assert f"Only {summary.frames} of about 60 frames" in summary.note


def test_odd_targets(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.webm")
    with pytest.raises(ValueError, match=r"must end in \.mp4 or \.webm"):
        analyse_video(source, pipeline(), video_out=tmp_path / "o.gif", csv_out=None)
    with pytest.raises(DataError, match="cannot be read and written at once"):
        analyse_video(source, pipeline(), video_out=source, csv_out=None)
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be made"):
        analyse_video(source, pipeline(), video_out=None, csv_out=tmp_path / "file" / "n.csv")
    (tmp_path / "n.csv").mkdir()
    with pytest.raises(DataError, match="could not be written"):
        analyse_video(source, pipeline(), video_out=None, csv_out=tmp_path / "n.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "in.webm", "n.csv"]


def test_sizes_are_even() -> None:
    assert even_size(641, 361, 960) == (640, 360)
    assert even_size(1920, 1080, 960) == (960, 540)
    assert even_size(1080, 1920, 960) == (540, 960)
    assert even_size(5, 3000, 960) == (16, 960)


@pytest.mark.parametrize(("ending", "codec"), [("mp4", "h264"), ("webm", "vp9")])
def test_what_is_written_plays_in_browsers_and_keeps_the_frames_times(tmp_path: Path, ending: str, codec: str) -> None:
    out = tmp_path / f"shown.{ending}"
    times = [0.0, 0.04, 0.1, 0.5, 0.51, 2.0]
    writer = VideoWriter(out, 25)
    for time_s in times:
        writer.write(np.full((48, 64, 3), 99, np.uint8), time_s)
    writer.finish()
    writer.close()
    with av.open(str(out)) as container:
        [stream] = container.streams.video
        assert stream.codec_context.name.removeprefix("lib") == codec
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert [frame.time for frame in container.decode(stream)] == pytest.approx(times, abs=0.0015)


@pytest.mark.parametrize("ending", ["mp4", "webm"])
def test_a_film_that_cannot_be_written_says_where(tmp_path: Path, ending: str) -> None:
    def write(path: Path) -> None:
        writer = VideoWriter(path, 25)
        try:
            for number in range(40):
                writer.write(np.random.default_rng(number).integers(0, 256, (96, 128, 3), np.uint8), number / 25)
            writer.finish()
        finally:
            writer.close()

    with pytest.raises(DataError, match=r"cannot be written to .*gone \(No such file"):
        write(tmp_path / "gone" / f"shown.{ending}")
    full = tmp_path / f"full.{ending}"
    full.symlink_to("/dev/full")
    with pytest.raises(DataError, match=r"No space left on device.*Is there room"):
        write(full)


@pytest.mark.slow
def test_ten_minutes_take_no_more_memory_than_one(tmp_path: Path) -> None:
    source = clip(tmp_path / "long.webm", frames=6000)
    process = psutil.Process()
    megabytes: list[float] = []
    summary = analyse_video(
        source,
        pipeline(),
        video_out=tmp_path / "shown.mp4",
        csv_out=tmp_path / "numbers.csv",
        style=Style(model="made"),
        watch=lambda frame, result: megabytes.append(process.memory_info().rss / 1e6),
    )
    assert summary.seconds == pytest.approx(600, rel=0.01)
    assert max(megabytes[600:]) < max(megabytes[:600]) + 20


@pytest.mark.parametrize(
    "content",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{path}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{path}'\n",
        "#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/x.ts\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    ],
    ids=["playlist", "list", "address", "session"],
)
def test_a_list_of_other_files_or_addresses_is_no_video(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FFmpeg opens what such a list names: another visitor's video, or a file of the server."""
    secret = clip(tmp_path / "secret.webm")
    source = tmp_path / "mine.mp4"
    source.write_text(content.format(path=secret))
    opened: list[object] = []
    monkeypatch.setattr(cv2, "VideoCapture", lambda *what: opened.append(what))
    with pytest.raises(DataError, match="not a video"):
        frames_of(source)
    assert not opened


def test_a_video_of_huge_frames_is_refused_before_one_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert video.MOST_FRAME >= 4096 * 2160, "4K of cinemas"
    monkeypatch.setattr(video, "MOST_FRAME", 160 * 120 - 1)
    with pytest.raises(DataError, match="too many pixels"):
        frames_of(clip(tmp_path / "in.webm"))


@pytest.mark.parametrize("told", [True, False], ids=["by what it says", "by its frames"])
def test_a_video_longer_than_may_be_is_refused(told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = clip(tmp_path / "in.webm")
    if not told:
        monkeypatch.setattr(cv2, "CAP_PROP_FRAME_COUNT", -1)  # OpenCV answers 0
    for most, fits in ((FRAMES / RATE / 2, False), (FRAMES / RATE * 2, True)):
        seen: list[object] = []

        def watch(*what: object) -> None:
            seen.append(what)  # noqa: B023

        def read(seconds: float) -> None:
            analyse_video(
                source, pipeline(), video_out=None, csv_out=tmp_path / "n.csv", watch=watch, most_seconds=seconds
            )

        if fits:
            read(most)
            assert len(seen) == FRAMES
        else:
            with pytest.raises(DataError, match="longer than"):
                read(most)
            assert (len(seen) > 0) != told
            assert not (tmp_path / "n.csv").exists()
