"""``predict``: what the models say about the faces in pictures, folders and videos."""

from __future__ import annotations

import argparse
import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.cli import add_json_option
from fer_core.cli.arguments import add_answer_options, real, some, some_path
from fer_core.cli.progress import ProgressLine
from fer_core.cli.terminal import whisper
from fer_core.errors import DataError, PartlyDoneError
from fer_core.spreadsheet import SpreadsheetWriter

if TYPE_CHECKING:
    from fer_core.cli.told_pictures import Teller
    from fer_core.inference.faces import FaceDetector
    from fer_core.inference.predictor import Average, Predictor
    from fer_core.inference.sources import FoundFiles

    Write = Callable[[tuple[str, ...]], Any]

JSON_LINES = (".jsonl", ".ndjson")
EPILOG = """\
examples:
  python -m fer_core predict photo.jpg
  python -m fer_core predict *.png --model custom_cnn --json
  python -m fer_core predict holiday/ clip.mp4 --models custom_cnn,vote --out answers.csv
  python -m fer_core predict photo.jpg --calibrated --average flip
  python -m fer_core predict cut-faces/ --already-cut --out answers.jsonl

A file that cannot be read is named with the reason, and the others are read all the same: the command then ends with
code 1. It ends with 2 where nothing could be read. What is found is printed as it comes, so that a folder may hold any
number of pictures.

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
    add_answer_options(parser)
    parser.add_argument(
        "--out",
        type=some_path,
        metavar="FILE",
        help="also write a table, a line for each face and model (and moment): JSON lines where the name ends in "
        ".jsonl or .ndjson, else CSV",
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


def run(args: argparse.Namespace) -> None:
    """Prints what is found as it comes. Raises ``PartlyDoneError`` at the end where some files could not be read;
    ``DataError``, with nothing printed, where none could; ``RunError`` for models, before anything is read.
    """
    from fer_core.cli.told_pictures import JsonTeller, TextTeller
    from fer_core.inference.detectors import best_kind, caution
    from fer_core.inference.faces import AlreadyCut
    from fer_core.inference.models import ALL, open_models
    from fer_core.inference.predict_json import report_head
    from fer_core.inference.sources import find_files
    from fer_core.writable import check_output

    if args.out is not None:
        check_output(args.out, "the table")
    found = find_files(args.paths)
    if not found.pictures and not found.videos:
        raise DataError(" ".join(message for _, message in found.problems))
    new_detector = AlreadyCut if args.already_cut else best_kind()
    predictors = open_models(args.models or [ALL], calibrated=args.calibrated)
    detector = new_detector()
    head = report_head(predictors, detector.title, calibrated=args.calibrated, average=args.average)
    if words := caution(detector.title):
        whisper(f"Note: {words}")
    with ProgressLine(sys.stderr) as line, _table(args.out) as write:
        titles = {predictor.name: predictor.title for predictor in predictors}
        teller: Teller = JsonTeller(head) if args.json else TextTeller(titles, line.clear)
        _read_pictures(found, new_detector, predictors, args.average, teller, write, line)
        _read_videos(found, detector, predictors, args, teller, write, line)
        if not teller.begun:
            # Inside, so that no table of nothing is left behind.
            raise DataError(" ".join(message for _, message in found.problems))
    teller.end(found.problems, found.passed, args.out)
    if found.problems:
        raise PartlyDoneError([message for _, message in found.problems])


def _read_pictures(
    found: FoundFiles,
    new_detector: Callable[[], FaceDetector],
    predictors: list[Predictor],
    average: Average,
    teller: Teller,
    write: Write | None,
    line: ProgressLine,
) -> None:
    """Tell of file after file; what cannot be read joins ``found.problems``."""
    from fer_core.inference.picture_files import read_files
    from fer_core.progress import Meter

    many = Meter(line.show if len(found.pictures) > 1 else None, "pictures", "Reading pictures")
    for number, (path, reading) in enumerate(read_files(found.pictures, new_detector, predictors, average=average)):
        many.update(number, len(found.pictures))
        if isinstance(reading, str):
            found.problems.append((path, reading))
            continue
        teller.picture(reading)
        if write is not None:
            for row in reading.rows():
                write(row)
    if found.pictures:
        many.finish(len(found.pictures))


def _read_videos(
    found: FoundFiles,
    detector: FaceDetector,
    predictors: list[Predictor],
    args: argparse.Namespace,
    teller: Teller,
    write: Write | None,
    line: ProgressLine,
) -> None:
    from fer_core.inference.videos import clip_pipeline, read_clip, why_no_video
    from fer_core.progress import Meter

    why = why_no_video(args.average, already_cut=args.already_cut)
    for path in found.videos:
        if why:
            found.problems.append((path, f"{path} was left out: {why}"))
            continue
        meter = Meter(line.show, "frames", f"Reading {path.name}")
        tell = functools.partial(teller.moment, path)
        try:
            entry = read_clip(
                path,
                clip_pipeline(predictors, detector),
                every_s=args.every,
                write=write,
                tell=tell,
                progress=meter.update,
            )
        except DataError as error:
            message = f"{path.parent}: {error}"
            teller.broken_off(path, message)
            found.problems.append((path, message))
            continue
        meter.finish(entry["frames"])
        teller.video(entry)


@contextlib.contextmanager
def _table(path: Path | None) -> Iterator[Write | None]:
    """A table that is written line by line, and appears when all is done, or not at all: CSV or JSON lines."""
    from fer_core.files import replacing
    from fer_core.inference.pictures import HEADER, json_line

    if path is None:
        yield None
        return
    try:
        # Names of files need not be UTF-8, and a table is.
        with (
            replacing(path) as part,
            part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
        ):
            if path.suffix.lower() in JSON_LINES:
                yield lambda row: file.write(json_line(row))
            else:
                writer = SpreadsheetWriter(file)
                writer.writerow(HEADER)
                yield writer.writerow
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror or error}).") from error
