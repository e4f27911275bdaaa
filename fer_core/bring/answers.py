"""Only answers: what a model elsewhere said of a dataset's faces, checked, understood, scored, and sealed as a run.

:func:`look` finds out which faces the answers are about and in which order they name the classes, and decides nothing
in silence; :func:`bring` makes a run of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fer_core.bring.answer_files import read_answers
from fer_core.bring.answer_rows import places
from fer_core.bring.answer_trial import FEWEST_TRIED, Reading, ToTry, only
from fer_core.bring.answer_values import ANSWERS, all_listed, taken_for_ferplus, understood
from fer_core.bring.orders import ALPHABETICAL, BEST, DECLARED, FER, FERPLUS_ORDER, Fit, Order, parse_order, rearranged
from fer_core.emotions import PRIVATE_TEST, TEST_SPLITS
from fer_core.errors import ModelError, RunError
from fer_core.evaluation.measure import measure, open_rows, seal_measured, untrained_manifest, write_test_predictions
from fer_core.files import sha256_of, write_json
from fer_core.formatting import percent, plural
from fer_core.runs.card import write_card
from fer_core.runs.contracts import EvidenceRecord, FitRecord, ImportRecord, Metrics
from fer_core.runs.evaluations import FOLDER, PREDICTIONS, folder_name
from fer_core.runs.folder import RunFolder, seal
from fer_core.runs.journal import utc_now
from fer_core.runs.ledger import last_look, sealed, write_look
from fer_core.runs.reading import shown
from fer_core.runs.transaction import change, new_folder
from fer_core.runs.visitor import write_visitor

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset

TRIED_NOTE = "the order of the classes of answers from elsewhere was tried on it"
"""What the ledger says of a look that was needed before anything was scored."""
_OWNERS_SPLIT = "answers for PrivateTest, which only the owner of this app opens."
ARCHITECTURE = "answers"
"""Stands in ``run.json`` where that of a trained run names its architecture."""


class ClosedError(ModelError):
    """The order of the classes can only be tried on a sealed PrivateTest, and nobody has said that it may be opened."""


@dataclass(frozen=True, eq=False)
class Look:
    """What a file of answers was understood to be.

    Attributes:
        source: the file, of which ``sha256`` was read.
        kind: one of the kinds above.
        rows: int64 (n,), rising: the test faces that the answers are about.
        splits: the splits of which every face has an answer. Only these are scored.
        probabilities: float64 (n, K), in the file's own order of classes.
        tried_on: the split of the faces on which the orders were tried, ``tried`` of them.
        fits: how each order does, the best first.
        assumed: the order as the file declares it, or FER-2013's own where it does not, or what the owner said.
        by_owner: whether the owner said it.
        notes: a sentence each for what was left out, or found out.
    """

    source: Path
    sha256: str
    kind: str
    rows: npt.NDArray[np.int64]
    splits: tuple[str, ...]
    probabilities: npt.NDArray[np.float64]
    tried_on: str
    tried: int
    most_frequent: float
    fits: tuple[Fit, ...]
    assumed: Fit
    by_owner: bool
    notes: tuple[str, ...]

    @property
    def likeliest(self) -> Fit:
        """The best order; a published one in place of the matching where that is no better by more than chance."""
        best = self.fits[0]
        named = [one for one in self.fits if one.order.name not in (BEST, DECLARED)]
        return named[0] if best.order.name == BEST and named and not best.beats(named[0]) else best

    @property
    def doubtful(self) -> bool:
        """Whether another order does better than the assumed one by more than chance, and nobody said which it is."""
        return not self.by_owner and self.likeliest.beats(self.assumed)

    def question(self) -> str:
        """What to ask where it is doubtful: a sentence, with what to type."""
        likely = self.likeliest
        declared = "as its columns are called" if self.assumed.order.name == DECLARED else "in FER-2013's own order"
        return (
            f"The order of the classes is in doubt: {declared}, {percent(self.assumed.accuracy)} of "
            f"{self.tried:,} faces of {self.tried_on} are right; {in_words(likely.order)}, {percent(likely.accuracy)}. "
            f"Say which it is: --classes {typed(likely.order)}"
        )


def in_words(order: Order) -> str:
    """``in alphabetical order``, ``as angry, fear, …``."""
    if order.name in (BEST, DECLARED):
        return f"as {', '.join(order.classes)}"
    return {FER: "in FER-2013's own order", ALPHABETICAL: "in alphabetical order"}.get(
        order.name, f"in the order {order.name}"
    )


def typed(order: Order) -> str:
    """What to type for an order, after ``--classes``."""
    return ",".join(order.classes) if order.name in (BEST, DECLARED) else order.name


def look(
    path: Path, dataset: Dataset, *, classes: str = "", split: str = "", visitor: bool = False, out: Path | None = None
) -> Look:
    """Read a file of answers about faces of ``dataset``, check it, and try the orders of classes.

    ``classes``: what the owner says of the columns: names with commas between, or one of
    :data:`fer_core.bring.orders.NAMED`. ``split``: which split's faces the lines are about, where the file has neither
    row numbers nor names. ``visitor``: whether a visitor of a hosted app asks, for whom nobody opens PrivateTest where
    it is sealed.

    What is found tells how many answers are right. So where the orders can be tried on nothing but a sealed
    PrivateTest, that is a look: with ``out``, the folder that the run is to have, the ledger gets a line of it first,
    and without it :class:`ClosedError` is raised. Raises ``ModelError`` for anything that does not hold together, and
    ``RunError`` where the ledger cannot be written.
    """
    table = read_answers(path)
    values, declared, kind, notes = understood(table, classes, path)
    every = table.values is not None and all_listed(classes, table.values.shape[1])
    said = declared if every else parse_order(classes, values.shape[1]) if classes else None
    closed = sealed(dataset)
    about = [
        reading
        for rows, lines, words in places(table, dataset, split, path)
        if (reading := Reading.of(rows, lines, words, dataset)) is not None
    ]
    if not about:
        raise ModelError("Its answers are all about Training faces, and only test faces are scored. Answer for those.")
    if visitor and closed and all(one.answers_for == (PRIVATE_TEST,) for one in about):
        raise ModelError(f"{shown(path)} {_OWNERS_SPLIT} Bring answers for PublicTest.")
    if closed and len(about) == 1 and about[0].needs_private_test:
        _covered(about[0].rows, dataset, path)
        _open_private_test(path, dataset, out, visitor=visitor)
        closed = False
    chosen = only(about, ToTry(values, declared, said), dataset, path, closed=closed)
    if taken_for_ferplus(table, classes) and chosen.fits[0].beats(chosen.assumed):
        # Three of the ten are none of the seven, and which they are cannot be tried.
        raise ModelError(
            f"{shown(path)} has ten columns without names, and they seem to be in another order than FER+'s: so "
            f"{percent(chosen.assumed.accuracy)} of {chosen.assumed.n:,} faces of {chosen.split} are right, and more "
            "in another. Name them all in their order, after --classes or as a table's columns; or say --classes "
            f"{FERPLUS_ORDER}."
        )
    rows = np.flatnonzero(np.isin(np.arange(len(dataset)), chosen.rows))
    order = np.argsort(chosen.rows, kind="stable")
    covered = _covered(rows, dataset, path)
    notes = [*notes, *chosen.notes, *_left_out(dataset, chosen.every, covered)]
    if visitor and PRIVATE_TEST in covered and sealed(dataset):
        if covered == (PRIVATE_TEST,):
            raise ModelError(f"{shown(path)} {_OWNERS_SPLIT} Bring answers for all of PublicTest.")
        covered = tuple(one for one in covered if one != PRIVATE_TEST)
        notes = [*notes, f"Left out: the file {_OWNERS_SPLIT}"]
    if PRIVATE_TEST in covered and sealed(dataset):
        notes.append(f"{PRIVATE_TEST} is scored, too: a look at it, which the ledger counts.")
    keep = np.isin(dataset.splits[rows], covered)
    assumed = chosen.assumed
    return Look(
        source=path,
        sha256=sha256_of(path),
        kind=kind,
        rows=rows[keep],
        splits=covered,
        probabilities=chosen.probabilities[order][keep],
        tried_on=chosen.split,
        tried=assumed.n,
        most_frequent=chosen.most_frequent,
        fits=chosen.fits,
        assumed=assumed,
        by_owner=said is not None,
        notes=tuple(notes),
    )


def _covered(rows: npt.NDArray[np.int64], dataset: Dataset, path: Path) -> tuple[str, ...]:
    """The splits of which every face is among ``rows``. Raises ``ModelError`` where there is none."""
    found = tuple(one for one in TEST_SPLITS if len(dataset.rows(one)) and np.isin(dataset.rows(one), rows).all())
    if not found:
        counts = [
            f"{np.isin(dataset.rows(one), rows).sum():,} of {len(dataset.rows(one)):,} faces of {one}"
            for one in TEST_SPLITS
        ]
        raise ModelError(
            f"{shown(path)} answers for no split as a whole: {'; '.join(counts)}. Comparing takes the same faces of "
            "every run: answer for all of a split."
        )
    return found


def _open_private_test(path: Path, dataset: Dataset, out: Path | None, *, visitor: bool) -> None:
    """Write into the ledger that the orders are tried on a sealed PrivateTest: once for a file and a run's name."""
    if visitor:
        raise ModelError(f"{shown(path)} {_OWNERS_SPLIT} Bring answers for at least {FEWEST_TRIED} PublicTest faces.")
    if out is None:
        raise ClosedError(
            f"{shown(path)} answers for PrivateTest, and for fewer than {FEWEST_TRIED} faces of other splits. So the "
            "order of its classes can only be tried on PrivateTest, and that tells how many answers are right: a look, "
            "which the ledger counts."
        )
    digest = sha256_of(path)
    if not last_look(out, digest, dataset.info.fingerprint):
        write_look(out, out, digest, dataset.info.record(), TRIED_NOTE)


def bring(found: Look, dataset: Dataset, out: Path, title: str, *, visitor: str | None = None) -> RunFolder:
    """Make the run folder ``out`` of answers that were understood. Raises ``ModelError`` where they are doubtful.

    Where they are about a sealed PrivateTest, too, that is a look, and the ledger gets a line of it first. Raises
    ``RunError`` where that cannot be written. ``visitor``: the mark of the visitor of a hosted app who brings them;
    visitors have no look.
    """
    if found.doubtful:
        raise ModelError(found.question())
    if visitor is not None and PRIVATE_TEST in found.splits and sealed(dataset):
        raise ModelError(f"The file {_OWNERS_SPLIT}")
    if out.exists():
        raise RunError(f"{out} exists already. Choose another name with --name.")
    target = RunFolder(out)
    with new_folder(out) as new, change(new) as prepared:
        if visitor is not None:
            write_visitor(new, visitor, 0)
        import_path = prepared.file(target.import_path.name)
        write_json(import_path, _record(found, dataset))
        path = prepared.directory(f"{FOLDER}/{folder_name(dataset.info.record())}")
        answers = rearranged(found.probabilities, found.assumed.order)
        frame = write_test_predictions(path / PREDICTIONS, dataset, found.rows, answers)
        model = sha256_of(import_path)
        # Scored, hence seen: who brings a better one each day has looked as often as who trains one here.
        opened = None
        if PRIVATE_TEST in found.splits:
            opened = open_rows(target, dataset, model, out, final=True, known_as=found.sha256)[1]
        metrics = measure(frame, dataset, None, {}, opened=opened)
        if found.kind == ANSWERS:
            # How sure it was of each answer is not known, so there is nothing to make fit.
            metrics.pop("temperature")
        seal_measured(target, prepared, path, metrics, model, new_model=False)
        # Nobody here knows what it was trained on.
        manifest = untrained_manifest(target.name, title, ARCHITECTURE, dataset)
        prepared.file(target.manifest_path.name)
        seal(RunFolder(prepared.path), manifest)
    write_card(target)
    return target


def metrics_of(folder: RunFolder) -> Metrics:
    """The metrics of a run that was just made. Raises ``RunError``."""
    metrics = folder.metrics()
    if metrics is None:
        raise RunError(f"{folder.path} has no figures. Delete it, and bring the answers again.")
    return metrics


def _record(found: Look, dataset: Dataset) -> ImportRecord:
    order = found.assumed.order
    return ImportRecord(
        schema=1,
        source=shown(found.source.name)[-100:],
        sha256=found.sha256,
        kind=found.kind,
        created=utc_now(),
        order=order.name,
        classes=list(order.classes),
        left_out=list(order.left_out),
        missing=list(order.missing),
        evidence=EvidenceRecord(
            data=dataset.info.record(),
            split=found.tried_on,
            faces=found.tried,
            most_frequent=found.most_frequent,
            fits=[
                FitRecord(
                    order=one.order.name,
                    classes=list(one.order.classes),
                    accuracy=one.accuracy,
                    low=one.low,
                    high=one.high,
                )
                for one in found.fits
            ],
            chosen_by="owner" if found.by_owner else "evidence",
        ),
    )


def _left_out(dataset: Dataset, rows: npt.NDArray[np.int64], covered: Sequence[str]) -> list[str]:
    notes = []
    training = int((~np.isin(dataset.splits[rows], TEST_SPLITS)).sum())
    if training:
        notes.append(f"Left out: {plural(training, 'Training face')}; only test faces are scored.")
    for split in TEST_SPLITS:
        have, all_of_it = int((dataset.splits[rows] == split).sum()), len(dataset.rows(split))
        if split not in covered and have:
            notes.append(f"Left out: {have:,} of the {all_of_it:,} faces of {split}. A split is scored as a whole.")
        elif split not in covered and all_of_it:
            notes.append(f"{split} has no answers.")
    return notes
