"""A gradient worker without TensorFlow, for tests of its life: a request is a word that says what to do."""

from __future__ import annotations

import os
import sys
import time

from fer_core.errors import ExplainError
from fer_core.explain.worker.serve import Watch, serve


def handle(request: str, watch: Watch) -> object:
    word, *rest = request.split()
    if word == "pid":
        return os.getpid()
    if word == "steps":
        watch.begin("steps", "Stepping")
        for done in range(int(rest[0])):
            time.sleep(0.02)
            watch.step(done + 1, int(rest[0]))
        return "stepped"
    if word == "deaf":
        watch.begin("steps", "Not listening")
        watch.step(1, 2)
        time.sleep(60)
    if word == "refuse":
        raise ExplainError("This cannot be drawn.")
    if word == "defect":
        raise ZeroDivisionError("by hand")
    if word == "die":
        print("my last words", file=sys.stderr, flush=True)
        os._exit(3)
    if word == "print":
        print("noise on standard output")
        sys.stdout.flush()
    return word


def prepare() -> None:
    if "--no-start" in sys.argv:
        print("TensorFlow is missing", file=sys.stderr, flush=True)
        sys.exit(1)
    if "--slow" in sys.argv:
        time.sleep(60)


if __name__ == "__main__":
    serve(handle, prepare)
