"""A stranger's model opened in a process of its own: started, watched, asked, ended. The parent's side.

The child limits itself (:mod:`fer_core.bring.limits`). What no system limits by itself is watched here: the clock, the
memory that it really uses, and that what it says has a sane size and form.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np
import numpy.typing as npt
import psutil

from fer_core.bring.bounds import OWNERS, Bounds
from fer_core.bring.child import FACES, OUT
from fer_core.bring.evidence import Choice, TrialRecord
from fer_core.bring.kinds import OtherFrameworkError
from fer_core.bring.limits import clean_environment
from fer_core.bring.messages import Answer, Build, Built, Request
from fer_core.endings import how_it_ended
from fer_core.errors import ModelError
from fer_core.files import temporary_name
from fer_core.memory import no_room
from fer_core.reading import UnreadableError, parse
from fer_core.settings import PROJECT_ROOT
from fer_core.threads import start_thread

COMMAND = (sys.executable, "-m", "fer_core.bring.child")
CHILD_BYTES = 1.2e9
"""What must be free before it starts: TensorFlow and the converter with a middling network."""
MOST_LINE = 4 * 1024**2
"""Bytes of one answer. A trial's largest has 40 kB."""
_LOOK_S = 0.2
_LAST_LINES = 5


class Session:
    """One model, from its file to the adapted model. A context manager: at its end the process and its files are gone.

    Attributes:
        trial: what was found out by trying.
        network_cut: whether the process was cut off from the network.
        kind: of the file, in words.
        keras: the version of Keras that saved the file, empty where it does not say.
        history: columns of its history, epoch by epoch; empty without TensorBoard's files.
    """

    def __init__(
        self,
        source: Path,
        images: npt.NDArray[np.uint8],
        labels: npt.NDArray[np.integer],
        *,
        weights: Path | None = None,
        classes: str = "",
        scale: str = "",
        colours: str = "",
        told: Callable[[str], None] = lambda words: None,
        events: Path | None = None,
        bounds: Bounds = OWNERS,
        command: tuple[str, ...] = COMMAND,
    ) -> None:
        """Start the process and wait for the trial on faces uint8 (n, 48, 48) with ``labels``.

        ``classes``, ``scale`` and ``colours``: what somebody said, empty where nothing; ``told`` is given words on what
        is being done; ``events``: the history as TensorBoard's event files, a file, folder or zip of them. Raises
        ``ModelError`` in one or two sentences whatever is wrong with the file or becomes of the process.
        """
        if why := no_room(CHILD_BYTES, "Opening a model runs in a process of its own, which"):
            raise ModelError(why)
        self._told, self._deadline, self._bounds = told, time.monotonic() + bounds.seconds, bounds
        self._folder = tempfile.TemporaryDirectory(prefix=temporary_name("bring-"))
        self.scratch = Path(self._folder.name)
        self._child: subprocess.Popen[bytes] | None = None
        try:
            np.savez(self.scratch / FACES, images=images, labels=np.asarray(labels))
            self._start(command)
            self._send(
                Request(
                    source=str(source.expanduser().resolve()),
                    weights=str(weights.expanduser().resolve()) if weights else None,
                    scratch=str(self.scratch),
                    classes=classes,
                    scale=scale,
                    colours=colours,
                    events=str(events.expanduser().resolve()) if events else None,
                    keras_alone=bounds.keras_alone,
                )
            )
            answer = self._wait_for("tried", "trial")
            self.trial: TrialRecord = answer["trial"]
            self.network_cut = answer.get("cut", False)
            self.kind, self.keras = answer.get("file", "")[:40], answer.get("keras", "")[:20]
            self.history = answer.get("history", {})
        except BaseException:
            self.close()
            raise

    def build(self, choice: Choice, title: str) -> tuple[Path, Built]:
        """Have the adapted model written. Returns the folder that holds its files until the end, and what was built.

        To be called once. Raises ``ModelError``.
        """
        self._send(Build(scale=choice.scale, output=choice.output, classes=list(choice.order.classes), title=title))
        return self.scratch / OUT, self._wait_for("built", "built")["built"]

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the process, whatever it does, and delete its folder."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for stream in (self._child.stdin, self._child.stdout, self._child.stderr):
                # What it did not live to read is written once more.
                with suppress(BrokenPipeError):
                    if stream is not None:
                        stream.close()
        self._folder.cleanup()

    def _start(self, command: tuple[str, ...]) -> None:
        self._child = subprocess.Popen(
            command,
            cwd=PROJECT_ROOT,
            env=clean_environment(str(self.scratch)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=sys.platform != "win32",
        )
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._errors: list[bytes] = []
        assert self._child.stdout is not None
        assert self._child.stderr is not None
        start_thread(partial(self._read, self._child.stdout), "bring: answers")
        start_thread(partial(self._read_errors, self._child.stderr), "bring: last words")

    def _read(self, stream: IO[bytes]) -> None:
        try:
            while line := stream.readline(MOST_LINE):
                self._lines.put(line)
        except ValueError:
            pass  # closed meanwhile
        self._lines.put(None)

    def _read_errors(self, stream: IO[bytes]) -> None:
        try:
            while line := stream.readline(4096):
                self._errors = [*self._errors, line][-_LAST_LINES:]
        except ValueError:
            pass

    def _send(self, message: Request | Build) -> None:
        import json

        assert self._child is not None
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(message).encode() + b"\n")
            self._child.stdin.flush()
        except OSError:
            pass  # it has ended, which the next answer tells

    def _wait_for(self, kind: str, key: str) -> Answer:
        """The answer of that kind, which has that key."""
        while True:
            answer = self._next()
            if answer["kind"] == "said":
                self._told(answer.get("words", "")[:200])
            elif answer["kind"] == "refused":
                words, script = answer.get("words", ""), answer.get("script", [])
                raise OtherFrameworkError(words, tuple(script)) if script else ModelError(words)
            elif answer["kind"] == kind and key in answer:
                return answer
            else:
                raise ModelError("the process that opened the model spoke out of turn, so it was ended.")

    def _next(self) -> Answer:
        while True:
            self._check()
            try:
                line = self._lines.get(timeout=_LOOK_S)
            except queue.Empty:
                continue
            if line is None:
                raise ModelError(f"the process that opened the model ended early: {self._ending()}")
            try:
                return parse(line, Answer)
            except UnreadableError as error:
                raise ModelError(f"the process that opened the model said what is no answer: {error}.") from None

    def _check(self) -> None:
        """Raises ``ModelError`` where the process takes too long or too much."""
        assert self._child is not None
        if time.monotonic() > self._deadline:
            raise ModelError(
                f"opening and trying it took more than {self._bounds.seconds / 60:.0f} minutes, so it was ended. "
                "A smaller network, or one for smaller pictures, can be brought."
            )
        try:
            used = psutil.Process(self._child.pid).memory_info().rss
        except psutil.Error:
            return
        if used > self._bounds.memory:
            raise ModelError(
                f"it took more than {self._bounds.memory / 1e9:.1f} GB of memory to open, so it was ended. "
                "A smaller network, or one for smaller pictures, can be brought."
            )

    def _ending(self) -> str:
        assert self._child is not None
        code = self._child.wait()
        return how_it_ended(code, [line.decode(errors="replace").strip() for line in self._errors])
