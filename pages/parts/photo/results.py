"""Photo: all faces of all pictures as one table to click and to take away, and the picture that is open."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from fer_core.formatting import plain, plural
from fer_core.inference.pictures import Reading, csv_text
from fer_core.inference.predict_json import report_head
from fer_core.stats.calibration import apply_temperature
from pages.parts import detection, messages
from pages.parts.detection import Answering
from pages.parts.downloads import csv_button
from pages.parts.faces import label_words
from pages.parts.photo import faces as photo_faces
from pages.parts.photo.input import Seen

_OPEN, _TABLE = "photo-open", "photo-table"
_LAST = "_photo_open"
"""The open picture again: Streamlit drops what a field holds once its page is left."""


def show(seen: Sequence[Seen], models: Sequence[Answering], *, calibrated: bool, maps: bool) -> None:
    """Everything below the choices. ``seen``: at least one picture."""
    readable = [one for one in seen if one.in_use is not None]
    for one in seen:
        if one.problem:
            st.error(messages.told(one.problem), icon=":material/broken_image:")
    if not readable:
        return
    readings = [_answered(one, models) for one in readable]
    if len(readable) == 1:
        _picture(readable[0], readings[0], models, maps=maps)
        _overview(readable, seen, readings, models, calibrated=calibrated)
        return
    # With several pictures the table is the way to each of them.
    _overview(readable, seen, readings, models, calibrated=calibrated)
    number = _choose_picture(readings)
    _picture(readable[number], readings[number], models, maps=maps)


def _answered(one: Seen, models: Sequence[Answering]) -> Reading:
    """A picture's reading with what every model says, at its temperature."""
    used = one.in_use
    assert used is not None
    if not used.faces:
        return used
    # Applied here and not in the predictor, so that the switch does not open every model a second time.
    answers = {model.name: apply_temperature(one.explain(model)[0], temperature) for model, temperature in models}
    return replace(used, answers=answers)


def _overview(
    readable: Sequence[Seen],
    seen: Sequence[Seen],
    readings: Sequence[Reading],
    models: Sequence[Answering],
    *,
    calibrated: bool,
) -> None:
    """One line a face, and the files to take away."""
    faces = sum(len(reading.faces) for reading in readings)
    st.header(f"{plural(len(readings), 'picture')}, {plural(faces, 'face')}", anchor=False)
    if not faces:
        return
    for title in sorted({one.detector for one in seen}):
        detection.caution(title)
    places = [(at, index) for at, reading in enumerate(readings) for index in range(len(reading.faces))]
    columns: dict[str, list[object]] = {
        "Picture": [readings[at].name for at, _ in places],
        "Face": [index + 1 for _, index in places],
        "Width (pixels)": [readings[at].faces[index].width for at, index in places],
    }
    for model, _ in models:
        rows = [readings[at].answers[model.name][index] for at, index in places]
        columns[model.name] = [f"{label_words(int(row.argmax()))} {100 * row.max():.0f} %" for row in rows]

    def picked() -> None:
        lines = st.session_state[_TABLE].selection.rows
        if lines:
            at, index = places[lines[0]]
            st.session_state[_OPEN] = at
            photo_faces.turn_to(readable[at], index)

    st.dataframe(
        pd.DataFrame(columns),
        hide_index=True,
        key=_TABLE,
        on_select=picked,
        selection_mode="single-row",
        height=min(38 + 35 * len(places), 388),
        alt=f"What each model says about each of {plural(faces, 'face')}, and how sure it is.",
    )
    if len(places) > photo_faces.AT_ONCE or len(readings) > 1:
        st.caption(
            "Select a line to open that face below." if len(readings) > 1 else "Select a line to open that face."
        )
    with st.container(horizontal=True, key="photo-downloads"):
        if models:
            csv_button(
                "All numbers (CSV)",
                lambda: csv_text(readings).encode("utf-8"),
                name="faces.csv",
                key="photo-csv",
            )
        st.download_button(
            "All numbers (JSON)",
            data=lambda: _json(seen, readings, models, calibrated=calibrated),
            file_name="faces.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
            key="photo-json",
        )


def _json(seen: Sequence[Seen], readings: Sequence[Reading], models: Sequence[Answering], *, calibrated: bool) -> bytes:
    """The same as ``python -m fer_core predict --json`` prints."""
    result = report_head(
        [model for model, _ in models],
        seen[0].detector,
        calibrated=calibrated,
        temperatures={model.name: temperature for model, temperature in models},
    )
    result["pictures"] = [reading.to_json() for reading in readings]
    result["problems"] = [{"file": one.name, "reason": one.problem} for one in seen if one.problem]
    return json.dumps(result, indent=2).encode("utf-8")


def _choose_picture(readings: Sequence[Reading]) -> int:
    """The field for the open picture, with a step to each side."""
    last = len(readings) - 1
    here = min(int(st.session_state.get(_OPEN, st.session_state.get(_LAST, 0))), last)
    st.session_state[_OPEN] = here
    with st.container(horizontal=True, vertical_alignment="bottom", key="photo-steps"):
        for label, icon, target in (
            ("Previous", ":material/chevron_left:", here - 1),
            ("Next", ":material/chevron_right:", here + 1),
        ):
            st.button(
                label,
                icon=icon,
                disabled=not 0 <= target <= last,
                on_click=_open,
                args=(target,),
                key=f"photo-step-{label}",
                help=f"{label} picture",
            )
        number = st.selectbox(
            "Picture",
            range(len(readings)),
            format_func=lambda at: f"{at + 1}. {readings[at].name}: {plural(len(readings[at].faces), 'face')}",
            key=_OPEN,
            width=420,
        )
    st.session_state[_LAST] = int(number)
    return int(number)


def _open(number: int) -> None:
    st.session_state[_OPEN] = number


def _picture(one: Seen, reading: Reading, models: Sequence[Answering], *, maps: bool) -> None:
    """The open picture, its faces numbered, and beside it the faces themselves."""
    st.header(plain(one.name), anchor=False)
    found = one.reading
    assert found is not None
    summary = f"{plural(len(found.faces), 'face')}, numbered from the largest" if found.faces else "no face found"
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.image(one.shown, alt=f"{one.name}: {summary}.")
    with right:
        if not found.faces:
            st.info(
                f"{one.detector} found no face in this picture. Faces that are large, upright and turned to the camera "
                "are found best.",
                icon=":material/face_retouching_off:",
            )
            st.toggle("Use the middle of the picture as if it were a face", key=one.whole_key)
        if reading.faces:
            photo_faces.show(one, reading, models, maps=maps)
