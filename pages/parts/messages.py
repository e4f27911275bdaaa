"""What the app says to whom: visitors read nothing of the server's files, and the owner finds it in the log."""

from __future__ import annotations

import functools
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from fer_core.access.places import names_a_place
from fer_core.access.policy import Action
from fer_core.errors import FerError, RunError
from fer_core.formatting import plain
from pages.parts import access

_LOG = logging.getLogger("fer_explorer")


def told(problem: Exception | str, *, stored: bool = False) -> str:
    """A problem as Markdown that shows its words and nothing else, for whoever looks at this page.

    See :func:`words`.
    """
    return "\n\n".join(plain(line) for line in words(problem, stored=stored).splitlines())


def words(problem: Exception | str, *, stored: bool = False) -> str:
    """A problem in words for whoever looks at this page. They may mean something in Markdown or HTML.

    Visitors get a sentence with a reference where the words name a place on the server, or are about what lies there:
    a run, or whatever is ``stored``; of other problems they are not told what is quoted from a file. The server's log
    has the words beside the reference.
    """
    text = str(problem)
    if not access.may(Action.SERVER_PATHS) and (stored or isinstance(problem, RunError) or names_a_place(text)):
        return (
            f"Something on this server is not as it should be. Its owner finds the reason in its log: {_logged(text)}."
        )
    if isinstance(problem, FerError) and not access.may(Action.SERVER_PATHS):
        return problem.without_quotes
    return text


def shows(text: str) -> bool:
    """Whether whoever looks at this page may read a text as it is: not where it names a place on the server."""
    return access.may(Action.SERVER_PATHS) or not names_a_place(text)


@contextmanager
def unexpected_to_the_owner() -> Iterator[None]:
    """Around a page: what nobody foresaw is shown to the owner with its traceback.

    Visitors see what Streamlit shows where ``client.showErrorDetails`` is "none": that something failed. The log has
    all of it in both cases.
    """
    try:
        yield
    except Exception as error:
        if not access.may(Action.SERVER_PATHS):
            raise
        _LOG.error("A page failed.", exc_info=error)
        st.exception(error)


def place(path: Path) -> Path:
    """A folder or file as it stands in a command: as one types it where the app was started; to visitors its name."""
    if not access.may(Action.SERVER_PATHS):
        return Path(path.name)
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


@functools.lru_cache(maxsize=256)
def _logged(words: str) -> str:
    """The reference under which the words are in the log; written once, however often the page is drawn."""
    reference = secrets.token_hex(3)
    _LOG.warning("[%s] %s", reference, words.replace("\n", " "))
    return reference
