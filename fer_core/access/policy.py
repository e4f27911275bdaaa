"""The one place that decides who may do what. Pages ask it before they draw, and every action asks again."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from fer_core.errors import AccessError
from fer_core.settings import settings


class Action(StrEnum):
    """What somebody may want to do beyond looking, comparing, explaining, Photo and Live, which all may."""

    TRAIN = "train on the drawn sample with the shortest preset"
    TRAIN_ANYTHING = "train with any recipe on any data, measure or export a run"
    STOP = "pause or stop this training"
    RESUME = "go on with this training"
    DELETE = "delete this run"
    IMPORT_DATA = "import data"
    REMOVE_DATA = "remove data"
    AUDIT = "search a dataset for faults"
    SERVER_PATHS = "name files of the computer that the app runs on, or read about them"
    STOP_WORKER = "stop the process that draws maps for everybody"
    FETCH = "have this computer download something"
    ANNOTATE_FOR_ALL = "annotate faces for everybody"
    BRING_MODEL = "bring a model or its answers"
    LARGE_UPLOADS = "upload large files"


_THEIR_OWN = frozenset({Action.STOP, Action.RESUME, Action.DELETE})
"""What a visitor may do to a run that they started, and to no other."""


@dataclass(frozen=True)
class Person:
    """Somebody at the app.

    Attributes:
        owner: whether the computer that the app runs on is theirs.
        token: random, one for each browser session, never shown and never written down.
    """

    owner: bool
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def mark(self) -> str:
        """What is kept with a run that they start, hex: it tells them apart and gives the token away to nobody."""
        return hashlib.sha256(self.token.encode()).hexdigest()[:32]


def may(person: Person, action: Action, *, started_by: str | None = None) -> bool:
    """Whether they may. ``started_by``: the :attr:`Person.mark` kept with the run in question, if it has one."""
    if person.owner:
        return True
    if action in _THEIR_OWN:
        return started_by is not None and hmac.compare_digest(started_by.encode(), person.mark.encode())
    if action == Action.ANNOTATE_FOR_ALL:
        return settings().shared_annotations
    if action == Action.BRING_MODEL:
        return settings().visitors_bring
    return action == Action.TRAIN


def check(person: Person, action: Action, *, started_by: str | None = None) -> None:
    """Raise ``AccessError``, in one sentence, unless they may."""
    if not may(person, action, started_by=started_by):
        whose = " or whoever started it" if action in _THEIR_OWN else ""
        raise AccessError(f"Only the owner of this app{whose} may {action}.")
