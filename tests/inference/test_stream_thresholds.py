"""From how much confidence on an answer is shown: read off PublicTest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from edited_runs import rewrite_predictions
from factories import make_run

from fer_core.inference.models import load_model
from fer_core.inference.stream.smoothing import UNSURE_BELOW
from fer_core.inference.stream.thresholds import unsure_below
from fer_core.runs.folder import RunFolder
from fer_core.runs.predictions import PROBABILITY_COLUMNS
from fer_core.stats.risk_coverage import at_threshold


@pytest.mark.parametrize("name", ["custom_cnn", "vote"])
def test_shipped_models_reach_what_is_asked(name: str) -> None:
    predictor = load_model(name)
    limit = unsure_below(predictor, accuracy=0.8)
    table = RunFolder(predictor.path.parent).predictions()
    assert table is not None
    table = table[table["split"] == "PublicTest"]
    answered = at_threshold(table["label"], table[list(PROBABILITY_COLUMNS)].to_numpy(), limit)
    assert answered.accuracy >= 0.8
    assert 0.5 < answered.coverage < 0.8
    assert unsure_below(predictor) < limit, "a lower aim shows more answers"


def test_the_temperature_counts() -> None:
    plain = unsure_below(load_model("custom_cnn"))
    assert unsure_below(load_model("custom_cnn", calibrated=True)) != pytest.approx(plain, abs=0.001)


def test_where_there_is_nothing_to_read_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = load_model("custom_cnn")
    monkeypatch.setattr(predictor, "path", tmp_path / "model.tflite")
    assert unsure_below(predictor) == UNSURE_BELOW, "a bare file"
    rng = np.random.default_rng(0)
    rows, labels = np.arange(50), np.zeros(50, int)
    run = make_run(tmp_path / "run")
    monkeypatch.setattr(predictor, "path", run.tflite_path)

    def measured(split: str, probabilities: np.ndarray) -> None:
        frame = pd.DataFrame({"row": rows, "split": split, "label": labels})
        frame[list(PROBABILITY_COLUMNS)] = probabilities
        rewrite_predictions(run, frame)

    measured("PrivateTest", rng.dirichlet(np.ones(7), 50))
    assert unsure_below(predictor) == UNSURE_BELOW, "no PublicTest faces"
    measured("PublicTest", np.tile([0, 1, 0, 0, 0, 0, 0], (50, 1)))
    assert unsure_below(predictor) == UNSURE_BELOW, "never right"
