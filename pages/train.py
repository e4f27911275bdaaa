"""Train: make a model yourself, watch it learn, stop it, find it again."""

from __future__ import annotations

import streamlit as st

from fer_core.access import trainings
from fer_core.access.policy import Action
from fer_core.errors import FerError
from fer_core.formatting import plain
from fer_core.training import jobs
from fer_core.zoo.describe import description
from fer_core.zoo.registry import get
from pages.parts import access, architecture, frame, messages, runs
from pages.parts.data import current_info, faces_are_here, sample_banner
from pages.parts.train import progress, recipe_form

frame.begin(
    "Train",
    __file__,
    "Train a model of your own and watch it learn. It runs in a process of its own: you may leave this page, "
    "close the browser or restart the app, and find it here again.",
)
# First, because the page starts anew where the sample must be drawn, and what a link gets wrong is said only once.
faces_are_here()
run_dir = progress.choose()
if run_dir is not None:
    if jobs.status(run_dir).alive:
        # From now on the address names the run, so that it stays on screen when it ends.
        st.query_params[runs.RUN] = run_dir.name
    progress.show(run_dir)

st.header("New training", anchor=False)
info = current_info()
sample_banner(info)
st.markdown(
    f"**Data:** {plain(info.title)}. Trains on {info.split_size('Training'):,} Training faces, chooses the best "
    f"epoch on {info.split_size('PublicTest'):,} PublicTest faces. PrivateTest has no part in it. "
    "The sidebar changes the data."
)
person = access.person()
name = recipe_form.choose_architecture(trainings.architectures(person))
st.markdown(get(name).summary)
with st.expander("Layers, diagram and size of this architecture", icon=":material/account_tree:"):
    architecture.show(description(name), key="new")
if access.may(Action.TRAIN_ANYTHING):
    faces = info.split_size("Training")
    recipe = recipe_form.edit_recipe(name, recipe_form.choose_preset(name, faces), faces)
else:
    recipe = recipe_form.visitors_recipe(name)
    if not info.is_sample:
        st.info("Here you can train on the drawn sample: choose it under Data in the sidebar.", icon=":material/info:")
        st.stop()

problems: list[str] = []
try:
    problems = jobs.check_resources(recipe.validate(), info.path)
except FerError as error:
    problems = [messages.told(error)]
for problem in problems:
    st.error(problem, icon=":material/block:")
if st.button("Start training", type="primary", icon=":material/play_arrow:", disabled=bool(problems)):
    try:
        started = trainings.start(person, recipe, info.path)
    except FerError as error:
        # One training at a time: the message says which run is in the way.
        st.error(messages.told(error), icon=":material/block:")
    else:
        st.query_params[runs.RUN] = started.name
        st.rerun()
