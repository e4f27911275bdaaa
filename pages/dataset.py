"""Dataset: what is in the data, face by face and class by class, and how to bring your own."""

from __future__ import annotations

import streamlit as st

from fer_core.access.policy import Action
from pages.parts import access, frame, linked, unmeasured
from pages.parts.data import AUDIT, IMPORT, current, current_dataset, faces_are_here, no_faces, sample_banner
from pages.parts.dataset import audit, browse, classes, import_tab

chosen = current()
labelled = chosen is None or chosen.info is None or chosen.info.labelled
each = "each with one of seven labels" if labelled else "which nobody has labelled yet"
frame.begin("Dataset", __file__, f"What a model sees: faces of 48×48 grey pixels, {each}.")
may_import = access.may(Action.IMPORT_DATA)
if may_import and not faces_are_here():
    no_faces()
    import_tab.show()
    st.stop()
dataset = current_dataset()
if not dataset.info.labelled:
    st.caption("Frames and filters go by what the models answer together.")
names = ["Faces", "Classes", AUDIT, *([IMPORT] if may_import else [])]
faces_tab, classes_tab, audit_tab, *import_data_tabs = linked.tabs(names, key="view")
with faces_tab:
    # Drawn whichever tab is open: widgets that are not drawn lose their place in the address.
    browse.show(dataset)
with classes_tab:
    if classes_tab.open and dataset.info.labelled:
        classes.show(dataset)
    elif classes_tab.open:
        st.info("Nobody has labelled these faces, so they belong to no classes yet.", icon=":material/info:")
with audit_tab:
    if audit_tab.open and dataset.info.labelled:
        audit.show(dataset)
    elif audit_tab.open:
        st.info("An audit compares labels, and nobody has labelled these faces.", icon=":material/info:")
for import_data_tab in import_data_tabs:
    with import_data_tab:
        if import_data_tab.open:
            import_tab.show()
if chosen is not None:
    unmeasured.show_here(chosen)
sample_banner(dataset.info)
