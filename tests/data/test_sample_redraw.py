"""Drawing a face of the sample again, with its muscles moved."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_core import emotions
from fer_core.cli import build_parser
from fer_core.data.dataset import Dataset, load_dataset
from fer_core.data.sample import ACTION_UNITS
from fer_core.data.sample.action_units import MUSCLES, WORDS
from fer_core.data.sample.redraw import drawn_face, expression_units, new_face
from fer_core.errors import DataError


@pytest.fixture(scope="module")
def sample(drawn_sample: Path) -> Dataset:
    return load_dataset(drawn_sample)


@pytest.mark.parametrize("row", [0, 130, 1500, 2099])
def test_every_row_of_the_sample_can_be_drawn_again_from_its_number(sample: Dataset, row: int) -> None:
    image, regions = drawn_face(sample, row).draw()
    np.testing.assert_array_equal(image, sample.images[row])
    stored = sample.regions()
    assert stored is not None
    for name, box in regions.items():
        np.testing.assert_array_equal(box, stored[name][row])


def test_moving_a_muscle_changes_its_part_of_the_face_alone(sample: Dataset) -> None:
    face = new_face(3)
    rest, regions = face.draw()
    jaw, open_regions = face.draw({"AU27": 1.0})
    changed = np.argwhere(np.abs(jaw.astype(int) - rest) > 20)
    assert len(changed) > 30
    assert changed[:, 0].min() > regions["eyes"][3]
    assert open_regions["mouth"][3] > regions["mouth"][3]
    brows, _ = face.draw({"AU1": 1.0, "AU2": 1.0})
    assert (np.argwhere(np.abs(brows.astype(int) - rest) > 20)[:, 0] < regions["mouth"][1]).all()
    own = drawn_face(sample, 5)
    np.testing.assert_array_equal(own.draw(own.units)[0], own.draw()[0])


def test_faces_without_known_muscles_are_told(sample: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    info = sample.info
    with pytest.raises(IndexError, match="no face 2100"):
        drawn_face(sample, 2100)
    monkeypatch.setattr(sample, "info", replace(info, source="drawn with seed 7"))
    with pytest.raises(DataError, match="another version") as caught:
        drawn_face(sample, 5)
    command = str(caught.value).split("python -m fer_core ")[1]
    assert build_parser().parse_args(shlex.split(command)).overwrite
    monkeypatch.setattr(sample, "info", replace(info, kind="csv", title="Something"))
    with pytest.raises(DataError, match="Something is not the drawn sample"):
        drawn_face(sample, 5)


def test_new_faces_are_at_rest_and_each_its_own() -> None:
    first, second = new_face(0), new_face(1)
    assert set(first.units) == set(ACTION_UNITS)
    assert not any(first.units.values())
    assert first == new_face(0)
    assert (first.draw()[0] != second.draw()[0]).mean() > 0.5
    with pytest.raises(ValueError, match=r"0\.\.9999"):
        new_face(-1)
    with pytest.raises(ValueError, match="Unknown action unit"):
        first.draw({"AU99": 1.0})


def test_expressions_come_with_all_their_units() -> None:
    happy = expression_units("happy")
    assert happy["AU12"] == 1
    assert happy["AU4"] == 0
    assert not any(expression_units("neutral").values())
    assert all(set(expression_units(name)) == set(ACTION_UNITS) for name in emotions.NAMES)
    with pytest.raises(ValueError, match="bored"):
        expression_units("bored")


def test_each_unit_has_words_and_one_place() -> None:
    assert set(WORDS) == set(ACTION_UNITS)
    assert sum(map(len, MUSCLES.values())) == len(ACTION_UNITS)
