"""Figures in sentences that people wrote: where each comes from, whether it still holds, and all of them written anew.

    python docs/figures.py            names each figure that no longer holds: file, line, what it says, what is true
    python docs/figures.py --write    writes them into the files

A sentence is held by its words, with ``{how it is made}`` in place of each figure. Whoever changes a model runs this
after its evaluations, and reads the sentences about what changed: a figure may hold while its sentence does not. What
no file of figures holds stands in :data:`ELSEWHERE`, with what measured it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

import tables  # noqa: E402

from fer_core.corruptions.measurement import read_corruptions  # noqa: E402
from fer_core.emotions import NAMES, PRIVATE_TEST  # noqa: E402
from fer_core.evaluation.aligned_predictions import AlignedPredictions, align  # noqa: E402
from fer_core.formatting import interval, percent, plural  # noqa: E402
from fer_core.leaderboard.crowd import shipped_crowd_figures  # noqa: E402
from fer_core.runs.contracts import SplitScores  # noqa: E402
from fer_core.runs.events import best_epoch  # noqa: E402
from fer_core.runs.folder import RunFolder  # noqa: E402
from fer_core.runs.journal import epochs_of  # noqa: E402
from fer_core.stats.paired_tests import mcnemar  # noqa: E402

MODELS = ROOT / "models"
PAIR, SINGLE = ("custom_cnn", "custom_cnn_augmented"), ("resnet50", "vgg16", "custom_cnn", "custom_cnn_augmented")
"""The two that augmentation sets apart, and the models that the lessons are about."""


FIGURE = r"(\d[\d.,–]*(?:\s%)?(?:\s\([\d.,–]+\s%\))?)"


@dataclass(frozen=True)
class Said:
    """A sentence, or a part of one, of a ``file``: ``words`` with figures in braces."""

    file: str
    words: str


def shipped() -> list[str]:
    """Models that ship with figures on FER-2013, votes last."""
    names = [path.parent.name for path in MODELS.glob("*/run.json")]
    return sorted(names, key=lambda name: (RunFolder(MODELS / name).is_vote, name))


SAID = [
    *(
        Said("README.md", f"| `{name}` | {{clean {name}}} | {{n_clean {name}}} | {{all {name}}} | {{n {name}}} |")
        for name in shipped()
    ),
    Said("README.md", "people reject {doubted share} (PrivateTest, 95 % interval {doubted ends})"),
    Said(
        "docs/models.md", "On PublicTest the two have {all custom_cnn_augmented PublicTest} and {all vote PublicTest};"
    ),
    Said(
        "lessons/1-is-70-percent-good.md",
        "shows: {digits resnet50}\n",
    ),
    Said(
        "lessons/1-is-70-percent-good.md",
        "The custom CNN has {accuracy custom_cnn}, ResNet50 {accuracy resnet50}, on the same {n resnet50} faces.",
    ),
    Said("lessons/1-is-70-percent-good.md", "- [ ] {lead resnet50 custom_cnn} points cannot be chance"),
    Said("lessons/1-is-70-percent-good.md", "chance alone does so about {chance resnet50 custom_cnn} times in 100"),
    Said(
        "lessons/1-is-70-percent-good.md",
        "faces that just one of them gets right: {only resnet50 custom_cnn} against {only custom_cnn resnet50}. Chance "
        "parts them so far in {chance resnet50 custom_cnn} of 100 cases.",
    ),
    Said(
        "lessons/1-is-70-percent-good.md",
        "labelled disgust without a twin in Training the custom CNN finds {found_clean custom_cnn disgust} in 100.",
    ),
    Said(
        "lessons/2-why-fear-becomes-sadness.md",
        "say so for {least fear sad} to {most fear sad} of 100 faces labelled fear.",
    ),
    Said("lessons/2-why-fear-becomes-sadness.md", "ResNet50 calls {called resnet50 fear sad} faces labelled fear sad."),
    Said("lessons/2-why-fear-becomes-sadness.md", "> {shared resnet50 fear sad} of 100."),
    Said("lessons/3-is-the-label-wrong.md", "On how many of the {n resnet50} test faces"),
    Said("lessons/3-is-the-label-wrong.md", "> {alike faces} faces, {alike share}."),
    Said("lessons/3-is-the-label-wrong.md", "> {doubted right} of 200 (PrivateTest)."),
    Said(
        "lessons/4-can-you-trust-a-heat-map.md",
        "sooner than in random order: by {sooner least rise} to {sooner most rise} with RISE, by "
        "{sooner least class_map vgg16} to {sooner most class_map vgg16} with class maps, but not with VGG16's.",
    ),
    Said(
        "lessons/3-is-the-label-wrong.md",
        "By FER-2013's labels Tiny is {behind tiny resnet50} points behind ResNet50.",
    ),
    Said(
        "lessons/3-is-the-label-wrong.md",
        "By the crowd's labels Tiny has {crowd tiny} and ResNet50 {crowd resnet50}",
    ),
    Said(
        "lessons/5-what-augmentation-buys.md",
        "it had {learnt custom_cnn} of its training faces right, {gap custom_cnn} points more than of PublicTest. With "
        "augmentation the gap is {gap custom_cnn_augmented} points.",
    ),
    Said(
        "lessons/5-what-augmentation-buys.md",
        "> {digits custom_cnn} to {accuracy custom_cnn_augmented}. Of the faces that just one of them gets right, "
        "{only custom_cnn_augmented custom_cnn} are the augmented network's and {only custom_cnn custom_cnn_augmented} "
        "the other's: hardly chance (p = {p custom_cnn custom_cnn_augmented}).",
    ),
    Said(
        "lessons/5-what-augmentation-buys.md",
        "At the strongest shift the plain network has {spoilt custom_cnn shift 5}.",
    ),
    Said("lessons/5-what-augmentation-buys.md", "- [x] {spoilt custom_cnn_augmented shift 5}\n"),
    Said("lessons/5-what-augmentation-buys.md", "{more shift 5} points more ({spoilt_faces} faces of PublicTest)."),
    Said("lessons/5-what-augmentation-buys.md", "Turned faces, {more rotation 5} points."),
    Said(
        "lessons/5-what-augmentation-buys.md",
        "At the second step of noise the plain network has {spoilt custom_cnn noise 2}, the augmented one "
        "{spoilt custom_cnn_augmented noise 2}.",
    ),
]
SAID += [Said(file, words) for file, words in tables.WORDS]
"""Sentences with figures that follow from what ships, and those of tables (``docs/tables.py``)."""

ELSEWHERE = {
    "docs/models.md": {
        "14.6 %": "python -m fer_core data audit datasets/fer2013",
        "8.0 %": "python -m fer_core data audit datasets/fer2013",
        "6.5 %": "python -m fer_core data audit datasets/fer2013",
    },
    "docs/bring-your-own.md": {
        "38.8 % (32.4-45.5 %)": "the example's own output, of made-up answers",
        "55.5 % (48.7-62.1 %)": "the example's own output, of made-up answers",
    },
    "lessons/1-is-70-percent-good.md": {
        "24 %": "python -m fer_core data info datasets/fer2013: happy among PrivateTest",
        "36 % of 3,432": "python benchmarks/label_doubt.py datasets/fer2013, with FER+: rejected labels of PublicTest",
    },
    "lessons/2-why-fear-becomes-sadness.md": {
        "458": "FER+'s votes for PublicTest: faces labelled fear with a plurality",
        "12 %. They called 40 % neutral, 21 % sad, 13 % surprise": "the same faces, by that plurality",
    },
    "lessons/6-fool-a-model.md": {"20 need no more than 8 of 48": "python benchmarks/poke.py"},
}
"""Figures that no file in here holds, and what measures them: by hand, when that changes."""


@cache
def _scores(model: str, split: str) -> SplitScores:
    metrics = RunFolder(MODELS / model).metrics()
    if metrics is None:
        raise SystemExit(f"models/{model} was not measured on FER-2013.")
    return metrics["splits"][split]


def _clean(model: str) -> dict:  # type: ignore[type-arg]
    return dict(_scores(model, PRIVATE_TEST)["without_near_duplicates"] or {})


@cache
def _aligned() -> AlignedPredictions:
    return align([RunFolder(MODELS / name) for name in SINGLE], PRIVATE_TEST)


def _right(model: str) -> np.ndarray:  # type: ignore[type-arg]
    return _aligned().right[SINGLE.index(model)]


def _called(model: str, true: str, said: str) -> np.ndarray:  # type: ignore[type-arg]
    aligned = _aligned()
    answers = aligned.predicted[SINGLE.index(model)]
    return (aligned.labels == NAMES.index(true)) & (answers == NAMES.index(said))


def _shared(true: str, said: str) -> int:
    """Faces that all of these models call so."""
    return int(np.all([_called(model, true, said) for model in SINGLE], axis=0).sum())


def _taken(true: str, said: str) -> list[float]:
    faces = (_aligned().labels == NAMES.index(true)).sum()
    return [100 * _called(model, true, said).sum() / faces for model in SINGLE]


@cache
def _doubted() -> dict:  # type: ignore[type-arg]
    return dict(json.loads((ROOT / "docs" / "label-or-model-final.json").read_text(encoding="utf-8"))["table"])


def _spoilt(model: str, kind: str, step: str) -> float:
    found = read_corruptions(RunFolder(MODELS / model))
    if found is None:
        raise SystemExit(f"models/{model} has no corruptions: python -m fer_core evaluate models/{model} --corruptions")
    return float(found.robustness.accuracy()[0][list(found.robustness.names).index(kind), int(step) - 1])


def _sooner(which: str, method: str, *but: str) -> str:
    """How much less area under deletion than in random order: the least or the most of all, ``but`` some models."""
    falls = []
    for path in MODELS.glob("*/evaluations/*/faithfulness.json"):
        if path.parents[2].name in but:
            continue
        rows = json.loads(path.read_text(encoding="utf-8"))["methods"][method]["rows"]
        falls += [-row["deletion"]["value"] for row in rows if row["baseline"] == "random"]
    return f"{min(falls) if which == 'least' else max(falls):.2f}"


def _learnt(model: str) -> tuple[float, float]:
    events = RunFolder(MODELS / model).events()
    best = best_epoch(events)
    epoch = next(one for one in epochs_of(events) if one["epoch"] == best)
    return epoch["accuracy"], epoch["val_accuracy"]


def _alike() -> int:
    aligned = _aligned()
    same = (aligned.predicted == aligned.predicted[0]).all(axis=0)
    return int((same & ~aligned.right[0]).sum())


def _doubted_words(what: str) -> str:
    found = _doubted()
    if what == "right":
        return str(found["right_of_200"])
    if what == "share":
        return f"{found['right_of_200'] / 2:.0f} %"
    return f"{100 * found['right_low']:.0f}–{100 * found['right_high']:.0f} %"


def _crowd(model: str) -> str:
    return percent(shipped_crowd_figures().splits[PRIVATE_TEST][model]["crowd"].accuracy)


MADE: dict[str, Callable[..., str]] = {
    "all": lambda model, split=PRIVATE_TEST: (
        f"{percent(_scores(model, split)['accuracy'])} ({interval(_scores(model, split))})"
    ),
    "accuracy": lambda model: percent(_scores(model, PRIVATE_TEST)["accuracy"]),
    "digits": lambda model: f"{100 * _scores(model, PRIVATE_TEST)['accuracy']:.1f}",
    "n": lambda model: f"{_scores(model, PRIVATE_TEST)['n']:,}",
    "clean": lambda model: f"{percent(_clean(model)['accuracy'])} ({interval(_clean(model))})",  # type: ignore[arg-type]
    "n_clean": lambda model: f"{_clean(model)['n']:,}",
    "lead": lambda one, other: f"{100 * (_right(one).mean() - _right(other).mean()):.1f}",
    "only": lambda one, other: str(int((_right(one) & ~_right(other)).sum())),
    "chance": lambda one, other: f"{100 * mcnemar(_right(one), _right(other)).p:.0f}",
    "p": lambda one, other: f"{mcnemar(_right(one), _right(other)).p:.1g}",
    "found": lambda model, name: f"{100 * _scores(model, PRIVATE_TEST)['per_class'][NAMES.index(name)]['recall']:.0f}",
    "found_clean": lambda model, name: f"{100 * _clean(model)['per_class'][NAMES.index(name)]['recall']:.0f}",
    "behind": lambda one, other: (
        f"{100 * (_scores(other, PRIVATE_TEST)['accuracy'] - _scores(one, PRIVATE_TEST)['accuracy']):.1f}"
    ),
    "least": lambda true, said: f"{min(_taken(true, said)):.0f}",
    "most": lambda true, said: f"{max(_taken(true, said)):.0f}",
    "called": lambda model, true, said: str(int(_called(model, true, said).sum())),
    "shared": lambda model, true, said: f"{100 * _shared(true, said) / _called(model, true, said).sum():.0f}",
    "alike": lambda what: str(_alike()) if what == "faces" else percent(_alike() / len(_aligned()), 0),
    "doubted": _doubted_words,
    "crowd": _crowd,
    "learnt": lambda model: percent(_learnt(model)[0], 0),
    "gap": lambda model: f"{100 * (_learnt(model)[0] - _learnt(model)[1]):.0f}",
    "sooner": _sooner,
    "spoilt": lambda model, kind, step: percent(_spoilt(model, kind, step), 0),
    "more": lambda kind, step: f"{100 * (_spoilt(PAIR[1], kind, step) - _spoilt(PAIR[0], kind, step)):.0f}",
    "spoilt_faces": lambda: f"{len(read_corruptions(RunFolder(MODELS / PAIR[0])) or ()):,}",
}
MADE |= tables.MADE
"""How a figure is made, by its first word; the other words are what it is about."""


@dataclass(frozen=True)
class Found:
    """A figure in a file: where it stands (``start``, ``end``, in characters), what it says and what it should say."""

    said: Said
    made: str
    start: int
    end: int
    says: str
    true: str

    @property
    def quoted(self) -> bool:
        """Whether it was measured, so that the file is right, and what computes with it is not."""
        return self.made.startswith("quoted ")


def figures_in(said: Said, text: str) -> list[Found]:
    """The figures of a sentence as they stand in the file's text; empty where the sentence is not there."""
    parts = re.split(r"\{([^}]+)\}", said.words)
    # Lines wrap anywhere, and those of a lesson's answer begin with "> ".
    pattern = "".join(
        FIGURE if at % 2 else re.sub(r"(?:\\ )+", r"(?:\\s+(?:> )?)", re.escape(part)) for at, part in enumerate(parts)
    )
    match = re.search(pattern, text, re.DOTALL)
    if match is None:
        return []
    made = parts[1::2]
    return [
        Found(said, how, *match.span(at), " ".join(match[at].replace("\n> ", " ").split()), true_figure(how))
        for at, how in enumerate(made, start=1)
    ]


def true_figure(made: str) -> str:
    """The figure itself. ``made``: a word of :data:`MADE`, and what it is about."""
    how, *about = made.split()
    return MADE[how](*about)


def read(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def held(file: str) -> list[Found]:
    """All figures of a file that sentences of :data:`SAID` hold."""
    text = read(file)
    return [one for said in SAID if said.file == file for one in figures_in(said, text)]


def problems() -> Iterator[str]:
    """A sentence for each figure that does not hold, and for each sentence that is not there."""
    for said in SAID:
        text = read(said.file)
        found = figures_in(said, text)
        if not found:
            words = re.sub(r"\{([^}]+)\}", lambda match: true_figure(match[1]), said.words).strip()
            yield f"{said.file}: there is no sentence like this: {words}  (write it, or change SAID in docs/figures.py)"
        for one in found:
            if one.says != one.true:
                where = f"{said.file}:{text.count(chr(10), 0, one.start) + 1} says {one.says}"
                if one.quoted:
                    yield f"{where}, and docs/tables.py computes with {one.true}: change it there, then --write"
                else:
                    yield f"{where}; it is {one.true} ({one.made})"


def write() -> int:
    """Put the true figures into the files. Returns how many were changed."""
    changed = 0
    for said in SAID:
        text = read(said.file)
        for one in sorted(figures_in(said, text), key=lambda found: -found.start):
            if one.says != one.true and not one.quoted:
                text = text[: one.start] + one.true + text[one.end :]
                changed += 1
        (ROOT / said.file).write_text(text, encoding="utf-8")
    return changed


def main() -> int:
    parser = argparse.ArgumentParser(description="Whether figures in written sentences still hold.")
    parser.add_argument("--write", action="store_true", help="write the true figures into the files")
    if parser.parse_args().write:
        print(f"{plural(write(), 'figure')} written. Read the sentences about them: do they still hold?")
    left = list(problems())
    print("\n".join(left) if left else f"All figures of {plural(len(SAID), 'sentence')} hold.")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
