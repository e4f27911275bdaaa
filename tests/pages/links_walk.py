"""A home in which every control of every page is drawn, the ways to see them all, and what hostile links hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from apptest import ROOT
from factories import make_evaluated_run, make_run, make_vote
from faulty import smooth
from streamlit.testing.v1 import AppTest

from fer_core.corruptions.measurement import measure_corruptions
from fer_core.data.audit import audit_dataset, read_audit
from fer_core.data.dataset import Dataset, load_dataset, write_dataset
from fer_core.data.ferplus import add_ferplus
from fer_core.data.model_answers import ANSWERS_FILE, AnswersWriter
from fer_core.data.writer import DatasetWriter
from fer_core.emotions import COUNT, SPLITS
from fer_core.review.annotations import AMBIGUOUS, Annotations
from fer_core.review.ordering import SORTS
from fer_core.runs.recipe import Recipe
from fer_core.settings import settings
from fer_core.sweeps.folder import Plan, create
from pages.parts.train.fields import SCHEDULE_WORDS

Query = dict[str, str | list[str]]
RUNS = ("one", "two", "three", "four", "five")
HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
COLUMN = [4, 5, 6, 1, 3, 2, 0]
"""Of angry, disgust, fear, happy, sad, surprise, neutral."""

HOSTILE: tuple[str | list[str], ...] = (
    "",
    ["", ""],
    "inf",
    "nan",
    "1e400",
    "9" * 5000,
    "9" * 25,
    "-1",
    "text",
    "١٢",
    "1\n2\x00",
    "<img src=x onerror=alert(1)> ![a](//b) $x$",
    ["90", "10"],
)
"""What no control offers. (Arabic digits are a number to Python.)"""

SCENES: dict[str, tuple[Query, ...]] = {
    "home": ({}, {"home.figures": "true", "home.data": "true"}),
    "dataset": (
        {},
        {"view": "Audit"},
        {"view": "Audit", "finding": "exact twins in Training"},
        {"view": "Bring real data"},
    ),
    "train": (
        {},
        {"architecture": "VGG16 transfer"},
        {
            "architecture": "VGG16 transfer",
            "vgg16.minute.schedule": SCHEDULE_WORDS["plateau"],
            "vgg16.minute.weights": "A file on this computer",
            "vgg16.minute.start_epochs": "1",
        },
        {"custom_cnn.minute.teachers": ["one"]},
    ),
    "compare": (
        {},
        *({"view": view} for view in ("Difference", "Agreement", "Classes", "Certainty", "Learning", "Across data")),
    ),
    "mistakes": (
        {"table": "true", "take": "true", "panel": "Your mark"},
        {"runs": ["one", "two"], "sort": SORTS["similarity"]},
        {"runs": list(RUNS), "true": "disgust"},
        {"runs": ["elsewhere"]},
        {"face": "290"},
        {"data": "found", "sort": SORTS["similarity"]},
    ),
    "explain": (
        {},
        *({"explain.view": view} for view in ("Methods", "Averages", "Look inside", "Robustness")),
        {"explain.view": "Averages", "explain.average.runs": ["one", "two"]},
        {"explain.view": "Poke"},
        {
            "explain.view": "Robustness",
            "explain.models": ["one"],
            "explain.flips": "any change",
            "explain.way": "Brightness",
        },
    ),
    "bring": ({}, {"bring.what": "Answers"}, {"bring.what": "Faces"}),
    "sweeps": ({},),
    "leaderboard": (
        {},
        {"lesson": "1-is-70-percent-good"},
        {"lesson": "1-is-70-percent-good", "step": "2"},
        {"lesson": "1-is-70-percent-good", "step": "2", "predicted": "2-1"},
    ),
    "photo": ({}, {"way": "Video"}),
    "live": ({},),
    "poke": ({}, {"poke.from": "Dataset"}),
    "run": ({"run": "one"}, {}),
    "limits": ({},),
    "lessons": ({}, {"lesson": "1-is-70-percent-good"}, {"lesson": "1-is-70-percent-good", "step": "2"}),
}
"""By page: the addresses that together draw every control. What they hold themselves is left alone by the walk."""


def furnish(home: Path) -> None:
    """Data with twins, an audit, FER+'s votes, what two models said before, and a mark; five runs on it, one of them
    measured on worse faces; a vote; a run on other data; and older data that nobody labelled.
    """
    _unlabelled(settings().datasets_dir / "found")
    dataset = _faces(settings().datasets_dir / "mine")
    audit_dataset(dataset)
    twins = read_audit(dataset)
    assert twins is not None
    lines = [HEADER]
    for label, split in zip(dataset.labels, dataset.splits, strict=True):
        votes = [0] * 10
        votes[COLUMN[label]] = 10
        lines.append(f"{split},," + ",".join(map(str, votes)))
    votes_file = home / "fer2013new.csv"
    votes_file.write_text("\n".join(lines) + "\n")
    add_ferplus(dataset, votes_file)
    said = AnswersWriter(dataset.path / ANSWERS_FILE, ["one", "two"])
    said.add(dict.fromkeys(("one", "two"), np.full((len(dataset), COUNT), 1 / COUNT, np.float32)))
    said.close()
    Annotations.load(dataset.info.fingerprint).set(int(dataset.rows("PrivateTest")[0]), AMBIGUOUS)
    runs = [
        make_evaluated_run(home / "runs" / name, dataset, seed=seed, near_duplicates=twins.training_duplicates())
        for seed, name in enumerate(RUNS)
    ]
    measure_corruptions(runs[0], dataset)
    make_vote(home / "runs" / "together", runs[:2])
    make_run(home / "runs" / "elsewhere")
    for name in ("rates", "turns"):
        create(Plan(name, Recipe("custom_cnn"), {"learning_rate": [0.001, 0.003]}, dataset.info.path))


def _faces(folder: Path) -> Dataset:
    """420 faces; the first twelve groups of three are equal, across splits."""
    images, labels = smooth(420), np.arange(420) % COUNT
    for group in range(12):
        images[140 + group] = images[280 + group] = images[group]
    splits = np.repeat(SPLITS, 140)
    write_dataset(folder, images, labels, splits, kind="csv", title="My faces")
    return load_dataset(folder)


def _unlabelled(folder: Path) -> None:
    """60 faces and what a model says of them."""
    with DatasetWriter(folder, kind="numbers", source="scored") as writer:
        writer.add(smooth(60), np.arange(60) % COUNT, ["PublicTest"] * 60, [f"{row}.png#1" for row in range(60)])
        writer.add_answers({"one": np.eye(COUNT, dtype=np.float32)[np.arange(60) % COUNT]})
        writer.understood("A scored folder.", labelled=False)


def visit(page: str, query: Mapping[str, str | Sequence[str]]) -> AppTest:
    """A new visitor at that address; the page is run once."""
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    app.session_state["_framed"] = True
    app.switch_page(f"pages/{page}.py")
    app.query_params.update(query)
    return app.run()
