"""One sweep: where it stands, its trials in a picture, a table and their curves, and the way to Compare."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from fer_core.data.catalogue import SAMPLE_NAME
from fer_core.errors import FerError
from fer_core.formatting import plain
from fer_core.plots import sweep as plots
from fer_core.settings import settings
from fer_core.sweeps import effects
from fer_core.sweeps.folder import Sweep, list_sweeps, read_sweep
from fer_core.sweeps.grid import called, shown
from fer_core.sweeps.standing import (
    ENDED,
    SweepStanding,
    SweepState,
    TrialStanding,
    TrialState,
    best_in_words,
    counted,
    standing,
)
from pages.parts import data, frame, linked, links_to_compare, messages, scope
from pages.parts.charts import drawn
from pages.parts.fragments import fragment
from pages.parts.runs import complete

KEY = "sweep"
EVERY_S = 3
"""Seconds between two looks at a sweep that runs."""
MANY_S = 15
"""The same where none trains now, or there are many, since each look reads the journals of those that train."""
MANY = 100
COLOURS: dict[SweepState, str] = {
    SweepState.RUNNING: "blue",
    SweepState.STOPPING: "orange",
    SweepState.FINISHED: "green",
    SweepState.INTERRUPTED: "orange",
}
COMMAND = """\
pip install -r requirements-ray.txt
python -m fer_core sweep start rates custom_cnn --data {data} --grid learning_rate=0.0003,0.001,0.003"""


def show() -> None:
    """The page below its title."""
    sweeps, problems = list_sweeps()
    for problem in problems:
        st.warning(messages.told(problem, stored=True), icon=":material/broken_image:")
    if not sweeps:
        st.markdown("No sweep has been started yet. In a terminal, start one:")
        known = data.current()
        faces = settings().datasets_dir / SAMPLE_NAME if known is None or known.info is None else known.info.path
        st.code(COMMAND.format(data=shlex.quote(str(messages.place(faces)))), language=None, wrap_lines=True)
        return
    chosen = linked.selectbox("Sweep", [sweep.name for sweep in sweeps], key=KEY)
    sweep = next(sweep for sweep in sweeps if sweep.name == chosen)
    try:
        now = standing(sweep)
    except FerError as error:
        st.error(messages.told(error, stored=True), icon=":material/broken_image:")
        return
    fragment(_live, every=_every(now))(sweep.path, now.state)


def _every(now: SweepStanding) -> int | None:
    """Seconds between two looks; None where nothing will change. Somebody may go on with one that was interrupted."""
    if now.state == SweepState.FINISHED:
        return None
    return MANY_S if now.state == SweepState.INTERRUPTED or len(now.trials) > MANY else EVERY_S


def _live(path: Path, drawn_state: SweepState) -> None:
    """All that changes while the sweep runs."""
    now = standing(read_sweep(path))
    if now.state != drawn_state:
        # In another state it is looked at more or less often.
        st.rerun(scope="app")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(now.state, color=COLOURS[now.state])  # type: ignore[arg-type]
        st.markdown(counted(now), width="content")
    ranked = now.ranked()
    if not ranked:
        st.markdown(best_in_words(now))
    else:
        _picture(now, ranked)
        names = _names(ranked)
        st.info(plain(best_in_words(now, names[ranked[0].run])), icon=":material/casino:")
        _ways(now, ranked, names)
        _curves(ranked, names)
    _table(now, ranked)
    if now.state == SweepState.INTERRUPTED:
        st.markdown("Go on with it in a terminal:")
        st.code(f"python -m fer_core sweep resume {now.sweep.name}", language=None, wrap_lines=True)


def _names(ranked: Sequence[TrialStanding]) -> dict[str, str]:
    """What other pages call these runs, by folder. The table keeps the folders, which commands take."""
    shown = {run.name: run.display_name for run in complete()}
    return {trial.run: shown.get(trial.run, trial.run) for trial in ranked}


def _picture(now: SweepStanding, ranked: Sequence[TrialStanding]) -> None:
    axes = axes_of(now.sweep, ranked)
    accuracies = [trial.accuracy or 0.0 for trial in ranked]
    st.plotly_chart(
        drawn(plots.parallel, axes, accuracies, dark=st.context.theme.type == "dark"),
        key="parallel",
        config={"displayModeBar": False},
        alt=plots.describe_parallel(axes, accuracies),
    )
    # What is at an early epoch would be taken for what a choice does.
    words = effects.in_words([trial for trial in ranked if trial.state in ENDED])
    if words:
        st.markdown(plain(words))
    st.caption("One line a trial. Drag along an axis to keep the lines that pass there.")


def axes_of(sweep: Sweep, trials: Sequence[TrialStanding]) -> list[plots.Axis]:
    """An axis for each choice of more than one value, and one for the seeds where there are several."""
    found = []
    for key, values in sweep.manifest["grid"].items():
        names = [shown(value) for value in values]
        if len(names) > 1:
            places = tuple(names.index(shown(trial.settings[key])) for trial in trials)
            found.append(plots.Axis(called(key), tuple(names), places))
    seeds = sorted({trial["seed"] for trial in sweep.manifest["trials"]})
    if len(seeds) > 1:
        places = tuple(seeds.index(trial.seed) for trial in trials)
        found.append(plots.Axis("seed", tuple(map(str, seeds)), places))
    return found


def _ways(now: SweepStanding, ranked: Sequence[TrialStanding], names: Mapping[str, str]) -> None:
    sealed = [trial.run for trial in ranked if trial.sealed][: scope.LIMIT]
    if not sealed:
        return
    label = "Compare the best" if len(sealed) > 1 else "Look at it in Compare"
    with st.container(horizontal=True):
        links_to_compare.link(label, sealed, now.sweep.manifest["data"]["fingerprint"])
        frame.link("run", f"Card of {names[ranked[0].run]}", icon=":material/id_card:", query={"run": ranked[0].run})


def _curves(ranked: Sequence[TrialStanding], names: Mapping[str, str]) -> None:
    lines = [plots.Curve(names[trial.run], tuple(point.accuracy for point in trial.epochs)) for trial in ranked]
    best = names[ranked[0].run]
    st.plotly_chart(
        drawn(plots.curves, lines, best),
        key="sweep-curves",
        config={"displayModeBar": False},
        alt=plots.describe_curves(lines, best),
    )
    early = sum(trial.state == TrialState.STOPPED_EARLY for trial in ranked)
    longest = max(len(line.accuracies) for line in lines)
    kept = ranked[0].best
    words = f"The thick line is {best}, best after epoch {kept.epoch if kept else 0} of {longest}."
    if early:
        words += f" {early:,} fell behind and {'was' if early == 1 else 'were'} stopped early."
    st.caption(plain(words))


def _table(now: SweepStanding, ranked: Sequence[TrialStanding]) -> None:
    judged = {trial.run for trial in ranked}
    trials = [*ranked, *(trial for trial in now.trials if trial.run not in judged)]
    st.dataframe(
        table_of(trials),
        hide_index=True,
        column_config={"PublicTest (%)": st.column_config.NumberColumn(format="%.1f")},
        placeholder="",
        alt="The trials, best first: what each was set to, its state and its best accuracy on PublicTest.",
    )
    if failed := [trial for trial in trials if trial.state in (TrialState.FAILED, TrialState.DAMAGED)]:
        with st.expander(f"Why {len(failed):,} failed", icon=":material/error:"):
            for trial in failed:
                st.markdown(f"**{trial.run}**: {messages.told(trial.message, stored=True)}")


def table_of(trials: Sequence[TrialStanding]) -> pd.DataFrame:
    """One row a trial, in the given order."""
    return pd.DataFrame(
        [
            {
                "Run": trial.run,
                **{called(key).capitalize(): shown(value) for key, value in trial.settings.items()},
                "Seed": trial.seed,
                "State": str(trial.state),
                "Epochs": f"{len(trial.epochs)} of {trial.planned}",
                "Best epoch": trial.best.epoch if trial.best else None,
                "PublicTest (%)": None if trial.accuracy is None else 100 * trial.accuracy,
            }
            for trial in trials
        ]
    )
