"""A stranger's model made a run: opened in its own process, tried, adapted, sealed, measured. All of it or nothing."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import psutil

from fer_core.bring.adapter import SCALE_NAMES, scale_called
from fer_core.bring.bounds import OWNERS, VISITORS, Bounds
from fer_core.bring.evidence import Choice, choose, kept
from fer_core.bring.history import is_tensorboard, read_foreign_history, rows_of, write_foreign_history
from fer_core.bring.messages import Built
from fer_core.bring.naming import title_of
from fer_core.bring.orders import DECLARED, NAMED
from fer_core.bring.session import Session
from fer_core.emotions import IMAGE_SIZE, PRIVATE_TEST, PUBLIC_TEST, TEST_SPLITS, TRAINING
from fer_core.errors import ModelError, RunError
from fer_core.evaluation.measure import untrained_manifest
from fer_core.evaluation.measure_litert import measure_with_litert
from fer_core.files import sha256_of, write_json
from fer_core.inference.interpreter import CHUNK, interpreter_of
from fer_core.progress import Progress, ProgressCallback
from fer_core.runs.card import write_card
from fer_core.runs.contracts import AdapterRecord, EvidenceRecord, ImportRecord, Metrics
from fer_core.runs.folder import RunFolder, seal
from fer_core.runs.journal import utc_now
from fer_core.runs.reading import shown
from fer_core.runs.transaction import new_folder
from fer_core.runs.visitor import write_visitor

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset

SCHEMA = 1
ARCHITECTURE = "imported"
TRIED_FACES = 400
"""Two orders that differ in how they name two classes are told apart by some hundred faces."""
COLOURS = ("1", "rgb", "bgr")
MODEL_FILES = ("model.keras", "model.tflite", "architecture.json")


@dataclass(frozen=True)
class Said:
    """What somebody said about a model; empty where nothing.

    Attributes:
        classes: names of the columns in their order, with commas between, or one of the orders' names.
        scale: one of :data:`fer_core.bring.adapter.SCALE_NAMES`.
        colours: one of :data:`COLOURS`: how many channels, and for three which colour comes first.
        weights: the file of the weights of an architecture in JSON.
    """

    classes: str = ""
    scale: str = ""
    colours: str = ""
    weights: Path | None = None

    def check(self) -> None:
        """Raises ``ModelError`` for a scale or colours that nobody knows. The classes can be checked only later."""
        if self.scale and self.scale not in SCALE_NAMES:
            raise ModelError(f"no scale is called {self.scale!r}. Known: {', '.join(SCALE_NAMES)}.")
        if self.colours and self.colours not in COLOURS:
            raise ModelError(f"channels are {', '.join(COLOURS)}, not {self.colours!r}.")

    @property
    def order(self) -> str:
        """The name under which the order that was said is tried; empty where none was."""
        text = self.classes.strip().lower()
        return text if text in ("", *NAMED) else DECLARED


@dataclass(frozen=True)
class Brought:
    """What became of a model.

    Attributes:
        folder: its run.
        record: its ``import.json``.
        built: parity, and why there are no class maps where there are none.
        metrics: how it does on the dataset; None where that has no test faces.
        network_cut: whether it was opened without a network.
    """

    folder: RunFolder
    record: ImportRecord
    built: Built
    metrics: Metrics | None
    network_cut: bool


def faces_to_try(dataset: Dataset, most: int = TRIED_FACES) -> tuple[npt.NDArray[np.intp], str]:
    """Rows of labelled faces to try a model on, ascending, and their split: PublicTest, where that has any.

    Otherwise Training, and PrivateTest only where nothing else is there. Drawn at random, always the same.
    """
    for split in (PUBLIC_TEST, TRAINING, PRIVATE_TEST):
        rows = dataset.rows(split)
        if len(rows):
            drawn = np.random.default_rng(0).choice(rows, min(most, len(rows)), replace=False)
            return np.sort(drawn), split
    raise ModelError(f"{dataset.info.path} has no faces to try a model on.")


def try_model(
    source: Path,
    dataset: Dataset,
    said: Said | None = None,
    *,
    events: Path | None = None,
    bounds: Bounds = OWNERS,
    told: Callable[[str], None] = lambda words: None,
) -> Session:
    """Open a model and try it; the caller closes what is returned. ``events``: its history, TensorBoard's files.

    Raises ``ModelError``.
    """
    said = said or Said()
    said.check()
    rows, _ = faces_to_try(dataset)
    session = Session(
        source,
        np.asarray(dataset.images[rows]),
        dataset.labels[rows],
        weights=said.weights,
        classes=said.classes,
        scale=said.scale,
        colours=said.colours if said.colours != "1" else "",
        told=told,
        events=events,
        bounds=bounds,
    )
    if said.colours and (session.trial["channels"] == 1) != (said.colours == "1"):
        session.close()
        raise ModelError(f"{shown(source)} takes {session.trial['channels']} channels, not {said.colours}.")
    return session


def bring_model(
    source: Path,
    dataset: Dataset,
    out: Path,
    said: Said | None = None,
    *,
    title: str = "",
    history: Path | None = None,
    visitor: str | None = None,
    told: Callable[[str], None] = lambda words: None,
    progress: ProgressCallback | None = None,
) -> Brought:
    """Make the new run folder ``out`` of a model, and measure it on ``dataset``.

    ``history``: of its training, see :mod:`fer_core.bring.history`. ``visitor``: the mark of the visitor of a hosted
    app who brings it; theirs are opened within narrower bounds. Raises ``ModelError``
    (:class:`~fer_core.bring.evidence.UndecidedError` where somebody has to say which order or scale it is) or
    ``RunError``, with nothing left behind.
    """
    said = said or Said()
    if out.exists():
        raise RunError(f"{out} is there already. Choose another name.")
    bounds = VISITORS if visitor is not None else OWNERS
    events = history if history and is_tensorboard(history) else None
    epochs = read_foreign_history(history) if history and not events else []
    digest = hash_of(source)
    with try_model(source, dataset, said, events=events, bounds=bounds, told=told) as session:
        if events:
            epochs = rows_of(session.history, shown(events))
        choice = choose(session.trial, named=said.order, scale=said.scale)
        files, built = session.build(choice, title or title_of(None, source))
        record = _record(source, digest, dataset, session, choice, built)
        with new_folder(out) as new:
            for name in MODEL_FILES:
                if (files / name).is_file():
                    shutil.copyfile(files / name, new / name)
            folder = RunFolder(new)
            if visitor is not None:
                write_visitor(new, visitor, bounds.seconds)
            write_json(new / "import.json", dict(record))
            if epochs:
                write_foreign_history(folder.history_path, epochs)
            told("measuring it")
            if bounds.asked is not None:
                _check_asking(folder.tflite_path, bounds.asked)
            name = title or title_of(None, source)
            metrics = _sealed_and_measured(folder, out.name, name, dataset, len(epochs), progress)
        cut = session.network_cut
    return Brought(RunFolder(out), record, built, metrics, cut)


def hash_of(source: Path) -> str:
    """SHA-256 of a file; of a folder, of the names and hashes of all its files. Raises ``ModelError``."""
    try:
        if not source.is_dir():
            return sha256_of(source)
        digest = hashlib.sha256()
        for path in sorted(path for path in source.rglob("*") if path.is_file()):
            digest.update(f"{path.relative_to(source).as_posix()}\n{sha256_of(path)}\n".encode())
        return digest.hexdigest()
    except FileNotFoundError:
        raise ModelError(f"there is no file {shown(source)}.") from None
    except OSError as error:
        raise ModelError(f"{shown(source)} cannot be read: {error.strerror or error}.") from None


def _check_asking(path: Path, most: float) -> None:
    """Raises ``ModelError`` where LiteRT takes more than ``most`` bytes to answer a batch. It is asked in here, where
    it disturbs nobody.
    """
    before = psutil.Process().memory_info().rss
    interpreter_of(path, 1).run(np.zeros((CHUNK, IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8))
    if (taken := psutil.Process().memory_info().rss - before) > most:
        raise ModelError(
            f"it takes {taken / 1e6:,.0f} MB of memory to answer {CHUNK} faces, and {most / 1e6:,.0f} MB is the most "
            "that a visitor's model may take here. A smaller network, or one for smaller pictures, can be brought."
        )


def _record(
    source: Path, digest: str, dataset: Dataset, session: Session, choice: Choice, built: Built
) -> ImportRecord:
    trial = session.trial
    adapter = AdapterRecord(
        height=trial["height"],
        width=trial["width"],
        channels=trial["channels"],
        scale=choice.scale,
        pixels=scale_called(choice.scale).words,
        output=choice.output,
        maps=built["maps"],
    )
    if built["step"]:
        adapter["step"] = built["step"]
    return ImportRecord(
        schema=SCHEMA,
        source=shown(source.name)[:200],
        sha256=digest,
        kind=session.kind + (f", saved by Keras {session.keras}" if session.keras else ""),
        created=utc_now(),
        order=choice.order.name,
        classes=list(choice.order.classes),
        left_out=list(choice.order.left_out),
        missing=list(choice.order.missing),
        evidence=EvidenceRecord(
            data=dataset.info.record(),
            split=faces_to_try(dataset)[1],
            faces=trial["faces"],
            most_frequent=trial["most_frequent"],
            fits=kept(trial),
            chosen_by="owner" if choice.by_owner else "evidence",
        ),
        adapter=adapter,
    )


def _sealed_and_measured(
    folder: RunFolder, name: str, title: str, dataset: Dataset, epochs: int, progress: ProgressCallback | None
) -> Metrics | None:
    """``run.json``, the evaluation where the dataset has test faces, and the card."""
    seal(folder, untrained_manifest(name, title, ARCHITECTURE, dataset, epochs=epochs))

    def renamed(report: Progress) -> None:
        # It is prepared under a name that nobody knows.
        if progress is not None:
            progress(replace(report, message=report.message.replace(folder.name, name)))

    metrics = None
    if any(len(dataset.rows(split)) for split in TEST_SPLITS):
        metrics = measure_with_litert(folder, dataset, renamed)
    write_card(folder)
    return metrics
