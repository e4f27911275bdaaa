"""Which of the paths that somebody names are pictures, which videos, and what cannot be read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fer_core.file_types import HEAD, ODD_ENDINGS, PICTURE_ENDINGS, is_video
from fer_core.inference.stream.video import READABLE
from fer_core.regular_files import require_file

_WANTED = frozenset((*PICTURE_ENDINGS, *ODD_ENDINGS, *READABLE))


@dataclass
class FoundFiles:
    """What there is to read, in the order named, folders by name.

    ``problems``: path of what cannot be read, and a sentence that says why. ``passed``: how many files in folders are
    neither pictures nor videos.
    """

    pictures: list[Path] = field(default_factory=list)
    videos: list[Path] = field(default_factory=list)
    problems: list[tuple[Path, str]] = field(default_factory=list)
    passed: int = 0


def find_files(paths: Iterable[Path]) -> FoundFiles:
    """Files as they are named, whatever their ending; folders with all that is in them, picked by ending.

    Links to folders are not followed, and hidden files in folders are left out. A file that is named twice is read
    once.
    """
    found, seen = FoundFiles(), set[Path]()
    for path in paths:
        if path.is_dir():
            inside = _inside(path, found)
            if not inside:
                kinds = ", ".join((*PICTURE_ENDINGS, *READABLE))
                found.problems.append((path, f"{path} holds no picture or video (looked for: {kinds})."))
            for file in inside:
                _take(file, found, seen)
        else:
            _take(path, found, seen)
    return found


def is_read(name: str) -> bool:
    """Whether a file in a folder is looked into, by its name: a picture's or a video's ending, and not hidden."""
    return not name.startswith(".") and _ending(name) in _WANTED


def ends_as_video(name: str) -> bool:
    """Whether a file has a video's ending: enough for a container that nobody here knows by its content."""
    return _ending(name) in READABLE


def _ending(name: str) -> str:
    # Asked of millions of names: a Path costs ten times as much.
    return name.rpartition(".")[2].lower() if "." in name else ""


def _take(path: Path, found: FoundFiles, seen: set[Path]) -> None:
    try:
        head = _head(path)
    except OSError as error:
        found.problems.append((path, f"{path} cannot be read ({error.strerror or error})."))
        return
    real = path.resolve()
    if real in seen:
        return
    seen.add(real)
    # What is inside counts more than the ending.
    video = is_video(head) or ends_as_video(path.name)
    (found.videos if video else found.pictures).append(path)


def _inside(folder: Path, found: FoundFiles) -> list[Path]:
    """All files below a folder that may be pictures or videos. Folders that cannot be opened are problems."""

    def refused(error: OSError) -> None:
        path = Path(error.filename or folder)
        found.problems.append((path, f"{path} cannot be opened ({error.strerror or error})."))

    files: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=refused):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith("."):
                continue
            if is_read(name):
                files.append(Path(parent) / name)
            else:
                found.passed += 1
    return files


def _head(path: Path) -> bytes:
    require_file(path)
    with path.open("rb") as file:
        return file.read(HEAD)
