"""Which test files hold what ``-m`` asks for, told by their text, so that the others need not be imported, and which
cannot be imported together."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ASKED = re.compile(r"(?<!not )\b(slow|browser|ray)\b")


def holds_none(file: Path, expression: str) -> bool:
    """Whether no test in a Python file can match: ``expression`` asks for a marker, and the file does not write it."""
    asked = ASKED.findall(expression)
    if not asked:
        return False
    text = file.read_text(encoding="utf-8")
    return not any(f"mark.{name}" in text for name in asked)


def twins_by_name(folder: Path) -> list[str]:
    """Names that several modules below a folder have. All are imported by name alone, so one would hide the other."""
    names = Counter(path.name for path in folder.rglob("*.py") if path.name != "conftest.py")
    return sorted(name for name, count in names.items() if count > 1)
