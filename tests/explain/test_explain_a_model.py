"""Every method on a real exported model through LiteRT: shapes, ranges, and no TensorFlow in the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from factories import TINY_MODEL

from fer_core.corruptions.robustness import evaluate_corruptions
from fer_core.data.sample import draw_sample
from fer_core.explain.average_maps import average
from fer_core.explain.base import Faces
from fer_core.explain.faithfulness import measure_maps
from fer_core.explain.occlusion import occlusion
from fer_core.explain.poke.smallest_patch import smallest_flip
from fer_core.explain.rise import rise
from fer_core.explain.trust import judge, summarise
from fer_core.inference.predictor import Predictor

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def model() -> Predictor:
    return Predictor(TINY_MODEL / "model.tflite")


@pytest.fixture(scope="module")
def faces() -> Faces:
    return draw_sample(21).images[:6]


def test_every_method_runs_on_an_exported_model(model: Predictor, faces: Faces) -> None:
    probabilities, maps = model.explain(faces)
    answers = probabilities.argmax(axis=1)
    covered = occlusion(model.predict, faces)
    np.testing.assert_allclose(covered.probabilities, probabilities, atol=1e-5)
    np.testing.assert_allclose(covered.maps.sum(axis=1), 0, atol=1e-4)  # probabilities add up to 1, so falls to 0
    masked = rise(model.predict, faces[0], n=200)
    np.testing.assert_allclose(masked.maps.sum(axis=0), 0, atol=1e-4)
    own = maps[np.arange(6), answers]
    faithfulness = measure_maps(
        model.predict, faces, {"Grad-CAM": own, "occlusion": covered.maps[np.arange(6), answers]}, steps=4
    )
    assert ((faithfulness.curves.deletion >= 0) & (faithfulness.curves.deletion <= 1 + 1e-5)).all()
    np.testing.assert_allclose(faithfulness.probabilities(answers), probabilities.max(axis=1), atol=1e-5)
    assert judge(faithfulness, "Grad-CAM", int(answers[0])).sentences
    assert summarise(faithfulness, "occlusion", answers).sentences
    assert average(model.explain, faces, answers).mean.shape == model.map_grid
    flip = smallest_flip(model.predict, faces[0], sizes=(8, 24))
    assert flip is None or model.predict(flip.face[None])[0].argmax() == flip.after != answers[0]
    worse = evaluate_corruptions(model.predict, faces, answers, names=("noise", "jpeg"))
    assert worse.clean_accuracy == 1


def test_nothing_here_imports_tensorflow_or_streamlit() -> None:
    modules = sorted(path.stem for path in (ROOT / "fer_core" / "explain").glob("*.py") if path.stem != "__init__")
    code = "import sys\n" + "".join(f"import fer_core.explain.{name}\n" for name in modules)
    code += "print([name for name in ('tensorflow', 'keras', 'streamlit', 'scipy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
