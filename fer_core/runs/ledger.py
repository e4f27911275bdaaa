"""The ledger of looks at PrivateTest: a line for each time that a model was scored on it, never changed afterwards.

One ships with the models, ``models/ledger.jsonl``; what is looked at here is added to ``ledger.jsonl`` in the home.
Each line holds the hash of all lines before it, so a line that was taken out or changed is noticed. A look is written
down before PrivateTest is opened: who cannot write it cannot look. Drawn samples do not count: more can be drawn.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NotRequired

from typing_extensions import TypedDict

from fer_core.data.contracts import DatasetRecord
from fer_core.data.dataset import Dataset
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.files import write_text
from fer_core.formatting import plural
from fer_core.reading import MissingError, UnreadableError, parse, read_text
from fer_core.runs.journal import utc_now
from fer_core.settings import settings
from fer_core.try_lock import try_lock
from fer_core.value_types import Count, Line, Moment, Sha256, Text
from fer_core.writable import check_writable

FILE = "ledger.jsonl"
_PATIENCE_S = 30.0


class Look(TypedDict):
    """A line. ``shipped``: whether the run shipped, so that one of yours of that name is another.
    ``model``: SHA-256 of what was scored, empty where it is not kept any more. ``looks``: how many, where
    one line tells of several from before the ledger; ``at_least``: whether there may have been more.
    """

    schema: int
    when: Moment
    run: Line
    shipped: bool
    model: Sha256 | Literal[""]
    data: DatasetRecord
    looks: Count
    at_least: bool
    note: NotRequired[Text]
    before: Sha256


@dataclass(frozen=True)
class Looks:
    """How often PrivateTest of one dataset was looked at for one run."""

    count: int
    at_least: bool

    @property
    def words(self) -> str:
        """As in "2 looks" or "at least 2 looks"."""
        return f"{'at least ' if self.at_least else ''}{plural(self.count, 'look')}"


def sealed(dataset: Dataset) -> bool:
    """Whether PrivateTest stays closed until somebody asks for it: where PublicTest is there to choose by.

    Never of a drawn sample.
    """
    info = dataset.info
    return not info.is_sample and bool(len(dataset.rows(PUBLIC_TEST))) and bool(len(dataset.rows(PRIVATE_TEST)))


def ledger_of(path: Path) -> Path:
    """The ledger that a look is written to whose figures are kept in ``path``: the shipped one for what ships."""
    models = settings().models_dir
    return (models if path.absolute().is_relative_to(models) else settings().home) / FILE


def check_ledger(path: Path) -> None:
    """Raises ``RunError`` unless a look can be written down for figures kept in ``path``."""
    ledger = ledger_of(path)
    check_writable(ledger.parent, "The look at PrivateTest, without which it stays closed,", RunError)
    read(ledger)


def write_look(path: Path, run: Path, model: str, data: DatasetRecord, note: str = "") -> None:
    """Add a look at the ``run`` to the ledger for figures kept in ``path``; a ``note`` says what was not just scored.

    Raises ``RunError`` where it cannot be written."""
    ledger = ledger_of(path)
    check_ledger(path)
    try:
        with try_lock(ledger.with_name(f".{FILE}.lock"), _PATIENCE_S) as free:
            if not free:
                raise RunError(f"{ledger} is being written by another process. Try again.")
            text = _text(ledger)
            look = Look(
                schema=1,
                when=utc_now(),
                run=run.name,
                shipped=_ships(run),
                model=model,
                data=data,
                looks=1,
                at_least=False,
                before=hashlib.sha256(text.encode()).hexdigest(),
            )
            if note:
                look["note"] = note
            write_text(ledger, text + json.dumps(look, ensure_ascii=False) + "\n")
    except OSError as error:
        raise RunError(f"{ledger} could not be written ({error}), so PrivateTest stays closed.") from error


def read(ledger: Path) -> list[Look]:
    """All looks of a ledger, oldest first. Raises ``RunError`` for one that was changed or cannot be read."""
    found, before = [], ""
    for number, line in enumerate(_text(ledger).splitlines(keepends=True), 1):
        try:
            look = parse(line.encode(), Look)
        except UnreadableError as error:
            raise _damaged(ledger, number, str(error)) from None
        if look["before"] != hashlib.sha256(before.encode()).hexdigest():
            raise _damaged(ledger, number, "lines before it were changed or taken out")
        found.append(look)
        before += line
    return found


def looks_at(run: Path, fingerprint: str) -> Looks:
    """How often PrivateTest of these data was looked at for the run of this folder, here and before it shipped.

    Raises ``RunError`` as :func:`read` does.
    """
    return _sum(_of(run, fingerprint))


def last_look(run: Path, model: str, fingerprint: str) -> str:
    """When PrivateTest of these data was last opened for this very model; empty where it never was.

    Raises ``RunError`` as :func:`read` does.
    """
    return max((look["when"] for look in _of(run, fingerprint) if look["model"] == model), default="")


def looks_words(run: Path, fingerprint: str) -> str:
    """:attr:`Looks.words`; or that they cannot be told, where a ledger is damaged. Empty where there is none."""
    try:
        found = looks_at(run, fingerprint)
    except RunError:
        return "looks unknown: the ledger is damaged"
    return found.words if found.count else ""


def _of(run: Path, fingerprint: str) -> list[Look]:
    wanted = (run.name, _ships(run), fingerprint)
    return [look for look in _every() if (look["run"], look["shipped"], look["data"]["fingerprint"]) == wanted]


def _ships(run: Path) -> bool:
    return run.absolute().parent == settings().models_dir


def _every() -> list[Look]:
    return [look for root in (settings().models_dir, settings().home) for look in read(root / FILE)]


def _sum(looks: Sequence[Look]) -> Looks:
    return Looks(sum(look["looks"] for look in looks), any(look["at_least"] for look in looks))


def _text(ledger: Path) -> str:
    try:
        return read_text(ledger)
    except MissingError:
        return ""
    except UnreadableError as error:
        raise RunError(f"{ledger}, the ledger of looks at PrivateTest, cannot be read: {error}. Restore it.") from None


def _damaged(ledger: Path, number: int, reason: str) -> RunError:
    return RunError(f"{ledger}, line {number}: {reason}. It is only ever added to: restore it from a copy.")
