"""Mistakes: which faces to look at and in which order. Every choice stands in the address, in readable words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core import emotions
from fer_core.review.annotations import KINDS, LABEL_WRONG, MODEL_WRONG
from fer_core.review.ordering import SORTS
from fer_core.review.selection import ANY_ANNOTATION, NO_ANNOTATION, Filter
from fer_core.stats.agreement import MOST_MODELS, set_words
from pages.parts import linked, links, messages, row_field
from pages.parts.links import NO_CHOICE
from pages.parts.rows import parse_rows
from pages.parts.scope import View

TRUE, PREDICTED, BY, ANSWER, SET = "true", "said", "by", "answer", "set"
CONFIDENCE, NEAR_DUPLICATE, LABEL_ISSUE, ANNOTATION, SORT, LIKE = (
    "confidence",
    "twin",
    "doubt",
    "marked",
    "sort",
    "like",
)
"""Names in the address."""
AMONG = "among"
"""Row numbers to choose among. Not "rows", which is the Dataset page's: a link there would lose it."""
FILTERS = (TRUE, PREDICTED, BY, ANSWER, SET, CONFIDENCE, NEAR_DUPLICATE, LABEL_ISSUE, ANNOTATION, AMONG)
"""Those that say which faces; the others say in which order."""
ANY = "any"
ANY_MODEL, EVERY_MODEL = "any model", "every model"
ANSWERS: dict[str, bool | None] = {"wrong": False, "right": True, "right or wrong": None}
NEAR_DUPLICATES: dict[str, bool | None] = {
    "with or without": None,
    "with a twin in Training": True,
    "without a twin": False,
}
ANNOTATIONS: dict[str, str | None] = {
    "marked or not": None,
    "marked": ANY_ANNOTATION,
    "not marked": NO_ANNOTATION,
    **{kind: kind for kind in KINDS},
}
FULL = (0, 100)
NO_LABELS = "Nobody has labelled these faces, so {asked} for “{key}” is ignored."
NO_DOUBT = "These faces were drawn after their labels, so no label is in doubt. {asked} is ignored."

_SORT_HELP = (
    "Confidence: the probability that a model gives to its answer. The margin: the label's probability less the "
    "highest of the others. Least sure: the mean of the models' probabilities has no clear winner. Highest first, but "
    "the margin and the row number."
)
_SORT_HELP_WITHOUT_LABELS = (
    "Least sure: the mean of the models' probabilities has no clear winner. Disagreement: their probabilities differ "
    "most. Similarity: they say of a face nearly what they say of the chosen one."
)


@dataclass(frozen=True)
class FilterChoice:
    """What the widgets say.

    Attributes:
        wanted: which faces.
        sort: a key of :data:`fer_core.review.ordering.SORTS`.
        like: the row that similarity is meant to, where ``sort`` is by similarity and one was given.
        filtered: whether anything was chosen that "Clear the filters" would take back.
    """

    wanted: Filter
    sort: str
    like: int | None
    filtered: bool


def choose(
    view: View,
    prefix: str = "",
    *,
    ordered: bool = True,
    row: DeltaGenerator | None = None,
    fold: DeltaGenerator | None = None,
) -> FilterChoice:
    """Draw the filters and return what they say. What a link asks for and nobody has is said, and ignored.

    ``prefix`` stands before the names in the address. ``ordered``: whether an order can be chosen, or is the first.
    ``row``, ``fold``: a horizontal container and a folded one to stand in, by default some of their own.
    """
    if row is None:
        row = st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="filters")
    with row:
        true = _select("Label", [ANY, *emotions.NAMES], prefix + TRUE, 112) if view.labelled else ANY
        predicted = _select("Answer", [ANY, *emotions.NAMES], prefix + PREDICTED, 112)
        # Drawn in another order than asked: whether anything has to be said about right or wrong depends on the sets.
        place = st.container(width=150) if view.labelled else None
        sort = _sort(view) if ordered else sorts_of(view)[0]
        like = _like(view) if sort == "similarity" else None
    with fold or st.expander("More filters", icon=":material/tune:"):
        by, words, confidence, near_duplicate, label_issue_score, annotation, among = _rarer(view, prefix)
    # Faces that somebody chose one by one are shown, whatever the answers.
    decided = words != ANY or ANY not in (true, predicted) or bool(among)
    answer: str | None = None
    if place is None:
        leave_out(*(prefix + name for name in (TRUE, ANSWER, SET, LABEL_ISSUE, NEAR_DUPLICATE)))
    else:
        with place:
            answer = _answer(decided, prefix + ANSWER)
    # Without a choice this page shows mistakes, where there are any.
    unsaid = None if decided or not view.labelled else False
    right = unsaid if answer is None else ANSWERS[answer]
    wanted = Filter(
        models=() if by in (ANY_MODEL, EVERY_MODEL) else (by,),
        every=by == EVERY_MODEL,
        true=_label(true),
        predicted=_label(predicted),
        right=right,
        confidence=(confidence[0] / 100, confidence[1] / 100),
        agreement=None if words == ANY else _sets(list(view.shows))[words],
        near_duplicate=NEAR_DUPLICATES[near_duplicate],
        label_issue_score=label_issue_score,
        annotation=ANNOTATIONS[annotation],
        rows=among,
    )
    filtered = (
        by != ANY_MODEL or answer is not None or wanted != replace(Filter(), right=False if view.labelled else None)
    )
    return FilterChoice(wanted, sort, like, filtered)


def sorts_of(view: View) -> list[str]:
    """Those of :data:`SORTS` that these faces can be sorted by, the first of them at first."""
    if view.labelled:
        return [key for key in SORTS if key != "doubt" or not view.labels_are_right]
    return ["unsure", *(["disagreement"] if len(view.names) > 1 else []), "similarity", "row"]


def leave_out(*keys: str) -> None:
    """Say of what a link asks for and labels alone could answer that it is ignored."""
    for key in keys:
        links.read(key, lambda texts: None, NO_LABELS)


def clear(prefix: str = "") -> None:
    """Take every filter back; the order stays. ``prefix`` as in :func:`choose`."""
    defaults = {TRUE: ANY, PREDICTED: ANY, BY: ANY_MODEL, ANSWER: None, SET: ANY, CONFIDENCE: FULL, LABEL_ISSUE: 0.0}
    for key, value in {
        **defaults,
        NEAR_DUPLICATE: next(iter(NEAR_DUPLICATES)),
        ANNOTATION: next(iter(ANNOTATIONS)),
        AMONG: "",
    }.items():
        if prefix + key in st.session_state:
            st.session_state[prefix + key] = value


def sort_like(row: int) -> None:
    """Sort by similarity to this face from now on."""
    st.session_state[SORT] = SORTS["similarity"]
    st.session_state[LIKE] = row


def _select(label: str, options: Sequence[str], key: str, width: int, help_text: str | None = None) -> str:
    return linked.selectbox(label, options, key=key, width=width, help=help_text)


def _sets(names: Sequence[str]) -> dict[str, int]:
    return {set_words(code, names): code for code in range(2 ** len(names))}


def _who_is_right(view: View, key: str) -> str:
    if len(view.names) > MOST_MODELS:
        why = f": sets of models that are right can be told apart for up to {MOST_MODELS} runs only"
        links.one_of(key, (), NO_CHOICE.replace(" here", why))
        return ANY
    sets = _sets(list(view.shows))
    shows = {words: set_words(code, view.names) for words, code in sets.items()}
    says = NO_CHOICE.replace(" here", " with these runs")
    help_text = "Which of the chosen runs are right, and which are wrong: all of them count, whoever the answer is by."
    return str(linked.run("Who is right", [ANY, *sets], shows, key=key, says=says, width=220, help=help_text))


def _answer(decided: bool, key: str) -> str | None:
    return linked.maybe(
        "The answer is",
        list(ANSWERS),
        # Without a choice this page shows mistakes, unless what is chosen says who is right already.
        placeholder="as the others say" if decided else "wrong",
        key=key,
        help="Where you choose nothing, mistakes are shown. A label together with an answer, or who is right, already "
        "says whether the answer is right.",
    )


def _sort(view: View) -> str:
    doubt = SORTS["doubt"]
    sorts = [SORTS[key] for key in sorts_of(view)]
    known = links.given(SORT) if set(links.given(SORT)) <= set(SORTS.values()) else []
    words = linked.selectbox(
        "Sorted by",
        sorts,
        key=SORT,
        says=NO_LABELS
        if known and not view.labelled
        else NO_DOUBT
        if known == [doubt] and view.labels_are_right
        else NO_CHOICE,
        width=262,
        on_change=_start_with_face,
        help=_SORT_HELP if view.labelled else _SORT_HELP_WITHOUT_LABELS,
    )
    return next(key for key, text in SORTS.items() if text == words)


def _start_with_face() -> None:
    """Similarity is meant to the face that is open, until another is chosen."""
    face = st.session_state.get("face")
    if st.session_state[SORT] == SORTS["similarity"] and face is not None:
        st.session_state[LIKE] = face


def _like(view: View) -> int | None:
    last = int(view.scope.whole.rows[-1])
    row_field.asked(LIKE, last, " that faces could be similar to. It is ignored.")
    help_text = "The row number of the face that the others are compared with."
    return row_field.show("Similar to row", LIKE, last, width=160, help=help_text)


def _rarer(view: View, prefix: str) -> tuple[str, str, tuple[int, int], str, float, str, tuple[int, ...]]:
    """Whose answer, who is right, confidence in %, twin, least doubt, mark, rows to choose among."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="rarer"):
        by = view.choose_run(
            "Answer by",
            [ANY_MODEL, EVERY_MODEL],
            key=prefix + BY,
            width=220,
            help=f"Whose answer must fit. “{ANY_MODEL}”: one of the runs is enough, and the same one for every "
            f"condition. “{EVERY_MODEL}”: all of them.",
        )
        words = _who_is_right(view, prefix + SET) if view.labelled else ANY
        confidence = linked.slider(
            "Confidence of that answer (%)",
            *FULL,
            FULL,
            key=prefix + CONFIDENCE,
            width=260,
            help="The probability that the model gives to its answer.",
        )
        label_issue_score = _label_doubt(view, prefix + LABEL_ISSUE)
        near_duplicate = _near_duplicate(view, prefix + NEAR_DUPLICATE)
        # Of faces without a label none is said to be wrong.
        marks = [
            words for words, kind in ANNOTATIONS.items() if view.labelled or kind not in (LABEL_WRONG, MODEL_WRONG)
        ]
        annotation = _select("Your marks", marks, prefix + ANNOTATION, 200, "Marks that you put on faces on Mistakes.")
        among = _among(view, prefix + AMONG)
    return by, words, confidence, near_duplicate, label_issue_score, annotation, among


def _label_doubt(view: View, key: str) -> float:
    """The least doubt, 0..1."""
    if not view.labelled:
        return 0.0
    if view.labels_are_right:
        if asked := links.given(key):
            links.warn_ignored(key, asked, NO_DOUBT)
        return 0.0
    return float(
        linked.slider(
            "Least label doubt (0 to 1)",
            0.0,
            1.0,
            0.0,
            0.05,
            key=key,
            width=260,
            help="The share of faces like this one whose label people reject, by the label and the runs' answers.",
        )
    )


def _among(view: View, key: str) -> tuple[int, ...]:
    """Row numbers that somebody wrote, or a loop on Compare's map; what is no row is said, and ignored."""
    text = linked.text_input("Only these rows", key=key, width=260, placeholder="all", help="For example 12, 40-60.")
    try:
        return tuple(int(row) for row in parse_rows(text, int(view.scope.whole.rows[-1]) + 1))
    except ValueError as error:
        st.warning(messages.told(error))
        return ()


def _near_duplicate(view: View, key: str) -> str:
    options = list(NEAR_DUPLICATES)
    if not view.labelled:
        return options[0]
    if view.scope.aligned.near_duplicate is not None:
        return _select("Twin in Training", options, key, 210, "The same picture in Training, or nearly, mirrored too.")
    if (asked := links.one_of(key, options)) not in (None, options[0]):
        links.warn_ignored(
            key,
            [asked],
            "Nobody knows which of these faces have a twin in Training, so that filter is ignored. Evaluate one of the "
            f"runs again: python -m fer_core evaluate {view.runs[0].name} --data DATASET",
        )
    return options[0]


def _label(name: str) -> int | None:
    return None if name == ANY else emotions.index_of(name)
