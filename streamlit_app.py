"""The entry: ``streamlit run streamlit_app.py``. The server, the list of pages, and the frame around them."""

from __future__ import annotations

import streamlit as st

from pages.parts import access, frame, messages, server, unmeasured
from pages.parts.data import dataset_picker


def show() -> None:
    """One run of the script: the page that the visitor is at."""
    st.set_page_config(page_title="FER Explorer", page_icon="🙂", layout="wide")
    page = st.navigation(
        [
            st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
            st.Page("pages/dataset.py", title="Dataset", icon=":material/grid_view:"),
            st.Page("pages/train.py", title="Train", icon=":material/model_training:"),
            st.Page("pages/bring.py", title="Bring yours", icon=":material/move_to_inbox:"),
            st.Page("pages/compare.py", title="Compare", icon=":material/compare:"),
            st.Page("pages/mistakes.py", title="Mistakes", icon=":material/search:"),
            st.Page("pages/explain.py", title="Explain", icon=":material/psychology_alt:"),
            st.Page("pages/leaderboard.py", title="Leaderboard", icon=":material/leaderboard:"),
            st.Page("pages/photo.py", title="Photo", icon=":material/photo_camera:"),
            st.Page("pages/live.py", title="Live", icon=":material/videocam:"),
            st.Page("pages/run.py", title="Run card", icon=":material/id_card:"),
            st.Page("pages/limits.py", title="Limits", icon=":material/gavel:"),
        ]
    )
    frame.enter()
    dataset_picker()
    unmeasured.measure_shipped()
    access.unlocking()
    access.where_it_listens()
    with messages.unexpected_to_the_owner():
        page.run()


if __name__ == "__main__":
    show()
else:
    # `streamlit run` looks for this line, imports this file for it, and then runs the file as the script of each visit.
    app = st.App(__file__, middleware=server.MIDDLEWARE, lifespan=server.lifespan)
