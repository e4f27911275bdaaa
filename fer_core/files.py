"""Files written so that a reader sees the old one or the new one, never half of one; hashes, Parquet, downloads."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import math
import os
import secrets
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from fer_core.errors import DownloadError
from fer_core.processes import ProcessMark

if TYPE_CHECKING:
    import pyarrow as pa

DownloadProgress = Callable[[int, int | None], None]
"""Called with the bytes received so far and the bytes expected (None where the server does not say)."""
_BLOCK = 256 * 1024
_ALGORITHMS = {64: "sha256", 32: "md5"}


_CLOCK_S = 5.0
_clocks: dict[int, tuple[float, int]] = {}
"""Of each disk, by its number: when its clock was last asked, by the steady clock, and what it said."""
_STEM = 40
"""Letters of a file's name that its temporary sibling keeps: with all of them it might become too long."""


def temporary_name(beginning: str, ending: str = "", *, chance: str = "") -> str:
    """A name that nobody else gives to a file, in this process, in another one, or on another host of a shared disk.

    It says which process of which host made it: what a killed one leaves is known by that for what it is
    (:mod:`fer_core.leftovers`). Whatever is temporary in a home is called so. ``chance``: hex digits of an earlier
    name, to keep them.
    """
    return f"{beginning}{ProcessMark.me()}.{chance or secrets.token_hex(4)}{ending}"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary sibling to write, which takes the place of ``path`` when the block ends; whatever raises, it goes.

    Its ending is that of ``path``, since libraries go by it.
    """
    temporary = path.with_name(temporary_name(f".{path.stem[:_STEM]}.", f".part{path.suffix}"))
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def is_there(path: Path) -> bool:
    """Whether there is something at ``path``, as its folder says when it is opened now. Raises ``OSError``.

    ``path.exists()`` may say for a minute what a network disk told this host before another one made or deleted it.
    """
    try:
        return path.name in os.listdir(path.parent)  # noqa: PTH208 - names alone, once a batch
    except FileNotFoundError:
        return False


def disk_time_ns(folder: Path) -> int:
    """What the clock of the disk says that ``folder`` is on: the time that a file gets when it is written now.

    Asked every few seconds at most, and counted on from there by this host's steady clock: pages look at many leases
    many times. Where nothing can be written it is this host's.
    """
    try:
        device, now = folder.stat().st_dev, time.monotonic()
        asked, told = _clocks.get(device, (float("inf"), 0))
        if 0 <= now - asked < _CLOCK_S:
            return told + round(1e9 * (now - asked))
        with tempfile.TemporaryFile(prefix=temporary_name(".clock-"), dir=folder) as file:
            file.write(b"0")
            file.flush()
            told = os.fstat(file.fileno()).st_mtime_ns
        _clocks[device] = now, told
        return told
    except OSError:
        return time.time_ns()


def write_json(path: Path, value: Mapping[str, object]) -> None:
    """Write JSON so that a reader sees the old file or the new one, never half of one."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically (temporary sibling, then rename)."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_parquet(table: pa.Table, path: Path, *, split_bytes: Sequence[str] = ()) -> None:
    """Write ``table`` to a temporary sibling and rename it. Raises ``OSError``, with nothing left behind.

    ``split_bytes`` names columns of numbers that hardly ever repeat: without a dictionary, and with their high bytes
    apart from their low ones, they compress better.
    """
    import pyarrow.parquet as pq

    options = {
        "use_dictionary": [name for name in table.column_names if name not in split_bytes],
        "use_byte_stream_split": list(split_bytes),
    }
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", **options)


def download(
    url: str,
    path: str | Path,
    digest: str,
    *,
    progress: DownloadProgress | None = None,
    timeout: float = 30.0,
    max_bytes: int = 2 * 1024**3,
) -> Path:
    """Fetch ``url`` into ``path`` (its folder is made) and return the path.

    ``digest``: hex digits that the content must have, 64 of SHA-256 or 32 of MD5 (for files whose publisher gives
    nothing better). ``timeout``: seconds without a byte before giving
    up. Raises ``DownloadError`` when the address cannot be reached, the server refuses, the connection
    breaks, the file is longer than ``max_bytes``, the content has another hash, or it cannot be written.
    Whatever happens, ``path`` is what it was before or the complete file, and nothing else is left behind.
    """
    target = Path(path)
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise DownloadError(f"{url} is not a web address (http or https).")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(f"the folder {target.parent} cannot be made ({error}).") from error
    try:
        with replacing(target) as temporary, temporary.open("wb") as file:
            _fetch(url, file, digest, progress, timeout, max_bytes, math.inf)
    except OSError as error:
        raise DownloadError(f"{target} could not be written ({error}).") from error
    return target


def fetched(url: str, digest: str, *, max_bytes: int, timeout: float, most_seconds: float) -> bytes:
    """What ``url`` sends, in memory: for small files, of which a process that is killed meanwhile leaves nothing.

    ``most_seconds``: for all of the content, however slowly it drips. The rest, and what is raised, as in
    :func:`download`.
    """
    content = io.BytesIO()
    _fetch(url, content, digest, None, timeout, max_bytes, most_seconds)
    return content.getvalue()


def _fetch(
    url: str,
    file: BinaryIO,
    digest: str,
    progress: DownloadProgress | None,
    timeout: float,
    max_bytes: int,
    most_seconds: float,
) -> None:
    """Stream ``url`` into ``file``. Raises ``DownloadError``, and ``OSError`` where ``file`` cannot be written."""
    try:
        found = _stream(url, file, _ALGORITHMS[len(digest)], progress, timeout, max_bytes, most_seconds)
    except urllib.error.HTTPError as error:
        raise DownloadError(f"{url} was refused: {error.code} {error.reason}.") from error
    except (urllib.error.URLError, TimeoutError, http.client.HTTPException, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise DownloadError(
            f"{url} could not be fetched ({reason}). Check the network connection and try again."
        ) from error
    if found != digest.lower():
        raise DownloadError(
            f"{url} sent something else than expected ({_ALGORITHMS[len(digest)]} {found}, not {digest.lower()}). "
            "Nothing was kept. Try again; if it happens again, the file has changed at its source."
        )


def _stream(
    url: str,
    file: BinaryIO,
    algorithm: str,
    progress: DownloadProgress | None,
    timeout: float,
    max_bytes: int,
    most_seconds: float,
) -> str:
    """The content's hash in hex. Raises what urllib raises, too."""
    request = urllib.request.Request(url, headers={"User-Agent": "fer-explorer"})
    digest, done, began = hashlib.new(algorithm), 0, time.monotonic()
    with urllib.request.build_opener(_Redirects).open(request, timeout=timeout) as response:
        length = response.headers.get("Content-Length")
        total = int(length) if length and length.isdigit() else None
        # read1 gives what is there: a whole block might drip for hours, each byte within the timeout.
        while block := response.read1(_BLOCK):
            done += len(block)
            if done > max_bytes:
                raise DownloadError(f"{url} sent more than the {max_bytes:,} bytes expected. Nothing was kept.")
            if time.monotonic() - began > most_seconds:
                raise DownloadError(f"{url} had not sent all of it after {most_seconds:.0f} s. Nothing was kept.")
            file.write(block)
            digest.update(block)
            if progress:
                progress(done, total)
    if total is not None and done != total:
        raise DownloadError(f"{url} broke off after {done:,} of {total:,} bytes. Try again.")
    return digest.hexdigest()


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows where an address sends on to the web, and never from https to what anybody on the way may change."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        before, after = (urllib.parse.urlsplit(url).scheme for url in (req.full_url, newurl))
        if after not in ("http", "https") or (before == "https" and after != "https"):
            raise DownloadError(f"{req.full_url} sends on to {newurl}, which is not trusted. Nothing was kept.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
