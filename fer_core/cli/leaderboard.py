"""``leaderboard``: our shipped runs beside published systems, each with how its number came about."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from fer_core.cli import add_json_option
from fer_core.cli.arguments import some_path
from fer_core.cli.terminal import one_line
from fer_core.errors import PartlyDoneError, RunError
from fer_core.value_types import JsonObject


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "leaderboard",
        help="our shipped runs beside published systems, with provenance",
        description="Our shipped runs beside published systems on FER-2013: accuracy, and how each number came "
        "about (what chose the model, on which faces, how many looks, other data, obtained again or not).",
    )
    parser.add_argument("--write", type=some_path, metavar="FILE", help="write the document (Markdown) to this file")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> tuple[JsonObject, str]:
    from fer_core.files import write_text
    from fer_core.leaderboard.entries import checked_on, leaderboard, missing
    from fer_core.leaderboard.markdown import leaderboard_markdown
    from fer_core.writable import check_output

    if args.write is not None:
        check_output(args.write, "the document")
    entries = leaderboard()
    text = leaderboard_markdown(entries, checked_on())
    result: dict[str, Any] = {"entries": [{"group": entry.group, **asdict(entry)} for entry in entries]}
    problems = missing()
    if args.write is None:
        if problems:
            raise PartlyDoneError(problems, result, text)
        return result, text
    if problems:
        raise RunError(f"{problems[0]} The document was not written, since it would lack a line.")
    write_text(args.write, text)
    return {**result, "written": str(args.write)}, f"Wrote {one_line(args.write)}: {len(entries)} systems."
