"""The parts of Home: what to do next, how good the models are, which data there is."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from fer_core import formatting
from fer_core.access.policy import Action
from fer_core.data.info import DatasetInfo
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST, TRAINING
from fer_core.errors import RunError
from fer_core.runs import protocol
from fer_core.runs.contracts import Metrics, SplitScores
from fer_core.runs.ledger import looks_words
from fer_core.runs.listing import ModelInfo
from pages.parts import access, frame, known_data, lesson, links, messages, runs
from pages.parts.charts import drawn
from pages.parts.data import AUDIT, IMPORT

if TYPE_CHECKING:
    from typing import Any

Step = tuple[str, str, str, str, frame.Query]
"""A page's name, a link's label and icon, why to go there, and the link's query."""


def next_steps(models: Sequence[ModelInfo], datasets: Sequence[DatasetInfo]) -> None:
    """Links to the other pages, each with the sentence that says why; the most useful one first."""
    st.header("What to do next", anchor=False)
    real = any(not info.is_sample for info in datasets)
    faces: Step = ("dataset", "Look at the faces", ":material/grid_view:", "What is in the data, class by class.", {})
    train: Step = (
        "train",
        "Train a model",
        ":material/model_training:",
        "Watch it learn. The 1-minute preset is quick on the drawn sample.",
        {},
    )
    if models:
        steps = [
            (
                "compare",
                "Compare models",
                ":material/compare:",
                "Which is better at what, and is the difference more than chance?",
                {},
            ),
            (
                "mistakes",
                "See the mistakes",
                ":material/search:",
                "The faces behind each number. Is the model wrong, or the label?",
                {},
            ),
            (
                "explain",
                "Ask why",
                ":material/psychology_alt:",
                "Where each model looked, and whether you can believe the map.",
                {},
            ),
            (
                "live",
                "Show your face",
                ":material/videocam:",
                "On your webcam: what every model says as you move.",
                {},
            ),
            faces,
            (
                "dataset",
                "Audit the data",
                ":material/content_copy:",
                "Duplicates, contradicting labels, blank images, and what they cost.",
                {"view": AUDIT},
            ),
            train,
            ("photo", "Try a picture", ":material/photo_camera:", "Your own photo: what each model sees in it.", {}),
        ]
    else:
        steps = [train, faces]
    if not real and access.may(Action.IMPORT_DATA):
        steps.append(
            (
                "dataset",
                "Bring FER-2013",
                ":material/upload:",
                "The real faces. Until then you work with drawn ones.",
                {"view": IMPORT},
            )
        )
    with st.container(horizontal=True, key="next-steps"):
        for page, label, icon, why, query in steps:
            # Four fit side by side beside the sidebar of a 1280-pixel screen.
            with st.container(border=True, width=188, height="stretch"):
                frame.link(page, label, icon=icon, query=query)
                st.caption(why)


def models(infos: Sequence[ModelInfo]) -> None:
    """Accuracy on PrivateTest of every complete run, as a figure and as a table."""
    st.header("How good are the models?" if infos else "Models", anchor=False)
    if not infos:
        st.info(
            "There is no model yet. Train one on the drawn sample: it takes about a minute, and needs no download.",
            icon=":material/info:",
        )
        frame.link("train", "Train your first model", icon=":material/model_training:")
        return
    rows, scores, names, labels, titles = [], [], [], [], []
    for info in infos:
        try:
            metrics = info.folder.metrics()
        except RunError as error:
            st.warning(messages.told(error))
            continue
        rows.append(_model_row(info, metrics))
        found = metrics["splits"].get(PRIVATE_TEST) if metrics else None
        if metrics and found:
            scores.append(found)
            title = runs.data_title(metrics["data"])
            titles.append(title)
            names.append(f"{info.name} on {title}")
            labels.append("<br>".join([*textwrap.wrap(info.name, 20), html.escape(title)]))
    if scores:
        about = " and ".join(dict.fromkeys(links.plain(title) for title in titles))
        st.markdown(
            f"Accuracy on **{PRIVATE_TEST}** of **{about}**. "
            "The bar is the 95 % interval: how far chance alone could move the figure."
        )
        _interval_figure(names, labels, scores)
        _effect_of_near_duplicates(scores)
        st.caption(f"{protocol.WHAT_CHOSE} {protocol.footnotes(infos)}")
    _on_drawings(infos)
    import pandas as pd

    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            "Accuracy (%)": st.column_config.NumberColumn(format="%.1f"),
            "Faces (n)": st.column_config.NumberColumn(format="localized"),
        },
        alt="The complete runs: data, accuracy on PrivateTest with its 95 % interval, number of faces, state.",
    )
    if len({row["Data"] for row in rows}) > 1:
        st.caption("Runs on different data cannot be compared with each other: look at the Data column.")


def _on_drawings(infos: Sequence[ModelInfo]) -> None:
    """How these models do on the faces that are drawn here, and the way to see it."""
    drawn = next((one for one in known_data.known().values() if one.info is not None and one.info.is_sample), None)
    if drawn is not None and (text := lesson.sentence(infos, drawn.fingerprint, PRIVATE_TEST)):
        st.caption(
            f":material/school: On **{formatting.plain(drawn.title)}**, which is here to try everything on: {text}"
        )


def _effect_of_near_duplicates(scores: Sequence[SplitScores]) -> None:
    """What twins of training faces are worth in the figure, where the runs were measured without them too."""
    pairs = [
        (score, without)
        for score in scores
        if (without := score.get("without_near_duplicates")) and without["n"] < score["n"]
    ]
    if not pairs:
        return
    share = max(1 - without["n"] / score["n"] for score, without in pairs)
    falls = sorted(100 * (score["accuracy"] - without["accuracy"]) for score, without in pairs)
    if falls[0] > 0:
        span = dict.fromkeys(f"{fall:.1f}" for fall in (falls[0], falls[-1]))
        change = f"is {' to '.join(span)} points lower"
    else:
        # Adding zero makes a negative zero positive.
        span = dict.fromkeys(f"{round(-fall, 1) + 0:+.1f}".replace("-", "−") for fall in (falls[-1], falls[0]))
        change = f"changes by {' to '.join(span)} points"
    st.caption(
        f"Up to {formatting.percent(share)} of these faces also occur in {TRAINING}, exactly or nearly. Without them "
        f"accuracy {change}. The Audit tab of the Dataset page shows such faces, and what they cost."
    )


def _interval_figure(names: list[str], labels: list[str], scores: list[SplitScores]) -> None:
    """``labels`` are ``names`` broken into lines, so that they fit on a phone."""
    from fer_core.plots import accuracy

    lines = 2 + max(label.count("<br>") for label in labels)
    st.plotly_chart(
        drawn(accuracy.intervals, labels, scores, height=90 + len(labels) * (14 * lines + 14)),
        key="accuracies",
        config={"displayModeBar": False},
        alt=f"{PRIVATE_TEST}: {accuracy.describe(names, scores)}",
    )


def _model_row(info: ModelInfo, metrics: Metrics | None) -> dict[str, Any]:
    splits = metrics["splits"] if metrics else {}
    # Data may have no PrivateTest faces, which does not mean that nothing was measured.
    split = PRIVATE_TEST if PRIVATE_TEST in splits else PUBLIC_TEST
    score = splits.get(split)
    words = formatting.interval(score) + ("" if split == PRIVATE_TEST else f" of {split}") if score else "not measured"
    return {
        "Model": info.name,
        "Accuracy (%)": score["accuracy"] * 100 if score else None,
        "95 % interval": words,
        "Faces (n)": score["n"] if score else None,
        "Looks": looks_words(info.path, metrics["data"]["fingerprint"]) if metrics and split == PRIVATE_TEST else "",
        "Data": runs.data_title(metrics["data"] if metrics else info.data),
        "Architecture": info.architecture,
        "From": runs.origin_words(info),
        "Made": info.created[:10],
    }


def datasets(infos: Sequence[DatasetInfo]) -> None:
    """The datasets at hand, as a table."""
    st.header("Data", anchor=False)
    if not infos:
        st.markdown("There is no data yet. A sample of drawn faces is being made right now.")
        return
    if all(info.is_sample for info in infos):
        st.markdown(
            "So far there is only the **drawn sample**: faces that this program draws itself, so that you can try "
            "everything at once. They are not photographs."
        )
    import pandas as pd

    st.dataframe(
        pd.DataFrame(
            {
                "Dataset": info.path.name,
                "What it is": info.title,
                "Faces": info.faces,
                **{split: info.split_size(split) for split in (TRAINING, PUBLIC_TEST, PRIVATE_TEST)},
                "Imported": formatting.moment(info.created),
            }
            for info in infos
        ),
        hide_index=True,
        column_config={
            column: st.column_config.NumberColumn(format="localized")
            for column in ("Faces", TRAINING, PUBLIC_TEST, PRIVATE_TEST)
        },
        alt="The datasets at hand: title, number of faces in all and in each split, time of import.",
    )
