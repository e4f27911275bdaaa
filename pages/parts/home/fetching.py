"""How far fetching FER-2013 is, on a host whose owner asked for it."""

from __future__ import annotations

import os
import time

import streamlit as st

from fer_core.access.policy import Action
from fer_core.data import fetch
from fer_core.data.fetch import FetchRecord, FetchState
from fer_core.errors import DataError
from fer_core.formatting import duration
from pages.parts import access, messages
from pages.parts.fragments import fragment

EVERY = "2s"


def show() -> None:
    """How far it is; nothing where nobody asked for it, or it is here. The owner is told what makes no sense."""
    try:
        asked = fetch.wanted(os.environ)
    except DataError as error:
        if access.may(Action.FETCH):
            st.warning(messages.told(error), icon=":material/cloud_off:")
        return
    if asked is None or fetch.is_here():
        return
    fragment(_progress, every=EVERY)()


def _progress() -> None:
    """Drawn every two seconds; begins the page anew when the data are here."""
    if fetch.is_here():
        st.rerun()
    found = fetch.state()
    if found is None or found["state"] == FetchState.DONE:
        st.caption(":material/cloud_download: FER-2013 is about to be fetched.")
    elif found["state"] == FetchState.WAITING:
        _waiting(found)
    else:
        share = min(1.0, found["done"] / found["total"]) if found["total"] else 0.0
        st.progress(share, f"{_words(found)} Everything here works meanwhile, on the drawn sample.")


def _words(found: FetchRecord) -> str:
    if found["state"] == FetchState.IMPORTING:
        return f"FER-2013 is being imported: {found['done']:,} faces so far."
    of = f" of {found['total'] / 1e6:,.0f}" if found["total"] else ""
    return f"FER-2013 is being fetched from {found['source']}: {found['done'] / 1e6:,.0f}{of} MB."


def _waiting(found: FetchRecord) -> None:
    left = found["next"] - time.time()
    when = f"in {duration(left)}" if left > 1 else "soon"
    tries = "once" if found["tries"] == 1 else f"{found['tries']:,} times"
    st.caption(f":material/cloud_off: FER-2013 could not be fetched yet (tried {tries}). The next try begins {when}.")
    if access.may(Action.SERVER_PATHS):
        st.caption(messages.told(found["message"]))
