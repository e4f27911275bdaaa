"""The current comparison as a report: one HTML file with its figures, matrices and faces, made when somebody asks."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.emotions import COUNT, NAMES
from fer_core.formatting import interval, plural
from fer_core.plots.confusion import percentages
from fer_core.plots.faces import contact_sheet
from fer_core.plots.style import LIGHT_SCALE, scale_colour
from fer_core.review import sentences
from fer_core.review.html_report import Report
from pages.parts.charts import jpeg
from pages.parts.compare import accuracy, numbers
from pages.parts.scope import LABELS_KEY, View

FACES = 12
"""Of each of the most confused pairs."""
PAIRS = 5


def button(view: View) -> None:
    """The button. The file is made on a click, not before."""
    st.download_button(
        "Report to hand in",
        data=lambda: report(view),
        file_name=f"comparison-{view.scope.aligned.split}.html",
        mime="text/html",
        icon=":material/description:",
        on_click="ignore",
        key="report",
        help="One HTML file of this comparison, with figures and faces inside it. It opens in any browser.",
    )


def report(view: View) -> str:
    """What the page shows of the runs and faces in view, in the order of its tabs."""
    aligned = view.scope.aligned
    made = Report(f"Comparison on {aligned.split} of {view.data_title}")
    whose = f" Labels: {view.query[LABELS_KEY]}." if LABELS_KEY in view.query else ""
    made.paragraph(
        f"{plural(len(aligned), 'face')} of {plural(len(view.scope.whole), 'face')} of {aligned.split}.{whose}"
    )
    for why in view.scope.left_out:
        made.paragraph(f"Left out: {why}.")
    made.heading("Accuracy")
    made.markup(accuracy.strip(view))
    made.paragraph(sentences.accuracies(view.names, aligned.right))
    _figures(view, made)
    made.paragraph(numbers.looks(view, view.names), note=True)
    made.heading("Which expression is taken for which")
    made.paragraph("Rows: the label. Columns: what the run said. Per cent of the label's faces.", note=True)
    for name, counts in zip(view.names, view.scope.confusions, strict=True):
        made.paragraph(name)
        _matrix(made, counts)
    made.paragraph(sentences.matrices(dict(zip(view.names, view.scope.confusions, strict=True))))
    _pairs(view, made)
    _differences(view, made)
    made.heading("Expressions")
    made.paragraph(sentences.classes(numbers.classes(view), "f1"))
    made.heading("Certainty")
    telling = {run.display_name for run in view.runs if run.folder.tells_confidence}
    found = numbers.reliability(view, with_temperature=False)
    made.paragraph(sentences.certainty({name: one for name, one in found.items() if name in telling}))
    if learned := sentences.learning(numbers.learned(view)):
        made.heading("Learning")
        made.paragraph(learned)
    made.paragraph(
        f"Made by FER Explorer on {datetime.now(UTC):%d %B %Y}. Data: {view.data_title}, fingerprint "
        f"{aligned.fingerprint[:8]}. An expression is what a face shows, not what somebody feels.",
        note=True,
    )
    return made.text()


def _figures(view: View, made: Report) -> None:
    clean = numbers.without_twins(view)
    head = ["Run", *(["Without twins (%)", "95 % interval", "Macro F1 without twins"] if clean else [])]
    head += ["Accuracy (%)", "95 % interval", "Macro F1"]
    rows = []
    for at, (name, score) in enumerate(zip(view.names, numbers.scores(view), strict=True)):
        row = [name]
        for one in ([clean[at]] if clean else []) + [score]:
            row += [f"{100 * one['accuracy']:.1f}", interval(one), f"{one['macro_f1']:.3f}"]
        rows.append(row)
    made.table(head, rows)
    if clean:
        made.paragraph("Twins are faces that also occur in Training: a model may simply remember those.", note=True)


def _matrix(made: Report, counts: npt.NDArray[np.int64]) -> None:
    shares = percentages(counts, "row")
    rows = [
        [NAMES[true], *("–" if np.isnan(share) else f"{share:.0f}" for share in shares[true])] for true in range(COUNT)
    ]
    colours = [["", *(_colour(float(np.nan_to_num(share)) / 100) for share in shares[true])] for true in range(COUNT)]
    made.table(["true, predicted", *NAMES], rows, colours)


def _colour(share: float) -> str:
    return "#" + "".join(f"{round(channel):02X}" for channel in scale_colour(LIGHT_SCALE, share))


def _pairs(view: View, made: Report) -> None:
    """The most confused pairs of all runs, with faces where the data are here."""
    aligned, dataset = view.scope.aligned, view.dataset
    found = sentences.confused_pairs(numbers.taken_for(view, view.names, 0.0), PAIRS)
    if not found:
        return
    made.heading("The most confused pairs")
    for pair in found:
        here = (aligned.labels == pair.true) & (aligned.predicted == pair.said).any(axis=0)
        of = int((aligned.labels == pair.true).sum())
        words = f"{pair.words}: {plural(pair.faces, 'face')} of {of:,}, by one run at least"
        if dataset is None:
            made.paragraph(words)
            continue
        # Those that most runs take so, and are surest of, tell the most.
        sure = aligned.probabilities[:, :, pair.said].mean(axis=0)
        at = np.flatnonzero(here)
        at = at[np.argsort(-sure[at], kind="stable")][:FACES]
        sheet = contact_sheet(dataset.images[aligned.rows[at]], min(FACES, len(at)), labels=aligned.labels[at])
        rows = ", ".join(str(row) for row in aligned.rows[at])
        alt = f"Faces labelled {NAMES[pair.true]} that are taken for {NAMES[pair.said]}."
        made.picture(jpeg(sheet), alt, f"{words}. Rows {rows}.")


def _differences(view: View, made: Report) -> None:
    """Every run against the one that is right most often."""
    right = view.scope.aligned.right.sum(axis=1)
    best = int(right.argmax())
    others = [at for at in range(len(view.names)) if at != best]
    if not others:
        return
    made.heading("Is the difference real?")
    for at in others:
        compared = numbers.comparison(view, at, best)
        made.paragraph(compared.verdict(view.names[at], view.names[best]))
    made.paragraph(
        "In brackets: the 95 % interval. Whether chance explains a difference is McNemar's exact test's to say, face "
        "by face.",
        note=True,
    )
