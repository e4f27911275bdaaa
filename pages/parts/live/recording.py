"""Live: recording of the numbers, never of pictures."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from fer_core.formatting import duration, plural
from fer_core.inference.stream.live import LiveStream
from fer_core.inference.stream.recording import MOST_ROWS, PER_S
from pages.parts.downloads import csv_button
from pages.parts.fragments import fragment

_BEGAN = "_live_recording_began"


def show(live: LiveStream, *, running: bool) -> None:
    """Start, stop, how much there is, and the download."""
    recorder = live.recorder
    with st.expander("Take the numbers with you", icon=":material/table_view:", expanded=recorder.on):
        _show(live, running=running)


def _show(live: LiveStream, *, running: bool) -> None:
    recorder = live.recorder
    if recorder.on:
        st.button("Stop recording", icon=":material/stop_circle:", on_click=recorder.stop, key="live-record-stop")
        fragment(_count, every=1.0)(live)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Record the numbers",
            icon=":material/radio_button_checked:",
            on_click=_start,
            args=(live,),
            disabled=not running,
            key="live-record-start",
            help="Replaces the last recording."
            if recorder.rows
            else ("Time, face, model and probabilities, as a table." if running else "Start the camera first."),
        )
        if recorder.rows:
            csv_button(
                f"Download CSV ({plural(recorder.rows, 'line')}, {duration(recorder.seconds)})",
                lambda: recorder.to_csv().encode(),
                name=f"live-{st.session_state.get(_BEGAN, 'numbers')}.csv",
                key="live-record-download",
            )
            st.button("Forget the numbers", icon=":material/delete:", on_click=recorder.clear, key="live-record-forget")
    if recorder.full:
        st.info(f"The recording stopped by itself at {MOST_ROWS:,} lines, its limit.", icon=":material/data_usage:")
    models = max(1, len(live.plan.models))
    st.caption(
        f"Numbers only, no pictures: time, face, model, seven smoothed and seven raw probabilities, {PER_S:.0f} times "
        f"a second. It holds up to {duration(MOST_ROWS / PER_S / models)} of one face with "
        f"{plural(models, 'model')}, in this visit's memory, until you close the page."
    )


def _start(live: LiveStream) -> None:
    st.session_state[_BEGAN] = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    live.recorder.start()


def _count(live: LiveStream) -> None:
    recorder = live.recorder
    if not recorder.on:
        # Full, or the camera was stopped: the page offers the download.
        st.rerun()
    st.markdown(
        f":red[:material/radio_button_checked:] Recording: {plural(recorder.rows, 'line')}, "
        f"{duration(recorder.seconds)} of at most {MOST_ROWS:,} lines."
    )
