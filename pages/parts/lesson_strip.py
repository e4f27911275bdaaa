"""The strip of a lesson, at the top of whatever page it leads over: what to look at, a prediction, what is true.

The lesson and its step stand in the address (``?lesson=…&step=…``), so a teacher gives the class one link; what
somebody predicted stands there for a reload, and the button for links leaves it out. Who goes elsewhere meanwhile keeps
the strip, with the way back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import streamlit as st

from fer_core.data.catalogue import SAMPLE_NAME
from fer_core.formatting import plain
from fer_core.lessons.lesson import Lesson, Step
from fer_core.lessons.shelf import Shelf, lesson_files, read_lessons
from fer_core.settings import PROJECT_ROOT
from pages.parts import copy_link, known_data, links

LESSON, STEP = "lesson", "step"
_STATE = "_lesson"
_OVERVIEW = "lessons"
_DATA, ANY_FACES = "data", "faces"
"""``data=faces`` in a lesson means whatever faces are at hand: imported ones before drawn ones."""
NO_ANSWER = "{asked} is no answer to this step. It is ignored."
FIRST = "Answer first, then the page opens."
NO_LESSON = "There is no lesson {asked} here. It is ignored."


Kind = Literal["primary", "secondary", "tertiary"]
Place = tuple[str, links.Query]
"""A page by its file's name, and its query."""


@dataclass
class Taking:
    """A visitor's lesson: where they are, what they answered by step, and which lessons they have ended."""

    lesson: str = ""
    step: int = 1
    answers: dict[tuple[str, int], str] = field(default_factory=dict)
    skipped: set[tuple[str, int]] = field(default_factory=set)
    """The steps whose question somebody did not want to answer."""
    ended: set[str] = field(default_factory=set)
    going: Place | None = None
    """Where a button of the strip leads, from the click to the run that follows."""
    data_outside: str | None = None
    """The data that were chosen when no lesson was on; None where a lesson's link came first."""

    def leave(self) -> None:
        """Whoever begins it again predicts again."""
        self.answers = {place: answer for place, answer in self.answers.items() if place[0] != self.lesson}
        self.skipped = {place for place in self.skipped if place[0] != self.lesson}
        self.lesson, self.step = "", 1

    def awaits(self, number: int) -> bool:
        """Whether the question of this step is neither answered nor skipped."""
        place = self.lesson, number
        return place not in self.answers and place not in self.skipped


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
    query: links.Query = {**lesson.steps[number - 1].query, LESSON: lesson.name, STEP: str(number)}
    if query.get(_DATA) == [ANY_FACES] and ANY_FACES not in known_data.known():
        # Photographs where there are some; a stranger's host has none.
        with_faces = [name for name, one in known_data.known().items() if one.info is not None or one.can_be_drawn]
        query[_DATA] = with_faces[0] if with_faces else SAMPLE_NAME
    return query


def asks_about(name: str, page: str) -> bool:
    """Whether a lesson is on whose step leads to ``pages/<page>.py`` and names this part of it in its link."""
    on = _step_on(page)
    return on is not None and name in on[1].query


def holds_back(page: str) -> bool:
    """Whether ``pages/<page>.py`` stays closed for now: the answer to the step's question would be read there.

    To be asked below the strip, which knows what the address says of the answer.
    """
    on = _step_on(page)
    return on is not None and on[1].predict_first and taking().awaits(on[0])


def _step_on(page: str) -> tuple[int, Step] | None:
    """The number, from 1, of the lesson's step that is on, and that step, where it leads to ``pages/<page>.py``."""
    state = taking()
    lesson = shelf().find(state.lesson) if state.lesson else None
    if lesson is None:
        return None
    number = min(state.step, len(lesson.steps))
    step = lesson.steps[number - 1]
    return (number, step) if step.page == page else None


def show(page: str) -> Place | None:
    """Draw the strip, if a lesson is on, at the top of ``pages/<page>.py``; returns where the visitor wants to go."""
    state, lessons = taking(), None
    if state.going is not None:
        going, state.going = state.going, None
        return going
    if links.given(LESSON):
        lessons = shelf()
        name = links.one_of(LESSON, [one.name for one in lessons.lessons], says=NO_LESSON)
        if name is not None:
            state.lesson = name
            lesson = lessons.find(name)
            state.step = links.whole(STEP, 1, len(lesson.steps) if lesson else 1) or 1
    if not state.lesson:
        # Noted in every run without a lesson, so that it does not matter by which way one begins.
        state.data_outside = st.session_state.get(_DATA)
        return None
    if page == _OVERVIEW:
        return None
    lesson = (lessons or shelf()).find(state.lesson)
    if lesson is None:
        state.lesson = ""
        return None
    with st.container(border=True, gap="xsmall", key="lesson-strip"):
        _step(lesson, state, page)
    return None


def _step(lesson: Lesson, state: Taking, page: str) -> None:
    number = min(state.step, len(lesson.steps))
    step = lesson.steps[number - 1]
    # In few lines: what the step is about lies below them, and is to be seen with them.
    dots = "●" * number + "○" * (len(lesson.steps) - number)
    st.markdown(f":material/school: **{plain(lesson.title)}** · step {number} of {len(lesson.steps)} :small[{dots}]")
    if step.page != page:
        with st.container(horizontal=True, key="lesson-ways"):
            _button("Back to the lesson", ":material/undo:", "back", _lead, lesson, number, kind="primary")
            _end_button(lesson)
        return
    title = plain(step.title)
    st.markdown(f"**{title}{'' if title.endswith(('?', '!', '.')) else '.'}** {step.text}")
    answered = _asked(lesson, number, step, state)
    if not answered and step.predict_first:
        st.caption(FIRST)
    with st.container(horizontal=True, key="lesson-ways"):
        if number > 1:
            _button("Back", ":material/arrow_back:", "previous", _lead, lesson, number - 1)
        if answered and number < len(lesson.steps):
            _button("Next", ":material/arrow_forward:", "next", _lead, lesson, number + 1, kind="primary")
        elif answered:
            _button("Done", ":material/check:", "done", _end, lesson, True, kind="primary")
        elif step.predict_first:
            _button("Skip", ":material/skip_next:", "skip", state.skipped.add, (lesson.name, number))
        if not answered or number < len(lesson.steps):
            _end_button(lesson)


def _end_button(lesson: Lesson) -> None:
    _button("End the lesson", ":material/close:", "end", _end, lesson, False, kind="tertiary")


def _button(label: str, icon: str, key: str, act: Callable[..., None], *args: object, kind: Kind = "secondary") -> None:
    # By what it calls, since that comes before the sidebar's choice of data is drawn.
    st.button(label, icon=icon, key=f"_lesson-{key}", type=kind, on_click=act, args=args)


def begin_button(lesson: Lesson, label: str) -> None:
    """The way to a lesson's first step."""
    _button(label, ":material/play_arrow:", f"begin-{lesson.name}", _lead, lesson, 1)


def _lead(lesson: Lesson, number: int) -> None:
    """To that step, in the run that follows."""
    query = query_of(lesson, number)
    if name := query.pop(_DATA, None):
        # Bound to the sidebar's widget, so it cannot be set with the rest.
        known_data.choose(name if isinstance(name, str) else name[-1])
    taking().going = lesson.steps[number - 1].page, query


def _end(lesson: Lesson, whole: bool) -> None:
    state = taking()
    if whole:
        state.ended.add(lesson.name)
    state.leave()
    _give_data_back(state.data_outside)
    state.going = _OVERVIEW, {}


def _give_data_back(before: str | None) -> None:
    """A lesson chooses data for its steps. Who never chose them would find page after page without faces."""
    known = known_data.known()
    name = before if before in known else next(iter(known), None)
    if name is not None:
        known_data.choose(name)


def _asked(lesson: Lesson, number: int, step: Step, state: Taking) -> bool:
    """The prediction, and after it what is true. Returns whether there is nothing left to answer."""
    if not step.options:
        return True
    place, key = (lesson.name, number), f"_lesson-{lesson.name}-{number}"
    chosen = state.answers.get(place, st.session_state.get(key))
    if chosen not in step.options:
        chosen = _in_address(number, step)
    if chosen is not None:
        if links.given(LESSON):
            links.keep(copy_link.PREDICTED, [_written(number, step.options.index(chosen))], None)
        # What was predicted stays: afterwards one knows.
        state.answers[place] = st.session_state[key] = chosen
    # Drawn also when it is answered: the browser would keep a question that has the focus until another button is
    # pressed, and take it away then, so that the button moves from under the pointer.
    st.pills(
        "Your prediction",
        step.options,
        key=key,
        format_func=plain,
        disabled=chosen is not None,
        label_visibility="collapsed",
    )
    if chosen is None:
        return place in state.skipped
    true = step.options[step.right]
    if chosen == true:
        st.success(f"You said “{plain(chosen)}”, and so it is. {step.reveal}", icon=":material/check:")
    else:
        st.info(f"You said “{plain(chosen)}”; it is “{plain(true)}”. {step.reveal}", icon=":material/lightbulb:")
    return True


def _in_address(number: int, step: Step) -> str | None:
    """What was predicted before the page was loaded again."""
    answers = {_written(number, at): option for at, option in enumerate(step.options)}
    said = links.one_of(copy_link.PREDICTED, answers, NO_ANSWER) if links.given(LESSON) else None
    return None if said is None else answers[said]


def _written(number: int, at: int) -> str:
    """An answer in the address: with its step, since people write another step into an address by hand."""
    return f"{number}-{at + 1}"


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@st.cache_data(show_spinner=False, max_entries=4)
def _shelf(files: tuple[tuple[str, int], ...]) -> Shelf:
    pages = {path.stem for path in (PROJECT_ROOT / "pages").glob("*.py")}
    return read_lessons([Path(path) for path, _ in files], pages)
