"""The card: what a run is, how it was trained or who votes, how well it does on each dataset, what it cannot do.

The form follows model cards (Mitchell et al., 2018, https://arxiv.org/abs/1810.03993). Every figure comes from the
run folder; nothing is typed in by hand. ``CARD.md`` is a copy for those who look into the folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from fer_core.data.contracts import DatasetRecord
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST, TEST_SPLITS
from fer_core.errors import RunError
from fer_core.files import write_text
from fer_core.formatting import interval, percent, plain, plural
from fer_core.runs.brought import UNKNOWN_TRAINING, sentences, table
from fer_core.runs.contracts import Metrics, Origin, RunManifest, Scores, SplitScores
from fer_core.runs.folder import NO_MODEL, RunFolder
from fer_core.runs.ledger import looks_words
from fer_core.runs.metrics import (
    further_lines,
    without_twins,
)
from fer_core.runs.protocol import WHAT_CHOSE, copy_note, footnote
from fer_core.runs.recipe_in_words import history_sentences, recipe_sentences
from fer_core.runs.transaction import change
from fer_core.runs.vote import Vote, homes, read_vote
from fer_core.runs.weakest import breaks_lines, weakest_lines
from fer_core.settings import settings
from fer_core.zoo.registry import TITLES, get

LIMITS = """\
- It sorts pictures of faces into seven posed-looking expressions. It does not know what anybody feels: the same
  face can go with many feelings (Barrett et al., 2019, https://doi.org/10.1177/1529100619832930).
- Do not use it to judge people: not in hiring, teaching, policing, border control or health care. In the European
  Union the AI Act forbids inferring emotions at work and in education, with narrow exceptions (Regulation 2024/1689,
  Article 5).
- It was made for single, roughly frontal, greyscale faces of 48×48 pixels. Anything else is guesswork.
"""
LIMITS_REAL = """\
- FER-2013's labels are noisy: people agree with them about 65 % of the time (Goodfellow et al., 2013,
  https://arxiv.org/abs/1307.0414). Its faces come from web searches and mirror who is found there.
- Some test faces also occur in Training, pixel for pixel or nearly so. The figures "without twins" leave those out.
- FER-2013 records no age, gender or skin colour, and nobody has measured this model by them. Others found such models
  worse on children, on old faces and by skin colour: the page Limits has the sources.
"""
LIMITS_SAMPLE = """\
- It was trained on **drawn** faces. Its figures say nothing about photographs.
"""
LIMITS_DRAWN = """\
- It was measured on **drawn** faces. These figures say nothing about photographs.
"""


IN_SHORT = (
    "Several models look at each face, and the weighted mean of their probabilities is the answer. They make different "
    "mistakes, so the mean is often better than the best of them; it costs the time of all of them."
)


def card_of(folder: RunFolder) -> str:
    """The card of a complete run, in Markdown, from what the folder holds now. Raises ``RunError``.

    An evaluation that is damaged is left out, and the card says so.
    """
    manifest = folder.manifest()
    if manifest is None:
        raise RunError(f"the run {folder.name} is not complete, so it has no card yet.")
    all_metrics, problems = [], folder.evaluation_problems()
    for one in folder.evaluations():
        try:
            all_metrics.append(one.metrics())
        except RunError as error:
            problems.append(str(error))
    weakest = _weakest(folder, problems)
    lines = _vote_lines if folder.is_vote else _brought_lines if folder.is_brought else _trained_lines
    text = lines(folder, manifest, all_metrics)
    end = text.index("## Limits")
    left_out = [f"**Left out here:** {problem}\n" for problem in problems]
    said = footnote(folder.name, shipped=folder.path.parent == settings().models_dir)
    chosen = ["## How it was chosen", "", f"{WHAT_CHOSE} {said}", ""] if said else []
    limits = [text[end], "", *[f"- {line}" for line in weakest], *text[end + 2 :]]
    return "\n".join([*text[:end], *chosen, *left_out, *limits])


def _weakest(folder: RunFolder, problems: list[str]) -> list[str]:
    """Where it is weakest on its own data; what is damaged is added to the ``problems``, and the rest stands."""
    own = folder.evaluation()
    lines: list[str] = []
    for part in () if own is None else (lambda: weakest_lines(own.metrics()), lambda: breaks_lines(own)):
        try:
            lines += part()
        except RunError as error:
            if str(error) not in problems:
                problems.append(str(error))
    return lines


def write_card(folder: RunFolder) -> None:
    """Write ``CARD.md`` anew, for those who look into the folder. Raises ``RunError`` or ``OSError``."""
    text = card_of(folder)
    with change(folder.path) as prepared:
        write_text(prepared.file(folder.card_path.name), text)


def _trained_lines(folder: RunFolder, manifest: RunManifest, all_metrics: Sequence[Metrics]) -> list[str]:
    recipe, description = folder.recipe(), folder.description()
    trained_on = manifest["data"]
    height, width = description.map_grid
    return [
        f"# {plain(manifest['title'])}",
        "",
        get(recipe.architecture).summary,
        "",
        f"- Input: 48×48 greyscale faces, worked on at {description.input_size}×{description.input_size} pixels. "
        f"Output: seven probabilities and seven class maps of {height}×{width} cells.",
        f"- {description.parameters:,} parameters, {description.multiply_adds / 1e6:,.0f} million multiply-adds a "
        "face.",
        *[
            f"- `model.tflite` {metrics['megabytes']['model.tflite']:.1f} MB, "
            f"{metrics['milliseconds_per_face']:.1f} ms a face with maps ({metrics['threads']} thread, "
            f"{metrics['machine']})."
            for metrics in all_metrics[:1]
        ],
        "",
        "## How it was trained",
        "",
        f"On {plain(trained_on['title'])} ({trained_on['faces']:,} faces in all, fingerprint "
        f"{trained_on['fingerprint'][:8]}; only its Training split). "
        f"Epoch {manifest['best_epoch']} of {manifest['epochs']} was best on PublicTest and is the model here."
        + (" Training stopped before its last epoch." if manifest["state"] == "stopped" else ""),
        "",
        *[f"- {text}" for text in recipe_sentences(recipe)],
        *[f"- {plain(text)}" for text in history_sentences(recipe, folder.events())],
        *[f"- {text}" for text in [copy_note(trained_on["fingerprint"])] if text],
        "",
        *_results(folder, all_metrics, trained_on, "it was trained on"),
        "## Limits",
        "",
        LIMITS + (LIMITS_SAMPLE if trained_on["kind"] == "sample" else LIMITS_REAL),
    ]


def _brought_lines(folder: RunFolder, manifest: RunManifest, all_metrics: Sequence[Metrics]) -> list[str]:
    record, tried_on = folder.import_record(), manifest["data"]
    about = ["Somebody else's model, brought here."]
    if folder.origin == Origin.PREDICTIONS:
        about = [f"Answers of somebody else's model, brought without the model: {NO_MODEL}"]
    elif folder.architecture_path.exists():
        description = folder.description()
        about.append(
            f"It has {description.parameters:,} parameters, and takes {description.multiply_adds / 1e6:,.0f} million "
            "multiply-adds a face."
        )
    return [
        f"# {plain(manifest['title'])}",
        "",
        " ".join(about),
        "",
        "## What was brought",
        "",
        *[f"- {text}" for text in sentences(record)],
        "",
        *table(record),
        "",
        *_results(folder, all_metrics, tried_on, "its order of classes was tried on"),
        "## Limits",
        "",
        LIMITS + UNKNOWN_TRAINING + (LIMITS_DRAWN if tried_on["kind"] == "sample" else LIMITS_REAL),
    ]


def _results(folder: RunFolder, all_metrics: Sequence[Metrics], own: DatasetRecord, own_words: str) -> list[str]:
    """A section for each dataset that the run was measured on."""
    if not all_metrics:
        return ["## Results", "", "It has not been measured.", ""]
    lines = []
    for metrics in all_metrics:
        data = metrics["data"]
        if data["fingerprint"] == own["fingerprint"]:
            lines += ["## Results", ""]
        else:
            lines += [f"## Results on {plain(data['title'])}", "", f"**Measured on other data than {own_words}.**", ""]
        lines += [*result_lines(metrics, certainty=folder.tells_confidence), ""]
        words = looks_words(folder.path, data["fingerprint"]) if PRIVATE_TEST in metrics["splits"] else ""
        lines += [f"{PRIVATE_TEST} of these data was opened for this run: {words}.", ""] if words else []
    return lines


def result_lines(metrics: Metrics, *, certainty: bool = True) -> list[str]:
    """The results as lines of Markdown: one row a split; other ways of running the model; the classes that
    there are, of PrivateTest where it has faces. ``certainty``: whether the run says how sure it is.
    """
    head, rule = "| split | faces | accuracy (95 % interval) | macro F1 |", "|---|---|---|---|"
    lines = [f"{head} log loss | ECE |", f"{rule}---|---|"] if certainty else [head, rule]
    for split, scores in metrics["splits"].items():
        if clean := without_twins(scores):
            lines += [_scores_row(f"{split} without twins", clean, certainty)]
            lines += [_scores_row(f"{split}, all faces", scores, certainty)]
        else:
            lines.append(_scores_row(split, scores, certainty))
    lines += [
        "",
        f"Intervals: bootstrap over {_drawn_anew(metrics)}, {metrics['resamples']:,} resamples, seed {metrics['seed']}."
        + (" All of these figures are one pass over each face." if "milliseconds_per_face" in metrics else ""),
    ]
    extra = further_lines(metrics)
    if extra:
        lines += ["", *[f"- {line}" for line in extra]]
    split = PRIVATE_TEST if PRIVATE_TEST in metrics["splits"] else PUBLIC_TEST
    if scored := metrics["splits"].get(split):
        lines += ["", f"{split}, class by class:", "", *_class_rows(scored)]
    return lines


def _drawn_anew(metrics: Metrics) -> str:
    return "persons" if any("by_person" in scores for scores in metrics["splits"].values()) else "faces"


def _scores_row(name: str, scores: Scores, certainty: bool) -> str:
    row = (
        f"| {name} | {scores['n']:,} | {percent(scores['accuracy'])} ({interval(scores)}) | {scores['macro_f1']:.3f} |"
    )
    return f"{row} {scores['log_loss']:.3f} nats | {scores['ece']:.3f} |" if certainty else row


def _class_rows(scores: SplitScores) -> list[str]:
    """The classes that there are. What they are without twins stands first: rare classes may live on them."""
    clean = without_twins(scores)
    without = {row["emotion"]: row for row in clean["per_class"]} if clean else {}
    columns = ["recall without twins", "F1 without twins", "faces without twins"] if without else []
    columns = ["class", *columns, "precision", "recall", "F1", "faces"]
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for row in scores["per_class"]:
        if not row["support"]:
            continue  # nothing to find, and its precision would only say that there is nothing
        cells = [row["emotion"]]
        if without:
            own = without[row["emotion"]]
            cells += [_figure(own["recall"]), _figure(own["f1"]), f"{own['support']:,}"]
        cells += [_figure(row["precision"]), _figure(row["recall"]), _figure(row["f1"]), f"{row['support']:,}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


class MemberRow(TypedDict):
    """One member of a vote. ``title``: of its architecture; ``accuracy``: its own by split, 0..1."""

    name: str
    title: str
    weight: float
    temperature: float
    accuracy: dict[str, float]


def members_table(folder: RunFolder, vote: Vote, fingerprint: str) -> list[MemberRow]:
    """The members of a vote, in its order.

    ``accuracy`` is empty for a member that is not there or was measured on other data than that of ``fingerprint``.
    """
    rows: list[MemberRow] = []
    for member in vote.members:
        places = [RunFolder(path) for path in homes(folder, member.name)]
        metrics = next((found for place in places if (found := _metrics(place, fingerprint))), None)
        rows.append(
            {
                "name": member.name,
                "title": TITLES.get(member.architecture, member.architecture),
                "weight": member.weight,
                "temperature": member.temperature,
                "accuracy": {split: scores["accuracy"] for split, scores in metrics["splits"].items()}
                if metrics
                else {},
            }
        )
    return rows


def _vote_lines(folder: RunFolder, manifest: RunManifest, all_metrics: Sequence[Metrics]) -> list[str]:
    vote, chosen_on = read_vote(folder), manifest["data"]
    lines = [
        f"# {plain(manifest['title'])}",
        "",
        IN_SHORT,
        "",
        *[
            f"- {plural(len(vote.asked), 'model')} of {metrics['megabytes']['model.tflite']:.1f} MB together, "
            f"{metrics['milliseconds_per_face']:.1f} ms a face with maps ({plural(metrics['threads'], 'thread')}, "
            f"{metrics['machine']})."
            for metrics in all_metrics[:1]
        ],
        "- Its class maps show where the members look: each member's maps on a scale from 0 to 1, averaged with the "
        "same weights. They are a picture, not an account of the answer.",
        "",
        "## Who votes",
        "",
        f"| member | architecture | weight | temperature | {PUBLIC_TEST} alone | {PRIVATE_TEST} alone |",
        "|---|---|---|---|---|---|",
    ]
    for row in members_table(folder, vote, chosen_on["fingerprint"]):
        alone = [percent(row["accuracy"][split]) if split in row["accuracy"] else "–" for split in TEST_SPLITS]
        lines.append(
            f"| {row['name']} | {row['title']} | {percent(row['weight'])} | {row['temperature']:.3f} "
            f"| {' | '.join(alone)} |"
        )
    lines += [
        "",
        f"{plain(vote.method)} The faces were those of {plain(chosen_on['title'])}. "
        f"{PRIVATE_TEST} was not used for it.",
        "",
        *_results(folder, all_metrics, chosen_on, "its weights were chosen on"),
        "## Limits",
        "",
        LIMITS + (LIMITS_SAMPLE if chosen_on["kind"] == "sample" else LIMITS_REAL),
    ]
    return lines


def _metrics(folder: RunFolder, fingerprint: str) -> Metrics | None:
    """A member's metrics for the table; one that is damaged has none, and the page of that run says so."""
    try:
        return folder.metrics(fingerprint)
    except RunError:
        return None
