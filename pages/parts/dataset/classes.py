"""The Classes tab: how many faces of each class, and what the average face of each looks like."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from fer_core import emotions
from fer_core.data.dataset import Dataset, load_dataset
from fer_core.formatting import listed
from pages.parts.charts import drawn
from pages.parts.faces import enlarged


def show(dataset: Dataset) -> None:
    """The whole tab."""
    _counts(dataset)
    _mean_faces(dataset)


def _counts(dataset: Dataset) -> None:
    from fer_core.plots import bars

    st.header("How many faces of each expression", anchor=False)
    counts = {split: dataset.info.counts[split] for split in emotions.SPLITS if split in dataset.info.counts}
    most = bars.largest_share(counts)
    with st.container(horizontal=True, key="class-counts"):
        for split, numbers in counts.items():
            with st.container(width=256):
                one = {split: numbers}
                st.plotly_chart(
                    drawn(bars.class_counts, one, most=most),
                    key=f"counts-{split}",
                    config={"displayModeBar": False},
                    alt=bars.describe_class_counts(one),
                )
    table = pd.DataFrame(counts, index=list(emotions.NAMES))
    table["All"] = table.sum(axis=1)
    table["Share (%)"] = table["All"] / max(1, dataset.info.faces) * 100
    table.loc["all"] = table.sum()
    st.expander("As a table", icon=":material/table:").dataframe(
        table.rename_axis("Expression").reset_index(),
        hide_index=True,
        column_config={
            **{column: st.column_config.NumberColumn(format="localized") for column in [*counts, "All"]},
            "Share (%)": st.column_config.NumberColumn(format="%.1f"),
        },
        alt=bars.describe_class_counts(counts),
    )
    totals = np.sum(list(counts.values()), axis=0)
    most, least = emotions.NAMES[totals.argmax()], emotions.NAMES[np.where(totals > 0, totals, np.inf).argmin()]
    absent = [name for name, n in zip(emotions.NAMES, totals, strict=True) if not n]
    st.caption(
        (f"There is no face of {listed(absent)}. " if absent else "")
        + (f"Most faces are {most}, fewest are {least}. " if most != least else "")
        + f"A model that always said “{most}” would be right on "
        f"{totals.max() / max(1, totals.sum()) * 100:.1f} % of the faces: that is the number to beat."
    )


def _mean_faces(dataset: Dataset) -> None:
    st.header("The average face of each expression", anchor=False)
    # A test set has no Training faces.
    split = next(split for split in emotions.SPLITS if dataset.info.split_size(split))
    st.markdown(
        f"Each picture is the mean of all {split} faces with that label, pixel by pixel (in brackets: how many). What "
        "stays sharp is what those faces have in common."
    )
    means = _means(str(dataset.path), dataset.info.fingerprint, split)
    counts = dataset.info.counts[split]
    with st.container(horizontal=True, gap="small"):
        for emotion in emotions.EMOTIONS:
            n = counts[emotion.index]
            with st.container(width=96):
                if not n:
                    st.caption(f"{emotion.name}: no face")
                    continue
                st.image(
                    enlarged(means[emotion.index], 96),
                    caption=f"{emotion.name} ({n:,})",
                    alt=f"Mean of the {n:,} {split} faces labelled {emotion.name}.",
                )


@st.cache_resource(show_spinner="Averaging faces", max_entries=4)
def _means(path: str, fingerprint: str, split: str) -> npt.NDArray[np.uint8]:
    """The mean face of each class of a split, uint8 (7, 48, 48), 0 where a class has none; keyed by fingerprint."""
    from fer_core.plots.faces import mean_face

    dataset = load_dataset(path)
    rows = dataset.rows(split)
    means = np.zeros((emotions.COUNT, emotions.IMAGE_SIZE, emotions.IMAGE_SIZE), dtype=np.uint8)
    for label in range(emotions.COUNT):
        members = rows[dataset.labels[rows] == label]
        if len(members):
            means[label] = mean_face(np.asarray(dataset.images[members]))
    return means
