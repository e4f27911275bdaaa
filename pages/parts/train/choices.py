"""The first choices of the Train page: an architecture, a preset, what the run is called, and how long it takes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path

import streamlit as st

from fer_core.access import trainings
from fer_core.errors import FerError
from fer_core.formatting import plural
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import epochs_of
from fer_core.runs.recipe import Recipe
from fer_core.training.pace import at_48_pixels, expected
from fer_core.training.presets import PRESETS, preset
from fer_core.zoo.registry import TITLES
from pages.parts import linked, runs


def choose_architecture(offered: Sequence[str]) -> str:
    """The architecture, bound to ``?architecture=``. Returns its registry name, one of ``offered``."""
    return linked.selectbox(
        "Architecture",
        offered,
        format_func=TITLES.__getitem__,
        key="architecture",
        help="The network to train. What is special about it stands under “The data and the network”.",
    )


def next_name(architecture: str) -> str:
    """``My CNN 1``: what a run is called that nobody gave a name; the first number that is free."""
    kind = TITLES[architecture].replace("Custom ", "").split()[0]
    taken = {info.title for info in runs.known()}
    return next(name for number in count(1) if (name := f"My {kind} {number}") not in taken)


def choose_preset() -> str:
    """The preset, bound to ``?preset=``. Returns its key."""
    titles = {item.key: item.title for item in PRESETS}
    return linked.segmented_control(
        "Preset",
        list(titles),
        format_func=titles.__getitem__,
        key="preset",
        help="A ready-made recipe. Another preset or architecture puts every field below back to what that "
        "preset says.",
    )


def say_time(recipe: Recipe, preset_key: str, faces: int, *, twin: bool) -> None:
    """How long it takes with so many Training faces, and what to expect of it."""
    takes = expected(recipe, faces, _measured(recipe.architecture))
    words = (takes.twice() if twin else takes).words()
    st.caption(
        f"{plural(recipe.epochs, 'epoch')} of {faces:,} faces{', twice' if twin else ''}: {words}. "
        f"{next(item.description for item in PRESETS if item.key == preset_key)}",
        help="An epoch is one time through the training faces.",
    )


def _measured(architecture: str) -> float | None:
    """How fast the newest training of that architecture went here, in faces per second at 48 pixels."""
    here = (run for run in runs.known() if not run.shipped and run.architecture == architecture and not run.problem)
    for run in here:
        journal = run.folder.journal_path
        if journal.exists() and (speed := _speed(str(run.path), journal.stat().st_mtime_ns)):
            return speed
    return None


@st.cache_data(show_spinner=False, max_entries=32)
def _speed(path: str, changed_ns: int) -> float | None:
    """That of a run's last epoch; None where none has ended or nothing can be read. Keyed by when it last wrote."""
    folder = RunFolder(Path(path))
    try:
        epochs = epochs_of(folder.events())
        return at_48_pixels(folder.recipe(), epochs[-1]["epoch"], epochs[-1]["images_per_second"]) if epochs else None
    except FerError:
        # The run's own page says what is wrong with it; here it is one that tells nothing.
        return None


def visitors_recipe(architecture: str) -> Recipe:
    """What visitors train: the preset of the drawn sample as it is."""
    hours = trainings.KEPT_SECONDS / 3600
    st.caption(
        "You train on the drawn sample with the shortest recipe. Only you see the run, as long as this visit lasts, "
        f"and it is deleted after {hours:.0f} hours. Download what you want to keep from its card."
    )
    return preset(trainings.VISITORS_PRESET, architecture).named(next_name(architecture))
