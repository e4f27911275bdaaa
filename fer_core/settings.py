"""Where things live and how big they may get: one frozen :class:`Settings`, each value with its reason."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import platformdirs

PROJECT_ROOT = Path(__file__).resolve().parent.parent
"""The folder that holds this package: the project's own in a working copy, else where pip has put it. Child processes
start here, so that they import the very same package."""

BUNDLED_MODELS = Path(__file__).resolve().parent / "_models"
"""Where the wheel has the models that ship: ``setup.py`` copies them here when it is built."""


class Ownership(StrEnum):
    """What makes somebody the owner of the app (``FER_EXPLORER_OWNER``)."""

    LOCAL = "local"
    """A browser on the computer that the app runs on, or the owner's password."""
    PASSWORD = "password"
    """The password alone: for servers whose proxy does not say that it is one."""
    EVERYONE = "everyone"
    """Whoever opens the app: a classroom where all trust each other."""


@dataclass(frozen=True)
class Settings:
    """Resolved once per process by :func:`settings`."""

    home: Path
    """What people import and train. The project's own folder in a working copy, the user's data folder where the
    package was installed, since nobody looks for datasets beside installed packages, and the next upgrade may clear
    them away. ``FER_EXPLORER_HOME`` moves it (tests, shared disks)."""

    models_dir: Path
    """Run folders that ship. Read-only in spirit: ``FER_EXPLORER_MODELS`` moves it for tests."""

    ownership: Ownership = Ownership.LOCAL
    """See :class:`Ownership`."""

    shared_annotations: bool = False
    """Whether visitors annotate for everybody (``FER_EXPLORER_SHARED_ANNOTATIONS=1``) or each for themselves."""

    visitors_bring: bool = False
    """Whether visitors may bring models and answers of their own for their visit (``FER_EXPLORER_VISITORS_BRING=1``).
    Off: opening a stranger's model costs a process with 1.5 GB of memory for some minutes."""

    fetch_detector: bool = True
    """Whether the face detector YuNet is fetched by itself where one is needed. ``FER_EXPLORER_FETCH_DETECTOR=0`` is
    for hosts without a way out, and for tests."""

    max_archive_bytes: int = 4 * 1024**3
    """Unpacked size at which an archive counts as a bomb. FER-2013's CSV is 0.3 GB; four is generous."""

    max_archive_ratio: int = 250
    """Unpacked/packed size at which an archive counts as a bomb. FER-2013's CSV packs about 3.3 to 1 with gzip."""

    journal_seconds: float = 0.5
    """Least time between two ``batch`` events: often enough to look live, seldom enough to stay small."""

    worker_idle_seconds: float = 300.0
    """Time without a request after which the gradient worker ends. It holds some 800 MB, more than the rest of the app,
    and starting it again takes seconds: five minutes bridge reading a page, not a lunch break."""

    worker_models: int = 3
    """Models that the gradient worker keeps open: as many as people commonly compare, at 50 to 200 MB each."""

    @property
    def datasets_dir(self) -> Path:
        return self.home / "datasets"

    @property
    def runs_dir(self) -> Path:
        return self.home / "runs"

    @property
    def sweeps_dir(self) -> Path:
        """A folder for each sweep, which names its runs; those lie among the others."""
        return self.home / "sweeps"

    @property
    def reviews_dir(self) -> Path:
        """Marks on faces, one file a dataset. Kept when a dataset is deleted: it may be imported again."""
        return self.home / "reviews"

    @property
    def evaluations_dir(self) -> Path:
        """Evaluations of runs that ship, where they were made here: those runs themselves may be read-only."""
        return self.home / "evaluations"

    @property
    def cache_dir(self) -> Path:
        """Downloaded files (face detector, ImageNet weights). Safe to delete."""
        return self.home / "cache"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings, from the environment. ``settings.cache_clear()`` re-reads (tests only)."""
    home, models = default_folders(PROJECT_ROOT)
    return Settings(
        home=_folder("FER_EXPLORER_HOME", home),
        models_dir=_folder("FER_EXPLORER_MODELS", models),
        ownership=_ownership(os.environ.get("FER_EXPLORER_OWNER", "")),
        shared_annotations=os.environ.get("FER_EXPLORER_SHARED_ANNOTATIONS") == "1",
        visitors_bring=os.environ.get("FER_EXPLORER_VISITORS_BRING") == "1",
        fetch_detector=os.environ.get("FER_EXPLORER_FETCH_DETECTOR") != "0",
    )


def default_folders(root: Path) -> tuple[Path, Path]:
    """Home and shipped models where the environment names none; ``root`` is the folder that holds the package.

    A working copy has the app's entry and the build file beside the package; an installed package has neither.
    """
    if (root / "streamlit_app.py").is_file() and (root / "pyproject.toml").is_file():
        return root, root / "models"
    # appauthor=False: on Windows the folder would otherwise be called fer-explorer twice.
    return platformdirs.user_data_path("fer-explorer", appauthor=False), BUNDLED_MODELS


def _folder(variable: str, default: Path) -> Path:
    # An empty variable, as "VARIABLE= command" sets it, is none: Path("") would be the current folder.
    return Path(os.environ.get(variable) or default).expanduser().resolve()


def _ownership(value: str) -> Ownership:
    try:
        return Ownership(value.strip().lower() or Ownership.LOCAL)
    except ValueError:
        # A word that nobody knows was meant to change something: the strictest is safe.
        return Ownership.PASSWORD
