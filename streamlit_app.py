"""The entry: ``streamlit run streamlit_app.py``. The server, the list of pages, and the frame around them."""

from __future__ import annotations

import streamlit as st

from pages.parts import access, frame, messages, server, unmeasured
from pages.parts.data import dataset_picker

NAME, ICON, START = "FER Explorer", "🙂", "home"
# The pages of the navigation, a line each: the script in ``pages/``, the title, the icon. (Streamlit would write a
# docstring on the page.)
GROUPS = {
    "Play": (
        ("home", "Home", ":material/home:"),
        ("photo", "Photo", ":material/photo_camera:"),
        ("live", "Live", ":material/videocam:"),
        ("poke", "Poke", ":material/touch_app:"),
    ),
    "Understand": (
        ("compare", "Compare", ":material/compare:"),
        ("mistakes", "Mistakes", ":material/search:"),
        ("explain", "Explain", ":material/psychology_alt:"),
        ("lessons", "Lessons", ":material/school:"),
    ),
    "Make": (
        ("dataset", "Dataset", ":material/grid_view:"),
        ("train", "Train", ":material/model_training:"),
        ("bring", "Bring yours", ":material/move_to_inbox:"),
        ("sweeps", "Sweeps", ":material/tune:"),
    ),
    "Reference": (
        ("leaderboard", "Leaderboard", ":material/leaderboard:"),
        ("run", "Run card", ":material/id_card:"),
        ("limits", "Limits", ":material/gavel:"),
    ),
}


def show() -> None:
    """One run of the script: the page that the visitor is at."""
    # Before the pages are known, too: else the browser fetches the page's icon from elsewhere for its tab.
    st.set_page_config(page_icon=ICON, layout="wide")
    page = st.navigation(
        {
            group: [
                st.Page(f"pages/{name}.py", title=title, icon=icon, default=name == START)
                for name, title, icon in entries
            ]
            for group, entries in GROUPS.items()
        },
        expanded=True,
    )
    # A title given here counts for more than the page's own, so it is made of that.
    name = NAME if page.title == "Home" else f"{page.title} · {NAME}"
    st.set_page_config(page_title=name, page_icon=ICON, layout="wide")
    frame.enter()
    frame.style()
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
