"""What stands between the network and Streamlit's server: uploads are entered in the books before they are read.

``streamlit_app.py`` gives :data:`MIDDLEWARE` and :func:`lifespan` to ``st.App``. Streamlit's own endpoint reads files
of up to ``server.maxUploadSize`` from any live session; :class:`UploadGuard` asks
:class:`fer_core.access.uploads.Books` before the first byte and at each further one. Where files are kept, the books
are asked once more (:func:`install`): that holds, too, where something else than ``streamlit run`` starts the script.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from streamlit import config, runtime

from fer_core.access import trainings
from fer_core.access.connection import names_this_computer
from fer_core.access.password import password
from fer_core.access.uploads import Arriving, Books, Totals, UploadRefusedError
from fer_core.data.catalogue import ensure_sample, list_datasets
from fer_core.errors import AccessError
from fer_core.evaluation import fetching
from fer_core.memory import free_memory, give_back, stay_small
from fer_core.runs.clean_up import clean_up
from fer_core.threads import start_thread

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from streamlit.runtime.uploaded_file_manager import UploadedFileRec, UploadFileUrlInfo

_UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/([^/]+)/?")
_BOOKS = "fer_explorer_books"
_AT_END: dict[str, dict[str, Callable[[], object]]] = {}
"""What each session left word of for its end. Bound by the sessions: those that end are taken out."""
_CLOSE = {"Connection": "close"}
"""With a refusal: the server would go on to read the rest of the body, and throw it away."""
IDLE_S = 60.0
"""Seconds that an upload may send nothing."""
SWEEP_S = 2.0
CLEAR_S = 3600.0
TRIM_S = 30.0
MOST_BODY = 1024**2
"""Bytes of a request's body that is no upload."""


class UploadGuard:
    """Refuses uploads before they are read, and breaks them off where more comes than may."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS", "DELETE"):
            await self._app(scope, receive, send)
            return
        upload = _UPLOAD.search(scope["path"]) if scope["method"] == "PUT" else None
        books, arriving = install(), None
        try:
            announced = _announced(scope)
            if upload is None:
                if announced is None or announced > MOST_BODY:
                    raise UploadRefusedError(413, "Nothing of that size can be sent there.")
                await self._app(scope, receive, send)
                return
            arriving = books.begin(upload[1], upload[2], announced)
            await self._app(scope, _counted(receive, books, arriving), send)
        except UploadRefusedError as error:
            refusal = PlainTextResponse(str(error), error.status, headers=_CLOSE)
            await refusal(scope, receive, send)
        finally:
            if arriving is not None:
                books.end(arriving)


class FrameGuard:
    """Lets no foreign page show the owner's own app in a frame, where the owner would click without knowing on what.

    Hosted apps are shown in frames on purpose: by Community Cloud, and in other people's pages. There nobody is the
    owner by their connection.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = next((value for name, value in scope.get("headers", []) if name == b"host"), b"")
        if scope["type"] != "http" or not names_this_computer(host.decode("latin-1")):
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), _NO_FRAME]}
            await send(message)

        await self._app(scope, receive, sent)


_NO_FRAME = (b"content-security-policy", b"frame-ancestors 'self'")
MIDDLEWARE: Sequence[Middleware] = [Middleware(FrameGuard), Middleware(UploadGuard)]


@contextlib.asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[dict[str, object]]:
    """While the server runs, visits that have ended are cleared away, what is freed goes back to the system, and
    FER-2013 is fetched where the owner asks for it. What a killed server left is taken away first. Where there are no
    faces, the sample is drawn before the first visitor asks for it.
    """
    stay_small()
    install()
    try:
        password()
    except AccessError as error:
        logging.getLogger("fer_explorer").warning("%s", error)
    # Before anybody can start something that looks as if it had been left.
    await asyncio.to_thread(clean_up)
    data = fetching.begin()
    chores = [
        asyncio.create_task(_sweep(), name="sweep visits"),
        asyncio.create_task(_trim(), name="give back memory"),
        asyncio.create_task(_clear(), name="clear visitors' runs"),
        asyncio.create_task(_draw(), name="draw the sample"),
    ]
    try:
        yield {}
    finally:
        for chore in chores:
            chore.cancel()
        if data is not None:
            data.end()


class Keeper(Protocol):
    """What of Streamlit's keeper of uploaded files this app relies on, and replaces to keep its books."""

    def get_upload_urls(self, session_id: str, file_names: Sequence[str]) -> list[UploadFileUrlInfo]: ...

    def add_file(self, session_id: str, file: UploadedFileRec) -> None: ...

    def remove_file(self, session_id: str, file_id: str) -> None: ...

    def remove_session_files(self, session_id: str) -> None: ...


def uploaded_files() -> Keeper:
    """Streamlit's keeper of uploaded files. Pages ask for it after :func:`install`."""
    keeper: Any = runtime.get_instance().uploaded_file_mgr
    return cast(Keeper, keeper)


def install() -> Books:
    """The server's books, opened if need be; from then on nothing is kept that is not in them."""
    manager = uploaded_files()
    books = getattr(manager, _BOOKS, None)
    if not isinstance(books, Books):
        books = Books(Totals.within(int(free_memory())))
        setattr(manager, _BOOKS, books)
        _enter_all(manager, books)
    return books


def at_end(session_id: str, name: str, act: Callable[[], object]) -> None:
    """Have ``act`` called, in a thread, when the session ends, in place of another one of that name."""
    _AT_END.setdefault(session_id, {})[name] = act


def _end(act: Callable[[], object]) -> None:
    with _logged():
        act()


def _enter_all(manager: Keeper, books: Books) -> None:
    """Have the keeper of uploaded files enter in the books what it issues, keeps and drops.

    The server holds the keeper itself, so its methods are what is replaced. A keeper without them ends the server's
    start: better than one without bounds.
    """
    issue, keep, drop, leave = (
        manager.get_upload_urls,
        manager.add_file,
        manager.remove_file,
        manager.remove_session_files,
    )

    def get_upload_urls(session_id: str, file_names: Sequence[str]) -> list[UploadFileUrlInfo]:
        infos: list[UploadFileUrlInfo] = issue(session_id, file_names)
        books.issue(session_id, [info.file_id for info in infos])
        return infos

    def add_file(session_id: str, file: UploadedFileRec) -> None:
        if not runtime.get_instance().is_active_session(session_id):
            # It ended while the file came: nobody would ever drop it.
            raise HTTPException(400, "The visit has ended.")
        try:
            books.keep(session_id, file.file_id, len(file.data))
        except UploadRefusedError as error:
            raise HTTPException(error.status, str(error)) from None
        keep(session_id, file)

    def remove_file(session_id: str, file_id: str) -> None:
        drop(session_id, file_id)
        books.drop(session_id, file_id)

    def remove_session_files(session_id: str) -> None:
        leave(session_id)
        books.leave(session_id)
        for act in _AT_END.pop(session_id, {}).values():
            # Not here: the server waits.
            start_thread(functools.partial(_end, act), "end of a visit")

    for wrapped in (get_upload_urls, add_file, remove_file, remove_session_files):
        setattr(manager, wrapped.__name__, wrapped)


def _announced(scope: Scope) -> int | None:
    """The body's bytes as the request tells them; None where it does not, 0 where it has no body."""
    headers = dict(scope["headers"])
    try:
        return None if b"transfer-encoding" in headers else int(headers.get(b"content-length", b"0"))
    except ValueError:
        raise UploadRefusedError(400, "The request does not say how long it is.") from None


def _counted(receive: Receive, books: Books, arriving: Arriving) -> Receive:
    async def counted() -> Message:
        try:
            message = await asyncio.wait_for(receive(), IDLE_S)
            books.more(arriving, len(message.get("body", b"")))
        except TimeoutError:
            raise HTTPException(408, "Nothing came for a while.", _CLOSE) from None
        except UploadRefusedError as error:
            # Inside the server's own handler, which knows how to end a request with a status.
            raise HTTPException(error.status, str(error), _CLOSE) from None
        return message

    return counted


async def _trim() -> None:
    """Garbage is found here, for all visits together (``runner.postScriptGC`` is off), and what is freed goes back."""
    while True:
        await asyncio.sleep(TRIM_S)
        with _logged():
            # In a thread, and apart: each takes some milliseconds, in which visitors would wait.
            await asyncio.to_thread(gc.collect)
            await asyncio.to_thread(give_back)


async def _draw() -> None:
    """Where it cannot be written, the pages say so."""
    with _logged():
        if not await asyncio.to_thread(list_datasets):
            await asyncio.to_thread(ensure_sample)


async def _clear() -> None:
    """Visitors' runs of yesterday go, at the start and once in a while."""
    while True:
        with _logged():
            await asyncio.to_thread(trainings.clear_old)
        await asyncio.sleep(CLEAR_S)


async def _sweep() -> None:
    """Close the sessions that are gone. By itself Streamlit does so only when another visitor leaves after them."""
    while True:
        await asyncio.sleep(SWEEP_S)
        with _logged():
            server, books = runtime.get_instance(), install()
            # A little before Streamlit takes them for expired, from when on they cannot be closed.
            longest = float(config.get_option("server.disconnectedSessionTTL") or 120) - 2 * SWEEP_S
            for session in books.gone(server.is_active_session, max(longest, 0.0)):
                server.close_session(session)
                books.leave(session)


@contextlib.contextmanager
def _logged() -> Iterator[None]:
    """Around one round of a chore: what goes wrong in it ends that round, not the chore."""
    try:
        yield
    except Exception:
        logging.getLogger("fer_explorer").exception("A chore of the server failed.")
