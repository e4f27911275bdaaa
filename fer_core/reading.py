"""Files that somebody else may have written, read without trust: size, kind of file, UTF-8, JSON, types, ranges.

Everything here answers with a value or raises :class:`UnreadableError`, whose message is the reason as the end of a
sentence ("it is a folder"). Whoever reads a certain file says which, where it is and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from fer_core.regular_files import OddFileError, open_file, require_file

if TYPE_CHECKING:
    import pyarrow as pa

MOST_BYTES = 32 * 1024**2
"""The largest text file that is read. The longest journal of a shipped run has 1.4 MB."""
MOST_TABLE_BYTES = 512 * 1024**2
"""The largest table that is read, packed and unpacked. Predictions of FER-2013 have 0.3 MB."""

_NO_NUMBERS = (b"NaN", b"Infinity")

T = TypeVar("T")


class UnreadableError(Exception):
    """Why a file cannot be used, as the end of a sentence."""


class NewerError(UnreadableError):
    """The file is of a schema that this version does not know yet. The message is a sentence without its subject."""


class MissingError(UnreadableError):
    """There is no such file."""


class RefusedError(UnreadableError):
    """The system gives nothing of it: it may not be read by this account, or the disk fails. Nothing is known of it."""


def check_file(path: Path) -> int:
    """The size in bytes of what must be a regular file. Raises :class:`UnreadableError` unread for anything else."""
    try:
        require_file(path)
        return path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from None


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """The content of a regular file of at most ``most`` bytes. Never blocks: a FIFO, say, is refused unread."""
    if check_file(path) > most:
        raise UnreadableError(f"it is larger than {most / 1024**2:,.0f} MB")
    try:
        with open_file(path) as file:
            content = file.read(most + 1)
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(content) > most:
        raise UnreadableError(f"it is larger than {most / 1024**2:,.0f} MB")
    return content


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """The text of a file. Raises :class:`UnreadableError` where it is not UTF-8, too."""
    try:
        return read_bytes(path, most).decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableError("it is not text in UTF-8") from None


def read_table(path: Path, columns: Sequence[str], optional: Sequence[str] = ()) -> pa.Table:
    """Columns of a Parquet file, with its metadata: all of ``columns``, and those of ``optional`` that it has.

    Raises :class:`UnreadableError` for anything that is no Parquet file, lacks a column, or would unpack to more than
    :data:`MOST_TABLE_BYTES`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = read_bytes(path, MOST_TABLE_BYTES)
    if not content:
        raise UnreadableError("it is empty")
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        groups = range(file.metadata.num_row_groups)
        if sum(file.metadata.row_group(index).total_byte_size for index in groups) > MOST_TABLE_BYTES:
            raise UnreadableError(f"it unpacks to more than {MOST_TABLE_BYTES / 1024**2:,.0f} MB")
        found = file.schema_arrow.names
        if missing := [name for name in columns if name not in found]:
            raise UnreadableError(f"it has no column {', '.join(missing)}")
        if twice := sorted({name for name in found if found.count(name) > 1}):
            raise UnreadableError(f"it has two columns called {ascii(twice[0])[1:-1]}")
        return file.read([*columns, *(name for name in optional if name in found)], use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableError(f"it is no Parquet file that can be read: {' '.join(str(error).split())[:200]}") from None


def read_plain(path: Path) -> Any:
    """JSON as plain values, for readers that take every one of them apart. Raises :class:`UnreadableError`."""
    return _plain(read_bytes(path))


def parse(content: bytes, contract: type[T], schemas: tuple[int, ...] = ()) -> T:
    """JSON held against a typed dictionary (or any other type): types exactly as declared, unknown keys allowed.

    ``schemas``: those that this version knows, where the file says its schema. NaN, Infinity and nesting of more than
    200 levels are refused. Raises :class:`UnreadableError`.
    """
    # Imported here, as it costs 8 MB and a tenth of a second, which programs that read no files need not pay.
    from pydantic import ValidationError

    try:
        value = adapter(cast("Any", contract)).validate_json(content)
    except ValidationError as error:
        # Parsed once more, to say first what is no JSON at all, and what a newer version wrote.
        plain = _plain(content)
        if schemas:
            check_schema(plain, schemas)
        raise UnreadableError(wrong(error)) from None
    if any(word in content for word in _NO_NUMBERS):
        # Under keys that nobody declared, pydantic would take them.
        _plain(content)
    if schemas:
        check_schema(value, schemas)
    return cast("T", value)


def check_schema(value: Any, schemas: tuple[int, ...]) -> None:
    """Raises :class:`UnreadableError` unless ``value`` is an object whose ``schema`` is among ``schemas``."""
    if not isinstance(value, dict):
        raise UnreadableError("a JSON object was expected")
    schema = value.get("schema")
    if type(schema) is not int:
        raise UnreadableError("it does not say its schema")
    if schema > max(schemas):
        raise NewerError(f"was written by a newer version (schema {schema}): update FER Explorer")
    if schema not in schemas:
        raise UnreadableError(f"its schema is {schema}, which there never was")


@lru_cache(maxsize=64)
def adapter(contract: Any) -> Any:
    """What holds values against ``contract``: pydantic's ``TypeAdapter``, strict, NaN and Infinity refused."""
    from pydantic import ConfigDict, TypeAdapter, with_config

    rules = ConfigDict(strict=True, allow_inf_nan=False, extra="allow")
    # A typed dictionary has its rules by itself, and those within it take them over.
    if isinstance(contract, type):
        return TypeAdapter(with_config(rules)(contract))
    return TypeAdapter(contract, config=rules)


def wrong(error: Any) -> str:
    """The first thing that a pydantic ``ValidationError`` found, in words; and how many more there are."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    first = found[0]
    # Names of keys come out of the file: they are cut, and shown without control characters.
    where = ".".join(ascii(part)[1:-1][:40] if isinstance(part, str) else str(part) for part in first["loc"])
    if not where:
        reason = "a JSON object was expected"
    elif first["type"] == "missing":
        reason = f"it lacks {where}"
    elif first["type"] == "predicate_failed":
        reason = f"its {where} is not what it should be"
    else:
        reason = f"its {where} {first['msg'].replace('Input should', 'should').lower()}"
    return f"{reason}, and {len(found) - 1} more" if len(found) > 1 else reason


def _unreadable(path: Path, error: OSError) -> UnreadableError:
    if isinstance(error, OddFileError):
        return UnreadableError(str(error.strerror))
    if not isinstance(error, FileNotFoundError):
        # Where a folder of its path is a file, it is known not to be there.
        kind = UnreadableError if isinstance(error, NotADirectoryError) else RefusedError
        return kind(f"it cannot be read: {error.strerror or error}")
    return UnreadableError("it is a link that leads nowhere") if path.is_symlink() else MissingError("it is missing")


def _plain(content: bytes) -> Any:
    from pydantic_core import from_json

    try:
        return from_json(content, allow_inf_nan=False)
    except ValueError as error:
        raise UnreadableError(_no_json(content, str(error))) from None


def _no_json(content: bytes, error: str) -> str:
    if not content.strip():
        return "it is empty"
    if content.startswith(b"\xef\xbb\xbf"):
        return "it begins with a byte order mark, which JSON does not have"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "it is not text in UTF-8"
    return "it is nested too deeply" if "recursion" in error else f"it is not JSON: {error}"
