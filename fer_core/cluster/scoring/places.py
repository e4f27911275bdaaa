"""Where the files to be scored lie: a folder, or through fsspec an object store by its address (``s3://bucket/faces``).

A folder needs nothing but this computer; an address needs fsspec and the package of its store. Listing is streamed: of
a folder one entry is held at a time, of a store the entries of one of its folders, as its own library gives them.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from fer_core.errors import DataError
from fer_core.files import temporary_name
from fer_core.inference.sources import is_read
from fer_core.reading import UnreadableError, read_bytes
from fer_core.regular_files import kind_of

PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "http": "aiohttp",
    "https": "aiohttp",
    "sftp": "paramiko",
    "ssh": "paramiko",
}
"""What an address needs besides fsspec, by its beginning."""
TRIES, PAUSE_S = 3, 2.0
"""How often a store is asked for a file before it counts as unreadable: connections break, and a row stays."""
_LONGEST_NAME = 60
_SECRET = re.compile(r"(?<!github)(://[^/@:\s]+):[^/\s]+@")
"""A name and a password within an address; what GitHub's have there are an owner and a repository."""
_GOES_ON = "What was scored until then is kept: once it is back, the same command goes on."

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """A file by its name within the source, with slashes; its size in bytes; why it cannot be read, where that is
    known from listing (then it may be a folder)."""

    name: str
    size: int
    problem: str = ""


class Place(Protocol):
    """A source. Opened anew by each process, from its address.

    Attributes:
        address: as it was given, less a password, for people and records; a folder's absolute path.
        ahead: files that are worth fetching while others are looked at.
    """

    address: str
    ahead: int

    def entries(self) -> Iterator[Entry]:
        """All files that may be pictures or videos, by their names, in no order; hidden ones are left out.

        Raises ``DataError`` where the source itself cannot be listed.
        """
        ...

    def read(self, entry: Entry, most: int) -> bytes:
        """A file's content. Raises ``UnreadableError``, also for more than ``most`` bytes."""
        ...

    def on_disk(self, entry: Entry) -> contextlib.AbstractContextManager[Path]:
        """The file as a path of this computer, for as long as the block lasts. Raises ``UnreadableError``."""
        ...

    def check(self) -> None:
        """Raise ``DataError`` where the source itself is not there any more: that is no property of its files."""
        ...


def open_place(address: str) -> Place:
    """The source at an address or path.

    Raises ``DataError`` where there is no such folder, the address is of no known kind, or a package is missing.
    """
    scheme, colon, rest = address.partition("://")
    if not colon or len(scheme) < 2:
        return Folder(Path(address))
    if not rest.strip("/"):
        raise DataError(f"{address} names no folder. Give one, such as {scheme}://bucket/faces.")
    return Folder(Path(rest)) if scheme == "file" else Store(address)


class Folder:
    """A :class:`Place` on a disk of this computer, or one that is mounted. Links to folders are not followed."""

    ahead = 0

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.address = str(self.path)
        try:
            kind = kind_of(self.path)
            self._found = self._identity()
        except FileNotFoundError:
            raise DataError(f"There is no folder {path}. Check the path.") from None
        except OSError as error:
            raise DataError(f"{path} cannot be opened: {error.strerror or error}.") from error
        if kind != "a folder":
            raise DataError(
                f"{path} is {kind}. Give the folder that holds the files; for a few: python -m fer_core predict"
            )

    def entries(self) -> Iterator[Entry]:
        # The open folders of the way down to the entry at hand: no more is held.
        way = [("", self._scan())]
        try:
            while way:
                parent, inside = way[-1]
                try:
                    one = next(inside, None)
                    folder = one is not None and one.is_dir()
                    if one is None:
                        way.pop()
                        inside.close()
                    elif folder and not one.name.startswith(".") and not one.is_symlink():
                        way.append((f"{parent}{one.name}/", os.scandir(one.path)))
                    elif not folder and is_read(one.name):
                        yield Entry(f"{parent}{one.name}", one.stat().st_size)
                except OSError as error:
                    # A row, unless all of the source is gone, by which the list would end here as if it were whole.
                    self.check()
                    if error.filename is None and len(way) == 1:
                        raise DataError(f"{self.path} cannot be listed: {error.strerror or error}.") from error
                    # Of the entry: the folder that it is in goes on. Only a folder that cannot be read on ends there.
                    name = os.path.relpath(error.filename or self.path / parent, self.path)
                    yield Entry(name, 0, f"it cannot be opened: {error.strerror or error}")
                    if error.filename is None:
                        way.pop()
                        inside.close()
        finally:
            for _, inside in way:
                inside.close()

    def check(self) -> None:
        try:
            found = self._identity()
            with os.scandir(self.path) as inside:
                empty = next(inside, None) is None
        except OSError as error:
            raise DataError(f"{self.path} is gone: {error.strerror or error}. {_GOES_ON}") from error
        if empty or found != self._found:
            # What a disk leaves that is taken out is the folder that it was mounted at.
            raise DataError(f"{self.path} is {'empty' if empty else 'another folder'} now. {_GOES_ON}")

    def _identity(self) -> tuple[int, int]:
        found = self.path.stat()
        return found.st_dev, found.st_ino

    def _scan(self) -> Any:
        try:
            return os.scandir(self.path)
        except OSError as error:
            raise DataError(f"{self.path} cannot be opened: {error.strerror or error}.") from error

    def read(self, entry: Entry, most: int) -> bytes:
        return read_bytes(self.path / entry.name, most)

    @contextlib.contextmanager
    def on_disk(self, entry: Entry) -> Iterator[Path]:
        yield self.path / entry.name


class Store:
    """A :class:`Place` in an object store, or anything else that fsspec knows."""

    ahead = 16

    def __init__(self, address: str) -> None:
        address = address.rstrip("/")
        self.address = _SECRET.sub(r"\1:***@", address)
        scheme = address.partition("://")[0]
        package = PACKAGES.get(scheme, "")
        try:
            import fsspec
        except ImportError:
            needs = " ".join(("fsspec", *filter(None, [package])))
            raise DataError(f"{self.address} needs packages that are not installed: pip install {needs}") from None
        try:
            # Without its cache, which would hold every listing.
            self._files, self._root = fsspec.core.url_to_fs(address, use_listings_cache=False)
        except ImportError as error:
            what = f"pip install {package}" if package else str(error)
            raise DataError(f"{self.address} needs a package that is not installed: {what}") from None
        except ValueError as error:
            raise DataError(f"{self.address} is of no kind that fsspec knows ({_hidden(error)}).") from None
        except Exception as error:
            # What a store's library raises is its own affair, and each of them has other errors.
            raise DataError(f"{self.address} cannot be opened: {_short(error)}.") from error

    def check(self) -> None:
        try:
            there = self._files.isdir(self._root)
        except Exception as error:
            # See above.
            raise DataError(f"{self.address} cannot be reached any more: {_short(error)}. {_GOES_ON}") from error
        if not there:
            raise DataError(f"{self.address} is gone. {_GOES_ON}")

    def entries(self) -> Iterator[Entry]:
        try:
            if not self._files.isdir(self._root):
                raise DataError(f"There is no folder {self.address}, or it is empty. Check the address.")
            for parent, folders, files in self._files.walk(self._root, detail=True, on_error="raise"):
                for name in [name for name in folders if name.startswith(".")]:
                    del folders[name]
                within = str(parent)[len(self._root) :].strip("/")
                for name, about in files.items():
                    if name and is_read(name):
                        yield Entry(f"{within}/{name}".lstrip("/"), int(about.get("size") or 0))
        except DataError:
            raise
        except Exception as error:
            # See above.
            raise DataError(f"{self.address} cannot be listed: {_short(error)}.") from error

    def read(self, entry: Entry, most: int) -> bytes:
        if entry.size > most:
            raise UnreadableError(f"it is larger than {most / 1024**2:,.0f} MB")
        content: bytes = self._tried(lambda: self._files.cat_file(self._path(entry)))
        if len(content) > most:
            raise UnreadableError(f"it is larger than {most / 1024**2:,.0f} MB")
        return content

    @contextlib.contextmanager
    def on_disk(self, entry: Entry) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix=temporary_name("fer-score-")) as folder:
            # Its own name, which messages repeat; of a long one the end.
            path = Path(folder) / entry.name.rpartition("/")[2][-_LONGEST_NAME:]
            self._tried(lambda: self._files.get_file(self._path(entry), str(path)))
            yield path

    def _path(self, entry: Entry) -> str:
        return f"{self._root.rstrip('/')}/{entry.name}"

    def _tried(self, ask: Callable[[], T]) -> T:
        for left in reversed(range(TRIES)):
            try:
                return ask()
            except FileNotFoundError:
                raise UnreadableError("it is missing") from None
            except PermissionError as error:
                raise UnreadableError(f"it cannot be read: {_short(error)}") from None
            except Exception as error:
                # See above.
                if not left:
                    raise UnreadableError(f"it cannot be fetched: {_short(error)}") from error
                time.sleep(PAUSE_S)
        raise AssertionError("unreachable")


def _short(error: Exception) -> str:
    words = " ".join(_hidden(error).split())[:200].rstrip(". ") or "no reason given"
    return f"{type(error).__name__}, {words}"


def _hidden(error: Exception) -> str:
    """What it says, less passwords in addresses that it repeats."""
    return _SECRET.sub(r"\1:***@", str(error))
