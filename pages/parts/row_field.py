"""The field for a face's row number, bound to the address."""

from __future__ import annotations

from typing import Literal

from pages.parts import linked, links


def asked(key: str, last: int, hint: str) -> int | None:
    """What ``?key=`` asks for where it is a row, 0..``last``. Anything else is named, with ``hint``, and ignored."""
    return links.whole(key, 0, last, f"There is no row {{asked}}{hint}")


def show(
    label: str,
    key: str,
    last: int,
    *,
    width: int | None = None,
    help: str | None = None,
    hint: str = "",
    label_visibility: Literal["visible", "collapsed"] = "visible",
) -> int | None:
    """The field, 0..``last``; None while it is empty. ``width`` in pixels; ``hint`` stands in the empty field.

    A label that is ``"collapsed"`` is read by screen readers alone.
    """
    return linked.number_input(
        label,
        0,
        last,
        None,
        1,
        key=key,
        placeholder=hint or None,
        width=width or "stretch",
        help=help,
        label_visibility=label_visibility,
    )
