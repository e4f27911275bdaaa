"""Ten minutes of a visitor's camera: does memory grow, and how far does the answer lag behind the picture?

    python benchmarks/live_soak.py --data datasets/fer2013
    python benchmarks/live_soak.py --data datasets/fer2013 --seconds 60 --visitors 2 --rate 30

Frames of 640×480 pixels are handed to the object that the Live page gives to the camera, at the camera's rate, in the
form in which they come from it, and come back drawn. Meanwhile the numbers are recorded, and once a second everything
is read that the page reads. Memory is the process's resident size: what it grows by after the first minute (or the
first tenth of a shorter run, by when everything has been used once) is what ten minutes cost. At the end the camera
stops, and the threads that are left are counted.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import live as clips
from benchmarks.common import finish, machine, machine_text, progress
from fer_core.errors import FerError
from fer_core.inference.models import load_model
from fer_core.inference.stream.draw import Style
from fer_core.inference.stream.live import LiveStream, StreamPlan
from fer_core.inference.stream.pipeline import StreamSettings
from fer_core.runs.listing import list_models

GOAL_MEGABYTES, GOAL_LAG_MS = 20.0, 300.0
LOOP_FRAMES = 120
"""Frames of the clip, which is played again and again: four seconds, made before anything is measured."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="dataset folder of FER-2013: its faces are shown")
    parser.add_argument("--yunet", type=Path, help="YuNet's file (default: the downloaded one, otherwise Haar is used)")
    parser.add_argument("--models", nargs="+", metavar="RUN", help="models (default: all that ship, and their vote)")
    parser.add_argument("--seconds", type=float, default=600.0, help="how long (default: 600)")
    parser.add_argument("--rate", type=float, default=25.0, help="frames per second of each camera (default: 25)")
    parser.add_argument("--faces", type=int, default=1, choices=clips.FACES, help="faces in the picture (default: 1)")
    parser.add_argument("--visitors", type=int, default=1, help="cameras at once (default: 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    args = parser.parse_args()
    return finish(lambda: measure(args), as_json=args.json)


def measure(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Run it. Returns the figures and the text for people. Raises ``FerError`` for settings that make no sense."""
    if not (args.seconds >= 5 and args.rate > 0 and args.visitors >= 1):
        raise FerError("--seconds must be at least 5, --rate above 0 and --visitors at least 1.")
    names = list(args.models or [info.name for info in list_models() if info.shipped])
    if not names:
        raise FerError("no trained run ships here. Name some: --models RUN RUN")
    about, detector = machine(), clips.open_detector(args.yunet)
    progress("making the clip")
    faces = clips.choose_faces(args.data, detector, args.faces)
    frames = list(clips.clip(faces, LOOP_FRAMES))
    models = {name: load_model(name) for name in names}
    plan = StreamPlan(models, detector, StreamSettings(map_model=names[-1]), Style(model=names[-1]))
    threads = threading.active_count()
    streams = [LiveStream(plan, name=f"soak-{number}") for number in range(args.visitors)]
    ends_s = time.monotonic() + args.seconds
    cameras = [
        threading.Thread(target=play, args=(stream, frames, args.rate, ends_s, number), name=f"camera-{number}")
        for number, stream in enumerate(streams)
    ]
    for camera in cameras:
        camera.start()
    samples = watch(streams, ends_s, args.seconds)
    for camera in cameras:
        camera.join()
    stopped = [stream.stop(5.0) for stream in streams]
    speed = streams[0].speed()
    result = {
        "machine": about,
        "settings": {
            "seconds": args.seconds,
            "rate": args.rate,
            "faces": args.faces,
            "visitors": args.visitors,
            "models": names,
            "detector": detector.title,
        },
        **summary(samples, args.seconds),
        "frames": speed.frames,
        "dropped": speed.dropped,
        "threads_left": threading.active_count() - threads,
        "stopped": all(stopped),
        "errors": [str(stream.error) for stream in streams if stream.error is not None],
    }
    return result, report(result)


def play(stream: LiveStream, frames: Sequence[npt.NDArray[np.uint8]], rate: float, ends_s: float, offset: int) -> None:
    """Hand in frames at the camera's rate; like a camera, leave out those whose time has passed."""
    began = time.monotonic()
    number = 0
    while time.monotonic() < ends_s:
        sent = av.VideoFrame.from_ndarray(frames[(number + 37 * offset) % len(frames)], format="bgr24")
        picture = np.asarray(sent.to_ndarray(format="bgr24"), dtype=np.uint8)
        av.VideoFrame.from_ndarray(stream.see(picture), format="bgr24")
        number = max(number + 1, int((time.monotonic() - began) * rate))
        time.sleep(max(0.0, began + number / rate - time.monotonic()))


def watch(streams: Sequence[LiveStream], ends_s: float, seconds: float) -> list[tuple[float, float, float | None]]:
    """Once a second: seconds since the start, megabytes, and the worst median lag of all visitors in ms."""
    process = psutil.Process()
    began = ends_s - seconds
    samples: list[tuple[float, float, float | None]] = []
    while time.monotonic() < ends_s - 0.5:
        time.sleep(min(1.0, max(0.1, ends_s - time.monotonic())))
        lags = []
        for stream in streams:
            if not stream.recorder.on and not stream.recorder.full:
                stream.recorder.start()
            # What the page reads: see pages/parts/live/now.py.
            stream.shot()
            stream.timeline.series()
            if (lag := stream.speed().lag_ms) is not None:
                lags.append(lag)
        megabytes = process.memory_info().rss / 1e6
        samples.append((time.monotonic() - began, megabytes, max(lags, default=None)))
        if len(samples) % 60 == 0:
            progress(f"{samples[-1][0]:.0f} s: {megabytes:.0f} MB")
    return samples


def summary(samples: Sequence[tuple[float, float, float | None]], seconds: float) -> dict[str, Any]:
    """Memory at the mark and at the end (means of five samples, MB), the growth between, and lags (ms)."""
    settled_s = 60.0 if seconds > 120 else seconds / 10
    after = [megabytes for at_s, megabytes, _ in samples if at_s >= settled_s]
    if not after:
        raise FerError("the run was too short to measure memory. Give more --seconds.")
    lags = [lag for at_s, _, lag in samples if lag is not None and at_s >= settled_s]
    start, end = float(np.mean(after[:5])), float(np.mean(after[-5:]))
    return {
        "mark_s": settled_s,
        "megabytes_at_mark": start,
        "megabytes_at_end": end,
        "megabytes_most": max(after),
        "growth_megabytes": end - start,
        "lag_ms": {
            "median": float(np.median(lags)) if lags else None,
            "p95": float(np.percentile(lags, 95)) if lags else None,
            "worst": max(lags, default=None),
        },
    }


def report(result: dict[str, Any]) -> str:
    """The figures in words."""
    settings, lag = result["settings"], result["lag_ms"]
    lines = [
        machine_text(result["machine"]),
        f"{settings['seconds']:.0f} s, {settings['visitors']} × {settings['rate']:g} frames/s of 640×480 pixels, "
        f"{clips.faces_words(settings['faces'])}. Models: {', '.join(settings['models'])}. "
        f"Detector: {settings['detector']}.",
        f"Memory: {result['megabytes_at_mark']:.1f} MB after {result['mark_s']:.0f} s, "
        f"{result['megabytes_at_end']:.1f} MB at the end: {result['growth_megabytes']:+.1f} MB "
        f"(goal: under {GOAL_MEGABYTES:.0f} MB: {_met(result['growth_megabytes'], GOAL_MEGABYTES)}).",
    ]
    if lag["worst"] is None:
        lines.append("Lag: no answer came in time.")
    else:
        lines.append(
            f"Lag, median of two seconds, sampled every second: median {lag['median']:.0f} ms, 95th percentile "
            f"{lag['p95']:.0f} ms, worst {lag['worst']:.0f} ms (goal: under {GOAL_LAG_MS:.0f} ms: "
            f"{_met(lag['worst'], GOAL_LAG_MS)})."
        )
    lines.append(
        f"Frames: {result['frames']:,}, of which {result['dropped']:,} were shown, but not looked at "
        "(first visitor). Threads left after the stop: "
        f"{result['threads_left']}."
    )
    lines += [f"A stream failed: {error}" for error in result["errors"]]
    return "\n".join(lines)


def _met(value: float, goal: float) -> str:
    return "met" if value < goal else "missed"


if __name__ == "__main__":
    sys.exit(main())
