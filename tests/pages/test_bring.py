"""The page that takes answers of a model from elsewhere: shown what was understood, corrected, made a run."""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs

import pandas as pd
import pytest
from factories import make_evaluated_run, make_run
from made_up_faces import make_noise, make_probabilities
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.testing.v1 import AppTest

from fer_core.access.policy import Person
from fer_core.access.uploads import Books, Totals
from fer_core.data.dataset import Dataset
from fer_core.emotions import NAMES, PRIVATE_TEST, TRAINING
from fer_core.errors import AccessError, ModelError
from fer_core.runs import ledger
from fer_core.runs.listing import list_runs
from fer_core.runs.visitor import started_by, write_visitor
from fer_core.settings import settings
from pages.parts import access, server
from pages.parts.bring import job as jobs
from pages.parts.bring.upload import Files

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
    assert " of PrivateTest (95 % interval" in words(app)
    # It led to Compare without the run that was brought.
    [link] = [one.proto for one in app.get("page_link") if one.proto.label == "Compare it"]
    assert parse_qs(link.query_string)["compare.runs"] == ["my-net", "one"]
    (info,) = [info for info in list_runs() if info.is_brought]
    assert info.name == "my-net"
    record = info.folder.import_record()
    assert (record["order"], record["source"]) == ("alphabetical", "my net.csv")
    assert record["classes"] == sorted(NAMES)
    button(app, "Bring another").click().run()
    assert jobs.current() is None
    assert not job.files.source.exists()


def test_what_is_evident_needs_no_choice_and_what_is_wrong_is_said(data: Dataset, open_app: OpenApp) -> None:
    app = uploaded(open_app("bring", **{"bring.what": "Answers"}), csv_of(data, sorted(NAMES)))
    order = next(one for one in app.selectbox if one.label == "Order of the classes")
    assert order.options[order.index or 0].startswith("as declared")
    assert not button(app, "Bring them").disabled
    app = uploaded(open_app("bring", **{"bring.what": "Answers"}), b"row,happy\n1,2\n3,4\n", "odd.csv")
    assert "odd.csv cannot be used" in words(app)
    assert not [one for one in app.button if one.label == "Bring them"]
    assert list(settings().cache_dir.glob("upload-*")) == []


def test_private_test_is_opened_by_a_button_before_its_figures_are_seen(data: Dataset, open_app: OpenApp) -> None:
    """The table of orders told how many PrivateTest answers are right, and no look was counted."""
    frame = pd.read_csv(io.BytesIO(csv_of(data, list(NAMES))))
    private = frame[frame["row"].isin(data.rows(PRIVATE_TEST))].to_csv(index=False).encode()
    app = uploaded(open_app("bring", **{"bring.what": "Answers"}), private)
    assert "the ledger counts" in words(app)
    assert not app.dataframe
    assert not (settings().home / ledger.FILE).exists()
    next(one for one in app.text_input if one.label == "Name of the new run").input("blind").run()
    button(app, "Look at PrivateTest").click().run()
    assert not app.exception
    assert len(app.dataframe) == 1
    app.run()
    assert [look["run"] for look in ledger.read(settings().home / ledger.FILE)] == ["blind"]
    select(app, "Order of the classes", "alphabetical")
    button(app, "Bring them").click().run()
    job = jobs.current()
    assert job is not None
    assert job.process.wait(120) == 0, job.said
    assert job.run == "blind"
    assert len(ledger.read(settings().home / ledger.FILE)) == 1
    jobs.dismiss()


@pytest.mark.usefixtures("visitor")
def test_a_visitor_is_told_whose_it_is(data: Dataset, open_app: OpenApp) -> None:
    app = open_app("bring", **{"bring.what": "Answers"})
    assert not app.exception
    assert not app.file_uploader
    assert "Only the owner" in words(app)
    with pytest.raises(AccessError):
        jobs.start("answers", "x", Files(Path("x")), ["runs"])


@pytest.fixture
def brings(visitor: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Visitors, where the owner lets them bring."""
    monkeypatch.setenv("FER_EXPLORER_VISITORS_BRING", "1")
    settings.cache_clear()


@pytest.mark.usefixtures("brings")
def test_what_a_visitor_brings_is_theirs_alone_and_goes_with_the_visit(data: Dataset, open_app: OpenApp) -> None:
    make_evaluated_run(settings().runs_dir / "one", data)
    app = uploaded(open_app("bring", **{"bring.what": "Answers"}), csv_of(data, sorted(NAMES)), "theirs.csv")
    assert "seen by you alone" in words(app)
    button(app, "Bring them").click().run()
    assert not app.exception
    mark = Person(owner=False, token=app.session_state["_token"]).mark
    job = jobs._jobs(str(settings().home)).of[mark]
    assert job.process.wait(120) == 0, job.said
    app.run()
    assert "**theirs** is here" in words(app)
    assert started_by(settings().runs_dir / "theirs") == mark

    other = open_app("bring", **{"bring.what": "Answers"})
    assert "theirs" not in words(other)
    for page, address in (("compare", {}), ("mistakes", {"runs": "theirs"}), ("leaderboard", {}), ("run", {})):
        mine, others = app.switch_page(f"pages/{page}.py").run(), open_app(page, data="noise", **address)
        assert not others.exception
        # A link's word is repeated where it is said that there is no such run.
        seen = [str(one.value) for kind in (others.markdown, others.selectbox, others.dataframe) for one in kind]
        assert "theirs" not in " ".join(seen)
        assert not mine.exception

    others_run = make_run(settings().runs_dir / "another").path
    write_visitor(others_run, "b" * 32, 0)
    (others_run / "import.json").write_text("{}")
    (act,) = server._AT_END.popitem()[1].values()
    act()
    assert others_run.exists()
    assert not (settings().runs_dir / "theirs").exists()
    assert (settings().runs_dir / "one").exists()
    assert not job.files.source.parent.exists()


def test_what_was_left_for_the_end_of_a_visit_is_done_then() -> None:
    manager = MemoryUploadedFileManager("/_stcore/upload_file")
    server._enter_all(cast(server.Keeper, manager), Books(Totals()))
    done = threading.Event()
    for act in (lambda: pytest.fail("it was replaced"), done.set):
        server.at_end("visit", "bring", act)
    manager.remove_session_files("another")
    assert not done.wait(0.1)
    manager.remove_session_files("visit")
    assert done.wait(10)
    assert "visit" not in server._AT_END


@pytest.mark.usefixtures("brings")
def test_a_visit_that_ends_ends_what_it_brings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people = {"one": Person(owner=False), "other": Person(owner=False), "owner": Person(owner=True)}
    here = "one"
    monkeypatch.setattr(access, "person", lambda: people[here])
    monkeypatch.setattr(jobs, "command", lambda arguments: [sys.executable, "-c", "import time; time.sleep(600)"])

    def files(name: str) -> Files:
        (home / name).mkdir()
        (home / name / "net.h5").write_bytes(b"a model")
        return Files(home / name / "net.h5")

    jobs.start("model", "net.h5", files("one"), [])
    mine = jobs.current()
    assert mine is not None
    here = "other"
    assert jobs.current() is None
    with pytest.raises(ModelError, match="Another visitor"):
        jobs.start("model", "secret.h5", files("other"), [])
    here = "owner"
    assert jobs.current() is None
    jobs.start("model", "owners.h5", files("owner"), [])
    owners = jobs.current()
    assert owners is not None
    jobs.leave(str(settings().home), people["one"].mark)
    assert not mine.running
    assert not (home / "one").exists()
    assert owners.running
    owners.process.kill()
    owners.process.wait()
    jobs.dismiss()


@pytest.mark.usefixtures("brings")
def test_a_visitor_reads_no_path_and_gets_no_more_than_their_share(
    home: Path, data: Dataset, open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = uploaded(open_app("bring"), b"no model", "net.h5")
    button(app, "Try it, and bring it").click().run()
    mark = Person(owner=False, token=app.session_state["_token"]).mark
    jobs._jobs(str(settings().home)).of[mark].process.wait(120)
    app.run()
    assert "net.h5 is no model file" in words(app)
    assert str(home) not in words(app)
    for number in range(3):
        folder = make_run(settings().runs_dir / f"mine-{number}").path
        write_visitor(folder, mark, 0)
        (folder / "import.json").write_text("{}")
    labels = [one.label for one in app.button]
    assert "Try it, and bring it" not in labels, "the field was empty, and what stands below it was still there"
    button(uploaded(app, b"no model", "net.h5"), "Try it, and bring it").click().run()
    assert "Delete one" in words(app)
    assert open_app("bring").file_uploader[0].proto.type == [".keras", ".h5", ".hdf5", ".json", ".zip"]


def test_a_process_that_fails_tells_why(home: Path, data: Dataset, open_app: OpenApp) -> None:
    app = open_app("bring", **{"bring.what": "Answers"})
    assert not app.exception
    file = home / "upload" / "no.csv"
    file.parent.mkdir()
    file.write_text("nothing")
    jobs.start("answers", "no.csv", Files(file), ["predictions", "import", str(file), "--data", str(data.path)])
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
    started: list[tuple[str, str, Files, list[str]]] = []
    monkeypatch.setattr(jobs, "start", lambda *given: started.append(given))
    app = uploaded(open_app("bring"), b"a model", "Emotion model.h5")
    select(app, "Order of its classes", "alphabetical")
    select(app, "What its pixels should be", "unit")
    button(app, "Try it, and bring it").click().run()
    assert not app.exception
    ((what, source, files, arguments),) = started
    path = files.source
    assert (what, source, path.read_bytes()) == ("model", "Emotion model.h5", b"a model")
    assert arguments == [
        *("models", "import", str(path), "--data", str(data.path), "--name", "emotion-model"),
        *("--classes", "alphabetical", "--scale", "unit"),
    ]


def test_an_architecture_waits_for_its_weights_and_takes_its_history_along(
    data: Dataset, open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[str, str, Files, list[str]]] = []
    monkeypatch.setattr(jobs, "start", lambda *given: started.append(given))
    app = uploaded(open_app("bring"), b"{}", "net.json")
    assert [one.label for one in app.file_uploader] == ["Your model", "Its weights"]
    assert not [one for one in app.button if one.label == "Try it, and bring it"]
    app.file_uploader[1].upload("net.json.h5", b"weights")
    app.run()
    history = next(one for one in app.file_uploader if one.label.startswith("Its history"))
    # They may be called alike.
    history.upload("net.json", b"losses")
    app.run()
    button(app, "Try it, and bring it").click().run()
    assert not app.exception
    ((_, source, files, arguments),) = started
    assert source == "net.json"
    assert files.weights is not None
    assert files.history is not None
    assert [one.read_bytes() for one in (files.source, files.weights, files.history)] == [b"{}", b"weights", b"losses"]
    assert arguments[arguments.index("--weights") + 1] == str(files.weights)
    assert arguments[arguments.index("--history") + 1] == str(files.history)
    files.forget()
    assert not files.history.exists()


def test_what_a_trial_left_open_is_asked_with_the_table_and_the_likeliest_answer(
    data: Dataset, open_app: OpenApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = (
        '{"error": "its classes seem to be in another order. For the likeliest, add: --classes alphabetical", '
        '"table": ["  63.0 %  unit  alphabetical  angry, disgust"], "classes": "alphabetical", "scale": "unit"}'
    )
    file = tmp_path / "upload" / "net.h5"
    file.parent.mkdir()
    file.write_bytes(b"a model")
    command = [sys.executable, "-c", f"import sys; print({said!r}); sys.exit(2)"]
    app = open_app("bring")
    monkeypatch.setattr(jobs, "command", lambda arguments: command)
    jobs.start("model", "net.h5", Files(file), [])
    job = jobs.current()
    assert job is not None
    job.process.wait(60)
    app.run()
    assert "Its classes seem to be in another order" in words(app)
    assert "--classes" not in words(app)
    assert "63.0 %" in app.code[0].value
    started: list[tuple[str, str, Files, list[str]]] = []
    monkeypatch.setattr(jobs, "start", lambda *given: started.append(given))
    button(app, "Bring it so").click().run()
    assert not app.exception
    ((_, _, files, arguments),) = started
    assert files.source == file
    assert arguments[-4:] == ["--classes", "alphabetical", "--scale", "unit"]
    # It stood there until something else was brought.
    button(app, "Do not bring it").click().run()
    assert "another order" not in words(app)
    assert not file.exists()
