"""Bring yours: answers of a model from elsewhere, a model, or faces, to explore them here like all others."""

from __future__ import annotations

import streamlit as st

from fer_core.access.policy import Action
from pages.parts import access, data, frame, linked, uploads
from pages.parts.bring import answers, model, progress
from pages.parts.bring import job as bring_job

ANSWERS, MODEL, FACES = "Answers", "A model", "Faces"

frame.begin(
    "Bring yours",
    __file__,
    "A model of yours made mistakes elsewhere? Bring it, or only what it said, and explore it here like every other.",
)
if not access.may(Action.BRING_MODEL):
    st.info("Only the owner of this app can bring a model or its answers.", icon=":material/lock:")
    st.stop()
if not access.person().owner:
    st.caption("What you bring is seen by you alone. It goes when your visit ends, after a day at the latest.")
job = bring_job.current()
if job is not None:
    progress.show(job)
    if job.running or job.run:
        st.stop()
    if job.source_is_model and (undecided := job.undecided):
        model.ask(job, undecided, data.current_dataset())
what = linked.segmented_control("What you bring", (MODEL, ANSWERS, FACES), key="bring.what")
uploads.turn_to(what)
if what == FACES:
    st.markdown("Faces come in on the Dataset page: tables, archives and folders, in most forms that people have them.")
    if access.may(Action.IMPORT_DATA):
        frame.link("dataset", "Bring faces", icon=":material/upload:", query={"view": data.IMPORT})
    else:
        st.info("Only the owner of this app can bring faces. Photo takes single pictures.", icon=":material/lock:")
    st.stop()
(model if what == MODEL else answers).show(data.current_dataset())
