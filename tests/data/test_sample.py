"""The drawn sample: counts, splits, sameness, speed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_core import emotions
from fer_core.data.importer import import_dataset
from fer_core.data.kept_sample import kept_sample
from fer_core.data.sample import ACTION_UNITS, PROTOTYPES, REGIONS, Sample, draw_face, draw_sample, render
from fer_core.data.sample.populate import FACES, FER2013_TRAINING, SEED, sample_class_counts
from fer_core.runs.folder import RunFolder
from fer_core.settings import PROJECT_ROOT


@pytest.fixture(scope="module")
def sample() -> Sample:
    return draw_sample()


def digest(drawn: Sample) -> str:
    parts = (drawn.images, drawn.labels, drawn.splits, drawn.action_units.to_numpy(), *drawn.regions.values())
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()


def test_shapes_and_types(sample: Sample) -> None:
    assert sample.images.shape == (FACES, 48, 48)
    assert sample.images.dtype == np.uint8
    assert sample.labels.shape == (FACES,)
    assert sample.labels.dtype == np.int8
    assert sample.splits.shape == (FACES,)
    assert sample.splits.dtype.kind == "U"
    assert set(sample.regions) == set(REGIONS) == {"brows", "eyes", "mouth"}
    for boxes in sample.regions.values():
        assert boxes.shape == (FACES, 4)
        assert boxes.dtype == np.int16
    assert list(sample.action_units.columns) == list(ACTION_UNITS)
    assert len(sample.action_units) == len(sample.appearances) == FACES
    assert sample.action_units.to_numpy().min() >= 0
    assert sample.action_units.to_numpy().max() <= 1


def test_classes_are_as_uneven_as_in_fer2013(sample: Sample) -> None:
    counts = np.bincount(sample.labels, minlength=emotions.COUNT)
    expected = np.array(FER2013_TRAINING) / sum(FER2013_TRAINING) * FACES
    assert np.abs(counts - expected).max() < 3


def test_splits_hold_eight_one_and_one_tenth_of_each_class(sample: Sample) -> None:
    shares = {emotions.TRAINING: 0.8, emotions.PUBLIC_TEST: 0.1, emotions.PRIVATE_TEST: 0.1}
    assert set(sample.splits) == set(shares)
    for label in range(emotions.COUNT):
        splits = sample.splits[sample.labels == label]
        for split, share in shares.items():
            assert abs((splits == split).sum() - share * len(splits)) <= 1


@pytest.mark.parametrize("n", [21, 22, 50, 211])
def test_every_class_is_in_every_split_however_small_the_sample(n: int) -> None:
    drawn = draw_sample(n=n, seed=1)
    assert sample_class_counts(n).sum() == n == len(drawn.images)
    for split in emotions.SPLITS:
        assert set(drawn.labels[drawn.splits == split].tolist()) == set(range(emotions.COUNT))


def test_too_small_a_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 21"):
        draw_sample(n=20)


def test_same_seed_same_pixels_whatever_the_threads_and_the_global_state() -> None:
    sample = draw_sample(n=300)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    np.random.seed(99)
    try:
        again = draw_sample(n=300)
    finally:
        cv2.setNumThreads(threads)
    assert digest(again) == digest(sample)
    assert again.appearances == sample.appearances


def test_another_seed_draws_other_faces(sample: Sample) -> None:
    other = draw_sample(n=300, seed=2014)
    known = {face.tobytes() for face in sample.images}
    assert not known & {face.tobytes() for face in other.images}
    assert (other.labels != draw_sample(n=300).labels).mean() > 0.5


def test_no_face_occurs_twice_and_none_is_blank(sample: Sample) -> None:
    assert len({face.tobytes() for face in sample.images}) == len(sample.images)
    assert sample.images.reshape(FACES, -1).std(axis=1).min() > 5


def test_any_face_can_be_drawn_again_alone(sample: Sample) -> None:
    for row in (0, 127, 128, 1000, 2099):
        units = {name: float(value) for name, value in sample.action_units.iloc[row].items()}
        image, regions = draw_face(units, sample.appearances[row])
        np.testing.assert_array_equal(image, sample.images[row])
        for name, box in regions.items():
            np.testing.assert_array_equal(box, sample.regions[name][row])


def test_light_and_outlines_are_worked_out_for_many_faces_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Face by face, a sample would take a minute instead of the three seconds that are promised."""
    batches = []
    scene = render._Scene
    monkeypatch.setattr(render, "_Scene", lambda batch: batches.append(batch) or scene(batch))
    draw_sample(n=300)
    assert len(batches) <= 3


def test_prototypes_are_complete() -> None:
    assert set(PROTOTYPES) == set(emotions.NAMES)
    for prototypes in PROTOTYPES.values():
        assert sum(prototype.weight for prototype in prototypes) == pytest.approx(1)
        for prototype in prototypes:
            assert set(prototype.units) | set(prototype.maybe) <= set(ACTION_UNITS)


def test_units_follow_the_expression(sample: Sample) -> None:
    mean = sample.action_units.groupby(np.array(emotions.NAMES)[sample.labels]).mean()
    strongest = {"AU12": "happy", "AU6": "happy", "AU9": "disgust", "AU15": "sad", "AU20": "fear", "AU27": "surprise"}
    for unit, emotion in strongest.items():
        assert mean[unit].idxmax() == emotion
    assert mean.loc["neutral", ["AU1", "AU4", "AU12", "AU15", "AU26"]].max() < 0.1
    # Fear and surprise share raised brows and wide eyes; only fear also lowers the brows.
    assert mean.loc[["fear", "surprise"], ["AU1", "AU2", "AU5"]].to_numpy().min() > 0.4
    assert mean.loc["fear", "AU4"] > 3 * mean.loc["surprise", "AU4"]


def test_the_kept_sample_is_what_drawing_gives(sample: Sample) -> None:
    """After a change to how faces are drawn: ``python -m fer_core.data.kept_sample``."""
    kept = kept_sample()
    assert kept.images.dtype == np.uint8
    # On other computers a few pixels come out a grey level darker or brighter: that is why it is kept.
    assert np.abs(kept.images.astype(int) - sample.images).max() <= 1
    assert (kept.labels.tolist(), kept.splits.tolist()) == (sample.labels.tolist(), sample.splits.tolist())
    for name, boxes in sample.regions.items():
        np.testing.assert_array_equal(kept.regions[name], boxes)


def test_an_import_draws_nothing_that_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "draw_faces", lambda *_: pytest.fail("drawn"))
    dataset = import_dataset("sample", tmp_path / "sample")
    assert (len(dataset), dataset.info.source) == (FACES, f"drawn with seed {SEED}")
    shipped = RunFolder(PROJECT_ROOT / "models" / "custom_cnn")
    assert shipped.evaluation(dataset.info.fingerprint) is not None, "shipped figures are about other pixels"
