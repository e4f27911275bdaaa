"""The data that can be looked at: those whose faces are at hand, and those of which runs keep figures alone.

Looked up once by each run of the entry, for the sidebar and for the page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from fer_core.data.catalogue import SAMPLE_NAME, list_datasets
from fer_core.data.contracts import DatasetRecord
from fer_core.data.info import DatasetInfo
from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.runs.folder import RunFolder
from fer_core.runs.listing import ModelInfo
from pages.parts.runs import complete, data_title

_KNOWN = "_known_data"
_CHOOSE_NEXT = "_choose_data"


@dataclass(frozen=True)
class KnownData:
    """Some faces, by their fingerprint.

    Attributes:
        name: how the sidebar and addresses call them: at hand, the dataset's folder.
        record: the dataset, as an evaluation names it.
        info: the dataset folder; None where there are only figures.
        runs: those that were measured on these faces, in the order of all runs.
    """

    name: str
    record: DatasetRecord
    info: DatasetInfo | None
    runs: tuple[ModelInfo, ...]

    @property
    def fingerprint(self) -> str:
        return self.record["fingerprint"]

    @property
    def title(self) -> str:
        """As in a sentence: ``the drawn sample``, ``FER-2013``."""
        return data_title(self.record)

    @property
    def can_be_drawn(self) -> bool:
        """Whether the app draws these faces by itself, and has not done so yet."""
        return self.info is None and self.record["kind"] == "sample" and self.name == SAMPLE_NAME


def look() -> dict[str, KnownData]:
    """By name: datasets at hand, real ones first, newest first; then what there are only figures of, and before these
    the sample, where it is still to be drawn.
    """
    records: dict[str, DatasetRecord] = {}
    runs: dict[str, list[ModelInfo]] = {}
    for run in complete():
        for record in data_of(run):
            records.setdefault(record["fingerprint"], record)
            runs.setdefault(record["fingerprint"], []).append(run)
    found: list[tuple[str, DatasetRecord, DatasetInfo | None]] = []
    for info in list_datasets():
        found.append((info.path.name, info.record(), info))
        records.pop(info.fingerprint, None)
    for record in records.values():
        found.append((_free(record, {name for name, _, _ in found}), record, None))
    every = [KnownData(name, record, info, tuple(runs.get(record["fingerprint"], ()))) for name, record, info in found]
    every.sort(key=lambda one: (one.info is None, not one.can_be_drawn))
    st.session_state[_KNOWN] = result = {one.name: one for one in every}
    return result


def known() -> dict[str, KnownData]:
    """What :func:`look` found in this run of the app."""
    found: dict[str, KnownData] | None = st.session_state.get(_KNOWN)
    return look() if found is None else found


def with_fingerprint(fingerprint: str) -> KnownData | None:
    """The data with that fingerprint, as the sidebar has them; None where they are not known here."""
    return next((one for one in known().values() if one.fingerprint == fingerprint), None)


def choose(name: str) -> None:
    """Make the dataset folder called ``name`` the chosen one from the next run of the script on."""
    st.session_state[_CHOOSE_NEXT] = name


def pop_choice() -> str | None:
    """What :func:`choose` was told since the last run of the script."""
    name: str | None = st.session_state.pop(_CHOOSE_NEXT, None)
    return name


def data_of(run: ModelInfo) -> list[DatasetRecord]:
    """The data that a run was measured on; none for one that was not, or whose evaluations cannot be used."""
    return _data_of(str(run.path), run.folder.state_key())


def splits_of(data: KnownData, runs: Iterable[ModelInfo]) -> list[str]:
    """The test splits that there are figures of on these data, PrivateTest first; both where no run has any."""
    both = [PRIVATE_TEST, PUBLIC_TEST]
    there = {split for run in runs for split in _splits_of(str(run.path), run.folder.state_key(), data.fingerprint)}
    return [split for split in both if split in there] or both


def titles(all_known: Iterable[KnownData]) -> dict[str, str]:
    """The name of each by its title in a sentence; of equal titles, with the fingerprint's beginning."""
    every = list(all_known)
    often = [one.title for one in every]
    return {
        f"{one.title} {one.fingerprint[:8]}" if often.count(one.title) > 1 else one.title: one.name for one in every
    }


def _free(record: DatasetRecord, taken: set[str]) -> str:
    name = record["name"] or "data"
    return name if name not in taken else f"{name}-{record['fingerprint'][:8]}"


@st.cache_data(show_spinner=False, max_entries=200)
def _splits_of(path: str, sealed: tuple[int, ...], fingerprint: str) -> list[str]:
    """None where the evaluation cannot be used, which is told where its figures are asked for."""
    try:
        metrics = RunFolder(Path(path)).metrics(fingerprint)
    except RunError:
        return []
    return list(metrics["splits"]) if metrics else []


@st.cache_data(show_spinner=False, max_entries=100)
def _data_of(path: str, sealed: tuple[int, ...]) -> list[DatasetRecord]:
    return [one.data for one in RunFolder(Path(path)).evaluations()]
