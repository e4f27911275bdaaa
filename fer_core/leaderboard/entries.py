"""The lines of the leaderboard. Ours are read from the shipped runs, the published ones from ``published.json``.

An accuracy means little without its origin, so every line carries it: what chose the model, on which faces it was
scored, whether answers were averaged, whether other data helped, and whether somebody obtained the number again.
:attr:`Entry.group` follows from these, and says which lines may be compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fer_core.emotions import PRIVATE_TEST
from fer_core.errors import RunError
from fer_core.leaderboard.words import CHOSEN, GROUPS, REPRODUCED, TEST_TIME_AUGMENTATION
from fer_core.runs.folder import RunFolder
from fer_core.runs.ledger import looks_words
from fer_core.runs.listing import VOTE, ModelInfo, list_runs
from fer_core.runs.protocol import footnote
from fer_core.runs.vote import member_folders, read_vote

PUBLISHED = Path(__file__).with_name("published.json")


@dataclass(frozen=True)
class Source:
    """A paper or a repository."""

    name: str
    url: str


@dataclass(frozen=True)
class Figure:
    """An accuracy 0..1 on ``n`` faces."""

    accuracy: float
    n: int


@dataclass(frozen=True)
class Entry:
    """One line. Accuracies are fractions 0..1.

    ``span`` (low, high) is our 95 % bootstrap interval, or the range that a source gives. ``chosen``, ``passes`` and
    ``reproduced`` are keys of :data:`CHOSEN`, :data:`TEST_TIME_AUGMENTATION` and :data:`REPRODUCED`. ``models`` is how
    many models answer together, None where that is not said. ``without_near_duplicates``: on the faces that have none
    in Training.
    """

    system: str
    accuracy: float
    split: str
    n: int | None
    chosen: str
    extra_data: str
    passes: str
    models: int | None
    reproduced: str
    span: tuple[float, float] | None = None
    without_near_duplicates: Figure | None = None
    note: str = ""
    sources: tuple[Source, ...] = field(default_factory=tuple)
    run: str = ""
    """Name of the run folder, for our own lines; empty for published ones."""
    brought: bool = False
    """Whether that run is somebody else's."""

    @property
    def ours(self) -> bool:
        """Whether it is a run that is here."""
        return bool(self.run)

    @property
    def group(self) -> str:
        """A key of :data:`GROUPS`: with which other lines this one may be compared."""
        if self.chosen == "people":
            return "people"
        if self.chosen not in ("blind", "validation") or self.split != PRIVATE_TEST:
            return "flattered"
        return "fair" if self.models == 1 and self.passes == "single" else "averaged"


def leaderboard(runs: Iterable[ModelInfo] = ()) -> list[Entry]:
    """All lines: group by group in the order of :data:`GROUPS`, the highest accuracy first in each.

    ``runs``: those of which the brought ones get a line, too, where they were measured on the shipped runs' faces.
    """
    order = list(GROUPS)
    entries = [*shipped(), *brought(runs), *published()]
    return sorted(entries, key=lambda entry: (order.index(entry.group), -entry.accuracy))


def pictured(entries: Iterable[Entry]) -> list[Entry]:
    """Those that are dots in the picture, and that a sentence below it counts. People are a line there; what two looks
    add to one of ours is in the table.
    """
    return [entry for entry in entries if entry.group != "people" and not (entry.ours and entry.passes == "flip")]


def published(path: Path = PUBLISHED) -> list[Entry]:
    """The published systems. Raises ``ValueError`` for a line with an unknown key or word."""
    entries = [_published(value) for value in json.loads(path.read_text(encoding="utf-8"))["entries"]]
    for entry in entries:
        for word, known in (
            (entry.chosen, CHOSEN),
            (entry.passes, TEST_TIME_AUGMENTATION),
            (entry.reproduced, REPRODUCED),
        ):
            if word not in known:
                raise ValueError(f"{path}, {entry.system}: {word!r} is not one of {', '.join(known)}")
    return entries


def checked_on(path: Path = PUBLISHED) -> str:
    """The day on which the sources of the published figures were last read, ISO 8601."""
    return str(json.loads(path.read_text(encoding="utf-8"))["checked"])


def shipped() -> list[Entry]:
    """Our shipped runs with PrivateTest figures on real faces, and again with the mirror image where that is measured.

    A damaged run has no line. Whoever shows the leaderboard says so, with :func:`missing`.
    """
    entries = []
    for info in list_runs():
        if not info.shipped or _problem(info):
            continue
        metrics = info.folder.metrics() if info.complete else None
        if metrics is None or metrics["data"]["kind"] == "sample":
            continue
        scores = metrics["splits"].get(PRIVATE_TEST)
        if scores is not None:
            entries.append(_shipped(info, scores))
            if flip := scores.get("flip_average"):
                entries.append(_flipped(entries[-1], flip))
    return entries


def brought(runs: Iterable[ModelInfo]) -> list[Entry]:
    """The brought ones among ``runs``, on the PrivateTest faces that the shipped runs were measured on.

    Nobody here knows what chose such a model, so no line may be compared with it.
    """
    faces = {
        evaluation.fingerprint
        for info in list_runs()
        if info.shipped and info.complete
        for evaluation in info.folder.evaluations()
        if evaluation.data["kind"] != "sample"
    }
    entries = []
    for info in runs:
        if not info.is_brought or not info.complete:
            continue
        for evaluation in info.folder.evaluations():
            scores = evaluation.metrics()["splits"].get(PRIVATE_TEST)
            if scores is not None and evaluation.fingerprint in faces:
                entries.append(_brought(info, scores))
    return entries


def missing() -> list[str]:
    """A sentence for each shipped run that is damaged, or whose figures are, so that a line is missing here."""
    return [
        f"{info.name} is missing here: {problem}"
        for info in list_runs()
        if info.shipped and (problem := _problem(info))
    ]


def _problem(info: ModelInfo) -> str:
    """Why a run has no line: that it is damaged, or its figures on the data that it was made for; else empty."""
    if not info.problem and info.complete:
        try:
            info.folder.check_evaluation()
        except RunError as error:
            return str(error)
    return info.problem


def _shipped(info: ModelInfo, scores: Mapping[str, Any]) -> Entry:
    clean = scores.get("without_near_duplicates")
    if info.architecture == VOTE:
        vote = read_vote(info.folder)
        members = member_folders(info.folder, vote, quick=True)
        chosen = "test" if vote.chosen_on == PRIVATE_TEST else "validation"
        note = f"Weights and temperatures of the {len(members)} members chosen on {vote.chosen_on}."
    else:
        members, chosen = [info.folder], "validation"
        note = f"Epoch {info.best_epoch} of {info.epochs} was best on PublicTest."
    opened = looks_words(info.path, info.data["fingerprint"]) if info.data else ""
    looks = f"{PRIVATE_TEST} was opened for it: {opened}." if opened else ""
    return Entry(
        system=info.name,
        accuracy=float(scores["accuracy"]),
        split=PRIVATE_TEST,
        n=int(scores["n"]),
        chosen=chosen,
        extra_data=_extra_data(members),
        passes="single",
        models=len(members),
        reproduced="command",
        span=(float(scores["accuracy_low"]), float(scores["accuracy_high"])),
        without_near_duplicates=Figure(float(clean["accuracy"]), int(clean["n"])) if clean else None,
        note=" ".join(part for part in (note, looks, footnote(info.name, info.shipped)) if part),
        run=info.name,
    )


def _brought(info: ModelInfo, scores: Mapping[str, Any]) -> Entry:
    clean = scores.get("without_near_duplicates")
    record = info.folder.import_record()
    never = f" It never answers {' or '.join(record['missing'])}." if record["missing"] else ""
    what = "A model" if info.has_model else "Answers of a model"
    return Entry(
        system=f"{info.name}, brought",
        accuracy=float(scores["accuracy"]),
        split=PRIVATE_TEST,
        n=int(scores["n"]),
        chosen="unknown",
        extra_data="not said",
        passes="single" if info.has_model else "unknown",
        models=1 if info.has_model else None,
        reproduced="own" if info.has_model else "no",
        span=(float(scores["accuracy_low"]), float(scores["accuracy_high"])),
        without_near_duplicates=Figure(float(clean["accuracy"]), int(clean["n"])) if clean else None,
        note=f"{what} that was brought here from {record['source']}; it is not known what it was trained on.{never}",
        run=info.name,
        brought=True,
    )


def _flipped(entry: Entry, flip: Mapping[str, Any]) -> Entry:
    """The line of the same run's mean over the face and its mirror image."""
    gain, low, high = (100 * float(flip[key]) for key in ("gain", "gain_low", "gain_high"))
    return replace(
        entry,
        system=f"{entry.system}, with mirror image",
        accuracy=float(flip["accuracy"]),
        n=int(flip["n"]),
        passes="flip",
        span=(float(flip["accuracy_low"]), float(flip["accuracy_high"])),
        without_near_duplicates=None,
        note=f"Against one pass {gain:+.1f} points (95 % interval {low:+.1f} to {high:+.1f}).",
    )


def _extra_data(members: list[RunFolder]) -> str:
    """What the members' initial weights were trained on, each thing once."""
    found = sorted({_pretraining(folder.recipe().initial_weights) for folder in members} - {"none"})
    return ", ".join(found) or "none"


def _pretraining(initial_weights: str) -> str:
    if initial_weights == "none":
        return "none"
    name = Path(initial_weights).name
    # A local file with ImageNet's weights is called so; of any other file only its name is known.
    return "ImageNet" if "imagenet" in name.lower() else f"weights in {name}"


def _published(value: Mapping[str, Any]) -> Entry:
    values = dict(value)
    try:
        clean, span = values.pop("without_near_duplicates"), values.pop("span")
        sources = tuple(Source(**source) for source in values.pop("sources"))
        return Entry(
            **values,
            span=(span[0], span[1]) if span else None,
            without_near_duplicates=Figure(**clean) if clean else None,
            sources=sources,
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{value.get('system', 'an entry')} of the published systems is damaged: {error}") from None
