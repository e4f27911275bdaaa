"""A frame in; every face with its number, probabilities and map out. One instance for each visitor."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from fer_core.emotions import COUNT, IMAGE_SIZE
from fer_core.inference.detectors import Face, FaceDetector
from fer_core.inference.face_crop import CROP_RULE, cut, square_of
from fer_core.inference.predictor import Maps, Predictor, Probabilities
from fer_core.inference.stream.optical_flow import MedianFlow
from fer_core.inference.stream.result import ClassMap, FaceResult, Result, Timings
from fer_core.inference.stream.smoothing import UNSURE_BELOW, Smoother, Steadiness, shown_class
from fer_core.inference.stream.tracking import Track, Tracker, TrackerSettings
from fer_core.inference.vote import VotePredictor
from fer_core.photo import Picture
from fer_core.stats.calibration import apply_temperature


@dataclass(frozen=True)
class StreamSettings:
    """How a stream is read. All of it may be changed between frames: ``pipeline.settings = replace(...)``.

    ``detect_side``: pixels of the longer side at which the detector looks; smaller frames stay as they are.
    ``detect_every``, ``detect_s``: it looks at every n-th frame, and sooner if so many seconds have passed; while there
    is no face, or a new one waits to be confirmed, at every frame. ``smoothing_s``: time constant in seconds, 0 for
    none. ``unsure_below``: least probability to show a class, 0..1, one for all models or one for each by name (others
    take the default). ``slack``, ``margin``: see :class:`~.smoothing.Steadiness`. ``models``: names of those that run,
    None for all. ``map_model``: whose map comes with each face, None for no map; ``map_class``: of which class 0..6,
    None for the shown one (where unsure, the likeliest).
    """

    detect_side: int = 480
    detect_every: int = 4
    detect_s: float = 0.25
    smoothing_s: float = 0.4
    unsure_below: float | Mapping[str, float] = UNSURE_BELOW
    slack: float = 0.05
    margin: float = 0.08
    models: tuple[str, ...] | None = None
    map_model: str | None = None
    map_class: int | None = None
    tracker: TrackerSettings = field(default_factory=TrackerSettings)

    def __post_init__(self) -> None:
        if self.detect_side < 64 or self.detect_every < 1 or not self.detect_s > 0:
            raise ValueError("detect_side must be at least 64, detect_every at least 1, detect_s above 0")
        if not self.smoothing_s >= 0:
            raise ValueError("smoothing_s must not be negative")
        if self.map_class is not None and not 0 <= self.map_class < COUNT:
            raise ValueError(f"map_class must be 0..{COUNT - 1} or None, not {self.map_class}")
        limits = self.unsure_below.values() if isinstance(self.unsure_below, Mapping) else [self.unsure_below]
        for limit in limits:
            Steadiness(limit, self.slack, self.margin)

    def steadiness(self, model: str) -> Steadiness:
        """What holds for one model."""
        limit = self.unsure_below
        if isinstance(limit, Mapping):
            limit = limit.get(model, UNSURE_BELOW)
        return Steadiness(limit, self.slack, self.margin)


class Pipeline:
    """Reads one stream. Its state (faces, smoothing) belongs to that stream; detector and models may be shared.

    Not to be called from two threads at once; ``settings`` may be replaced from any thread and hold
    from the next frame.
    """

    def __init__(
        self, models: Mapping[str, Predictor], detector: FaceDetector, settings: StreamSettings | None = None
    ) -> None:
        """``models``: by the name they have in results. None may be given: faces are then only followed."""
        self.models = dict(models)
        self.detector = detector
        self.settings = settings or StreamSettings()
        self.reset()

    def reset(self) -> None:
        """Forget all faces, as for another clip. Face numbers begin at 1 again."""
        self._tracker = Tracker(self.settings.tracker)
        self._flow = MedianFlow()
        self._smoothers: dict[tuple[int, str], Smoother] = {}
        self._shown: dict[tuple[int, str], int | None] = {}
        self._since = 0
        self._detected_s: float | None = None
        self._size: tuple[int, int] | None = None

    def process(self, frame_bgr: Picture, time_s: float) -> Result:
        """Read one frame: uint8 (H, W, 3), blue-green-red, seen at ``time_s`` seconds on a clock that never runs back.

        H and W may change from frame to frame. Raises ``ValueError`` for an array of another kind or settings that name
        a model there is not.
        """
        began = time.perf_counter()
        _check(frame_bgr)
        settings = self.settings
        models = self._chosen(settings)
        tracker = self._tracker
        tracker.settings = settings.tracker
        height, width = frame_bgr.shape[:2]
        if self._size is not None and abs(self._size[1] / self._size[0] - width / height) > 0.02:
            # Cut off at the sides, not made smaller: shares of the frame mean something else now.
            self._detected_s = None
        self._size = (height, width)

        moved, _ = self._flow.step(frame_bgr, tracker.boxes())
        tracker.move(moved)
        followed = time.perf_counter()
        found = self._detect(frame_bgr, time_s, settings)
        looked = time.perf_counter()
        if found is not None:
            tracker.update(found, height, width, time_s)
        self._prune()
        tracked = time.perf_counter()

        tracks = tracker.shown
        faces = [track.face(height, width) for track in tracks]
        crops = np.empty((len(faces), IMAGE_SIZE, IMAGE_SIZE), dtype=np.uint8)
        for index, face in enumerate(faces):
            crops[index] = cut(frame_bgr, face, CROP_RULE)
        cropped = time.perf_counter()
        answers, predict_ms = predict_all(models, crops) if faces else ({}, dict.fromkeys(models, 0.0))
        results = tuple(
            self._face(
                track,
                face,
                square_of(face, CROP_RULE),
                crops[index],
                {name: (probabilities[index], maps[index]) for name, (probabilities, maps) in answers.items()},
                time_s,
                settings,
            )
            for index, (track, face) in enumerate(zip(tracks, faces, strict=True))
        )
        timings = Timings(
            detect_ms=(looked - followed) * 1000 if found is not None else 0.0,
            track_ms=(followed - began + tracked - looked) * 1000,
            crop_ms=(cropped - tracked) * 1000,
            predict_ms=predict_ms,
            total_ms=(time.perf_counter() - began) * 1000,
        )
        return Result(time_s, (height, width), results, found is not None, timings)

    def _chosen(self, settings: StreamSettings) -> dict[str, Predictor]:
        names = list(self.models) if settings.models is None else list(settings.models)
        wanted = [*names, *([settings.map_model] if settings.map_model else [])]
        unknown = [name for name in wanted if name not in self.models]
        if unknown:
            raise ValueError(f"there is no model {unknown[0]!r}; there are {', '.join(self.models) or 'none'}")
        # The map comes from a model that runs; one chosen for its map alone runs, too.
        return {name: self.models[name] for name in dict.fromkeys(wanted)}

    def _detect(self, frame_bgr: Picture, time_s: float, settings: StreamSettings) -> list[Face] | None:
        """The faces in the frame, in its pixels; None if it was not this frame's turn."""
        self._since += 1
        last = self._detected_s
        due = (
            last is None
            or self._since >= settings.detect_every
            or not 0 <= time_s - last < settings.detect_s
            or not self._tracker.shown
            or self._tracker.waiting
        )
        if not due:
            return None
        self._since, self._detected_s = 0, time_s
        height, width = frame_bgr.shape[:2]
        scale = min(1.0, settings.detect_side / max(height, width))
        if scale == 1:
            return self.detector.detect(frame_bgr)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = np.asarray(cv2.resize(frame_bgr, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        return [_enlarged(face, width / size[0], height / size[1]) for face in self.detector.detect(small)]

    def _face(
        self,
        track: Track,
        face: Face,
        square: tuple[float, float, float, float],
        crop: npt.NDArray[np.uint8],
        answers: Mapping[str, tuple[Probabilities, Maps]],
        time_s: float,
        settings: StreamSettings,
    ) -> FaceResult:
        smoothed, shown = {}, {}
        for name, (probabilities, _) in answers.items():
            key = (track.number, name)
            smoother = self._smoothers.setdefault(key, Smoother())
            smoothed[name] = smoother.update(probabilities, time_s, settings.smoothing_s)
            shown[name] = shown_class(self._shown.get(key), smoothed[name], settings.steadiness(name))
            self._shown[key] = shown[name]
        class_map = None
        if settings.map_model is not None:
            label = settings.map_class
            if label is None:
                label = shown[settings.map_model]
            if label is None:
                label = int(smoothed[settings.map_model].argmax())
            # Copies, so that a kept result does not keep all maps of all faces.
            class_map = ClassMap(settings.map_model, label, answers[settings.map_model][1][label].copy())
        raw = {name: probabilities for name, (probabilities, _) in answers.items()}
        return FaceResult(track.number, face, square, crop, raw, smoothed, shown, class_map)

    def _prune(self) -> None:
        """Forget what belonged to faces that are gone, or an endless stream would grow without end."""
        alive = {track.number for track in self._tracker.tracks}
        if any(number not in alive for number, _ in self._smoothers):
            self._smoothers = {key: value for key, value in self._smoothers.items() if key[0] in alive}
            self._shown = {key: value for key, value in self._shown.items() if key[0] in alive}


def predict_all(
    models: Mapping[str, Predictor], crops: npt.NDArray[np.uint8]
) -> tuple[dict[str, tuple[Probabilities, Maps]], dict[str, float]]:
    """Probabilities (n, 7) and maps (n, 7, h, w) of each model for n faces, uint8 (n, 48, 48), and milliseconds.

    All faces of a frame go to a model at once, without padding to fixed sizes: with custom_cnn one more face costs
    2.4 ms, while giving the interpreter another batch size costs under 0.2 ms. Models run in turn: each already uses
    several threads, and two at a time took 10.6 ms for what four runs in turn did in 8.4 ms (2 cores, machine busy,
    best of 40). A vote takes the answers of those members that run anyway.
    """
    answers: dict[str, tuple[Probabilities, Maps]] = {}
    milliseconds: dict[str, float] = {}
    by_path = {model.path.resolve(): name for name, model in models.items()}
    # A stable sort: votes last, because they build on the others.
    for name, model in sorted(models.items(), key=lambda item: isinstance(item[1], VotePredictor)):
        began = time.perf_counter()
        if isinstance(model, VotePredictor):
            said = []
            for member, _ in model.members:
                runs = by_path.get(member.path.resolve())
                if runs is None:
                    said.append(member.explain(crops))
                else:
                    probabilities, maps = answers[runs]
                    # Softmax(z / a) at temperature b is softmax(z / (a·b)).
                    ratio = member.temperature / models[runs].temperature
                    said.append((apply_temperature(probabilities, ratio), maps))
            answers[name] = model.combine(said)
        else:
            answers[name] = model.explain(crops)
        milliseconds[name] = (time.perf_counter() - began) * 1000
    return {name: answers[name] for name in models}, milliseconds


def _enlarged(face: Face, across: float, down: float) -> Face:
    """A face found in a smaller copy, in the pixels of the frame."""
    landmarks = None
    if face.landmarks is not None:
        landmarks = tuple((x * across, y * down) for x, y in face.landmarks)
    box = round(face.x * across), round(face.y * down), round(face.width * across), round(face.height * down)
    return Face(*box, face.score, landmarks)


def _check(frame_bgr: Picture) -> None:
    kind, shape = frame_bgr.dtype, frame_bgr.shape
    if kind != np.uint8 or len(shape) != 3 or shape[2] != 3 or min(shape[:2]) < 16:
        raise ValueError(f"a frame must be uint8 of shape (H, W, 3), at least 16 × 16, not {kind} of shape {shape}")
