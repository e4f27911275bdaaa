"""``CARD.md`` of a vote: who votes, how the weights were chosen, how well it does, what it cannot do."""

from __future__ import annotations

from typing import Any

from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.files import write_text
from fer_core.formatting import percent, plural
from fer_core.runs.card import LIMITS, LIMITS_REAL, LIMITS_SAMPLE, result_lines
from fer_core.runs.folder import RunFolder
from fer_core.runs.vote import Vote, homes
from fer_core.zoo.registry import TITLES

IN_SHORT = (
    "Several models look at each face, and the weighted mean of their probabilities is the answer. They make different "
    "mistakes, so the mean is often better than the best of them; it costs the time of all of them."
)


def members_table(folder: RunFolder, vote: Vote, fingerprint: str) -> list[dict[str, Any]]:
    """One dict a member: name, title of its architecture, weight, temperature, and its own accuracy by split.

    ``accuracy`` maps splits to 0..1, and is empty for a member that is not there or was measured on other data than
    that of ``fingerprint``.
    """
    rows = []
    for member in vote.members:
        metrics = next((found for path in homes(folder, member.name) if (found := _metrics(RunFolder(path)))), None)
        same = metrics is not None and metrics["data"]["fingerprint"] == fingerprint
        rows.append(
            {
                "name": member.name,
                "title": TITLES.get(member.architecture, member.architecture),
                "weight": member.weight,
                "temperature": member.temperature,
                "accuracy": {split: scores["accuracy"] for split, scores in metrics["splits"].items()}
                if metrics and same
                else {},
            }
        )
    return rows


def write_vote_card(folder: RunFolder, vote: Vote, manifest: dict[str, Any], metrics: dict[str, Any]) -> None:
    """Write ``CARD.md`` from the vote, its manifest (as in ``run.json``) and its metrics."""
    chosen_on, evaluated_on = manifest["data"], metrics["data"]
    lines = [
        f"# {manifest['title']}",
        "",
        IN_SHORT,
        "",
        f"- {plural(len(vote.asked), 'model')} of {metrics['megabytes']['model.tflite']:.1f} MB together, "
        f"{metrics['milliseconds_per_face']:.1f} ms a face with maps ({plural(metrics['threads'], 'thread')}, "
        f"{metrics['machine']}).",
        "- Its class maps show where the members look: each member's maps on a scale from 0 to 1, averaged with the "
        "same weights. They are a picture, not an account of the answer.",
        "",
        "## Who votes",
        "",
        f"| member | architecture | weight | temperature | {PUBLIC_TEST} alone | {PRIVATE_TEST} alone |",
        "|---|---|---|---|---|---|",
    ]
    for row in members_table(folder, vote, evaluated_on["fingerprint"]):
        alone = [
            percent(row["accuracy"][split]) if split in row["accuracy"] else "–"
            for split in (PUBLIC_TEST, PRIVATE_TEST)
        ]
        lines.append(
            f"| {row['name']} | {row['title']} | {percent(row['weight'])} | {row['temperature']:.3f} "
            f"| {' | '.join(alone)} |"
        )
    lines += [
        "",
        f"{vote.method} The faces were those of {chosen_on['title']}. {PRIVATE_TEST} played no part in it.",
        "",
        "## Results",
        "",
    ]
    if evaluated_on["fingerprint"] != chosen_on["fingerprint"]:
        lines += [f"**Measured on other data than its weights were chosen on: {evaluated_on['title']}.**", ""]
    lines += result_lines(metrics)
    limits = LIMITS + (LIMITS_SAMPLE if chosen_on["kind"] == "sample" else LIMITS_REAL)
    lines += ["", "## Limits", "", limits]
    write_text(folder.card_path, "\n".join(lines))


def _metrics(folder: RunFolder) -> dict[str, Any] | None:
    """A member's metrics for the table; one that is damaged has none, and the page of that run says so."""
    try:
        return folder.metrics()
    except RunError:
        return None
