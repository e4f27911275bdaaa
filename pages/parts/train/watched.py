"""Train: the faces that a training keeps an eye on, and what it says about each after every epoch."""

from __future__ import annotations

import html

import streamlit as st

from fer_core.data.info import DatasetInfo
from fer_core.emotions import COLOURS, NAMES, PUBLIC_TEST
from fer_core.errors import DataError
from fer_core.formatting import percent, plural
from fer_core.runs.events import EpochEvent
from fer_core.training.status import JobStatus
from fer_core.training.watched import choose_watched
from pages.parts.data import open_dataset
from pages.parts.faces import data_uri
from pages.parts.fragments import fragment
from pages.parts.train.outcome import trained_on

SIDE = 76
"""Pixels of a face: eight in a row on a large screen, four on a phone."""
GRID = f"display:grid;grid-template-columns:repeat(auto-fill,minmax({SIDE}px,1fr));gap:.5rem .3rem"


def show(status: JobStatus) -> None:
    """The faces with the answers after the last epoch; of a training that has ended, after any."""
    epochs = [epoch for epoch in status.epochs if epoch.get("watched")]
    rows = status.start.get("watched", []) if status.start else []
    if not epochs or not rows:
        return
    if status.alive or len(epochs) == 1:
        _answers(status, rows, epochs[-1])
    else:
        _over_epochs(status, rows, epochs)


def preview(info: DatasetInfo) -> None:
    """The faces that a training on these data will watch, with their labels; nothing where there are none."""
    pictures, labels = _preview(str(info.path), info.fingerprint)
    if not pictures:
        return
    cards = [
        f'<div style="font-size:.8rem;line-height:1.35">{_picture(picture, label)}is <b>{NAMES[label]}</b></div>'
        for picture, label in zip(pictures, labels, strict=True)
    ]
    st.html(f'<div style="{GRID}">{"".join(cards)}</div>')
    st.caption(f"After each epoch your model says what these {len(cards)} faces of PublicTest show.")


@fragment
def _over_epochs(status: JobStatus, rows: list[int], epochs: list[EpochEvent]) -> None:
    by_number = {epoch["epoch"]: epoch for epoch in epochs}
    last = max(by_number)
    number = st.select_slider(
        "After epoch", sorted(by_number), value=last, key=f"job.epoch.{status.name}", help="Watch it learn these faces."
    )
    _answers(status, rows, by_number[int(number)])


def _answers(status: JobStatus, rows: list[int], epoch: EpochEvent) -> None:
    answers = epoch.get("watched", [])
    pictures, labels = _faces(status, rows)
    cards, right = [], 0
    for at, probabilities in enumerate(answers):
        said = max(range(len(NAMES)), key=probabilities.__getitem__)
        label = labels[at] if labels else None
        right += said == label
        picture = _picture(pictures[at], labels[at]) if pictures else ""
        mark = "" if label is None else "✓ " if said == label else "✗ "
        truth = "" if label is None else f'<div style="opacity:.75">labelled {NAMES[label]}</div>'
        sure = percent(probabilities[said], 0).replace(" ", "&nbsp;")
        cards.append(
            f'<div style="font-size:.8rem;line-height:1.35">{picture}'
            f'<div style="height:5px;margin:4px 0 2px;background:rgba(127,127,143,.25);width:{SIDE}px">'
            f'<div style="height:100%;width:{100 * probabilities[said]:.0f}%;background:{COLOURS[said]}"></div></div>'
            f"<b>{mark}{html.escape(NAMES[said])}</b> {sure}{truth}</div>"
        )
    st.html(f'<div style="{GRID}">{"".join(cards)}</div>')
    ended = f"After epoch {epoch['epoch']} the model"
    if labels:
        of = plural(len(answers), "PublicTest face")
        st.caption(f"{ended} gets {right} of these {of} right. It never trains on them.")


def _picture(address: str, label: int) -> str:
    return (
        f'<img src="{address}" width="{SIDE}" height="{SIDE}" alt="A face labelled {NAMES[label]}" '
        'style="image-rendering:pixelated;border-radius:4px;display:block">'
    )


def _faces(status: JobStatus, rows: list[int]) -> tuple[list[str], list[int]]:
    """Pictures as addresses and labels; both empty where the faces are not on this computer."""
    data = trained_on(status)
    if data is None or data.info is None:
        return [], []
    return _pictures(str(data.info.path), data.fingerprint, tuple(rows))


@st.cache_data(show_spinner=False, max_entries=16)
def _pictures(path: str, fingerprint: str, rows: tuple[int, ...]) -> tuple[list[str], list[int]]:
    try:
        dataset = open_dataset(path, fingerprint)
    except DataError:
        # Deleted meanwhile: the page says so where the data are chosen.
        return [], []
    return [data_uri(dataset.images[row]) for row in rows], [int(dataset.labels[row]) for row in rows]


@st.cache_data(show_spinner=False, max_entries=4)
def _preview(path: str, fingerprint: str) -> tuple[list[str], list[int]]:
    try:
        dataset = open_dataset(path, fingerprint)
    except DataError:
        return [], []
    rows = dataset.rows(PUBLIC_TEST)
    return _pictures(path, fingerprint, tuple(rows[choose_watched(dataset.labels[rows])].tolist()))
