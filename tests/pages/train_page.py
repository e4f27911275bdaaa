"""What the tests of Train read from the page, and a run whose training is not over."""

from __future__ import annotations

import json
import os
from pathlib import Path

from edited_runs import as_unfinished
from factories import make_run

from fer_core.runs.folder import RunFolder
from fer_core.training import lock


def unfinished(home: Path, name: str = "mine", *, epochs: int = 3) -> RunFolder:
    """A run whose process died in its third epoch."""
    run = as_unfinished(make_run(home / "runs" / name, epochs=epochs))
    events = run.events()
    last = max(index for index, event in enumerate(events) if event["event"] == "epoch")
    run.journal_path.write_text("".join(json.dumps(event) + "\n" for event in events[:last]))
    run.resume_path.write_bytes(b"state")
    return run


def claim(run: RunFolder) -> None:
    """Make the run look alive: this test's own process holds the lock for it."""
    lock.claim(os.getpid(), run.path.resolve())


def words_of(app) -> str:
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


def labels_of(app) -> list[str]:
    return [button.label for button in app.button]
