"""The Map tab: all faces in view placed by what a run sees; a loop around some leads to them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.errors import RunError
from fer_core.formatting import plural
from fer_core.plots import face_map as plots
from fer_core.plots.faces import contact_sheet
from fer_core.review import sentences
from fer_core.stats.neighbourhoods import neighbour_shares
from pages.parts import face_selection, linked, messages
from pages.parts import links_to_mistakes as links
from pages.parts.charts import drawn, jpeg
from pages.parts.fragments import fragment
from pages.parts.scope import View

COLOURED: dict[str, plots.Colouring] = {"by label": "label", "by answer": "answer", "right or wrong": "error"}
SHOWN_FACES = 24
"""Of a loop: what one look takes in. All are on Mistakes."""


def show(view: View, is_open: bool) -> None:
    """The tab. Closed, only its controls are drawn: what is not drawn loses its place in the address."""
    place = st.container()
    # A vote sees nothing itself, and answers alone come without their model.
    shows = {run.name: run.display_name for run in view.runs if run.has_model and not run.is_vote}
    if not shows:
        if is_open:
            st.info("Neither votes nor answers alone see anything: choose a model above.", icon=":material/info:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = shows[str(linked.run("As seen by", list(shows), shows, key="map_of", width=260))]
        coloured = linked.segmented_control("Coloured", list(COLOURED), key="map_by")
    if not is_open:
        return
    with place:
        seen = _places(view, name)
        if seen is not None:
            _map(view, name, COLOURED[coloured], *seen)


def _places(view: View, name: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp], float] | None:
    """Where faces lie, float (m, 2), which of those in view they are, int (m,), and the share of variance shown."""
    run = next(run for run in view.runs if run.display_name == name)
    try:
        embeddings = face_selection.embeddings_of(run, view.scope.whole.fingerprint)
    except RunError as error:
        st.warning(messages.told(error), icon=":material/broken_image:")
        return None
    if embeddings is None:
        st.info(f"There is no map of {name}. {face_selection.how_to(view, [run])}", icon=":material/info:")
        return None
    places = embeddings.positions(view.scope.aligned.rows)
    known = np.flatnonzero(places >= 0)
    if len(known) < 2:
        st.info(f"There is no map of {name}: it was not asked for these faces.", icon=":material/info:")
        return None
    vectors = embeddings.vectors[places[known]]
    # They are principal components already, the largest variance first.
    flat = np.zeros((len(known), 2), dtype=np.float32)
    flat[:, : vectors.shape[1]] = vectors[:, :2]
    variance = vectors.var(axis=0)
    total = float(variance.sum()) / (embeddings.variance_kept or 1)
    return flat, known, float(variance[:2].sum()) / total if total else 1.0


@fragment
def _map(
    view: View,
    name: str,
    by: plots.Colouring,
    places: npt.NDArray[np.float32],
    known: npt.NDArray[np.intp],
    kept: float,
) -> None:
    aligned = view.scope.aligned
    labels, answers = aligned.labels[known], aligned.predicted[aligned.names.index(name)][known]
    st.caption(
        f"Each point is a face. Near is what {name} finds alike. **Draw a loop around some to see them.**",
        help="Principal components of what the last layer reads (PCA): the two directions in which faces differ most.",
    )
    event = st.plotly_chart(
        drawn(plots.face_map, places, aligned.rows[known], labels, answers, by=by),
        key="face-map",
        on_select="rerun",
        selection_mode=("lasso", "box", "points"),
        config={"displayModeBar": False, "scrollZoom": True},
        alt=plots.describe(labels, answers, name),
    )
    st.markdown(sentences.face_map(_shares((*view.key, name), places, labels), kept))
    rows = np.array([point["customdata"] for point in event.selection.points], dtype=np.int64).ravel()
    if len(rows):
        _chosen(view, name, np.unique(rows))


def _chosen(view: View, name: str, rows: npt.NDArray[np.int64]) -> None:
    """What the loop holds, the way to Mistakes, and the first faces of it."""
    aligned = view.scope.aligned
    at = np.flatnonzero(np.isin(aligned.rows, rows))
    answers = aligned.predicted[aligned.names.index(name)]
    st.markdown(f"**In the loop:** {sentences.face_group(aligned.labels[at], answers[at], name)}")
    if len(rows) <= links.MOST_ROWS:
        links.link_with_count("See them on Mistakes", len(rows), links.these(view, rows.tolist()))
    else:
        st.caption(f"A link holds {plural(links.MOST_ROWS, 'face')} at most: draw a smaller loop to see them all.")
    if view.dataset is not None and len(at):
        st.image(_sheet(view, at[:SHOWN_FACES]), caption=f"The first {plural(min(len(at), SHOWN_FACES), 'face')}.")


def _sheet(view: View, at: Sequence[int] | npt.NDArray[np.intp]) -> bytes:
    aligned = view.scope.aligned
    assert view.dataset is not None
    return jpeg(contact_sheet(view.dataset.images[aligned.rows[at]], 12, scale=1, labels=aligned.labels[at]))


@st.cache_data(show_spinner=False, max_entries=24)
def _shares(
    key: tuple[Hashable, ...], _places: npt.NDArray[np.float32], _labels: npt.NDArray[np.int8]
) -> npt.NDArray[np.float64]:
    return neighbour_shares(_places, _labels)
