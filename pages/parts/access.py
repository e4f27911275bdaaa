"""Who this session belongs to, what they may do, and how the owner of a hosted app unlocks it."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import streamlit as st
from streamlit import config

from fer_core.access import policy
from fer_core.access.connection import is_owner, listens_to_this_computer_alone
from fer_core.access.password import ATTEMPTS_HERE, password
from fer_core.access.policy import Action, Person
from fer_core.errors import AccessError
from fer_core.settings import Ownership, settings

P = ParamSpec("P")
R = TypeVar("R")
_TOKEN, _UNLOCKED = "_token", "_unlocked"
"""Notes of the app in the session. Whoever speaks to the server by hand can set widgets, which these are not."""


def person() -> Person:
    """Who looks at this page. Asked anew at each run: a connection may be another one than before."""
    token = st.session_state.setdefault(_TOKEN, secrets.token_urlsafe(24))
    return Person(owner=bool(st.session_state.get(_UNLOCKED)) or _connects_as_owner(), token=token)


def may(action: Action, *, started_by: str | None = None) -> bool:
    """Whether the page may offer the action; see :func:`fer_core.access.policy.may`."""
    return policy.may(person(), action, started_by=started_by)


def check(action: Action, *, started_by: str | None = None) -> None:
    """Raise ``AccessError`` unless they may. For the place where the action is carried out."""
    policy.check(person(), action, started_by=started_by)


def only(action: Action) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A function of a page that carries out the action: calling it raises ``AccessError`` unless they may."""

    def guard(act: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(act)
        def guarded(*args: P.args, **more: P.kwargs) -> R:
            check(action)
            return act(*args, **more)

        return guarded

    return guard


def unlocking() -> None:
    """At the foot of the sidebar, where there is a password: how the owner unlocks this session, and locks it again."""
    if st.session_state.get(_UNLOCKED):
        if st.sidebar.button("Lock again", icon=":material/lock:", key="lock-again", type="tertiary"):
            del st.session_state[_UNLOCKED]
            st.rerun()
        return
    try:
        there_is_one = password() is not None
    except AccessError:
        # Told to the owner, in the server's log, by whoever starts the app; visitors need not know.
        return
    if there_is_one and not person().owner:
        with st.sidebar.expander("Owner", icon=":material/lock:"), st.form("owner", border=False, clear_on_submit=True):
            given = st.text_input("Owner's password", type="password", max_chars=200)
            if st.form_submit_button("Unlock"):
                _unlock(given)


def where_it_listens() -> None:
    """At the foot of the owner's sidebar: where the app can be reached, and by whom; and a password that is none."""
    if not may(Action.SERVER_PATHS):
        return
    address, port = config.get_option("server.address"), config.get_option("server.port")
    if listens_to_this_computer_alone(address):
        st.sidebar.caption(f":material/lan: Listens on {address}, port {port}: this computer alone, or a proxy on it.")
    else:
        others = "owners, too" if settings().ownership is Ownership.EVERYONE else "visitors"
        st.sidebar.caption(
            f":material/lan: Listens on {address or 'every address'}, port {port}: others in your network may open it "
            f"as {others}. `--server.address 127.0.0.1` keeps it to yourself."
        )
    try:
        password()
    except AccessError as error:
        st.sidebar.warning(str(error))


def _unlock(given: str) -> None:
    try:
        right = ATTEMPTS_HERE.unlock(given, st.session_state[_TOKEN])
    except AccessError as error:
        st.error(str(error))
        return
    if right:
        st.session_state[_UNLOCKED] = True
        st.rerun()
    st.error("That is not the password.")


def _connects_as_owner() -> bool:
    headers = [(name, value) for name in st.context.headers for value in st.context.headers.get_all(name)]
    # Streamlit gives no address for loopback ones; without a connection there are no headers, and no Host either.
    return is_owner(st.context.ip_address or "127.0.0.1", headers)
