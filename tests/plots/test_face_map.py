"""The map of faces."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.plots.face_map import describe, face_map


def test_each_face_is_one_point_that_knows_its_row() -> None:
    rng = np.random.default_rng(0)
    labels, answers = (rng.integers(0, 7, 500).astype(np.int8) for _ in range(2))
    places, rows = rng.normal(size=(500, 2)).astype(np.float32), np.arange(1000, 1500)
    for by in ("label", "answer", "error"):
        figure = face_map(places, rows, labels, answers, by=by)
        found = {int(row): (x, y) for trace in figure.data for row, x, y in zip(trace.customdata, trace.x, trace.y)}  # noqa: B905
        assert sorted(found) == rows.tolist()
        assert found[1007] == tuple(places[7])
        assert {trace.type for trace in figure.data} == {"scattergl"}
    wrong = next(trace for trace in figure.data if trace.name == "wrong")
    assert len(wrong.x) == (labels != answers).sum()
    assert f"{(labels != answers).sum()} of them answered wrong" in describe(labels, answers, "one")
    with pytest.raises(ValueError, match="by must be"):
        face_map(places, rows, labels, answers, by="mood")  # type: ignore[arg-type]
