"""Where the output goes: nobody reads it, nothing more fits, the terminal knows ASCII only."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fer_core.cli import main
from fer_core.cli.progress import ProgressLine
from fer_core.cli.terminal import harmless, one_line
from fer_core.cli.train import _Narrator
from fer_core.files import write_text
from fer_core.progress import Progress
from fer_core.runs.journal import Journal, thinned
from fer_core.settings import PROJECT_ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes and devices")


def started(*arguments: str, **options) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "fer_core", *arguments]
    return subprocess.run(command, cwd=PROJECT_ROOT, timeout=60, **options)


@pytest.fixture
def unread() -> Iterator[int]:
    """The descriptor of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.parametrize("arguments", [["architectures"], ["architectures", "--json"], ["--help"], ["--version"]])
def test_a_reader_that_goes_away_ends_the_command_quietly(
    arguments: list[str], unread: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``… | head -1`` ended with a traceback."""
    with os.fdopen(os.dup(unread), "w", encoding="utf-8") as broken:
        monkeypatch.setattr(sys, "stdout", broken)
        assert main(arguments) == 141
    assert capsys.readouterr().err == ""


def test_the_interpreters_own_flush_at_its_end_says_nothing(unread: int) -> None:
    """What a broken stream still held was flushed once more: "Exception ignored", and exit code 120."""
    done = started("architectures", stdout=unread, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (141, b"")
    with Path("/dev/full").open("wb") as full:
        done = started("architectures", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"No space left on device" in done.stderr


def test_errors_that_nobody_reads_keep_their_exit_code(unread: int) -> None:
    assert started("architectures", "lenet", stdout=subprocess.DEVNULL, stderr=unread).returncode == 2


def test_a_file_never_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    """What a library then prints on "standard output" would go into that file."""
    code = (
        "import os; from fer_core.cli import main\n"
        "main(['architectures']); file = os.open('file', os.O_CREAT | os.O_WRONLY); os.write(2, str(file).encode())"
    )
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT)}
    done = subprocess.run(
        ["sh", "-c", '"$0" -c "$1" >&-', sys.executable, code], cwd=tmp_path, stderr=subprocess.PIPE, env=environment
    )
    assert int(done.stderr) > 2


def test_an_ascii_terminal_shows_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """``×`` and ``–`` ended with UnicodeEncodeError."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert main(["architectures"]) == 0
    assert b"class maps 6x6" in raw.getvalue()
    assert main(["leaderboard"]) == 0
    sys.stdout.write("日 \udcff")
    sys.stdout.flush()
    assert raw.getvalue().endswith(rb"\u65e5 \udcff")


def test_names_cannot_steer_the_terminal(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder's name could colour, clear, or add lines that look like ours."""
    for name in ("red\x1b[31m", "two\nlines  [done]", os.fsdecode(b"not-utf-8-\xff")):
        (home / "runs" / name).mkdir(parents=True)
        (home / "runs" / name / "run.json").write_text("{", encoding="utf-8")
    assert main(["runs"]) == 0
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) == 3
    assert r"red\x1b[31m" in shown
    assert r"two\nlines" in shown
    assert r"not-utf-8-\udcff" in shown
    assert main(["runs", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 3
    assert harmless("a\tb\nc\r\x00\u202e\x9b") == "a\tb\nc\\x0d\\x00\\u202e\\x9b"
    assert one_line("a\tb\nc") == r"a\tb\nc"


class Full(io.StringIO):
    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        raise OSError(errno.ENOSPC, "No space left on device")


def test_progress_that_cannot_be_told_does_not_end_the_work() -> None:
    full, told = Full(), []
    for stream in (full, None):
        with ProgressLine(stream) as line:
            for done in (1, 2):
                line.show(Progress(done, 2, "faces", None, "Reading"))
                told.append((done, full.writes))
    assert told == [(1, 1), (2, 1), (1, 1), (2, 1)], "the first write failed, and nothing more is tried"


def test_what_a_training_says_is_whole_though_its_journal_is_thinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    heard = threading.Event()

    def whisper(text: str) -> None:
        told.append(text)
        if "epoch 1" in text:
            heard.set()

    monkeypatch.setattr("fer_core.cli.train.whisper", whisper)
    journal = Journal(tmp_path / "events.jsonl")
    batch = {"loss": 1.0, "accuracy": 0.5, "learning_rate": 0.1, "images_per_second": 9.0, "steps": 90}
    epoch = {"loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5, "learning_rate": 0.1, "seconds": 1.0}
    with _Narrator(tmp_path):
        for step in range(1, 91):
            journal.write("batch", epoch=1, step=step, **batch)
        journal.write("epoch", epoch=1, images_per_second=9.0, confusion=[[0] * 7] * 7, **epoch)
        assert heard.wait(30)
        write_text(journal.path, thinned(journal.path.read_bytes()).decode())
        journal.write("phase", name="writing card", detail="")
    assert told[-1] == "writing card"
