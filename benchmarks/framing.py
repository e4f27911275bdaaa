"""How must a found face be cut so that models trained on FER-2013 read it best? Measured on PublicTest alone.

    python benchmarks/framing.py --data datasets/fer2013 --detector haar --limit 500

Each face is enlarged and put somewhere into a larger picture, found by the detector, cut out again in many ways
(framings), and read by the model. The table compares the model's accuracy on those cuts with its accuracy on the
original faces: for each framing on the faces that were found, with Wilson's 95 % interval. PrivateTest is never read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common import finish, machine, machine_text, progress, table
from fer_core.data.dataset import load_dataset
from fer_core.emotions import IMAGE_SIZE, PUBLIC_TEST
from fer_core.errors import DataError, FerError
from fer_core.inference.detectors import Face, FaceDetector, HaarDetector, YuNetDetector
from fer_core.inference.face_crop import CropRule, Reference, cut, square_of
from fer_core.inference.models import load_model
from fer_core.inference.predictor import Predictor
from fer_core.inference.yunet import yunet_path
from fer_core.stats.intervals import wilson_interval

CANVAS, FACE = 320, 144
"""Side of the picture and of the face in it, in pixels: a face at arm's length in front of a webcam, at the size that
frames are searched at."""
BACKGROUNDS = ("grey", "blurred", "edge")
BOX_SCALES = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2)
WIDTH_SCALES = (1.15, 1.25, 1.35, 1.45)
MEAN_SCALES = (1.0, 1.1, 1.2, 1.3)
EYE_SCALES = (2.0, 2.2, 2.4, 2.6)
BOX_SHIFTS = (-0.05, 0.0, 0.05)
EYE_SHIFTS = (0.08, 0.13, 0.18)
SEED = 2013

FaceArray = npt.NDArray[np.uint8]


def picture_with_face(face: FaceArray, background: str, rng: np.random.Generator) -> tuple[FaceArray, Face]:
    """The face (uint8 48×48) in a picture, uint8 (320, 320, 3), at a random place; and where it is."""
    large = cv2.resize(face, (FACE, FACE), interpolation=cv2.INTER_CUBIC)
    left, top = (int(value) for value in rng.integers(0, CANVAS - FACE + 1, size=2))
    if background == "edge":
        right, bottom = CANVAS - FACE - left, CANVAS - FACE - top
        grey = np.asarray(cv2.copyMakeBorder(large, top, bottom, left, right, cv2.BORDER_REPLICATE), dtype=np.uint8)
    else:
        if background == "grey":
            grey = np.full((CANVAS, CANVAS), 128, dtype=np.uint8)
        else:
            wide = cv2.resize(face, (CANVAS, CANVAS), interpolation=cv2.INTER_LINEAR)
            grey = np.asarray(cv2.GaussianBlur(wide, (0, 0), CANVAS / 12), dtype=np.uint8)
        grey[top : top + FACE, left : left + FACE] = large
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), dtype=np.uint8), Face(left, top, FACE, FACE, 1.0)


def crop_rules(*, landmarks: bool) -> Iterator[CropRule]:
    """Every framing that is compared; those of square boxes alone where the detector gives no landmarks."""

    def grid(reference: Reference, scales: tuple[float, ...], shifts: tuple[float, ...], level: bool) -> list[CropRule]:
        return [CropRule(scale, reference, shift, level) for scale in scales for shift in shifts]

    yield from grid("longer", BOX_SCALES, BOX_SHIFTS, False)
    if landmarks:
        yield from grid("longer", BOX_SCALES, BOX_SHIFTS, True)
        yield from grid("width", WIDTH_SCALES, (0.0,), False)
        yield from grid("mean", MEAN_SCALES, BOX_SHIFTS, False)
        yield from grid("eyes", EYE_SCALES, EYE_SHIFTS, False)
        yield from grid("eyes", EYE_SCALES, EYE_SHIFTS, True)


def found_face(detector: FaceDetector, picture: FaceArray, truth: Face) -> Face | None:
    """The found box that overlaps most with where the face is; None where none does by a quarter of their union."""
    best, most = None, 0.25
    for face in detector.detect(picture):
        wide = min(face.x + face.width, truth.x + truth.width) - max(face.x, truth.x)
        high = min(face.y + face.height, truth.y + truth.height) - max(face.y, truth.y)
        shared = max(0, wide) * max(0, high)
        overlap = shared / (face.area + truth.area - shared)
        if overlap > most:
            best, most = face, overlap
    return best


def figures(
    probabilities: npt.NDArray[np.float32], labels: FaceArray, whole: npt.NDArray[np.float32]
) -> dict[str, Any]:
    """n, accuracy with its interval, log loss, and how often the answer is that for the original face."""
    answers = probabilities.argmax(axis=1)
    right, n = int((answers == labels).sum()), len(labels)
    low, high = wilson_interval(right, n)
    of_label = np.clip(probabilities[np.arange(n), labels], 1e-7, 1)
    return {
        "n": n,
        "right": right,
        "accuracy": right / n,
        "accuracy_low": float(low),
        "accuracy_high": float(high),
        "log_loss": float(-np.log(of_label).mean()),
        "same_answer": float((answers == whole.argmax(axis=1)).mean()),
    }


def describe(rule: CropRule) -> str:
    """A framing in a few words."""
    of = {"longer": "box's longer side", "mean": "box's mean side", "eyes": "eye distance"}
    level = ", eyes level" if rule.level else ""
    return f"{rule.scale:g} × {of.get(rule.reference, f'box {rule.reference}')}, {rule.shift:+g}{level}"


def implied(faces: list[Face], truths: list[Face]) -> dict[str, float]:
    """The framing that the original faces have, relative to the boxes: medians of scale and shift by reference."""
    references: tuple[Reference, ...] = ("longer", "width", "mean")
    if all(face.landmarks is not None for face in faces):
        references += ("eyes",)
    result = {}
    for reference in references:
        squares = np.array([square_of(face, CropRule(1.0, reference))[:3] for face in faces])
        middles = np.array([(truth.x + truth.width / 2, truth.y + truth.height / 2) for truth in truths])
        result[f"{reference}_scale"] = float(np.median(FACE / squares[:, 2]))
        result[f"{reference}_shift"] = float(np.median((middles[:, 1] - squares[:, 1]) / FACE))
        result[f"{reference}_shift_sideways"] = float(np.median((middles[:, 0] - squares[:, 0]) / FACE))
    return result


def measure(
    data: Path, model: Predictor, detector: FaceDetector, background: str, limit: int, only: list[CropRule] | None
) -> dict[str, Any]:
    """Everything the tables show. Raises ``DataError`` where nothing can be measured."""
    dataset = load_dataset(data)
    rows = dataset.rows(PUBLIC_TEST)
    if not len(rows):
        raise DataError(f"{data} has no {PUBLIC_TEST} faces, and framings are chosen on nothing else.")
    rng = np.random.default_rng(SEED)
    rows = np.sort(rng.permutation(rows)[:limit])
    pictures, faces, truths, found_rows = [], [], [], []
    for row in rows:
        picture, truth = picture_with_face(np.asarray(dataset.images[row]), background, rng)
        face = found_face(detector, picture, truth)
        if face is not None:
            pictures.append(picture)
            faces.append(face)
            truths.append(truth)
            found_rows.append(row)
    if not found_rows:
        raise DataError(f"{detector.title} found none of the {len(rows):,} faces.")
    progress(f"{detector.title} found {len(found_rows):,} of {len(rows):,} faces on {background} backgrounds")
    labels = dataset.labels[found_rows].astype(np.uint8)
    originals = np.stack([np.asarray(dataset.images[row]) for row in found_rows])
    whole = model.predict(originals)
    exact = np.stack([cut(*pair, CropRule()) for pair in zip(pictures, truths, strict=True)])
    result: dict[str, Any] = {
        "detector": detector.title,
        "background": background,
        "model": model.name,
        "split": PUBLIC_TEST,
        "faces": len(rows),
        "found": len(found_rows),
        "missed": len(rows) - len(found_rows),
        "implied": implied(faces, truths),
        "original": figures(whole, labels, whole),
        "exact": figures(model.predict(exact), labels, whole),
        "framings": [],
    }
    for rule in only or crop_rules(landmarks=faces[0].landmarks is not None):
        crops = np.stack([cut(picture, face, rule) for picture, face in zip(pictures, faces, strict=True)])
        entry = {"scale": rule.scale, "reference": rule.reference, "shift": rule.shift, "level": rule.level}
        result["framings"].append({"framing": describe(rule), **entry, **figures(model.predict(crops), labels, whole)})
    result["framings"].sort(key=lambda found: (-found["right"], found["log_loss"]))
    return result


def text_of(result: dict[str, Any], top: int) -> str:
    """The table for people, the best framings first."""
    rows = [
        [
            name,
            f"{found['n']:,}",
            str(result["missed"]),
            f"{100 * found['accuracy']:.1f} %",
            f"{100 * found['accuracy_low']:.1f}–{100 * found['accuracy_high']:.1f} %",
            f"{found['log_loss']:.3f}",
            f"{100 * found['same_answer']:.1f} %",
        ]
        for name, found in [
            ("the original face", result["original"]),
            ("cut exactly where it was put", result["exact"]),
            *((found["framing"], found) for found in result["framings"][:top]),
        ]
    ]
    head = ["square's side, shift down in sides", "n", "missed", "accuracy", "95 %", "log loss", "same answer"]
    medians = ", ".join(f"{name} {value:.3f}" for name, value in result["implied"].items())
    return (
        f"{result['detector']}, {result['background']} background, {result['model']}, {result['split']}\n"
        f"{table(head, rows)}\nThe originals' own framing (medians): {medians}"
    )


def parse_crop_rule(text: str) -> CropRule:
    """``scale,reference,shift[,level]`` as a framing. Raises ``argparse.ArgumentTypeError``."""
    parts = text.split(",")
    try:
        if len(parts) not in (3, 4) or (len(parts) == 4 and parts[3] != "level"):
            raise ValueError("three or four parts are needed, the fourth being the word level")
        return CropRule(float(parts[0]), parts[1], float(parts[2]), len(parts) == 4)  # type: ignore[arg-type]
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no framing like 1.02,longer,0 or 2.4,eyes,0.13,level: {error}"
        ) from error


def detector_of(name: str, path: Path | None) -> FaceDetector:
    """The detector by name. Raises ``FerError`` where YuNet's file is missing."""
    return HaarDetector() if name == "haar" else YuNetDetector(path or yunet_path())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="dataset folder of FER-2013")
    parser.add_argument("--detector", choices=("haar", "yunet"), action="append", help="default: haar; may be repeated")
    parser.add_argument("--yunet", type=Path, help="YuNet's file (default: the downloaded one)")
    parser.add_argument("--model", default="custom_cnn", help="run that reads the cuts (default: custom_cnn)")
    parser.add_argument("--background", choices=BACKGROUNDS, action="append", help="default: blurred; may be repeated")
    parser.add_argument("--limit", type=int, default=500, help="PublicTest faces, drawn at random (default: 500)")
    parser.add_argument("--top", type=int, default=15, help="framings in the table (default: 15); --json has all")
    parser.add_argument("--framing", type=parse_crop_rule, action="append", help="this framing only; may be repeated")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()

    def work() -> tuple[dict[str, Any], str]:
        if args.limit < 1:
            raise FerError("--limit must be at least 1.")
        about = machine()
        model = load_model(args.model, threads=1)
        results = [
            measure(args.data, model, detector_of(name, args.yunet), background, args.limit, args.framing)
            for name in args.detector or ["haar"]
            for background in args.background or ["blurred"]
        ]
        text = "\n\n".join([machine_text(about), *(text_of(result, args.top) for result in results)])
        return {"machine": about, "canvas": CANVAS, "face": FACE, "image_size": IMAGE_SIZE, "results": results}, text

    return finish(work, as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
