"""``kill -9`` of a real server in the middle of an annotation: what was marked before is kept, and marking goes on."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
from browser import AppServer
from factories import make_evaluated_run
from streamlit.proto.WidgetStates_pb2 import WidgetState
from visit import Visit, widgets
from websockets.exceptions import ConnectionClosed

from fer_core.data.dataset import load_dataset
from fer_core.emotions import PUBLIC_TEST
from fer_core.review.annotations import AMBIGUOUS, NOT_A_FACE, Annotations

DIES = """
import builtins, os, signal
plain = builtins.open

class Half:
    def __init__(self, file):
        self.file = file
    def write(self, line):
        self.file.write(line[: len(line) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    def __getattr__(self, name):
        return getattr(self.file, name)
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.file.close()

def opened(file, mode="r", *args, **options):
    found = plain(file, mode, *args, **options)
    return Half(found) if "+" in mode and str(file).endswith(".jsonl") else found

builtins.open = opened
"""
"""A server that dies with half a mark on disk. Python runs it before anything else."""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no kill -9")
def test_a_server_killed_in_the_middle_of_a_mark_loses_that_one_alone(
    home: Path, drawn_sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = load_dataset(shutil.copytree(drawn_sample, home / "datasets" / "sample"))
    make_evaluated_run(home / "runs" / "mine", dataset)
    first, second = (int(row) for row in dataset.rows(PUBLIC_TEST)[:2])
    marks = Annotations.load(dataset.info.fingerprint)
    marks.set(first, AMBIGUOUS)
    (tmp_path / "dies").mkdir()
    (tmp_path / "dies" / "sitecustomize.py").write_text(DIES)
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path / "dies"))
        server = AppServer(tmp_path / "log").start()
    try:
        with pytest.raises(ConnectionClosed):
            mark(server.port, second, NOT_A_FACE)
        deadline = time.monotonic() + 30
        while server.alive:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        server.stop()
    assert marks.path is not None
    ends = [path.read_bytes().endswith(b"\n") for path in marks.path.iterdir()]
    assert sorted(ends) == [False, True]
    server.start()
    try:
        assert b"cut off" in mark(server.port, second, NOT_A_FACE)
    finally:
        server.stop()
    words = {row: one.words for row, one in Annotations.load(dataset.info.fingerprint).all().items()}
    assert words == {first: AMBIGUOUS, second: NOT_A_FACE}


def mark(port: int, row: int, kind: str) -> bytes:
    """Open that face on Mistakes and press the button; all that the server sent."""
    query = urlencode({"data": "sample", "face": row, "panel": "Your mark"})
    with Visit(port) as visit:
        sent = visit.open("mistakes", query)
        button = next(one for one in widgets(sent) if one.endswith(f"-review.{kind}"))
        sent += visit.open("mistakes", query, [WidgetState(id=button, trigger_value=True)])
    return b"".join(message.SerializeToString() for message in sent)
