"""Opened models, shared by all visitors and pages, and the field that chooses among them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from fer_core.errors import RunError
from fer_core.inference.models import load_model
from fer_core.inference.predictor import Predictor
from fer_core.runs.listing import ModelInfo
from pages.parts import frame, linked, messages
from pages.parts.runs import first_choice
from pages.parts.vote import seals


def none_yet(meanwhile: str) -> None:
    """Say that there is no model, what works ``meanwhile`` (a sentence), and lead to Train."""
    st.info(
        f"There is no model yet, so nobody can name an expression. {meanwhile} "
        "Train a model on the drawn sample: it takes about a minute.",
        icon=":material/info:",
    )
    frame.link("train", "Train your first model", icon=":material/model_training:")


def choose(infos: Sequence[ModelInfo], key: str, *, label: str = "Models", default: Sequence[str]) -> list[Predictor]:
    """The field, kept in ``?key=``, and the chosen models, opened, each by the name that people read. One that cannot
    be opened is named, and left out.

    ``default``: names chosen where the address has none; those that are not among ``infos`` are ignored.
    """
    by_name = {info.name: info for info in infos}
    names = linked.runs(
        label,
        list(by_name),
        {info.name: info.display_name for info in infos},
        default=[name for name in default if name in by_name],
        key=key,
        says="There is no model called {asked} here.",
    )
    predictors = []
    for name in names:
        try:
            predictors.append(open_info(by_name[name]).called(by_name[name].display_name))
        except RunError as error:
            st.warning(messages.told(error), icon=":material/broken_image:")
    return predictors


def choose_one(label: str, models: Sequence[Predictor], key: str, **more: Any) -> str:
    """A field for one of the chosen models, kept in ``?key=`` by its folder: the name that people read."""
    shows = {folder_of(model): model.name for model in models}
    return shows[str(linked.run(label, list(shows), shows, key=key, **more))]


def folder_of(model: Predictor) -> str:
    """The name of its run's folder, for addresses."""
    return model.path.parent.name


def open_info(info: ModelInfo) -> Predictor:
    """The model of a run, opened once for all visitors. Raises ``RunError`` where it is missing or damaged."""
    return open_model(str(info.path), seals(info.folder))


@st.cache_resource(show_spinner="Opening the model", max_entries=16)
def open_model(path: str, sealed: tuple[int, ...]) -> Predictor:
    """Keyed by folder and by when its ``run.json``, and those of a vote's members, were written: an export makes a
    new one.
    """
    return load_model(Path(path))


def by_default(infos: Sequence[ModelInfo]) -> list[str]:
    """Models that were trained themselves: see :func:`pages.parts.runs.first_choice`. Votes only repeat what their
    members say.
    """
    return [info.name for info in first_choice([info for info in infos if not info.is_vote])]
