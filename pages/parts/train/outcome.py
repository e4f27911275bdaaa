"""Train: what came out of a training, in a sentence, and the way to why."""

from __future__ import annotations

import numpy as np

from fer_core.emotions import COUNT, NAMES, PUBLIC_TEST
from fer_core.runs.events import EpochEvent, best_of
from fer_core.runs.folder import RunFolder
from fer_core.training.status import JobStatus
from pages.parts import frame, known_data
from pages.parts.data import KEY
from pages.parts.face_filters import TRUE
from pages.parts.known_data import KnownData
from pages.parts.scope import RUNS, SPLIT


def sentence(best: EpochEvent) -> tuple[str, int | None]:
    """How far above chance the epoch's model is, and which class it does worst, 0..6; None where none has faces.

    Chance is to guess each class equally often. A class that is never answered is named before one that is often
    missed.
    """
    confusion = np.asarray(best["confusion"])
    faces = confusion.sum(axis=1)
    here = np.flatnonzero(faces)
    points = 100 * (best["val_accuracy"] - 1 / COUNT)
    words = f"**{abs(points):.0f} points {'above' if points >= 0 else 'below'} chance** on {PUBLIC_TEST}"
    if not len(here):
        return f"{words}.", None
    never = [int(label) for label in here if not confusion[:, label].sum()]
    if never:
        return f"{words}; it never says {' or '.join(NAMES[label] for label in never)}.", never[0]
    recall = confusion[here, here] / faces[here]
    worst = int(here[recall.argmin()])
    return f"{words}; worst at {NAMES[worst]}: {confusion[worst, worst]:,} of {faces[worst]:,} are found.", worst


def show_way(status: JobStatus) -> None:
    """A link to the faces of the class that it does worst. The run must be complete."""
    best = best_of(status.epochs)
    folder = RunFolder(status.run_dir)
    if best is None or not folder.complete:
        return
    _, worst = sentence(best)
    if worst is None:
        return
    query: dict[str, str | list[str]] = {RUNS: [status.name], SPLIT: PUBLIC_TEST, TRUE: NAMES[worst]}
    if data := trained_on(status):
        query[KEY] = data.name
    frame.link("mistakes", f"See why: {NAMES[worst]}", icon=":material/search:", query=query)


def trained_on(status: JobStatus) -> KnownData | None:
    """The data, as the sidebar has them; None where they are not known here."""
    record = status.start.get("data") if status.start else None
    return known_data.with_fingerprint(record["fingerprint"]) if record else None
