"""What the Compare page shows, computed once for each choice: thin caches over the core.

Each function is cached by ``View.key``, which is equal for equal runs, faces and labels, so that nothing is computed
again that has not changed. What comes back is shared by all visitors: do not change it.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from fer_core.data.ferplus import Crowd
from fer_core.data.persons import persons_of
from fer_core.emotions import COUNT, PRIVATE_TEST
from fer_core.formatting import listed
from fer_core.leaderboard.crowd import shipped_crowd_figures
from fer_core.review.crowd_scores import Share, crowd_scores
from fer_core.review.scope import Scope
from fer_core.review.sentences import Learned
from fer_core.runs.ledger import looks_words
from fer_core.runs.listing import ModelInfo
from fer_core.stats import curves as curves_core
from fer_core.stats.calibration import Reliability, apply_temperature
from fer_core.stats.calibration import reliability as reliability_core
from fer_core.stats.curves import OneVsRest
from fer_core.stats.metrics import (
    ClassIntervals,
    Scores,
    ShareInterval,
    confusion_matrix,
    per_class_intervals,
    score,
    top_k,
)
from fer_core.stats.paired_tests import Comparison, compare
from fer_core.stats.risk_coverage import Answered, RiskCoverage, at_threshold
from fer_core.stats.risk_coverage import risk_coverage as risk_coverage_core
from pages.parts.dataset_extras import read_crowd_time
from pages.parts.scope import NEAR_DUPLICATES, View

if TYPE_CHECKING:
    from fer_core.data.dataset import Dataset
    from fer_core.evaluation.aligned_predictions import AlignedPredictions

Key = tuple[Hashable, ...]
Kind = Literal["roc", "precision_recall"]
MOST_CACHED = 24
"""Choices whose results are kept: the last ones, at most a few megabytes each."""


def scores(view: View) -> Sequence[Scores]:
    """SCORES of each run on the faces in view, under the labels that count."""
    return _scores(view.key, view.scope, view.dataset)


@st.cache_resource(show_spinner=False, max_entries=MOST_CACHED)
def _scores(key: Key, _scope: Scope, _dataset: Dataset | None) -> list[Scores]:
    aligned = _scope.aligned
    persons = _persons(aligned, _dataset)
    return [score(aligned.labels, probabilities, persons=persons) for probabilities in aligned.probabilities]


def _persons(aligned: AlignedPredictions, dataset: Dataset | None) -> npt.NDArray[np.int64] | None:
    """Whose faces they are, where the dataset is here and its files' names tell."""
    return None if dataset is None or not len(aligned) else persons_of(dataset, aligned.rows)


def classes(view: View) -> Mapping[str, list[ClassIntervals]]:
    """Precision, recall and F1 of each class with intervals, by run."""
    return _classes(view.key, view.scope, scores(view))


@st.cache_resource(show_spinner=False, max_entries=MOST_CACHED)
def _classes(key: Key, _scope: Scope, _scores: Sequence[Scores]) -> dict[str, list[ClassIntervals]]:
    return {
        name: per_class_intervals(one["confusion"], one.get("by_person"))
        for name, one in zip(_scope.aligned.names, _scores, strict=True)
    }


def without_twins(view: View) -> Sequence[Scores]:
    """SCORES of each run on the faces in view that have no twin in Training; none where that leaves none, or all."""
    near_duplicate = view.scope.aligned.near_duplicate
    if near_duplicate is None or near_duplicate.all() or not near_duplicate.any():
        return []
    return _without_twins(view.key, view.scope, view.dataset)


@st.cache_resource(show_spinner=False, max_entries=MOST_CACHED)
def _without_twins(key: Key, _scope: Scope, _dataset: Dataset | None) -> list[Scores]:
    aligned = _scope.aligned
    assert aligned.near_duplicate is not None
    clean = aligned.where(~aligned.near_duplicate)
    persons = _persons(clean, _dataset)
    return [score(clean.labels, probabilities, persons=persons) for probabilities in clean.probabilities]


def classes_without_twins(view: View) -> Mapping[str, list[ClassIntervals]]:
    """:func:`classes` without faces that have a twin in Training; empty where :func:`without_twins` is."""
    return {
        name: per_class_intervals(one["confusion"], one.get("by_person"))
        for name, one in zip(view.names, without_twins(view), strict=False)
    }


def looks(view: View, names: Sequence[str]) -> str:
    """How often PrivateTest was opened for these runs, a sentence; empty on other splits and where nobody counted."""
    aligned = view.scope.aligned
    if aligned.split != PRIVATE_TEST:
        return ""
    counted = [
        (run.display_name, looks_words(run.path, aligned.fingerprint)) for run in view.runs if run.display_name in names
    ]
    words = [f"{name} ({how_often})" for name, how_often in counted if how_often]
    return f"{PRIVATE_TEST} was opened for {listed(words)}: the more looks, the more luck." if words else ""


def confusions_above(view: View, least: float) -> npt.NDArray[np.int64]:
    """The confusion matrix of each run over the faces that it answers with at least this confidence (0..1)."""
    return view.scope.confusions if least <= 0 else _confusions_above(view.key, least, view.scope)


@st.cache_resource(show_spinner=False, max_entries=MOST_CACHED)
def _confusions_above(key: Key, least: float, _scope: Scope) -> npt.NDArray[np.int64]:
    aligned = _scope.aligned
    sure = aligned.probabilities.max(axis=2) >= least
    matrices = [
        confusion_matrix(aligned.labels[here], said[here]) for here, said in zip(sure, aligned.predicted, strict=True)
    ]
    return np.stack(matrices)


def taken_for(view: View, names: Sequence[str], least: float) -> npt.NDArray[np.int64]:
    """Faces of each class, int (7, 7), rows true, that one at least of these runs takes for another, so confident."""
    return _taken_for(view.key, tuple(names), least, view.scope)


@st.cache_resource(show_spinner=False, max_entries=MOST_CACHED)
def _taken_for(key: Key, names: tuple[str, ...], least: float, _scope: Scope) -> npt.NDArray[np.int64]:
    aligned = _scope.aligned
    said = np.zeros((len(aligned), COUNT), dtype=bool)
    for at in map(aligned.names.index, names):
        faces = np.flatnonzero(aligned.probabilities[at].max(axis=1) >= least)
        said[faces, aligned.predicted[at][faces]] = True
    return np.stack([said[aligned.labels == label].sum(axis=0) for label in range(COUNT)])


def under_crowd(view: View) -> Sequence[tuple[str, dict[str, Share]]]:
    """Each run's name and shares under the dataset's labels and the crowd's, where the votes are known.

    With FER+ at hand they are counted; else those of runs that ship are looked up, and other runs have none.
    """
    without_twins = NEAR_DUPLICATES in view.query
    if view.crowd is not None and view.dataset is not None:
        key = (*view.key, without_twins, read_crowd_time(view.dataset))
        return _under_crowd(key, view.scope, view.crowd, without_twins)
    if without_twins:
        return []
    whole, figures = view.scope.whole, shipped_crowd_figures()
    rows = []
    for run in view.runs:
        evaluation = run.folder.evaluation(whole.fingerprint) if run.name in figures.models else None
        if evaluation and (shares := figures.of(whole.fingerprint, whole.split, run.name, evaluation.model)):
            rows.append((run.display_name, shares))
    return rows


@st.cache_resource(show_spinner=False, max_entries=MOST_CACHED)
def _under_crowd(key: Key, _scope: Scope, _crowd: Crowd, without_twins: bool) -> list[tuple[str, dict[str, Share]]]:
    whole = _scope.whole
    if without_twins and whole.near_duplicate is not None:
        whole = whole.where(~whole.near_duplicate)
    return list(zip(whole.names, crowd_scores(whole, _crowd), strict=True))


def top_two(view: View) -> Mapping[str, ShareInterval]:
    """How often the label is among each run's two likeliest answers."""
    return _top_two(view.key, view.scope)


@st.cache_resource(show_spinner=False, max_entries=MOST_CACHED)
def _top_two(key: Key, _scope: Scope) -> dict[str, ShareInterval]:
    aligned = _scope.aligned
    return {
        name: top_k(aligned.labels, probabilities, k=2)
        for name, probabilities in zip(aligned.names, aligned.probabilities, strict=True)
    }


def comparison(view: View, a: int, b: int) -> Comparison:
    """The runs at positions ``a`` and ``b``, face by face, with paired resamples."""
    return _comparison(view.key, a, b, view.scope)


@st.cache_resource(show_spinner="Comparing the two runs face by face", max_entries=4 * MOST_CACHED)
def _comparison(key: Key, a: int, b: int, _scope: Scope) -> Comparison:
    aligned = _scope.aligned
    return compare(aligned.labels, aligned.predicted[a], aligned.predicted[b])


def class_curves(view: View, kind: Kind) -> Mapping[str, OneVsRest]:
    """Each class against the rest, by run."""
    return _curves(view.key, kind, view.scope)


@st.cache_resource(show_spinner=False, max_entries=2 * MOST_CACHED)
def _curves(key: Key, kind: Kind, _scope: Scope) -> dict[str, OneVsRest]:
    aligned, compute = _scope.aligned, curves_core.roc if kind == "roc" else curves_core.precision_recall
    return {
        name: compute(aligned.labels, probabilities)
        for name, probabilities in zip(aligned.names, aligned.probabilities, strict=True)
    }


def reliability(view: View, *, with_temperature: bool) -> Mapping[str, Reliability]:
    """How well confidence fits, by run; each with its own temperature, or with none."""
    return _reliability(view.key, with_temperature, view.scope)


@st.cache_resource(show_spinner=False, max_entries=2 * MOST_CACHED)
def _reliability(key: Key, with_temperature: bool, _scope: Scope) -> dict[str, Reliability]:
    aligned = _scope.aligned
    return {
        name: reliability_core(aligned.labels, probabilities, temperature=temperature if with_temperature else 1.0)
        for name, probabilities, temperature in zip(
            aligned.names, aligned.probabilities, _scope.temperatures, strict=True
        )
    }


def risk_coverage(view: View, *, with_temperature: bool) -> Mapping[str, RiskCoverage]:
    """Wrong answers by share of faces answered, by run."""
    return _risk_coverage(view.key, with_temperature, view.scope)


@st.cache_resource(show_spinner=False, max_entries=2 * MOST_CACHED)
def _risk_coverage(key: Key, with_temperature: bool, _scope: Scope) -> dict[str, RiskCoverage]:
    labels = _scope.aligned.labels
    probabilities = _probabilities(key, with_temperature, _scope)
    return {
        name: risk_coverage_core(labels, of_run)
        for name, of_run in zip(_scope.aligned.names, probabilities, strict=True)
    }


def answered(view: View, least_confidence: float, *, with_temperature: bool) -> Mapping[str, Answered]:
    """What each run does that answers only where it is at least so confident (0..1)."""
    labels = view.scope.aligned.labels
    probabilities = _probabilities(view.key, with_temperature, view.scope)
    return {
        name: at_threshold(labels, of_run, least_confidence)
        for name, of_run in zip(view.names, probabilities, strict=True)
    }


@st.cache_resource(show_spinner=False, max_entries=MOST_CACHED)
def _probabilities(key: Key, with_temperature: bool, _scope: Scope) -> npt.NDArray[np.float32]:
    """Float32 (K, n, 7), each run with its own temperature if wanted."""
    probabilities = _scope.aligned.probabilities
    if not with_temperature:
        return probabilities
    return np.stack(
        [apply_temperature(of_run, value) for of_run, value in zip(probabilities, _scope.temperatures, strict=True)]
    )


def learned(view: View) -> Sequence[Learned]:
    """Each run with a history at its best epoch on PublicTest."""
    return _learned(view.key, view.runs)


@st.cache_resource(show_spinner=False, max_entries=MOST_CACHED)
def _learned(key: Key, _runs: Sequence[ModelInfo]) -> list[Learned]:
    found = []
    for run in _runs:
        table = run.folder.history() if run.folder.history_path.exists() else pd.DataFrame()
        if table.empty:
            continue
        best = table.iloc[int(table["val_accuracy"].to_numpy().argmax())]
        changed = run.folder.recipe().augmentation.active if run.folder.recipe_path.exists() else None
        found.append(
            Learned(
                run.display_name,
                int(best["epoch"]),
                float(best["accuracy"]),
                float(best["val_accuracy"]),
                changed,
                own=run.is_brought,
            )
        )
    return found


def histories(view: View) -> Mapping[str, pd.DataFrame]:
    """``history.csv`` of each run that has one, in the order of the view."""
    return _histories(view.key, view.runs)


@st.cache_resource(show_spinner=False, max_entries=MOST_CACHED)
def _histories(key: Key, _runs: Sequence[ModelInfo]) -> dict[str, pd.DataFrame]:
    return {run.display_name: run.folder.history() for run in _runs if run.folder.history_path.exists()}
