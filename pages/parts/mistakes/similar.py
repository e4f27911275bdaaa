"""Mistakes: the faces that are like one face. Its twins, pixel by pixel; its nearest Training faces, by each run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.data.dataset import Dataset
from fer_core.emotions import NAMES
from fer_core.errors import RunError
from fer_core.formatting import plural
from fer_core.plots.faces import contact_sheet, describe_sheet
from fer_core.runs.embeddings import Embeddings
from fer_core.runs.listing import ModelInfo
from pages.parts import dataset_extras, frame, messages
from pages.parts.charts import jpeg
from pages.parts.face_selection import embeddings_of, how_to
from pages.parts.scope import View

MOST_DUPLICATES = 10
"""Twins that are shown; a posed series may have hundreds."""

PER_LINE = 5
WHAT_A_TWIN_IS = (
    "A twin, or near-duplicate: the same picture once more in the data, pixel for pixel or nearly so, mirrored too."
)
MOST_LINKED = 96
"""Rows in a link: as many as the Dataset page shows at once."""


def show(view: View, row: int) -> None:
    """Both parts. Nothing without the dataset: faces without pictures tell little."""
    if view.dataset is None:
        return
    _near_duplicates(view.dataset, row)
    _nearest(view, view.dataset, row)


def _near_duplicates(dataset: Dataset, row: int) -> None:
    st.markdown("**Its twins**", help=WHAT_A_TWIN_IS)
    audit = dataset_extras.audit_of(dataset)
    if audit is None:
        with st.container(horizontal=True, vertical_alignment="center", key="no-audit"):
            st.markdown("Nobody has looked for equal faces in these data yet.", width="content")
            query = {"data": dataset.info.path.name, "view": "Audit"}
            frame.link("dataset", "Look for them with the audit", icon=":material/fact_check:", query=query)
        return
    exact, nearly = audit.exact(row), audit.near_duplicates(row)
    if not len(exact) and not nearly:
        st.caption("No other face has the same pixels, or nearly the same, mirrored or not.")
        return
    rows = [*map(int, exact), *(duplicate.row for duplicate in nearly)]
    kinds = ["equal"] * len(exact) + [f"alike {duplicate.ncc:.2f}" for duplicate in nearly]
    count = len(exact) + int(audit.near_count[row])
    shown = rows[:MOST_DUPLICATES]
    labels = {NAMES[audit.labels[duplicate]] for duplicate in rows}
    own = NAMES[audit.labels[row]]
    contradict = labels - {own}
    words = f"{plural(len(exact), 'face')} with the same pixels, {int(audit.near_count[row]):,} nearly the same."
    if contradict:
        words += f" This face is labelled {own}; among its twins there are {', '.join(sorted(contradict))}."
    if count > len(shown):
        words += f" The first {len(shown)} are shown."
    st.caption(words)
    _faces(
        dataset,
        shown,
        [f"{NAMES[audit.labels[duplicate]]}, {kind}" for duplicate, kind in zip(shown, kinds, strict=False)],
    )
    splits = ", ".join(f"row {duplicate:,} {dataset.splits[duplicate]}" for duplicate in shown)
    st.caption(f"From left to right, then down: {splits}.")
    _link(dataset, "This face and its twins in Dataset", [row, *rows], key="twins-in-dataset")


def _nearest(view: View, dataset: Dataset, row: int) -> None:
    st.markdown("**The nearest Training faces**")
    st.caption(
        "By what the run's last layer reads of a face, just before it answers. The number is the cosine: 1 for the "
        "same reading, 0 for nothing in common. Nearest faces with another label show what the run confuses."
    )
    without: list[ModelInfo] = []
    for info in view.runs:
        try:
            embeddings = embeddings_of(info, view.scope.whole.fingerprint)
        except RunError as error:
            st.warning(messages.told(error), icon=":material/broken_image:")
            continue
        if embeddings is None:
            without.append(info)
            continue
        _of_run(info, embeddings, dataset, row)
    trained = [info for info in without if not info.is_vote and info.has_model]
    if trained:
        names = ", ".join(info.display_name for info in trained)
        st.info(f"No nearest faces are kept for {names}. {how_to(view, without)}", icon=":material/info:")
    for info in without:
        if info.is_vote:
            st.caption(f"{info.display_name} is a vote: it reads faces through its members only.")
        if not info.has_model:
            st.caption(f"{info.display_name}: only its answers are here, and what is alike to a model is inside of it.")


def _of_run(info: ModelInfo, embeddings: Embeddings, dataset: Dataset, row: int) -> None:
    at = int(embeddings.positions(row))
    if at < 0:
        st.caption(f"{info.display_name} has no reading of row {row:,}: only test faces are kept.")
        return
    nearest, cosines = embeddings.nearest[at].tolist(), embeddings.similarity[at]
    if not nearest:
        st.caption(f"{info.display_name}: these data have no Training faces.")
        return
    labels = dataset.labels[nearest]
    own = int(dataset.labels[row])
    counts = Counter(NAMES[label] for label in labels)
    parts = ", ".join(f"{count} {name}" for name, count in counts.most_common())
    st.markdown(f"**{info.display_name}:** {parts}. The face itself is labelled {NAMES[own]}.")
    _faces(dataset, nearest, [f"{NAMES[label]} {cosine:.2f}" for label, cosine in zip(labels, cosines, strict=True)])
    _link(dataset, "These faces in Dataset", nearest, key=f"nearest-{info.name}")


def _link(dataset: Dataset, words: str, rows: Sequence[int], *, key: str) -> None:
    listed = ", ".join(map(str, rows[:MOST_LINKED]))
    query = {"data": dataset.info.path.name, "rows": listed, "face": str(rows[0])}
    frame.link_button("dataset", words, key=key, icon=":material/grid_view:", query=query)


def _faces(dataset: Dataset, rows: Sequence[int], captions: Sequence[str]) -> None:
    """Some faces as one picture, left to right, then down."""
    labels = dataset.labels[list(rows)]
    sheet = _sheet((str(dataset.path), dataset.info.fingerprint), tuple(rows), tuple(captions), dataset)
    described = "; ".join(f"row {row}, {caption}" for row, caption in zip(rows, captions, strict=True))
    st.image(sheet, alt=f"{describe_sheet(len(rows), labels)} {described}.")


@st.cache_data(show_spinner=False, max_entries=200)
def _sheet(key: tuple[str, str], rows: tuple[int, ...], captions: tuple[str, ...], _dataset: Dataset) -> bytes:
    """Keyed by the dataset's path and fingerprint."""
    images: npt.NDArray[np.uint8] = np.asarray(_dataset.images[list(rows)])
    labels = _dataset.labels[list(rows)]
    return jpeg(contact_sheet(images, PER_LINE, scale=2, labels=labels, captions=captions))
