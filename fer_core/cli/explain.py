"""``explain``: maps of one face as a picture, whether maps mark what models use, and what models look for."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.cli import add_json_option
from fer_core.cli.arguments import some, some_path, whole
from fer_core.cli.progress import ProgressLine
from fer_core.cli.terminal import one_line
from fer_core.errors import ExplainError, RunError
from fer_core.value_types import JsonObject

if TYPE_CHECKING:
    from fer_core.runs.folder import RunFolder

ALL = "all"
WORKER_SECONDS = 3600.0
"""Seven pictures take a large model minutes, and longer on a machine that does something else."""
FAITHFULNESS_EPILOG = """\
what is measured:
  Each map is of the model's own answer. What it marks most is deleted from the face, and put back into a blurred one,
  step by step; so are random orders, a round blob in the middle and the face's edges. Reported are the areas under the
  curves and their differences, with 95 % bootstrap intervals over faces. The result is kept in each run's
  faithfulness.json; what is there already, measured in the same way, is not measured again.

methods:
  class_map, occlusion, rise need predictions alone, about 400 a face together; the others need gradients, and start
  TensorFlow in a process of its own: saliency, gradcam, gradcam_plus_plus, layercam (a pass with gradients a face),
  smoothgrad (48), scorecam (64 passes).

examples:
  python -m fer_core explain faithfulness --models custom_cnn --n 100 --data datasets/fer2013
  python -m fer_core explain faithfulness --models all --n 500 --data datasets/fer2013 --write docs/explanations.md
"""
FACE_EPILOG = """\
examples:
  python -m fer_core explain face --row 32298 --data datasets/fer2013 --out face.png
  python -m fer_core explain face --row 32298 --data datasets/fer2013 --models resnet50 --expression fear --out fear.png
"""


def add(subparsers: Any) -> None:
    """Register ``explain`` with its actions."""
    from fer_core.emotions import NAMES
    from fer_core.explain.batch_maps import FaithfulnessPlan
    from fer_core.explain.methods import METHODS

    usual = FaithfulnessPlan()
    parser = subparsers.add_parser("explain", help="where models look, and whether such maps can be trusted")
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)

    faithfulness = actions.add_parser(
        "faithfulness",
        help="do maps mark what the models use? a table over many faces",
        epilog=FAITHFULNESS_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    faithfulness.add_argument("--data", type=some_path, required=True, help="dataset folder; PublicTest is used")
    _add_models(faithfulness)
    faithfulness.add_argument(
        "--n", type=whole(2), default=usual.n, metavar="N", help=f"faces, drawn class by class ({usual.n})"
    )
    faithfulness.add_argument(
        "--methods",
        nargs="+",
        metavar="METHOD",
        choices=(ALL, *METHODS),
        help=f"which methods, of {', '.join(METHODS)}, or all (default: those that need no gradients)",
    )
    faithfulness.add_argument(
        "--masks", type=whole(10), default=usual.masks, metavar="N", help=f"masks a face of RISE ({usual.masks})"
    )
    faithfulness.add_argument("--again", action="store_true", help="measure again what is kept already")
    faithfulness.add_argument(
        "--write", type=some_path, metavar="FILE", help="write the document (Markdown) to this file"
    )
    add_json_option(faithfulness)
    faithfulness.set_defaults(run=run_faithfulness)

    face = actions.add_parser(
        "face",
        help="maps of one face of a dataset, as a picture",
        description="Draw where each model looks in one face: the class map of its own answer, or of one expression. "
        "Each map is put to the test on that face, and the verdict printed.",
        epilog=FACE_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    face.add_argument("--row", type=whole(0), required=True, metavar="N", help="the face's row number in the dataset")
    face.add_argument("--data", type=some_path, required=True, help="dataset folder")
    face.add_argument("--out", type=some_path, required=True, metavar="FILE", help="the picture to write, PNG or JPEG")
    _add_models(face)
    face.add_argument("--expression", choices=NAMES, help="whose map (default: each model's own answer)")
    add_json_option(face)
    face.set_defaults(run=run_face)

    inside = actions.add_parser(
        "inside",
        help="what a model has learned to look for: first kernels, and the picture it would call most fearful",
        description="Change a drawn face until the model calls it angry, disgust and so on (activation maximisation), "
        "and keep the seven pictures and the first layer's kernels with the run, for Explain. Starts TensorFlow in a "
        "process of its own; minutes a model.",
    )
    _add_models(inside)
    inside.add_argument("--again", action="store_true", help="make again what is kept already")
    add_json_option(inside)
    inside.set_defaults(run=run_inside)


def run_inside(args: argparse.Namespace) -> tuple[JsonObject, str]:
    """Make ``inside.npz`` for run after run."""
    from fer_core.emotions import NAMES
    from fer_core.explain.inside import INSIDE_FILE, keep_inside, read_inside
    from fer_core.explain.worker.client import Worker
    from fer_core.explain.worker.messages import inside_request
    from fer_core.formatting import percent
    from fer_core.writable import check_writable

    requests = {}
    for folder in _models(args.models):
        # All of them before the first is made: that takes minutes.
        check_writable(folder.path, f"{INSIDE_FILE}")
        requests[folder] = inside_request(folder)
    worker = Worker()  # starts nothing until it is asked
    told: dict[str, Any] = {}
    lines = []
    try:
        with ProgressLine(sys.stderr) as line:
            for folder, request in requests.items():
                found = None if args.again else read_inside(folder)
                if found is None:
                    found = worker.run(request, timeout=WORKER_SECONDS, progress=line.show)
                    keep_inside(folder, found)
                shares = {name: float(found.probabilities[at, at]) for at, name in enumerate(NAMES)}
                told[folder.name] = {"file": str(folder.path / INSIDE_FILE), "probabilities": shares}
                said = ", ".join(f"{name} {percent(share, 0)}" for name, share in shares.items())
                lines.append(f"{one_line(folder.name)}: what it says of the picture made for each class: {said}.")
    finally:
        worker.stop()
    return {"models": told}, "\n".join(lines)


def run_faithfulness(args: argparse.Namespace) -> tuple[JsonObject, str]:
    """Measure run after run, each kept as it is done; then the table, and the document where one is asked for."""
    from fer_core.data.dataset import load_dataset
    from fer_core.explain import faithfulness_report as words
    from fer_core.explain.batch_maps import FaithfulnessPlan
    from fer_core.explain.faithfulness_study import WITHOUT_GRADIENTS, as_json, measure_faithfulness
    from fer_core.explain.methods import METHODS
    from fer_core.explain.worker.client import Worker
    from fer_core.files import write_text
    from fer_core.runs.measurements import evaluation_on
    from fer_core.writable import check_output, check_writable

    if args.write is not None:
        check_output(args.write, "the document")
    asked = args.methods or WITHOUT_GRADIENTS
    methods = [name for name in METHODS if name in asked or ALL in asked]
    dataset = load_dataset(args.data)
    folders = _models(args.models)
    if args.models == [ALL]:
        folders = [folder for folder in folders if folder.evaluation(dataset.info.fingerprint) is not None]
        if not folders:
            raise ExplainError(
                f"no run was measured on the faces of {args.data}. Evaluate one on them first: "
                f"python -m fer_core evaluate RUN --data {args.data}"
            )
    for folder in folders:
        # All of them before the first is measured: that takes minutes.
        evaluation_on(folder, dataset.info.fingerprint, args.data)
        check_writable(folder.path, "the measurement")
        gradients = [name for name in methods if METHODS[name].where == "worker"]
        folder.check_has_model()
        if folder.is_vote and gradients:
            raise ExplainError(
                f"{folder.name} is a vote and has no gradients of its own. Leave out {', '.join(gradients)}, or name "
                "its members."
            )
    worker = Worker()  # starts nothing until it is asked
    found = {}
    try:
        with ProgressLine(sys.stderr) as line:
            for folder in folders:
                plan = FaithfulnessPlan(n=args.n, masks=args.masks)
                found[folder.name] = measure_faithfulness(
                    folder, dataset, methods, plan=plan, again=args.again, worker=worker, progress=line.show
                )
    finally:
        worker.stop()
    result: dict[str, Any] = {"models": {name: as_json(one) for name, one in found.items()}}
    text = "\n\n".join([*(words.text(name, one) for name, one in found.items()), words.markdown(words.overview(found))])
    if args.write is None:
        return result, text
    write_text(args.write, words.report_markdown(found))
    return {**result, "written": str(args.write)}, f"{text}\n\nWrote {one_line(args.write)}."


def run_face(args: argparse.Namespace) -> tuple[JsonObject, str]:
    """Explain one face by several models, judge each map, and write them side by side into one picture."""
    import numpy as np

    from fer_core.data.dataset import load_dataset
    from fer_core.emotions import NAMES, index_of
    from fer_core.explain.blank_maps import why_blank
    from fer_core.explain.faithfulness import measure_maps
    from fer_core.explain.trust import judge
    from fer_core.formatting import percent
    from fer_core.inference.models import load_model
    from fer_core.plots.faces import overlay
    from fer_core.writable import check_output

    if args.out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise ExplainError(f"{args.out} must end in .png or .jpg.")
    check_output(args.out, "the picture")
    dataset = load_dataset(args.data)
    if not 0 <= args.row < len(dataset):
        raise ExplainError(f"there is no row {args.row:,} in {args.data}: rows run from 0 to {len(dataset) - 1:,}.")
    image = np.asarray(dataset.images[args.row])
    lines = [f"Row {args.row:,}, {dataset.splits[args.row]}, labelled {NAMES[dataset.labels[args.row]]}."]
    pictures, by_model = [np.repeat(np.kron(image, np.ones((5, 5), np.uint8))[..., None], 3, axis=2)], {}
    for folder in _models(args.models):
        predictor = load_model(folder.path)
        probabilities, maps = (array[0] for array in predictor.explain(image[np.newaxis]))
        answer = int(probabilities.argmax())
        label = answer if args.expression is None else index_of(args.expression)
        one = maps[label]
        reason = why_blank(one, model=folder.name, emotion=NAMES[label])
        if reason is None:
            faithfulness = measure_maps(
                predictor.predict, image[np.newaxis], {"map": one[np.newaxis]}, grid=predictor.map_grid
            )
            judged = judge(faithfulness, "map", label)
            verdict, sentences = judged.verdict, list(judged.sentences)
        else:
            verdict, sentences = "untestable", [reason]
        pictures.append(overlay(image, one))
        by_model[folder.name] = {
            "answer": NAMES[answer],
            "probabilities": dict(zip(NAMES, map(float, probabilities), strict=True)),
            "map_of": NAMES[label],
            "map": one.tolist(),
            "verdict": verdict,
            "sentences": sentences,
        }
        lines.append(
            f"{one_line(folder.name)}: {NAMES[answer]}, {percent(probabilities[answer])}. Map of {NAMES[label]}, "
            f"{one.shape[0]}×{one.shape[1]} cells. {' '.join(sentences)}"
        )
    _write_picture(args.out, np.concatenate(pictures, axis=1))
    lines.append(f"Wrote {one_line(args.out)}: the face, then the maps in this order.")
    return {"row": args.row, "label": NAMES[dataset.labels[args.row]], "models": by_model, "written": str(args.out)}, (
        "\n".join(lines)
    )


def _add_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--models",
        nargs="+",
        type=some,
        default=[ALL],
        metavar="RUN",
        help="names of runs, or their folders; all (the default) is every complete run that is no vote, and for "
        "faithfulness was measured on the data",
    )


def _models(names: list[str]) -> list[RunFolder]:
    """Raises ``RunError`` for an unknown run, or where there is none."""
    from fer_core.runs.listing import find_run, list_models

    if names != [ALL]:
        return [find_run(name) for name in dict.fromkeys(names)]
    folders = [info.folder for info in list_models() if not info.is_vote and info.has_model]
    if not folders:
        raise RunError("there is no complete run yet. Train one: python -m fer_core train --help")
    return folders


def _write_picture(path: Path, picture: Any) -> None:
    from PIL import Image

    from fer_core.files import replacing

    # Beside its place first, so that no half of a picture is left there.
    try:
        with replacing(path) as part:
            Image.fromarray(picture).save(part)
    except OSError as error:
        raise ExplainError(f"{path} cannot be written ({error}). Choose another place.") from error
