"""How far what is being brought is, and what became of it."""

from __future__ import annotations

import time

import streamlit as st

from fer_core.emotions import PRIVATE_TEST, PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.formatting import duration, plain
from fer_core.runs.listing import find_run
from pages.parts import frame, links_to_compare, messages
from pages.parts.bring import job as bring_job
from pages.parts.bring.job import BringJob
from pages.parts.fragments import fragment
from pages.parts.links_to_explain import MODELS
from pages.parts.runs import accuracy_words

EVERY = "1s"


def show(job: BringJob) -> None:
    """The job at work, or its end: links to what can be done with the run, or why there is none."""
    if job.running:
        fragment(_running, every=EVERY)()
        st.button("Stop", icon=":material/stop:", key="bring-stop", on_click=bring_job.stop)
        return
    if name := job.run:
        st.success(f"**{plain(name)}** is here, brought from {plain(job.source)}.", icon=":material/check_circle:")
        _say_how_good(name)
        with st.container(horizontal=True, key="bring-next"):
            links_to_compare.link("Compare it", [name])
            frame.link("mistakes", "Its mistakes", icon=":material/search:", query={"runs": [name]})
            if job.source_is_model:
                frame.link("explain", "Why it says so", icon=":material/psychology_alt:", query={MODELS: [name]})
            frame.link("run", "Its card", icon=":material/id_card:", query={"run": name})
        st.button("Bring another", icon=":material/add:", key="bring-another", on_click=bring_job.dismiss)
        return
    if undecided := job.undecided:
        st.warning(messages.told(job.problem), icon=":material/help:")
        st.code("\n".join(undecided.table), language=None)
    else:
        st.error(messages.told(job.problem), icon=":material/block:")
    if job.script:
        st.code("\n".join(job.script), language="python")
    label = "Do not bring it" if undecided else "Dismiss this message"
    st.button(label, icon=":material/close:", key="bring-dismiss", on_click=bring_job.dismiss)


def _say_how_good(name: str) -> None:
    """How often the run is right on the data that it was tried on."""
    try:
        metrics = find_run(name).metrics()
    except RunError as error:
        st.warning(messages.told(error, stored=True), icon=":material/broken_image:")
        return
    if metrics is not None:
        split = PRIVATE_TEST if PRIVATE_TEST in metrics["splits"] else PUBLIC_TEST
        st.markdown(
            f"It says what the label says for **{accuracy_words(metrics['data'], metrics['splits'][split], split)}**."
        )


def _running() -> None:
    job = bring_job.current()
    if job is None or not job.running:
        st.rerun()
        return
    words = next((line for line in reversed(job.said) if not line.startswith("  ")), "it begins")
    st.info(
        f"{plain(job.source)}: {messages.told(words)} ({duration(time.monotonic() - job.began)}).",
        icon=":material/hourglass_top:",
    )
