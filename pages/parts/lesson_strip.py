"""The strip of a lesson, at the top of whatever page it leads over: what to look at, a prediction, what is true.

The lesson and its step stand in the address (``?lesson=…&step=…``), so a teacher gives the class one link. Who goes
elsewhere meanwhile keeps the strip, with the way back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from fer_core.formatting import plain
from fer_core.lessons.lesson import Lesson, Step
from fer_core.lessons.shelf import Shelf, lesson_files, read_lessons
from fer_core.settings import PROJECT_ROOT
from pages.parts import links

LESSON, STEP = "lesson", "step"
_STATE = "_lesson"
_OVERVIEW = "lessons"
NO_LESSON = "There is no lesson {asked} here. It is ignored."


@dataclass
class Taking:
    """A visitor's lesson: where they are, what they answered by step, and which lessons they have ended."""

    lesson: str = ""
    step: int = 1
    answers: dict[tuple[str, int], str] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)

    def leave(self) -> None:
        """Whoever begins it again predicts again."""
        self.answers = {place: answer for place, answer in self.answers.items() if place[0] != self.lesson}
        self.lesson, self.step = "", 1


def taking() -> Taking:
    """This visit's."""
    state: Taking = st.session_state.setdefault(_STATE, Taking())
    return state


def shelf() -> Shelf:
    """All lessons at hand."""
    files = lesson_files()
    return _shelf(tuple((str(path), _changed(path)) for path in files))


def query_of(lesson: Lesson, number: int) -> links.Query:
    """The query of a lesson's step, 1 or more: what its page shows, and the strip above it."""
    step = lesson.steps[number - 1]
    return {**step.query, LESSON: lesson.name, STEP: str(number)}


def show(page: str) -> tuple[str, links.Query] | None:
    """Draw the strip, if a lesson is on, at the top of ``pages/<page>.py``; returns where the visitor wants to go."""
    state, lessons = taking(), None
    if links.given(LESSON):
        lessons = shelf()
        name = links.one_of(LESSON, [one.name for one in lessons.lessons], says=NO_LESSON)
        if name is not None:
            state.lesson = name
            lesson = lessons.find(name)
            state.step = links.whole(STEP, 1, len(lesson.steps) if lesson else 1) or 1
    if not state.lesson or page == _OVERVIEW:
        return None
    lesson = (lessons or shelf()).find(state.lesson)
    if lesson is None:
        state.lesson = ""
        return None
    with st.container(border=True, key="lesson-strip"):
        return _step(lesson, state, page)


def _step(lesson: Lesson, state: Taking, page: str) -> tuple[str, links.Query] | None:
    number = min(state.step, len(lesson.steps))
    step = lesson.steps[number - 1]
    with st.container(horizontal=True, vertical_alignment="center", key="lesson-head"):
        st.markdown(f":material/school: **{plain(lesson.title)}** · step {number} of {len(lesson.steps)}")
        if st.button("End the lesson", icon=":material/close:", type="tertiary", key="_lesson-end"):
            state.leave()
            return _OVERVIEW, {}
    st.progress(number / len(lesson.steps))
    if step.page != page:
        if st.button("Back to the lesson", icon=":material/undo:", type="primary", key="_lesson-back"):
            return step.page, query_of(lesson, number)
        return None
    st.markdown(f"**{plain(step.title)}.** {step.text}")
    answered = _asked(lesson, number, step, state)
    with st.container(horizontal=True, key="lesson-ways"):
        if number > 1 and st.button("Back", icon=":material/arrow_back:", key="_lesson-previous"):
            return lesson.steps[number - 2].page, query_of(lesson, number - 1)
        if not answered:
            return None
        if number < len(lesson.steps):
            if st.button("Next", icon=":material/arrow_forward:", type="primary", key="_lesson-next"):
                return lesson.steps[number].page, query_of(lesson, number + 1)
        elif st.button("Done", icon=":material/check:", type="primary", key="_lesson-done"):
            state.ended.add(lesson.name)
            state.leave()
            return _OVERVIEW, {}
    return None


def _asked(lesson: Lesson, number: int, step: Step, state: Taking) -> bool:
    """The prediction, and after it what is true. Returns whether there is nothing left to answer."""
    if not step.options:
        return True
    place = lesson.name, number
    known = state.answers.get(place)
    chosen = known if known in step.options else None
    if chosen is None:
        chosen = st.pills("Your prediction", step.options, key=f"_lesson-{lesson.name}-{number}", format_func=plain)
        if chosen is None:
            return False
        # What was predicted stays: afterwards one knows.
        state.answers[place] = chosen
        st.rerun()
    true = step.options[step.right]
    if chosen == true:
        st.success(f"You said {plain(chosen)}, and so it is. {step.reveal}", icon=":material/check:")
    else:
        st.info(f"You said {plain(chosen)}; it is {plain(true)}. {step.reveal}", icon=":material/lightbulb:")
    return True


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@st.cache_data(show_spinner=False, max_entries=4)
def _shelf(files: tuple[tuple[str, int], ...]) -> Shelf:
    pages = {path.stem for path in (PROJECT_ROOT / "pages").glob("*.py")}
    return read_lessons([Path(path) for path, _ in files], pages)
