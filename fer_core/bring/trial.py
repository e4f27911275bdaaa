"""What a stranger's network wants and says, found out by trying on labelled faces: scale, kind of answer, order.

Plain values out, JSON that a parent process reads. Child processes only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fer_core.bring.adapter import Scale, adapted_faces, candidates
from fer_core.bring.evidence import OutputKind, TrialRecord, TriedRecord
from fer_core.bring.orders import Order, always_the_same, fits, rearranged
from fer_core.errors import ModelError
from fer_core.stats.metrics import log_loss

BATCH = 16
FEWEST_TO_TRY = 60
"""Fewer would not tell two orders apart."""
SECONDS = 120.0
"""What the trial may take on all scales together; a slow network is tried on fewer faces."""

Floats = npt.NDArray[np.float32]


class Network(Protocol):
    """What can be tried: see :class:`fer_core.bring.network.KerasNetwork`."""

    height: int
    width: int
    channels: int
    count: int
    linear: bool
    step: float

    def __call__(self, pictures: Floats) -> Floats: ...


def try_out(
    network: Network,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.integer],
    *,
    declared: Order | None = None,
    scale: str = "",
    colours: str = "",
    told: Callable[[str], None] = lambda words: None,
) -> TrialRecord:
    """Ask ``network`` about faces uint8 (n, 48, 48) with ``labels`` at every scale, and match its answers with them.

    ``declared``: the order that somebody named; ``scale`` and ``colours``: the only ones to try. Raises ``ModelError``
    where nothing is left to try, or the answers are no numbers.
    """
    tried = candidates(network.channels, scale, colours)
    if not tried:
        raise ModelError(
            f"a network with {network.channels} channel{'s' * (network.channels > 1)} takes no pictures of that scale."
        )
    found: list[TriedRecord] = []
    count = len(images)
    for one in tried:
        told(f"asking it about {count} faces with pixels {one.words}")
        outputs, count = _ask(network, one, images[:count], SECONDS / len(tried))
        kind = kind_of_answers(outputs, linear=network.linear, step=network.step)
        if kind == OutputKind.NO_NUMBERS:
            continue
        probabilities = as_probabilities(outputs, kind)
        for fit in fits(probabilities, labels[:count], declared):
            found.append(
                TriedRecord(
                    scale=one.name,
                    output=kind,
                    order=fit.order.name,
                    classes=list(fit.order.classes),
                    accuracy=fit.accuracy,
                    low=fit.low,
                    high=fit.high,
                    log_loss=_log_loss(probabilities, labels[:count], fit.order),
                    right="".join("1" if right else "0" for right in fit.right),
                )
            )
    if not found:
        raise ModelError(
            "its answers are no finite numbers (NaN or infinite) with pixels of any scale: its training went astray. "
            "Bring it as it was some epochs before."
        )
    return TrialRecord(
        height=network.height,
        width=network.width,
        channels=network.channels,
        count=network.count,
        faces=count,
        most_frequent=always_the_same(labels[:count]),
        fits=found,
    )


def kind_of_answers(outputs: Floats, *, linear: bool = False, step: float = 0.0) -> OutputKind:
    """What kind of answers (n, K) these are. ``linear`` and ``step``: see the networks.

    Numbers within 0..1 that do not add up to 1 are shares by themselves, unless the file tells that nothing keeps them
    there: then they are logits that happen to be small.
    """
    if not np.isfinite(outputs).all():
        return OutputKind.NO_NUMBERS
    if (outputs < -1e-6).any() or (outputs > 1 + 1e-3).any():
        return OutputKind.LOGITS
    # Each may be rounded by half a step, and the largest is one step below 1 where 1 itself has no whole number.
    tolerance = 1e-2 + step * (outputs.shape[1] / 2 + 1)
    if np.abs(outputs.sum(axis=1) - 1).max() < tolerance:
        return OutputKind.PROBABILITIES
    return OutputKind.LOGITS if linear else OutputKind.SEPARATE


def as_probabilities(outputs: Floats, kind: OutputKind) -> Floats:
    """Answers (n, K) of that kind as probabilities (n, K); of probabilities, those very numbers."""
    if kind == OutputKind.LOGITS:
        powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
    if kind == OutputKind.SEPARATE:
        return outputs / np.maximum(outputs.sum(axis=1, keepdims=True), 1e-9)
    return outputs


def _ask(network: Network, scale: Scale, images: npt.NDArray[np.uint8], seconds: float) -> tuple[Floats, int]:
    """Its answers, and to how many of the faces: fewer where it would take too long."""
    from keras import Model

    faces, adapted = adapted_faces(scale, network.height, network.width, network.channels)
    adapter = Model(faces, adapted)
    parts: list[Floats] = []
    began = 0.0
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        size = len(batch)
        # One size of batches: each other one is compiled anew.
        padded = np.concatenate([batch, np.repeat(batch[:1], BATCH - size, axis=0)])
        pictures = np.asarray(adapter.predict_on_batch(padded[..., None].astype(np.float32)), dtype=np.float32)
        parts.append(network(pictures)[:size])
        # The first batch pays for building the graph.
        began = began or time.monotonic()
        done = start + size
        if done >= min(FEWEST_TO_TRY, len(images)) and time.monotonic() - began > seconds:
            break
    answers = np.concatenate(parts)
    return answers, len(answers)


def _log_loss(probabilities: Floats, labels: npt.NDArray[np.integer], order: Order) -> float:
    return float(log_loss(labels, rearranged(probabilities, order)))
