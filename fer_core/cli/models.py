"""``models import``: somebody else's Keras or LiteRT model, as one more run."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from fer_core.cli import add_json_option
from fer_core.cli.arguments import add_visitor_option, label, some, some_path
from fer_core.cli.evaluate import metrics_text
from fer_core.cli.progress import ProgressLine
from fer_core.cli.terminal import one_line, whisper
from fer_core.formatting import percent
from fer_core.runs.brought import in_steps
from fer_core.value_types import JsonObject

EPILOG = """\
what can be brought:
  .keras           as Keras 3 saves it
  .h5              whole models of Keras 2 and 3
  .json            model.to_json(), with --weights FILE.h5
  .tflite          one input and one output; in float32, or quantised to whole numbers
  SavedModel       the folder that holds saved_model.pb
  .zip             one of these, packed

LiteRT files and SavedModels become LiteRT files without class maps and without gradients: bring the Keras file where
there is one.

Height and width may be any, channels 1 or 3, classes 5 to 8. Pixels and the order of the classes are found out by
trying them on labelled faces of the dataset. Where the evidence speaks against FER-2013's own order, or says nothing,
you are shown the table and asked.

orders (--classes):  fer, alphabetical, rafdb, affectnet, ferplus, ckplus, best, or a list of names
pixels (--scale):    unit (0..1), signed (-1..1), raw (0..255), caffe, torch (ImageNet's), caffe-rgb, torch-bgr

examples:
  python -m fer_core models import emotion_model.h5 --data datasets/fer2013
  python -m fer_core models import emotion_model.h5 --data datasets/fer2013 --classes alphabetical --scale unit
  python -m fer_core models import net.keras --data datasets/fer2013 --classes angry,disgust,fear,happy,sad,surprise
"""


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("models", help="bring somebody else's model")
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    importing = actions.add_parser(
        "import",
        help="make a run of a Keras or LiteRT model, or a SavedModel",
        description="Make a run of somebody else's model. Its file is read as data first, and refused where it holds a "
        "program; then it is opened in a process with limits, without a network where the system can do that.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    importing.add_argument("file", metavar="FILE", type=some_path, help="the model's file or SavedModel folder")
    importing.add_argument("--data", type=some_path, required=True, help="dataset folder to try and measure it on")
    importing.add_argument("--classes", type=some, help="the order of its answers")
    importing.add_argument("--scale", type=some, help="what it wants its pixels to be")
    importing.add_argument("--channels", type=some, help="1, rgb or bgr")
    importing.add_argument("--weights", type=some_path, metavar="FILE", help="the weights of an architecture in JSON")
    importing.add_argument(
        "--history",
        type=some_path,
        metavar="FILE",
        help="its training: history.history as JSON, CSVLogger's file, or TensorBoard's event file or folder of logs",
    )
    importing.add_argument("--name", type=label, help="name of the run (default: the file's)")
    importing.add_argument("--title", type=label, help="what to call it for people (default: the file's name)")
    add_visitor_option(importing)
    add_json_option(importing)
    importing.set_defaults(run=run_import)


def run_import(args: argparse.Namespace) -> tuple[JsonObject, str]:
    """Bring it, with a progress line on standard error, and a table where somebody has to say more."""
    from fer_core.bring.evidence import UndecidedError
    from fer_core.bring.importing import Said, bring_model
    from fer_core.bring.kinds import OtherFrameworkError
    from fer_core.bring.naming import free_run, title_of
    from fer_core.data.dataset import load_dataset
    from fer_core.writable import check_writable

    out = free_run(args.name, args.file)
    check_writable(out, "the run")
    said = Said(args.classes or "", args.scale or "", (args.channels or "").lower(), args.weights)
    dataset = load_dataset(args.data)
    try:
        with ProgressLine(sys.stderr) as line:
            brought = bring_model(
                args.file,
                dataset,
                out,
                said,
                history=args.history,
                visitor=args.visitor,
                title=args.title or title_of(args.name, args.file),
                told=whisper,
                progress=line.show,
            )
    except UndecidedError as error:
        whisper(error.table)
        words = f"{error} For the likeliest, add: {error.suggestion}"
        raise UndecidedError(words, error.table, error.classes, error.scale) from None
    except OtherFrameworkError as error:
        for row in ("its probabilities are written by:", *error.script):
            whisper(f"  {row}")
        raise
    record, parity = brought.record, brought.built["parity"]
    adapter = record["adapter"]
    lines = [
        f"{one_line(brought.folder.path)}: brought from {one_line(record['source'])}.",
        f"  pixels {adapter['pixels']}, {adapter['height']}×{adapter['width']}×{adapter['channels']}; classes "
        f"{', '.join(record['classes'])} ({record['order']}; chosen by {record['evidence']['chosen_by']})",
    ]
    if record["left_out"]:
        lines.append(f"  left out, and the rest adds up to 1 again: {', '.join(record['left_out'])}")
    if record["missing"]:
        lines.append(f"  never answered: {', '.join(record['missing'])}")
    if step := adapter.get("step"):
        lines.append(f"  {in_steps(step, adapter['output'])}")
    if not brought.built["maps"]:
        lines.append(f"  no class maps: {one_line(brought.built['why_no_maps'])}")
    lines.append(
        f"  model.tflite answers as the model does: on {parity['faces']} faces the largest difference is "
        f"{parity['largest_difference']:.1e}, {percent(parity['agreement'], 2)} of the answers are the same"
    )
    if not brought.network_cut:
        lines.append("  this system did not let its process be cut off from the network")
    lines.append(
        metrics_text(brought.metrics) if brought.metrics else "It was not measured: the dataset has no test faces."
    )
    result = {
        "run": str(brought.folder.path),
        "import": record,
        "built": brought.built,
        "without_network": brought.network_cut,
        "metrics": brought.metrics,
    }
    return result, "\n".join(lines)
