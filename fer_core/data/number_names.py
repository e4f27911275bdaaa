"""What a source itself calls the numbers of its classes: ``classes.txt``, ``data.yaml``, ``class_indices.json``.

Whose numbers they are would be a guess otherwise, and a wrong one looks just as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from fer_core.data.class_names import meaning_of, number_of
from fer_core.data.folder_or_zip import Tree
from fer_core.errors import UnusableFileError

_FILE = re.compile(
    r"(?:(?:class|label|emotion|expression)(?:es|s)?(?:[_-]?(?:names|map|mapping|list|indices|index|to[_-]idx|dict))?"
    r"|idx[_-]to[_-](?:class|label)|id2label|label2id|data|dataset|obj)\.(?:txt|json|ya?ml|names|pbtxt)",
    re.IGNORECASE,
)
_MOST_BYTES = 20_000
_MOST_FILES = 20
_NUMBER_FIRST = re.compile(r"-?\s*['\"]?(\d{1,2})['\"]?\s*[:=,;.)\s]\s*(.+)")
_NUMBER_LAST = re.compile(r"-?\s*(.+?)\s*[:=,;\s]\s*(\d{1,2})")


@dataclass(frozen=True)
class NumberNames:
    """``file``: where it is said; empty where nothing says it. ``names``: words by the numbers of this source."""

    file: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


def names_of_numbers(tree: Tree, files: Sequence[str], words: Collection[str]) -> NumberNames:
    """What a small file of the tree calls those of ``words`` that are numbers; nothing where no file names them all."""
    numbers = {word: number for word in words if (number := number_of(word)) is not None}
    found = [name for name in files if _FILE.fullmatch(PurePosixPath(name).name)]
    if not numbers or len(found) > _MOST_FILES:
        return NumberNames()
    for name in sorted(found, key=lambda one: (one.count("/"), one)):
        try:
            content = tree.read(name)
        except UnusableFileError:
            continue
        if len(content) > _MOST_BYTES:
            continue
        called, counted = _names_in(content.decode("utf-8-sig", errors="replace"))
        # A list has no numbers of its own: its first may be 0, or 1.
        for first in (0, 1) if counted else (0,):
            if all(number - first in called for number in numbers.values()):
                return NumberNames(name, {word: called[number - first] for word, number in numbers.items()})
    return NumberNames()


def _names_in(text: str) -> tuple[dict[int, str], bool]:
    """Names by number, and whether the numbers only count the names. Empty where most are no classes."""
    try:
        pairs, counted = _of_json(json.loads(text))
    except (ValueError, RecursionError):
        pairs, counted = _of_lines(text)
    known = sum(not meaning_of(word).doubtful for word in pairs.values())
    return (pairs, counted) if len(pairs) > 1 and known * 2 > len(pairs) else ({}, False)


def _of_json(value: object) -> tuple[dict[int, str], bool]:
    if isinstance(value, dict):
        for key in ("names", "classes", "labels", "id2label"):
            if isinstance(value.get(key), dict | list):
                return _of_json(value[key])
        pairs: dict[int, str] = {}
        for one, other in value.items():
            if isinstance(other, str) and one.isdigit():
                pairs[int(one)] = other
            elif isinstance(other, int):
                pairs[other] = one
        return pairs, False
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return dict(enumerate(value)), True
    return {}, False


def _of_lines(text: str) -> tuple[dict[int, str], bool]:
    """Lines of a word, of a number and a word, or of a word and a number; in YAML those below ``names``."""
    if named := re.search(r"^names\s*:(.*(?:\n(?:[ \t-].*|$))*)", text, re.MULTILINE):
        text = named[1]
    if listed := re.fullmatch(r"\s*\[(.*)\]\s*", text, re.DOTALL):
        text = listed[1].replace(",", "\n")
    lines = [line.strip().rstrip(",") for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    for form, number, word in ((_NUMBER_FIRST, 1, 2), (_NUMBER_LAST, 2, 1)):
        matches = [form.fullmatch(line) for line in lines]
        if lines and all(matches):
            return {int(one[number]): _bare(one[word]) for one in matches if one}, False
    return dict(enumerate(map(_bare, lines))), True


def _bare(word: str) -> str:
    return word.strip(" \t-'\",")
