"""Downloads that are checked: streamed to a temporary file, compared with a hash, renamed when right."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path

from fer_core.errors import DownloadError
from fer_core.runs.folder import sha256_of
from fer_core.settings import settings

Progress = Callable[[int, int | None], None]
"""Called with the bytes received so far and the bytes expected (None where the server does not say)."""

YUNET_FILE = "face_detection_yunet_2026may.onnx"
YUNET_URL = (
    "https://github.com/opencv/opencv_zoo/raw/47534e27c9851bb1128ccc0102f1145e27f23f98/"
    f"models/face_detection_yunet/{YUNET_FILE}"
)
"""OpenCV Zoo, pinned to a commit; MIT licence. The first YuNet file that both OpenCV 4 and OpenCV 5 read."""
YUNET_SHA256 = "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0"
YUNET_BYTES = 229_738

_BLOCK = 256 * 1024
_ALGORITHMS = {64: "sha256", 32: "md5"}


def download(
    url: str,
    path: str | Path,
    digest: str,
    *,
    progress: Progress | None = None,
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
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DownloadError(f"the folder {target.parent} cannot be made ({error}).") from error
    try:
        algorithm = _ALGORITHMS[len(digest)]
        found = _fetch(url, temporary, algorithm, progress, timeout, max_bytes)
        if found != digest.lower():
            raise DownloadError(
                f"{url} sent something else than expected ({algorithm} {found}, not {digest.lower()}). "
                "Nothing was kept. Try again; if it happens again, the file has changed at its source."
            )
        temporary.replace(target)
    except urllib.error.HTTPError as error:
        raise DownloadError(f"{url} was refused: {error.code} {error.reason}.") from error
    except (urllib.error.URLError, TimeoutError, http.client.HTTPException, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise DownloadError(
            f"{url} could not be fetched ({reason}). Check the network connection and try again."
        ) from error
    except OSError as error:
        raise DownloadError(f"{target} could not be written ({error}).") from error
    finally:
        temporary.unlink(missing_ok=True)
    return target


def yunet_path() -> Path:
    """Where the YuNet face detector is kept, there or not."""
    return settings().cache_dir / YUNET_FILE


def yunet_ready() -> bool:
    """True if the YuNet file is there and has the right content."""
    path = yunet_path()
    return path.is_file() and path.stat().st_size == YUNET_BYTES and sha256_of(path) == YUNET_SHA256


def download_yunet(progress: Progress | None = None) -> Path:
    """Fetch the YuNet face detector (230 KB) unless it is there already. Raises ``DownloadError``."""
    if yunet_ready():
        return yunet_path()
    return download(YUNET_URL, yunet_path(), YUNET_SHA256, progress=progress, max_bytes=YUNET_BYTES)


def _fetch(url: str, path: Path, algorithm: str, progress: Progress | None, timeout: float, max_bytes: int) -> str:
    """Stream ``url`` into ``path``; returns the content's hash in hex. Raises what urllib raises."""
    request = urllib.request.Request(url, headers={"User-Agent": "fer-explorer"})
    digest, done = hashlib.new(algorithm), 0
    with urllib.request.urlopen(request, timeout=timeout) as response, path.open("wb") as file:
        length = response.headers.get("Content-Length")
        total = int(length) if length and length.isdigit() else None
        while block := response.read(_BLOCK):
            done += len(block)
            if done > max_bytes:
                raise DownloadError(f"{url} sent more than the {max_bytes:,} bytes expected. Nothing was kept.")
            file.write(block)
            digest.update(block)
            if progress:
                progress(done, total)
    if total is not None and done != total:
        raise DownloadError(f"{url} broke off after {done:,} of {total:,} bytes. Try again.")
    return digest.hexdigest()
