"""What every method here shares: asking a model about many variants of a face, and what a hidden pixel becomes.

A model is any function from faces to seven probabilities, so everything here can be tried on models made by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, IMAGE_SIZE
from fer_core.progress import Meter

MIDDLE = (IMAGE_SIZE - 1) / 2

Faces = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Predict = Callable[[Faces], npt.NDArray[np.floating]]
"""Faces uint8 (B, 48, 48) to probabilities (B, 7), such as ``Predictor.predict``."""
Fill = Literal["mean", "blur"] | int
"""What takes the place of a hidden pixel: the face's own mean grey, the face blurred, or a grey level 0..255."""

CHUNK = 512
"""Variants per call: a whole number of the interpreter's own batches, and often enough to report progress."""
BLUR_SIGMA = 5.0
"""Pixels. Eyes and mouth are 5 to 15 pixels wide at 48×48: this blur leaves light and dark, and no feature."""


def ask(predict: Predict, images: Faces, meter: Meter | None = None, *, done: int = 0, total: int = 0) -> Floats:
    """Probabilities float32 (B, 7) of images uint8 (B, 48, 48), in calls of :data:`CHUNK`; B may be 0.

    ``meter`` hears after every call of ``done`` plus what this function has asked so far, of ``total``. Raises
    ``ValueError`` where the model answers with another shape or with numbers that are not finite.
    """
    result = np.empty((len(images), COUNT), dtype=np.float32)
    for start in range(0, len(images), CHUNK):
        part = images[start : start + CHUNK]
        answer = np.asarray(predict(part))
        if answer.shape != (len(part), COUNT) or not np.isfinite(answer).all():
            raise ValueError(f"the model must answer {len(part)} faces with finite ({len(part)}, {COUNT}) numbers")
        result[start : start + len(part)] = answer
        if meter is not None:
            meter.update(done + start + len(part), total, force=start + len(part) == len(images))
    return result


def checked_faces(images: npt.ArrayLike) -> Faces:
    """The same as uint8 (B, 48, 48); one face (48, 48) becomes a batch of one. ``ValueError`` for anything else."""
    array = np.asarray(images)
    if array.ndim == 2:
        array = array[np.newaxis]
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE):
        raise ValueError(f"faces must be uint8 (B, {IMAGE_SIZE}, {IMAGE_SIZE}), not {array.dtype} {array.shape}")
    return array


def checked_face(image: npt.ArrayLike) -> Faces:
    """The same as uint8 (48, 48). Raises ``ValueError`` for anything else."""
    array = np.asarray(image)
    if array.ndim != 2:
        raise ValueError(f"one face, uint8 ({IMAGE_SIZE}, {IMAGE_SIZE}), was expected, not shape {array.shape}")
    return checked_faces(array)[0]


def checked_classes(classes: npt.ArrayLike, n: int) -> npt.NDArray[np.int64]:
    """Class numbers int64 (n,), 0..6, from one number or n of them. Raises ``ValueError`` for anything else."""
    array = np.asarray(classes)
    if array.dtype.kind not in "iu" or array.shape not in ((), (n,)) or (array < 0).any() or (array >= COUNT).any():
        raise ValueError(f"classes must be one or {n} whole numbers in 0..{COUNT - 1}, not {classes!r}")
    return np.broadcast_to(array, (n,)).astype(np.int64)


def checked_maps(maps: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The same as float64 (k, h, w); one map (h, w) becomes a batch of one. ``ValueError`` if empty or not finite."""
    array = np.asarray(maps, dtype=np.float64)
    if array.ndim == 2:
        array = array[np.newaxis]
    if array.ndim != 3 or not array.shape[1] * array.shape[2] or not np.isfinite(array).all():
        raise ValueError(f"maps must be finite and of shape (k, h, w), not {array.shape}")
    return array


def filling(faces: Faces, fill: Fill) -> Floats:
    """What hidden pixels of each face become: float32 (B, 48, 48), grey 0..255, for uint8 (B, 48, 48).

    No filling is neutral: a model has an opinion about flat grey, too. Mean grey takes away all shape; a blur keeps
    where it is light and dark and so looks less strange to the model. Raises ``ValueError`` for an unknown filling.
    """
    faces = checked_faces(faces)
    if fill == "mean":
        means = faces.mean(axis=(1, 2), keepdims=True, dtype=np.float64).astype(np.float32)
        return np.broadcast_to(means, faces.shape).copy()
    if fill == "blur":
        return np.stack([blurred(face, BLUR_SIGMA) for face in faces]) if len(faces) else faces.astype(np.float32)
    if isinstance(fill, bool) or not isinstance(fill, (int, np.integer)) or not 0 <= fill <= 255:
        raise ValueError(f"fill must be 'mean', 'blur' or a grey level 0..255, not {fill!r}")
    return np.full(faces.shape, fill, dtype=np.float32)


def blurred(face: npt.NDArray[Any], sigma: float) -> Floats:
    """Gaussian blur of one picture of any number type, float32 (48, 48); ``sigma`` ≥ 0 in pixels, 0 changes nothing."""
    pixels = np.asarray(face, dtype=np.float32)
    if sigma <= 0:
        return pixels.copy()
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), dtype=np.float32)


def to_grey(pixels: npt.NDArray[Any]) -> Faces:
    """Rounded and cut to 0..255, uint8 of the same shape."""
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def at_face_size(maps: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Maps (k, h, w) of any grid on the face's 48×48 pixels, float64 (k, 48, 48), bilinear between cells' middles."""
    maps = checked_maps(maps)
    if maps.shape[1:] == (IMAGE_SIZE, IMAGE_SIZE):
        return maps
    size = (IMAGE_SIZE, IMAGE_SIZE)
    result = [cv2.resize(one, size, interpolation=cv2.INTER_LINEAR) for one in maps]
    return np.array(result, dtype=np.float64).reshape(-1, *size)


def warped(pixels: npt.NDArray[Any], matrix: npt.NDArray[Any]) -> Floats:
    """A picture (48, 48) moved by a matrix (2, 3), bilinear, float32; what comes in from outside repeats the edge."""
    moved = cv2.warpAffine(
        np.asarray(pixels, dtype=np.float32),
        matrix,
        (IMAGE_SIZE, IMAGE_SIZE),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(moved, dtype=np.float32)
