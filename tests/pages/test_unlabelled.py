"""Data that nobody labelled: sorted by what models say, labelled by people; and no page takes an answer for a label."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from factories import make_run
from mistakes_page import cards, count, open_mistakes, pictures, sheet, sheet_data
from streamlit.testing.v1 import AppTest

from fer_core.data.dataset import Dataset, load_dataset
from fer_core.data.model_answers import ANSWERS_FILE, AnswersWriter
from fer_core.data.writer import DatasetWriter
from fer_core.emotions import COUNT, NAMES, PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.evaluation.aligned_predictions import AlignedPredictions
from fer_core.inference.models import load_model
from fer_core.review.annotations import AMBIGUOUS, LABEL_WRONG, MODEL_WRONG, Annotations
from fer_core.review.answers_without_labels import aligned_of, vectors
from fer_core.review.ordering import SORTS, order
from fer_core.runs.folder import RunFolder
from fer_core.settings import settings
from pages.parts import unmeasured
from pages.parts.known_data import KnownData

OpenApp = Callable[..., AppTest]


@pytest.fixture
def answers(home: Path) -> dict[str, np.ndarray]:
    """A dataset "found" of 120 faces of noise, and what two models say of them."""
    generator = np.random.default_rng(4)
    said = {name: generator.dirichlet(np.ones(COUNT), 120).astype(np.float32) for name in ("one", "two")}
    images = generator.integers(0, 256, (120, 48, 48), dtype=np.uint8)
    labels = np.mean(list(said.values()), axis=0).argmax(axis=1)
    with DatasetWriter(settings().datasets_dir / "found", kind="numbers", source="scored") as writer:
        writer.add(images, labels, [PUBLIC_TEST] * 120, [f"{row}.png#1" for row in range(120)])
        writer.add_answers(said)
        writer.understood("A scored folder.", labelled=False)
    make_run(settings().runs_dir / "one")
    return said


def words(app: AppTest) -> str:
    return " ".join(one.value for kind in (app.caption, app.markdown, app.info) for one in kind)


def marks() -> Annotations:
    return Annotations.load(found().info.fingerprint)


def found() -> Dataset:
    return load_dataset(settings().datasets_dir / "found", unlabelled=True)


def as_aligned(answers: dict[str, np.ndarray]) -> AlignedPredictions:
    return aligned_of(answers, found().labels, np.arange(120), split=PUBLIC_TEST, fingerprint="f" * 64)


@pytest.mark.parametrize("by", ["unsure", "disagreement", "similarity", "row"])
def test_a_link_sorts_the_faces_by_what_models_say(open_app: OpenApp, answers: dict[str, np.ndarray], by: str) -> None:
    app = open_mistakes(open_app, data="found", sort=SORTS[by], like="7" if by == "similarity" else "")
    aligned = as_aligned(answers)
    expected = order(aligned, np.arange(120), by, embeddings=vectors(aligned), like=7)
    assert sheet(app) == expected[:40].tolist()
    assert "differently on" in words(app)


def test_at_first_come_those_that_the_models_are_least_sure_of(
    open_app: OpenApp, answers: dict[str, np.ndarray]
) -> None:
    app = open_mistakes(open_app, data="found", runs=["two"])
    assert sheet(app) == order(as_aligned(answers), np.arange(120), "unsure", models=["two"])[:40].tolist()
    assert "Disagreement of the models" not in next(box for box in app.selectbox if box.label == "Sorted by").options


def test_no_face_is_called_labelled_right_or_wrong(open_app: OpenApp, answers: dict[str, np.ndarray]) -> None:
    app = open_mistakes(open_app, data="found", face="7")
    assert count(app) == 120
    assert "No label to compare with" in words(app)
    [one, two] = cards(app)
    assert not any(mark in one + two for mark in ("✓", "✗", "wrong"))
    assert "No map: one says" in one  # the model of that name that is here has another answer
    assert "only its answers are here" in two
    data = sheet_data(app)
    assert "labelled" not in json.dumps([face[3] for face in data["faces"]])
    labels = {box.label for kind in (app.selectbox, app.multiselect, app.slider) for box in kind}
    assert not labels & {"Label", "The answer is", "Who is right", "Twin in Training", "Least label doubt (0 to 1)"}
    assert [tab.label for tab in app.tabs] == ["Your mark", "How sure"]


def test_the_map_is_of_the_answer_alone(open_app: OpenApp, answers: dict[str, np.ndarray]) -> None:
    image = found().images[:1]
    now = int(load_model(settings().runs_dir / "one").predict(image)[0].argmax())
    said = {"one": np.eye(COUNT, dtype=np.float32)[np.full(120, now)]}
    folder = settings().datasets_dir / "found"
    (folder / ANSWERS_FILE).unlink()
    writer = AnswersWriter(folder / ANSWERS_FILE, ["one"])
    writer.add(said)
    writer.close()
    app = open_mistakes(open_app, data="found", face="0")
    [alone] = pictures(app, "one, ")
    assert alone.startswith("one, answer: ")


@pytest.mark.parametrize(("now", "says"), [("same", ""), ("other", "is another model now"), ("", "is not known")])
def test_a_run_that_has_changed_since_it_answered_does_not_stand_for_its_answers(
    open_app: OpenApp, answers: dict[str, np.ndarray], now: str, says: str
) -> None:
    """Answers of a model were shown as those of whatever had its name."""
    promised = RunFolder(settings().runs_dir / "one").promised_model()
    writer = AnswersWriter(
        found().path / ANSWERS_FILE, list(answers), {"same": {"one": promised}, "other": {"one": "0" * 64}}.get(now)
    )
    writer.add(answers)
    writer.close()
    app = open_mistakes(open_app, data="found", face="7")
    assert not app.exception
    told = words(app) + " ".join(one.value for one in app.warning)
    assert says in told
    assert ("is another model now" in told, "is not known" in told) == (now == "other", now == "")
    [one, _] = cards(app)
    assert ("only its answers are here" in one) == (now == "other")


def test_what_only_labels_could_answer_is_said_and_ignored(open_app: OpenApp, answers: dict[str, np.ndarray]) -> None:
    app = open_mistakes(open_app, data="found", true="fear", sort=SORTS["doubt"], marked="model wrong")
    assert count(app) == 120
    said = [warning.value for warning in app.warning]
    assert sum("Nobody has labelled these faces" in one for one in said) == 2
    assert any("model wrong" in one for one in said)


def test_filters_by_answer_and_mark_work(open_app: OpenApp, answers: dict[str, np.ndarray]) -> None:
    app = open_mistakes(open_app, data="found", said="fear", by="one")
    assert count(app) == int((answers["one"].argmax(axis=1) == 2).sum())
    marks().set(3, AMBIGUOUS)
    app = open_mistakes(open_app, data="found", marked="ambiguous")
    assert sheet(app) == [3]
    assert "you: ambiguous" in sheet_data(app)["faces"][0]


def test_your_label_is_kept_and_can_be_taken_away(open_app: OpenApp, answers: dict[str, np.ndarray]) -> None:
    answer = int(found().labels[7])
    app = open_mistakes(open_app, data="found", face="7", take="true")
    assert "review.model wrong" not in [button.key for button in app.button]
    app.button(key=f"review.{NAMES[answer]}").click().run()
    assert not app.exception
    mark = marks().get(7)
    assert mark is not None
    assert (mark.kind, mark.new_label) == (LABEL_WRONG, answer)  # what was said, whatever the models say
    assert f"You say {NAMES[answer]}" in words(app)
    assert f"**Your mark:** {NAMES[answer]}" in words(app)
    assert f"1 {NAMES[answer]}" in words(app)
    assert any("1 label" in button.proto.label for button in app.get("download_button"))
    app.button(key="review.take_back").click().run()
    assert marks().get(7) is None


def test_marks_of_earlier_versions_that_agree_with_the_models_are_labels(
    open_app: OpenApp, answers: dict[str, np.ndarray]
) -> None:
    marks().set(7, MODEL_WRONG)
    app = open_mistakes(open_app, data="found", face="7")
    assert f"You say {NAMES[int(found().labels[7])]}" in words(app)
    assert "model wrong" not in words(app)


def test_labelled_faces_that_came_with_answers_are_judged_by_their_labels(open_app: OpenApp, home: Path) -> None:
    generator = np.random.default_rng(4)
    said = {"one": generator.dirichlet(np.ones(COUNT), 40).astype(np.float32)}
    labels = generator.integers(0, COUNT, 40)
    with DatasetWriter(settings().datasets_dir / "known", kind="numbers", source="scored") as writer:
        images = generator.integers(0, 256, (40, 48, 48), dtype=np.uint8)
        writer.add(images, labels, [PUBLIC_TEST] * 30 + [PRIVATE_TEST] * 10, [f"{row}.png#1" for row in range(40)])
        writer.add_answers(said)
        writer.understood("A scored folder.")
    app = open_mistakes(open_app, data="known", face="7")
    wrong = np.flatnonzero(said["one"].argmax(axis=1) != labels)
    assert count(app) == (wrong < 30).sum()  # PrivateTest is opened by measuring alone
    assert "No label to compare with" not in words(app)
    assert "Evidence" in [tab.label for tab in app.tabs]


def test_dataset_shows_such_faces_and_leads_to_mistakes(open_app: OpenApp, answers: dict[str, np.ndarray]) -> None:
    app = open_app("dataset", face="7", order="Models apart first")
    assert "nobody has labelled" in words(app)
    assert "labelled" not in app.image[0].proto.imgs[0].caption
    assert "Models' answer" in [box.label for box in app.selectbox]
    for view in ("Classes", "Audit"):
        other = open_app("dataset", view=view)
        assert not other.exception
        assert "obody has labelled these faces" in " ".join(one.value for one in other.info)
    app.button(key="to-mistakes").click().run()
    assert not app.exception
    assert app.title[0].value == "Mistakes"
    assert app.number_input(key="face").value == 7
    assert next(box for box in app.selectbox if box.label == "Sorted by").value == SORTS["disagreement"]


@pytest.mark.parametrize(
    ("page", "query"), [("compare", {}), ("explain", {"explain.view": "Averages"}), ("train", {}), ("home", {})]
)
def test_what_needs_labels_says_why_it_is_not_there_and_leads_to_mistakes(
    open_app: OpenApp, answers: dict[str, np.ndarray], page: str, query: dict[str, str]
) -> None:
    app = open_app(page, data="found", **query)
    assert not app.exception
    assert "Nobody has labelled the faces" in words(app)
    assert any("mistakes" in link.proto.page for link in app.get("page_link"))
    keys = {button.key for button in app.button}
    assert not keys & {"measure-here", *(f"game.answer.{label}" for label in range(COUNT))}
    assert "Start training" not in [button.label for button in app.button]


def test_a_call_measures_nothing_either(answers: dict[str, np.ndarray]) -> None:
    info = load_dataset(settings().datasets_dir / "found", unlabelled=True).info
    with pytest.raises(RunError):
        unmeasured.measure(KnownData("found", info.record(), info, ()))


@pytest.mark.parametrize("page", ["explain", "poke"])
def test_other_pages_show_such_faces_without_a_label(
    open_app: OpenApp, answers: dict[str, np.ndarray], page: str
) -> None:
    app = open_app(page, data="found")
    assert not app.exception
    assert "labelled" not in words(app)


def test_damaged_answers_are_told_and_the_faces_shown(open_app: OpenApp, answers: dict[str, np.ndarray]) -> None:
    (settings().datasets_dir / "found" / ANSWERS_FILE).write_bytes(b"PAR1")
    app = open_mistakes(open_app, data="found")
    assert any("Import the scored folder again" in warning.value for warning in app.warning)
    app = open_app("dataset")
    assert not app.exception
    assert "120 of 120 faces" in words(app)
