"""Mistakes: the view of faces on which no run was measured here, and whose answers came with them, labelled or not."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import replace

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.data.dataset import Dataset
from fer_core.data.model_answers import Probabilities
from fer_core.emotions import PUBLIC_TEST, TRAINING
from fer_core.errors import DataError
from fer_core.formatting import harmless, listed
from fer_core.review import answers_without_labels as core
from fer_core.review.annotations import Annotations
from fer_core.review.scope import CORRECTED, DATASET, LABELS, WITHOUT_ANNOTATED, Scope, scope_of
from fer_core.runs.contracts import Origin, RunState
from fer_core.runs.listing import ModelInfo
from pages.parts import data, dataset_extras, face_filters, links, messages, runs, scope, unmeasured
from pages.parts.known_data import KnownData
from pages.parts.scope import LABELS_KEY, NEAR_DUPLICATES, RUNS, SPLIT, View


def choose(fold: DeltaGenerator) -> View | None:
    """Draw the controls in ``fold`` and return the choice; None where these data are looked at by runs' own figures.

    Ends the page where the answers of faces that nobody labelled cannot be read.
    """
    chosen = data.current()
    if chosen is None or chosen.info is None or chosen.runs:
        return None
    dataset = data.open_dataset(str(chosen.info.path), chosen.fingerprint)
    answers = _answers(dataset)
    splits = _splits(dataset)
    if not answers or not splits:
        return None
    here = {run.name: run for run in runs.complete()}
    same = _same_models(dataset, [here[name] for name in answers if name in here], fold)
    given = replace(
        chosen,
        runs=tuple(here[name] if name in same else _answers_alone(name, dataset, here.values()) for name in answers),
    )
    chosen_runs = scope.choose_runs(given, RUNS, fold)
    unmeasured.offer(chosen)
    if not chosen_runs:
        st.info("Choose at least one run.", icon=":material/info:")
        st.stop()
    return _view(given, chosen_runs, dataset, answers, splits, fold)


def _view(
    given: KnownData,
    chosen_runs: tuple[ModelInfo, ...],
    dataset: Dataset,
    answers: dict[str, Probabilities],
    splits: list[str],
    fold: DeltaGenerator,
) -> View:
    annotations = scope.marks(given.fingerprint)
    split, labels = splits[0], DATASET
    if dataset.info.labelled:
        with fold, st.container(horizontal=True, vertical_alignment="bottom", key="scope"):
            split = scope.choose_split(splits, SPLIT)
            labels, ignored = scope.choose_labels(None, annotations, LABELS_KEY)
        if ignored:
            st.warning(ignored)
    else:
        face_filters.leave_out(SPLIT, LABELS_KEY, NEAR_DUPLICATES)
    names = tuple(run.name for run in chosen_runs)
    called = tuple(run.display_name for run in chosen_runs)
    reviewed = annotations.state_key if labels in (CORRECTED, WITHOUT_ANNOTATED) else None
    key = (
        "answers",
        given.fingerprint,
        dataset_extras.read_answers_time(dataset),
        names,
        called,
        split,
        labels,
        reviewed,
    )
    found = _scope(key, names, called, split, labels, dataset, answers, annotations)
    if dataset.info.labelled:
        with fold:
            scope.show_summary(found, split, links.plain(given.title))
    query: dict[str, str | list[str]] = {RUNS: list(names)}
    if split != splits[0]:
        query[SPLIT] = split
    if labels != DATASET:
        query[LABELS_KEY] = LABELS[labels]
    return View(given, chosen_runs, found, key, dataset, None, annotations, query, measured=False)


def _answers(dataset: Dataset) -> dict[str, Probabilities]:
    try:
        found = dataset_extras.answers_of(dataset)
    except DataError as error:
        st.warning(messages.told(error, stored=True), icon=":material/broken_image:")
        found = {}
    if not found and not dataset.info.labelled:
        st.info("What the models say of these faces is missing, so there is nothing to sort them by.")
        st.stop()
    return found


def _same_models(dataset: Dataset, runs_here: Sequence[ModelInfo], fold: DeltaGenerator) -> set[str]:
    """Names of the runs that are what they were when they answered, as far as is known; of the others is told."""
    asked = dataset_extras.models_that_answered(dataset)
    other = [run for run in runs_here if run.name in asked and run.folder.promised_model() != asked[run.name]]
    if other:
        called = listed([links.plain(run.display_name) for run in other])
        st.warning(
            f"{called} {'is another model' if len(other) == 1 else 'are other models'} now than when these faces were "
            "scored: what stands here was said before. Score the pictures again to see what is said now.",
            icon=":material/history:",
        )
    elif unknown := [run for run in runs_here if run.name not in asked]:
        called = listed([links.plain(run.display_name) for run in unknown])
        fold.caption(
            f"These data came with an earlier version, which did not note the models' files: whether {called} "
            f"{'is' if len(unknown) == 1 else 'are'} still what answered is not known."
        )
    return {run.name for run in runs_here} - {run.name for run in other}


def _splits(dataset: Dataset) -> list[str]:
    """Those to look at, and the first of them at first. PrivateTest is opened by measuring alone, which is counted."""
    return [split for split in (PUBLIC_TEST, TRAINING) if dataset.info.split_size(split)]


def _answers_alone(name: str, dataset: Dataset, here: Collection[ModelInfo]) -> ModelInfo:
    """What stands for a model that is not here."""
    called = harmless(name)
    if called in {info.display_name for info in here}:
        called = f"{called} (answers alone)"
    return ModelInfo(
        name=name,
        title=name,
        path=dataset.path,
        shipped=False,
        architecture="",
        state=RunState.DONE,
        created=dataset.info.created,
        epochs=0,
        best_epoch=None,
        complete=True,
        origin=Origin.PREDICTIONS,
        display_name=called,
    )


@st.cache_resource(show_spinner=False, max_entries=8)
def _scope(
    key: tuple[Hashable, ...],
    names: tuple[str, ...],
    called: tuple[str, ...],
    split: str,
    labels: str,
    _dataset: Dataset,
    _answers: dict[str, Probabilities],
    _annotations: Annotations,
) -> Scope:
    chosen = {name: _answers[name] for name in names}
    rows = np.sort(_dataset.rows(split))
    whole = core.aligned_of(
        chosen, np.asarray(_dataset.labels), rows, split=split, fingerprint=_dataset.info.fingerprint
    )
    return scope_of(whole.called(called), (1.0,) * len(names), labels=labels, annotations=_annotations)
