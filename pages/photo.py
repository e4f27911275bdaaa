"""Photo: your own picture, the faces in it, and what each model says about each face."""

from __future__ import annotations

import streamlit as st

from fer_core.runs.listing import list_models
from pages.parts import frame, photo

frame.begin(
    "Photo",
    __file__,
    "Bring a picture with faces and see what each model makes of them. Nothing is stored: pictures stay in memory "
    "while this page is open, and are never written to disk or sent on.",
)
models = list_models()
if not models:
    st.info(
        "There is no model yet, so nobody can name an expression. Faces are found all the same. "
        "Train a model on the drawn sample: it takes about a minute.",
        icon=":material/info:",
    )
    frame.link("train", "Train your first model", icon=":material/model_training:")
pictures = photo.bring_pictures()
detector = photo.choose_detector()
chosen = photo.choose_models(models) if models else []
if not pictures:
    st.info("Upload, paste or take a picture to begin. A face straight from the front works best.")
for number, (name, content) in enumerate(pictures):
    photo.show(number, name, content, detector, chosen)
