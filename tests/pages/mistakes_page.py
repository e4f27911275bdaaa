"""What the tests of Mistakes read from the page, and what they expect of it."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from factories import make_evaluated_run
from streamlit.testing.v1 import AppTest

from fer_core.data.dataset import Dataset, load_dataset, write_dataset
from fer_core.evaluation.aligned_predictions import AlignedPredictions
from fer_core.review import selection
from fer_core.review.ordering import order
from fer_core.review.selection import Filter
from fer_core.runs.folder import RunFolder

FEAR, SAD = 2, 4
SIMILAR = "Similar faces"
OpenApp = Callable[..., AppTest]


def make(home: Path, dataset: Dataset, name: str, seed: int) -> RunFolder:
    return make_evaluated_run(home / "runs" / name, dataset, seed=seed)


def with_twins(sample: Path) -> tuple[Dataset, list[int]]:
    """The sample with two PrivateTest faces, the first and the last of the rows, taken from the Training faces between:
    one pixel for pixel and with its label, one brighter by a little noise and with another label.
    """
    drawn = load_dataset(sample)
    images, labels = np.array(drawn.images), np.array(drawn.labels)
    test, (first, second) = drawn.rows("PrivateTest")[[0, -1]], drawn.rows("Training")[[0, 1]]
    images[test[0]], labels[test[0]] = images[first], labels[first]
    noise = np.random.default_rng(0).integers(0, 12, (48, 48))
    images[test[1]] = np.clip(images[second] + noise, 0, 255).astype(np.uint8)
    labels[test[1]] = (labels[second] + 1) % 7
    splits = np.array(drawn.splits)
    shutil.rmtree(sample)
    dataset = write_dataset(sample, images, labels, splits)
    return dataset, [int(row) for row in (test[0], first, second, test[1])]


def as_photographs(sample: Path) -> Dataset:
    """The sample's faces as somebody's photographs, whose labels may be wrong."""
    drawn = load_dataset(sample)
    images, labels, splits = np.array(drawn.images), np.array(drawn.labels), np.array(drawn.splits)
    shutil.rmtree(sample)
    return write_dataset(sample, images, labels, splits)


def open_mistakes(open_app: OpenApp, **query: str | list[str]) -> AppTest:
    app = open_app("mistakes", **query)
    assert not app.exception, app.exception
    return app


def summary(app: AppTest) -> str:
    return next(text.value for text in app.markdown if " faces**" in text.value)


def count(app: AppTest) -> int:
    return int(summary(app).removeprefix("**").split()[0].replace(",", ""))


def sheet(app: AppTest) -> list[int]:
    """The rows on the sheet, in order."""
    return [face[0] for face in sheet_data(app)["faces"]]


def sheet_data(app: AppTest) -> dict[str, Any]:
    """What the browser is told about the sheet."""
    [component] = [one for one in app.get("bidi_component") if one.proto.component_name == "fer_face_sheet"]
    data: dict[str, Any] = json.loads(component.proto.mixed.json or component.proto.json)
    return data


def expected(aligned: AlignedPredictions, wanted: Filter, by: str = "wrong", **given: Any) -> list[int]:
    known = {
        key: value for key, value in given.items() if key in ("near_duplicate", "label_issue_score", "annotations")
    }
    left = selection.select(aligned, wanted, **known)
    needed = {key: value for key, value in given.items() if key in ("label_issue_score", "embeddings", "like")}
    return aligned.rows[order(aligned, left, by, models=wanted.models, **needed)].tolist()


def cards(app: AppTest) -> list[str]:
    """What each run says about the open face, as HTML."""
    return next(one.proto.body for one in app.get("html") if "fer-answers" in one.proto.body).split('role="group"')[1:]


def pictures(app: AppTest, words: str) -> list[str]:
    alts = [picture.alt for image in app.image for picture in image.proto.imgs]
    for one in app.get("html"):
        alts += [html.unescape(alt) for alt in re.findall(r'<img [^>]*alt="([^"]*)"', one.proto.body)]
    return [alt for alt in alts if words in alt]
