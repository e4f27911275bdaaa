"""What the training process does from start to finish; the command line and the Train page both end here."""

from __future__ import annotations

import contextlib
import errno
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from fer_core.errors import FerError, RunError
from fer_core.files import write_json
from fer_core.runs.folder import RunFolder
from fer_core.runs.journal import Journal
from fer_core.runs.recipe import Recipe
from fer_core.runs.transaction import LOCK_FILE
from fer_core.runs.twin import TWIN_FILE, twin_of
from fer_core.runs.visitor import VISITOR_FILE
from fer_core.signals import asked_to_end
from fer_core.training import twins
from fer_core.training.crowd_labels import CrowdLabels, crowd_labels
from fer_core.training.lock import TrainingLock, check_places, reserve
from fer_core.training.resources import check_resources, use_fast_kernels
from fer_core.training.resume_state import LOCAL_FILE, remember_data, remembered_data
from fer_core.training.teachers import SoftLabels, find_teachers, soft_labels
from fer_core.writable import NO_SPACE, reason
from fer_core.zoo.backend import TENSORFLOW, compute_with, not_installed

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset

ALLOWED_BEFORE = {"log.txt", "recipe.json", LOCAL_FILE, VISITOR_FILE, TWIN_FILE, ".lease.json", LOCK_FILE}
"""What a new run folder may hold: the job that starts the process writes these first."""
INTERRUPTED = "interrupted by Ctrl+C, or by a request of the system to end"


def train(recipe: Recipe, data: Path, run_dir: Path, *, twin: bool = False) -> RunFolder:
    """Train ``recipe`` on the dataset folder ``data`` into the new folder ``run_dir``, and complete it.

    ``twin``: note that its twin is to follow, as ``twin.json`` in the folder does; :func:`train_twin` trains that.

    Raises ``RunError`` if the folder is in use, another training runs, memory or disk are too small or nothing can be
    written there; ``RecipeError``, ``DataError``. A failure after the start is written to the journal.
    """
    recipe.validate()
    check_places(run_dir)
    find_teachers(recipe.teachers)
    problems = check_resources(recipe, data)
    if problems:
        raise RunError(" ".join(problems))
    folder = RunFolder(run_dir.resolve())
    if folder.path.exists():
        found = {path.name for path in folder.path.iterdir()} - ALLOWED_BEFORE
        if found:
            raise RunError(
                f"{folder.path} is not empty. Choose another --run-dir, or --resume it if it is an unfinished run."
            )
    folder.path.mkdir(parents=True, exist_ok=True)
    with TrainingLock(folder.path):
        remember_data(folder, data)
        if twin:
            twins.plan(folder.path, recipe)
        write_json(folder.recipe_path, recipe.to_dict())
        _train(folder, data)
        _prepare_twin(folder, data)
    return folder


def resume(run_dir: Path, data: Path | None = None, *, twin: bool = False) -> RunFolder:
    """Go on with a stopped, failed or killed run after its last whole epoch.

    ``data`` is needed only if the dataset has moved. ``twin``: as for :func:`train`. Raises ``RunError`` if the run is
    done, never started, or its dataset is another one now.
    """
    check_places(run_dir)
    folder = RunFolder(run_dir.resolve())
    recipe = folder.recipe()
    manifest = folder.manifest()
    if manifest and manifest["state"] == "done":
        raise RunError(f"{folder.path} is done: all {recipe.epochs} epochs are trained. Start a new run instead.")
    data = data or remembered_data(folder)
    if missing := not_installed(recipe.backend) or not_installed(TENSORFLOW):
        raise RunError(missing)
    with TrainingLock(folder.path):
        remember_data(folder, data)
        if twin and twin_of(folder.path) is None:
            twins.plan(folder.path, recipe)
        folder.manifest_path.unlink(missing_ok=True)
        _train(folder, data)
        _prepare_twin(folder, data)
    return folder


def train_twin(first: RunFolder, data: Path | None = None) -> RunFolder | None:
    """Train the twin that was begun after ``first``, or go on with it; None where there is none to train.

    ``data`` is needed only if the dataset has moved. Raises as :func:`resume` does.
    """
    twin = twins.unfinished_twin(first)
    if twin is None:
        return None
    import keras

    # What the first training has built would stay beside what is built now.
    keras.utils.clear_session()
    return resume(twin.path, data)


def _prepare_twin(first: RunFolder, data: Path) -> None:
    """While the first one's lease is held: whoever looks finds at any moment that one of the two lives."""
    if twins.follows(first) and twins.may_follow(first):
        reserve(twins.prepare(first, data).path)


def _train(folder: RunFolder, data: Path) -> None:
    journal = Journal(folder.journal_path)
    use_fast_kernels()
    try:
        compute_with(folder.recipe().backend)
        _run(folder, data, journal)
    except KeyboardInterrupt:
        journal.write("stopped", epoch=0, reason=INTERRUPTED)
        raise
    except Exception as error:
        if asked_to_end():
            # In the midst of a library's code the request became an error of the library, which nobody needs to read.
            journal.write("stopped", epoch=0, reason=INTERRUPTED)
            raise KeyboardInterrupt from error
        _tell_failure(error, folder, journal)
        raise


def _tell_failure(error: Exception, folder: RunFolder, journal: Journal) -> None:
    """Write into the journal why it failed. Raises ``RunError`` where that says it better than the error itself."""
    if isinstance(error, FerError):
        journal.write("failed", message=str(error))
    elif isinstance(error, MemoryError):
        journal.write("failed", message="memory ran out. Choose a smaller batch size or input size.")
        raise RunError("memory ran out. Choose a smaller batch size or input size.") from error
    elif isinstance(error, OSError) and error.errno in {*NO_SPACE, errno.EROFS}:
        message = f"the run could not be written to {folder.path}: {reason(error)}"
        # A disk that took no model may take no line either. Then log.txt has the message, or nobody.
        with contextlib.suppress(OSError):
            journal.write("failed", message=message)
        raise RunError(message) from error
    else:
        journal.write("failed", message=_defect(error))


def _run(folder: RunFolder, data: Path, journal: Journal) -> None:
    from fer_core.training.pause_and_stop import Control

    control = Control(folder, journal)
    journal.write("phase", name="loading", detail="libraries and faces")
    from fer_core.data.dataset import load_dataset

    dataset = load_dataset(data)
    _check_same_data(folder, dataset.info.fingerprint)
    recipe = folder.recipe().validate()

    from fer_core.data.folds import folds_of
    from fer_core.evaluation.completing import complete_with_tensorflow
    from fer_core.evaluation.evaluate import complete_run
    from fer_core.training.build import choose_precision
    from fer_core.training.loop import Trainer
    from fer_core.zoo.weights import pretrained

    if recipe.initial_weights == "imagenet":
        _fetch_weights(recipe.architecture, journal)
    reason = "chosen in the recipe"
    if recipe.precision == "auto":
        journal.write("phase", name="measuring precision", detail="float32 against mixed_bfloat16")
        precision, reason = choose_precision(recipe)
        recipe = recipe.with_precision(precision)
        write_json(folder.recipe_path, recipe.to_dict())
    if not folder.architecture_path.exists():
        _describe(folder, recipe)
        if recipe.initial_weights != "none":
            journal.write("weights", **pretrained(folder.description(), recipe.initial_weights))
    kept = folds_of(dataset, recipe.folds) != recipe.fold if recipe.folds else None
    soft = _ask_teachers(recipe, folder, dataset, journal)
    crowd = _ask_crowd(folder, dataset, journal) if recipe.labels == "crowd" else None
    if crowd:
        kept = crowd.learnt if kept is None else kept & crowd.learnt
    trainer = Trainer(
        folder,
        recipe,
        dataset,
        kept=kept,
        soft=soft.probabilities if soft else None,
        shares=crowd.shares if crowd else None,
    )
    state = trainer.run(reason)
    # Whatever was asked for has been done, or comes too late: nothing after the last batch waits or stops.
    control.done()
    if not folder.keras_path.exists():
        return  # stopped before the first epoch ended: there is nothing to evaluate, and the journal says so
    if recipe.start_epochs:
        # The best epoch may be one from before the network grew.
        _describe(folder, recipe.at(trainer.progress.best_epoch))
    if recipe.backend == TENSORFLOW:
        complete_run(folder, dataset, state, journal)
    else:
        complete_with_tensorflow(folder, data, state)
    control.done()
    if state == "done":
        folder.resume_path.unlink(missing_ok=True)
        (folder.path / LOCAL_FILE).unlink(missing_ok=True)


def _describe(folder: RunFolder, recipe: Recipe) -> None:
    """Write the layer table of the recipe's network at its final input size."""
    from fer_core.training.build import build_model
    from fer_core.zoo.describe import describe_model
    from fer_core.zoo.registry import get

    size = recipe.input_size or get(recipe.architecture).default_input_size
    plain = build_model(recipe, precision="float32", load=False)
    write_json(folder.architecture_path, describe_model(plain, recipe.architecture, size).to_dict())


def _fetch_weights(architecture: str, journal: Journal) -> None:
    """Have ImageNet's weights in the cache before the network is built; the journal tells how far the download is."""
    from fer_core.zoo.weights import imagenet_file

    last_report = time.monotonic()

    def report(done: int, total: int | None) -> None:
        nonlocal last_report
        if time.monotonic() - last_report >= 1:
            last_report = time.monotonic()
            of = f" of {total / 1e6:.0f}" if total else ""
            journal.write("phase", name="downloading", detail=f"ImageNet weights, {done / 1e6:.0f}{of} MB")

    imagenet_file(architecture, report)


def _ask_teachers(recipe: Recipe, folder: RunFolder, dataset: Dataset, journal: Journal) -> SoftLabels | None:
    """What the recipe's teachers say, and a line in the journal about it; None where there are none.

    Raises ``RunError`` where a training that goes on would find other teachers under the names than it began with.
    """
    if not recipe.teachers:
        return None
    teachers = find_teachers(recipe.teachers)
    records = [teacher.record() for teacher in teachers]
    before = [event for event in folder.events() if event["event"] == "teachers"]
    for record in records:
        if before and record not in before[-1]["teachers"]:
            raise RunError(
                f"the teacher {record['name']} is another model now than when this training began. Bring the old one "
                "back, or start a new run."
            )
    last_report = 0.0

    def tell(detail: str) -> None:
        nonlocal last_report
        if time.monotonic() - last_report >= 5:
            last_report = time.monotonic()
            journal.write("phase", name="asking teachers", detail=detail)

    soft = soft_labels(recipe, teachers, dataset, tell)
    if not before:
        faces = len(soft.probabilities)
        journal.write("teachers", teachers=records, faces=faces, unseen=soft.unseen, agreement=soft.agreement)
    return soft


def _ask_crowd(folder: RunFolder, dataset: Dataset, journal: Journal) -> CrowdLabels:
    """How the crowd divides its votes on the Training faces, and a line in the journal about it.

    Raises ``DataError`` where FER+ is not there, ``RunError`` where a training that goes on would find other votes.
    """
    crowd = crowd_labels(dataset)
    record = crowd.record()
    before = [event for event in folder.events() if event["event"] == "crowd"]
    if before and before[-1]["sha256"] != record["sha256"]:
        raise RunError(
            f"FER+ beside {dataset.info.title} holds other votes now than when this training began. Add the old file "
            "again, or start a new run."
        )
    if not before:
        journal.write(**record)
    return crowd


def _check_same_data(folder: RunFolder, fingerprint: str) -> None:
    starts = [event for event in folder.events() if event["event"] == "start"]
    if starts and starts[-1]["data"]["fingerprint"] != fingerprint:
        raise RunError(
            f"{folder.path} was trained on other data ({starts[-1]['data']['title']}). Resume it with the same "
            "dataset, or start a new run."
        )


def _defect(error: Exception) -> str:
    first = traceback.format_exception_only(error)[-1].strip().splitlines()[0][:300]
    return f"{first} (a defect: the details are in log.txt)"
