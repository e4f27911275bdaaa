"""The Robustness tab, below the curves: the faces whose answer flips at one point, before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import streamlit as st

from fer_core.corruptions.kinds import CORRUPTIONS, SEVERITIES, corrupt
from fer_core.corruptions.robustness import Kind, Robustness
from fer_core.data.dataset import Dataset
from fer_core.emotions import NAMES
from fer_core.formatting import plural
from fer_core.inference.predictor import Predictor
from fer_core.plots.faces import describe_sheet
from fer_core.plots.groups import group_sheet
from pages.parts import chosen_face, data, linked, links_to_poke
from pages.parts.chosen_face import PREFIX
from pages.parts.dataset_extras import dataset_of, offer_import
from pages.parts.faces import enlarged, label_words, sheet_figure
from pages.parts.links_to_mistakes import clicked
from pages.parts.models import choose_one, folder_of

NAMES_IN_ADDRESS = tuple(PREFIX + name for name in ("flip_of", "way", "strength", "flips", "flip_page"))
RUN, CORRUPTION, STRENGTH, KIND, PAGE = NAMES_IN_ADDRESS
FACE = "flip-row"
VIEW, MAPS = PREFIX + "view", "Maps"
KINDS: dict[str, Kind] = {"lost": "lost", "won": "won", "any change": "changed"}
_KINDS_HELP = (
    "Lost: right on the face as it is, wrong on the worse one. Won: the reverse; it happens by luck. Any change: every "
    "other answer than before, also from one wrong answer to another."
)
_CORRUPTIONS = {corruption.title: name for name, corruption in CORRUPTIONS.items()}
PAIRS = 15
"""Faces on a page, each before and after."""
COLUMNS = 6
SCALE = 2
LARGE = 144
"""Side of the opened face, in pixels."""


@dataclass(frozen=True)
class FlipChoice:
    """One point of the curves: a run, a corruption by name, a severity 1..5; and which flips of it."""

    run: str
    name: str
    severity: int
    kind: Kind


@dataclass(frozen=True, eq=False)
class Flips:
    """The faces of a page: n ``rows`` of ``dataset``; ``faces`` and ``worse``, uint8 (n, 48, 48), as they are and made
    worse; ``before`` and ``after``, int8 (n,), the answers to these.
    """

    dataset: Dataset
    rows: npt.NDArray[np.int64]
    faces: npt.NDArray[np.uint8]
    worse: npt.NDArray[np.uint8]
    before: npt.NDArray[np.int8]
    after: npt.NDArray[np.int8]

    def words(self) -> list[str]:
        """``happy, then sad``, of each face."""
        return [f"{NAMES[old]}, then {NAMES[new]}" for old, new in zip(self.before, self.after, strict=True)]


def choose(models: Sequence[Predictor]) -> FlipChoice | None:
    """Draw the fields that say which point; None where there is no run."""
    if not models:
        return None
    with st.container(horizontal=True, vertical_alignment="bottom", key="flips"):
        run = choose_one("Flips of", models, RUN, width=220)
        corruption = linked.selectbox("Made worse by", list(_CORRUPTIONS), key=CORRUPTION, width=200)
        severity = linked.segmented_control(
            "Strength",
            SEVERITIES,
            default=3,
            key=STRENGTH,
            help="1 hardly shows, 3 shows at once, 5 makes the face hard to read.",
        )
        kind = linked.segmented_control("Answers", list(KINDS), key=KIND, help=_KINDS_HELP)
    return FlipChoice(run, _CORRUPTIONS[corruption], severity, KINDS[kind])


def pick(chart: str, models: Sequence[Predictor]) -> None:
    """A point of the chart with this key was clicked: its run, corruption and strength go into the fields."""
    point = clicked(st.session_state[chart])
    if point is None:
        return
    run, name, severity = point
    st.session_state[RUN] = next(folder_of(model) for model in models if model.name == run)
    st.session_state[CORRUPTION] = CORRUPTIONS[name].title
    # The untouched faces have no flips: the click says which run and corruption.
    if severity:
        st.session_state[STRENGTH] = int(severity)


def show(runs: Mapping[str, Robustness], fingerprint: str, choice: FlipChoice) -> None:
    """The faces of the choice, before and after. ``fingerprint``: of the data that their rows belong to."""
    corruption = CORRUPTIONS[choice.name]
    found = runs.get(choice.run)
    if found is None:
        st.info(f"{choice.run} has no measurement to show here: see above.", icon=":material/info:")
        return
    positions = found.flipped(choice.name, choice.severity, choice.kind)
    st.markdown(f"**{sentence(found, choice)}**")
    if not len(positions):
        return
    dataset = dataset_of(fingerprint)
    if dataset is None:
        offer_import()
        return
    _describe_change(corruption.title, corruption.strength(choice.severity))
    shown = positions[_page(len(positions))]
    rows = found.keys[shown]
    before = found.clean[shown]
    after = found.answers[found.names.index(choice.name), choice.severity - 1][shown]
    faces = np.asarray(dataset.images[rows])
    flips = Flips(
        dataset, rows, faces, corrupt(faces, choice.name, choice.severity, keys=rows, seed=found.seed), before, after
    )
    sheet, one = st.columns([3, 2], gap="medium")
    with sheet:
        _sheet(flips)
    with one:
        _one(flips)


def sentence(found: Robustness, choice: FlipChoice) -> str:
    """How many faces flip, of how many, and what that does to the accuracy."""
    n = len(found.labels)
    lost, won, changed = (len(found.flipped(choice.name, choice.severity, kind)) for kind in KINDS.values())
    corruption = CORRUPTIONS[choice.name]
    return (
        f"{choice.run}, {corruption.title} {choice.severity} of 5 ({corruption.strength(choice.severity)}): of {n:,} "
        f"faces {plural(lost, 'right answer')} lost, {won:,} won, {plural(changed, 'answer')} changed."
    )


def _describe_change(title: str, strength: str) -> None:
    st.caption(
        f"In pairs: the face as it is, then with {title.lower() if title != 'JPEG' else title} ({strength}). Below "
        "each and in the colour of its frame, the model's answer. Click a face to open it."
    )


def _page(n: int) -> slice:
    pages = -(-n // PAIRS)
    page = 1
    if pages > 1:
        # An address from elsewhere may name a page that this choice does not have.
        if int(st.session_state.get(PAGE, 1)) > pages:
            st.session_state[PAGE] = pages
        page = linked.number_input(f"Page of {pages:,}, {PAIRS} faces each", 1, pages, 1, 1, key=PAGE, width=220)
    return slice((page - 1) * PAIRS, page * PAIRS)


def _sheet(flips: Flips) -> None:
    rows, labels = flips.rows, flips.dataset.labels[flips.rows]
    pairs = np.stack([flips.faces, flips.worse], axis=1).reshape(-1, *flips.faces.shape[1:])
    answers = np.stack([flips.before, flips.after], axis=1).ravel()
    captions = [f"{word}{NAMES[answer]}" for answer, word in zip(answers, ("", "now ") * len(rows), strict=True)]
    sheet, boxes = group_sheet(pairs, [2] * len(rows), columns=COLUMNS, captions=captions, labels=answers, scale=SCALE)
    described: list[list[int | str]] = [
        [int(row), f"row {row:,}, labelled {NAMES[label]}<br>{words}"]
        for row, label, words in zip(rows, labels, flips.words(), strict=True)
        for _ in range(2)
    ]
    at = np.flatnonzero(rows == st.session_state.get(FACE))
    st.plotly_chart(
        sheet_figure(
            sheet,
            boxes,
            described,
            hover="%{customdata[1]}",
            target=60,
            full_width=sheet.shape[1],
            highlighted=[] if not len(at) else [2 * int(at[0]), 2 * int(at[0]) + 1],
        ),
        key="flip-sheet",
        on_select=_pick_face,
        selection_mode="points",
        config={"displayModeBar": False, "scrollZoom": False},
        alt=f"{describe_sheet(len(rows), labels)} Each is shown before and after. "
        + "; ".join(f"row {row}: {words}" for row, words in zip(rows, flips.words(), strict=True)),
    )


def _pick_face() -> None:
    point = clicked(st.session_state["flip-sheet"])
    if point is not None:
        st.session_state[FACE] = int(point[0])


def _one(flips: Flips) -> None:
    """One face of the page, large, and the ways from it to the other tabs."""
    at = {int(row): index for index, row in enumerate(flips.rows)}
    words = flips.words()
    if st.session_state.get(FACE) not in at:
        st.session_state.pop(FACE, None)
    row = st.selectbox(
        "Face",
        list(at),
        index=None,
        format_func=lambda row: f"row {row:,}: {words[at[row]]}",
        key=FACE,
        placeholder="click one, or choose it here",
    )
    if row is None:
        return
    index = at[row]
    label = int(flips.dataset.labels[row])
    gap = np.full((LARGE, 8), 128, dtype=np.uint8)
    st.image(
        np.hstack([enlarged(flips.faces[index], LARGE), gap, enlarged(flips.worse[index], LARGE)]),
        alt=f"Row {row}, labelled {NAMES[label]}, as it is and made worse: {words[index]}.",
    )
    st.caption(f"Row {row:,} is labelled {label_words(label)}. The model says {words[index]}.")
    with st.container(horizontal=True, key="flip-face"):
        st.button(
            "Explain it",
            icon=":material/psychology_alt:",
            key="flip-explain",
            on_click=_open,
            args=(flips.dataset, row),
            help="Opens the face as it is, under Maps.",
        )
        links_to_poke.row(flips.dataset, row, "Poke it", key="flip-poke")


def _open(dataset: Dataset, row: int) -> None:
    """Make the face the one that Explain is about, and open its maps."""
    data.choose(dataset.info.path.name)
    st.session_state[chosen_face.FROM] = chosen_face.DATASET
    st.session_state[chosen_face.ROW] = row
    st.session_state[VIEW] = MAPS
