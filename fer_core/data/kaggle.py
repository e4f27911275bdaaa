"""FER-2013 from Kaggle (``msambare/fer2013``, image folders, about 60 MB), through ``kagglehub``.

``kagglehub`` keeps the download in its own cache (``~/.cache/kagglehub``, or ``KAGGLEHUB_CACHE``), resumes one that
broke off, and compares the archive with the MD5 sum that Kaggle's storage sends along (``X-Goog-Hash``): a file
that does not match is deleted. The version is pinned, so everybody gets the same files, and a download that is in
the cache needs no network.
"""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fer_core.errors import DownloadError
from fer_core.progress import Meter, ProgressCallback

HANDLE = "msambare/fer2013/versions/1"
PAGE = "https://www.kaggle.com/datasets/msambare/fer2013"
_BY_HAND = (
    f"Or download it in your browser from {PAGE} and import the file: "
    "python -m fer_core data import archive.zip --out FOLDER"
)


def download_from_kaggle(progress: ProgressCallback | None = None) -> Path:
    """Download the images unless they are in the cache, and return the folder with ``train`` and ``test``.

    ``progress`` gets bytes. Raises ``DownloadError``: no network, refused credentials, a damaged download.
    """
    # Imported here: half a second that nobody else should pay.
    import kagglehub
    import requests
    from kagglehub import exceptions

    try:
        kagglehub.config.get_kaggle_credentials()
    except ValueError as error:
        raise DownloadError(f"Your Kaggle credentials cannot be read: {error}. {_CREDENTIALS}") from error
    if progress is not None:
        Meter(progress, "bytes", "Asking Kaggle").update(0, None, force=True)
    try:
        with _reporting(progress), _quiet():
            return Path(kagglehub.dataset_download(HANDLE))
    except exceptions.DataCorruptionError as error:
        raise DownloadError(
            "The download from Kaggle was damaged on its way: its MD5 sum is not the one Kaggle gives. "
            f"It was deleted; try again. {_BY_HAND}"
        ) from error
    except requests.HTTPError as error:
        status = error.response.status_code if error.response is not None else None
        raise DownloadError(_refusal(status)) from error
    except (requests.ConnectionError, requests.Timeout) as error:
        raise DownloadError(
            f"There is no connection to Kaggle. Check your network and try again. {_BY_HAND}"
        ) from error
    except requests.RequestException as error:
        raise DownloadError(
            f"The download from Kaggle broke off ({type(error).__name__}). Try again: it goes on where it stopped. "
            f"{_BY_HAND}"
        ) from error
    # ValueError is kagglehub's way to say that it is neither zip nor tar.
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, ValueError) as error:
        raise DownloadError(
            f"What Kaggle sent is not a sound archive ({error}). Try again later. {_BY_HAND}"
        ) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DownloadError(
                "The disk is full. The download needs about 130 MB in kagglehub's cache; free some space, or set "
                "KAGGLEHUB_CACHE to a folder on another disk."
            ) from error
        raise DownloadError(f"The download cannot be stored: {error}.") from error


_CREDENTIALS = (
    "Make a token at https://www.kaggle.com/settings (API, Create New Token) and put the file kaggle.json into the "
    "folder .kaggle in your home folder, or set KAGGLE_USERNAME and KAGGLE_KEY."
)


def _refusal(status: int | None) -> str:
    if status in (401, 403):
        return f"Kaggle refused the download (HTTP {status}): it wants valid credentials. {_CREDENTIALS} {_BY_HAND}"
    if status == 404:
        return f"Kaggle no longer has {HANDLE} (HTTP 404). Look at {PAGE} for what has become of it."
    if status == 429:
        return f"Kaggle says there were too many downloads (HTTP 429). Try again in some minutes. {_BY_HAND}"
    return f"Kaggle answered with an error (HTTP {status}). Try again later. {_BY_HAND}"


@contextlib.contextmanager
def _reporting(progress: ProgressCallback | None) -> Iterator[None]:
    """Hand the bytes that kagglehub counts to ``progress``.

    kagglehub has no callback; it drives a ``tqdm`` bar, by the name ``kagglehub.clients.tqdm``. While we download,
    that name is a bar that prints nothing and reports to us.
    """
    from kagglehub import clients

    original: Any = clients.tqdm

    class Bar(original):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "file": io.StringIO()})
            self._meter = Meter(progress, "bytes", "Downloading from Kaggle", start=self.n)

        def update(self, n: float | None = 1) -> bool | None:
            shown = super().update(n)
            self._meter.update(int(self.n), None if self.total is None else int(self.total))
            return shown

    clients.tqdm = Bar
    try:
        yield
    finally:
        clients.tqdm = original


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep kagglehub's remarks off standard output, which belongs to our result."""
    logger = logging.getLogger("kagglehub")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        logger.setLevel(level)
