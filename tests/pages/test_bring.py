"""The page that takes answers of a model from elsewhere: shown what was understood, corrected, made a run."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from factories import make_evaluated_run, make_noise, make_probabilities
from streamlit.testing.v1 import AppTest

from fer_core.data.dataset import Dataset
from fer_core.emotions import NAMES, TRAINING
from fer_core.errors import AccessError
from fer_core.runs.listing import list_runs
from fer_core.settings import settings
from pages.parts.bring import job as jobs

OpenApp = Callable[..., AppTest]


@pytest.fixture
def data(home: Path) -> Dataset:
    return make_noise(settings().datasets_dir / "noise")


def csv_of(data: Dataset, columns: list[str]) -> bytes:
    """Alphabetical probabilities under these names."""
    rows = (data.splits != TRAINING).nonzero()[0]
    frame = pd.DataFrame(make_probabilities(data.labels[rows], 0.8, seed=5), columns=list(NAMES))[sorted(NAMES)]
    frame.columns = columns
    frame.insert(0, "row", rows)
    text = io.StringIO()
    frame.to_csv(text, index=False)
    return text.getvalue().encode()


def uploaded(app: AppTest, content: bytes, name: str = "my net.csv") -> AppTest:
    app.file_uploader[0].upload(name, content)
    app.run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    kinds = (app.caption, app.markdown, app.info, app.warning, app.error, app.success)
    return " ".join(element.value for kind in kinds for element in kind)


def select(app: AppTest, label: str, start: str) -> None:
    """Choose the option of a field that begins so."""
    field = next(one for one in app.selectbox if one.label == label)
    field.select_index(next(at for at, one in enumerate(field.options) if one.startswith(start))).run()


def button(app: AppTest, label: str):  # type: ignore[no-untyped-def]
    return next(one for one in app.button if one.label == label)


def test_answers_in_doubt_are_corrected_by_the_table_and_made_a_run(data: Dataset, open_app: OpenApp) -> None:
    make_evaluated_run(settings().runs_dir / "one", data)
    app = uploaded(open_app("bring", **{"bring.what": "Answers"}), csv_of(data, list(NAMES)))
    assert "in doubt" in words(app)
    assert button(app, "Bring them").disabled
    order = next(one for one in app.selectbox if one.label == "Order of the classes")
    assert order.value is None
    assert list_runs()[0].name == "one"
    order.select_index(next(at for at, one in enumerate(order.options) if one.startswith("alphabetical"))).run()
    assert not app.exception
    button(app, "Bring them").click().run()
    assert not app.exception
    job = jobs.current()
    assert job is not None
    assert job.process.wait(120) == 0, job.said
    app.run()
    assert "is here" in words(app)
    (info,) = [info for info in list_runs() if info.is_brought]
    assert info.name == "my-net"
    record = info.folder.import_record()
    assert (record["order"], record["source"]) == ("alphabetical", "my net.csv")
    assert record["classes"] == sorted(NAMES)
    button(app, "Bring another").click().run()
    assert jobs.current() is None
    assert not job.file.exists()


def test_what_is_evident_needs_no_choice_and_what_is_wrong_is_said(data: Dataset, open_app: OpenApp) -> None:
    app = uploaded(open_app("bring", **{"bring.what": "Answers"}), csv_of(data, sorted(NAMES)))
    order = next(one for one in app.selectbox if one.label == "Order of the classes")
    assert order.options[order.index or 0].startswith("as declared")
    assert not button(app, "Bring them").disabled
    app = uploaded(open_app("bring", **{"bring.what": "Answers"}), b"row,happy\n1,2\n3,4\n", "odd.csv")
    assert "odd.csv cannot be used" in words(app)
    assert not [one for one in app.button if one.label == "Bring them"]
    assert list(settings().cache_dir.glob("upload-*")) == []


@pytest.mark.usefixtures("visitor")
def test_a_visitor_is_told_whose_it_is(data: Dataset, open_app: OpenApp) -> None:
    app = open_app("bring", **{"bring.what": "Answers"})
    assert not app.exception
    assert not app.file_uploader
    assert "Only the owner" in words(app)
    with pytest.raises(AccessError):
        jobs.start("answers", "x", Path("x"), ["runs"])


def test_a_process_that_fails_tells_why(home: Path, data: Dataset, open_app: OpenApp) -> None:
    app = open_app("bring", **{"bring.what": "Answers"})
    assert not app.exception
    file = home / "upload" / "no.csv"
    file.parent.mkdir()
    file.write_text("nothing")
    jobs.start("answers", "no.csv", file, ["predictions", "import", str(file), "--data", str(data.path)])
    job = jobs.current()
    assert job is not None
    job.process.wait(120)
    deadline = time.monotonic() + 10
    while not job.problem and time.monotonic() < deadline:
        time.sleep(0.05)
    app.run()
    assert "no.csv cannot be used" in words(app)
    assert app.file_uploader, "another file can be tried at once"
    jobs.dismiss()


def test_a_model_is_handed_to_the_command_with_what_is_known_of_it(
    data: Dataset, open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[str, str, Path, list[str]]] = []
    monkeypatch.setattr(jobs, "start", lambda *given: started.append(given))
    app = uploaded(open_app("bring"), b"a model", "Emotion model.h5")
    select(app, "Order of its classes", "alphabetical")
    select(app, "What its pixels should be", "unit")
    button(app, "Try it, and bring it").click().run()
    assert not app.exception
    ((what, source, path, arguments),) = started
    assert (what, source, path.read_bytes()) == ("model", "Emotion model.h5", b"a model")
    assert arguments == [
        *("models", "import", str(path), "--data", str(data.path), "--name", "emotion-model"),
        *("--classes", "alphabetical", "--scale", "unit"),
    ]


def test_what_a_trial_left_open_is_asked_with_the_table_and_the_likeliest_answer(
    data: Dataset, open_app: OpenApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = (
        "  63.0 %  unit  alphabetical  angry, disgust\n"
        "error: its classes seem to be in another order. For the likeliest, add: --classes alphabetical --scale unit\n"
    )
    file = tmp_path / "upload" / "net.h5"
    file.parent.mkdir()
    file.write_bytes(b"a model")
    command = [sys.executable, "-c", f"import sys; sys.stderr.write({said!r}); sys.exit(2)"]
    app = open_app("bring")
    monkeypatch.setattr(jobs, "command", lambda arguments: command)
    jobs.start("model", "net.h5", file, [])
    job = jobs.current()
    assert job is not None
    job.process.wait(60)
    app.run()
    assert "another order" in words(app)
    assert "63.0 %" in app.code[0].value
    started: list[tuple[str, str, Path, list[str]]] = []
    monkeypatch.setattr(jobs, "start", lambda *given: started.append(given))
    button(app, "Bring it so").click().run()
    assert not app.exception
    ((_, _, path, arguments),) = started
    assert path == file
    assert arguments[-4:] == ["--classes", "alphabetical", "--scale", "unit"]
    jobs.dismiss()
    assert not file.exists()
