"""``predict``: what the models say about the faces in pictures, folders and videos."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.cli import add_json_option
from fer_core.cli.arguments import real, some, some_path
from fer_core.cli.terminal import one_line
from fer_core.errors import DataError, PartlyDoneError, RunError
from fer_core.formatting import percent, plural
from fer_core.inference.report import ClipEntry, PictureEntry, Report
from fer_core.reading import UnreadableError, read_bytes
from fer_core.spreadsheet import SpreadsheetWriter
from fer_core.value_types import JsonObject

if TYPE_CHECKING:
    from fer_core.inference.faces import FaceDetector
    from fer_core.inference.predictor import Average, Predictor
    from fer_core.inference.sources import FoundFiles

    Write = Callable[[tuple[str, ...]], Any]

ALL = "all"
FLIP_AND_VIDEO = "--average flip is for pictures; a video is smoothed over time instead. Leave it out for videos."
EPILOG = """\
examples:
  python -m fer_core predict photo.jpg
  python -m fer_core predict *.png --model custom_cnn --json
  python -m fer_core predict holiday/ clip.mp4 --models custom_cnn,vote --out answers.csv
  python -m fer_core predict photo.jpg --calibrated --average flip

A file that cannot be read is named with the reason, and the others are read all the same: the command then ends with
code 1. It ends with 2 where nothing could be read.

A video's faces are followed, and their probabilities smoothed over time. Told are each face's means over the whole
video and, with --json and in the CSV, its box and probabilities at moments of it (--every).
"""


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "predict",
        help="find faces in pictures and videos and print their probabilities",
        description="Find the faces in picture files, video files and whole folders, and print what each model says "
        "about each of them. A picture of exactly 48×48 pixels is taken as a face itself.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        type=some_path,
        help="pictures (JPEG, PNG, …), videos (MP4, WebM, …), or folders, which are searched through and through",
    )
    parser.add_argument(
        "--model",
        "--models",
        dest="models",
        action="append",
        type=some,
        metavar="NAME",
        help="a run's name or folder, a .tflite file, several of them with commas between, or 'all' (the default)",
    )
    parser.add_argument(
        "--average",
        choices=("none", "flip"),
        default="none",
        help="flip: the mean over each face and its mirror image; takes twice the time; pictures only (default: none)",
    )
    parser.add_argument(
        "--calibrated",
        action="store_true",
        help="apply each run's temperature, so that its confidence fits how often it is right; no answer changes",
    )
    parser.add_argument(
        "--out",
        type=some_path,
        metavar="FILE.csv",
        help="also write a CSV, a line for each face and model (and moment)",
    )
    parser.add_argument(
        "--every",
        type=real(0, 86_400),
        default=1.0,
        metavar="SECONDS",
        help="between two moments of a video that are told; 0 for every frame (default: 1)",
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> tuple[JsonObject, str]:
    """Raises ``PartlyDoneError`` with the result where some files could not be read; ``DataError`` where none could;
    ``RunError`` for models, before anything is read.
    """
    from fer_core.inference.faces import best_detector
    from fer_core.inference.report import report_head
    from fer_core.inference.sources import find_files
    from fer_core.writable import check_output

    if args.out is not None:
        check_output(args.out, "the table")
    found = find_files(args.paths)
    if not found.pictures and not found.videos:
        raise DataError(" ".join(message for _, message in found.problems))
    predictors = open_models(args.models or [ALL], calibrated=args.calibrated)
    detector = best_detector()
    result = report_head(predictors, detector.title, calibrated=args.calibrated, average=args.average)
    with _table(args.out) as write:
        _read(found, detector, predictors, args.average, args.every, result, write)
        result["problems"] = [{"file": str(path), "reason": message} for path, message in found.problems]
        result["passed_over"] = found.passed
        problems = [message for _, message in found.problems]
        if not result["pictures"] and not result["videos"]:
            # Inside, so that no table of nothing is left behind.
            raise DataError(" ".join(problems))
    titles = {predictor.name: predictor.title for predictor in predictors}
    lines = [line for entry in result["pictures"] for line in _lines(entry, titles)]
    lines += [line for entry in result["videos"] for line in _video_lines(entry, titles)]
    if found.passed:
        lines.append(f"{plural(found.passed, 'other file')} in the folders passed over.")
    if args.out is not None:
        lines.append(f"Written: {one_line(args.out)}")
    text = "\n".join(lines)
    if problems:
        raise PartlyDoneError(problems, result, text)
    return result, text


def open_models(names: list[str], *, calibrated: bool) -> list[Predictor]:
    """The models by what was asked for, each once: names with commas between, ``all`` for every one there is.

    Raises ``RunError`` for one that cannot be had, for two different ones of one name, and where there is none.
    """
    from fer_core.inference.models import load_model
    from fer_core.runs.listing import list_models

    wanted: dict[str, str | Path] = {}
    for name in [part.strip() for text in names for part in text.split(",") if part.strip()]:
        wanted.update(
            {str(info.path): info.path for info in list_models() if info.has_model} if name == ALL else {name: name}
        )
    predictors: dict[str, Predictor] = {}
    for place in wanted.values():
        model = load_model(place, calibrated=calibrated)
        other = predictors.setdefault(model.name, model)
        if other.path.resolve() != model.path.resolve():
            raise RunError(f"{other.path} and {model.path} have the same name, {model.name}. Ask for them one by one.")
    if not predictors:
        raise RunError("there is no model yet. Train one: python -m fer_core train custom_cnn --data datasets/sample")
    return list(predictors.values())


def _read(
    found: FoundFiles,
    detector: FaceDetector,
    predictors: list[Predictor],
    average: Average,
    every_s: float,
    result: Report,
    write: Write | None,
) -> None:
    """Read file after file into ``result``; what cannot be read joins ``found.problems``."""
    from fer_core.cli.progress import ProgressLine
    from fer_core.inference.pictures import read_picture
    from fer_core.inference.videos import clip_pipeline, read_clip
    from fer_core.photo import MAX_BYTES, load_photo
    from fer_core.progress import Meter

    with ProgressLine(sys.stderr) as line:
        many = Meter(line.show if len(found.pictures) > 1 else None, "pictures", "Reading pictures")
        for number, path in enumerate(found.pictures):
            many.update(number, len(found.pictures))
            try:
                picture = load_photo(read_bytes(path, MAX_BYTES), str(path))
            except DataError as error:
                found.problems.append((path, str(error)))
                continue
            except UnreadableError as error:
                found.problems.append((path, f"{path} cannot be read: {error}."))
                continue
            reading = read_picture(picture, str(path), detector)
            if reading.faces:
                said = {model.name: model.predict(reading.crops, average=average) for model in predictors}
                reading = replace(reading, answers=said)
            result["pictures"].append(reading.to_json())
            if write is not None:
                for row in reading.rows():
                    write(row)
        if found.pictures:
            many.finish(len(found.pictures))
        for path in found.videos:
            if average != "none":
                found.problems.append((path, f"{path} was left out: {FLIP_AND_VIDEO}"))
                continue
            pipeline = clip_pipeline(predictors, detector)
            meter = Meter(line.show, "frames", f"Reading {path.name}")
            try:
                entry = read_clip(path, pipeline, every_s=every_s, write=write, progress=meter.update)
            except DataError as error:
                found.problems.append((path, f"{path.parent}: {error}"))
                continue
            meter.finish(entry["frames"])
            result["videos"].append(entry)


@contextlib.contextmanager
def _table(path: Path | None) -> Iterator[Write | None]:
    """A CSV that appears when all is done, or not at all."""
    from fer_core.files import replacing
    from fer_core.inference.pictures import HEADER

    if path is None:
        yield None
        return
    try:
        # Names of files need not be UTF-8, and a table is.
        with (
            replacing(path) as part,
            part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
        ):
            writer = SpreadsheetWriter(file)
            writer.writerow(HEADER)
            yield writer.writerow
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror or error}).") from error


def _lines(entry: PictureEntry, titles: dict[str, str]) -> list[str]:
    if not entry["faces"]:
        return [f"{one_line(entry['file'])}: no face found. A larger, upright, frontal face is found more easily."]
    lines = []
    for number, face in enumerate(entry["faces"], start=1):
        box = face["box"]
        lines.append(
            f"{one_line(entry['file'])}, face {number} of {len(entry['faces'])}, {box['width']}×{box['height']} "
            f"pixels at x {box['x']}, y {box['y']}"
        )
        lines += _answers(face["probabilities"], titles)
    return lines


def _video_lines(entry: ClipEntry, titles: dict[str, str]) -> list[str]:
    name, frames = one_line(entry["file"]), entry["frames"]
    lines = [
        f"{name}: {entry['seconds']:.1f} s, {plural(frames, 'frame')}, a face in "
        f"{percent(entry['frames_with_faces'] / frames)} of them, {plural(len(entry['faces']), 'face')} in all"
    ]
    if entry["note"]:
        lines.append(f"  {entry['note']}")
    for face in entry["faces"]:
        lines.append(
            f"{name}, face {face['face']}, from {face['first_s']:.1f} to {face['last_s']:.1f} s, mean of "
            f"{plural(face['frames'], 'frame')}"
        )
        lines += _answers(face["probabilities"], titles)
    return lines


def _answers(probabilities: dict[str, dict[str, float]], titles: dict[str, str]) -> list[str]:
    """A line for each model, the likeliest class first."""
    lines = []
    for name, values in probabilities.items():
        ranked = sorted(values.items(), key=lambda item: -item[1])
        lines.append(f"  {one_line(titles[name])}: " + ", ".join(f"{what} {100 * p:.1f} %" for what, p in ranked))
    return lines
