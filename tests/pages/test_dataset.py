"""Dataset: filters, one face, links with mistakes in them, imports."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from factories import make_run
from PIL import Image
from readonly import read_only
from streamlit.testing.v1 import AppTest

from fer_core.data.catalogue import list_datasets
from fer_core.data.class_names import Numbering
from fer_core.data.dataset import load_dataset, write_dataset
from fer_core.emotions import COUNT, SPLITS
from fer_core.errors import DataError
from fer_core.evaluation import measuring
from fer_core.settings import settings
from pages.parts.dataset import import_job

OpenApp = Callable[..., AppTest]


pytestmark = pytest.mark.usefixtures("sample")


def faces_caption(app: AppTest) -> str:
    return next(caption.value for caption in app.caption if "Click a face" in caption.value)


def test_the_sample_is_called_drawn_and_the_real_data_offered(open_app: OpenApp) -> None:
    app = open_app("dataset")
    assert not app.exception
    assert any("drawn, not photographed" in text.value for text in app.markdown)
    assert faces_caption(app).startswith("2,100 of 2,100 faces, page 1 of 22")
    assert "Contact sheet of 96 faces" in app.get("plotly_chart")[0].proto.alt


def test_a_link_shows_what_it_names(open_app: OpenApp, sample: Path) -> None:
    dataset = load_dataset(sample)
    app = open_app("dataset", split="PublicTest", face="40", **{"class": "fear"})
    assert not app.exception
    n = int(((dataset.splits == "PublicTest") & (dataset.labels == 2)).sum())
    assert faces_caption(app).startswith(f"{n} of 2,100 faces")
    assert app.number_input(key="face").value == 40
    assert "Face in row 40" in app.image[0].proto.imgs[0].alt


def test_previous_and_next_stay_within_the_filters(open_app: OpenApp) -> None:
    app = open_app("dataset", rows="12, 40-41", face="12")
    following = next(button for button in app.button if button.label == "Next")
    following.click().run()
    assert app.number_input(key="face").value == 40
    previous = next(button for button in app.button if button.label == "Previous")
    previous.click().run()
    assert app.number_input(key="face").value == 12
    assert next(button for button in app.button if button.label == "Previous").disabled


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"split": "Nonsense"}, "“Nonsense” is not one of"),
        ({"class": "joy"}, "“joy” is not one of"),
        ({"face": "999999"}, "There is no row “999999”"),
        ({"face": "-1"}, "There is no row “-1”"),
        ({"rows": "5-x"}, "“5-x” is not a row number"),
    ],
)
def test_a_link_with_a_mistake_falls_back_and_says_so(open_app: OpenApp, query: dict[str, str], words: str) -> None:
    app = open_app("dataset", **query)
    assert not app.exception
    assert any(words in warning.value for warning in app.warning)
    assert faces_caption(app).startswith("2,100 of 2,100")


@pytest.mark.parametrize("number", ["-1", "99", "x"])
def test_a_page_that_does_not_exist_shows_the_first(open_app: OpenApp, number: str) -> None:
    app = open_app("dataset", page=number)
    assert not app.exception
    assert "page 1 of 22" in faces_caption(app)


def test_filters_that_leave_nothing_say_so(open_app: OpenApp) -> None:
    app = open_app("dataset", rows="0", split="Training", **{"class": "disgust"})
    assert not app.exception
    assert any("No face fits" in info.value for info in app.info)


def test_twins_are_named(open_app: OpenApp) -> None:
    images = np.random.default_rng(0).integers(0, 256, (21, 48, 48), dtype=np.uint8)
    images[20] = images[0]
    write_dataset(settings().datasets_dir / "twins", images, np.arange(21) % COUNT, np.repeat(SPLITS, 7))
    app = open_app("dataset")
    assert app.selectbox(key="data").value == "twins"
    assert any("row 20 (PrivateTest, neutral)" in warning.value for warning in app.warning)
    assert not any("drawn, not photographed" in text.value for text in app.markdown)


def test_another_dataset_with_fewer_faces_does_not_break_the_face(open_app: OpenApp) -> None:
    images = np.zeros((21, 48, 48), dtype=np.uint8)
    write_dataset(settings().datasets_dir / "few", images, np.arange(21) % COUNT, np.repeat(SPLITS, 7))
    app = open_app("dataset")
    app.selectbox(key="data").set_value("sample").run()
    app.number_input(key="face").set_value(2000).run()
    assert app.number_input(key="face").value == 2000
    app.selectbox(key="data").set_value("few").run()
    assert not app.exception
    assert app.number_input(key="face").value <= 20


def test_the_classes_tab(open_app: OpenApp, sample: Path) -> None:
    app = open_app("dataset", view="Classes")
    assert not app.exception
    counts = load_dataset(sample).info.counts
    table = next(frame.value for frame in app.dataframe if "Share (%)" in frame.value)
    assert table["Training"].tolist() == [*counts["Training"], sum(counts["Training"])]
    alts = [image.proto.imgs[0].alt for image in app.image]
    assert sum("Training faces labelled" in alt for alt in alts) == COUNT


def wait_for_import() -> import_job.ImportJob:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        job = import_job.current_job()
        assert job is not None
        if job.state != "running":
            return job
        time.sleep(0.05)
    raise AssertionError("the import did not end")


def make_csv(path: Path, pixels: int = 48 * 48) -> Path:
    lines = ["emotion,pixels,Usage"]
    lines += [f"{i % 7},{' '.join([str(i)] * pixels)},{SPLITS[i // 7]}" for i in range(21)]
    path.write_text("\n".join(lines) + "\n")
    return path


def by_path(open_app: OpenApp, source: Path) -> AppTest:
    app = open_app("dataset", view="Bring real data", **{"from": "File or folder on this computer"})
    assert not app.exception
    path = next(field for field in app.text_input if field.label.startswith("Path"))
    path.set_value(str(source)).run()
    click(app, "Look at what is there")
    return app


def click(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def test_import_from_a_path_then_look_at_it(open_app: OpenApp, tmp_path: Path) -> None:
    app = by_path(open_app, make_csv(tmp_path / "mine.csv"))
    assert wait_for_import().state == "looked"
    assert [info.path.name for info in list_datasets()] == ["sample"], "nothing is written before it is said"
    app.run()
    click(app, "Import these faces")
    assert wait_for_import().state == "done"
    app.run()
    assert any("21 faces are in" in message.value for message in app.success)
    next(button for button in app.button if button.label == "Look at its faces").click().run()
    assert not app.exception
    assert app.selectbox(key="data").value == "mine"
    assert faces_caption(app).startswith("21 of 21 faces")
    assert app.session_state["view"] == "Faces", "the tab with the faces is open"
    assert import_job.current_job() is None


def test_after_an_import_one_button_has_the_models_measured_on_it(
    open_app: OpenApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    monkeypatch.setattr(measuring, "start", lambda info, runs: begun.append(info.name))
    make_run(settings().models_dir / "one")
    app = by_path(open_app, make_csv(tmp_path / "mine.csv"))
    assert wait_for_import().state == "looked"
    app.run()
    click(app, "Import these faces")
    assert wait_for_import().state == "done"
    app.run()
    app.button(key="measure-imported").click().run()
    assert not app.exception
    assert begun == ["mine"]
    assert app.selectbox(key="data").value == "mine"


def test_import_of_an_upload(open_app: OpenApp, tmp_path: Path) -> None:
    app = open_app("dataset", view="Bring real data")
    content = make_csv(tmp_path / "faces.csv").read_bytes()
    app.file_uploader[0].set_value([("faces.csv", content, "text/csv")]).run()
    click(app, "Look at the file")
    assert wait_for_import().state == "looked"
    app.run()
    click(app, "Import these faces")
    assert wait_for_import().state == "done"
    assert {info.path.name for info in list_datasets()} == {"sample", "faces"}
    assert not list(settings().cache_dir.iterdir())


def test_a_bad_file_is_told_and_leaves_nothing(open_app: OpenApp, tmp_path: Path) -> None:
    app = by_path(open_app, make_csv(tmp_path / "bad.csv", pixels=7))
    assert wait_for_import().state == "failed"
    app.run()
    assert any("bad.csv" in error.value and "row 2" in error.value for error in app.error)
    assert [info.path.name for info in list_datasets()] == ["sample"]
    next(button for button in app.button if button.label == "Dismiss this message").click().run()
    assert not app.error


def make_pictures(folder: Path, words: Sequence[str], each: int = 4) -> Path:
    rng = np.random.default_rng(5)
    for word in words:
        (folder / word).mkdir(parents=True)
        for number in range(each):
            Image.fromarray(rng.integers(0, 256, (48, 48), dtype=np.uint8)).save(folder / word / f"{number}.png")
    return folder


def test_what_is_in_doubt_is_chosen_on_the_page(open_app: OpenApp, tmp_path: Path) -> None:
    source = make_pictures(tmp_path / "own", ("Anger", "joy", "snoo*zing", "contempt"))
    (source / "joy" / "<b>notes.txt").write_text("x")
    app = by_path(open_app, source)
    job = wait_for_import()
    assert job.state == "looked"
    app.run()
    assert not app.exception
    shown = " ".join(text.value for text in app.markdown)
    assert "contempt" in shown
    assert "notes.txt" in shown
    assert "<b>" not in shown, "a file's name is no HTML"
    assert next(button for button in app.button if button.label == "Import these faces").disabled
    next(box for box in app.selectbox if "zing" in box.label).set_value("neutral").run()
    app.selectbox(key=f"look-{job.number}-use").set_value("all for tests, none for training").run()
    click(app, "Look again")
    again = wait_for_import()
    app.run()
    assert again.look is not None
    assert {split.split: split.faces for split in again.look.understanding.splits} == {"PrivateTest": 12}
    click(app, "Import these faces")
    assert wait_for_import().state == "done"
    info = next(info for info in list_datasets() if info.path.name == "own")
    assert info.counts["PrivateTest"] == (4, 0, 0, 4, 0, 0, 4)


def test_whose_numbers_is_chosen_once_for_all(open_app: OpenApp, tmp_path: Path) -> None:
    app = by_path(open_app, make_pictures(tmp_path / "own", [str(number) for number in range(8)], each=1))
    job = wait_for_import()
    app.run()
    app.selectbox(key=f"look-{job.number}-numbering").set_value(Numbering.AFFECTNET).run()
    click(app, "Import these faces")
    assert wait_for_import().state == "done"
    assert next(info for info in list_datasets() if info.path.name == "own").faces == 7


def test_a_look_that_nothing_follows_leaves_no_upload(open_app: OpenApp, tmp_path: Path) -> None:
    app = open_app("dataset", view="Bring real data")
    app.file_uploader[0].set_value([("faces.csv", make_csv(tmp_path / "f.csv").read_bytes(), "text/csv")]).run()
    click(app, "Look at the file")
    assert wait_for_import().state == "looked"
    assert list(settings().cache_dir.iterdir())
    app.run()
    click(app, "Import nothing")
    assert import_job.current_job() is None
    assert not list(settings().cache_dir.iterdir())


def test_an_upload_to_a_read_only_disk_is_refused_before_it_is_copied(open_app: OpenApp, home: Path) -> None:
    app = open_app("dataset", view="Bring real data")
    csv = make_csv(home.parent / "mine.csv").read_bytes()
    app.file_uploader[0].set_value([("mine.csv", csv, "text/csv")]).run()
    with read_only(home):
        click(app, "Look at the file")
        assert any("read-only" in error.value and str(home) in error.value for error in app.error)
    assert import_job.current_job() is None


def test_an_import_can_be_stopped_and_leaves_nothing(tmp_path: Path) -> None:
    job = import_job.start_import(str(make_csv(tmp_path / "mine.csv")), "mine")
    job.stop_asked = True
    ended = wait_for_import()
    # The very last moments cannot be stopped: then the dataset is complete.
    names = [info.path.name for info in list_datasets()]
    assert (ended.state == "stopped") == ("mine" not in names)
    assert not [path for path in settings().datasets_dir.iterdir() if path.name.startswith(".")]


def test_uploads_are_deleted_whatever_happens(tmp_path: Path) -> None:
    folder = tmp_path / "upload"
    folder.mkdir()
    import_job.start_import(str(make_csv(folder / "bad.csv", pixels=7)), "bad", temporary=folder)
    assert wait_for_import().state == "failed"
    assert not folder.exists()


def test_names_of_new_datasets_never_collide() -> None:
    assert import_job.free_folder("sample").name == "sample-2"
    assert import_job.free_folder("../FER 2013!").name == "fer-2013"
    assert import_job.free_folder("///").name == "faces"


@pytest.mark.parametrize("ends", ["done", "failed"])
def test_an_import_that_does_not_answer_is_stopped_within_a_second_and_keeps_nothing(ends: str, home: Path) -> None:
    """A disk that hangs cannot be interrupted: nobody waits for it, and what comes of it later is thrown away."""
    answered, undone, tidied = threading.Event(), threading.Event(), threading.Event()
    job = import_job.ImportJob("/slow/disk", "slow", tidy=tidied.set)

    def work(_: object) -> str:
        answered.wait(60)
        if ends == "failed":
            raise DataError("the disk is gone")
        return "all are in"

    thread = threading.Thread(target=job.run, args=(work, undone.set))
    thread.start()
    began = time.monotonic()
    job.stop()
    assert time.monotonic() - began < 1.5
    assert job.state == "stopped"
    assert "Nothing" in job.message
    assert tidied.is_set()
    answered.set()
    thread.join()
    assert job.state == "stopped"
    assert undone.is_set() == (ends == "done")
