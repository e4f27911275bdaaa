"""Live: your own face, what every model says about it, and where it looks, as it moves."""

from __future__ import annotations

import streamlit as st

from fer_core.errors import BusyError, FerError
from pages.parts import detection, frame, messages, models, queue, runs
from pages.parts.live import camera as live_camera
from pages.parts.live import help, now, recording, snapshot
from pages.parts.live import settings as live_settings

frame.begin(
    "Live",
    __file__,
    "Your own face, and what each model makes of it, as it moves. Pictures are never stored and never sent on. A face "
    "made on purpose is not a felt emotion.",
)
infos = runs.to_ask(live_settings.MODEL)
# One block, whatever it holds: were the camera to move down the page, the browser would load it anew and disconnect.
with st.container():
    if not infos:
        models.none_yet("Faces are found and followed all the same.")
    if not help.is_secure(help.address_of_page()):
        st.warning(
            "This page came without https, so your browser will not give it a camera. A picture or a video works:",
            icon=":material/no_encryption:",
        )
        help.other_inputs()
# The picture leads, then what is said about it; what is chosen below decides what is drawn on it.
picture, answers = st.columns([11, 9], gap="medium")
with st.container():
    facing = live_settings.choose_facing()
    running = live_settings.choose_live_models(infos)
    with st.expander("What is drawn, how calm, which detector", icon=":material/tune:"):
        look = live_settings.choose_look(running, facing)
        plan = live_settings.choose_plan(running, look, infos, detection.choose_detector())
live = live_camera.stream_of_visit(plan)
with answers:
    # Above all, since the connection is made while the camera's element is drawn, and somebody waits for it.
    waiting = st.empty()
    live_camera.say_connecting(waiting)
with picture:
    try:
        camera = live_camera.show(live, facing)
    except BusyError as error:
        queue.say_busy(error)
        st.button("Try again", icon=":material/refresh:", key="live-again")
        st.stop()
    except FerError as error:
        st.error(messages.told(error))
        st.stop()
waiting.empty()
is_on = live_camera.is_trying(camera)
with answers:
    now.connection_status(camera, live)
    now.faces(camera, live)
    snapshot.freeze_button(live, running=is_on)
    detection.caution(plan.detector.title)
snapshot.show()
now.last_minute(camera, live)
recording.show(live, running=is_on)
now.figures(camera, live)
live_camera.one_voice()
