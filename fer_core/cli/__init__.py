"""The command line: ``python -m fer_core <command>``.

Each command is one file. Its ``add(subparsers)`` registers a parser with ``set_defaults(run=…)``; ``run(args)``
returns ``(result, text)``: a JSON-able dict for ``--json``, and the sentences for people. A
:class:`~fer_core.errors.FerError` ends the command with its message on standard error and exit code 2 (with
``--json`` also as ``{"error": …}`` on standard output); a :class:`~fer_core.errors.PartlyDoneError` prints what was
done and ends with 1.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence

from fer_core import __version__
from fer_core.errors import FerError, PartlyDoneError

COMMANDS = ("data", "train", "evaluate", "vote", "export", "predict", "explain", "runs", "leaderboard", "architectures")

EPILOG = """\
a first tour:
  python -m fer_core data import sample --out datasets/sample
  python -m fer_core train custom_cnn --data datasets/sample --epochs 5
  python -m fer_core runs
"""


def build_parser() -> argparse.ArgumentParser:
    """The whole parser. Building it imports no TensorFlow."""
    parser = argparse.ArgumentParser(
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
    interrupted.
    """
    args = build_parser().parse_args(argv)
    try:
        result, text = args.run(args)
    except PartlyDoneError as error:
        print(json.dumps(error.result, indent=2) if args.json else error.text)
        for problem in error.problems:
            print(f"error: {problem}", file=sys.stderr)
        return 1
    except FerError as error:
        if args.json:
            print(json.dumps({"error": str(error)}))
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print(json.dumps(result, indent=2) if args.json else text)
    return 0
