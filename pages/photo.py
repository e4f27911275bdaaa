"""Photo: your own pictures or a video, the faces in them, and what each model says about each face."""

from __future__ import annotations

import streamlit as st

from fer_core.inference.detectors import FaceDetector
from fer_core.inference.faces import AlreadyCut
from pages.parts import detection, frame, linked, models, runs, uploads
from pages.parts.photo import examples, input, results, video

frame.begin(
    "Photo",
    __file__,
    "What does each model make of the faces in your pictures? They stay in memory for your visit, and are never "
    "written to disk or sent on.",
)
infos = runs.to_ask(detection.MODELS)
if not infos:
    models.none_yet("Faces are found all the same.")
source = input.choose_source()
# What came in by another way has been read.
uploads.turn_to(source)
if source == input.VIDEO:
    video.show(infos)
else:
    video.reminder()
    bringing, starting = st.container(), st.container()
    # The picture and its answers lead; what may be chosen is folded under the way in.
    with st.expander("Who answers, and which detector", icon=":material/tune:"):
        detector: FaceDetector = detection.choose_detector()
        chosen = detection.choose_models(infos) if infos else []
        with st.container(horizontal=True, key="photo-switches"):
            calibrated = detection.choose_calibrated() if infos else False
            maps = bool(infos) and linked.toggle(
                "Where each model looked",
                key="maps",
                help="Lays the class map of each model's answer over the face. It comes with the prediction.",
            )
            if linked.toggle(
                "The pictures are faces already",
                key="cut",
                help="For pictures that are cut out as FER-2013's are: no face is looked for, each picture is one as a "
                "whole.",
            ):
                detector = AlreadyCut()
    answering = detection.with_temperatures(chosen, calibrated=calibrated)
    with bringing:
        seen = input.read_pictures(source, detector)
    if seen:
        results.show(seen, answering, calibrated=calibrated, maps=maps)
    else:
        with starting:
            st.markdown("No picture at hand? Try one of these:")
            examples.offer()
