"""Links: the one parser of what an address asks for, and the rule for controls that live in the address.

Bound widgets of Streamlit read the address by themselves, and some values make them fail: ``int(inf)``, or an empty
value where something has to be chosen. So the parser reads first. A value that nothing here offers is said once, at the
top of the page, and taken out of the address. Its control is drawn without the address for one run, since widgets take
what the address held when the run began, even where it has been taken out meanwhile; so it shows its default.

The controls are in ``pages/parts/linked.py``. Nothing else reads the address or binds a widget to it.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, NotRequired, TypedDict, TypeVar
from urllib.parse import parse_qs

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from fer_core import formatting

Value = TypeVar("Value")
Reads = Callable[[Sequence[str]], Value | None]
"""From the values of a name, one of them at least not empty, to what they mean; None where they mean nothing here."""
Query = dict[str, str | list[str]]

NO_CHOICE = "{asked} is no choice for “{key}” here. It is ignored."
_MANY = 6
"""Values of one name that are repeated on the page."""
_WHOLE = re.compile(r"[+-]?[0-9]{1,15}(?:\.0+)?")
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,3})?")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_EMBEDS = re.compile("embed", re.IGNORECASE)
"""Streamlit's own names, which it hides and lets nobody set."""
_PLACE, _STATES, _PAGE = "_links_place", "_links_states", "_links_page"
_SAID, _AGAIN = "_links_said", "_links_again"
_REFUSED, _LOOSE = "refused", "loose"


# --- Reading: a value, or None with a sentence on the page


def given(key: str) -> list[str]:
    """The values of ``?key=`` as they are, without empty ones. For what no reader below is made for."""
    return [text for text in st.query_params.get_all(key) if text]


def copy(wanted: Callable[[str], bool] | Iterable[str]) -> Query:
    """Part of the address as it is, to lead back to it: the names that are ``wanted``."""
    if not callable(wanted):
        wanted = set(wanted).__contains__
    return {name: st.query_params.get_all(name) for name in st.query_params if wanted(name)}


def whole(key: str, low: int, high: int, says: str = NO_CHOICE) -> int | None:
    """The whole number that ``?key=`` asks for, ``low``..``high``. ``says``: see :func:`read`."""
    return read(key, lambda texts: whole_of(texts, low, high), says)


def one_of(
    key: str, options: Iterable[str], says: str = NO_CHOICE, *, place: DeltaGenerator | None = None
) -> str | None:
    """The option that ``?key=`` asks for. ``says``, ``place``: see :func:`read`."""
    known = list(options)
    return read(key, lambda texts: option_of(texts, known), says, place=place)


def read(key: str, reads: Reads[Value], says: str = NO_CHOICE, *, place: DeltaGenerator | None = None) -> Value | None:
    """What ``?key=`` asks for; None where it asks for nothing, or for what is not there, which is said once.

    ``says``: the sentence, with ``{asked}`` for the quoted values and ``{key}``. ``place``: where it stands, by default
    at the top of the page.
    """
    texts = st.query_params.get_all(key)
    if not any(texts):
        return None
    value = reads(texts)
    if value is None:
        warn_ignored(key, texts, says, place=place)
        ignore(key)
    return value


def warn_ignored(key: str, texts: Sequence[str], says: str = NO_CHOICE, *, place: DeltaGenerator | None = None) -> None:
    """Say that these values of a link are ignored. ``says``, ``place``: see :func:`read`.

    Of a link alone: a control that was drawn before may have lost an option by another choice.
    """
    if key not in st.session_state:
        sentence = says.replace("{key}", key).replace("{asked}", quoted(texts))
        _warn(place or st.session_state.get(_PLACE) or st, sentence)
        if place is None:
            st.session_state.setdefault(_SAID, []).append(sentence)


def _warn(place: Any, sentence: str) -> None:
    place.warning(sentence, icon=":material/link_off:")


def whole_of(texts: Sequence[str], low: int, high: int) -> int | None:
    """The one whole number, ``low``..``high``, in plain digits; None for anything else."""
    text = _single(texts)
    if text is None or not _WHOLE.fullmatch(text):
        return None
    value = int(text.partition(".")[0])
    return value if low <= value <= high else None


def number_of(texts: Sequence[str], low: float, high: float) -> float | None:
    """The one finite number, ``low``..``high``, in plain digits; None for anything else."""
    text = _single(texts)
    if text is None or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) and low <= value <= high else None


def span_of(texts: Sequence[str], low: float, high: float) -> tuple[float, float] | None:
    """Two numbers, rising, ``low``..``high``; None for anything else."""
    ends = [number_of([text], low, high) for text in texts]
    if len(ends) != 2 or ends[0] is None or ends[1] is None or ends[0] > ends[1]:
        return None
    return ends[0], ends[1]


def option_of(texts: Sequence[str], options: Sequence[str]) -> str | None:
    """The one option; None for anything else."""
    text = _single(texts)
    return text if text in options else None


def text_of(texts: Sequence[str], longest: int) -> str | None:
    """The one text of at most ``longest`` characters, all of them printable; None for anything else."""
    text = _single(texts)
    return None if text is None or len(text) > longest or _UNPRINTABLE.search(text) else text


def _single(texts: Sequence[str]) -> str | None:
    """The value that is given, perhaps more than once; None where they differ."""
    return texts[0] if len(set(texts)) == 1 else None


def quoted(texts: Iterable[str]) -> str:
    """Names as they may stand in a sentence: short, in quotes, and no Markdown; of many the first."""
    every = list(texts)
    return ", ".join(f"“{plain(text)}”" for text in every[:_MANY]) + (" …" if len(every) > _MANY else "")


def plain(text: str, longest: int = 60) -> str:
    """A text from an address as it may stand in a sentence: cut, in one line, and without a meaning as Markdown."""
    shown = text if len(text) <= longest else text[:longest] + "…"
    return formatting.plain(shown)


# --- The rule for controls


def make_place() -> None:
    """Where the sentences about this page's address stand. Called once by each run, where the page begins."""
    st.session_state[_PLACE] = place = st.container()
    page, again = st.session_state.pop(_AGAIN, (None, []))
    st.session_state[_SAID] = said = again if page == _page() else []
    for sentence in said:
        _warn(place, sentence)


def say_again() -> None:
    """Have the next run of this page say again what this one said. To be called where a page draws itself anew: what is
    said once would be gone before anybody has read it.
    """
    st.session_state[_AGAIN] = (_page(), list(st.session_state.get(_SAID, [])))


def leave_place() -> None:
    """Forget the place of the run before."""
    st.session_state.pop(_PLACE, None)


def ignore(key: str) -> None:
    """Take a name out of the address, and draw its control without the address once."""
    st.session_state.setdefault(_STATES, {})[key] = _REFUSED
    # What is bound since the run before, as when the browser goes back, is taken out when it is drawn unbound.
    with contextlib.suppress(StreamlitAPIException):
        del st.query_params[key]


class Held(TypedDict):
    """What a control is drawn with whose value this module keeps in the address: see :func:`held`."""

    key: str
    persist_state: Literal["session"]


def through_history() -> bool:
    """Whether the browser's Back or Forward led to this run of the script."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def give_back() -> None:
    """Put back into the address what Streamlit takes out of it on the way back: names of the page that is left.

    Two pages may call a choice of theirs by the same name. Called before any widget.
    """
    context = get_script_run_ctx()
    if context is None or not context.is_history_navigation:
        return
    asked = parse_qs(context.query_string, keep_blank_values=True)
    lost = {name: texts for name, texts in asked.items() if name not in st.query_params and not _EMBEDS.match(name)}
    if lost:
        st.query_params.update(lost)
        # Widgets take what the address held when the run began.
        st.rerun()


def _page() -> str | None:
    """Which page is shown."""
    context = get_script_run_ctx()
    return None if context is None else context.page_script_hash


def led_here() -> bool:
    """Whether a link, the navigation or the browser's history led to this run of the script, from another page.

    Once in a run, before the page's own part: it remembers which page is shown.
    """
    page = _page()
    before = st.session_state.get(_PAGE)
    st.session_state[_PAGE] = page
    return page != before or through_history()


def held(key: str, options: Sequence[str], default: Sequence[str], says: str | None = NO_CHOICE) -> list[str]:
    """What the control ``key`` holds of ``options``, for one whose address is not what it shows.

    Streamlit writes into an address what a bound control shows. A run is shown by its title, which somebody else may
    have given another run, so here the address has the options themselves, and :func:`keep` writes them.

    The address counts where a link or the browser's history leads here, else the control does. ``says``: as for
    :func:`read`; None where the caller has said it.
    """
    if key not in st.session_state or through_history():
        asked = given(key)
        if says is not None and (unknown := [text for text in asked if text not in options]):
            warn_ignored(key, unknown, says)
        found = [text for text in dict.fromkeys(asked) if text in options]
        # An empty value (``?key=``) says that nothing is chosen.
        return found if found or (not asked and key in st.query_params) else list(default)
    values = st.session_state[key]
    values = values if isinstance(values, list | tuple) else [] if values is None else [values]
    return [value for value in values if value in options] or ([] if not values else list(default))


def keep(key: str, values: Sequence[str], default: Sequence[str] | None) -> None:
    """Write what a control of :func:`held` has into the address; the default is left out, where there is one."""
    wanted = [] if default is not None and list(values) == list(default) else list(values) or [""]
    if wanted == st.query_params.get_all(key):
        return
    if wanted:
        st.query_params[key] = wanted
    elif key in st.query_params:
        del st.query_params[key]


class Binding(TypedDict):
    """What a bound control is drawn with; without ``bind`` it is drawn apart from the address."""

    key: str
    bind: NotRequired[Literal["query-params"]]


def bound(
    key: str, reads: Reads[Any] | None = None, says: str = NO_CHOICE, *, may_be_empty: bool = False, **options: Any
) -> Binding:
    """The arguments that bind the control ``key`` to the address, after what it asks for was read.

    ``reads``, ``says``, ``options``: as for :func:`read`; without ``reads`` the caller has read. ``may_be_empty``:
    whether an empty value (``?key=``) is a state of the control, as of a field for several options.
    """
    if key in st.query_params and not given(key) and not may_be_empty:
        ignore(key)
    elif reads is not None:
        read(key, reads, says, **options)
    states: dict[str, str] = st.session_state.setdefault(_STATES, {})
    state = states.pop(key, None)
    if state == _REFUSED:
        states[key] = _LOOSE
        return {"key": key}
    if state == _LOOSE and key in st.session_state and key not in st.query_params:
        # What was chosen while it was not bound is not in the address yet.
        st.session_state[key] = st.session_state[key]
    return {"key": key, "bind": "query-params"}
