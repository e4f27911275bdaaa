"""Lessons: three minutes each, over the app's own pages, with a prediction before each answer."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.access.policy import Action
from fer_core.formatting import plain, plural
from fer_core.settings import PROJECT_ROOT, settings
from pages.parts import access, frame, lesson_strip

# The document for teachers, and the heading of its last section. No docstring: Streamlit would draw it on the page.
GUIDE, HOW_TO = PROJECT_ROOT / "docs" / "lessons.md", "Write your own in ten minutes"

frame.begin("Lessons", __file__, "Each leads over the real pages: predict, then look.")

shelf, state = lesson_strip.shelf(), lesson_strip.taking()
columns: Sequence[DeltaGenerator] = ()
for at, lesson in enumerate(shelf.lessons):
    # Two in a line, on a phone one after the other.
    columns = st.columns(2) if at % 2 == 0 else columns
    with columns[at % 2], st.container(border=True, key=f"lesson-{lesson.name}"):
        ended = " :material/check_circle:" if lesson.name in state.ended else ""
        st.header(f"{plain(lesson.title)}{ended}", anchor=False)
        st.markdown(lesson.lead)
        with st.container(horizontal=True, vertical_alignment="center"):
            lesson_strip.begin_button(lesson, "Begin again" if ended else "Begin")
            st.caption(f"{plural(lesson.minutes, 'minute')}, {plural(len(lesson.steps), 'step')}")
if shelf.damaged and access.may(Action.SERVER_PATHS):
    for sentence in shelf.damaged:
        st.warning(plain(sentence), icon=":material/error:")
with st.expander(HOW_TO, icon=":material/edit:"):
    # Said here, too: who has the app in the browser alone has no folder of documents beside it.
    st.markdown(GUIDE.read_text(encoding="utf-8").partition(f"## {HOW_TO}\n")[2])
    if access.may(Action.SERVER_PATHS):
        st.markdown(f"On this computer the folder is {plain(str(settings().home / 'lessons'))}.")
