"""The LiteRT predictor on the tiny model, and finding models by name."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from edited_runs import edit_metrics
from factories import TINY_MAP_GRID, TINY_MODEL, make_run

import fer_core
from fer_core.errors import RunError
from fer_core.inference.interpreter import CHUNK
from fer_core.inference.models import load_model
from fer_core.inference.predictor import Predictor, mirrored
from fer_core.runs.folder import RunFolder
from fer_core.settings import settings
from fer_core.stats.calibration import apply_temperature


@pytest.fixture(scope="module")
def tiny() -> Predictor:
    return Predictor(TINY_MODEL / "model.tflite", name="tiny", title="Tiny", threads=1)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (CHUNK * 2 + 7, 48, 48), dtype=np.uint8)


def test_shapes_types_and_ranges(tiny: Predictor, images: np.ndarray) -> None:
    probabilities, maps = tiny.explain(images)
    assert probabilities.shape == (len(images), 7)
    assert maps.shape == (len(images), 7, *TINY_MAP_GRID)
    assert probabilities.dtype == maps.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert maps.min() >= 0
    assert maps.max() > 0
    assert tiny.map_grid == TINY_MAP_GRID
    assert (tiny.name, tiny.title, tiny.threads) == ("tiny", "Tiny", 1)


def test_any_batch_gives_the_same_answers(tiny: Predictor, images: np.ndarray) -> None:
    probabilities, maps = tiny.explain(images)
    assert np.ptp(probabilities, axis=0).max() > 0.01, "the tiny model must tell faces apart"
    for rows in (slice(0, 1), slice(3, 9), slice(CHUNK - 1, CHUNK + 1)):
        some, some_maps = tiny.explain(images[rows])
        np.testing.assert_allclose(some, probabilities[rows], atol=1e-5)
        np.testing.assert_allclose(some_maps, maps[rows], atol=1e-4)
    np.testing.assert_array_equal(tiny.predict(images[:5]), tiny.explain(images[:5])[0])


def test_maps_and_probabilities_agree(tiny: Predictor) -> None:
    """Where no part of a map was cut at zero its mean is the logit, so the classes must be in the same order."""
    flat = np.repeat(np.arange(0, 120, 8, dtype=np.uint8), 48 * 48).reshape(-1, 48, 48)
    probabilities, maps = tiny.explain(flat)
    uncut = (maps > 0).all(axis=(2, 3))
    assert (uncut.sum(axis=1) >= 2).all()
    for row in range(len(flat)):
        classes = np.flatnonzero(uncut[row])
        logits = maps[row, classes].mean(axis=(1, 2))
        expected = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        found = probabilities[row, classes] / probabilities[row, classes].sum()
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_no_faces_no_answers(tiny: Predictor) -> None:
    probabilities, maps = tiny.explain(np.empty((0, 48, 48), dtype=np.uint8))
    assert probabilities.shape == (0, 7)
    assert maps.shape == (0, 7, *TINY_MAP_GRID)


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((48, 48), np.uint8),
        np.zeros((1, 48, 48, 1), np.uint8),
        np.zeros((1, 47, 48), np.uint8),
        np.zeros((1, 48, 48), np.float32),
    ],
)
def test_refuses_other_arrays(tiny: Predictor, bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"uint8 of shape \(B, 48, 48\), not"):
        tiny.predict(bad)


def test_threads_do_not_mix_their_answers(tiny: Predictor, images: np.ndarray) -> None:
    expected = tiny.predict(images)
    wrong: list[int] = []

    def work(size: int) -> None:
        for start in range(0, 40):
            part = slice(start, start + size)
            if not np.allclose(tiny.predict(images[part]), expected[part], atol=1e-5):
                wrong.append(size)

    threads = [threading.Thread(target=work, args=(size,)) for size in (1, 2, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_files_that_are_no_model(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no model file"):
        Predictor(tmp_path / "none.tflite")
    (tmp_path / "text.tflite").write_text("not a model")
    with pytest.raises(RunError, match="not a LiteRT model"):
        Predictor(tmp_path / "text.tflite")
    whole = (TINY_MODEL / "model.tflite").read_bytes()
    (tmp_path / "cut.tflite").write_bytes(whole[:1000])
    with pytest.raises(RunError, match="not a LiteRT model"):
        Predictor(tmp_path / "cut.tflite")


def test_by_name_shipped_first_then_trained_then_path(home: Path, tmp_path: Path) -> None:
    make_run(settings().models_dir / "custom_cnn", name="Shipped")
    make_run(settings().runs_dir / "custom_cnn", name="Trained, same name")
    make_run(settings().runs_dir / "mine", name="Mine")
    make_run(tmp_path / "elsewhere", name="Elsewhere")
    assert load_model("custom_cnn").title == "Shipped"
    assert fer_core.load_model("mine").title == "Mine"
    assert load_model(settings().runs_dir / "custom_cnn").title == "Trained, same name"
    assert load_model(str(tmp_path / "elsewhere")).name == "elsewhere"
    assert load_model(TINY_MODEL / "model.tflite").map_grid == TINY_MAP_GRID


def test_unknown_names_are_told_the_known_ones(home: Path) -> None:
    with pytest.raises(RunError, match="Known models: none yet"):
        load_model("resnet50")
    make_run(settings().runs_dir / "mine")
    with pytest.raises(RunError, match=r"no model called 'resnet50'. Known models: mine\."):
        load_model("resnet50")


def test_unfinished_and_damaged_runs_are_refused(home: Path) -> None:
    run = make_run(settings().runs_dir / "mine")
    model = run.tflite_path.read_bytes()
    run.tflite_path.write_bytes(model[:-1] + bytes([model[-1] ^ 1]))
    with pytest.raises(RunError, match=r"model\.tflite is damaged.*export"):
        load_model("mine")
    run.tflite_path.unlink()
    with pytest.raises(RunError, match=r"has no model\.tflite"):
        load_model("mine")
    run.tflite_path.write_bytes(model)
    assert load_model("mine").name == "mine"
    manifest = json.loads(run.manifest_path.read_text())
    del manifest["files"]
    run.manifest_path.write_text(json.dumps(manifest))
    with pytest.raises(RunError, match="lacks files"):
        load_model("mine")
    run.manifest_path.unlink()
    with pytest.raises(RunError, match="not finished"):
        load_model("mine")


def store_temperature(run: RunFolder, stored: object) -> None:
    edit_metrics(run, lambda metrics: metrics.update(temperature=stored))


def test_a_temperature_changes_probabilities_and_nothing_else(tiny: Predictor, images: np.ndarray) -> None:
    softer = Predictor(TINY_MODEL / "model.tflite", temperature=2.0)
    assert (tiny.temperature, softer.temperature) == (1.0, 2.0)
    plain, plain_maps = tiny.explain(images)
    found, maps = softer.explain(images)
    np.testing.assert_allclose(found, apply_temperature(plain, 2.0), atol=1e-6)
    np.testing.assert_allclose(maps, plain_maps, atol=1e-5)
    assert (found.max(axis=1) < plain.max(axis=1)).all()
    np.testing.assert_array_equal(softer.predict(images), found)
    with pytest.raises(ValueError, match="finite number above 0"):
        Predictor(TINY_MODEL / "model.tflite", temperature=0)


def test_flip_averaging_is_the_mean_over_the_face_and_its_mirror_image(tiny: Predictor, images: np.ndarray) -> None:
    turned = images[:, :, ::-1]
    assert (mirrored(images)[:, :, 0] == images[:, :, -1]).all()
    expected = (tiny.predict(images) + tiny.predict(np.ascontiguousarray(turned))) / 2
    found = tiny.predict(images, average="flip")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(found, tiny.predict(turned, average="flip"), atol=1e-5)
    assert np.abs(found - tiny.predict(images)).max() > 0.001, "the tiny model must tell left from right"
    np.testing.assert_array_equal(tiny.predict(images, average="none"), tiny.predict(images))
    with pytest.raises(ValueError, match="one of none, flip"):
        tiny.predict(images, average="ten")  # type: ignore[arg-type]


def test_each_pass_is_calibrated_before_the_passes_are_averaged(images: np.ndarray) -> None:
    softer = Predictor(TINY_MODEL / "model.tflite", temperature=3.0)
    expected = (softer.predict(images) + softer.predict(mirrored(images))) / 2
    np.testing.assert_allclose(softer.predict(images, average="flip"), expected, atol=1e-6)


def test_a_run_is_calibrated_on_request_with_its_own_temperature(home: Path, images: np.ndarray) -> None:
    run = make_run(settings().runs_dir / "mine")
    store_temperature(run, {"value": 2.5, "fitted_on": "PublicTest", "splits": {}})
    assert load_model("mine").temperature == 1
    calibrated = fer_core.load_model("mine", calibrated=True)
    assert calibrated.temperature == 2.5
    expected = apply_temperature(load_model("mine").predict(images), 2.5)
    np.testing.assert_allclose(calibrated.predict(images), expected, atol=1e-6)


def test_what_has_no_temperature_is_not_calibrated_in_silence(home: Path) -> None:
    run = make_run(settings().runs_dir / "mine")
    edit_metrics(run, lambda metrics: metrics.pop("temperature", None))
    with pytest.raises(RunError, match=r"mine has no temperature.*fer_core evaluate"):
        load_model("mine", calibrated=True)
    store_temperature(run, None)
    with pytest.raises(RunError, match="has no temperature"):
        load_model("mine", calibrated=True)
    store_temperature(run, {"fitted_on": "PublicTest"})
    with pytest.raises(RunError, match=r"metrics\.json is damaged"):
        load_model("mine", calibrated=True)
    assert load_model("mine").temperature == 1
    with pytest.raises(RunError, match="bare model file"):
        load_model(TINY_MODEL / "model.tflite", calibrated=True)


def test_predicting_imports_no_tensorflow() -> None:
    code = (
        "import sys, numpy as np; from fer_core import load_model; "
        f"load_model({str(TINY_MODEL / 'model.tflite')!r}).predict(np.zeros((2, 48, 48), np.uint8)); "
        "import fer_core.inference.faces; "
        "print([name for name in sys.modules if name.split('.')[0] in ('tensorflow', 'keras', 'streamlit')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
