"""Trainings, for whoever may: what a visitor may start, and who sees, stops, goes on with and deletes which run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from fer_core.access.policy import Action, Person, check
from fer_core.data.dataset import load_dataset
from fer_core.errors import AccessError, FerError
from fer_core.leftovers import delete_folder, untouched_for
from fer_core.runs.listing import ModelInfo
from fer_core.runs.recipe import Recipe
from fer_core.runs.visitor import VISITOR_FILE, started_by, write_visitor
from fer_core.settings import settings
from fer_core.training import jobs
from fer_core.training.presets import preset
from fer_core.zoo.registry import get, names

VISITORS_PRESET = "minute"
VISITORS_SECONDS = 600.0
"""Wall time of a visitor's training, pauses included. The preset takes a minute; this ends one on a busy machine, or
one that somebody paused and left."""
MOST_RUNS = 50
"""Runs of all visitors together. Sessions are cheap, so a bound for each would bound nothing."""
KEPT_SECONDS = 24 * 3600.0
"""After this a visitor's run is cleared away."""


def architectures(person: Person) -> list[str]:
    """What they may train, by registry name. Transfer models download weights, which visitors do not set off."""
    return [name for name in names() if person.owner or not get(name).transfer]


def visible(person: Person, infos: Iterable[ModelInfo]) -> list[ModelInfo]:
    """The runs that they may see: all that no visitor started, and those that they started themselves."""
    return [info for info in infos if person.owner or info.started_by is None or info.started_by == person.mark]


def own(person: Person, infos: Iterable[ModelInfo]) -> list[ModelInfo]:
    """The runs that they made here themselves; an owner's are those that no visitor started."""
    mine = None if person.owner else person.mark
    return [info for info in infos if not info.shipped and info.started_by == mine]


def first_choice(person: Person, infos: Sequence[ModelInfo], most: int) -> list[ModelInfo]:
    """At most ``most`` of these runs, in their order: those to show where nobody has chosen any.

    Half of the places are for their own newest ones, which they came to see; the others for those that come first. A
    place that one side does not need is the other's. ``infos``: ordered as by
    :func:`fer_core.runs.listing.list_runs`.
    """
    theirs = own(person, infos)
    others = [info for info in infos if info not in theirs]
    room = max(most // 2, most - len(others))
    kept = theirs[:room]
    kept += others[: most - len(kept)]
    return [info for info in infos if info in kept]


def start(person: Person, recipe: Recipe, data: Path, *, twin: bool = False) -> Path:
    """As :func:`fer_core.training.jobs.start`, for whoever may. Raises ``AccessError`` for what a visitor may not.

    Of a visitor's twins the second has what the first leaves of their time.
    """
    if person.owner:
        return jobs.start(recipe, data, twin=twin)
    check(person, Action.TRAIN)
    # A name is the one thing that is theirs to choose.
    if recipe != preset(VISITORS_PRESET, recipe.architecture).named(recipe.name) or recipe.architecture not in (
        architectures(person)
    ):
        check(person, Action.TRAIN_ANYTHING)
    if not load_dataset(data).info.is_sample:
        check(person, Action.TRAIN_ANYTHING)
    _check_room(2 if twin else 1)
    return jobs.start(recipe, data, note=lambda run: write_visitor(run, person.mark, VISITORS_SECONDS), twin=twin)


def start_twin(person: Person, run: Path, data: Path) -> Path:
    """As :func:`fer_core.training.jobs.start_twin`; raises ``AccessError`` for what a visitor may not."""
    check(person, Action.RESUME, started_by=started_by(run))
    if person.owner:
        return jobs.start_twin(run, data)
    if not load_dataset(data).info.is_sample:
        check(person, Action.TRAIN_ANYTHING)
    _check_room(1)
    return jobs.start_twin(run, data, seconds=VISITORS_SECONDS)


def _check_room(runs: int) -> None:
    """Raise ``AccessError`` while somebody trains, or where so many more runs of visitors would be too many."""
    if jobs.current() is not None:
        raise AccessError("Somebody trains here just now, and one training at a time is enough. Try again in a minute.")
    clear_old()
    if len(list(settings().runs_dir.glob(f"*/{VISITOR_FILE}"))) + runs > MOST_RUNS:
        raise AccessError("Visitors have trained as many runs here as are kept for a day. Come back tomorrow.")


def pause(person: Person, run: Path) -> None:
    """As :func:`fer_core.training.jobs.pause`; raises ``AccessError`` for a run that is not theirs, as all below."""
    check(person, Action.STOP, started_by=started_by(run))
    jobs.pause(run)


def unpause(person: Person, run: Path) -> None:
    check(person, Action.STOP, started_by=started_by(run))
    jobs.unpause(run)


def stop(person: Person, run: Path) -> None:
    check(person, Action.STOP, started_by=started_by(run))
    jobs.stop(run)


def restart(person: Person, run: Path) -> Path:
    check(person, Action.RESUME, started_by=started_by(run))
    return jobs.restart(run)


def delete(person: Person, run: Path) -> None:
    check(person, Action.DELETE, started_by=started_by(run))
    jobs.delete(run)


def clear_old() -> list[str]:
    """Delete visitors' runs of a day ago that do not train any more, and return their names.

    The age is that of the note beside the run, by the clock of the disk it lies on: this host's may be wrong.
    """
    gone = []
    for note in settings().runs_dir.glob(f"*/{VISITOR_FILE}"):
        run = note.parent
        try:
            if not untouched_for(note, KEPT_SECONDS) or jobs.status(run).alive:
                continue
            delete_folder(run)
        except (OSError, FerError):
            # Somebody deletes it at this moment, or the disk does not let us: the next round tries again.
            continue
        gone.append(run.name)
    return gone
