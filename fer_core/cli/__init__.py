"""The command line: ``python -m fer_core <command>``.

Each command is one file. Its ``add(subparsers)`` registers a parser with ``set_defaults(run=…)``; ``run(args)``
returns ``(result, text)``: a JSON-able dict for ``--json``, and the sentences for people; or None, where it has printed
all of it as it came. A
:class:`~fer_core.errors.FerError` ends the command with its message on standard error and exit code 2 (with
``--json`` also as ``{"error": …}`` on standard output); a :class:`~fer_core.errors.PartlyDoneError` prints what was
done and ends with 1.

Whatever happens around a command ends it without a traceback, here at one place:

- A reader that goes away (``… | head -1``) ends it quietly with 141, 128 and the number of SIGPIPE, as shells report
  it for programs of the system; standard output is pointed to nowhere then, as Python's documentation advises
  (https://docs.python.org/3/library/signal.html#note-on-sigpipe). The documentation's own 1 means "partly done" here.
- Standard output that takes nothing (a full disk) and any other ``OSError`` are a sentence and 2.
- A library that is not installed is a sentence that says how to install it, and 2.
- Ctrl+C and SIGTERM end it with "interrupted" and 130; a second one does not disturb its cleaning up.
- A traceback is a defect of ours.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from fer_core import __version__
from fer_core.cli.terminal import OutputError, flush_output, one_line, output, prepare, silence, whisper
from fer_core.errors import FerError, PartlyDoneError
from fer_core.signals import INTERRUPTED, Interruption
from fer_core.zoo.backend import TENSORFLOW, compute_with

COMMANDS = (
    "data",
    "train",
    "sweep",
    "evaluate",
    "predictions",
    "models",
    "vote",
    "export",
    "predict",
    "score",
    "explain",
    "runs",
    "leaderboard",
    "architectures",
)
CHOOSES_LIBRARY = ("train", "sweep")
"""Commands that ask which library computes; where others load Keras, it is TensorFlow."""

EPILOG = """\
a first tour:
  python -m fer_core data import sample --out datasets/sample
  python -m fer_core train custom_cnn --data datasets/sample --epochs 5
  python -m fer_core runs
"""


def build_parser() -> argparse.ArgumentParser:
    """The whole parser. Building it imports no TensorFlow."""
    parser = _Parser(
        prog="python -m fer_core",
        description="See how facial-expression models work and fail.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"FER Explorer {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="command", required=True)
    for command in COMMANDS:
        importlib.import_module(f"fer_core.cli.{command}").add(subparsers)
    return parser


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Every command takes ``--json``: one object on standard output, progress on standard error."""
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 fine, 1 partly done, 2 a mistake with a message, 130
    interrupted, 141 nobody read on. Raises ``SystemExit`` for help, and for arguments that are wrong.
    """
    with Interruption() as interruption:
        return _guarded(argv, interruption)


def program() -> int:
    """:func:`main` for a process of its own, which still holds signals back while the interpreter ends."""
    interruption = Interruption()
    with interruption:
        interruption.stay()
        return _guarded(None, interruption)


class _Parser(argparse.ArgumentParser):
    """Prints as everything here does: harmless, and with an error where nothing can be printed."""

    def _print_message(self, message: str, file: Any = None) -> None:
        if message and file is sys.stdout:
            output(message.removesuffix("\n"))
            flush_output()
        elif message:
            whisper(message.removesuffix("\n"))

    def error(self, message: str) -> NoReturn:
        # What was given is in there, line ends and all.
        super().error(one_line(message))


def _guarded(argv: Sequence[str] | None, interruption: Interruption) -> int:
    prepare()
    try:
        code = _run(argv)
        flush_output()
        return code
    except OutputError as error:
        silence(sys.stdout)
        if error.nobody_reads:
            return 141
        whisper(f"error: {error}")
        return 2
    except KeyboardInterrupt:
        return _interrupted()
    except ModuleNotFoundError as error:
        whisper(f"error: {_how_to_install(error)}")
        return 2
    except Exception:
        # Libraries turn an interruption into errors of their own, most of all while they load.
        if interruption.happened:
            return _interrupted()
        raise


def _run(argv: Sequence[str] | None) -> int:
    args = build_parser().parse_args(argv)
    try:
        if args.command not in CHOOSES_LIBRARY:
            compute_with(TENSORFLOW)
        done = args.run(args)
    except PartlyDoneError as error:
        if error.result is not None:
            output(json.dumps(error.result, indent=2) if args.json else error.text)
        flush_output()
        for problem in error.problems:
            whisper(f"error: {one_line(problem)}")
        return 1
    except FerError as error:
        return _failed(args, str(error), error.details())
    except ModuleNotFoundError as error:
        return _failed(args, _how_to_install(error))
    except OSError as error:
        from fer_core.writable import sentence

        return _failed(args, sentence(error))
    except UnicodeEncodeError as error:
        odd = error.object[max(0, error.start - 20) : error.end]
        return _failed(args, f"{odd!a} is no UTF-8, so it cannot be stored. Is a file or folder called so? Rename it.")
    except MemoryError:
        return _failed(args, "memory ran out. Close other programs, or ask for less at once.")
    if done is not None:
        result, text = done
        output(json.dumps(result, indent=2) if args.json else text)
    return 0


def _how_to_install(error: ModuleNotFoundError) -> str:
    """Raises the error again where it is a module of ours that is missing."""
    if (error.name or "fer_core").partition(".")[0] == "fer_core":
        raise error
    return f"{error.name} is not installed. Install what FER Explorer needs: pip install -r requirements.txt"


def _failed(args: argparse.Namespace, message: str, details: Mapping[str, object] | None = None) -> int:
    whisper(f"error: {one_line(message)}")
    if args.json:
        output(json.dumps({"error": message, **(details or {})}))
    return 2


def _interrupted() -> int:
    try:
        flush_output()
    except OutputError:
        silence(sys.stdout)
    whisper("interrupted")
    return INTERRUPTED
