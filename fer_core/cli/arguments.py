"""What an argument may be: argparse types whose errors say what was given and what is allowed."""

from __future__ import annotations

import argparse
import math
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

LONGEST_LABEL = 200
"""Characters of a name or title: more fits into no heading."""


def whole(low: int, high: int | None = None) -> Callable[[str], int]:
    """The type of a whole number from ``low`` to ``high``; None: as large as one likes, up to 2⁶³ − 1."""
    highest = 2**63 - 1 if high is None else high
    allowed = f"a whole number, {low:,} or more" if high is None else f"a whole number from {low:,} to {high:,}"

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise _refused(allowed, text) from None
        if not low <= value <= highest:
            raise _refused(allowed, text)
        return value

    return parse


def real(low: float, high: float, *, below: bool = False) -> Callable[[str], float]:
    """The type of a number from ``low`` to ``high``, which itself is left out where ``below``."""
    allowed = f"a number from {low:g} to below {high:g}" if below else f"a number from {low:g} to {high:g}"

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise _refused(allowed, text) from None
        if not math.isfinite(value) or not low <= value <= high or (below and value == high):
            raise _refused(allowed, text)
        return value

    return parse


def some(text: str) -> str:
    """The type of a name of something that exists: any text but an empty one."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it must not be empty")
    if "\0" in text:
        raise argparse.ArgumentTypeError("it must not contain the character NUL")
    if text.startswith("~"):
        try:
            Path(text).expanduser()
        except RuntimeError:
            raise argparse.ArgumentTypeError(f"there is no home folder {text.split('/')[0]!r}") from None
    return text


def some_path(text: str) -> Path:
    """The type of a path. An empty one would be the folder that one happens to be in, and of an address one would be
    made that is called so.
    """
    if re.match(r"[A-Za-z][\w+.-]+://", text):
        raise argparse.ArgumentTypeError(f"{text!r} is an address; give a path of this computer")
    return Path(some(text)).expanduser()


def label(text: str) -> str:
    """The type of a name or title that is given to something new: people read it, so it is one line of text."""
    some(text)
    if len(text) > LONGEST_LABEL:
        raise argparse.ArgumentTypeError(f"it has {len(text):,} characters, and at most {LONGEST_LABEL} are allowed")
    _check_readable(text)
    return text


def new_folder(text: str) -> Path:
    """The type of a folder to be made. Its name becomes the name of what is in it, so it must be readable."""
    given = some_path(text)
    _check_readable(given.absolute().name)
    return given


def add_answer_options(parser: argparse.ArgumentParser) -> None:
    """How pictures are read and models asked: the same for ``predict`` and ``score``."""
    parser.add_argument(
        "--average",
        choices=("none", "flip"),
        default="none",
        help="flip: the mean over each face and its mirror image; takes twice the time; pictures only (default: none)",
    )
    parser.add_argument(
        "--already-cut",
        action="store_true",
        help="each picture is a face already, framed as FER-2013's are: no face is looked for; pictures only",
    )
    parser.add_argument(
        "--calibrated",
        action="store_true",
        help="apply each run's temperature, so that its confidence fits how often it is right; no answer changes",
    )


def add_visitor_option(parser: argparse.ArgumentParser) -> None:
    """For the app alone, which brings what visitors upload: whose run it will be, a mark of 32 hex digits."""
    parser.add_argument("--visitor", type=_mark, metavar="MARK", help=argparse.SUPPRESS)


def _mark(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{32}", text):
        raise argparse.ArgumentTypeError("it must be 32 hex digits")
    return text


def _check_readable(text: str) -> None:
    for character in text:
        # Control characters, halves of surrogate pairs (names that are no UTF-8), line and paragraph separators.
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            raise argparse.ArgumentTypeError(
                f"it contains {character!a}, which cannot be shown; use letters, digits and signs"
            )


def _refused(allowed: str, text: str) -> argparse.ArgumentTypeError:
    shown = text if len(text) <= 40 else text[:37] + "…"
    return argparse.ArgumentTypeError(f"it must be {allowed}, not {shown!r}")
