"""Pictures in, faces out: decoding, ordering, cropping, and the two detectors."""

from __future__ import annotations

import csv
import gzip
import io
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fer_core.errors import DataError, RunError
from fer_core.inference import detectors
from fer_core.inference.faces import (
    Face,
    FaceDetector,
    HaarDetector,
    YuNetDetector,
    best_detector,
    crop_face,
    find_face_crops,
    find_faces,
)
from fer_core.inference.yunet import YUNET_BYTES, yunet_path
from fer_core.photo import load_picture
from fer_core.picture_size import MOST_PIXELS


class Fixed:
    """A detector that finds what it is told."""

    title = "fixed"

    def __init__(self, *faces: Face) -> None:
        self.faces = list(faces)

    def detect(self, image_bgr: np.ndarray) -> list[Face]:
        return self.faces


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_colours_are_blue_green_red() -> None:
    picture = load_picture(encoded(Image.new("RGB", (4, 3), (250, 20, 10))))
    assert picture.shape == (3, 4, 3)
    assert picture.dtype == np.uint8
    assert picture[0, 0].tolist() == [10, 20, 250]


def test_exif_rotation_is_applied() -> None:
    image = Image.new("RGB", (40, 20), "black")
    image.paste("white", (0, 0, 10, 20))  # left quarter white
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate 90° clockwise to view"
    picture = load_picture(encoded(image, "JPEG", exif=exif, quality=95))
    assert picture.shape == (40, 20, 3)
    assert picture[2].mean() > 200, "the left edge must now be on top"
    assert picture[-3].mean() < 50


def test_transparent_grey_and_sixteen_bit_pictures() -> None:
    assert load_picture(encoded(Image.new("RGBA", (2, 2), (0, 0, 0, 0))))[0, 0].tolist() == [255] * 3
    assert load_picture(encoded(Image.new("L", (2, 2), 77)))[0, 0].tolist() == [77] * 3
    deep = Image.fromarray(np.full((2, 2), 128 * 256, dtype=np.uint16))
    assert load_picture(encoded(deep))[0, 0].tolist() == [128] * 3


def test_odd_files_are_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"notes\.txt is not a picture"):
        load_picture(b"hello", "notes.txt")
    with pytest.raises(DataError, match="not a picture"):
        load_picture(b"")
    whole = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)))
    with pytest.raises(DataError, match=r"cut\.png is damaged or cut off"):
        load_picture(whole[: len(whole) // 2], "cut.png")


def test_pixel_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    side = int(MOST_PIXELS**0.5) + 1
    with pytest.raises(DataError, match=r"7,072 × 7,072 pixels; at most 50 million"):
        load_picture(encoded(Image.new("1", (side, side))))
    # Pillow's own limit, which it enforces while opening.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(DataError, match="far too many pixels"):
        load_picture(encoded(Image.new("L", (100, 100))))


def test_largest_face_first() -> None:
    small, large = Face(0, 0, 10, 10, 0.9), Face(5, 5, 30, 40, 0.7)
    picture = np.zeros((60, 60, 3), np.uint8)
    assert find_faces(picture, Fixed(small, large)) == [large, small]
    assert find_faces(picture, Fixed()) == []
    with pytest.raises(ValueError, match=r"\(H, W, 3\)"):
        find_faces(np.zeros((60, 60), np.uint8), Fixed())


def test_crop_is_the_square_around_the_box() -> None:
    picture = np.zeros((400, 500, 3), np.uint8)
    picture[100:300, 150:350] = 200
    crop = crop_face(picture, Face(150, 100, 200, 200, 1.0))
    assert crop.shape == (48, 48)
    assert crop.dtype == np.uint8
    assert (crop[4:-4, 4:-4] == 200).all()
    # A tall box gives a square as wide as the box is high.
    tall = crop_face(picture, Face(200, 100, 100, 200, 1.0))
    assert (tall[4:-4, 4:-4] == 200).all()


def test_crop_repeats_the_edge_where_it_leaves_the_picture() -> None:
    picture = np.tile(np.linspace(10, 250, 100).astype(np.uint8)[None, :, None], (100, 1, 3))
    crop = crop_face(picture, Face(-50, 0, 100, 100, 1.0))
    assert (crop[:, :20] == 10).all(), "left of the picture its first column is repeated"
    assert crop[:, -1].mean() > 100
    with pytest.raises(ValueError, match="outside the picture"):
        crop_face(picture, Face(-300, 0, 100, 100, 1.0))


def test_shrinking_averages_instead_of_skipping() -> None:
    board = (np.indices((480, 480)).sum(axis=0) % 2 * 255).astype(np.uint8)
    crop = crop_face(np.repeat(board[..., None], 3, axis=2), Face(0, 0, 470, 470, 1.0))
    assert abs(int(crop.mean()) - 127) <= 2
    assert crop[5:-5, 5:-5].std() < 8


def test_small_faces_are_enlarged() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    assert crop_face(picture, Face(10, 10, 20, 20, 1.0)).shape == (48, 48)


def test_a_picture_of_48_by_48_is_a_face_itself() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    [(face, crop)] = find_face_crops(np.repeat(grey[..., None], 3, axis=2), Fixed())
    assert (face.width, face.height, face.score) == (48, 48, 1.0)
    np.testing.assert_array_equal(crop, grey)


def test_boxes_are_scaled_back_to_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []

    class Cascade:
        def detectMultiScale3(self, grey: np.ndarray, **options: object) -> tuple:  # noqa: N802
            seen.append(grey.shape)
            return np.array([[100, 200, 300, 300]]), np.array([[9]]), np.array([[4.5]])

    detector = HaarDetector()
    monkeypatch.setattr(detector, "_cascade", Cascade())
    [face] = detector.detect(np.zeros((2560, 1280, 3), np.uint8))
    assert seen == [(1280, 640)]
    assert (face.x, face.y, face.width, face.height, face.score) == (200, 400, 600, 600, 4.5)
    [face] = detector.detect(np.zeros((160, 80, 3), np.uint8))
    assert seen[-1] == (320, 160)
    assert (face.x, face.y, face.width) == (50, 100, 150)


def test_no_face_in_noise() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    assert find_faces(noise, HaarDetector()) == []


def test_best_detector_wants_the_whole_yunet_file(home: Path) -> None:
    assert isinstance(best_detector(), HaarDetector)
    yunet_path().parent.mkdir(parents=True)
    yunet_path().write_bytes(bytes(YUNET_BYTES))  # the right size, the wrong content
    assert isinstance(best_detector(), HaarDetector)


def test_yunet_file_errors(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no face detector file"):
        YuNetDetector(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"not a network")
    with pytest.raises(RunError, match="not a YuNet file"):
        YuNetDetector(tmp_path / "bad.onnx")


@pytest.fixture(scope="module")
def real_faces(fer2013_csv: Path) -> np.ndarray:
    """Every twentieth of the first 1,000 faces of the real data: uint8 (50, 48, 48)."""
    if fer2013_csv.suffixes[-2:] != [".csv", ".gz"] and fer2013_csv.suffix != ".csv":
        pytest.skip("this test reads fer2013.csv or fer2013.csv.gz")
    opener = gzip.open if fer2013_csv.suffix == ".gz" else open
    with opener(fer2013_csv, "rt") as file:
        rows = list(islice(csv.DictReader(file), 0, 1000, 20))
    return np.array([np.array(row["pixels"].split(), dtype=np.uint8).reshape(48, 48) for row in rows])


def framed(face: np.ndarray) -> np.ndarray:
    """The face at 192 pixels in the middle of a picture of 384."""
    large = cv2.resize(face, (192, 192), interpolation=cv2.INTER_CUBIC)
    wide = cv2.copyMakeBorder(large, 96, 96, 96, 96, cv2.BORDER_REPLICATE)
    return cv2.cvtColor(wide, cv2.COLOR_GRAY2BGR)


def check_on_real_faces(detector: FaceDetector, faces: np.ndarray, least: int) -> None:
    """The detector finds at least ``least`` faces, and their boxes have FER-2013's frame: the middle 192
    pixels.
    """
    found = [result[0] for face in faces if (result := find_faces(framed(face), detector))]
    assert len(found) >= least
    sides = [max(face.width, face.height) / 192 for face in found]
    centres = [(face.x + face.width / 2 - 192, face.y + face.height / 2 - 192) for face in found]
    assert np.median(sides) == pytest.approx(1, abs=0.08)
    assert np.abs(np.median(centres, axis=0)).max() < 10


@pytest.mark.real
def test_haar_finds_real_faces(real_faces: np.ndarray) -> None:
    check_on_real_faces(HaarDetector(), real_faces, least=30)


@pytest.mark.real
def test_yunet_finds_real_faces(real_faces: np.ndarray, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = os.environ.get("YUNET_PATH")
    if not path:
        pytest.skip("set YUNET_PATH to the YuNet ONNX file")
    yunet_path().parent.mkdir(parents=True)
    yunet_path().write_bytes(Path(path).read_bytes())
    detector = best_detector()
    assert isinstance(detector, YuNetDetector)
    check_on_real_faces(detector, real_faces, least=45)
    [face] = find_faces(framed(real_faces[0]), detector)[:1]
    assert face.landmarks is not None
    assert all(96 < x < 288 and 96 < y < 288 for x, y in face.landmarks)
    assert 0.6 <= face.score <= 1
    # The same picture six times as large: about the same box, six times as far.
    larger = cv2.resize(framed(real_faces[0]), None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC)
    assert max(larger.shape) > detectors.LONGEST
    [again] = find_faces(larger, detector)[:1]
    assert again.x / 6 == pytest.approx(face.x, abs=24)
    assert again.width / 6 == pytest.approx(face.width, abs=24)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it reads Linux's /proc")
def test_a_phones_picture_is_in_memory_hardly_more_than_twice_while_it_is_read() -> None:
    """It used to be there up to six times: 216 MB for 12 million pixels."""
    held = io.BytesIO()
    Image.new("RGB", (4000, 3000), "grey").save(held, "JPEG")
    script = (
        "import resource, sys\n"
        "from fer_core.photo import load_picture\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "load_picture(sys.stdin.buffer.read())\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], input=held.getvalue(), capture_output=True, check=True)
    assert float(done.stdout) < 110
