"""The shipped runs under FER+'s labels: ``crowd.json``, measured once so that it shows without FER+ at hand.

``python benchmarks/crowd_labels.py datasets/fer2013`` makes it from the shipped predictions and the crowd's votes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fer_core.review.crowd_scores import EXPLAINED, LABELS, WORDS, Share, share_text
from fer_core.runs.listing import list_runs

SHIPPED = Path(__file__).with_name("crowd.json")
HEADING = "Under other people's labels"
COMMAND = "python benchmarks/crowd_labels.py datasets/fer2013"


@dataclass(frozen=True)
class CrowdFigures:
    """``fingerprint``: the dataset's. ``models``: by run the hash of the model that was measured, as in its
    ``evaluation.json``. ``splits``: by split and run the shares by
    :data:`~fer_core.review.crowd_scores.LABELS`."""

    fingerprint: str
    models: dict[str, str]
    splits: dict[str, dict[str, dict[str, Share]]]

    def of(self, fingerprint: str, split: str, run: str, model: str) -> dict[str, Share] | None:
        """The shares of a run with this name and model hash; None where they were not measured."""
        if fingerprint != self.fingerprint or self.models.get(run) != model:
            return None
        return self.splits.get(split, {}).get(run)


@cache
def shipped_crowd_figures() -> CrowdFigures:
    """The figures of this package."""
    values = json.loads(SHIPPED.read_text(encoding="utf-8"))
    splits = {
        split: {run: {column: Share(**share) for column, share in shares.items()} for run, shares in runs.items()}
        for split, runs in values["splits"].items()
    }
    return CrowdFigures(values["data"]["fingerprint"], values["models"], splits)


def shipped_rows(split: str) -> list[tuple[str, dict[str, Share]]]:
    """Name and shares of each shipped run that has figures on ``split`` and is still the model that was measured.

    The best under the crowd's labels comes first.
    """
    figures = shipped_crowd_figures()
    rows = []
    for info in list_runs():
        evaluation = info.folder.evaluation(figures.fingerprint) if info.shipped and not info.problem else None
        model = "" if evaluation is None else evaluation.model
        if shares := figures.of(figures.fingerprint, split, info.name, model):
            rows.append((info.name, shares))
    return sorted(rows, key=lambda row: -row[1]["crowd"].accuracy)


def crowd_markdown() -> str:
    """The section of the document: what it means, and a table a split."""
    figures = shipped_crowd_figures()
    parts = [f"## {HEADING}", EXPLAINED, f"Measured by `{COMMAND}`."]
    for split in figures.splits:
        rows = shipped_rows(split)
        lines = [f"| {' | '.join([split, *WORDS.values()])} |", f"|{'---|' * (1 + len(WORDS))}"]
        lines += [
            f"| {' | '.join([name, *(share_text(shares.get(column)) for column in LABELS)])} |" for name, shares in rows
        ]
        if rows:
            parts.append("\n".join(lines))
    return "\n\n".join(parts)
