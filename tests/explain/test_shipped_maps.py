"""The models that ship: our class maps are tf-keras-vis' Grad-CAM, and the worker's methods and sanity check work.

All in child processes: the class maps of ``model.keras`` in one that prints what it found, the rest in the worker.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fer_core.data.sample import draw_sample
from fer_core.explain.layers import default_layer, randomisation_stages, spatial_layers
from fer_core.explain.methods import GRADCAM, METHODS, SALIENCY, SMOOTHGRAD, WORKER_METHODS
from fer_core.explain.sanity import judge_maps
from fer_core.explain.worker.client import Worker
from fer_core.explain.worker.messages import map_request, sanity_request
from fer_core.inference.predictor import Predictor
from fer_core.runs.folder import RunFolder
from fer_core.settings import PROJECT_ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SHIPPED = sorted(path.parent.name for path in (PROJECT_ROOT / "models").glob("*/model.keras"))
RELATIVE = 1e-4
"""Of each map's maximum, which is what a map is drawn against. VGG16, whose files are in half precision, too."""

COMPARE = """
import json, pathlib, sys
import keras
import numpy as np
from tf_keras_vis.gradcam import Gradcam
from tf_keras_vis.utils.model_modifiers import ReplaceToLinear
from tf_keras_vis.utils.scores import CategoricalScore
from fer_core.zoo.class_maps import feature_tensor, with_class_maps

folder = pathlib.Path(sys.argv[1])
faces = np.load(folder / "faces.npy").astype(np.float32)[..., np.newaxis]
layers = {}
for path in map(pathlib.Path, sys.argv[2:]):
    model = keras.models.load_model(path, compile=False)
    probabilities, ours = with_class_maps(model)(faces, training=False)
    ours, layer = np.asarray(ours), feature_tensor(model)._keras_history.operation.name
    gradcam = Gradcam(model, model_modifier=ReplaceToLinear(), clone=True)
    theirs = np.stack(
        [
            np.asarray(
                gradcam(
                    CategoricalScore([label] * len(faces)),
                    faces,
                    penultimate_layer=layer,
                    seek_penultimate_conv_layer=False,
                    expand_cam=False,
                    normalize_cam=False,
                )
            )
            for label in range(7)
        ],
        axis=1,
    )
    name = path.parent.name
    np.savez(folder / f"{name}.npz", ours=ours, theirs=theirs, probabilities=np.asarray(probabilities))
    layers[name] = layer
print(json.dumps(layers))
"""


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """Four drawn faces: real enough for the models to have an opinion, and here on every machine."""
    return draw_sample(21).images[:4]


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    one = Worker(start_seconds=600)
    yield one
    one.stop()


def share_of_maximum(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest difference of two stacks of maps (B, 7, h, w), each map divided by its own maximum.

    The two differ by a constant: tf-keras-vis divides by the number of cells. Where one is all zero, so must the other.
    """
    highest = [one.max(axis=(2, 3), keepdims=True) for one in (ours, theirs)]
    assert np.array_equal(highest[0] > 0, highest[1] > 0)
    scaled = [one / np.where(top > 0, top, 1) for one, top in zip((ours, theirs), highest, strict=True)]
    assert (highest[0] > 0).sum() >= 7, "nearly all maps are empty: the comparison says nothing"
    return float(np.abs(scaled[0] - scaled[1]).max())


@pytest.fixture(scope="module")
def compared(faces: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder with ``<name>.npz`` of each shipped model, and the layer that its maps are of."""
    folder = tmp_path_factory.mktemp("compared")
    np.save(folder / "faces.npy", faces)
    models = [str(RunFolder(PROJECT_ROOT / "models" / name).keras_path) for name in SHIPPED]
    done = subprocess.run(
        [sys.executable, "-c", COMPARE, str(folder), *models],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", SHIPPED)
def test_our_maps_are_those_of_tf_keras_vis(
    name: str, faces: np.ndarray, compared: tuple[Path, dict[str, str]]
) -> None:
    folder = RunFolder(PROJECT_ROOT / "models" / name)
    maps, layers = compared
    found = np.load(maps / f"{name}.npz")
    # The layer that the app chooses from the layer table alone is the one whose maps we ship.
    assert layers[name] == default_layer(folder.description())
    assert share_of_maximum(found["ours"], found["theirs"]) < RELATIVE
    # What the app runs is the exported file.
    probabilities, exported = Predictor(folder.tflite_path).explain(faces)
    assert share_of_maximum(exported, found["theirs"]) < RELATIVE
    assert np.allclose(probabilities, found["probabilities"], atol=RELATIVE)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_worker_draws_by_every_method_at_the_first_and_the_last_layer(
    name: str, faces: np.ndarray, worker: Worker
) -> None:
    folder = RunFolder(PROJECT_ROOT / "models" / name)
    description = folder.description()
    probabilities, maps = Predictor(folder.tflite_path).explain(faces[:1])
    label = int(probabilities[0].argmax())
    for method in WORKER_METHODS:
        for at in ("", spatial_layers(description)[0].name)[: 1 + METHODS[method].layered]:
            request = map_request(folder, faces[0], label, method, at=at)
            found = worker.run(request, timeout=600)
            layer = next((row for row in description.layers if row.name == request.layer), None)
            assert found.grid == ((48, 48) if layer is None else layer.output_shape[:2])
            assert found.values.min() >= 0
            assert found.values.max() > 0 or method == GRADCAM
            assert np.allclose(found.probabilities, probabilities[0], atol=RELATIVE)
            if method == GRADCAM and not at:
                ours = maps[:1, label : label + 1]
                assert np.abs(ours[0, 0] / ours.max() - found.values / found.values.max()).max() < RELATIVE


def test_smoothgrad_is_smoother_than_saliency_and_repeats(faces: np.ndarray, worker: Worker) -> None:
    folder = RunFolder(PROJECT_ROOT / "models" / SHIPPED[0])
    plain = worker.run(map_request(folder, faces[1], 3, SALIENCY), timeout=600).values
    smooth = worker.run(map_request(folder, faces[1], 3, SMOOTHGRAD), timeout=600).values

    def roughness(one: np.ndarray) -> float:
        return float(np.abs(np.diff(one, axis=0)).mean() / one.std())

    assert roughness(smooth) < roughness(plain)
    other = Worker(start_seconds=600)
    try:
        again = other.run(map_request(folder, faces[1], 3, SMOOTHGRAD), timeout=600).values
    finally:
        other.stop()
    assert np.allclose(again, smooth, rtol=1e-3, atol=1e-6 * smooth.max())


@pytest.mark.parametrize("name", SHIPPED)
def test_grad_cam_falls_apart_as_the_model_forgets_and_comes_back(name: str, faces: np.ndarray, worker: Worker) -> None:
    folder = RunFolder(PROJECT_ROOT / "models" / name)
    label = int(Predictor(folder.tflite_path).predict(faces[:1])[0].argmax())
    found = worker.run(sanity_request(folder, faces[0], label, GRADCAM, draws=4), timeout=600)
    assert found.steps == tuple(step for step, _ in randomisation_stages(folder.description()))
    assert found.steps[0] == "head"
    result = judge_maps(found.real, found.steps, found.maps)
    assert result.verdict == "passes", result
    assert result.means[-1] < 0.5
    # Another class is another request: the worker computes it with the weights it has now, and they are the real ones.
    other = (label + 1) % 7
    after = worker.run(map_request(folder, faces[0], other, GRADCAM), timeout=600)
    assert np.allclose(after.probabilities, Predictor(folder.tflite_path).predict(faces[:1])[0], atol=RELATIVE)
