"""The pipeline from frame to result, with made detectors and models; real ones where they are at hand."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from stream_helpers import MadeDetector, MadeModel, frame_with

from fer_core.inference.detectors import HaarDetector, YuNetDetector
from fer_core.inference.models import load_model
from fer_core.inference.stream.pipeline import Pipeline, StreamSettings, predict_all
from fer_core.inference.stream.tracking import TrackerSettings
from fer_core.inference.vote import VotePredictor

ONE = [(0.25, 0.25, 0.3, 0.4)]
BRIGHT = frame_with((80, 60, 96, 250))
DARK = frame_with((80, 60, 96, 5))
AT_ONCE = TrackerSettings(confirm=1)


def pipeline(
    models: dict[str, MadeModel] | None = None,
    boxes: list[tuple[float, float, float, float]] | None = None,
    **settings: object,
) -> Pipeline:
    chosen = StreamSettings(tracker=AT_ONCE, **settings)  # type: ignore[arg-type]
    detector = MadeDetector(lambda call: ONE if boxes is None else boxes)
    return Pipeline(models if models is not None else {"made": MadeModel()}, detector, chosen)  # type: ignore[arg-type]


def test_a_face_comes_out_with_everything() -> None:
    stream = pipeline({"a": MadeModel("a"), "b": MadeModel("b", 0.4)}, map_model="b")
    result = stream.process(BRIGHT, 0.0)
    assert (result.time_s, result.size, result.detected) == (0.0, (240, 320), True)
    [face] = result.faces
    assert (face.number, face.face.x, face.face.y, face.face.width, face.face.height) == (1, 80, 60, 96, 96)
    assert face.crop.shape == (48, 48)
    assert face.crop.mean() > 240
    assert face.raw["a"].argmax() == 6
    np.testing.assert_allclose(face.smoothed["a"], face.raw["a"], atol=1e-6)
    assert face.shown == {"a": 6, "b": None}, "0.4 is below the limit"
    assert face.map is not None
    assert (face.map.model, face.map.label, face.map.values.shape) == ("b", 6, (3, 3))
    assert (face.map.values == 6).all(), "the likeliest class's map where the answer is unsure"
    timings = result.timings
    assert set(timings.predict_ms) == {"a", "b"}
    parts = timings.detect_ms + timings.track_ms + timings.crop_ms + sum(timings.predict_ms.values())
    assert 0 < parts <= timings.total_ms


def test_map_of_a_chosen_class_and_no_map() -> None:
    stream = pipeline(map_model="made", map_class=2)
    [face] = stream.process(BRIGHT, 0.0).faces
    assert face.map is not None
    assert (face.map.label, face.map.values[0, 0]) == (2, 2)
    stream.settings = replace(stream.settings, map_model=None)
    assert stream.process(BRIGHT, 0.1).faces[0].map is None


def test_no_face_costs_no_prediction() -> None:
    model = MadeModel()
    stream = pipeline({"made": model}, boxes=[])
    result = stream.process(BRIGHT, 0.0)
    assert result.faces == ()
    assert model.batches == []
    assert result.timings.predict_ms == {"made": 0.0}


def test_all_faces_go_to_each_model_at_once() -> None:
    models = {"a": MadeModel("a"), "b": MadeModel("b")}
    stream = pipeline(models, boxes=[(0.1 * n, 0.2, 0.08, 0.1) for n in range(10)])
    assert len(stream.process(BRIGHT, 0.0).faces) == 8
    assert models["a"].batches == models["b"].batches == [8]
    stream.settings = replace(stream.settings, models=("b",))
    assert set(stream.process(BRIGHT, 0.1).faces[0].raw) == {"b"}
    assert models["a"].batches == [8]
    stream.settings = replace(stream.settings, map_model="a")
    assert set(stream.process(BRIGHT, 0.2).faces[0].raw) == {"a", "b"}, "a model chosen for its map runs"
    stream.settings = replace(stream.settings, models=("none",))
    with pytest.raises(ValueError, match="no model 'none'; there are a, b"):
        stream.process(BRIGHT, 0.3)


def test_the_detector_looks_at_every_nth_frame_and_when_time_has_passed() -> None:
    stream = pipeline(detect_every=4, detect_s=10.0)
    looked = [stream.process(BRIGHT, index / 30).detected for index in range(9)]
    assert looked == [True, False, False, False, True, False, False, False, True]
    stream = pipeline(detect_every=100, detect_s=0.25)
    looked = [stream.process(BRIGHT, index / 10).detected for index in range(7)]
    assert looked == [True, False, False, True, False, False, True]


def test_it_looks_at_every_frame_while_there_is_nobody_or_somebody_new() -> None:
    seen = MadeDetector(lambda call: [] if call < 3 else ONE)
    stream = Pipeline({}, seen, StreamSettings(detect_every=4, detect_s=10.0))
    results = [stream.process(BRIGHT, index / 30) for index in range(8)]
    assert [result.detected for result in results] == [True] * 5 + [False] * 3
    assert [len(result.faces) for result in results] == [0, 0, 0, 0, 1, 1, 1, 1]


def test_detection_on_a_smaller_copy_gives_boxes_of_the_frame() -> None:
    stream = pipeline(detect_side=160)
    [face] = stream.process(frame_with((320, 240, 384, 250), height=960, width=1280), 0.0).faces
    assert stream.detector.sizes == [(120, 160)]  # type: ignore[attr-defined]
    assert (face.face.x, face.face.y, face.face.width, face.face.height) == (320, 240, 384, 384)


def test_frames_may_change_size_in_mid_stream() -> None:
    stream = pipeline(detect_every=100, detect_s=10.0)
    stream.process(BRIGHT, 0.0)
    larger = cv2.resize(BRIGHT, (640, 480), interpolation=cv2.INTER_NEAREST)
    result = stream.process(larger, 0.1)
    [face] = result.faces
    assert not result.detected, "the same picture, larger"
    assert (face.number, face.face.x, face.face.width) == (1, 160, 192)
    assert face.raw["made"].argmax() == 6
    assert stream.process(larger[:, 80:560], 0.2).detected, "another shape: boxes must be found anew"


def test_smoothing_and_the_shown_class_over_time() -> None:
    stream = pipeline(detect_every=1, smoothing_s=0.5)
    for index in range(60):
        stream.process(BRIGHT, index / 30)
    [face] = stream.process(DARK, 2.0).faces
    assert face.raw["made"].argmax() == 0
    assert face.shown == {"made": 6}, "one frame does not turn it over"
    for index in range(1, 60):
        result = stream.process(DARK, 2.0 + index / 30)
    assert result.faces[0].shown == {"made": 0}
    stream.settings = replace(stream.settings, unsure_below={"made": 0.95})
    assert stream.process(DARK, 4.1).faces[0].shown == {"made": None}


def test_two_visitors_never_share() -> None:
    model, detector = MadeModel(), MadeDetector(lambda call: ONE)
    shared = {"made": model}
    settings = StreamSettings(tracker=AT_ONCE, smoothing_s=5.0)
    first, second = (Pipeline(shared, detector, settings) for _ in range(2))  # type: ignore[arg-type]
    for index in range(20):
        mine, yours = first.process(BRIGHT, index / 30), second.process(DARK, index / 30)
        assert mine.faces[0].number == yours.faces[0].number == 1
        assert mine.faces[0].smoothed["made"].argmax() == 6
        assert yours.faces[0].smoothed["made"].argmax() == 0
        assert mine.faces[0].crop.mean() > 200 > 50 > yours.faces[0].crop.mean()


def test_an_endless_stream_of_new_faces_leaves_nothing_behind() -> None:
    detector = MadeDetector(lambda call: [((call % 9) * 0.1, 0.2, 0.05, 0.1)])
    stream = Pipeline({"made": MadeModel()}, detector, StreamSettings(detect_every=1, tracker=AT_ONCE))  # type: ignore[dict-item]
    for index in range(150):
        result = stream.process(BRIGHT, index * 0.5)
    assert result.faces[-1].number > 50
    assert len(stream._smoothers) <= 8
    assert len(stream._shown) <= 8
    stream.reset()
    assert stream.process(BRIGHT, 0.0).faces[0].number == 1


def test_odd_frames_and_settings_are_refused() -> None:
    stream = pipeline()
    for odd in (np.zeros((240, 320), np.uint8), np.zeros((240, 320, 3), np.float32), np.zeros((8, 8, 3), np.uint8)):
        with pytest.raises(ValueError, match="a frame must be uint8"):
            stream.process(odd, 0.0)
    for wrong in ({"detect_every": 0}, {"map_class": 7}, {"smoothing_s": -1.0}, {"unsure_below": {"a": 2.0}}):
        with pytest.raises(ValueError, match="must"):
            StreamSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("calibrated", [False, True])
def test_a_vote_uses_the_answers_of_members_that_run_anyway(calibrated: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    vote = load_model("vote")
    assert isinstance(vote, VotePredictor)
    members = {member.name: load_model(member.name, calibrated=calibrated) for member, _ in vote.members}
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48), dtype=np.uint8)
    alone, maps_alone = vote.explain(faces)
    for member, _ in vote.members:
        monkeypatch.setattr(member, "explain", lambda images: pytest.fail("asked twice"))
    answers, milliseconds = predict_all({"vote": vote, **members}, faces)
    assert list(answers) == ["vote", *members]
    assert set(milliseconds) == set(answers)
    np.testing.assert_allclose(answers["vote"][0], alone, atol=1e-5)
    np.testing.assert_allclose(answers["vote"][1], maps_alone, atol=1e-5)


@pytest.mark.real
def test_real_faces_with_yunet(fer2013_csv: Path) -> None:
    path = os.environ.get("YUNET_PATH")
    if not path:
        pytest.skip("set YUNET_PATH to the YuNet ONNX file")
    import pandas as pd

    pixels = pd.read_csv(fer2013_csv, nrows=60)["pixels"]
    faces = [np.array(text.split(), dtype=np.uint8).reshape(48, 48) for text in pixels]
    # Haar finds few faces that have no head around them.
    for detector, least in ((YuNetDetector(path), 6), (HaarDetector(), 3)):
        followed = 0
        for face in faces[::6]:
            stream = Pipeline({}, detector)
            for index in range(12):
                grey = np.full((480, 640), 110, np.uint8)
                left, top = 100 + 6 * index, 120 + 3 * index
                grey[top : top + 200, left : left + 200] = cv2.resize(face, (200, 200), interpolation=cv2.INTER_CUBIC)
                result = stream.process(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), index / 30)
            box = result.faces[0].face if result.faces else None
            followed += (
                box is not None
                and result.faces[0].number == 1
                and abs(box.x + box.width / 2 - left - 100) < 30
                and abs(box.y + box.height / 2 - top - 100) < 30
            )
        assert followed >= least, detector.title
