"""Your review on Mistakes: marks from buttons and keys, taken back, kept, and in and out as a CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from factories import make_evaluated_run, make_run
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextInput

from fer_core.data.dataset import Dataset, load_dataset
from fer_core.emotions import NAMES, PRIVATE_TEST, TRAINING
from fer_core.errors import DataError
from fer_core.review.annotations import AMBIGUOUS, LABEL_WRONG, MODEL_WRONG, NOT_A_FACE, Annotations
from fer_core.review.annotations_csv import read_annotations_csv, write_annotations_csv
from fer_core.review.scope import CORRECTED, LABELS, WITHOUT_ANNOTATED, scope
from fer_core.runs.listing import list_models
from fer_core.settings import settings

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenApp = Callable[..., AppTest]


@pytest.fixture
def dataset(sample: Path) -> Dataset:
    """The drawn sample, with two runs that were measured on it."""
    dataset = load_dataset(sample)
    for seed, name in enumerate(("one", "two")):
        make_evaluated_run(settings().runs_dir / name, dataset, seed=seed, accuracy=0.6, name=name)
    return dataset


@pytest.fixture
def row(dataset: Dataset) -> int:
    """A PrivateTest face labelled fear."""
    return int(np.flatnonzero((dataset.splits == PRIVATE_TEST) & (dataset.labels == NAMES.index("fear")))[3])


def annotations_of(dataset: Dataset) -> Annotations:
    return Annotations.load(dataset.info.fingerprint)


def faces_of(dataset: Dataset) -> int:
    return int((dataset.splits == PRIVATE_TEST).sum())


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception, app.exception
    return app


def shows(app: AppTest, words: str) -> bool:
    return any(words in text.value for text in app.markdown)


def test_a_mark_is_saved_at_once_and_shown(open_app: OpenApp, dataset: Dataset, row: int) -> None:
    app = open_app("mistakes", take="true", panel="Your mark", face=str(row))
    assert not app.exception
    assert shows(app, "**Your mark:** none yet")
    assert app.button(key="review.take_back").disabled
    press(app, "review.sad")
    annotation = annotations_of(dataset).get(row)
    assert annotation is not None
    assert annotation.words == "label wrong → sad"
    assert shows(app, "**Your mark:** label wrong → sad, ")
    # The last one wins, and the page stays where it was.
    press(app, f"review.{AMBIGUOUS}")
    assert app.number_input(key="face").value == row
    assert {row: AMBIGUOUS} == {face: annotation.kind for face, annotation in annotations_of(dataset).all().items()}
    press(app, "review.take_back")
    assert annotations_of(dataset).all() == {}
    assert shows(app, "**Your mark:** none yet")


def test_classes_stand_with_the_suggested_one_first_and_without_the_label(
    open_app: OpenApp, dataset: Dataset, row: int
) -> None:
    app = open_app("mistakes", take="true", panel="Your mark", face=str(row))
    classes = [button.key.removeprefix("review.") for button in app.button if button.key in _class_keys()]
    assert sorted(classes) == sorted(set(NAMES) - {"fear"})
    found = scope([run.folder for run in list_models()], PRIVATE_TEST)
    suggested = NAMES[found.whole_label_issues.suggested[np.searchsorted(found.whole.rows, row)]]
    others = [name for name in NAMES if name not in ("fear", suggested)]
    assert classes == ([] if suggested == "fear" else [suggested]) + others


def _class_keys() -> list[str]:
    return [f"review.{name}" for name in NAMES]


def test_a_note_goes_with_the_mark_and_can_be_changed(open_app: OpenApp, dataset: Dataset, row: int) -> None:
    app = open_app("mistakes", take="true", panel="Your mark", face=str(row))
    note(app).set_value("tears").run()
    assert annotations_of(dataset).all() == {}
    press(app, "review.sad")
    assert annotations_of(dataset).all()[row].note == "tears"
    assert note(app).value == "tears"
    note(app).set_value("tears, and a frown").run()
    assert annotations_of(dataset).all()[row].note == "tears, and a frown"
    # Another mark keeps the note.
    press(app, f"review.{NOT_A_FACE}")
    stored = annotations_of(dataset).all()[row]
    assert (stored.kind, stored.note) == (NOT_A_FACE, "tears, and a frown")


def note(app: AppTest) -> TextInput:
    return next(field for field in app.text_input if field.label == "Note")


def test_what_cannot_be_saved_is_told(
    open_app: OpenApp, dataset: Dataset, row: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise DataError("The mark was not saved: the disk is full.")

    app = open_app("mistakes", take="true", panel="Your mark", face=str(row))
    monkeypatch.setattr(Annotations, "_append", full)
    press(app, "review.sad")
    assert any("the disk is full" in error.value for error in app.error)
    assert shows(app, "**Your mark:** none yet")
    app.run()
    assert not app.error


def test_marks_are_counted_listed_and_lead_on(open_app: OpenApp, dataset: Dataset, row: int) -> None:
    training = int(np.flatnonzero(dataset.splits == TRAINING)[0])
    annotations = annotations_of(dataset)
    annotations.set(row, LABEL_WRONG, NAMES.index("sad"), "tears")
    annotations.set(training, MODEL_WRONG)
    app = open_app("mistakes", take="true", panel="Your mark")
    assert not app.exception
    assert shows(app, "2 faces of")
    assert shows(app, "1 label wrong, 1 model wrong")
    table = next(frame.value for frame in app.dataframe if "Right class" in frame.value)
    lines = {line.Row: line for line in table.itertuples()}
    assert (lines[row].Split, lines[row].Label, lines[row].Mark, lines[row].Note) == (
        PRIVATE_TEST,
        "fear",
        LABEL_WRONG,
        "tears",
    )
    assert lines[training].Split == TRAINING
    assert shows(app, LABELS[CORRECTED])
    assert shows(app, LABELS[WITHOUT_ANNOTATED])


def test_the_marked_faces_are_one_click_away(open_app: OpenApp, dataset: Dataset, row: int) -> None:
    annotations_of(dataset).set(row, AMBIGUOUS)
    annotations_of(dataset).set(int(np.flatnonzero(dataset.splits == TRAINING)[0]), AMBIGUOUS)
    app = open_app("mistakes", take="true", panel="Your mark", true="happy", labels=LABELS[WITHOUT_ANNOTATED])
    only = app.button(key="review.only_marked")
    assert only.label == "Show only marked faces (1 in PrivateTest)"
    press(app, "review.only_marked")
    assert not app.warning
    assert shows(app, f"**1 of {faces_of(dataset)} faces**")
    press(app, "clear-filters")
    assert not shows(app, f"**1 of {faces_of(dataset)} faces**")


def test_marks_change_the_numbers_only_where_that_is_chosen(open_app: OpenApp, dataset: Dataset, row: int) -> None:
    total = faces_of(dataset)
    app = open_app("mistakes", take="true", panel="Your mark", face=str(row))
    assert any(f"All {total} faces" in caption.value for caption in app.caption)
    press(app, f"review.{NOT_A_FACE}")
    assert any(f"All {total} faces" in caption.value for caption in app.caption)
    app.selectbox(key="labels").set_value(LABELS[WITHOUT_ANNOTATED]).run()
    assert not app.exception
    assert any(f"{total - 1} of the {total} faces" in caption.value for caption in app.caption)
    assert shows(app, "**Your mark:** not a face")


def test_a_csv_comes_in_whole_or_not_at_all(open_app: OpenApp, dataset: Dataset, row: int) -> None:
    elsewhere = Annotations("ab" * 32)
    elsewhere.set(row, LABEL_WRONG, NAMES.index("sad"))
    elsewhere.set(row + 1, AMBIGUOUS)
    content = write_annotations_csv(elsewhere.all(), dataset.labels, dataset.splits)
    app = open_app("mistakes", take="true", panel="Your mark")
    upload(app, content)
    assert any("2 marks of marks.csv are new or changed" in message.value for message in app.success)
    assert annotations_of(dataset).all() == elsewhere.all()
    upload(app, content)
    assert any("2 marks said what was known already" in message.value for message in app.success)
    lines = list(csv.DictReader(io.StringIO(content.decode())))
    bad = content.decode().replace(f"\n{lines[1]['row']},{PRIVATE_TEST}", f"\n{lines[1]['row']},{TRAINING}")
    upload(app, bad.replace(",sad,", ",angry,").encode())
    assert any("marks.csv: Nothing was imported. line 3" in error.value for error in app.error)
    assert annotations_of(dataset).all() == elsewhere.all()


def upload(app: AppTest, content: bytes) -> None:
    app.file_uploader(key="review.upload").set_value([("marks.csv", content, "text/csv")]).run()
    press(app, "review.import")


def test_the_csv_that_goes_out_is_the_one_that_comes_in(
    open_app: OpenApp, dataset: Dataset, row: int, downloads: dict[str, bytes]
) -> None:
    annotations_of(dataset).set(row, LABEL_WRONG, NAMES.index("sad"), 'he said "no"')
    app = open_app("mistakes", take="true", panel="Your mark")
    assert not app.exception
    content = downloads["review.download"]
    assert read_annotations_csv(content, dataset.labels, dataset.splits) == list(annotations_of(dataset).all().values())


def test_the_report_to_hand_in_holds_each_marked_face(
    open_app: OpenApp, dataset: Dataset, row: int, downloads: dict[str, Any]
) -> None:
    training = int(np.flatnonzero(dataset.splits == TRAINING)[0])
    annotations_of(dataset).set(row, LABEL_WRONG, NAMES.index("sad"), "<b>tears</b>")
    annotations_of(dataset).set(training, AMBIGUOUS)
    app = open_app("mistakes", take="true", panel="Your mark")
    assert not app.exception
    report = downloads["review.report"]().decode()
    assert "2 faces marked" in report
    assert report.count("data:image/png;base64,") == 2
    assert "&lt;b&gt;tears&lt;/b&gt;" in report
    article = report[report.index(f"Row {row:,} ({PRIVATE_TEST})") :]
    assert "one" in article
    assert "two" in article
    assert "were not asked about this face" in report[report.index(f"Row {training:,} ({TRAINING})") :]


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What download buttons were given, by key: ``AppTest`` cannot press them."""
    import streamlit as st

    given: dict[str, Any] = {}
    real = st.download_button

    def remember(label: str, *, data: object, key: str, **options: object) -> object:
        given[key] = data
        return real(label, data=data, key=key, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(st, "download_button", remember)
    return given


def test_without_the_faces_marks_work_and_the_csv_says_why_not(open_app: OpenApp, home: Path) -> None:
    run = make_run(settings().runs_dir / "one")
    table = run.predictions()
    assert table is not None
    row = int(table.loc[table["split"] == PRIVATE_TEST, "row"].iloc[0])
    app = open_app("mistakes", take="true", panel="Your mark", face=str(row))
    assert not app.exception
    press(app, f"review.{AMBIGUOUS}")
    assert Annotations.load("0" * 64).all()[row].kind == AMBIGUOUS
    assert shows(app, "1 ambiguous")
    assert any("cannot be exported" in info.value for info in app.info)


def press_key(page: Page, key: str, words: str) -> None:
    """Press, and once more where it was not heard: Streamlit hears no key while it draws a page for the first time."""
    from playwright.sync_api import TimeoutError as PlaywrightTimeout
    from playwright.sync_api import expect

    found = page.locator(".st-key-review").get_by_text(words)
    for _ in range(3):
        page.keyboard.press(key)
        try:
            found.wait_for(timeout=15_000)
        except PlaywrightTimeout:
            continue
        return
    expect(found).to_be_visible()


@pytest.mark.browser
@pytest.mark.slow
def test_a_mark_set_by_key_is_there_for_the_next_visitor(
    dataset: Dataset, row: int, open_page: Callable[..., Page]
) -> None:
    from playwright.sync_api import expect

    page = open_page(f"mistakes?panel=Your+mark&face={row}&answer=right+or+wrong&sort=Row+number")
    page.set_default_timeout(90_000)
    panel = page.locator(".st-key-review")
    expect(page.locator(".st-key-mistakes-sheet button").first).to_be_visible(timeout=90_000)
    expect(panel.get_by_text("Your mark: none yet")).to_be_visible(timeout=60_000)
    # A letter that is typed is text, not a mark.
    field = panel.get_by_role("textbox", name="Note")
    field.press_sequentially("an a")
    field.press("Enter")
    page.wait_for_timeout(1000)
    assert annotations_of(dataset).all() == {}
    page.get_by_role("heading", name="Mistakes").click()
    press_key(page, "5", "Your mark: label wrong → sad")
    assert annotations_of(dataset).all()[row].note == "an a"
    press_key(page, "ArrowRight", "Your mark: none yet")
    press_key(page, "n", "Your mark: not a face")
    assert annotations_of(dataset).counts() == {LABEL_WRONG: 1, AMBIGUOUS: 0, NOT_A_FACE: 1, MODEL_WRONG: 0}

    other = open_page(f"mistakes?panel=Your+mark&face={row}")
    expect(other.locator(".st-key-review").get_by_text("Your mark: label wrong → sad")).to_be_visible(timeout=60_000)
    other.set_default_timeout(90_000)
    expect(other.locator(".st-key-mistakes-sheet button").first).to_be_visible(timeout=90_000)
    press_key(other, "u", "Your mark: none yet")
    assert row not in annotations_of(dataset).all()
