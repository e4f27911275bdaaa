"""Milliseconds per frame of the live stream, stage by stage, against a plain loop of Haar and model.predict.

    python benchmarks/live.py --data datasets/fer2013
    python benchmarks/live.py --data datasets/fer2013 --yunet face_detection_yunet.onnx --frames 600

A clip of 640×480 pixels is made here: photographed faces that sway, come nearer and go back before a blurred ground,
once one face, once four. Our pipeline reads it as the Live page does (detection at every fourth frame, optical flow
between, all models with their class maps, the result drawn on the frame). The plain loop is what most tutorials show:
Haar's cascade on every frame, ``model.predict`` for each face, a box and a word. It reads the same frames with the same
model, in a process of its own, because it needs TensorFlow. Making the frames is not timed. The process is kept to two
cores where the system can do that.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common import finish, machine, machine_text, progress, run_child, table
from fer_core.data.dataset import load_dataset
from fer_core.emotions import NAMES, PUBLIC_TEST
from fer_core.errors import FerError
from fer_core.inference.detectors import FaceDetector, HaarDetector, YuNetDetector
from fer_core.inference.models import load_model
from fer_core.inference.stream.draw import Style, draw_result
from fer_core.inference.stream.pipeline import Pipeline, StreamSettings
from fer_core.inference.yunet import yunet_path, yunet_ready
from fer_core.runs.listing import find_run, list_models

WIDTH, HEIGHT, RATE = 640, 480, 30
FACES = (1, 4)
SIDES = {1: 210, 4: 130}
"""Pixels of a face: at arm's length from a webcam, and four people before one."""
CORES = 2
WARM_UP = 20
ONE = "one model"
STAGES = ("detect", "track", "crop", "predict", "draw", "total")
PLAIN_STAGES = ("detect", "predict", "draw", "total")
GOAL_ONE_MS, GOAL_ALL_MS, GOAL_FACTOR = 15.0, 33.0, 8.0
SEED = 2013
MOST_TRIES = 400

Frame = npt.NDArray[np.uint8]
Times = dict[str, list[float]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="dataset folder of FER-2013: its faces are shown")
    parser.add_argument("--yunet", type=Path, help="YuNet's file (default: the downloaded one, otherwise Haar is used)")
    parser.add_argument("--model", help="the one model (default: the first that ships)")
    parser.add_argument("--models", nargs="+", metavar="RUN", help="all models (default: all that ship, without votes)")
    parser.add_argument("--frames", type=int, default=300, help="timed frames of each kind (default: 300)")
    parser.add_argument("--plain-frames", type=int, default=100, help="timed frames of the plain loop (default: 100)")
    parser.add_argument("--quick", action="store_true", help="a few frames only: to see that it runs")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    if "--child" in sys.argv:
        print(json.dumps(plain_loop(json.loads(sys.argv[sys.argv.index("--child") + 1]))))
        return 0
    args = parser.parse_args()
    if args.quick:
        args.frames, args.plain_frames = 12, 4
    return finish(lambda: measure(args), as_json=args.json)


def measure(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Measure everything. Returns the figures and the text for people.

    Raises ``FerError`` for settings that make no sense, unknown runs, or data without faces that can be found.
    """
    if args.frames < 1 or args.plain_frames < 1:
        raise FerError("--frames and --plain-frames must be at least 1.")
    names = list(args.models or [info.name for info in list_models() if info.shipped and not info.is_vote])
    if not names:
        raise FerError("no trained run ships here. Name some: --models RUN RUN")
    one = args.model or names[0]
    run = find_run(one)
    if not run.keras_path.exists():
        raise FerError(f"{one} has no model.keras for the plain loop. A vote has none: name one of its members.")
    about = machine()
    cores = keep_to_cores()
    detector = open_detector(args.yunet)
    progress("choosing faces")
    faces = choose_faces(args.data, detector, max(FACES))
    kinds = {ONE: [one], f"{len(names)} models with maps": names}
    figures: list[dict[str, Any]] = []
    for count in FACES:
        for kind, wanted in kinds.items():
            progress(f"{count} in the picture, {kind}")
            maps = kind != ONE
            figures.append({"faces": count, "kind": kind, **ours(faces[:count], detector, wanted, args.frames, maps)})
    plain: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as temporary:
        stored = Path(temporary) / "faces.npy"
        np.save(stored, np.stack(faces))
        for count in FACES:
            progress(f"{count} in the picture, plain loop")
            task = {"run": str(run.path), "faces": str(stored), "count": count, "frames": args.plain_frames}
            plain.append({"faces": count, **run_child(__file__, task)})
    result = {
        "machine": about,
        "settings": {
            "size": [WIDTH, HEIGHT],
            "cores": cores,
            "detector": detector.title,
            "model": one,
            "models": names,
            "frames": args.frames,
            "plain_frames": args.plain_frames,
        },
        "figures": figures,
        "plain": plain,
    }
    result["goals"] = goals(result)
    return result, report(result)


def ours(
    faces: Sequence[Frame], detector: FaceDetector, names: Sequence[str], frames: int, with_map: bool
) -> dict[str, Any]:
    """Our pipeline over the clip: milliseconds by stage, and by model."""
    models = {name: load_model(name, threads=CORES) for name in names}
    settings = StreamSettings(map_model=names[0] if with_map else None)
    pipeline = Pipeline(models, detector, settings)
    style = Style(model=names[0], show_map=with_map)
    times: Times = {stage: [] for stage in STAGES}
    by_model: Times = {name: [] for name in names}
    seen = 0
    for number, frame in enumerate(clip(faces, frames + WARM_UP)):
        result = pipeline.process(frame, number / RATE)
        began = time.perf_counter()
        draw_result(frame, result, style)
        drawn = (time.perf_counter() - began) * 1000
        if number < WARM_UP:
            continue
        said = result.timings
        if result.detected:
            times["detect"].append(said.detect_ms)
        times["track"].append(said.track_ms)
        times["crop"].append(said.crop_ms)
        times["predict"].append(sum(said.predict_ms.values()))
        times["draw"].append(drawn)
        times["total"].append(said.total_ms + drawn)
        for name in names:
            by_model[name].append(said.predict_ms[name])
        seen += len(result.faces)
    return {
        "frames": frames,
        "faces_per_frame": seen / frames,
        "detected_share": len(times["detect"]) / frames,
        "stages": {stage: spread_of(values) for stage, values in times.items()},
        "models": {name: spread_of(values) for name, values in by_model.items()},
    }


def plain_loop(task: dict[str, Any]) -> dict[str, Any]:
    """What most tutorials show. Runs in a child process: it needs TensorFlow."""
    import cv2.data

    from fer_core.runs.folder import RunFolder
    from fer_core.zoo.keras_model import load_keras

    model = load_keras(RunFolder(Path(task["run"])).keras_path)
    cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"))
    faces = list(np.load(task["faces"]))[: task["count"]]
    times: Times = {stage: [] for stage in PLAIN_STAGES}
    warm_up = min(WARM_UP, 3)
    seen = 0
    for number, frame in enumerate(clip(faces, task["frames"] + warm_up)):
        began = time.perf_counter()
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        boxes = cascade.detectMultiScale(grey, 1.3, 5)
        looked = time.perf_counter()
        labels = []
        for x, y, width, height in boxes:
            crop = cv2.resize(grey[y : y + height, x : x + width], (48, 48))
            answer = model.predict(crop.astype(np.float32)[np.newaxis, ..., np.newaxis], verbose=0)
            labels.append(int(np.argmax(answer)))
        predicted = time.perf_counter()
        shown = frame.copy()
        for (x, y, width, height), label in zip(boxes, labels, strict=True):
            cv2.rectangle(shown, (x, y), (x + width, y + height), (255, 0, 0), 2)
            cv2.putText(shown, NAMES[label], (x, y - 10), cv2.FONT_HERSHEY_SIMPLEX, 1, (255, 255, 255), 2)
        ended = time.perf_counter()
        if number < warm_up:
            continue
        for stage, seconds in zip(
            PLAIN_STAGES, (looked - began, predicted - looked, ended - predicted, ended - began), strict=True
        ):
            times[stage].append(1000 * seconds)
        seen += len(boxes)
    return {
        "frames": task["frames"],
        "faces_per_frame": seen / task["frames"],
        "stages": {stage: spread_of(values) for stage, values in times.items()},
    }


def clip(faces: Sequence[Frame], frames: int) -> Iterator[Frame]:
    """Frames, uint8 (480, 640, 3): each face (uint8 48×48) sways around a place of its own, and nears and recedes."""
    generator = np.random.default_rng(SEED)
    noise = generator.integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), dtype=np.uint8)
    ground = cv2.resize(cv2.GaussianBlur(noise, (0, 0), 2), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    ground = cv2.normalize(ground, np.empty_like(ground), 40, 210, cv2.NORM_MINMAX)
    side = SIDES[1 if len(faces) == 1 else 4]
    columns = 1 if len(faces) == 1 else 2
    for number in range(frames):
        # Grain as a camera's: two equal frames would flatter the optical flow.
        grain = np.asarray(generator.integers(0, 6, ground.shape), dtype=np.uint8)
        frame = np.asarray(cv2.add(ground, grain), dtype=np.uint8)
        angle = 2 * math.pi * number / (4 * RATE)
        for index, face in enumerate(faces):
            row, column = divmod(index, columns)
            phase = angle + index * math.pi / 3
            size = round(side * (1 + 0.12 * math.sin(0.7 * phase)))
            x = (column + 0.5) * WIDTH / columns + 0.2 * side * math.sin(phase)
            y = (row + 0.5) * HEIGHT / columns + 0.1 * side * math.sin(1.3 * phase)
            _paste(frame, face, x, y, size)
        yield frame


def _paste(frame: Frame, face: Frame, x: float, y: float, side: int) -> None:
    """Blend an enlarged face into the frame, its middle at (x, y), fading out towards an oval's edge."""
    large = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
    left, top = round(x - side / 2), round(y - side / 2)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, WIDTH), min(top + side, HEIGHT)
    place = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    weight = np.clip(4 * (1.08 - np.hypot(place[0] / 1.1, place[1])), 0, 1)[y0 - top : y1 - top, x0 - left : x1 - left]
    part = frame[y0:y1, x0:x1]
    inside = large[y0 - top : y1 - top, x0 - left : x1 - left, np.newaxis]
    part[:] = np.asarray(part * (1 - weight[..., None]) + inside * weight[..., None], dtype=np.uint8)


def choose_faces(data: Path, detector: FaceDetector, count: int) -> list[Frame]:
    """Faces of PublicTest (uint8 48×48), drawn at random among those that both detectors find in a frame.

    Raises ``FerError`` where there are too few.
    """
    dataset = load_dataset(data)
    rows = dataset.rows(PUBLIC_TEST)
    haar = HaarDetector()
    chosen: list[Frame] = []
    for row in np.random.default_rng(SEED).permutation(rows)[:MOST_TRIES]:
        face = np.asarray(dataset.images[int(row)])
        frame = next(clip([face], 1))
        if len(detector.detect(frame)) == 1 and len(haar.detect(frame)) == 1:
            chosen.append(face)
            if len(chosen) == count:
                return chosen
    raise FerError(
        f"only {len(chosen)} of {min(MOST_TRIES, len(rows))} faces of {data} were found by the detectors, and {count} "
        "are needed. Photographed faces are found best: --data datasets/fer2013"
    )


def open_detector(path: Path | None) -> FaceDetector:
    """YuNet from the file given or downloaded; otherwise Haar, which every result then says."""
    if path is not None:
        return YuNetDetector(path)
    return YuNetDetector(yunet_path()) if yunet_ready() else HaarDetector()


def keep_to_cores() -> int | None:
    """Keep this process and its children to two cores; how many, or None where the system cannot do that."""
    cv2.setNumThreads(CORES)
    if not hasattr(os, "sched_setaffinity"):
        return None
    mine = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, mine)
    return len(mine)


def spread_of(values: Sequence[float]) -> dict[str, float]:
    """Median, mean and 95th percentile in milliseconds; zeros where the stage never ran."""
    if not values:
        return {"median_ms": 0.0, "mean_ms": 0.0, "p95_ms": 0.0, "n": 0}
    return {
        "median_ms": float(np.median(values)),
        "mean_ms": float(np.mean(values)),
        "p95_ms": float(np.percentile(values, 95)),
        "n": len(values),
    }


def goals(result: dict[str, Any]) -> list[dict[str, Any]]:
    """What was aimed at, with one face in the picture, and whether it was reached."""
    one, every = (figure for figure in result["figures"] if figure["faces"] == 1)
    [plain] = [figure for figure in result["plain"] if figure["faces"] == 1]
    ms_one, ms_all = (figure["stages"]["total"]["median_ms"] for figure in (one, every))
    # Frames a second come from the mean: the dear frames, on which faces are looked for, keep up the others.
    rate = plain["stages"]["total"]["mean_ms"] / one["stages"]["total"]["mean_ms"]
    return [
        {"goal": f"one model: median under {GOAL_ONE_MS:g} ms", "found": ms_one, "met": ms_one < GOAL_ONE_MS},
        {"goal": f"{every['kind']}: median under {GOAL_ALL_MS:g} ms", "found": ms_all, "met": ms_all < GOAL_ALL_MS},
        {
            "goal": f"one model: at least {GOAL_FACTOR:g} times the plain loop's rate",
            "found": rate,
            "met": rate >= GOAL_FACTOR,
        },
    ]


def report(result: dict[str, Any]) -> str:
    """Tables in Markdown: stages of each kind, each model's share, the plain loop, the goals."""
    settings = result["settings"]
    cores_text = (
        f"kept to {settings['cores']} cores" if settings["cores"] else "not kept to two cores: the system cannot"
    )
    head = (
        f"{machine_text(result['machine'])}\n"
        f"{WIDTH}×{HEIGHT} pixels, {settings['frames']} frames of each kind ({settings['plain_frames']} of the plain "
        f"loop), {cores_text}. Detector: {settings['detector']}. One model: {settings['model']}. "
        f"All: {', '.join(settings['models'])}."
    )
    columns = [(figure["faces"], figure["kind"]) for figure in result["figures"]]
    titles = ["stage", *(f"{faces_words(faces)}, {kind}" for faces, kind in columns)]
    rows = [[_stage(stage), *(_cell(figure["stages"][stage]) for figure in result["figures"])] for stage in STAGES]
    rows.append(["frames a second, by the mean", *(_rate(figure) for figure in result["figures"])])
    rows.append(["faces read per frame", *(f"{figure['faces_per_frame']:.2f}" for figure in result["figures"])])
    parts = [head, "Ours: milliseconds per frame, median (95th percentile)", table(titles, rows)]
    names = settings["models"]
    every = [figure for figure in result["figures"] if figure["kind"] != ONE]
    parts += [
        "Each model with its seven class maps: milliseconds per frame, median (95th percentile)",
        table(
            ["model", *(faces_words(figure["faces"]) for figure in every)],
            [[name, *(_cell(figure["models"][name]) for figure in every)] for name in names],
        ),
        f"The plain loop, {settings['model']}: milliseconds per frame, median (95th percentile)",
        table(
            ["stage", *(faces_words(figure["faces"]) for figure in result["plain"])],
            [
                *([stage, *(_cell(figure["stages"][stage]) for figure in result["plain"])] for stage in PLAIN_STAGES),
                ["frames a second, by the mean", *(_rate(figure) for figure in result["plain"])],
                ["faces read per frame", *(f"{figure['faces_per_frame']:.2f}" for figure in result["plain"])],
            ],
        ),
        "Goals, with one face:\n"
        + "\n".join(
            f"- {goal['goal']}: {'met' if goal['met'] else 'missed'} ({_found(goal)})" for goal in result["goals"]
        ),
    ]
    if settings["detector"] != YuNetDetector.title:
        parts.append("The goals are about YuNet, which was not at hand: give its file with --yunet.")
    return "\n\n".join(parts)


def faces_words(count: int) -> str:
    """``one face``, ``4 faces``."""
    return "one face" if count == 1 else f"{count} faces"


def _stage(stage: str) -> str:
    return {
        "detect": "detect (on its frames, about every fourth)",
        "predict": "predict, maps included",
        "total": "**total**",
    }.get(stage, stage)


def _cell(figure: dict[str, float]) -> str:
    return f"{figure['median_ms']:.1f} ({figure['p95_ms']:.1f})"


def _rate(figure: dict[str, Any]) -> str:
    return f"{1000 / figure['stages']['total']['mean_ms']:.0f}"


def _found(goal: dict[str, Any]) -> str:
    return f"{goal['found']:.1f} times" if "times" in goal["goal"] else f"{goal['found']:.1f} ms"


if __name__ == "__main__":
    sys.exit(main())
