"""``data look``, ``data import``, ``data info``, ``data audit``: bring faces in, say what is there and wrong."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fer_core import emotions
from fer_core.cli import add_json_option
from fer_core.cli.arguments import label, new_folder, real, some, some_path, whole
from fer_core.cli.progress import ProgressLine
from fer_core.cli.terminal import one_line, whisper
from fer_core.data.audit.result import AuditSummary
from fer_core.data.info import DatasetInfo
from fer_core.data.understanding import SPLIT_SEED, Corrections, Understanding
from fer_core.errors import FerError
from fer_core.formatting import percent, plural
from fer_core.value_types import JsonObject

SOURCES = """\
sources:
  a file          fer2013.csv, icml_face_data.csv or another table of faces, plain or as .gz .zip .xz .tar.gz:
                  a label and pixels in one column or one each; NumPy (.npz, or X.npy and y.npy in a folder); Parquet
  a folder, zip,  pictures in folders for classes and splits, in any order (train/<class>/, <class>/train/, or
  tar             <class>/ alone), with their class in their names (angry_001.jpg), or with a list of them (a CSV of
                  paths and labels, or lines such as 001.jpg happy)
"""
IMPORT_EPILOG = f"""\
{SOURCES}\
  sample          faces drawn by this project; nothing is downloaded
  kaggle          msambare/fer2013 from Kaggle, about 60 MB

examples:
  python -m fer_core data import sample --out datasets/sample
  python -m fer_core data import fer2013.csv.gz --out datasets/fer2013
  python -m fer_core data import my_faces --out datasets/mine --classes happy=joy --drop misc
  python -m fer_core data import their_faces.zip --out datasets/theirs --splits all=test
"""

LOOK_EPILOG = f"""\
Nothing is written. Say what was misunderstood with the options, which data import takes, too.

{SOURCES}
examples:
  python -m fer_core data look my_faces
  python -m fer_core data look raf-db.zip --classes RAF-DB
  python -m fer_core data look my_faces --classes happy=joy,angry=rage --drop misc --splits dev=validation
"""

AUDIT_EPILOG = """\
what is looked for:
  exact duplicates   groups of faces with the very same pixels
  near duplicates    pairs with a high normalised cross-correlation (NCC) when equalised and shrunk to 24×24 pixels, as
                     they are or one of them mirrored
  twins              faces of PublicTest and PrivateTest with an exact or near duplicate in Training; every evaluation
                     also gives its scores without them
  labels             exact duplicates that are labelled differently
  blank images       constant (one grey level), or nearly so (half of the pixels have one grey level)

The result is kept in the dataset folder (audit.parquet); the next audit and every evaluation take it from there.
With another --threshold it is only printed.

examples:
  python -m fer_core data audit datasets/fer2013
  python -m fer_core data audit datasets/fer2013 --threshold 0.97 --json
"""


def add(subparsers: Any) -> None:
    """Register ``data`` with its three actions."""
    parser = subparsers.add_parser("data", help="import faces, look at a dataset folder, find what is wrong with it")
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)

    looking = actions.add_parser(
        "look",
        help="what is understood of a file, folder or archive of faces; writes nothing",
        epilog=LOOK_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    looking.add_argument("source", metavar="SOURCE", type=some, help="the path of a file, folder or archive")
    _add_corrections(looking)
    add_json_option(looking)
    looking.set_defaults(run=run_look)

    importing = actions.add_parser(
        "import",
        help="import FER-2013 or your own faces, or draw the sample",
        epilog=IMPORT_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    importing.add_argument(
        "source", metavar="SOURCE", type=some, help="sample, kaggle, or the path of a file or folder"
    )
    importing.add_argument("--out", required=True, type=new_folder, metavar="DIR", help="the dataset folder to make")
    importing.add_argument("--name", type=label, help="what to call it (default: the folder's name)")
    importing.add_argument("--title", type=label, help="what to call it for people (default: FER-2013, where it is)")
    _add_corrections(importing)
    importing.add_argument("--overwrite", action="store_true", help="replace the dataset that is in DIR")
    add_json_option(importing)
    importing.set_defaults(run=run_import)

    info = actions.add_parser("info", help="what is in a dataset folder")
    info.add_argument("folder", type=some_path, metavar="DIR", help="a dataset folder")
    add_json_option(info)
    info.set_defaults(run=run_info)

    audit = actions.add_parser(
        "audit",
        help="find duplicates, near duplicates, contradicting labels and blank images",
        epilog=AUDIT_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    audit.add_argument("folder", type=some_path, metavar="DIR", help="a dataset folder")
    audit.add_argument(
        "--threshold",
        type=real(0.5, 1, below=True),
        metavar="NCC",
        help="how alike near duplicates are, 0.5 to below 1 (default: 0.93, the rule of every evaluation)",
    )
    add_json_option(audit)
    audit.set_defaults(run=run_audit)


def _add_corrections(parser: argparse.ArgumentParser) -> None:
    """What somebody may say about their faces."""
    parser.add_argument(
        "--classes",
        metavar="WORDS",
        help="what the source's words mean: angry=rage,happy=joy; or whose numbers they are: RAF-DB, FER-2013, "
        "AffectNet, CK+; or the names of the numbers from 0: neutral,happy,sad,…",
    )
    parser.add_argument(
        "--splits", metavar="WORDS", help="what its words for splits mean: dev=validation,eval=test; or all=test"
    )
    parser.add_argument("--drop", metavar="WORDS", help="classes, folders or files to leave out, with commas between")
    parser.add_argument(
        "--already-cut",
        action="store_true",
        help="each picture is a face already, so none is looked for in larger ones",
    )
    parser.add_argument(
        "--seed",
        type=whole(0),
        default=SPLIT_SEED,
        metavar="N",
        help=f"with which splits are drawn where the source has none (default: {SPLIT_SEED})",
    )


def _said(args: argparse.Namespace) -> Corrections:
    return Corrections.parse(args.classes, args.splits, args.drop, seed=args.seed, already_cut=args.already_cut)


def run_look(args: argparse.Namespace) -> tuple[JsonObject, str]:
    """Look through a source, with a progress line on standard error."""
    from fer_core.data.look import look_at
    from fer_core.inference.cutter import LargestFace

    said = _said(args)
    with ProgressLine(sys.stderr) as line:
        understood = look_at(args.source, said, cutter=LargestFace(), progress=line.show).understanding
    return _understanding_json(understood), describe_look(understood)


def describe_look(understood: Understanding) -> str:
    """What was understood of a source, in a few lines of plain text."""
    lines = [one_line(understood.layout), ""]
    for found in understood.classes:
        meaning = found.meaning
        told = meaning.name or ("?" if meaning.suggestion is None else f"? perhaps {meaning.suggestion}")
        why = f"  ({one_line(meaning.why)})" if meaning.why else ""
        lines.append(f"{one_line(meaning.word):24} {told:20}{plural(found.faces, 'face'):>16}{why}")
    if understood.splits:
        lines += ["", *counts_table(understood.counts)]
        hows = [f"{one.split:13} {one_line(one.how)}" for one in understood.splits if one.how != one.split]
        lines += ["", *hows] if hows else []
    if understood.missing and understood.faces:
        lines += ["", f"There is no face of {', '.join(understood.missing)}."]
    if understood.left_out:
        lines += ["", "Left out:"]
        lines += [
            f"{one.count:>9,}  {one_line(one.kind)}, such as {one_line(', '.join(one.examples))}"
            for one in understood.left_out
        ]
    notes = [*understood.notes, *([understood.remark] if understood.remark else [])]
    notes += [f"{understood.question}."] if understood.question else []
    return "\n".join([*lines, *([""] if notes else []), *(f"Note: {one_line(note)}" for note in notes)])


def _understanding_json(understood: Understanding) -> dict[str, Any]:
    return {
        "layout": understood.layout,
        "faces": understood.faces,
        "classes": [
            {
                "word": found.meaning.word,
                "meaning": found.meaning.name or None,
                "suggestion": found.meaning.suggestion,
                "why": found.meaning.why,
                "pictures": found.faces,
            }
            for found in understood.classes
        ],
        "splits": [{"split": one.split, "counts": list(one.counts), "how": one.how} for one in understood.splits],
        "missing": list(understood.missing),
        "left_out": [
            {"kind": one.kind, "count": one.count, "examples": list(one.examples)} for one in understood.left_out
        ],
        "notes": list(understood.notes),
        "remark": understood.remark,
        "question": understood.question,
    }


def run_import(args: argparse.Namespace) -> tuple[JsonObject, str]:
    """Import, with a progress line on standard error."""
    from fer_core.data.importer import import_dataset
    from fer_core.inference.cutter import LargestFace
    from fer_core.writable import check_writable

    said = _said(args)
    check_writable(args.out.absolute().parent, "the dataset")
    began = time.monotonic()
    with ProgressLine(sys.stderr) as line:
        dataset = import_dataset(
            args.source,
            args.out,
            progress=line.show,
            name=args.name,
            title=args.title,
            overwrite=args.overwrite,
            said=said,
            cutter=LargestFace(),
        )
    seconds = time.monotonic() - began
    text = f"Imported {len(dataset):,} faces in {seconds:.1f} s.\n\n{describe(dataset.info)}"
    return {**_as_json(dataset.info), "seconds": round(seconds, 2)}, text


def run_info(args: argparse.Namespace) -> tuple[JsonObject, str]:
    """Open a dataset folder, which checks it, and describe it."""
    from fer_core.data.dataset import load_dataset

    info = load_dataset(args.folder, unlabelled=True).info
    return _as_json(info), describe(info)


def run_audit(args: argparse.Namespace) -> tuple[JsonObject, str]:
    """Audit a dataset folder, with a progress line on standard error."""
    from fer_core.data.audit import THRESHOLD, audit_dataset, read_audit
    from fer_core.data.dataset import load_dataset

    dataset = load_dataset(args.folder)
    standard = args.threshold is None or args.threshold == THRESHOLD
    if standard and read_audit(dataset) is None:
        _tell_if_not_kept(dataset.path)
    began = time.monotonic()
    with ProgressLine(sys.stderr) as line:
        audit = audit_dataset(dataset, line.show, threshold=THRESHOLD if args.threshold is None else args.threshold)
    seconds = round(time.monotonic() - began, 2)
    info = dataset.info
    found = audit.summary()
    result = {"path": str(info.path), **info.record(), **found, "cached": audit.cached, "seconds": seconds}
    when = "audited before, and read from audit.parquet" if audit.cached else f"audited in {seconds:.1f} s"
    text = f"{one_line(info.title)}: {plural(info.faces, 'face')}, {when}\n\n{describe_audit(found)}"
    return {**result, "note": audit.note}, "\n".join(filter(None, [text, audit.note]))


def _tell_if_not_kept(folder: Path) -> None:
    """The audit's answer is printed, so it is worth its time all the same; but people know before they wait."""
    from fer_core.writable import check_writable

    try:
        check_writable(folder, "the audit's result")
    except FerError as error:
        whisper(f"note: {one_line(error)} It is printed only, and the next audit starts anew.")


def describe_audit(found: AuditSummary) -> str:
    """What :meth:`fer_core.data.audit.Audit.summary` says, in a few lines of plain text."""
    exact, nearly, conflicts = found["exact"], found["near"], found["conflicts"]
    lines = [
        f"exact duplicates  {plural(exact['groups'], 'group')} of {plural(exact['rows'], 'face')}, "
        f"{exact['redundant']:,} of them redundant; {plural(exact['groups_across_splits'], 'group')} across splits",
        f"near duplicates   {plural(nearly['pairs'], 'pair')} between {plural(nearly['rows'], 'face')} "
        f"(NCC above {found['threshold']:g}, mirrored too; exact duplicates not counted)",
        f"labels            {plural(conflicts['groups'], 'group')} of {plural(conflicts['rows'], 'face')} "
        "with the same pixels and different labels",
        f"constant          {_rows(found['constant'])}",
        f"nearly constant   {_rows(found['nearly_constant'])}",
        "",
        f"{'twins in Training':18}{'faces':>8}{'exact':>18}{'only near':>18}{'together':>18}",
    ]
    for split, duplicates in found["twins_in_training"].items():
        cells = [
            f"{number:,} ({percent(number / duplicates['faces'])})" if duplicates["faces"] else "–"
            for number in (duplicates["exact"], duplicates["near"], duplicates["exact_or_near"])
        ]
        lines.append(f"{split:18}{duplicates['faces']:>8,}" + "".join(f"{cell:>18}" for cell in cells))
    return "\n".join(lines)


def _rows(rows: list[int]) -> str:
    """``none``, or how many images and the row numbers of the first dozen."""
    if not rows:
        return "none"
    more = f" and {len(rows) - 12:,} more" if len(rows) > 12 else ""
    return f"{plural(len(rows), 'image')}: {'row' if len(rows) == 1 else 'rows'} {', '.join(map(str, rows[:12]))}{more}"


def describe(info: DatasetInfo) -> str:
    """A dataset in a few lines of plain text, with a table of faces per class and split."""
    rows = counts_table(info.counts)
    head = [
        f"{one_line(info.title)}: {info.faces:,} faces of 48×48 pixels",
        f"folder       {one_line(info.path)}",
        f"from         {one_line(info.source)}, {info.created[:10]}",
        f"fingerprint  {info.fingerprint[:16]}…",
    ]
    if info.layout:
        head.insert(3, f"layout       {one_line(info.layout)}")
    notes = ["", *(f"Note: {one_line(note)}" for note in info.notes)] if info.notes else []
    return "\n".join([*head, "", *rows, *notes])


def counts_table(counts: Mapping[str, Sequence[int]]) -> list[str]:
    """Lines of a table of faces per class and split."""
    width = max(map(len, emotions.NAMES)) + 2
    rows = [f"{'':{width}}" + "".join(f"{split:>13}" for split in emotions.SPLITS)]
    have = {split: counts.get(split, (0,) * emotions.COUNT) for split in emotions.SPLITS}
    for emotion in emotions.EMOTIONS:
        rows.append(f"{emotion.name:{width}}" + "".join(f"{have[split][emotion.index]:>13,}" for split in have))
    rows.append(f"{'all':{width}}" + "".join(f"{sum(numbers):>13,}" for numbers in have.values()))
    return rows


def _as_json(info: DatasetInfo) -> dict[str, Any]:
    return {"path": str(info.path), **info.to_json()}
