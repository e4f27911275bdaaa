"""The card of one run, and the list of all runs. What a run does and how it learned is seen; the rest is folded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
import streamlit as st

from fer_core.access import trainings
from fer_core.access.policy import Action
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import FerError, RunError
from fer_core.formatting import moment, percent, plain, plural
from fer_core.runs import brought
from fer_core.runs.card import card_of
from fer_core.runs.contracts import Metrics, RunState
from fer_core.runs.folder import NO_MODEL
from fer_core.runs.ledger import looks_words
from fer_core.runs.listing import ModelInfo
from fer_core.runs.metrics import (
    classes_words,
    further_lines,
)
from fer_core.runs.protocol import CHOOSING, KEPT_ASIDE, copy_note, footnote
from fer_core.runs.recipe import Recipe
from fer_core.runs.recipe_in_words import history_sentences, recipe_sentences
from fer_core.runs.weakest import weakest_lines
from fer_core.training import jobs
from fer_core.training.status import ENDED_BADLY
from fer_core.zoo.registry import TITLES
from pages.parts import access, architecture, downloads, frame, linked, messages, run_results, runs, vote

_PROBLEM = "_delete_problem"
FIGURES, RECIPE, NETWORK, LIMITS, FILES, ORIGIN = (
    f"card.{name}" for name in ("figures", "recipe", "network", "limits", "files", "origin")
)
"""The folded sections, as links name them."""
SECTIONS = (FIGURES, RECIPE, NETWORK, LIMITS, FILES, ORIGIN)


def gallery(known: list[ModelInfo]) -> None:
    """All runs in one table, for those who have not chosen one."""
    rows = []
    for info in known:
        metrics = _metrics(info)
        scores = metrics["splits"].get(PRIVATE_TEST) if metrics else None
        rows.append(
            {
                "Run": info.display_name,
                # The figure first: on a phone two columns fit.
                "PrivateTest": percent(scores["accuracy"]) if scores else "",
                "State": runs.state_words(info),
                "Measured on": runs.data_and_count(metrics["data"], scores) if metrics and scores else "",
                "Created": moment(info.created),
            }
        )
    names = [info.name for info in known]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        key="gallery",
        selection_mode="single-cell",
        on_select=lambda: _open_clicked(names),
        alt="All runs with accuracy on PrivateTest, state, and what it was measured on.",
    )
    st.caption("Click a run to open its card.")


def _open_clicked(names: Sequence[str]) -> None:
    cells = st.session_state["gallery"]["selection"]["cells"]
    if cells:
        st.session_state[runs.RUN] = names[cells[0][0]]


def show(info: ModelInfo) -> None:
    """The whole card."""
    st.header(info.display_name, anchor=False)
    if info.state == RunState.DAMAGED:
        st.error(f"This run cannot be read: {messages.told(info.problem, stored=True)}", icon=":material/broken_image:")
        _delete(info)
        return
    _facts(info)
    if not info.complete:
        _unfinished(info)
    folder = info.folder
    metrics = _metrics(info)
    for problem in folder.evaluation_problems():
        st.warning(messages.told(problem, stored=True), icon=":material/broken_image:")
    if metrics is not None:
        _results(metrics, info)
    else:
        _elsewhere(info, None)
        if info.is_vote:
            vote.show_members(folder, None)
        else:
            _learning(info)
    if metrics is not None:
        _figures(metrics, info)
    if info.is_brought:
        _brought(info)
    elif not info.is_vote:
        _recipe(info)
    if folder.architecture_path.exists():
        _network(info)
    if info.complete:
        _limits(info)
    with _folded("Downloads", FILES, ":material/download:") as files:
        if files.open:
            downloads.show(folder)
    _delete(info)


def _folded(label: str, key: str, icon: str) -> Any:
    return linked.expander(label, key=key, icon=icon)


def _elsewhere(info: ModelInfo, shown: Metrics | None) -> None:
    """A line for each other dataset that it was measured on, Compare having the rest."""
    for one in info.folder.evaluations():
        if shown is None or one.fingerprint != shown["data"]["fingerprint"]:
            found = one.metrics()["splits"]
            split = PRIVATE_TEST if PRIVATE_TEST in found else PUBLIC_TEST
            words = plain(runs.accuracy_words(one.data, found[split], split))
            there = classes_words([entry["support"] for entry in found[split]["per_class"]])
            st.markdown(f"Measured elsewhere, too: {words}. {there}")


def _metrics(info: ModelInfo) -> Metrics | None:
    """What it was measured to do; of a damaged measurement, a warning, and None."""
    try:
        return info.folder.metrics() if info.complete else None
    except RunError as error:
        st.warning(messages.told(error), icon=":material/broken_image:")
        return None


def _learning(info: ModelInfo) -> None:
    """How it learned, where that is known."""
    folder = info.folder
    if info.is_brought and not folder.history_path.exists():
        return
    st.subheader("Learning curves", anchor=False)
    run_results.show_learning_curves(folder.history(), info.best_epoch, own=info.is_brought)


def _recipe(info: ModelInfo) -> None:
    """By which recipe it was trained."""
    with _folded("Recipe", RECIPE, ":material/tune:") as section:
        if not section.open:
            return
        recipe = info.folder.recipe()
        copy = copy_note(info.data["fingerprint"]) if info.data else ""
        history = [plain(sentence) for sentence in history_sentences(recipe, info.folder.events())]
        told = [*recipe_sentences(recipe), *history, *([copy] if copy else [])]
        st.markdown("\n".join(f"- {sentence}" for sentence in told))
        table = recipe_table(recipe)
        table["Value"] = [value if messages.shows(value) else "a file of this server" for value in table["Value"]]
        st.dataframe(table, hide_index=True, alt="Every field of the recipe and its value.")


def _network(info: ModelInfo) -> None:
    """What it is built of."""
    with _folded("Network", NETWORK, ":material/account_tree:") as section:
        if section.open:
            architecture.show(info.folder.description(), key="run")


def _brought(info: ModelInfo) -> None:
    """What was brought, how its classes were understood, what it is built of."""
    folder = info.folder
    record = folder.import_record()
    if not info.has_model:
        st.info(NO_MODEL[0].upper() + NO_MODEL[1:], icon=":material/table_view:")
    with _folded("What was brought", ORIGIN, ":material/move_to_inbox:") as section:
        if section.open:
            st.markdown("\n".join(f"- {sentence}" for sentence in brought.sentences(record)))
            st.markdown("How each order of the classes does on labelled faces:")
            st.markdown("\n".join(brought.table(record)))


def _facts(info: ModelInfo) -> None:
    origin = "ships with FER Explorer" if info.shipped else runs.origin_words(info)
    own = info.is_vote or info.is_brought
    architecture_title = info.title if own else TITLES.get(info.architecture, info.architecture)
    parts = [architecture_title] if architecture_title not in (info.title, info.display_name) else []
    parts += [f"folder {plain(info.name)}"] if info.name != info.display_name else []
    parts += [origin, runs.state_words(info)]
    if info.created:
        parts.append(moment(info.created))
    if info.data:
        how = "weights chosen on PublicTest of" if info.is_vote else "trained on"
        how = "order of classes tried on" if info.is_brought else how
        parts.append(f"{how} {plain(runs.data_title(info.data))} ({info.data['faces']:,} faces in all)")
    if info.best_epoch is not None:
        parts.append(f"{plural(info.epochs, 'epoch')}, best after epoch {info.best_epoch}")
    st.markdown(" · ".join(parts))
    if info.state == RunState.STOPPED:
        st.info(
            "The training was stopped before its last epoch. The best epoch up to then was kept, evaluated and "
            "exported: everything on this card is usable.",
            icon=":material/stop:",
        )


def _unfinished(info: ModelInfo) -> None:
    status = jobs.status(info.path)
    folder = info.folder
    usable = (
        "Its best epoch so far is saved as model.keras and can be downloaded below; it has not been evaluated yet."
        if folder.keras_path.exists()
        else "No epoch has finished yet, so there is no model to use."
    )
    word = "info" if status.alive else "warning"
    {"info": st.info, "warning": st.warning}[word](
        f"{messages.told(status.message, stored=status.state in ENDED_BADLY)} {usable}", icon=":material/hourglass_top:"
    )
    label = "Watch it on the Train page" if status.alive else "Open it on the Train page"
    frame.link("train", label, icon=":material/model_training:", query={"run": info.name})


def _results(metrics: Metrics, info: ModelInfo) -> None:
    """How often it is right, its matrix beside how it learned, and where it is weakest."""
    data = metrics["data"]
    splits = [split for split in (PRIVATE_TEST, PUBLIC_TEST) if metrics["splits"].get(split)]
    split = linked.segmented_control("Split", splits, key="split", help=f"{KEPT_ASIDE} {CHOOSING}")
    scores = metrics["splits"][split]
    without = scores.get("without_near_duplicates")
    st.markdown(
        f"**{runs.accuracy_words(data, scores, split)}**"
        + (f"; {percent(without['accuracy'])} without twins." if without else "."),
        help=without["rule"] if without else None,
    )
    if said := footnote(info.name, info.shipped):
        st.caption(said)
    left, right = st.columns(2)
    with left:
        st.subheader("What it takes for what", anchor=False)
        run_results.show_matrix(scores["confusion"], title=info.display_name, share=True, key="card")
    with right:
        if info.is_vote:
            vote.show_members(info.folder, metrics)
        else:
            _learning(info)
    if weakest := weakest_lines(metrics):
        st.markdown(" ".join([*weakest, *(["The matrix counts twins, too."] if without else [])]))


def _figures(metrics: Metrics, info: ModelInfo) -> None:
    """Everything that was measured, folded."""
    with _folded("All figures", FIGURES, ":material/table:") as section:
        if section.open:
            _all_figures(metrics, info)


def _all_figures(metrics: Metrics, info: ModelInfo) -> None:
    data = metrics["data"]
    chose = "used to choose weights and temperatures" if info.is_vote else "used to choose the best epoch"
    chose = "used to find out the order of its classes" if info.is_brought else chose
    for split, role in ((PRIVATE_TEST, "only scored"), (PUBLIC_TEST, chose)):
        scores = metrics["splits"].get(split)
        if scores:
            words = looks_words(info.path, data["fingerprint"]) if split == PRIVATE_TEST else ""
            st.markdown(
                f"**{runs.accuracy_words(data, scores, split)}**, {role}{f' ({words} so far)' if words else ''}."
            )
            without = scores.get("without_near_duplicates")
            if without:
                st.caption(f"Without twins: {percent(without['accuracy'])} (n = {without['n']:,}). {without['rule']}")
            run_results.show_per_class(scores)
            st.dataframe(
                runs.confusion_table(scores, share=True),
                hide_index=True,
                column_config=runs.NUMBERS,
                alt=f"The confusion matrix on {split}: rows true, columns predicted, per cent of the true class.",
            )
    if "milliseconds_per_face" in metrics:
        st.caption(
            f"{metrics['milliseconds_per_face']:.1f} ms per face with {plural(metrics['threads'], 'thread')} "
            f"on {metrics['machine']}; "
            + ", ".join(f"{file} {size:.1f} MB" for file, size in metrics["megabytes"].items())
            + (" for all members together." if info.is_vote else ".")
        )
    # Apart from the plain figures above; runs measured by an older version lack some or all of them.
    extra = further_lines(metrics)
    if extra:
        st.markdown("\n".join(f"- {line}" for line in extra))
    _elsewhere(info, metrics)


def _delete(info: ModelInfo) -> None:
    """Offer to delete a run that was trained here, to those who may; asked twice, because it cannot be undone."""
    if info.shipped or not access.may(Action.DELETE, started_by=info.started_by):
        return
    problem = st.session_state.pop(_PROBLEM, None)
    if problem:
        st.error(messages.told(problem), icon=":material/block:")
    with st.popover("Delete this run", icon=":material/delete:"):
        what = "its figures; its members stay" if info.is_vote else "its model, its history and its figures"
        what = what if info.has_model else "its answers and its figures"
        st.markdown(f"This removes **{info.display_name}** with {what}. It cannot be undone.")
        if votes := vote.votes_with(info):
            st.warning(f"These votes need it, and will not work without it: {', '.join(votes)}.")
        st.button(
            "Delete it for good", icon=":material/delete_forever:", key="delete-run", on_click=_delete_now, args=(info,)
        )


def _delete_now(info: ModelInfo) -> None:
    try:
        trainings.delete(access.person(), info.path)
    except FerError as error:
        # It may have been resumed since the page was drawn.
        st.session_state[_PROBLEM] = str(error)
    else:
        st.session_state[runs.RUN] = None


def _limits(info: ModelInfo) -> None:
    """What the card says about limits, then the whole card."""
    with _folded("Limits, and the whole card", LIMITS, ":material/gavel:") as section:
        if section.open:
            card = card_of(info.folder)
            st.markdown(card.partition("## Limits")[2].strip() or "This card names no limits.")
            with st.expander("The whole card (CARD.md)", icon=":material/article:"):
                st.markdown(card)


def recipe_table(recipe: Recipe) -> pd.DataFrame:
    """Every field of the recipe and its value, both as text."""
    values = asdict(recipe)
    augmentation = values.pop("augmentation")
    flat = {**values, **{f"augmentation.{key}": value for key, value in augmentation.items()}}
    return pd.DataFrame({"Field": list(flat), "Value": [_text(value) for value in flat.values()]})


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
