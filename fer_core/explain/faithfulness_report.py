"""Faithfulness in words and tables: the command line, ``docs/explanations.md`` and the page say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from fer_core.explain.faithfulness import CENTRE
from fer_core.explain.faithfulness_study import Explained, MethodFaithfulness
from fer_core.explain.methods import METHODS
from fer_core.explain.trust import BASELINES, RANDOM, Row, Verdict
from fer_core.formatting import duration, listed, plural
from fer_core.stats.paired_tests import Difference

COMMAND = "python -m fer_core explain faithfulness --models all --n {n} --data datasets/fer2013"
VERDICTS: dict[Verdict, str] = {
    "trust": "yes",
    "care": "with care",
    "no": "no",
    "untestable": "cannot be tested",
}
"""May maps of this method be trusted for this model? By the rule of :mod:`fer_core.explain.trust`."""
HEAD = (
    "method",
    "may be trusted",
    "faces",
    "deletion area",
    "less random",
    "less blob",
    "less edges",
    "insertion area",
    "less random",
    "less blob",
    "less edges",
)

ABOUT = """\
# Do the explanations mark what the models use?

Written by `{command}`. The figures are those in
`models/*/evaluations/*/faithfulness.json`; the app shows the same beside the maps.

A map that lies over a face convinces easily. Here each kind of map is put to the test, on many faces:

- **Deletion.** Take away the pixels that the map marks most, a part at a time, and watch the probability of the model's
  own answer. The sooner it falls, the better the map: a *small* area under the curve is good.
- **Insertion.** Start from the blurred face and put back what the map marks most. A *large* area is good.
- **Beside what knows nothing of the model.** The same is done in random orders (as coarse as the map), with a round
  blob in the middle of the face, and with the face's edges. A map that does no better explains nothing.

Areas are 0 to 1: the mean probability on the way (Petsiuk, Das and Saenko, 2018, https://arxiv.org/abs/1806.07421).
"Less random" is the area of the map less that of the random orders on the same faces, with a 95 % bootstrap interval
over faces: for deletion it should lie below 0, for insertion above. **May be trusted**: *yes* where both do better than
random orders, *with care* where one does, *no* where neither does.
"""
LIMITS = """\
## What this cannot tell

- A deleted pixel becomes the face's mean grey, and insertion starts from a blurred face. Models have never seen such
  faces, so a part of every fall is strangeness. Random orders suffer alike, which is why only differences count.
- All maps are of the model's own answer. That a map is faithful does not make the answer right.
- The blob in the middle is hard to beat, because faces are centred and so is what matters in them. A map that is better
  than random and no better than the blob may have found the middle of the face, and no more.
- RISE with {masks} masks and occlusion with squares of {patch} pixels every {stride} pixels are rougher than what the
  app draws. With more they can only become better.
- The verdict is about many faces. For one face, the app judges its own map.
"""


def report_markdown(runs: Mapping[str, Explained]) -> str:
    """The whole of ``docs/explanations.md``: name to measurement, at least one, all by the same plan.

    Raises ``ValueError`` where plans or data differ: such figures must not stand side by side.
    """
    plans = {(one.plan, one.about.fingerprint) for one in runs.values()}
    if len(plans) != 1:
        raise ValueError("the runs must be measured on the same faces by the same plan, and there must be one")
    first = next(iter(runs.values()))
    plan = first.plan
    command = COMMAND.format(n=plan.n)
    machines = ", ".join(sorted({one.machine for one in runs.values()}))
    conditions = (
        f"Measured on {first.faces:,} of the {first.about.of:,} {first.about.split} faces of "
        f"{first.about.data['title']}, drawn class by class with seed {plan.seed}; {plan.steps} steps, {plan.orders} "
        f"random orders a face; {machines}. Maps say nothing for some faces (all zero, or the same everywhere), and "
        "some faces cannot be tested; these are left out and counted."
    )
    parts = [
        ABOUT.format(command=f"{command} --write docs/explanations.md"),
        "## In short\n\n" + conditions,
        markdown(overview(runs)),
        *(f"## {name}\n\n{_run(one)}" for name, one in runs.items()),
        LIMITS.format(masks=plan.masks, patch=plan.patch, stride=plan.stride),
        f"## Measure it yourself\n\n```\n{command}\n```\n\nWhat is measured already is not measured again; `--again` "
        "does. `--methods` names other methods; those that need gradients are slow.",
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def overview(runs: Mapping[str, Explained]) -> list[list[str]]:
    """Method × model, the head first: the verdict, and what deleting and inserting gain on random orders."""
    names = [name for name in METHODS if any(name in one.methods for one in runs.values())]
    rows = [["method", *runs]]
    for name in names:
        rows.append([METHODS[name].title, *(_cell(one.methods.get(name)) for one in runs.values())])
    return rows


def figures_table(one: Explained) -> list[list[str]]:
    """All figures of a run, the head first: :data:`HEAD`."""
    return [list(HEAD), *(_line(name, found) for name, found in one.methods.items())]


def records(runs: Mapping[str, Explained]) -> list[dict[str, object]]:
    """One record a run and method, with numbers, for tables that can be sorted: what is read first comes first."""
    result = []
    for run, one in runs.items():
        for name, found in one.methods.items():
            record: dict[str, object] = {
                "Model": run,
                "Method": METHODS[name].title,
                "May be trusted": VERDICTS[found.summary.verdict],
                "Better than the blob": _better(found, "centre"),
                "Better than the edges": _better(found, "edges"),
                "Faces": found.summary.n,
            }
            random = next((row for row in found.summary.rows if row.baseline == "random"), None)
            for which in ("deletion", "insertion"):
                record[f"{which.capitalize()} area"] = None if random is None else getattr(random, f"map_{which}")
                record[f"{which.capitalize()}, less random"] = (
                    "" if random is None else difference(getattr(random, which))
                )
            result.append(record)
    return result


def in_short(runs: Mapping[str, Explained]) -> str:
    """Which methods' maps are better than random order for how many of the models, the most first; and which of these
    are not shown to beat the blob.

    Trust is not promised here: random order is easily beaten on faces that stand in the middle.
    """
    every = [(METHODS[name].title, found.summary) for one in runs.values() for name, found in one.methods.items()]
    of = Counter(method for method, _ in every)
    trusted = [(method, summary) for method, summary in every if summary.verdict == "trust"]
    if not trusted:
        return f"No method's maps are better than {BASELINES[RANDOM]} at deletion and at insertion."
    better = Counter(method for method, _ in trusted)
    # By the same rule as the sentences about one method: see :func:`fer_core.explain.trust.summarise`.
    blob = Counter(
        method for method, summary in trusted for row in summary.rows if row.baseline == "centre" and not row.better[0]
    )
    others = [method for method in of if method not in better]
    rest = f"; {listed(others)} for none" if others else ""
    first = f"Better than {BASELINES[RANDOM]}, at deletion and at insertion: {_for_how_many(better, of)}{rest}."
    return f"{first} Not shown to beat {BASELINES[CENTRE]} at deletion: {_for_how_many(blob, of)}." if blob else first


def _for_how_many(counted: Counter[str], of: Counter[str]) -> str:
    """``RISE for every model; Class map for 1 of 5 models``: the models of each method, out of those measured."""
    groups: dict[str, list[str]] = {}
    for method, count in counted.most_common():
        whose = "every model" if count == of[method] else f"{count} of {of[method]} models"
        groups.setdefault(whose, []).append(method)
    return "; ".join(f"{listed(methods)} for {whose}" for whose, methods in groups.items())


def text(name: str, one: Explained) -> str:
    """A run in a few lines, for the command line."""
    lines = [
        f"{name}: {one.faces:,} of the {one.about.of:,} {one.about.split} faces of {one.about.data['title']}, maps of "
        "the model's own answer"
    ]
    for method, found in one.methods.items():
        lines.append(f"  {METHODS[method].title}: {_cell(found)}")
        lines += [f"    {sentence}" for sentence in found.summary.sentences]
        if found.blank:
            lines.append(f"    {plural(found.blank, 'face')} left out: the map says nothing there.")
    return "\n".join(lines)


def markdown(rows: list[list[str]]) -> str:
    """A Markdown table of rows of texts, the head first; first column left, the others right."""
    rule = ["---", *("--:" for _ in rows[0][1:])]
    return (
        "\n".join(f"| {' | '.join(row)} |" for row in (rows[0], rule, *rows[1:]))
        .replace("| --: ", "|--:")
        .replace("| --- ", "|---")
    )


def difference(one: Difference) -> str:
    """``−0.051 (−0.060 to −0.042)``."""
    return f"{one.value:+.3f} ({one.low:+.3f} to {one.high:+.3f})".replace("-", "−")


def _run(one: Explained) -> str:
    left_out = [
        f"{METHODS[name].title} {found.blank:,} without anything to say, {found.summary.untestable:,} not testable"
        for name, found in one.methods.items()
        if found.blank or found.summary.untestable
    ]
    seconds = ", ".join(
        f"{METHODS[name].title} {duration(found.seconds)}" for name, found in one.methods.items() if found.seconds >= 1
    )
    notes = [f"Faces left out: {'; '.join(left_out)}."] if left_out else []
    notes += [f"Drawing the maps took, whatever else the machine did meanwhile: {seconds}."] if seconds else []
    return "\n\n".join([markdown(figures_table(one)), " ".join(notes)]).rstrip()


def _line(name: str, found: MethodFaithfulness) -> list[str]:
    rows = {row.baseline: row for row in found.summary.rows}
    cells = [METHODS[name].title, VERDICTS[found.summary.verdict], f"{found.summary.n:,}"]
    if not rows:
        return cells + [""] * (len(HEAD) - len(cells))
    first: Row = rows["random"]
    for which in ("deletion", "insertion"):
        cells.append(f"{getattr(first, f'map_{which}'):.3f}")
        cells += [difference(getattr(rows[baseline], which)) for baseline in BASELINES]
    return cells


def _cell(found: MethodFaithfulness | None) -> str:
    if found is None:
        return "not measured"
    random = next((row for row in found.summary.rows if row.baseline == "random"), None)
    if random is None:
        return VERDICTS[found.summary.verdict]
    gains = f"deletion {random.deletion.value:+.3f}, insertion {random.insertion.value:+.3f}".replace("-", "−")
    return f"{VERDICTS[found.summary.verdict]}: {gains}"


def _better(found: MethodFaithfulness, baseline: str) -> str:
    row = next((row for row in found.summary.rows if row.baseline == baseline), None)
    if row is None:
        return ""
    return {
        (True, True): "at both",
        (True, False): "at deletion",
        (False, True): "at insertion",
        (False, False): "at neither",
    }[row.better]
