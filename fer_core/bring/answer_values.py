"""What the numbers of a file of answers mean: probabilities, logits, per cent, or only the answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fer_core.bring.answer_files import AnswerTable
from fer_core.bring.orders import DECLARED, FERPLUS_ORDER, MOST, Order, check_count, parse_order
from fer_core.data.class_columns import FERPLUS
from fer_core.data.class_names import meaning_of
from fer_core.emotions import COUNT, NAMES
from fer_core.errors import ModelError
from fer_core.formatting import plural
from fer_core.runs.folder import ANSWERS_ALONE
from fer_core.runs.reading import shown

TOLERANCE = 0.041
"""How far probabilities of a face may be from 1 together: eight of two decimals are off by half a last digit each."""
MOSTLY = 0.9
"""The share of faces whose numbers are probabilities, from which on the others are taken for mistakes."""
ANSWERS, PROBABILITIES, LOGITS, SHARES, PER_CENT, VOTES = (
    ANSWERS_ALONE,
    "probabilities",
    "logits",
    "shares of each class by itself",
    "per cent",
    "votes",
)
"""What a file may hold, as ``kind`` of ``import.json`` says it."""


def understood(
    table: AnswerTable, classes: str, path: Path
) -> tuple[npt.NDArray[np.float64], Order | None, str, list[str]]:
    """Probabilities float64 (n, K), the order that the file declares, what kind it is, and notes.

    Raises ``ModelError`` where a number is none, or it is not evident what the numbers are.
    """
    notes = []
    if table.ignored:
        listed = ", ".join(shown(name)[:30] or "without a name" for name in table.ignored[:8])
        notes.append(f"Not looked at: the columns {listed}.")
    if table.values is None:
        values, declared = _one_hot(table.answers or (), classes, path)
        return values, declared, ANSWERS, notes
    count = table.values.shape[1]
    names = _names(table, classes, count)
    if len(names) <= MOST:
        check_count(count)
    values, kind = _probabilities(table.values, path)
    if not names:
        return values, None, kind, notes
    if taken_for_ferplus(table, classes):
        notes.append(f"Its ten columns have no names, and are taken for FER+'s: {', '.join(names)}.")
    if len(names) > MOST:
        values, names = _others_together(values, names)
    named = parse_order(",".join(names), len(names))
    return values, named if isinstance(named, Order) else None, kind, notes


def all_listed(classes: str, count: int) -> bool:
    """Whether ``classes`` lists names for all of ``count`` columns that are more than there can be classes."""
    return count > MOST and len(classes.replace(";", ",").split(",")) == count


def _names(table: AnswerTable, classes: str, count: int) -> list[str]:
    """What each of ``count`` columns is about, in this program's words; nothing where nobody has said it yet.

    Of more columns than there can be classes somebody has to say which are none of the seven: whoever brings them, the
    file, or FER+, whose ten columns stand in one order.
    """
    unnamed = taken_for_ferplus(table, "")
    if all_listed(classes, count) or (unnamed and classes):
        said = parse_order(classes, count)
        if isinstance(said, Order):
            return list(said.classes)
        if said != FERPLUS_ORDER:
            raise ModelError(
                f"The order {said} says nothing of three of {count} columns. Name them all after --classes, in their "
                f"order: unknown and NF (no face) are known, too. Or type {FERPLUS_ORDER}."
            )
    return [_known(name) for name in (FERPLUS if unnamed else table.classes or ())]


def taken_for_ferplus(table: AnswerTable, classes: str) -> bool:
    """Whether ten columns are taken for FER+'s, since neither the file nor ``classes`` says what they are about."""
    return table.values is not None and table.classes is None and table.values.shape[1] == len(FERPLUS) and not classes


def _known(name: str) -> str:
    """A column's class, in this program's words where it is one of the seven."""
    found = meaning_of(name)
    return name.lower() if found.left_out else found.name


def _others_together(
    values: npt.NDArray[np.float64], names: Sequence[str]
) -> tuple[npt.NDArray[np.float64], list[str]]:
    """The same with one column for all classes that are none of the seven: FER+ has three of them."""
    ours = [at for at, name in enumerate(names) if name in NAMES]
    rest = np.delete(values, ours, axis=1).sum(axis=1, keepdims=True)
    check_count(len(ours) + 1)
    return np.concatenate([values[:, ours], rest], axis=1), [*(names[at] for at in ours), "other"]


def _one_hot(answers: Sequence[str], classes: str, path: Path) -> tuple[npt.NDArray[np.float64], Order | None]:
    """An answer a face, as probabilities of 0 and 1."""
    words = [answer.strip() for answer in answers]
    if empty := [at for at, word in enumerate(words) if not word]:
        raise ModelError(f"{shown(path)} has no answer in line {empty[0] + 1} of its faces. Give one for each face.")
    numbers = [_whole(word) for word in words]
    if all(number is not None for number in numbers):
        values = np.array(numbers, dtype=np.int64)
        if values.min() >= 1 and values.max() == COUNT:
            values -= 1  # counted from 1, as RAF-DB does
        if values.min() < 0 or values.max() > COUNT:
            raise ModelError(
                f"{shown(path)} answers {values.max()}, and classes are numbered 0..{COUNT - 1} or 1..{COUNT}."
            )
        named = [part for part in classes.split(",") if part.strip()]
        count = max(int(values.max()) + 1, len(named) if len(named) > 1 else COUNT)
        return np.eye(count)[values], None
    found = {word: meaning_of(word) for word in set(words)}
    if doubtful := sorted(word for word, meaning in found.items() if meaning.doubtful):
        near = found[doubtful[0]].suggestion
        hint = f" Did you mean {near}?" if near else ""
        raise ModelError(f"{shown(path)} answers {shown(doubtful[0])[:40]!r}, which is no class known here.{hint}")
    if outside := sorted(word for word, meaning in found.items() if meaning.left_out):
        raise ModelError(
            f"{shown(path)} answers {shown(outside[0])[:40]!r} for {Counter(words)[outside[0]]:,} faces, which is none "
            "of the seven. Bring probabilities: then it can be left out, and the best of the seven counts."
        )
    order = Order(DECLARED, NAMES)
    return np.eye(COUNT)[[NAMES.index(found[word].name) for word in words]], order


def _whole(word: str) -> int | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return int(value) if value == int(value) and abs(value) < 1000 else None


def _probabilities(values: npt.NDArray[np.float64], path: Path) -> tuple[npt.NDArray[np.float64], str]:
    """Numbers (n, K) as probabilities, and what they were. Raises ``ModelError`` where that is not evident."""
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        raise ModelError(
            f"{shown(path)} has {plural(int(bad.sum()), 'face')} with a number that is none (NaN or infinite), the "
            f"first in line {int(np.flatnonzero(bad)[0]) + 1} of its faces. Such a model is broken, or was saved so."
        )
    total = values.sum(axis=1)
    for scale, kind in ((1.0, PROBABILITIES), (100.0, PER_CENT)):
        fine = (values >= -1e-6 * scale).all(axis=1) & (np.abs(total - scale) <= TOLERANCE * scale)
        if fine.mean() < MOSTLY:
            continue
        if not fine.all():
            first = int(np.flatnonzero(~fine)[0])
            if values[first].min() < -1e-6 * scale:
                raise ModelError(
                    f"{shown(path)} has {plural(int((~fine).sum()), 'face')} with a number that is no probability, the "
                    f"first in line {first + 1} of its faces: {values[first].min():.3g}. Write them again."
                )
            raise ModelError(
                f"{shown(path)} has {plural(int((~fine).sum()), 'face')} whose probabilities do not add up to "
                f"{scale:g}, the first in line {first + 1} of its faces: {total[first]:.3f}. Write them again."
            )
        values = np.maximum(values, 0)
        return values / values.sum(axis=1, keepdims=True), kind
    if (values >= 0).all() and (values <= 1).all():
        if (total <= 0).any():
            raise ModelError(f"{shown(path)} has a face whose numbers are all 0. Give each an answer.")
        return values / total[:, None], SHARES
    if (values >= 0).all() and (values == np.round(values)).all():
        if (total <= 0).any():
            first = int(np.flatnonzero(total <= 0)[0])
            raise ModelError(f"{shown(path)} has no vote in line {first + 1} of its faces. Give each face one.")
        return values / total[:, None], VOTES
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True), LOGITS
