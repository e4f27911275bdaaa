"""The process that opens a stranger's model: ``python -m fer_core.bring.child``. It reads and writes JSON lines.

First it limits itself, then it reads the file as data, and only what was found free of code is opened. It is told the
:class:`~fer_core.bring.messages.Request`, answers what the trial found, waits for a
:class:`~fer_core.bring.messages.Build`, and writes the model files into its scratch folder.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

from fer_core.bring.limits import Limits, limit_this_process

FACES = "faces.npz"
"""In the scratch folder: ``images`` uint8 (n, 48, 48) and ``labels`` (n,)."""
OUT = "out"
"""In the scratch folder: where the model files are written."""


def main() -> int:
    limits = limit_this_process()
    # Libraries print what they like; only what is said here goes to the parent.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    line = sys.stdin.readline()
    try:
        _serve(json.loads(line), limits, channel)
    except _RefusedError as refused:
        _say(channel, kind="refused", words=refused.words, script=list(refused.script))
    except MemoryError:
        _say(channel, kind="refused", words="it takes more memory than may be used to open it.", script=[])
    return 0


class _RefusedError(Exception):
    def __init__(self, words: str, script: tuple[str, ...] = ()) -> None:
        super().__init__(words)
        self.words, self.script = words, script


def _serve(request: Any, limits: Limits, channel: TextIO) -> None:
    from fer_core.bring.kinds import OtherFrameworkError
    from fer_core.errors import FerError

    try:
        _bring(request, limits, channel)
    except OtherFrameworkError as error:
        raise _RefusedError(str(error), error.script) from None
    except FerError as error:
        raise _RefusedError(str(error)) from None


def _bring(request: Any, limits: Limits, channel: TextIO) -> None:
    import numpy as np

    from fer_core.bring.opening import open_network
    from fer_core.bring.orders import Order, parse_order

    scratch = Path(request["scratch"])
    with np.load(scratch / FACES) as faces:
        images, labels = faces["images"], faces["labels"]

    def told(words: str) -> None:
        _say(channel, kind="said", words=words)

    history = {}
    if request["events"]:
        from fer_core.bring.tensorboard import read_events

        told("reading its history")
        history = read_events(Path(request["events"]), scratch)
    weights = Path(request["weights"]) if request["weights"] else None
    opened = open_network(Path(request["source"]), scratch, weights, told, keras_alone=request["keras_alone"])
    declared = parse_order(request["classes"], opened.network.count) if request["classes"] else None

    from fer_core.bring.trial import try_out

    trial = try_out(
        opened.network,
        images,
        labels,
        declared=declared if isinstance(declared, Order) else None,
        scale=request["scale"],
        colours=request["colours"],
        told=told,
    )
    found = {"file": opened.kind, "keras": opened.keras, "history": history}
    _say(channel, kind="tried", trial=trial, cut=limits.network, **found)
    line = sys.stdin.readline()
    if not line.strip():
        return
    from fer_core.bring.build import build

    _say(channel, kind="built", built=build(opened, json.loads(line), images, scratch / OUT, told))


def _say(channel: TextIO, **values: Any) -> None:
    channel.write(json.dumps(values) + "\n")
    channel.flush()


if __name__ == "__main__":
    sys.exit(main())
