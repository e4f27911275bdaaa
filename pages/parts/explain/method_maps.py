"""Maps by several methods: which are asked for, where each comes from, what is there already, and its test."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.errors import ExplainError
from fer_core.explain.background import Work
from fer_core.explain.blank_maps import why_blank
from fer_core.explain.faithfulness import QUICK, measure_maps
from fer_core.explain.methods import CLASS_MAP, OCCLUSION, RISE, Method
from fer_core.explain.occlusion import Occlusion, occlusion, patches, starts
from fer_core.explain.rise import GRID, Rise, rise
from fer_core.explain.task import DONE
from fer_core.explain.trust import Judgement, judge
from fer_core.explain.worker.messages import map_request
from fer_core.fair_queue import Lane
from fer_core.progress import ProgressCallback
from fer_core.runs.folder import RunFolder
from pages.parts import access, messages, queue
from pages.parts.chosen_face import ChosenFace
from pages.parts.explain import worker
from pages.parts.explain.worker import Asked, Here
from pages.parts.face_answers import Answer, cache_key
from pages.parts.result_cache import ResultCache

Values = npt.NDArray[np.floating]
NO_ROOM = "This server has too little memory left to compute gradients: see above."


@dataclass(frozen=True)
class Options:
    """``patch`` and ``stride`` of occlusion in pixels, stride at most patch; ``masks`` of RISE."""

    patch: int
    stride: int
    masks: int

    def of(self, name: str) -> tuple[int, ...]:
        """Those that this method depends on."""
        return (self.patch, self.stride) if name == OCCLUSION else (self.masks,)

    def predictions(self, name: str) -> int:
        """What this method asks of a model for one face."""
        return len(patches(self.patch, self.stride)) + 1 if name == OCCLUSION else self.masks + 1


@dataclass(frozen=True, eq=False)
class Cell:
    """One map that is asked for: of one model, for class ``label``, by one method.

    ``asked``: what the worker, or the thread in this process, knows it by; None where it comes with the answer, or
    cannot be had at all, for which ``problem`` gives the reason.
    """

    answer: Answer
    label: int
    method: Method
    options: Options
    asked: Asked | None
    problem: str = ""

    @property
    def key(self) -> tuple[Hashable, ...]:
        """What makes it another map than others of the same face."""
        return (cache_key(self.answer.model), self.label, self.method.name, self.asked)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A map that is there: (h, w), the cells it has, and a sentence about how it was made."""

    values: Values
    grid: tuple[int, int]
    note: str


def plan_maps(
    about: ChosenFace, answer: Answer, label: int, methods: Sequence[Method], layer: str, options: Options
) -> list[Cell]:
    """The maps of one model. ``layer``: for methods that look at one; empty for the last."""
    cells = []
    no_room = worker.worker().no_room()
    for one in methods:
        asked: Asked | None = None
        problem = ""
        if one.where == "worker":
            folder = RunFolder(answer.model.path.parent)
            try:
                asked = map_request(folder, about.image, label, one.name, at=layer if one.layered else "")
            except ExplainError as error:
                problem = messages.words(error)
            if asked is not None and no_room and not _known(asked):
                asked, problem = None, NO_ROOM
        elif one.where == "litert":
            # Without the class: one pass gives the maps of all seven.
            title = f"{one.title} of {answer.name}"
            asked = Here(title, about.key, cache_key(answer.model), one.name, options.of(one.name))
        cells.append(Cell(answer, label, one, options, asked, problem))
    return cells


def _known(asked: Asked) -> bool:
    """Whether it is drawn, or on its way."""
    task = worker.find_task(asked)
    return task is not None and (not task.over or task.stage == DONE)


def drawn(about: ChosenFace, cell: Cell) -> Drawn | None:
    """The map, if it is there."""
    if cell.problem:
        return None
    if cell.method.name == CLASS_MAP:
        return Drawn(cell.answer.maps[cell.label], cell.answer.grid, "")
    task = None if cell.asked is None else worker.find_task(cell.asked)
    if task is None or not task.over or task.stage != DONE:
        return None
    result = task.result(0)
    if isinstance(result, Rise):
        return Drawn(result.maps[cell.label], (GRID, GRID), result.enough(cell.label))
    if isinstance(result, Occlusion):
        steps = len(starts(cell.options.patch, cell.options.stride))
        worst = 100 * float(result.drops[0, :, cell.label].max())
        note = f"The square that matters most takes {worst:.1f} points of probability away."
        return Drawn(result.maps[0, cell.label], (steps, steps), note)
    at = f"At {task.request.layer}. " if task.request.layer else ""
    return Drawn(result.values, result.grid, f"{at}Drawn in {result.seconds:.1f} s.")


def why_not(cell: Cell) -> str:
    """What stands in the place of a map that is not there."""
    if cell.problem:
        return cell.problem
    if cell.asked is not None and (task := worker.find_task(cell.asked)) is not None:
        return messages.words(task.message) if task.over else "To come: see above how far it is."
    return "Not drawn yet."


def missing(cells: Sequence[Cell]) -> list[Cell]:
    """Those that could be drawn, and neither are nor are being drawn."""
    left = []
    for cell in cells:
        if cell.asked is not None and not _known(cell.asked):
            left.append(cell)
    return left


def request_maps(about: ChosenFace, cells: Sequence[Cell]) -> None:
    """Have these drawn: by the worker, or by the thread in this process. Returns at once.

    Raises ``BusyError`` where the server begins no more; those before stay asked for.
    """
    owner = access.person().token
    for cell in cells:
        if isinstance(cell.asked, Here):
            worker.background().submit(cell.asked, _work(about, cell), owner)
        elif cell.asked is not None:
            worker.worker().submit(cell.asked, owner)


def _work(about: ChosenFace, cell: Cell) -> Work:
    predict, options, name = cell.answer.model.predict, cell.options, cell.method.name

    def work(progress: ProgressCallback) -> Occlusion | Rise:
        if name == OCCLUSION:
            return occlusion(predict, about.image, patch=options.patch, stride=options.stride, progress=progress)
        if name == RISE:
            return rise(predict, about.image, n=options.masks, progress=progress)
        raise ValueError(f"{name} is not drawn here")

    return work


def verdicts(about: ChosenFace, cells: Sequence[Cell]) -> dict[str, Judgement]:
    """The test of each map of one model that says something, by method; measured once for all visitors.

    Random orders are as coarse as the map they are compared with, so each grid has its own.
    """
    groups: dict[tuple[int, int], list[tuple[Cell, Drawn]]] = {}
    for cell in cells:
        found = drawn(about, cell)
        if found is not None and why_blank(found.values) is None:
            groups.setdefault(found.grid, []).append((cell, found))
    judged = {}
    for grid, members in groups.items():
        key = (about.key, grid, tuple(cell.key for cell, _ in members))
        result = _tests().get(key)
        if result is None:
            with queue.turn(Lane.QUICK, "The tests of these maps wait"):
                tested = measure_maps(
                    members[0][0].answer.model.predict,
                    about.image[np.newaxis],
                    {cell.method.name: found.values[np.newaxis] for cell, found in members},
                    orders=QUICK.orders,
                    steps=QUICK.steps,
                    grid=grid,
                )
            result = {cell.method.name: judge(tested, cell.method.name, cell.label) for cell, _ in members}
            _tests().put(key, result)
        judged.update(result)
    return judged


@st.cache_resource(show_spinner=False)
def _tests() -> ResultCache[dict[str, Judgement]]:
    return ResultCache(600)
