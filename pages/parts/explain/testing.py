"""Maps are tested beside the page, on a thread that serves visitors in turn; the verdicts come when they are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st

from fer_core.emotions import NAMES
from fer_core.errors import BusyError
from fer_core.explain.background import Background
from fer_core.explain.blank_maps import why_blank
from fer_core.explain.faithfulness import Effort, Faithfulness, measure_maps
from fer_core.explain.task import CANCELLED, DONE, Task
from fer_core.fair_queue import Lane
from fer_core.formatting import ordinal, plural
from fer_core.progress import ProgressCallback
from pages.parts import access, messages, queue
from pages.parts.chosen_face import ChosenFace
from pages.parts.face_answers import Answer, Seal
from pages.parts.fragments import fragment

LOOK_S = 0.5
"""Seconds between two looks at tests that are not done."""
_ASKED = "_explain_tests_asked"
FORGOTTEN_S = 20.0
"""Who has gone to another face or page no longer looks: their tests make room for those of others."""


@dataclass(frozen=True)
class TestKey:
    """A test as caches know it: ``face`` and ``seal`` of the model, the ``classes`` 0..6 and the effort."""

    face: str
    seal: Seal
    classes: tuple[int, ...]
    effort: Effort


@dataclass(frozen=True, eq=False)
class MapTest:
    """The test of those maps of a model, for one face and the ``classes`` (0..6), that say something."""

    about: ChosenFace
    answer: Answer
    classes: tuple[int, ...]
    effort: Effort

    @property
    def result(self) -> Faithfulness | None:
        """What was measured, by whomever; None before, and where no map says anything."""
        task = self._task()
        return task.result(0) if task is not None and task.stage == DONE else None

    @property
    def waiting(self) -> bool:
        """Whether there is something to come."""
        task = self._task()
        return bool(self.classes) and (task is None or not task.over or task.stage == CANCELLED)

    @property
    def problem(self) -> str:
        """Why there is no result and will be none; else empty."""
        task = self._task()
        return messages.words(task.message) if task is not None and not self.waiting else ""

    @property
    def place(self) -> int:
        """1 for the test that is done next, and so on; 0 for one that runs or is over."""
        task = self._task()
        return 0 if task is None else background().position(task)

    def begin(self) -> None:
        """See to it that it is made. Raises ``BusyError`` where too much waits already."""
        if self.waiting:
            background().submit(self.key, self._measure, access.person().token)

    def _measure(self, hear: ProgressCallback) -> Faithfulness:
        maps = {NAMES[label]: self.answer.maps[label][np.newaxis] for label in self.classes}
        return measure_maps(
            self.answer.model.predict,
            self.about.image[np.newaxis],
            maps,
            orders=self.effort.orders,
            steps=self.effort.steps,
            grid=self.answer.grid,
            progress=hear,
        )

    @cached_property
    def key(self) -> TestKey:
        """What makes it another test than others."""
        return TestKey(self.about.key, self.answer.seal, self.classes, self.effort)

    def _task(self) -> Task | None:
        return background().find(self.key)


def plan_test(about: ChosenFace, answer: Answer, classes: Sequence[int], effort: Effort) -> MapTest:
    """The test of a model's maps for those of the ``classes`` whose map says something."""
    speaking = {label for label in classes if why_blank(answer.maps[label]) is None}
    return MapTest(about, answer, tuple(sorted(speaking)), effort)


@st.cache_resource(show_spinner=False)
def background() -> Background:
    """The one thread of this server that tests maps. About 50 KB each."""
    return Background(400, queue.QUEUE, lane=Lane.QUICK, forgotten_s=FORGOTTEN_S)


def panel(tests: Sequence[MapTest]) -> None:
    """Begin the tests and say how far they are; draws the page anew when all of them are over.

    They begin half a second late: who goes on to the next face at once has no use for them.
    """
    for problem in sorted({test.problem for test in tests} - {""}):
        st.warning(f"A test failed: {problem}", icon=":material/error:")
    waiting = [test for test in tests if test.waiting]
    if waiting:
        fragment(_look, every=LOOK_S)(tuple(waiting))


def _look(tests: tuple[MapTest, ...]) -> None:
    asked = tuple(test.key for test in tests)
    if st.session_state.get(_ASKED) == asked:
        try:
            for test in tests:
                test.begin()
        except BusyError as error:
            queue.say_busy(error)
            return
    st.session_state[_ASKED] = asked
    left = [test for test in tests if test.waiting]
    if not left:
        st.rerun()
    place = min(test.place for test in left)
    where = f": {ordinal(place)} in the queue" if place else ""
    st.caption(f":material/hourglass_top: Testing the maps of {plural(len(left), 'model')}{where} …")
