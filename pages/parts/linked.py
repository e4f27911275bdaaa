"""Streamlit's controls, bound to the address under their key: what a link asks for is read by ``pages/parts/links.py``.

Each is called as Streamlit's own, with ``key``. Where something has to be chosen, something always is: nothing, or what
is not among the options, becomes the default.

Of fields that choose among runs the address has what stays, the name of a folder, and people read what ``shows`` says:
those are not bound, but kept by ``links.held`` and ``links.keep``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, overload

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fer_core.runs.names import with_names
from pages.parts import links
from pages.parts.links import NO_CHOICE

Option = TypeVar("Option")
Number = TypeVar("Number", int, float)
Format = Callable[[Any], str]

NO_PAGE = "There is no page {asked}: here they run from 1 to {pages}. Showing the first."
LONGEST = 6000
"""Characters of a text in an address. Servers and browsers take addresses of 8,000."""


def segmented_control(
    label: str,
    options: Sequence[Option],
    *,
    key: str,
    default: Option | None = None,
    says: str = NO_CHOICE,
    format_func: Format = str,
    **more: Any,
) -> Option:
    """The chosen option; the first is the default where none is given."""
    first = options[0] if default is None else default
    chosen = st.segmented_control(
        label,
        options,
        default=first,
        required=True,
        format_func=format_func,
        **_choice(key, options, says, format_func),
        **more,
    )
    return _held(chosen, options, first)


def pills(label: str, options: Sequence[Option], *, key: str, says: str = NO_CHOICE, **more: Any) -> Option:
    """The chosen option; the first is the default."""
    chosen = st.pills(label, options, default=options[0], required=True, **_choice(key, options, says), **more)
    return _held(chosen, options, options[0])


def selectbox(
    label: str,
    options: Sequence[Option],
    index: int = 0,
    *,
    key: str,
    says: str = NO_CHOICE,
    format_func: Format = str,
    place: DeltaGenerator | None = None,
    **more: Any,
) -> Option:
    """The chosen option. ``place``: where the field and what is said about it stand, by default in the page."""
    where = st if place is None else place
    arguments = _choice(key, options, says, format_func, place=place)
    return _held(where.selectbox(label, options, index, format_func, **arguments, **more), options, options[index])


def run(
    label: str,
    options: Sequence[str],
    shows: Mapping[str, str],
    index: int | None = 0,
    *,
    key: str,
    says: str = NO_CHOICE,
    draw: Callable[..., Any] = st.selectbox,
    **more: Any,
) -> str | None:
    """The chosen option; ``shows`` says what people read in place of those that are runs. None, where ``index`` is.

    ``draw``: a control for one option.
    """
    default = [] if index is None else [options[index]]
    chosen = links.held(key, options, default, says)
    _set(key, next(iter(chosen or default), None))
    words = with_names(options, shows)
    value = draw(label, options, format_func=lambda option: words.get(option, option), **_held_by(key), **more)
    links.keep(key, [] if value is None else [value], default)
    return value


def runs(
    label: str,
    options: Sequence[str],
    shows: Mapping[str, str],
    *,
    key: str,
    default: Sequence[str] | None = None,
    says: str | None = NO_CHOICE,
    **more: Any,
) -> list[str]:
    """The chosen options, perhaps none; see :func:`run`. ``default``, ``says``: as for :func:`several`."""
    default = None if default is None else [option for option in default if option in options]
    _set(key, links.held(key, options, default or (), says))
    words = with_names(options, shows)
    chosen = st.multiselect(
        label, options, format_func=lambda option: words.get(option, option), **_held_by(key), **more
    )
    links.keep(key, chosen, default)
    return [option for option in chosen if option in options]


def maybe(label: str, options: Sequence[Option], *, key: str, says: str = NO_CHOICE, **more: Any) -> Option | None:
    """A field for one option that may stay empty: None."""
    chosen = st.selectbox(label, options, index=None, **_choice(key, options, says), **more)
    return chosen if chosen in options else None


def radio(label: str, options: Sequence[Option], *, key: str, says: str = NO_CHOICE, **more: Any) -> Option:
    """The chosen option; the first is the default."""
    return _held(st.radio(label, options, **_choice(key, options, says), **more), options, options[0])


def select_slider(
    label: str, options: Sequence[Option], value: Option, *, key: str, says: str = NO_CHOICE, **more: Any
) -> Option:
    """The chosen option."""
    return _held(st.select_slider(label, options, value, **_choice(key, options, says), **more), options, value)


def tabs(names: Sequence[str], *, key: str) -> Sequence[Any]:
    """The tabs, the open one of them bound to the address."""
    # Tabs that are neither bound nor watched do not know which of them is open.
    return st.tabs(list(names), on_change="rerun", **_choice(key, names, NO_CHOICE))


def expander(label: str, *, key: str, **more: Any) -> Any:
    """A folded section that knows whether it is ``open``, so that what nobody looks at need not be drawn."""
    return st.expander(label, on_change="rerun", **_switch(key), **more)


def several(
    draw: Callable[..., Any],
    label: str,
    options: Sequence[str],
    *,
    key: str,
    default: Sequence[str] | None = None,
    says: str | None = NO_CHOICE,
    **more: Any,
) -> list[str]:
    """The chosen options, perhaps none. ``draw``: ``st.multiselect``, or ``st.pills`` for several.

    Of a link Streamlit keeps the options that are there; the others are said. ``default``: None where what is chosen
    shall stand in the address in any case, and the caller has seen to it. ``says``: None where the caller has said it.
    """
    unknown = [text for text in links.given(key) if text not in options]
    if unknown and says is not None:
        links.warn_ignored(key, unknown, says)
    arguments: dict[str, Any] = {**links.bound(key, may_be_empty=True)}
    if default is not None:
        arguments["default"] = default
    return [one for one in draw(label, options, **arguments, **more) or () if one in options]


@overload
def number_input(
    label: str, low: Number, high: Number, value: Number, step: Number, *, key: str, says: str = ..., **more: Any
) -> Number: ...
@overload
def number_input(
    label: str, low: Number, high: Number, value: None, step: Number, *, key: str, says: str = ..., **more: Any
) -> Number | None: ...
def number_input(
    label: str,
    low: Any,
    high: Any,
    value: Any,
    step: Any,
    *,
    key: str,
    says: str = "{asked} is no choice for “{key}”: a number from {low} to {high} would be. It is ignored.",
    **more: Any,
) -> Any:
    """A number, ``low``..``high``, whole where these are; None while an empty field, one without ``value``, is."""
    reads = links.whole_of if isinstance(low, int) else links.number_of
    says = says.replace("{low}", f"{low:,}").replace("{high}", f"{high:,}")
    arguments = links.bound(key, lambda texts: reads(texts, low, high), says, may_be_empty=value is None)
    return st.number_input(label, low, high, value, step, **arguments, **more)


def slider(label: str, low: Any, high: Any, value: Any, step: Any = None, *, key: str, **more: Any) -> Any:
    """A number, or two where ``value`` is a pair, ``low``..``high``; whole where these are."""
    pair = isinstance(value, tuple)
    reads = links.span_of if pair else links.whole_of if isinstance(low, int) else links.number_of
    wanted = "2 numbers from {low:g} to {high:g}, rising," if pair else "a number from {low:g} to {high:g}"
    says = f"{{asked}} is no choice for “{{key}}”: {wanted.format(low=low, high=high)} would be. It is ignored."
    arguments = links.bound(key, lambda texts: reads(texts, low, high), says)
    return st.slider(label, low, high, value, step, **arguments, **more)


def toggle(label: str, value: bool = False, *, key: str, **more: Any) -> bool:
    """Whether it is on."""
    return bool(st.toggle(label, value, **_switch(key), **more))


def checkbox(label: str, value: bool = False, *, key: str, **more: Any) -> bool:
    """Whether it is ticked."""
    return bool(st.checkbox(label, value, **_switch(key), **more))


def text_input(label: str, value: str = "", *, key: str, longest: int = LONGEST, **more: Any) -> str:
    """A line of text of at most ``longest`` characters."""
    says = f"What the link says for “{{key}}” is no line of at most {longest:,} characters. It is ignored."
    arguments = links.bound(key, lambda texts: links.text_of(texts, longest), says, may_be_empty=True)
    return str(st.text_input(label, value, max_chars=longest, **arguments, **more) or "")


def pagination(pages: int, *, key: str, **more: Any) -> int:
    """The page, 1..``pages``."""
    says = NO_PAGE.replace("{pages}", f"{pages:,}")
    return int(st.pagination(pages, **links.bound(key, lambda texts: links.whole_of(texts, 1, pages), says), **more))


def _choice(key: str, options: Sequence[Any], says: str, format_func: Format = str, **more: Any) -> links.Binding:
    words = [format_func(option) for option in options]
    return links.bound(key, lambda texts: links.option_of(texts, words), says, **more)


def _switch(key: str) -> links.Binding:
    says = "{asked} is no choice for “{key}”: true or false would be. It is ignored."
    return links.bound(key, lambda texts: links.option_of([text.lower() for text in texts], ("true", "false")), says)


def _set(key: str, value: object) -> None:
    """What is set anew is sent to the browser anew, and would undo a click that came meanwhile."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


def _held_by(key: str) -> links.Held:
    return {"key": key, "persist_state": "session"}


def _held(chosen: Any, options: Sequence[Option], default: Option) -> Option:
    """The rule for controls in which something has to be chosen."""
    return chosen if chosen in options else default
