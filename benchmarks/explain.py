"""Milliseconds per face of our class maps against Grad-CAM of tf-keras-vis.

    python benchmarks/explain.py
    python benchmarks/explain.py --models custom_cnn resnet50 --repeats 50
    python benchmarks/explain.py --quick

Ours: one LiteRT call gives the probabilities and the maps of all seven classes. tf-keras-vis: one reused ``Gradcam``
object, one class a call, maps neither enlarged nor stretched, which is its fastest way. Both get faces as uint8
(B, 48, 48) and return NumPy arrays. The first table compares a call, the second a map: ours makes seven of them at a
time. Both explain the very same thing, and the last column says how far apart their maps are.

Every combination of model and library is a process of its own, one after another.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.common import (  # noqa: E402
    BATCHES,
    PACKAGES,
    clock_batches,
    finish,
    machine,
    machine_text,
    progress,
    run_child,
    runs_with_keras,
    table,
)
from fer_core.emotions import COUNT  # noqa: E402

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Faces = npt.NDArray[np.uint8]

OURS, THEIRS = "ours (LiteRT)", "tf-keras-vis Gradcam"
MAPS_A_CALL = {OURS: COUNT, THEIRS: 1}
GOAL = 10
"""Times as fast per map."""
QUICK = 3
LABEL = 3
"""The class that tf-keras-vis is asked about; the time is the same for each."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", metavar="RUN", help="runs to measure (default: all that ship)")
    parser.add_argument("--repeats", type=int, default=100, help="timed calls of one face (default 100)")
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK} calls, to see whether it runs: do not quote them"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(_child(json.loads(args.child))))
        return 0
    repeats = QUICK if args.quick else args.repeats
    return finish(lambda: measure(args.models, repeats, quick=args.quick), as_json=args.json)


def measure(models: Sequence[str] | None, repeats: int, *, quick: bool = False) -> tuple[dict[str, Any], str]:
    """Measure every model. Returns the figures and the text for people.

    Raises ``FerError`` as :func:`runs_with_keras` does.
    """
    runs = runs_with_keras(models, repeats)
    names = list(runs)
    about = machine((*PACKAGES, "tf-keras-vis"))
    figures, apart = [], {}
    for name, folder in runs.items():
        with tempfile.TemporaryDirectory() as temporary:
            maps = Path(temporary) / "maps.npy"
            task = {"run": str(folder.path), "maps": str(maps), "repeats": repeats}
            progress(f"{name}: {OURS}")
            our_figures = run_child(__file__, {**task, "way": OURS})["figures"]
            progress(f"{name}: {THEIRS}")
            theirs = run_child(__file__, {**task, "way": THEIRS})
        apart[name] = theirs["apart"]
        figures += [{"model": name, **figure} for figure in (*our_figures, *theirs["figures"])]
    settings = {"models": names, "repeats": repeats, "quick": quick}
    result: dict[str, Any] = {
        "machine": about,
        "settings": settings,
        "figures": figures,
        "largest_difference": apart,
    }
    result["factors"] = {name: {str(batch): factor(result, name, batch) for batch in BATCHES} for name in names}
    result["met"] = all(value >= GOAL for of_model in result["factors"].values() for value in of_model.values())
    return result, report(result)


def factor(result: dict[str, Any], model: str, batch: int) -> float:
    """How many times as fast ours is per map."""
    ours, theirs = (
        _figure(result, model, implementation, batch)["median_ms"] / MAPS_A_CALL[implementation]
        for implementation in (OURS, THEIRS)
    )
    return float(theirs / ours)


def per_call(result: dict[str, Any], model: str, batch: int) -> float:
    """How many times as fast one call of ours is, with all its maps, as one of theirs, with one."""
    return factor(result, model, batch) * MAPS_A_CALL[THEIRS] / MAPS_A_CALL[OURS]


def report(result: dict[str, Any]) -> str:
    """Two Markdown tables: a call as it is made, and a map; then whether the goal is met."""
    names = result["settings"]["models"]
    parts = [machine_text(result["machine"])]
    if result["settings"]["quick"]:
        parts.append("A quick run, to see whether it works: do not quote these figures.")
    calls = [
        [
            f"{name}, {implementation}",
            str(MAPS_A_CALL[implementation]),
            *(_cell(_figure(result, name, implementation, batch)) for batch in BATCHES),
        ]
        for name in names
        for implementation in (OURS, THEIRS)
    ]
    head = ["model and way", "maps a face", *(f"batch {batch}" for batch in BATCHES)]
    parts.append(f"Milliseconds per face of one call, median (95th percentile)\n\n{table(head, calls)}")
    maps = [
        [
            name,
            *(
                f"{_figure(result, name, implementation, batch)['median_ms'] / MAPS_A_CALL[implementation]:.2f}"
                for batch in BATCHES
                for implementation in (OURS, THEIRS)
            ),
            *(f"×{result['factors'][name][str(batch)]:.1f}" for batch in BATCHES),
            *(f"×{per_call(result, name, batch):.1f}" for batch in BATCHES),
            f"{result['largest_difference'][name]:.1e}",
        ]
        for name in names
    ]
    head = [
        "model",
        *(f"{implementation}, batch {batch}" for batch in BATCHES for implementation in ("ours", "theirs")),
        *(f"faster per map, batch {batch}" for batch in BATCHES),
        *(f"faster per call, batch {batch}" for batch in BATCHES),
        "maps differ by",
    ]
    parts.append(f"Milliseconds per face and map, median\n\n{table(head, maps)}")
    parts.append(
        f"The goal, at least {GOAL} times as fast per map for every model and batch size, is "
        f"{'met' if result['met'] else 'missed'}. Maps differ: the largest difference after both were divided by their "
        "largest value, over 64 faces."
    )
    return "\n\n".join(parts)


def _figure(result: dict[str, Any], model: str, implementation: str, batch: int) -> dict[str, Any]:
    return next(
        figure
        for figure in result["figures"]
        if (figure["model"], figure["way"], figure["batch"]) == (model, implementation, batch)
    )


def _cell(figure: dict[str, Any]) -> str:
    return f"{figure['median_ms']:.2f} ({figure['p95_ms']:.2f})"


def _child(task: dict[str, Any]) -> dict[str, Any]:
    """The figures of one model in one library. Ours writes its maps, theirs compares with them."""
    import numpy as np

    from fer_core.data.sample import draw_sample
    from fer_core.runs.folder import RunFolder

    folder, implementation, path = RunFolder(Path(task["run"])), task["way"], Path(task["maps"])
    faces = draw_sample(2 * max(BATCHES)).images[: max(BATCHES)]
    answer = _ours(folder) if implementation == OURS else _theirs(folder)
    maps = answer(faces)
    apart = None
    if implementation == OURS:
        np.save(path, maps)
    else:
        apart = _apart(np.load(path), maps)
    figures = [{"way": implementation, **figure} for figure in clock_batches(answer, faces, task["repeats"])]
    return {"figures": figures, "apart": apart}


def _ours(folder: Any) -> Callable[[Faces], npt.NDArray[np.float32]]:
    """Maps of :data:`LABEL` (B, h, w); those of the others are made at the same time."""
    from fer_core.inference.predictor import Predictor

    predictor = Predictor(folder.tflite_path)
    return lambda faces: predictor.explain(faces)[1][:, LABEL]


def _theirs(folder: Any) -> Callable[[Faces], npt.NDArray[np.float32]]:
    import numpy as np
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.utils.model_modifiers import ReplaceToLinear
    from tf_keras_vis.utils.scores import CategoricalScore

    from fer_core.zoo.class_maps import feature_tensor
    from fer_core.zoo.keras_model import load_keras

    model = load_keras(folder.keras_path)
    layer = feature_tensor(model)._keras_history.operation.name
    gradcam = Gradcam(model, model_modifier=ReplaceToLinear(), clone=True)

    def answer(faces: Faces) -> npt.NDArray[np.float32]:
        maps = gradcam(
            CategoricalScore([LABEL] * len(faces)),
            faces.astype(np.float32)[..., np.newaxis],
            penultimate_layer=layer,
            # Else it walks back to the last convolution, before normalisation and ReLU.
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            normalize_cam=False,
        )
        return np.asarray(maps, dtype=np.float32)

    return answer


def _apart(ours: npt.NDArray[np.float32], theirs: npt.NDArray[np.float32]) -> float:
    """The largest difference after each map was divided by its largest value (theirs is a mean over cells)."""
    import numpy as np

    def scaled(maps: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        tops = maps.max(axis=(1, 2), keepdims=True).astype(np.float64)
        return np.divide(maps, tops, out=np.zeros(maps.shape), where=tops > 0)

    return float(np.abs(scaled(ours) - scaled(theirs)).max())


if __name__ == "__main__":
    sys.exit(main())
