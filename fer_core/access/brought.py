"""What visitors bring for their visit, where the owner lets them: how much, whose it is, and when it goes.

Theirs are run folders with a note whose they are, as visitors' trainings are: they alone see them. They go with the
visit, and a day later at the latest (:func:`fer_core.access.trainings.clear_old`).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from fer_core.access.policy import Action, Person, check
from fer_core.access.trainings import clear_old
from fer_core.errors import AccessError
from fer_core.leftovers import delete_folder
from fer_core.runs.folder import RunFolder
from fer_core.runs.visitor import VISITOR_FILE, started_by
from fer_core.settings import settings

MOST_RUNS = 10
"""Of all visitors together: a model takes up to 250 MB of the disk. Sessions are cheap, so that is the bound."""
MOST_EACH = 3
"""Of one visitor."""


def arguments(person: Person) -> list[str]:
    """What a command that brings something for them is told besides. Raises ``AccessError`` where they may not."""
    check(person, Action.BRING_MODEL)
    if person.owner:
        return []
    clear_old()
    counts = Counter(started_by(run) for run in _runs())
    if counts[person.mark] >= MOST_EACH:
        raise AccessError(f"You have brought {MOST_EACH} already. Delete one on its card first.")
    if counts.total() >= MOST_RUNS:
        raise AccessError("Visitors have brought as many models here as are kept. Come back tomorrow.")
    return ["--visitor", person.mark]


def leave(mark: str) -> None:
    """A visit has ended: what the visitor with that mark brought is deleted. Raises ``OSError``."""
    for run in _runs():
        if started_by(run) == mark:
            delete_folder(run)


def _runs() -> list[Path]:
    notes = settings().runs_dir.glob(f"*/{VISITOR_FILE}")
    return [note.parent for note in notes if RunFolder(note.parent).is_brought]
