"""How much may be uploaded: by file, by session and by the whole server, counted while it arrives and while it is kept.

Streamlit's endpoint takes a file from any live session, on pages without an uploader too, and keeps it in memory until
the session ends. So the books are kept here, and every upload is entered before its first byte is read: what a session
may send follows from the uploaders on the page that it is at, and from how much it and the others hold already. Whoever
leaves a page holds nothing of it any more.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from fer_core.errors import FerError

MB = 1024**2
MARGIN = 64 * 1024
"""Bytes of an upload's body besides the file: boundaries and names. Browsers send some 300."""
MOST_FILES = 100
"""Files that a session holds at once."""
MOST_ARRIVING = 6
"""Uploads of a session that are under way at once: as many connections as a browser opens to a server."""
MOST_ISSUED = 500
"""Ids for files that a session has open: a browser asks for as many as there are files to upload."""
NOTHING_HERE = "Nothing can be uploaded on this page."


class Place(Enum):
    """Where something is uploaded, with the most megabytes of one file: a visitor's, and an owner's."""

    ANNOTATIONS = (1, 10)
    FERPLUS = (0, 10)
    PICTURE = (15, 50)
    VIDEO = (100, 300)
    DATA = (0, 500)
    ANSWERS = (10, 50)
    MODEL = (60, 500)
    HISTORY = (5, 100)

    def megabytes(self, *, owner: bool) -> int:
        """The most megabytes of one file; 0: none at all."""
        return self.value[1] if owner else self.value[0]


@dataclass(frozen=True)
class Totals:
    """The most bytes that are held at once: by a visitor's session, an owner's, all visitors, and all of the server."""

    visitor: int = 150 * MB
    owner: int = 1000 * MB
    visitors: int = 300 * MB
    server: int = 1500 * MB

    @staticmethod
    def within(memory: int) -> Totals:
        """The totals of a server that has so many bytes to give: at most a quarter of them to visitors, half to all."""
        usual = Totals()
        visitors, server = min(usual.visitors, memory // 4), min(usual.server, memory // 2)
        return Totals(min(usual.visitor, visitors), min(usual.owner, server), visitors, server)


class UploadRefusedError(FerError):
    """An upload is not taken. ``status``: the HTTP status that says so."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(eq=False)
class Arriving:
    """An upload under way: the session, the file's id, the most bytes of its body, and those that have come so far."""

    session: str
    file: str
    most: int
    came: int = 0


@dataclass
class _Session:
    page: str = ""
    part: str = ""
    owner: bool = False
    most: int = 0
    """Bytes of the largest file that an uploader of the page takes."""
    issued: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_ISSUED))
    kept: dict[str, int] = field(default_factory=dict)
    arriving: list[Arriving] = field(default_factory=list)
    gone_since: float | None = None
    told: str = ""

    @property
    def held(self) -> int:
        return sum(self.kept.values()) + sum(one.came for one in self.arriving)


class Books:
    """What every session of a server may upload, is uploading and holds. All methods may be called from any thread."""

    def __init__(self, totals: Totals, clock: Callable[[], float] = time.monotonic) -> None:
        self._totals, self._clock, self._lock = totals, clock, threading.RLock()
        self._sessions: dict[str, _Session] = {}

    def enter(self, session: str, page: str) -> list[str]:
        """A session is at ``page`` now: the uploaders of the one before are gone, and nobody can ask for their files.

        Returns the ids of those files, which are in the books no longer; see that nobody keeps them.
        """
        with self._lock:
            books = self._sessions.setdefault(session, _Session())
            if books.page == page:
                return []
            books.page, books.part = page, ""
            return _left(books)

    def turn_to(self, session: str, part: str) -> list[str]:
        """The session's page shows ``part`` now, with uploaders of its own. As :meth:`enter` where it showed another.

        Call it before :meth:`allow`.
        """
        with self._lock:
            books = self._sessions.setdefault(session, _Session())
            before, books.part = books.part, part
            return _left(books) if before not in ("", part) else []

    def allow(self, session: str, place: Place, *, owner: bool) -> None:
        """There is an uploader of that kind on the session's page."""
        with self._lock:
            books = self._sessions.setdefault(session, _Session())
            before = books.most if books.owner == owner else 0
            books.owner, books.most = owner, max(before, place.megabytes(owner=owner) * MB)

    def issue(self, session: str, files: Iterable[str]) -> None:
        """The session was given these ids for files. Only the latest :data:`MOST_ISSUED` count."""
        with self._lock:
            if (books := self._sessions.get(session)) is not None:
                books.issued.extend(files)

    def begin(self, session: str, file: str, announced: int | None) -> Arriving:
        """An upload begins; ``announced``: the bytes of its body, if it says so. Give what is returned to :meth:`end`.

        Raises :class:`UploadRefusedError` where it cannot be taken.
        """
        with self._lock:
            books = self._sessions.get(session)
            if books is None or not books.most or file not in books.issued:
                raise _refused(books, 403, NOTHING_HERE)
            if len(books.arriving) >= MOST_ARRIVING or len(books.kept) >= MOST_FILES:
                raise _refused(books, 429, "Too many files at once. Remove some, or wait until they have come.")
            if any(one.file == file for one in books.arriving):
                # Whichever came first would forget what the other has sent.
                raise _refused(books, 409, "That file is on its way already.")
            arriving = Arriving(session, file, books.most + MARGIN)
            self._check(books, arriving, announced or 0)
            books.arriving.append(arriving)
            return arriving

    def more(self, arriving: Arriving, count: int) -> None:
        """``count`` more bytes have come. Raises :class:`UploadRefusedError` where they are too many."""
        with self._lock:
            books = self._sessions.get(arriving.session)
            if books is None or arriving not in books.arriving:
                raise UploadRefusedError(400, "The visit has ended.")
            self._check(books, arriving, count)
            arriving.came += count

    def end(self, arriving: Arriving) -> None:
        """The upload is over, whatever became of it."""
        with self._lock:
            books = self._sessions.get(arriving.session)
            if books is not None and arriving in books.arriving:
                books.arriving.remove(arriving)

    def keep(self, session: str, file: str, size: int) -> None:
        """A whole file is about to be kept. Raises :class:`UploadRefusedError` where it cannot be."""
        with self._lock:
            books = self._sessions.get(session)
            if books is None or not books.most or file not in books.issued:
                raise _refused(books, 403, NOTHING_HERE)
            if size > books.most:
                raise _refused(books, 413, _too_large(books.most))
            # What came is the file that is kept now; and it takes the place of one with its id.
            for one in books.arriving:
                if one.file == file:
                    one.came = 0
            before = books.kept.pop(file, 0)
            try:
                self._room(books, size)
            except UploadRefusedError:
                if before:
                    books.kept[file] = before
                raise
            books.kept[file] = size

    def drop(self, session: str, file: str) -> None:
        """A file is kept no longer."""
        with self._lock:
            if (books := self._sessions.get(session)) is not None:
                books.kept.pop(file, None)

    def leave(self, session: str) -> None:
        """A session has ended, and with it all that it held."""
        with self._lock:
            self._sessions.pop(session, None)

    def gone(self, here: Callable[[str], bool], seconds: float) -> list[str]:
        """The sessions that were not ``here`` for so long. Asked again and again: it remembers who was missing."""
        with self._lock:
            now, gone = self._clock(), []
            for name, books in self._sessions.items():
                if here(name):
                    books.gone_since = None
                elif books.gone_since is None:
                    books.gone_since = now
                elif now - books.gone_since >= seconds:
                    gone.append(name)
            return gone

    def held(self, session: str | None = None) -> int:
        """Bytes that are kept or have come: of one session, or of all."""
        with self._lock:
            if session is not None:
                return self._sessions.get(session, _Session()).held
            return sum(books.held for books in self._sessions.values())

    def why_refused(self, session: str) -> str:
        """Why the session's last upload was refused, once; empty if none was. Browsers show no more than a number."""
        with self._lock:
            books = self._sessions.get(session)
            if books is None:
                return ""
            told, books.told = books.told, ""
            return told

    def _check(self, books: _Session, arriving: Arriving, more: int) -> None:
        if arriving.came + more > arriving.most:
            raise _refused(books, 413, _too_large(arriving.most - MARGIN))
        self._room(books, more)

    def _room(self, books: _Session, more: int) -> None:
        """Raise unless the session, those of its kind and the server have room for ``more`` bytes."""
        mine = self._totals.owner if books.owner else self._totals.visitor
        if books.held + more > mine + MARGIN:
            raise _refused(
                books, 413, f"Your uploads together would be larger than {mine // MB} MB. Remove some first."
            )
        visitors = sum(one.held for one in self._sessions.values() if not one.owner)
        full = not books.owner and visitors + more > self._totals.visitors + MARGIN
        if full or self.held() + more > self._totals.server + MARGIN:
            raise _refused(books, 503, "This server holds as many uploads as it can. Try again in a few minutes.")


def _left(books: _Session) -> list[str]:
    """Forget what the uploaders had that are gone, and what is still on its way to them."""
    files = list(books.kept)
    books.most = 0
    books.kept.clear()
    books.issued.clear()
    return files


def _refused(books: _Session | None, status: int, message: str) -> UploadRefusedError:
    if books is not None:
        books.told = message
    return UploadRefusedError(status, message)


def _too_large(most: int) -> str:
    return f"The file is larger than {most // MB} MB, which is the most that can be uploaded here."
