"""All lessons at hand: those that ship, and those that somebody has put into the home's folder ``lessons``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from fer_core.formatting import is_plain
from fer_core.lessons.lesson import Lesson, LessonError, parse_lesson
from fer_core.reading import UnreadableError, read_bytes
from fer_core.settings import PROJECT_ROOT, settings

MOST_BYTES = 100_000
"""The longest lesson. One of six steps has 4,000."""
MOST = 100
"""Lessons of a folder that are read."""


@dataclass(frozen=True)
class Shelf:
    """``lessons`` in the order of their names; ``damaged``: a sentence for each file that is no lesson."""

    lessons: tuple[Lesson, ...]
    damaged: tuple[str, ...]

    def find(self, name: str) -> Lesson | None:
        return next((one for one in self.lessons if one.name == name), None)


def lesson_files() -> list[Path]:
    """The lessons' files, by name. One in the home takes the place of a shipped one that is called so."""
    folders = (PROJECT_ROOT / "lessons", settings().home / "lessons")
    found: dict[str, Path] = {}
    for folder in folders:
        if folder.is_dir():
            found |= {path.stem: path for path in sorted(folder.glob("*.md"))[:MOST] if not path.name.startswith(".")}
    return [found[name] for name in sorted(found)]


def read_lessons(files: Collection[Path], pages: Collection[str]) -> Shelf:
    """What the ``files`` hold; ``pages``: see :func:`~fer_core.lessons.lesson.parse_lesson`."""
    lessons, damaged = [], []
    for path in files:
        try:
            if not is_plain(path.stem):
                raise LessonError("Its name holds signs with a meaning in Markdown or HTML. Rename it.")
            text = read_bytes(path, MOST_BYTES).decode("utf-8")
            lessons.append(parse_lesson(path.stem, text, pages))
        except (LessonError, UnreadableError) as error:
            damaged.append(f"{path} is no lesson: {error}")
        except UnicodeDecodeError:
            damaged.append(f"{path} is no lesson: it is not text in UTF-8.")
    return Shelf(tuple(lessons), tuple(damaged))
