"""Ways to make faces worse, at five severities each.

After Hendrycks and Dietterich, 2019, *Benchmarking Neural Network Robustness to Common Corruptions and Perturbations*
(https://arxiv.org/abs/1903.12261), whose ImageNet-C is made for colour photos of 224 pixels. The strengths here are our
own, chosen by eye for grey faces of 48 pixels: 1 hardly shows, 3 shows at once and leaves the face easy to read, 5
makes it hard. So the numbers cannot be set beside those of ImageNet-C.

Where a corruption has a direction or a place (lighter or darker, left or right, where the patch is), each face draws
its own. What is drawn depends on ``seed``, corruption, severity and the face's ``key`` alone, so that one face can be
made worse again without all the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.emotions import IMAGE_SIZE
from fer_core.explain.base import MIDDLE, Faces, Floats, blurred, checked_faces, to_grey, warped

SEVERITIES = (1, 2, 3, 4, 5)

Change = Callable[[Faces, float, np.random.Generator], npt.NDArray[np.number]]


@dataclass(frozen=True)
class Corruption:
    """One way to make a face worse.

    ``strengths``: five numbers, for severities 1 to 5; ``unit`` says in a sentence what they are, ``axis`` on an axis.
    """

    name: str
    title: str
    strengths: tuple[float, float, float, float, float]
    unit: str
    axis: str
    change: Change

    def span(self) -> str:
        """All five strengths, for people: ``±6, 12, 20, 30, 45 degrees``."""
        return self.unit.format(", ".join(f"{strength:g}" for strength in self.strengths))

    def strength(self, severity: int) -> str:
        """What a severity means, for people: ``±30 degrees``."""
        return self.unit.format(f"{self.strengths[severity - 1]:g}")


def _noise(face: Faces, sigma: float, rng: np.random.Generator) -> Floats:
    return face + np.float32(sigma) * rng.standard_normal(face.shape, dtype=np.float32)


def _blur(face: Faces, sigma: float, rng: np.random.Generator) -> Floats:
    return blurred(face, sigma)


def _brightness(face: Faces, amount: float, rng: np.random.Generator) -> Floats:
    return face + np.float32(_sign(rng) * amount)


def _contrast(face: Faces, factor: float, rng: np.random.Generator) -> Floats:
    mean = np.float32(face.mean())
    return mean + np.float32(factor) * (face - mean)


def _rotation(face: Faces, degrees: float, rng: np.random.Generator) -> Floats:
    return warped(face, cv2.getRotationMatrix2D((MIDDLE, MIDDLE), _sign(rng) * degrees, 1.0))


def _shift(face: Faces, distance: float, rng: np.random.Generator) -> Floats:
    angle = rng.uniform(0, 2 * np.pi)
    return warped(face, np.array([[1, 0, distance * np.cos(angle)], [0, 1, distance * np.sin(angle)]]))


def _occlusion(face: Faces, side: float, rng: np.random.Generator) -> Faces:
    x, y = rng.integers(0, IMAGE_SIZE - int(side) + 1, 2)
    covered = face.copy()
    covered[y : y + int(side), x : x + int(side)] = round(float(face.mean()))
    return covered


def _jpeg(face: Faces, quality: float, rng: np.random.Generator) -> Faces:
    done, code = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    if not done:
        raise RuntimeError("OpenCV could not write a JPEG")
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)


def _resolution(face: Faces, side: float, rng: np.random.Generator) -> Faces:
    small = cv2.resize(face, (int(side), int(side)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (IMAGE_SIZE, IMAGE_SIZE), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _sign(rng: np.random.Generator) -> float:
    return 1.0 if rng.random() < 0.5 else -1.0


CORRUPTIONS: dict[str, Corruption] = {
    one.name: one
    for one in (
        Corruption("noise", "Noise", (6, 12, 20, 30, 42), "σ {} grey levels", "σ (grey levels of 255)", _noise),
        Corruption("blur", "Blur", (0.5, 0.9, 1.3, 1.8, 2.5), "σ {} pixels", "σ (pixels)", _blur),
        Corruption(
            "brightness", "Brightness", (20, 40, 65, 90, 120), "±{} grey levels", "± grey levels of 255", _brightness
        ),
        Corruption("contrast", "Contrast", (0.75, 0.55, 0.4, 0.25, 0.15), "{} times", "contrast (times)", _contrast),
        Corruption("jpeg", "JPEG", (60, 35, 20, 12, 6), "quality {} of 100", "quality (of 100)", _jpeg),
        Corruption(
            "resolution", "Low resolution", (36, 28, 22, 16, 12), "{} pixels wide", "width (pixels of 48)", _resolution
        ),
        Corruption("rotation", "Rotation", (6, 12, 20, 30, 45), "±{} degrees", "± degrees", _rotation),
        Corruption("shift", "Shift", (2, 4, 6, 9, 12), "{} pixels", "pixels of 48", _shift),
        Corruption(
            "occlusion", "Occlusion", (10, 14, 18, 22, 26), "a square of {} pixels", "side (pixels of 48)", _occlusion
        ),
    )
}
"""By name, in the order in which they are shown."""


def corrupt(images: Faces, name: str, severity: int, *, keys: npt.ArrayLike | None = None, seed: int = 0) -> Faces:
    """Faces uint8 (n, 48, 48) made worse: a new array of the same shape and dtype.

    ``name``: one of :data:`CORRUPTIONS`; ``severity``: 1..5. ``keys``: whole numbers ≥ 0 (n,) that stand for the faces,
    best their row numbers in the dataset; 0..n-1 by default. Raises ``ValueError`` for anything else.
    """
    faces = checked_faces(images)
    if name not in CORRUPTIONS or severity not in SEVERITIES:
        raise ValueError(f"there is no {name!r} at severity {severity}; there are {', '.join(CORRUPTIONS)} at 1 to 5")
    numbers = np.arange(len(faces)) if keys is None else np.asarray(keys)
    if numbers.shape != (len(faces),) or numbers.dtype.kind not in "iu" or (numbers < 0).any():
        raise ValueError(f"keys must be {len(faces)} whole numbers, none below 0")
    which, corruption = list(CORRUPTIONS).index(name), CORRUPTIONS[name]
    strength = corruption.strengths[severity - 1]
    result = np.empty(faces.shape, dtype=np.uint8)
    for face, key, out in zip(faces, numbers.tolist(), result, strict=True):
        out[:] = to_grey(corruption.change(face, strength, np.random.default_rng([seed, which, severity, key])))
    return result
