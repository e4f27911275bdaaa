"""From how much confidence on a model's answer is worth showing: read off its predictions on PublicTest."""

from __future__ import annotations

from fer_core.emotions import PUBLIC_TEST
from fer_core.inference.predictor import Predictor
from fer_core.inference.stream.smoothing import UNSURE_BELOW
from fer_core.runs.folder import RunFolder
from fer_core.runs.predictions import PROBABILITY_COLUMNS
from fer_core.stats.calibration import apply_temperature
from fer_core.stats.risk_coverage import threshold_for

ACCURACY = 0.75
"""What the answers above the limit should reach: three in four. It costs our models about a fifth of their answers."""


def unsure_below(predictor: Predictor, *, accuracy: float = ACCURACY) -> float:
    """The least confidence, 0..1, whose answers on PublicTest are right at least ``accuracy`` (0..1) of the time.

    ``predictor``: of a run or vote; its temperature is taken into account. A bare model file, a run without PublicTest
    predictions, or a model that never gets so good gives :data:`~.smoothing.UNSURE_BELOW`. Raises ``RunError`` for a
    damaged ``predictions.parquet``.
    """
    table = RunFolder(predictor.path.parent).predictions()
    if table is None:
        return UNSURE_BELOW
    table = table[table["split"] == PUBLIC_TEST]
    if table.empty:
        return UNSURE_BELOW
    probabilities = apply_temperature(table[list(PROBABILITY_COLUMNS)].to_numpy("float32"), predictor.temperature)
    answered = threshold_for(table["label"].to_numpy(), probabilities, accuracy)
    return UNSURE_BELOW if answered is None else answered.least_confidence
