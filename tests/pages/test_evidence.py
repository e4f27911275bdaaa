"""Is the label wrong, or the model: the evidence beside a face of Mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from factories import make_run
from made_up_faces import make_labels
from streamlit.testing.v1 import AppTest

from fer_core.data.audit import audit_dataset
from fer_core.data.dataset import Dataset, write_dataset
from fer_core.data.ferplus import add_ferplus
from fer_core.emotions import COUNT, NAMES, PRIVATE_TEST, TRAINING
from fer_core.formatting import ordinal
from fer_core.review.scope import Scope, scope
from fer_core.review.verdict import LABEL, WORDS, evidence, verdict
from fer_core.runs.listing import list_models
from fer_core.settings import settings

OpenApp = Callable[..., AppTest]
FERPLUS_COLUMN = [4, 5, 6, 1, 3, 2, 0]
"""Of angry, disgust, fear, happy, sad, surprise, neutral."""


@pytest.fixture
def dataset(home: Path) -> Dataset:
    """420 faces of noise, one of them also in Training under another label, and three runs measured on them."""
    labels, splits = make_labels(seed=2013)
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 48, 48), dtype=np.uint8)
    test, training = pair(labels, splits)
    images[training] = images[test]
    dataset = write_dataset(settings().datasets_dir / "noise", images, labels, splits, kind="csv", title="Noise")
    about = {"fingerprint": dataset.info.fingerprint, "title": "Noise", "kind": "csv"}
    for seed, name in enumerate(("one", "two", "three")):
        make_run(
            settings().runs_dir / name, labels=labels, splits=splits, seed=seed, data=about, name=name, accuracy=0.5
        )
    return dataset


def pair(labels: np.ndarray, splits: np.ndarray) -> tuple[int, int]:
    """A PrivateTest face, and a Training face with another label."""
    test = int(np.flatnonzero(splits == PRIVATE_TEST)[0])
    return test, int(np.flatnonzero((splits == TRAINING) & (labels != labels[test]))[0])


def all_runs() -> Scope:
    return scope([run.folder for run in list_models()], PRIVATE_TEST)


def most_doubtful(found: Scope) -> int:
    return int(found.whole.rows[found.whole_label_issues.score.argmax()])


def texts(app: AppTest) -> str:
    return "\n".join(text.value for text in app.markdown)


def table(app: AppTest) -> dict[str, str]:
    shown = next(item.value for item in app.table if "Label doubt" in item.value.to_string())
    return {str(name): str(values.iloc[0]) for name, values in shown.iterrows()}


def test_the_most_doubtful_label(open_app: OpenApp, dataset: Dataset) -> None:
    row = most_doubtful(all_runs())
    found = evidence(all_runs(), row)
    app = open_app("mistakes", face=str(row))
    assert not app.exception
    judged = verdict(found)
    assert f"**{judged.words}.** {judged.because}" in texts(app)
    # The line above the face left the share out, and with it how often such a verdict is right.
    kind, _, why = judged.line.partition(": ")
    assert f"**{kind}**: {why}" in texts(app)
    facts = table(app)
    assert facts["Label doubt"].startswith(f"{found.label_issue_score:.2f} of 1, ")
    assert facts["Rank"] == f"the most doubtful of {found.faces}"
    assert facts["Runs together suggest"] == NAMES[found.suggested]
    assert facts["Against the label"].startswith(f"{found.against} of 3 runs")
    assert facts["Twins"].startswith("not known")
    assert any("Northcutt" in text.value and "arxiv.org/abs/1911.00068" in text.value for text in app.caption)


def test_one_run_is_not_called_1_of_1_runs(open_app: OpenApp, dataset: Dataset) -> None:
    alone = scope([run.folder for run in list_models() if run.name == "one"], PRIVATE_TEST)
    row = most_doubtful(alone)
    found = evidence(alone, row)
    facts = table(open_app("mistakes", face=str(row), runs=["one"]))
    assert facts["Against the label"] == f"1 of 1 run, with {NAMES[found.answer]}"


def test_another_place_in_the_ranking(open_app: OpenApp, dataset: Dataset) -> None:
    found = all_runs()
    row = int(found.whole.rows[np.argsort(-found.whole_label_issues.score)[11]])
    assert table(open_app("mistakes", face=str(row)))["Rank"] == f"{ordinal(12)} most doubtful of {len(found.whole)}"


def test_each_choice_of_runs_has_its_own_evidence(open_app: OpenApp, dataset: Dataset) -> None:
    row = most_doubtful(all_runs())
    app = open_app("mistakes", face=str(row), runs=["one"])
    assert not app.exception
    assert table(app)["Against the label"].split(" of ")[1].startswith("1 run")


def test_the_same_picture_under_another_label(open_app: OpenApp, dataset: Dataset) -> None:
    audit_dataset(dataset)
    test, training = pair(dataset.labels, dataset.splits)
    app = open_app("mistakes", face=str(test))
    assert not app.exception
    other = NAMES[dataset.labels[training]]
    assert table(app)["Twins"] == f"the same picture is labelled {other}: row {training:,}"
    assert f"also in the data as {other}" in texts(app)
    assert any("has a twin in Training" in text.value for text in app.caption)
    app.button(key="evidence.twins").click().run()
    assert not app.exception
    assert any("2 of 420 faces" in text.value for text in app.caption)
    assert app.number_input(key="face").value == test
    alone = int(np.flatnonzero(dataset.splits == PRIVATE_TEST)[1])
    assert table(open_app("mistakes", face=str(alone)))["Twins"].startswith("none is labelled otherwise")


def test_the_crowd_is_asked_first_and_its_votes_are_shown(open_app: OpenApp, dataset: Dataset, tmp_path: Path) -> None:
    row = most_doubtful(all_runs())
    app = open_app("mistakes", face=str(row))
    offer = [link.proto.label for link in app.get("page_link")]
    assert any(label.startswith("Add FER+") for label in offer)
    file = tmp_path / "fer2013new.csv"
    file.write_text(ferplus_csv(dataset, row))
    add_ferplus(dataset, file)
    app = open_app("mistakes", face=str(row))
    assert not app.exception
    other = NAMES[(dataset.labels[row] + 1) % COUNT]
    assert f"**{WORDS[LABEL]}.** The crowd gives 8 of its 10 votes to “{other}”" in texts(app)
    (votes,) = (one.proto.body for one in app.get("html") if "Votes of 10 people" in one.proto.body)
    assert re.search(rf"{other}</th>.*?>8<", votes)
    assert f'font-weight:600">{NAMES[dataset.labels[row]]}<' in votes
    assert not [link for link in app.get("page_link") if link.proto.label.startswith("Add FER+")]


def ferplus_csv(dataset: Dataset, doubted: int) -> str:
    """The crowd agrees with every label but one: there, eight votes go to the next class."""
    lines = ["Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"]
    for row, (label, split) in enumerate(zip(dataset.labels, dataset.splits, strict=True)):
        votes = [0] * 10
        votes[FERPLUS_COLUMN[(label + (row == doubted)) % COUNT]] = 8
        votes[8] = 2
        lines.append(f"{split},," + ",".join(map(str, votes)))
    return "\n".join(lines) + "\n"


def test_without_the_faces_the_evidence_still_stands(open_app: OpenApp, home: Path) -> None:
    for seed, name in enumerate(("one", "two")):
        make_run(settings().runs_dir / name, seed=seed, name=name, data={"kind": "csv", "title": "FER-2013"})
    row = most_doubtful(all_runs())
    app = open_app("mistakes", face=str(row))
    assert not app.exception
    assert table(app)["Rank"].startswith("the most doubtful of")
    assert not [link for link in app.get("page_link") if link.proto.label.startswith("Add FER+")]


def test_a_face_of_another_split_was_not_asked_about(open_app: OpenApp, dataset: Dataset) -> None:
    row = int(np.flatnonzero(dataset.splits == TRAINING)[0])
    app = open_app("mistakes", face=str(row), panel="Your mark")
    assert not app.exception
    assert "Is the label wrong, or the model?" not in texts(app)
    # It can be marked all the same.
    assert "**Your mark:** none yet" in texts(app)
