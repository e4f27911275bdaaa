"""The parts of Home: what to do next, how good the models are, which data there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from fer_core import formatting
from fer_core.access.policy import Action
from fer_core.data.contracts import DatasetRecord
from fer_core.data.info import DatasetInfo
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST, TRAINING
from fer_core.errors import RunError
from fer_core.review.ordering import SORTS
from fer_core.runs import protocol
from fer_core.runs.contracts import Metrics, SplitScores
from fer_core.runs.ledger import looks_words
from fer_core.runs.listing import ModelInfo
from pages.parts import access, fall, frame, linked, links, messages, runs
from pages.parts.data import IMPORT, current
from pages.parts.home import accuracy_bars
from pages.parts.home.accuracy_bars import Bar

if TYPE_CHECKING:
    from typing import Any

FIGURES, DATA = "home.figures", "home.data"
"""Names in the address: whether the tables are open. Closed, they cost a first visitor nothing."""
FIGURES_LABEL = "All figures"
APART = 3
"""Runs on other data that are told in words: of more, the table tells."""
TERMS = (
    f"{protocol.KEPT_ASIDE} The label: what those who made the data call the face. The dark end of a bar is its 95 % "
    "interval: how far chance alone could move it."
)
CARDS_STYLE = """<style>
@media (max-width: 640px) { .st-key-next-steps > * { flex: 1 1 9rem !important; width: auto !important; } }
</style>"""
"""On a phone two cards fill the width."""

Step = tuple[str, str, str, str, frame.Query]
"""A page's name, a link's label and icon, why to go there, and the link's query."""


def next_steps(models: Sequence[ModelInfo]) -> None:
    """Links to the other pages, each with the question that it answers; the most useful one first."""
    st.header("What next?", anchor=False)
    train: Step = ("train", "Train a model", ":material/model_training:", "Watch it learn.", {})
    if models:
        chosen = current()
        # Where labels may be wrong, first those that probably are.
        doubted: frame.Query = {} if chosen is None or chosen.record["kind"] == "sample" else {"sort": SORTS["doubt"]}
        steps: list[Step] = [
            ("lessons", "Take a lesson", ":material/school:", "Why does fear become sadness?", {}),
            ("mistakes", "See the mistakes", ":material/search:", "Is the model wrong, or the label?", doubted),
            ("explain", "Ask why", ":material/psychology_alt:", "Where did it look?", {}),
            ("poke", "Fool them", ":material/touch_app:", "Which muscle changes their mind?", {}),
            ("live", "Show your face", ":material/videocam:", "What do they say as you move?", {}),
            train,
        ]
    else:
        steps = [train, ("dataset", "Look at the faces", ":material/grid_view:", "Class by class.", {})]
    st.html(CARDS_STYLE)
    with st.container(horizontal=True, key="next-steps"):
        for page, label, icon, why, query in steps:
            # Three fit side by side beside the sidebar of a 1280-pixel screen.
            with st.container(border=True, width=262, height="stretch", gap="xxsmall"):
                frame.link(page, label, icon=icon, query=query)
                st.caption(why)


def models(infos: Sequence[ModelInfo]) -> None:
    """Accuracy on PrivateTest of every complete run, as bars, and folded as a table."""
    st.header("How good are the models?" if infos else "Models", anchor=False)
    if not infos:
        st.info(
            "There is no model yet. Train one on the drawn sample: it takes about a minute, and needs no download.",
            icon=":material/info:",
        )
        frame.link("train", "Train your first model", icon=":material/model_training:")
        return
    found: list[tuple[ModelInfo, Metrics | None]] = []
    bars, found_on = [], []
    for info in infos:
        try:
            metrics = info.folder.metrics()
        except RunError as error:
            st.warning(messages.told(error))
            continue
        found.append((info, metrics))
        scores = metrics["splits"].get(PRIVATE_TEST) if metrics else None
        if metrics and scores:
            found_on.append(metrics["data"])
            bars.append(Bar(info.display_name, runs.data_title(metrics["data"]), scores))
    if bars:
        _bars(bars, found_on)
    _on_drawings(infos)
    figures = linked.expander(FIGURES_LABEL, key=FIGURES, icon=":material/table_view:")
    if figures.open:
        with figures:
            if bars:
                _effect_of_near_duplicates([bar.scores for bar in bars])
                st.caption(f"{protocol.WHAT_CHOSE} {protocol.footnotes(infos)}")
            _table([_model_row(info, metrics) for info, metrics in found])
    frame.link("leaderboard", "Beside published systems", icon=":material/leaderboard:")


def _bars(bars: Sequence[Bar], found_on: Sequence[DatasetRecord]) -> None:
    """The bars of the runs that may be ranked, the sentence that says what they show, and the others apart."""
    chief = runs.foremost(found_on)
    shown = [bar for bar, data in zip(bars, found_on, strict=True) if data["fingerprint"] == chief["fingerprint"]]
    people = runs.of_people(chief)
    about = links.plain(shown[0].about)
    told = "; ".join(
        f"{bar.name} on {bar.about} {formatting.percent(bar.scores['accuracy'])}, 95 % interval "
        f"{formatting.interval(bar.scores)}, {bar.scores['n']:,} faces"
        for bar in shown
    )
    st.html(
        accuracy_bars.table(
            [replace(bar, about="") for bar in shown], people=people, alt=f"Accuracy on {PRIVATE_TEST}. {told}."
        )
    )
    best = max(shown, key=lambda bar: bar.scores["accuracy"])
    beside = "people about 65, guessing 14" if people else "guessing 14"
    st.markdown(
        f"Of 100 test faces of **{about}** the best, **{links.plain(best.name)}**, names the label of "
        f"{100 * best.scores['accuracy']:.0f}; {beside}.",
        help=TERMS,
    )
    apart = [bar for bar, data in zip(bars, found_on, strict=True) if data["fingerprint"] != chief["fingerprint"]]
    if apart:
        st.caption(_on_other_data(apart))


def _on_other_data(bars: Sequence[Bar]) -> str:
    """The figures of a few runs on other data, each beside its data, and how many more there are."""
    told = [
        f"{links.plain(bar.name)} on {links.plain(bar.about)} {formatting.percent(bar.scores['accuracy'])} "
        f"({formatting.interval(bar.scores)}, n = {bar.scores['n']:,})"
        for bar in bars[:APART]
    ]
    more = f"; {len(bars) - APART} more under “{FIGURES_LABEL}”" if len(bars) > APART else ""
    return f"On other data, so not to be compared: {'; '.join(told)}{more}."


def _table(rows: Sequence[Mapping[str, Any]]) -> None:
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
    """How these models do on the faces of the game, where these are drawn."""
    chosen = current()
    if chosen is None or chosen.info is None or not chosen.info.is_sample:
        return
    if text := fall.sentence(infos, chosen.fingerprint, PRIVATE_TEST, in_full=False):
        st.caption(f":material/school: {text}")


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


def _model_row(info: ModelInfo, metrics: Metrics | None) -> dict[str, Any]:
    splits = metrics["splits"] if metrics else {}
    # Data may have no PrivateTest faces, which does not mean that nothing was measured.
    split = PRIVATE_TEST if PRIVATE_TEST in splits else PUBLIC_TEST
    score = splits.get(split)
    words = formatting.interval(score) + ("" if split == PRIVATE_TEST else f" of {split}") if score else "not measured"
    return {
        "Model": info.display_name,
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
    if not infos:
        return
    if all(info.is_sample for info in infos) and access.may(Action.IMPORT_DATA):
        frame.link("dataset", "Bring the photographs, FER-2013", icon=":material/upload:", query={"view": IMPORT})
    table = linked.expander("The data that are here", key=DATA, icon=":material/database:")
    if table.open:
        with table:
            _datasets(infos)


def _datasets(infos: Sequence[DatasetInfo]) -> None:
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
