"""Every uploader of the app: how much may be uploaded follows from the place and from who is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from fer_core.access.uploads import MB, Books, Place
from pages.parts import access, server

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

LONGEST_NAME = 100
"""Characters of a file's name that are kept, its end."""
_EMPTIED, _AGAIN = "_uploads_emptied", "#"


def enter(page: str) -> None:
    """The session is at ``page`` now, a file's name: what the page before took is dropped, and nothing more comes."""
    if (here := _here()) is not None:
        books, session = here
        _drop(session, books.enter(session, page))


def turn_to(part: str) -> None:
    """The page shows this of its parts now; as :func:`enter` where it showed another. Before its uploaders."""
    if (here := _here()) is not None:
        books, session = here
        _drop(session, books.turn_to(session, part))


def forget(*files: UploadedFile) -> None:
    """These were read, and are not needed any more. Their uploader is empty when it is drawn again."""
    gone = {file.file_id for file in files}
    emptied = st.session_state.setdefault(_EMPTIED, {})
    for key, held in list(st.session_state.items()):
        if gone & {getattr(file, "file_id", None) for file in (held if isinstance(held, list) else [held])}:
            # Where the page does not draw it for a while, Streamlit keeps the file, and the browser does not.
            del st.session_state[key]
            field = str(key).partition(_AGAIN)[0]
            emptied[field] = emptied.get(field, 0) + 1
    if (here := _here()) is not None:
        _drop(here[1], [file.file_id for file in files])


def uploader(
    place: Place,
    label: str,
    *,
    key: str,
    types: Sequence[str] | None = None,
    help: str | None = None,
) -> UploadedFile | None:
    """A field to upload one file, and that file."""
    file = st.file_uploader(label, type=types, max_upload_size=most(place), key=_key(key), help=help)
    taken = within(place, [] if file is None else [file])
    return taken[0] if taken else None


def uploader_of_many(
    place: Place,
    label: str,
    *,
    key: str,
    types: Sequence[str] | None = None,
    help: str | None = None,
    on_change: Callable[..., None] | None = None,
    args: tuple[Any, ...] = (),
) -> list[UploadedFile]:
    """A field to upload several files, and those files."""
    files = st.file_uploader(
        label,
        type=types,
        accept_multiple_files=True,
        max_upload_size=most(place),
        key=_key(key),
        help=help,
        on_change=on_change,
        args=args,
    )
    return within(place, files)


def _key(field: str) -> str:
    """Another one after each :func:`forget`: to the browser it is a new field, and empty."""
    times = st.session_state.get(_EMPTIED, {}).get(field, 0)
    return f"{field}{_AGAIN}{times}" if times else field


def most(place: Place) -> int:
    """The most megabytes of a file there, from now on taken from this session.

    For fields that are no uploaders by name: the camera's, and those that one pastes into. What comes out of them goes
    through :func:`within`.
    """
    owner = access.person().owner
    if (here := _here()) is not None:
        books, session = here
        books.allow(session, place, owner=owner)
    return place.megabytes(owner=owner)


def within(place: Place, files: Sequence[UploadedFile]) -> list[UploadedFile]:
    """The files that are not larger than may be; it is said that others, and refused ones, were not taken."""
    if (here := _here()) is not None and (why := here[0].why_refused(here[1])):
        st.warning(f"The last upload was not taken. {why}", icon=":material/upload_file:")
    limit = place.megabytes(owner=access.person().owner)
    taken = [file for file in files if file.size <= limit * MB]
    if len(taken) < len(files):
        st.warning(f"A file of more than {limit} MB was not taken.", icon=":material/upload_file:")
    return taken


def file_name(file: UploadedFile) -> str:
    """What to call the file on this computer's disk: the last part of its name, without anything odd, not too long."""
    return (
        re.sub(r"[^\w.\- ]+", "_", PurePosixPath(file.name.replace("\\", "/")).name)[-LONGEST_NAME:].lstrip(". ")
        or "upload"
    )


def _drop(session: str, files: Iterable[str]) -> None:
    keeper = server.uploaded_files()
    for file in files:
        keeper.remove_file(session, file)


def _here() -> tuple[Books, str] | None:
    """The server's books and this session's id; None where pages run without a server."""
    context = get_script_run_ctx()
    return (server.install(), context.session_id) if runtime.exists() and context is not None else None
