"""``faithfulness.json``: do a run's explanations mark what it uses? Measured over many faces, method by method.

The maps are those of the class that the run answers. Each is deleted and inserted beside random orders as coarse as the
map, a round blob in the middle and the face's edges (:mod:`fer_core.explain.faithfulness`), and judged over all faces
(:func:`fer_core.explain.trust.summarise`). LiteRT predicts; only methods that need gradients start the worker process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fer_core.emotions import PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.explain.batch_maps import FaithfulnessPlan, Maps, by_grid, maps_of
from fer_core.explain.blank_maps import blank
from fer_core.explain.faithfulness import Curves, Faithfulness, measure_maps
from fer_core.explain.methods import METHODS, method
from fer_core.explain.trust import Row, Summary, summarise
from fer_core.files import write_json
from fer_core.progress import Progress, ProgressCallback
from fer_core.reading import UnreadableError, read_plain
from fer_core.runs import measurements
from fer_core.runs.folder import SCHEMA, RunFolder
from fer_core.stats.paired_tests import Difference
from fer_core.stats.sampling import stratified
from fer_core.value_types import JsonObject

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset
    from fer_core.explain.worker.client import Worker

RULE = 1
"""Raise it whenever what is stored changes its meaning."""
FILE = "faithfulness.json"
WITHOUT_GRADIENTS = tuple(name for name, one in METHODS.items() if one.where != "worker")


@dataclass(frozen=True)
class MethodFaithfulness:
    """One method of one run. ``blank``: faces left out because the map says nothing. ``grid``: of random orders.

    ``seconds``: what the maps took, all together.
    """

    summary: Summary
    blank: int
    grid: tuple[int, int]
    seconds: float


@dataclass(frozen=True)
class Explained:
    """What ``faithfulness.json`` holds: the methods by name, in the order of :data:`METHODS`."""

    about: measurements.About
    plan: FaithfulnessPlan
    faces: int
    machine: str
    methods: dict[str, MethodFaithfulness] = field(default_factory=dict)


def measure_faithfulness(
    folder: RunFolder,
    dataset: Dataset,
    methods: Sequence[str] = WITHOUT_GRADIENTS,
    *,
    plan: FaithfulnessPlan | None = None,
    again: bool = False,
    worker: Worker | None = None,
    progress: ProgressCallback | None = None,
) -> Explained:
    """Measure a run or a vote, and keep the result in its ``faithfulness.json``, listed in ``run.json``.

    Methods that the file has already, measured in the same way, are kept and not measured again unless ``again``. What
    is done is kept at once, so that an interrupted command can be given again. ``worker`` draws the maps that need
    gradients; without one, one is started and stopped.

    Raises ``RunError`` where the run is not complete or was measured on other faces, or the dataset has no PublicTest
    face; ``ExplainError`` for an unknown method or one that this run cannot have; ``ValueError`` for a plan that makes
    no sense.
    """
    from fer_core.evaluation.measure import machine_text  # as load_model: 0.2 s, and readers do not predict
    from fer_core.inference.models import load_model

    plan = plan or FaithfulnessPlan()
    names = [method(name).name for name in methods]
    measurements.evaluation_on(folder, dataset.info.fingerprint, dataset.info.path)
    public = dataset.rows(PUBLIC_TEST)
    if not len(public):
        raise RunError(f"{dataset.info.path} has no {PUBLIC_TEST} faces, which are what maps are measured on.")
    rows = public[stratified(dataset.labels[public], plan.n, seed=plan.seed)]
    about = measurements.About(RULE, measurements.model_of(folder), dataset.info.record(), PUBLIC_TEST, len(public))
    known = {} if again else _measured_already(folder, about, plan)
    result = Explained(about, plan, len(rows), machine_text(), known)
    missing = [name for name in names if name not in known]
    if not missing:
        return result
    predictor = load_model(folder.path)
    faces = np.asarray(dataset.images[rows])
    classes = predictor.predict(faces).argmax(axis=1)
    for grid, group in by_grid(missing, predictor).items():
        maps, seconds = {}, {}
        for name in group:
            began = time.monotonic()
            maps[name] = maps_of(folder, predictor, faces, classes, name, plan, worker, progress)
            seconds[name] = time.monotonic() - began
        found = measure_maps(
            predictor.predict,
            faces,
            maps,
            orders=plan.orders,
            grid=grid,
            steps=plan.steps,
            seed=plan.seed,
            progress=_prefixed(progress, f"{folder.name}, deleting and inserting"),
        )
        for name in group:
            result.methods[name] = _judged(found, name, classes, maps[name], grid, seconds[name])
        _write(folder, result)
    return read_faithfulness(folder, dataset.info.fingerprint) or result


def read_faithfulness(folder: RunFolder, fingerprint: str | None = None) -> Explained | None:
    """What was measured on the faces of that evaluation of the run; None where nobody asked for it.

    Raises ``RunError`` when the file is damaged, or is about another model or other faces than the rest of the run.
    """
    evaluation = folder.evaluation_with(FILE, fingerprint)
    if evaluation is None:
        return None
    path = evaluation.faithfulness_path
    try:
        result = _from_dict(read_plain(path))
    except (KeyError, TypeError, ValueError, AttributeError, UnreadableError) as error:
        raise RunError(
            f"{path} cannot be used: it is damaged ({error}). Measure again with: {measurements.command(folder, FILE)}"
        ) from error
    measurements.check_fresh(folder, evaluation, FILE, result.about, RULE)
    return result


def _measured_already(
    folder: RunFolder, about: measurements.About, plan: FaithfulnessPlan
) -> dict[str, MethodFaithfulness]:
    """What the folder has already of the very same measurement."""
    try:
        found = read_faithfulness(folder, about.fingerprint)
    except RunError:
        return {}  # damaged or outdated, and about to be written anew
    return dict(found.methods) if found is not None and (found.about, found.plan) == (about, plan) else {}


def _judged(
    found: Faithfulness,
    name: str,
    classes: npt.NDArray[np.integer],
    maps: Maps,
    grid: tuple[int, int],
    seconds: float,
) -> MethodFaithfulness:
    """The verdict over the faces whose map says something: one that says nothing is a random order, not a map."""
    informative = ~blank(maps)
    traced = found.curves
    part = Faithfulness(
        found.names, found.orders, Curves(traced.fractions, traced.deletion[informative], traced.insertion[informative])
    )
    return MethodFaithfulness(
        summarise(part, name, classes[informative]), int((~informative).sum()), grid, round(seconds, 1)
    )


def _prefixed(progress: ProgressCallback | None, message: str) -> ProgressCallback | None:
    if progress is None:
        return None
    report: Callable[[Progress], None] = progress
    return lambda one: report(Progress(one.done, one.total, one.unit, one.seconds_left, message))


def as_json(result: Explained) -> JsonObject:
    """Plain values, as they stand in the file."""
    methods = {
        name: {
            "verdict": one.summary.verdict,
            "n": one.summary.n,
            "untestable": one.summary.untestable,
            "silent": one.blank,
            "grid": list(one.grid),
            "seconds": one.seconds,
            "sentences": list(one.summary.sentences),
            "rows": [asdict(row) for row in one.summary.rows],
        }
        for name, one in result.methods.items()
    }
    return {
        "schema": SCHEMA,
        "about": result.about.to_dict(),
        "plan": asdict(result.plan),
        "faces": result.faces,
        "machine": result.machine,
        "methods": {name: methods[name] for name in METHODS if name in methods},
    }


def _write(folder: RunFolder, result: Explained) -> None:
    measurements.keep(folder, result.about.fingerprint, FILE, lambda path: write_json(path, as_json(result)))


def _from_dict(value: dict[str, Any]) -> Explained:
    """Raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything that :func:`_write` never wrote."""
    methods = {
        name: MethodFaithfulness(
            Summary(
                one["verdict"],
                int(one["n"]),
                int(one["untestable"]),
                tuple(
                    Row(
                        **{
                            **row,
                            "deletion": Difference(**row["deletion"]),
                            "insertion": Difference(**row["insertion"]),
                        }
                    )
                    for row in one["rows"]
                ),
                tuple(one["sentences"]),
            ),
            int(one["silent"]),
            (int(one["grid"][0]), int(one["grid"][1])),
            float(one["seconds"]),
        )
        for name, one in value["methods"].items()
        if name in METHODS
    }
    about = measurements.About.from_dict(value["about"])
    return Explained(about, FaithfulnessPlan(**value["plan"]), int(value["faces"]), str(value["machine"]), methods)
