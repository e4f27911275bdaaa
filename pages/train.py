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
from pages.parts import access, architecture, frame, messages, runs, unmeasured
from pages.parts.data import current_info, faces_are_here, sample_banner
from pages.parts.train import choices, progress, recipe_form, twins, watched

frame.begin("Train", __file__, "Train a model of your own and watch it learn. You may leave this page and come back.")
# First, because the page starts anew where the sample must be drawn, and what a link gets wrong is said only once.
faces_are_here()
run_dir = progress.choose()
if run_dir is not None:
    if jobs.status(run_dir).alive:
        # From now on the address names the run, so that it stays on screen when it ends.
        st.query_params[runs.RUN] = run_dir.name
    progress.show(run_dir)

info = current_info()
if not info.labelled:
    unmeasured.no_labels(info)
    st.stop()
if run_dir is None:
    progress.link_to_last()
    watched.preview(info)
else:
    st.header("New training", anchor=False)
person = access.person()
may_choose = access.may(Action.TRAIN_ANYTHING)
with st.container(horizontal=True, vertical_alignment="bottom", key="recipe"):
    name = choices.choose_architecture(trainings.architectures(person))
    preset = choices.choose_preset() if may_choose else trainings.VISITORS_PRESET
start = st.container()
faces = info.split_size("Training")
recipe = recipe_form.edit_recipe(name, preset, faces) if may_choose else choices.visitors_recipe(name)
with st.expander("The data and the network", icon=":material/account_tree:"):
    st.markdown(
        f"**Data:** {plain(info.title)}, chosen in the sidebar. Trains on {faces:,} Training faces, chooses the best "
        f"epoch on {info.split_size('PublicTest'):,} PublicTest faces. PrivateTest has no part in it."
    )
    st.markdown(f"**Network:** {get(name).summary}")
    architecture.show(description(name), key="new")
sample_banner(info)

with start:
    problems: list[str] = []
    if not may_choose and not info.is_sample:
        problems = ["Here you can train on the drawn sample: choose it under Data in the sidebar."]
    else:
        try:
            problems = jobs.check_resources(recipe.validate(), info.path)
        except FerError as error:
            problems = [messages.told(error)]
    for problem in problems:
        st.error(problem, icon=":material/block:")
    with st.container(horizontal=True, vertical_alignment="center", key="start"):
        pressed = st.button("Start training", type="primary", icon=":material/play_arrow:", disabled=bool(problems))
        twin = twins.wanted(recipe)
    choices.say_time(recipe, preset, faces, twin=twin)
    if pressed:
        try:
            started = trainings.start(person, recipe, info.path, twin=twin)
        except FerError as error:
            # One training at a time: the message says which run is in the way.
            st.error(messages.told(error), icon=":material/block:")
        else:
            st.query_params[runs.RUN] = started.name
            st.rerun()
