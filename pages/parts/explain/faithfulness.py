"""Which kinds of maps may be trusted for which model, measured over many faces: a table for Explain."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from fer_core.errors import RunError
from fer_core.explain import faithfulness_report as words
from fer_core.explain.faithfulness_study import FILE, Explained, read_faithfulness
from fer_core.formatting import plain
from fer_core.inference.predictor import Predictor
from fer_core.runs import measurements
from fer_core.runs.folder import RunFolder
from pages.parts import messages
from pages.parts.dataset_extras import dataset_of
from pages.parts.face_answers import Seal, cache_key
from pages.parts.runs import data_title


def show(models: list[Predictor]) -> None:
    """The table of the models that were measured, and the command for those that were not. Computes nothing."""
    found, missing = {}, []
    for model in models:
        try:
            one = _read(cache_key(model))
        except RunError as error:
            st.warning(messages.told(error), icon=":material/broken_image:")
            continue
        if one is None:
            missing.append(model)
        else:
            found[model.name] = one
    if found:
        _table(found)
    if missing:
        _how_to(missing)


def _table(found: dict[str, Explained]) -> None:
    st.dataframe(
        pd.DataFrame(words.records(found)),
        hide_index=True,
        height="content",
        column_config={
            "May be trusted": st.column_config.TextColumn(
                help="Yes: deleting what the map marks hurts more than deleting at random, and showing it first helps "
                "more. With care: one of the two. No: neither."
            ),
            "Deletion area": st.column_config.NumberColumn(format="%.3f", help="0 to 1: small is good."),
            "Deletion, less random": st.column_config.TextColumn(
                help="With a 95 % interval (bootstrap over faces). Below 0 is good."
            ),
            "Insertion area": st.column_config.NumberColumn(format="%.3f", help="0 to 1: large is good."),
            "Insertion, less random": st.column_config.TextColumn(
                help="With a 95 % interval (bootstrap over faces). Above 0 is good."
            ),
            "Better than the blob": st.column_config.TextColumn(
                help="Than a round blob in the middle of the face, which knows nothing of the model."
            ),
            "Better than the edges": st.column_config.TextColumn(
                help="Than the face's edges, which know nothing of the model."
            ),
        },
        alt="Which methods' maps may be trusted for which model.",
    )
    st.markdown(words.in_short(found))
    groups: dict[str, list[str]] = {}
    for name, one in found.items():
        plan = one.plan
        text = (
            f"{one.faces:,} of the {one.about.of:,} {one.about.split} faces of {plain(data_title(one.about.data))}, "
            f"maps of each model's own answer, {plan.steps} steps, {plan.orders} random orders a face, {plan.masks} "
            "masks of RISE"
        )
        groups.setdefault(text, []).append(name)
    for text, names in groups.items():
        whose = f"{', '.join(names)}: m" if len(groups) > 1 else "M"
        st.caption(f"{whose}easured on {text}. Faces without anything to test are left out.")
    if len(groups) > 1:
        st.warning(
            "These were measured in different ways, so do not compare one model with another here.",
            icon=":material/compare_arrows:",
        )


def _how_to(missing: list[Predictor]) -> None:
    names = ", ".join(model.name for model in missing)
    st.info(
        f"Not measured over many faces yet: {names}. It takes minutes, so it is done on the command line, once.",
        icon=":material/terminal:",
    )
    lines = []
    for model in missing:
        folder = RunFolder(model.path.parent)
        metrics = folder.metrics()
        dataset = dataset_of(metrics["data"]["fingerprint"]) if metrics else None
        data: str | Path = "DATASET" if dataset is None else messages.place(dataset.info.path)
        lines.append(measurements.command(folder, FILE, data, by_name=True))
    st.code("\n".join(lines), language="bash")


@st.cache_resource(show_spinner=False, max_entries=32)
def _read(seal: Seal) -> Explained | None:
    """Keyed by the run's folder and when it was sealed: a measurement lists itself in ``evaluation.json``."""
    return read_faithfulness(RunFolder(Path(seal[0])))
