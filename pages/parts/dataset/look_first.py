"""What was understood of somebody's faces, shown before they are imported, with what can be said against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from fer_core import emotions
from fer_core.data.class_names import LEFT_OUT, Numbering, number_of
from fer_core.data.understanding import REASSIGNED, Corrections, FoundClass, Understanding
from fer_core.errors import FerError
from fer_core.formatting import plain, plural
from pages.parts import messages
from pages.parts.charts import jpeg
from pages.parts.dataset import import_job

AS_FOUND, ALL_TESTS, ALL_TRAINING = "as found", "all for tests, none for training", "all for training, none for tests"
_ALL = {ALL_TESTS: emotions.PRIVATE_TEST, ALL_TRAINING: emotions.TRAINING}
MOST_CHOICES = 60
"""Words whose meaning can be chosen here; of more than that the command line is told."""


def show(job: import_job.ImportJob) -> None:
    """The whole of it. ``job`` has looked."""
    assert job.look is not None, "it has looked"
    understood = job.look.understanding
    st.subheader(f"What was found: {plural(understood.faces, 'face')}")
    st.markdown(plain(understood.layout))
    if job.look.faces:
        _faces(job)
    chosen: dict[str, str] = {}
    numbering: Numbering | None = job.said.numbering
    doubtful = [found for found in understood.classes if found.meaning.doubtful]
    if doubtful:
        words = ", ".join(f"“{plain(found.meaning.word)}”" for found in doubtful[:12])
        st.warning(
            f"It is not evident which class is meant by {words}. Choose, or leave it out.", icon=":material/help:"
        )
        numbering = _numbering(job, doubtful)
        if numbering is None:
            chosen = _choices(job, doubtful)
    _counts(understood)
    if understood.reassigned:
        st.info(f"{REASSIGNED} Below you can keep all of them for training.", icon=":material/call_split:")
    _left_out(understood)
    with st.expander("Say what was misunderstood"):
        known = [found for found in understood.classes if not found.meaning.doubtful]
        chosen |= _choices(job, known)
        uses = (AS_FOUND, *_ALL)
        use = st.selectbox("Use these faces", uses, key=f"look-{job.number}-use", index=uses.index(_used(job)))
        cut = st.checkbox(
            "Each picture is a face already",
            value=job.said.already_cut,
            key=f"look-{job.number}-cut",
            help="Otherwise the largest face of each picture above 64 pixels is found and cut out.",
        )
    said = replace(
        job.said,
        classes={**job.said.classes, **chosen},
        numbering=numbering,
        already_cut=cut,
        splits=_splits(job.said, use),
    )
    still_open = numbering is None and any(found.meaning.word not in chosen for found in doubtful)
    _buttons(job, said, ready=not still_open)


def _buttons(job: import_job.ImportJob, said: Corrections, *, ready: bool) -> None:
    name = st.text_input("Name of the new dataset", value=job.name, key=f"look-{job.number}-name")
    with st.container(horizontal=True, key="look-buttons"):
        if st.button(
            "Import these faces", type="primary", icon=":material/download:", disabled=not ready, key="import-faces"
        ):
            _go(lambda: import_job.start_import(job.source, name, said=said, temporary=job.temporary))
        if said != job.said and st.button("Look again", icon=":material/refresh:"):
            _go(lambda: import_job.start_look(job.source, name, said=said, temporary=job.temporary))
        st.button("Import nothing", icon=":material/close:", on_click=import_job.dismiss, key="import-nothing")


def _go(start: Callable[[], import_job.ImportJob]) -> None:
    try:
        start()
    except FerError as error:
        st.error(messages.told(error))
    else:
        st.rerun()


def _choices(job: import_job.ImportJob, classes: list[FoundClass]) -> dict[str, str]:
    """One of ours, or ``left out``, by the source's word: what was chosen other than it was understood."""
    chosen: dict[str, str] = {}
    options = (*emotions.NAMES, LEFT_OUT)
    columns = st.columns(3)
    for place, found in enumerate(classes[:MOST_CHOICES]):
        meaning = found.meaning
        with columns[place % 3]:
            answer = st.selectbox(
                f"{plain(meaning.word)} ({plural(found.faces, 'picture')})",
                options,
                index=None if meaning.doubtful else options.index(meaning.name),
                placeholder=f"perhaps {meaning.suggestion}" if meaning.suggestion else "choose",
                key=f"look-{job.number}-{meaning.word}",
                help=plain(meaning.why) or None,
            )
        if answer is not None and answer != meaning.name:
            chosen[meaning.word] = answer
    return chosen


def _numbering(job: import_job.ImportJob, doubtful: list[FoundClass]) -> Numbering | None:
    """Whose numbers they are, where all that is in doubt are numbers."""
    if any(number_of(found.meaning.word) is None for found in doubtful):
        return None
    return st.selectbox(
        "Whose numbers are these?",
        list(Numbering),
        index=None,
        format_func=lambda one: f"{one.value}: " + ", ".join(f"{n} {name}" for n, name in enumerate(one.names) if name),
        placeholder="choose, or choose one by one below",
        key=f"look-{job.number}-numbering",
    )


def _counts(understood: Understanding) -> None:
    words: list[list[str]] = [[] for _ in emotions.NAMES]
    for found in understood.classes:
        if found.meaning.label is not None:
            words[found.meaning.label].append(found.meaning.word)
    table: dict[str, list[int] | list[str]] = {
        "Class": list(emotions.NAMES),
        "Called in the files": [", ".join(some) for some in words],
    }
    for split in understood.splits:
        table[split.split] = list(split.counts)
    st.dataframe(pd.DataFrame(table), hide_index=True)
    st.caption(" · ".join(f"{one.split}: {plural(one.faces, 'face')}, {plain(one.how)}" for one in understood.splits))
    if understood.missing and understood.faces:
        st.caption(f"There is no face of {', '.join(understood.missing)}.")
    for note in understood.notes:
        st.caption(plain(note))


def _left_out(understood: Understanding) -> None:
    if understood.left_out:
        st.markdown("**Left out**")
        st.markdown(
            "\n".join(
                f"- {plain(one.kind)}: {one.count:,}, such as {plain(', '.join(one.examples[:3]))}"
                for one in understood.left_out
            )
        )


def _faces(job: import_job.ImportJob) -> None:
    from fer_core.plots.faces import contact_sheet, describe_sheet

    assert job.look is not None
    faces = job.look.faces
    labels = np.array([face.label for face in faces])
    sheet = contact_sheet(np.stack([face.pixels for face in faces]), 6, labels=labels)
    st.image(jpeg(sheet), alt=describe_sheet(len(faces), labels))


def _used(job: import_job.ImportJob) -> str:
    said = job.said.splits.get("all")
    return next((use for use, split in _ALL.items() if split == said), AS_FOUND)


def _splits(said: Corrections, use: str) -> Mapping[str, str]:
    others = {word: split for word, split in said.splits.items() if word != "all"}
    return others if use == AS_FOUND else {**others, "all": _ALL[use]}
