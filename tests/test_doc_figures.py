"""Figures in the documents are those of the files that commands wrote. The lab log is left out: it tells of its day.

``docs/leaderboard.md`` and ``docs/explanations.md`` are written by commands, and compared whole by their own tests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from fer_core.formatting import interval, percent
from fer_core.runs.folder import RunFolder
from fer_core.settings import PROJECT_ROOT
from fer_core.stats.label_doubt import TABLE

DOCS = PROJECT_ROOT / "docs"
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
    said = [" ".join(one.split()) for one in WITH_INTERVAL.findall(document.read_text(encoding="utf-8"))]
    said = [one if one.endswith("%)") else f"{one[:-1]} %)" for one in said]
    assert len(known()) > 50
    assert [one for one in said if one not in known()] == []


def words_of(path: Path) -> str:
    return " ".join(path.read_text(encoding="utf-8").split())


def test_single_figures_in_sentences_are_those_of_the_files() -> None:
    text = words_of(PROJECT_ROOT / "README.md")
    models = words_of(DOCS / "models.md")
    public = [
        RunFolder(PROJECT_ROOT / "models" / name).metrics()["splits"]["PublicTest"]  # type: ignore[index]
        for name in ("custom_cnn_augmented", "vote")
    ]
    assert " and ".join(f"{percent(one['accuracy'])} ({interval(one)})" for one in public) in models
    last = read(DOCS / "label-or-model-final.json")["table"]
    share, low, high = (100 * value for value in (last["right_of_200"] / 200, last["right_low"], last["right_high"]))
    assert f"people reject {share:.0f} % (PrivateTest, 95 % interval {low:.0f}–{high:.0f} %)" in text


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
    vote, beside = figures["one run"].pop("vote")["fitted without it"], figures["all and the vote"]
    said = [f"{short(one['auroc'])} and {one['right_of_200']}" for one in (vote, beside)]
    assert f"alone it has {said[0]}, beside the four {said[1]}." in text
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


def test_a_wrong_figure_is_noticed() -> None:
    assert WITH_INTERVAL.findall("68.1 % (66.5–69.5 %) of") == ["68.1 % (66.5–69.5 %)"]
    assert "68.1 % (66.5–69.5 %)" not in known()
    assert "68.0 % (66.5–69.5 %)" in known()
