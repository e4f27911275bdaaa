"""Which detector sees faces that are not there, and which misses some? On a folder of your own photographs.

    python benchmarks/detectors.py photos/ --out disputed/
    python benchmarks/detectors.py landscapes/ --no-faces

Both detectors look at each photograph as the app does, and their boxes are compared. What both find is a face; what one
alone finds is disputed, and only a person can say whether it is a phantom or was missed by the other: ``--out`` writes
each disputed cut into a file to look at. In photographs without any face (``--no-faces``) every find is a phantom, and
nobody needs to look. No timings, so it may run on a busy machine.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.common import finish, machine, progress, table
from fer_core.errors import DataError, FerError
from fer_core.inference.detectors import Face, FaceDetector, HaarDetector, YuNetDetector
from fer_core.inference.sources import find_files
from fer_core.inference.stream.tracking import overlaps
from fer_core.inference.yunet import yunet_path
from fer_core.photo import MAX_BYTES, Picture, load_photo
from fer_core.reading import UnreadableError, read_bytes
from fer_core.stats.intervals import wilson_interval

SAME = 0.25
"""Two boxes are about one face where they share a quarter of their union: the detectors frame faces differently."""


@dataclass(frozen=True)
class Finds:
    """What one detector found in all photographs: faces; those that the other found, too, and those it did not; and in
    how many photographs it alone found some."""

    faces: int
    shared: int
    alone: int
    photographs: int


def compare(
    photographs: Sequence[tuple[str, Picture]],
    detectors: dict[str, FaceDetector],
    *,
    no_faces: bool = False,
    out: Path | None = None,
) -> dict[str, Finds]:
    """The :class:`Finds` of two detectors by name; each disputed cut is written into ``out``, where that is given.

    ``no_faces``: nothing that is found is a face, so that all of it counts as found by one alone.
    """
    boxes: dict[str, list[list[Face]]] = {name: [] for name in detectors}
    for number, (path, picture) in enumerate(photographs, start=1):
        progress(f"{number} of {len(photographs)}: {path}")
        for name, detector in detectors.items():
            boxes[name].append(detector.detect(picture))
    result = {}
    for name, other in zip(detectors, reversed(detectors), strict=True):
        alone = [
            list(own) if no_faces else disputed(own, theirs)
            for own, theirs in zip(boxes[name], boxes[other], strict=True)
        ]
        total, lonely = sum(map(len, boxes[name])), sum(map(len, alone))
        result[name] = Finds(total, total - lonely, lonely, sum(map(bool, alone)))
        if out is not None:
            for number, ((path, picture), faces) in enumerate(zip(photographs, alone, strict=True), start=1):
                for at, face in enumerate(faces, start=1):
                    _write(out / f"{name}-{number}-{Path(path).stem}-{at}.png", picture, face)
    return result


def disputed(own: Sequence[Face], theirs: Sequence[Face]) -> list[Face]:
    """Those of ``own`` that no box of ``theirs`` is about."""
    if not own or not theirs:
        return list(own)
    shared = overlaps(_array(own), _array(theirs)).max(axis=1)
    return [face for face, most in zip(own, shared, strict=True) if most < SAME]


def _array(faces: Sequence[Face]) -> npt.NDArray[np.float64]:
    return np.array([(face.x, face.y, face.width, face.height) for face in faces], dtype=np.float64)


def _write(path: Path, picture: Picture, face: Face) -> None:
    """The box with a fifth of its size around it."""
    rim_x, rim_y = face.width // 5, face.height // 5
    top, left = max(0, face.y - rim_y), max(0, face.x - rim_x)
    cut = picture[top : face.y + face.height + rim_y, left : face.x + face.width + rim_x]
    if not cv2.imwrite(str(path), cut):
        raise FerError(f"{path} could not be written.")


def read(folder: Path) -> list[tuple[str, Picture]]:
    """The photographs of a folder. Raises ``FerError`` where there are none, or one cannot be read."""
    photographs = []
    for path in find_files([folder]).pictures:
        try:
            photographs.append((str(path), load_photo(read_bytes(path, MAX_BYTES), str(path)).picture))
        except (DataError, UnreadableError) as error:
            raise FerError(f"{path} cannot be read: {error}") from error
    if not photographs:
        raise FerError(f"{folder} holds no photographs.")
    return photographs


def text_of(finds: Mapping[str, Finds], photographs: int, *, faces: bool) -> str:
    rows = []
    for name, found in finds.items():
        low, high = wilson_interval(found.photographs, photographs)
        share = f"{100 * found.photographs / photographs:.0f} % ({100 * float(low):.0f}–{100 * float(high):.0f} %)"
        rows.append([name, str(found.faces), *([str(found.shared), str(found.alone)] if faces else []), share])
    if faces:
        head = ["detector", "faces", "found by both", "by it alone", "photographs with one of these (95 %)"]
    else:
        head = ["detector", "phantoms", "photographs with one (95 %)"]
    return f"{photographs} photographs\n{table(head, rows)}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path, help="folder of photographs")
    parser.add_argument("--no-faces", action="store_true", help="there is no face in any of them")
    parser.add_argument("--yunet", type=Path, help="YuNet's file (default: the downloaded one)")
    parser.add_argument("--out", type=Path, help="folder for the cuts that one detector alone calls a face")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()

    def work() -> tuple[dict[str, Any], str]:
        detectors: dict[str, FaceDetector] = {
            "Haar": HaarDetector(),
            "YuNet": YuNetDetector(args.yunet or yunet_path()),
        }
        photographs = read(args.photographs)
        if args.out:
            args.out.mkdir(parents=True, exist_ok=True)
        found = compare(photographs, detectors, no_faces=args.no_faces, out=args.out)
        about = machine(("numpy", "opencv-python-headless"))
        versions = ", ".join(f"{name} {number}" for name, number in about["versions"].items())
        text = f"{versions}\n\n{text_of(found, len(photographs), faces=not args.no_faces)}"
        return {
            "machine": about,
            "photographs": len(photographs),
            **{name: asdict(one) for name, one in found.items()},
        }, text

    return finish(work, as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
