"""Text for a terminal: nothing in a name can steer it, whatever its encoding, and a closed or full one is no crash."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import sys
from typing import Any, TextIO

PLAIN = {
    **dict.fromkeys("–—−‐‑", "-"),
    **dict.fromkeys("“”„", '"'),
    **dict.fromkeys("‘’", "'"),
    **{"×": "x", "→": "->", "←": "<-", "…": "...", "·": "*", "•": "*", "≥": ">=", "≤": "<=", "±": "+/-", "≈": "~"},
    **{"█": "#", "░": ".", "²": "2", "³": "3", "\u00a0": " ", "\u202f": " ", "\u2009": " "},
}
"""Signs that this program prints, as they are written where only ASCII can be shown."""

# Whatever moves the cursor, colours, rings or turns the direction of writing; tabs and line ends are our own.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_HANDLER = "fer-explorer-plain"


def one_line(value: object) -> str:
    """A name or path from elsewhere inside our own lines: a line end in it is shown as ``\\n``."""
    return harmless(str(value)).replace("\n", "\\n").replace("\t", "\\t")


def harmless(text: str) -> str:
    """Text with every control character written out, such as ``\\x1b``; tabs and line ends stay."""
    return _STEERING.sub(_written_out, text)


class OutputError(Exception):
    """Standard output takes nothing more. The message is for people."""

    def __init__(self, error: OSError) -> None:
        super().__init__(
            f"standard output cannot be written to ({error.strerror or error}). Send it to another place, or free some "
            "space there."
        )
        self.nobody_reads = isinstance(error, BrokenPipeError)
        """Whether the reader has gone, as ``head`` does: no mistake."""


def output(text: str) -> None:
    """Print lines on standard output, if it is open. Raises :class:`OutputError`."""
    if sys.stdout is not None:
        try:
            sys.stdout.write(harmless(text) + "\n")
        except OSError as error:
            raise OutputError(error) from error


def flush_output() -> None:
    """Raise :class:`OutputError` now rather than a traceback when the interpreter ends and flushes by itself."""
    if sys.stdout is not None:
        try:
            sys.stdout.flush()
        except OSError as error:
            raise OutputError(error) from error


def whisper(text: str, end: str = "\n") -> None:
    """Print on standard error, if that can be: what nobody can be told must not end what is being done."""
    if sys.stderr is not None:
        try:
            sys.stderr.write(harmless(text) + end)
            sys.stderr.flush()
        except OSError:
            silence(sys.stderr)


def silence(stream: TextIO | None) -> None:
    """Send what a broken stream still holds to nowhere, so that the interpreter's own flush at its end succeeds."""
    # A stream of a test or a notebook has no descriptor, and no flush at the end either.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())  # type: ignore[union-attr]
        os.close(nowhere)


def prepare() -> None:
    """Make both streams show what they can of every character, and keep their descriptors from files.

    A program that is started with standard output closed would give that number to the next file it opens, and a
    library's message would go into that file.
    """
    with contextlib.suppress(OSError):
        while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(descriptor)
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=_HANDLER)


def _shown(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(PLAIN.get(character) or _written_out(character) for character in text), error.end


def _written_out(found: re.Match[str] | str) -> str:
    character = found if isinstance(found, str) else found.group()
    if ord(character) < 0x80:
        return f"\\x{ord(character):02x}"
    return character.encode("ascii", "backslashreplace").decode()


codecs.register_error(_HANDLER, _shown)
