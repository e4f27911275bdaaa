"""Home: what this is, which data and models there are, what to do next."""

from __future__ import annotations

import streamlit as st

from fer_core.data.catalogue import list_datasets
from pages.parts import frame, runs, unmeasured
from pages.parts.home import fetching, game, overview

frame.begin(
    "FER Explorer",
    __file__,
    "What does this face express? You answer, then the models do.",
)
fetching.show()
unmeasured.show_anything_running()
models = runs.usable()
game.show()
datasets = list_datasets()
if models:
    # How good the models are is what people come for; without any, what to do comes first.
    overview.models(models)
    overview.next_steps(models)
else:
    overview.next_steps(models)
    overview.models(models)
overview.datasets(datasets)
st.caption("A model names an expression. It does not know what a person feels.")
frame.link("limits", "What these models cannot tell you", icon=":material/gavel:")
