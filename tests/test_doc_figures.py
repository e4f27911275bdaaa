"""Figures in the documents and lessons are those of the files that commands wrote. ``python docs/figures.py --write``
brings those in sentences up to date. The lab log is left out: it tells of its day.

``docs/leaderboard.md`` and ``docs/explanations.md`` are written by commands, and compared whole by their own tests.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "docs"))

import figures

from fer_core.formatting import percent
from fer_core.settings import PROJECT_ROOT
from fer_core.stats.label_doubt import TABLE

DOCS = PROJECT_ROOT / "docs"
LESSONS = sorted((PROJECT_ROOT / "lessons").glob("*.md"))
WRITTEN_BY_HAND = [
    PROJECT_ROOT / "README.md",
    PROJECT_ROOT / "benchmarks" / "README.md",
    *(path for path in sorted(DOCS.glob("*.md")) if path.name != "lab-log.md"),
]
WITH_INTERVAL = re.compile(r"\d+\.\d %\s\(\d+\.\d–\d+\.\d(?: %)?\)")


def read(path: Path) -> dict:  # type: ignore[type-arg]
    return json.loads(path.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def inside(value: object) -> Iterator[dict]:  # type: ignore[type-arg]
    """Every dictionary in it."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from inside(each)


@cache
def known() -> frozenset[str]:
    """Every accuracy with its interval that a command has written into a file."""
    files = [
        *(PROJECT_ROOT / "models").glob("*/evaluations/*/metrics.json"),
        *(PROJECT_ROOT / "fer_core").rglob("*.json"),
    ]
    found = set()
    for each in (one for path in files for one in inside(read(path))):
        if {"accuracy", "accuracy_low"} <= set(each):
            low, high = each["accuracy_low"], each["accuracy_high"]
        elif {"accuracy", "low"} <= set(each):
            low, high = each["low"], each["high"]
        elif {"accuracy", "span"} <= set(each) and each["span"]:
            low, high = each["span"]
        else:
            continue
        found.add(f"{percent(each['accuracy'])} ({100 * low:.1f}–{100 * high:.1f} %)")
    return frozenset(found)


@pytest.mark.parametrize("document", WRITTEN_BY_HAND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_accuracy_with_an_interval_stands_in_a_file_of_figures(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert len(known()) > 50
    wrong = [
        f"{document.name}:{text.count(chr(10), 0, found.start()) + 1} says {found[0]}, which no metrics.json holds. "
        f"These do, of the same accuracy or one near it: {nearest(found[0])}. See docs/figures.py --write."
        for found in WITH_INTERVAL.finditer(text)
        if whole_interval(found[0]) not in known()
    ]
    assert not wrong, "\n".join(wrong)


def whole_interval(said: str) -> str:
    words = " ".join(said.split())
    return words if words.endswith("%)") else f"{words[:-1]} %)"


def nearest(said: str) -> list[str]:
    return sorted(known(), key=lambda one: abs(float(one.split()[0]) - float(said.split()[0])))[:3]


def words_of(path: Path) -> str:
    return " ".join(path.read_text(encoding="utf-8").split())


def test_figures_in_sentences_are_those_of_the_files() -> None:
    wrong = list(figures.problems())
    assert not wrong, "\n".join([*wrong, "To write them all anew: python docs/figures.py --write"])


@pytest.mark.parametrize(
    "file", ["README.md", "docs/models.md", "docs/bring-your-own.md", *(f"lessons/{one.name}" for one in LESSONS)]
)
def test_every_share_with_a_decimal_is_held_or_says_what_measured_it(file: str) -> None:
    text, elsewhere = figures.read(file), figures.ELSEWHERE.get(file, {})
    covered = [(one.start, one.end) for one in figures.held(file)]
    covered += [one.span() for said in elsewhere for one in re.finditer(re.escape(said), text)]
    loose = [
        f"{file}:{text.count(chr(10), 0, found.start()) + 1} says {found[0]}: hold its sentence in SAID of "
        "docs/figures.py, or name in ELSEWHERE what measures it"
        for found in re.finditer(r"\d+\.\d\s%", text)
        if not any(start <= found.start() < end for start, end in covered)
    ]
    assert not loose, "\n".join(loose)
    assert [one for one in elsewhere if one not in " ".join(text.split())] == [], "no longer said: take it out"


def test_a_figure_that_changed_is_named_with_its_line_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model was replaced, and a lesson went on about the one before it."""
    monkeypatch.setattr(figures, "ROOT", tmp_path)
    monkeypatch.setattr(
        figures, "MADE", {"all": lambda name: f"71.2 % (69.7–72.6 %) {name}"[:20], "n": lambda: "3,589"}
    )
    monkeypatch.setattr(
        figures, "SAID", [figures.Said("a.md", "it has {all x} of {n} faces."), figures.Said("a.md", "and {n} more")]
    )
    path = tmp_path / "a.md"
    path.write_text("# Title\n\n> Nobody knows; it has\n> 68.0 % (66.5–69.5 %) of\n> 3,589 faces.\n", encoding="utf-8")
    first, second = figures.problems()
    assert first.startswith("a.md:4 says 68.0 % (66.5–69.5 %); it is 71.2 % (69.7–72.6 %)")
    assert "no sentence like this: and 3,589 more" in second
    assert figures.write() == 1
    assert path.read_text(encoding="utf-8").endswith("it has\n> 71.2 % (69.7–72.6 %) of\n> 3,589 faces.\n")
    assert len(list(figures.problems())) == 1


def short(value: float) -> str:
    return f"{value:.3f}".lstrip("0")


def auroc(found: dict) -> str:  # type: ignore[type-arg]
    return f"{short(found['auroc'])} ({short(found['auroc_low'])}–{short(found['auroc_high'])})"


def test_the_figures_of_label_doubt_are_those_of_the_files() -> None:
    text, figures, last = (
        words_of(DOCS / "label-or-model.md"),
        read(DOCS / "label-or-model.json"),
        read(DOCS / "label-or-model-final.json"),
    )
    for key in ("before", "without votes", "without votes, by confident learning's joint"):
        assert f"| {auroc(figures[key])} | {figures[key]['right_of_200']} (" in text, key
    clean = figures["cross-validated, without twins"]
    assert f"(n = {clean['n']:,}) | {auroc(clean)} | {clean['right_of_200']} (" in text
    own = figures["cross-validated"]
    assert f"| **{auroc(own)}** | **{own['right_of_200']} (" in text
    assert f"**{auroc(last['table'])}, {last['table']['right_of_200']} of 200**" in text
    alone = [figures["one run"].pop(name)["fitted without it"] for name in ("vote", "tiny")]
    said = [f"{short(one['auroc'])} and {one['right_of_200']}" for one in (*alone, figures["all that ship"])]
    assert f"alone the vote has {said[0]}, `tiny` {said[1]}; all six together have {said[2]}." in text
    for words, how in (("", "fitted with it"), (" that the model was not fitted on", "fitted without it")):
        areas, right = ([one[how][key] for one in figures["one run"].values()] for key in ("auroc", "right_of_200"))
        assert (
            f"| the doubt, one run alone{words} | {short(min(areas))} to {short(max(areas))} "
            f"| {min(right)} to {max(right)} |"
        ) in text
    verdicts = read(TABLE)["verdicts"]
    for word, kind in (
        ("Probably the label", "label"),
        ("Unclear", "unclear"),
        ("Probably the model", "model"),
        ("Neither", "neither"),
    ):
        here, there = verdicts["4"][kind], last["verdicts"][kind]
        assert (
            f"| {word} | {here['faces']:,} | {whole(here)} ({100 * here['low']:.0f}–{100 * here['high']:.0f} %) "
            f"| {whole(there)} of {there['faces']:,} |"
        ) in text
    for runs, kinds in verdicts.items():
        cells = " | ".join(whole(kinds[kind]) for kind in ("label", "unclear", "model", "neither"))
        assert f"| {runs} | {cells} |" in text
    for found in figures["made-up mistakes in the crowd's labels"].values():
        rules = [found[key] for key in ("the doubt", "before", "confident learning's joint")]
        cells = " | ".join(f"{rule['auroc']:.3f}, {rule['right_of_200']}".lstrip("0") for rule in rules)
        assert f"| {cells} |" in text


def whole(found: dict) -> str:  # type: ignore[type-arg]
    return percent(found["rejected"] / found["faces"], 0)


DAY = re.compile(r"\d{1,2} (November|December) 20\d\d")
MACHINE = re.compile("EPYC|Xeon")


def test_what_was_measured_names_its_command_machine_and_day() -> None:
    text = (PROJECT_ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    sections = re.split(r"(?m)^## ", text)[1:]
    assert len(sections) > 10
    wrong = []
    for section in sections:
        paragraphs = [" ".join(one.split()) for one in section.split("\n\n")]
        told = [one for one in paragraphs if one.startswith("Measured")] or (paragraphs if "|--" in section else [])
        if told and "python benchmarks/" not in section:
            wrong.append(f"{paragraphs[0]} names no command")
        for one in told if told is not paragraphs else [" ".join(paragraphs)]:
            if not MACHINE.search(one) or not DAY.search(one):
                wrong.append(f"{paragraphs[0]} says without machine or day: {one[:90]}")
    assert not wrong, "\n".join(wrong)


def test_what_is_computed_from_a_measured_time_follows_it() -> None:
    """Somebody measures a training anew, and the page on scale goes on computing with the old time."""
    text = figures.read("docs/scale.md")
    [epoch] = [one for one in figures.SAID if "an epoch of `custom_cnn` at 48" in one.words]
    assert [one.says for one in figures.figures_in(epoch, text)] == [f"{1e6 / 427 / 60:.0f}"]
    assert not figures.figures_in(epoch, text.replace("1/427 s", "1/500 s")), "the sentence is not there any more"
    [wrong] = figures.figures_in(epoch, text.replace("*39 minutes*", "*29 minutes*"))
    assert (wrong.says, wrong.true) == ("29", "39")


def test_a_measured_figure_is_not_overwritten_with_what_was_computed_from_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "ROOT", tmp_path)
    monkeypatch.setattr(figures, "SAID", [figures.Said("a.md", "| ours | {quoted 427} | {calc .1f 427 / 156} |")])
    (tmp_path / "a.md").write_text("| ours | 500 | 3.2 |\n", encoding="utf-8")
    first, _ = figures.problems()
    assert first.startswith("a.md:1 says 500, and docs/tables.py computes with 427: change it there")
    figures.write()
    assert (tmp_path / "a.md").read_text(encoding="utf-8") == "| ours | 500 | 2.7 |\n"


def test_a_wrong_figure_is_noticed() -> None:
    assert WITH_INTERVAL.findall("68.1 % (66.5–69.5 %) of") == ["68.1 % (66.5–69.5 %)"]
    assert "68.1 % (66.5–69.5 %)" not in known()
    assert "68.0 % (66.5–69.5 %)" in known()
