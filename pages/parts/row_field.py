"""The field for a face's row number, bound to the address."""

from __future__ import annotations

import streamlit as st


def asked(key: str, last: int, told: str) -> str | None:
    """What ``?key=`` asks for where it is a row, 0..``last``. Anything else is named, with ``told``, and ignored."""
    text = st.query_params.get(key)
    if text and not (text.isdecimal() and int(text) <= last):
        st.warning(f"There is no row “{text}”{told}", icon=":material/link_off:")
        return None
    return text


def show(
    label: str, key: str, last: int, *, width: int | None = None, help: str | None = None, hint: str = ""
) -> int | None:
    """The field, 0..``last``; None while it is empty. ``width`` in pixels; ``hint`` stands in the empty field."""
    row = st.number_input(
        label,
        min_value=0,
        max_value=last,
        value=None,
        step=1,
        placeholder=hint or None,
        key=key,
        bind="query-params",
        width=width or "stretch",
        help=help,
    )
    return None if row is None else int(row)
