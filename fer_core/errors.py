"""Errors whose message is meant for the person at the keyboard.

The command line prints the message and exits with code 2; a page shows it in a box. Every message says what was
wrong, where, and what to do. Anything that is *not* a ``FerError`` is a defect and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


class FerError(Exception):
    """Something a person can put right. The message is a plain English sentence or two.

    ``quoted``: what the message repeats out of a file, as it stands there. Only those read it who may read the file:
    others are told :attr:`without_quotes`.
    """

    def __init__(self, message: str = "", *, quoted: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.quoted = tuple(text for text in quoted if text)

    @property
    def without_quotes(self) -> str:
        """The message with dots in place of what it repeats out of a file."""
        words = str(self)
        for text in sorted(self.quoted, key=len, reverse=True):
            words = words.replace(text, "…")
        return words

    def details(self) -> dict[str, object]:
        """What a program needs besides the message to go on from here; ``--json`` tells it beside the error."""
        return {}


class PartlyDoneError(FerError):
    """Some of what was asked for could not be done; the rest was, and is in ``result`` and ``text``.

    The command line prints those as usual, unless there is no ``result`` because all was printed as it came; then each
    of ``problems`` as an error, and exits with code 1.
    """

    def __init__(self, problems: Sequence[str], result: Mapping[str, object] | None = None, text: str = "") -> None:
        super().__init__(" ".join(problems))
        self.problems, self.result, self.text = list(problems), result, text


class DataError(FerError):
    """A dataset, or a file somebody wants to import, is not what it should be."""


class UnusableFileError(DataError):
    """One file of many is of no use, which need not end the reading of the others.

    ``kind``: what it is, in the plural and for people, such as ``empty files``.
    """

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class RunError(FerError):
    """A run folder is missing, incomplete, busy or damaged."""


class RecipeError(FerError):
    """A training recipe asks for something that cannot be done."""


class ModelError(FerError):
    """A model file that somebody wants to bring is not one, is not safe to open, or does not fit."""


class ExportError(FerError):
    """The exported model does not agree with the model it came from."""


class DownloadError(FerError):
    """A download failed, or its content is not what its hash promises."""


class ExplainError(FerError):
    """An explanation or a change to a face was asked for that cannot be had."""


class AccessError(FerError):
    """Somebody asked for what only the owner, or whoever started it, may do."""


class SweepError(FerError):
    """A sweep is missing, damaged or busy, or its name is taken."""


class ClusterError(FerError):
    """The engine for many processors or computers is not installed, does not start, or cannot be reached."""


class BusyError(FerError):
    """Too much is going on at this moment; the same request may go well later."""
