"""Many picture files read in batches: several are decoded at once, and each model is asked about all their faces."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from fer_core.errors import DataError
from fer_core.inference.detectors import FaceDetector
from fer_core.inference.pictures import Reading, read_picture
from fer_core.inference.predictor import Average, Predictor
from fer_core.photo import MAX_BYTES, load_photo
from fer_core.reading import UnreadableError, read_bytes

AT_ONCE = 32
"""Files a batch. Of each only the faces are kept, 2 kB each; while a batch is asked about, the next is read."""
MOST_THREADS = 4
"""Files that are decoded at the same time: one may take 300 MB."""


def read_files(
    paths: Sequence[Path],
    new_detector: Callable[[], FaceDetector],
    models: Sequence[Predictor],
    *,
    average: Average = "none",
) -> Iterator[tuple[Path, Reading | str]]:
    """Each file in turn, with its faces and what every model says, or with a sentence that says why it cannot be read.

    ``new_detector`` makes one for each thread. No more than two batches of files are held at any time.
    """
    own = threading.local()

    def read(path: Path) -> Reading | str:
        if not hasattr(own, "detector"):
            own.detector = new_detector()
        return _read(path, own.detector)

    parts = [paths[start : start + AT_ONCE] for start in range(0, len(paths), AT_ONCE)]
    with ThreadPoolExecutor(max_workers=min(MOST_THREADS, os.cpu_count() or 1)) as pool:

        def submit(part: Sequence[Path]) -> list[Future[Reading | str]]:
            return [pool.submit(read, path) for path in part]

        ahead = submit(parts[0]) if parts else []
        try:
            for number, part in enumerate(parts):
                found = [future.result() for future in ahead]
                ahead = submit(parts[number + 1]) if number + 1 < len(parts) else []
                yield from zip(part, answered(found, models, average), strict=True)
        finally:
            for future in ahead:
                future.cancel()  # nobody reads on


def _read(path: Path, detector: FaceDetector) -> Reading | str:
    try:
        return read_content(read_bytes(path, MAX_BYTES), str(path), detector)
    except UnreadableError as error:
        return f"{path} cannot be read: {error}."


def read_content(data: bytes, name: str, detector: FaceDetector) -> Reading | str:
    """A picture file's faces, no model asked yet; or a sentence that says why it cannot be read."""
    try:
        return read_picture(load_photo(data, name), name, detector)
    except DataError as error:
        return str(error)


def answered(found: Sequence[Reading | str], models: Sequence[Predictor], average: Average) -> list[Reading | str]:
    """The same, where readings have what each model says of their faces."""
    crops = [one.crops for one in found if isinstance(one, Reading)]
    if not sum(map(len, crops)):
        return list(found)
    every = np.concatenate(crops)
    said = {model.name: model.predict(every, average=average) for model in models}
    result, start = [], 0
    for one in found:
        if isinstance(one, Reading) and one.faces:
            part = slice(start, start + len(one.faces))
            one = replace(one, answers={name: rows[part] for name, rows in said.items()})
            start = part.stop
        result.append(one)
    return result
