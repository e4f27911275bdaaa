"""The Robustness tab: how the models do on faces made worse, as they were measured once, and which answers flip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.corruptions.kinds import CORRUPTIONS, SEVERITIES
from fer_core.corruptions.measurement import FILE, Corrupted, read_corruptions
from fer_core.corruptions.robustness import Robustness
from fer_core.errors import RunError
from fer_core.formatting import duration, percent, plain, points
from fer_core.inference.predictor import Predictor
from fer_core.plots import robustness as plots
from fer_core.plots.style import run_colour
from fer_core.review import sentences
from fer_core.runs import measurements
from fer_core.runs.folder import RunFolder
from pages.parts import data, messages
from pages.parts.charts import drawn
from pages.parts.chosen_face import ChosenFace
from pages.parts.dataset_extras import dataset_of
from pages.parts.explain import flips, tab_memory
from pages.parts.explain.flips import FlipChoice
from pages.parts.face_answers import Seal, cache_key
from pages.parts.runs import data_title

COLUMNS = 3
ROBUSTNESS = "Robustness"
PREDICTIONS = 1 + len(CORRUPTIONS) * len(SEVERITIES)
"""What measuring costs for each face."""
_SYMBOLS = ("●", "◆", "■", "▲", "✚", "★")
"""As :data:`fer_core.plots.style.RUN_SYMBOLS`, for the legend."""


@dataclass(frozen=True, eq=False)
class Shared:
    """Measurements that can be compared: the same faces made worse in the same ways.

    ``runs``: name to answers, all to the faces ``rows`` of ``split`` of the data with ``fingerprint``.
    ``sentence`` says which.
    """

    runs: dict[str, Robustness]
    fingerprint: str
    sentence: str
    split: str


def show(about: ChosenFace | None, models: list[Predictor], is_open: bool) -> None:
    """The tab. Closed, it draws nothing; opened again, it is as it was left."""
    if not is_open:
        return
    tab_memory.come_back(ROBUSTNESS, _is_mine)
    above = st.container()
    choice = flips.choose(models)
    tab_memory.remember(ROBUSTNESS, _is_mine)
    with above:
        shared = _curves_of(models, choice)
    if shared is not None and choice is not None:
        flips.show(shared.runs, shared.fingerprint, choice)


def _is_mine(name: str) -> bool:
    return name in flips.NAMES_IN_ADDRESS


def _curves_of(models: list[Predictor], choice: FlipChoice | None) -> Shared | None:
    st.markdown(
        "How many answers survive when faces get worse? Each model was asked once about the same faces with noise, "
        "blur and so on, at five strengths each, and its answers were kept. Nothing is computed here."
    )
    if not models:
        st.info("Choose at least one model above.", icon=":material/info:")
        return None
    corrupted_runs, missing = {}, []
    for model in models:
        try:
            found = _read(cache_key(model))
        except RunError as error:
            st.warning(messages.told(error), icon=":material/broken_image:")
            continue
        if found is None:
            missing.append(model)
        else:
            corrupted_runs[model.name] = found
    chosen = data.current()
    shared = shared_measurements(corrupted_runs, chosen.fingerprint if chosen else "")
    if shared is not None:
        _draw(shared, choice, models)
        _left_out(corrupted_runs, shared)
    _how_to(missing)
    return shared


def shared_measurements(corrupted_runs: Mapping[str, Corrupted], preferred: str) -> Shared | None:
    """The measurements on one dataset: that with the fingerprint ``preferred`` if there is any, else the first's.

    Where they are about different parts of it, only the faces that all of them have are kept. None without any.
    """
    if not corrupted_runs:
        return None
    prints = [one.about.fingerprint for one in corrupted_runs.values()]
    fingerprint = preferred if preferred in prints else prints[0]
    same = {name: one for name, one in corrupted_runs.items() if one.about.fingerprint == fingerprint}
    first = next(iter(same.values()))
    rows = first.robustness.keys
    for one in same.values():
        rows = np.intersect1d(rows, one.robustness.keys, assume_unique=True)
    runs = {name: one.robustness.where(np.isin(one.robustness.keys, rows)) for name, one in same.items()}
    title = plain(data_title(first.about.data))
    if all(len(one) == len(rows) for one in same.values()):
        sentence = f"Measured on {first.which()} of {title}."
    else:
        counts = ", ".join(f"{name} {len(one):,}" for name, one in same.items())
        sentence = (
            f"Measured on faces of {first.about.split} of {title}, on different numbers of them ({counts}). Shown are "
            f"the {len(rows):,} faces that all have in common."
        )
    return Shared(runs, fingerprint, sentence, first.about.split)


def _draw(shared: Shared, choice: FlipChoice | None, models: Sequence[Predictor]) -> None:
    runs = shared.runs
    labels = next(iter(runs.values())).labels
    if not len(labels):
        st.info("The models chosen were measured on different faces, and have none in common.", icon=":material/info:")
        return
    guessing = plots.guessing_of(labels)
    st.caption(
        f"{shared.sentence} Lines are accuracy with 95 % intervals (Wilson's); the thin lines go on at the accuracy on "
        f"faces as they are. Dotted: always giving the most frequent answer, {percent(guessing)}. Click a point to see "
        "the faces whose answer flips there."
    )
    st.html(run_legend(list(runs)))
    names = list(CORRUPTIONS)
    for start in range(0, len(names), COLUMNS):
        for place, name in zip(st.columns(COLUMNS), names[start : start + COLUMNS], strict=False):
            highlighted = (choice.run, choice.severity) if choice is not None and choice.name == name else None
            with place:
                st.plotly_chart(
                    drawn(plots.severity_curves, name, runs, highlighted=highlighted, guessing=guessing),
                    key=f"robust-{name}",
                    on_select=lambda name=name: flips.pick(f"robust-{name}", models),
                    selection_mode="points",
                    config={"displayModeBar": False},
                    alt=plots.describe_severity_curves(name, runs),
                )
    st.markdown(sentences.robustness(runs, shared.split))
    st.dataframe(
        accuracy_table(runs),
        hide_index=True,
        column_config={
            "As they are (%)": st.column_config.NumberColumn(format="%.1f"),
            "Made worse (%)": st.column_config.NumberColumn(
                format="%.1f", help="The mean over all ways and five strengths each."
            ),
        },
        alt="Mean accuracy of each model on faces made worse.",
    )
    st.caption(
        "The strengths are our own, chosen by eye for faces of 48 pixels, so these numbers cannot be set beside those "
        "of other collections such as ImageNet-C (Hendrycks and Dietterich, 2019, https://arxiv.org/abs/1903.12261)."
    )


def accuracy_table(runs: Mapping[str, Robustness]) -> pd.DataFrame:
    """One row a run: accuracy on faces as they are and on the mean of all made worse, and what costs it most."""
    rows = []
    for name, found in runs.items():
        by_corruption = found.accuracy()[0].mean(axis=1)
        low, high = found.mean_interval()
        worst = int(by_corruption.argmin())
        rows.append(
            {
                "Run": name,
                "Faces": len(found.labels),
                "As they are (%)": 100 * found.clean_accuracy,
                "Made worse (%)": 100 * found.mean_accuracy(),
                "95 % interval": f"{100 * low:.1f}–{100 * high:.1f} %",
                "Lost": points(found.mean_accuracy() - found.clean_accuracy),
                "Most lost to": f"{CORRUPTIONS[found.names[worst]].title} "
                f"({points(float(by_corruption[worst]) - found.clean_accuracy)})",
            }
        )
    return pd.DataFrame(rows)


def run_legend(names: list[str]) -> str:
    """Which colour and mark is which run, as HTML."""
    import html

    parts = " ".join(
        f'<span style="white-space:nowrap;margin-right:1.2em"><span aria-hidden="true" style="color:'
        f'{run_colour(position)}">{_SYMBOLS[position % len(_SYMBOLS)]}</span> {html.escape(name)}</span>'
        for position, name in enumerate(names)
    )
    return f'<div style="font-size:0.9rem">{parts}</div>'


def _left_out(corrupted_runs: Mapping[str, Corrupted], shared: Shared) -> None:
    for name, one in corrupted_runs.items():
        if name not in shared.runs:
            st.info(
                f"{name} was measured on {plain(data_title(one.about.data))}, which are other faces, so it is left "
                "out.",
                icon=":material/filter_alt_off:",
            )


def _how_to(missing: Sequence[Predictor]) -> None:
    """The exact command for each run without a measurement, and how long it may take."""
    if not missing:
        return
    names = ", ".join(model.name for model in missing)
    st.info(
        f"Not measured yet: {names}. It takes minutes, so it is done on the command line, once; the answers are kept "
        "in the run, and appear here.",
        icon=":material/terminal:",
    )
    lines, durations = [], []
    for model in missing:
        folder = RunFolder(model.path.parent)
        metrics = folder.metrics()
        dataset = dataset_of(metrics["data"]["fingerprint"]) if metrics else None
        data: str | Path = "DATASET" if dataset is None else messages.place(dataset.info.path)
        lines.append(measurements.command(folder, FILE, data, by_name=True))
        public = metrics["splits"].get("PublicTest") if metrics else None
        if metrics and public:
            n, each = public["n"], metrics["milliseconds_per_face"]
            whole, part = (duration(count * PREDICTIONS * each / 1000) for count in (n, min(n, 1000)))
            durations.append(f"{model.name} about {whole} for all {n:,} faces, {part} with `--limit 1000`")
    st.code("\n".join(lines), language="bash")
    if durations:
        st.caption(
            f"With one core as fast as that of the run's evaluation: {'; '.join(durations)}. More cores are faster."
        )


@st.cache_resource(show_spinner=False, max_entries=32)
def _read(seal: Seal) -> Corrupted | None:
    """Keyed by the run's folder and when it was sealed: a measurement lists itself in ``evaluation.json``."""
    return read_corruptions(RunFolder(Path(seal[0])))
