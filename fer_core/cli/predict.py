"""``predict``: what the models say about the faces in picture files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.cli import add_json_option
from fer_core.emotions import NAMES
from fer_core.errors import DataError, RunError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from fer_core.inference.faces import FaceDetector
    from fer_core.inference.predictor import Average, Predictor

ALL = "all"
EPILOG = """\
examples:
  python -m fer_core predict photo.jpg
  python -m fer_core predict *.png --model custom_cnn --json
  python -m fer_core predict photo.jpg --calibrated --average flip
"""


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "predict",
        help="find faces in pictures and print their probabilities",
        description="Find the faces in picture files and print what each model says about each of them. A picture "
        "of exactly 48×48 pixels is taken as a face itself.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", metavar="PICTURE", nargs="+", type=Path, help="picture files (JPEG, PNG, …)")
    parser.add_argument(
        "--model",
        default=ALL,
        metavar="NAME",
        help="a run's name or folder, a .tflite file, or 'all' (the default)",
    )
    parser.add_argument(
        "--average",
        choices=("none", "flip"),
        default="none",
        help="flip: the mean over each face and its mirror image; takes twice the time (default: none)",
    )
    parser.add_argument(
        "--calibrated",
        action="store_true",
        help="apply each run's temperature, so that its confidence fits how often it is right; no answer changes",
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Raises ``DataError`` naming every unreadable file, before anything is predicted; ``RunError`` for
    models.
    """
    from fer_core.inference.faces import best_detector

    pictures = _read(args.paths)
    predictors = _predictors(args.model, calibrated=args.calibrated)
    detector = best_detector()
    found = [_picture(path, image, detector, predictors, args.average) for path, image in pictures]
    result = {
        "models": [
            {"name": predictor.name, "title": predictor.title, "temperature": predictor.temperature}
            for predictor in predictors
        ],
        "calibrated": args.calibrated,
        "average": args.average,
        "detector": detector.title,
        "pictures": found,
    }
    titles = {predictor.name: predictor.title for predictor in predictors}
    return result, "\n".join(line for entry in found for line in _lines(entry, titles))


def _read(paths: list[Path]) -> list[tuple[Path, npt.NDArray[np.uint8]]]:
    from fer_core.inference.faces import load_picture

    pictures, problems = [], []
    for path in paths:
        try:
            pictures.append((path, load_picture(path.read_bytes(), str(path))))
        except DataError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(f"{path} cannot be read ({error.strerror or error}).")
    if problems:
        raise DataError(" ".join(problems))
    return pictures


def _predictors(model: str, *, calibrated: bool) -> list[Predictor]:
    from fer_core.inference.predictor import load_model
    from fer_core.runs.listing import list_models

    if model != ALL:
        return [load_model(model, calibrated=calibrated)]
    predictors = [load_model(info.path, calibrated=calibrated) for info in list_models()]
    if not predictors:
        raise RunError("there is no model yet. Train one: python -m fer_core train custom_cnn --data datasets/sample")
    return predictors


def _picture(
    path: Path, image: npt.NDArray[np.uint8], detector: FaceDetector, predictors: list[Predictor], average: Average
) -> dict[str, Any]:
    """One picture's entry of the JSON result; probabilities 0..1."""
    import numpy as np

    from fer_core.inference.faces import find_face_crops

    found = find_face_crops(image, detector)
    faces: list[dict[str, Any]] = [
        {
            "box": {"x": face.x, "y": face.y, "width": face.width, "height": face.height},
            "score": round(face.score, 4),
            "probabilities": {},
        }
        for face, _ in found
    ]
    if found:
        crops = np.stack([crop for _, crop in found])
        for predictor in predictors:
            for face_entry, row in zip(faces, predictor.predict(crops, average=average), strict=True):
                values = dict(zip(NAMES, (round(float(p), 6) for p in row), strict=True))
                face_entry["probabilities"][predictor.name] = values
    return {"file": str(path), "width": image.shape[1], "height": image.shape[0], "faces": faces}


def _lines(entry: dict[str, Any], titles: dict[str, str]) -> list[str]:
    if not entry["faces"]:
        return [f"{entry['file']}: no face found. A larger, upright, frontal face is found more easily."]
    lines = []
    for number, face in enumerate(entry["faces"], start=1):
        box = face["box"]
        lines.append(
            f"{entry['file']}, face {number} of {len(entry['faces'])}, {box['width']}×{box['height']} pixels at "
            f"x {box['x']}, y {box['y']}"
        )
        for name, values in face["probabilities"].items():
            ranked = sorted(values.items(), key=lambda item: -item[1])
            lines.append(f"  {titles[name]}: " + ", ".join(f"{what} {100 * p:.1f} %" for what, p in ranked))
    return lines
