"""The Audit tab of the Dataset page: offered, run, its findings with their faces, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from edited_runs import measured_on
from factories import make_run
from faulty import faulty_dataset, smooth
from made_up_faces import make_noise
from readonly import read_only
from streamlit.testing.v1 import AppTest

from fer_core.data.audit import AUDIT_FILE, audit_dataset, job, read_audit
from fer_core.data.dataset import Dataset, load_dataset, write_dataset
from fer_core.runs.folder import RunFolder
from fer_core.settings import settings
from pages.parts.dataset.audit_job import jobs

OpenApp = Callable[..., AppTest]


@pytest.fixture
def faulty(home: Path) -> Dataset:
    """Faces with one of each fault, audited."""
    dataset = faulty_dataset(settings().datasets_dir / "faulty")
    audit_dataset(dataset)
    return dataset


def pictures(app: AppTest) -> list[str]:
    """What the large faces of the Audit tab show; the first image is that of the Faces tab."""
    return [image.proto.imgs[0].alt.removeprefix("Face in ").split(", 48")[0] for image in app.image[1:]]


def texts(app: AppTest) -> str:
    return "\n".join(element.value for kind in (app.markdown, app.caption, app.info) for element in kind)


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def sheet(app: AppTest, key: str = "audit-groups") -> str:
    return next(chart.proto.alt for chart in app.get("plotly_chart") if key in chart.proto.id)


def test_without_an_audit_it_is_offered_and_nothing_is_computed(
    open_app: OpenApp, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer_core.data.audit.find_near_duplicates", None)
    app = open_app("dataset", view="Audit")
    assert not app.exception
    assert "These 2,100 faces were not audited yet" in texts(app)
    assert "under a minute" in app.button(key="audit.start").help
    assert f'python -m fer_core data audit "{sample}"' in [code.value for code in app.code]
    assert not [radio for radio in app.radio if radio.label == "Findings"]


def test_the_button_audits_in_a_child_process(open_app: OpenApp, sample: Path) -> None:
    app = press(open_app("dataset", view="Audit"), "Audit these faces")
    assert not app.exception
    assert jobs().by_folder[sample].wait(600) == "done"
    assert read_audit(load_dataset(sample)) is not None
    app.run()
    assert not app.exception
    assert "No face of PrivateTest also occurs in Training" in texts(app)
    assert app.radio(key="finding").value == "exact duplicates"
    assert "None found" in texts(app)
    assert sample not in jobs().by_folder


def test_a_running_audit_shows_its_progress_and_can_be_stopped(
    open_app: OpenApp, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "Comparing all faces  ██  512 of 2,100 rows, 9 s left"
    slow = f"import sys, time; print({line!r}, file=sys.stderr); time.sleep(60)"
    monkeypatch.setattr(job, "audit_command", lambda folder: ["-c", slow])
    app = open_app("dataset", view="Audit")
    press(app, "Audit these faces")
    running = jobs().by_folder[sample]
    while running.progress is None:
        assert running.wait(0.05) == "running"
    app.run()
    assert "512 of 2,100 faces, 9 s left" in app.get("progress")[0].proto.text
    assert not app.exception
    press(app, "Stop the audit")
    assert running.wait(600) == "stopped"
    app.run()
    assert "The audit was stopped" in texts(app)
    press(app, "Dismiss this message")
    assert "The audit was stopped" not in texts(app)
    assert "not audited yet" in texts(app)


def test_a_failed_audit_says_why(open_app: OpenApp, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "audit_command", lambda folder: ["-c", "raise MemoryError('all used up')"])
    app = press(open_app("dataset", view="Audit"), "Audit these faces")
    assert jobs().by_folder[sample].wait(600) == "failed"
    app.run()
    assert not app.exception
    assert any("all used up" in error.value for error in app.error)
    assert any(button.label == "Audit these faces" for button in app.button)


def test_an_audit_that_cannot_be_kept_says_why(open_app: OpenApp, sample: Path) -> None:
    (sample / AUDIT_FILE).mkdir()
    app = press(open_app("dataset", view="Audit"), "Audit these faces")
    assert jobs().by_folder[sample].wait(600) == "done"
    app.run()
    assert any("could not be kept" in error.value for error in app.error)


def test_an_audit_on_a_read_only_disk_is_refused_before_it_begins(open_app: OpenApp, sample: Path) -> None:
    with read_only(sample):
        app = press(open_app("dataset", view="Audit"), "Audit these faces")
        assert not app.exception
        assert any("read-only" in error.value and str(sample) in error.value for error in app.error)
        assert sample not in jobs().by_folder
        assert any(button.label == "Audit these faces" for button in app.button)


def test_findings_say_how_many_groups_and_faces_they_have(open_app: OpenApp, faulty: Dataset) -> None:
    app = open_app("dataset", view="Audit")
    assert not app.exception
    assert "2 of the 5 faces of PrivateTest (40.0 %) also occur in Training" in texts(app)
    finding = app.radio(key="finding")
    captions = dict(zip(finding.options, finding.proto.captions, strict=True))
    assert captions["exact duplicates"] == "4 groups: 8 faces (53.3 % of all)"
    assert captions["redundant faces"] == "4 faces (26.7 % of all)"
    assert captions["duplicates across splits"] == "2 groups: 4 faces (26.7 % of all)"
    assert captions["conflicting labels"] == "3 groups: 6 faces (40.0 % of all)"
    assert captions["near duplicates"] == "2 pairs: 4 faces (26.7 % of all)"
    assert captions["exact twins in Training"] == (
        "PublicTest 1 of 3 faces (33.3 %); PrivateTest 1 of 5 faces (20.0 %)"
    )
    assert captions["mirrored twins"] == "PublicTest 0 of 3 faces (0.0 %); PrivateTest 1 of 5 faces (20.0 %)"
    assert captions["constant images"] == "2 images (13.3 % of all)"


def test_groups_are_shown_group_by_group(open_app: OpenApp, faulty: Dataset) -> None:
    app = open_app("dataset", view="Audit", finding="conflicting labels")
    assert not app.exception
    assert "They form 3 groups: rows 0, 1; rows 3, 7; rows 11, 12." in sheet(app)
    assert pictures(app) == ["row 0 of Training, labelled angry", "row 1 of Training, labelled disgust"]
    assert "the same pixels**, and different labels" in texts(app)


def test_a_link_names_the_finding_the_split_and_the_face(open_app: OpenApp, faulty: Dataset) -> None:
    app = open_app("dataset", view="Audit", finding="near twins in Training", of="PrivateTest", shown="10")
    assert not app.exception
    assert "They form 1 pair: rows 10, 5." in sheet(app)
    assert pictures(app) == ["row 10 of PrivateTest, labelled happy", "row 5 of Training, labelled surprise"]
    assert "Nearly the same, mirrored" in texts(app)


def test_single_faces_are_a_contact_sheet(open_app: OpenApp, faulty: Dataset) -> None:
    app = open_app("dataset", view="Audit", finding="nearly constant images")
    assert not app.exception
    assert "Contact sheet of 1 face" in sheet(app, "audit-sheet")
    assert pictures(app) == ["row 14 of PrivateTest, labelled angry"]
    assert "No other face is equal or nearly so" in texts(app)


def test_another_finding_starts_with_its_first_face(open_app: OpenApp, faulty: Dataset) -> None:
    app = open_app("dataset", view="Audit", shown="12")
    assert pictures(app)[0].startswith("row 12 ")
    app.radio(key="finding").set_value("near duplicates").run()
    assert not app.exception
    first = sheet(app).split("rows ")[1].split(",")[0]
    assert pictures(app)[0].startswith(f"row {first} ")


@pytest.fixture
def many(home: Path) -> Dataset:
    """Twelve groups: eleven of two faces, one of fourteen."""
    base = smooth(12)
    order = [i for i in range(11) for _ in range(2)] + [11] * 14
    dataset = write_dataset(settings().datasets_dir / "many", base[order], [0] * 36, ["Training"] * 36)
    audit_dataset(dataset)
    return dataset


def test_groups_are_paged_and_large_ones_are_cut(open_app: OpenApp, many: Dataset) -> None:
    app = open_app("dataset", view="Audit")
    assert "12 groups with 36 faces, page 1 of 2" in texts(app)
    assert "They form 8 groups" in sheet(app)
    app = open_app("dataset", view="Audit", part="2")
    assert not app.exception
    assert "They form 4 groups" in sheet(app)
    assert pictures(app)[0].startswith("row 16 ")
    assert "Of 1 larger group only the first 12 faces are shown" in texts(app)


def test_any_of_a_faces_twins_can_be_put_beside_it(open_app: OpenApp, many: Dataset) -> None:
    app = open_app("dataset", view="Audit", part="2", shown="22", beside="row 30")
    assert [words.split(" of ")[0] for words in pictures(app)] == ["row 22", "row 30"]
    assert len(app.selectbox(key="beside").options) == 13
    app.number_input(key="shown").set_value(0).run()
    assert not app.exception
    assert [words.split(" of ")[0] for words in pictures(app)] == ["row 0", "row 1"]


def test_a_group_opens_in_the_faces_tab(open_app: OpenApp, faulty: Dataset) -> None:
    app = open_app("dataset", view="Audit", finding="conflicting labels", shown="7", split="PublicTest")
    press(app, "Open in Faces")
    assert not app.exception
    assert app.session_state["view"] == "Faces"
    assert app.text_input(key="rows").value == "7, 3"
    assert app.selectbox(key="split").value == "all"
    assert app.number_input(key="face").value == 7


def test_the_filters_of_the_faces_tab_outlive_the_audit(open_app: OpenApp, faulty: Dataset) -> None:
    app = open_app("dataset", view="Audit", split="PublicTest", face="8")
    app.radio(key="finding").set_value("constant images").run()
    assert not app.exception
    assert app.selectbox(key="split").value == "PublicTest"
    assert app.number_input(key="face").value == 8


def test_who_comes_back_from_another_tab_finds_the_same(open_app: OpenApp, faulty: Dataset) -> None:
    app = open_app("dataset", view="Audit", finding="conflicting labels", shown="7")
    press(app, "Open in Faces")
    assert not app.get("radio")
    app.session_state["view"] = "Audit"
    app.run()
    assert not app.exception
    assert app.radio(key="finding").value == "conflicting labels"
    assert pictures(app)[0].startswith("row 7 ")


def test_a_face_that_the_finding_does_not_hold_is_shown_and_said(open_app: OpenApp, faulty: Dataset) -> None:
    app = open_app("dataset", view="Audit", shown="9")
    assert "This face is not part of the finding" in texts(app)
    assert pictures(app) == ["row 9 of PublicTest, labelled fear"]


def test_another_dataset_with_fewer_faces_does_not_break_the_tab(
    open_app: OpenApp, many: Dataset, faulty: Dataset
) -> None:
    app = open_app("dataset", view="Audit", part="2")
    app.selectbox(key="data").set_value("many").run()
    app.number_input(key="shown").set_value(30).run()
    app.selectbox(key="beside").set_value("row 25").run()
    assert pictures(app)[0].startswith("row 30 ")
    app.selectbox(key="data").set_value("faulty").run()
    assert not app.exception
    assert sheet(app).startswith("Contact sheet of 8 faces")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"finding": "ghosts"}, "There is no finding called “ghosts”"),
        ({"shown": "999"}, "There is no row “999”"),
        ({"shown": "x"}, "There is no row “x”"),
    ],
)
def test_a_link_with_a_mistake_falls_back_and_says_so(
    open_app: OpenApp, faulty: Dataset, query: dict[str, str], words: str
) -> None:
    app = open_app("dataset", view="Audit", **query)
    assert not app.exception
    assert any(words in warning.value for warning in app.warning)
    assert pictures(app)[0].startswith("row 0 ")


def test_without_a_measured_run_there_is_no_cost(open_app: OpenApp, faulty: Dataset) -> None:
    make_run(settings().runs_dir / "elsewhere")
    app = open_app("dataset", view="Audit")
    assert not app.exception
    assert "No model was measured on these faces yet" in texts(app)


def make_run_on(name: str, dataset: Dataset, accuracy: float = 0.6) -> None:
    make_run(
        settings().runs_dir / name,
        labels=dataset.labels,
        splits=dataset.splits,
        accuracy=accuracy,
        data={"fingerprint": dataset.info.fingerprint},
    )


def test_what_the_faults_cost_each_run(open_app: OpenApp, faulty: Dataset) -> None:
    make_run_on("good", faulty, 1.0)
    make_run_on("bad", faulty, 0.0)
    app = open_app("dataset", view="Audit")
    assert not app.exception
    table = next(frame.value for frame in app.dataframe if "Right on those left out (%)" in frame.value)
    assert set(table["Run"]) == {"good", "bad"}
    good = table[table["Run"] == "good"].set_index("Faces")
    assert good["Faces (n)"].tolist() == [5, 4, 3, 3, 3, 0]
    assert good.loc["all faces", "Accuracy (%)"] == 100
    assert good.loc["without all of these", "95 % interval"] == "no face left"
    assert good.loc["without exact twins", "Difference"] == "+0.0 points (+0.0 to +0.0)"
    assert "Without the 2 faces of PrivateTest" in texts(app)
    assert "bad: all faces: 0.0 %" in sheet(app, "audit-costs")
    app.segmented_control(key="measured").set_value("PublicTest").run()
    assert not app.exception
    assert "Without the 2 faces of PublicTest" in texts(app)


def test_without_faults_neither_figure_nor_table_is_shown(open_app: OpenApp, home: Path) -> None:
    """There was "nothing to compare", and below it a chart of equal groups and a long table."""
    noise = make_noise(settings().datasets_dir / "noise")
    audit_dataset(noise)
    make_run_on("good", noise)
    app = open_app("dataset", view="Audit")
    assert not app.exception
    assert "nothing to compare" in texts(app)
    assert not [chart for chart in app.get("plotly_chart") if "audit-costs" in chart.proto.id]
    assert not [table for table in app.dataframe if "Right on those left out (%)" in table.value]


def test_a_damaged_run_is_named_and_the_others_stand(open_app: OpenApp, faulty: Dataset) -> None:
    make_run_on("good", faulty)
    make_run_on("broken", faulty)
    measured_on(RunFolder(settings().runs_dir / "broken")).predictions_path.write_bytes(b"")
    app = open_app("dataset", view="Audit")
    assert not app.exception
    assert any("broken" in warning.value for warning in app.warning)
    table = next(frame.value for frame in app.dataframe if "Right on those left out (%)" in frame.value)
    assert set(table["Run"]) == {"good"}
