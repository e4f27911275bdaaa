"""A dataset by its fingerprint, and what is kept beside it: audit, votes, models' answers, marks. Shared by all."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from fer_core.access.policy import Action
from fer_core.data.audit import AUDIT_FILE, Audit, read_audit
from fer_core.data.catalogue import list_datasets
from fer_core.data.dataset import Dataset
from fer_core.data.ferplus import FERPLUS_FILE, Crowd, read_ferplus
from fer_core.data.model_answers import ANSWERS_FILE, Probabilities, read_answers, read_models
from fer_core.review.annotations import Annotations
from fer_core.settings import settings
from pages.parts import access, frame
from pages.parts.data import IMPORT, open_dataset

_OWN_ANNOTATIONS = "_own_annotations"


def dataset_of(fingerprint: str) -> Dataset | None:
    """The dataset with this fingerprint, if this computer has it, shared by all visitors."""
    info = next((info for info in list_datasets() if info.fingerprint == fingerprint), None)
    return None if info is None else open_dataset(str(info.path), fingerprint)


def offer_import(what: str = "The faces themselves") -> None:
    """In place of faces that are not here: what is missing, and the way to it."""
    with st.container(border=True, key="no-faces"):
        st.markdown(
            f":material/image_not_supported: **{what} are not on this computer.** The numbers come from the runs' "
            "stored predictions, which do not hold pictures."
        )
        if not access.may(Action.IMPORT_DATA):
            return
        st.markdown("Import the data that the runs were measured on, and the faces appear here.")
        frame.link("dataset", "Import the data", icon=":material/upload:", query={"view": IMPORT})


def read_audit_time(dataset: Dataset) -> int:
    """When the audit of this dataset was kept, POSIX nanoseconds; 0 where there is none."""
    return _written(dataset.path / AUDIT_FILE)


def audit_of(dataset: Dataset) -> Audit | None:
    """The audit that is kept beside a dataset, shared by all visitors and pages; None where there is none."""
    written = read_audit_time(dataset)
    return _read_audit(str(dataset.path), dataset.info.fingerprint, written, dataset) if written else None


def _written(path: Path) -> int:
    """When a file was written, POSIX nanoseconds; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def read_crowd_time(dataset: Dataset) -> int:
    """When the crowd's votes were added to this dataset, POSIX nanoseconds; 0 where they were not."""
    return _written(dataset.path / FERPLUS_FILE)


def crowd_of(dataset: Dataset) -> Crowd | None:
    """FER+'s votes, where they were added to these data. Raises ``DataError`` where they are damaged."""
    written = read_crowd_time(dataset)
    return _read_crowd(str(dataset.path), written, dataset) if written else None


def read_answers_time(dataset: Dataset) -> int:
    """When the answers that came with this dataset were kept, POSIX nanoseconds; 0 where none came."""
    return _written(dataset.path / ANSWERS_FILE)


def answers_of(dataset: Dataset) -> dict[str, Probabilities]:
    """What models said of these faces before they were imported, by name; empty where nobody asked them.

    Raises ``DataError`` where that is damaged.
    """
    written = read_answers_time(dataset)
    return _read_answers(str(dataset.path), dataset.info.fingerprint, written, len(dataset)) if written else {}


def models_that_answered(dataset: Dataset) -> dict[str, str]:
    """SHA-256 of the files of the models whose answers came with these faces, by name; empty where that is not known.

    Raises ``DataError`` as :func:`answers_of` does.
    """
    written = read_answers_time(dataset)
    return _read_models(str(dataset.path), written) if written else {}


@st.cache_data(show_spinner=False, max_entries=8)
def _read_models(path: str, written: int) -> dict[str, str]:
    return read_models(Path(path))


@st.cache_resource(show_spinner=False, max_entries=2)
def _read_answers(path: str, fingerprint: str, written: int, faces: int) -> dict[str, Probabilities]:
    return read_answers(Path(path), faces)


@st.cache_resource(show_spinner=False, max_entries=4)
def _read_crowd(path: str, written: int, _dataset: Dataset) -> Crowd | None:
    return read_ferplus(_dataset)


@st.cache_resource(show_spinner=False, max_entries=4)
def _read_audit(path: str, fingerprint: str, written: int, _dataset: Dataset) -> Audit | None:
    return read_audit(_dataset)


def annotations_of(fingerprint: str) -> Annotations:
    """The marks on the faces of these data, the same object for all pages: everybody's, or this visit's own."""
    if access.may(Action.ANNOTATE_FOR_ALL):
        return _open_annotations(fingerprint, str(settings().reviews_dir))
    own: dict[str, Annotations] = st.session_state.setdefault(_OWN_ANNOTATIONS, {})
    return own.setdefault(fingerprint, Annotations(fingerprint, in_memory=True))


@st.cache_resource(show_spinner=False, max_entries=8)
def _open_annotations(fingerprint: str, folder: str) -> Annotations:
    return Annotations.load(fingerprint)
