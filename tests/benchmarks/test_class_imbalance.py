"""The imbalance study on a small dataset: all treatments train, and a second start trains nothing again."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import class_imbalance
from fer_core.data.dataset import write_dataset
from fer_core.emotions import SPLITS
from fer_core.errors import FerError
from fer_core.files import write_json
from fer_core.settings import PROJECT_ROOT
from fer_core.training.presets import preset


def test_a_folder_begun_with_another_recipe_was_taken_for_this_one(tmp_path: Path) -> None:
    recipe = preset("serious", "custom_cnn").with_precision("float32")
    write_json(tmp_path / "recipe.json", recipe.to_dict())
    with pytest.raises(FerError, match="begun with another recipe"):
        class_imbalance.train(replace(recipe, epochs=3), tmp_path / "data", tmp_path)


@pytest.mark.slow
def test_the_study_reports_each_treatment_and_resumes(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (210, 48, 48), dtype=np.uint8)
    write_dataset(tmp_path / "data", images, np.arange(210) % 7, np.repeat(SPLITS, 70), title="Noise", source="test")
    command = [sys.executable, "benchmarks/class_imbalance.py", "--json", "--epochs", "1"]
    command += ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    command += ["--only", "plain", "--only", "balanced sampling"]

    def study() -> dict[str, dict[str, float]]:
        done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=1000, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)["treatments"]

    first = study()
    assert list(first) == ["plain", "balanced sampling"]
    assert all(found["epochs"] == 1 and found["disgust_faces"] == 10 for found in first.values())
    assert study() == first
