"""Large pictures are decoded smaller, stay right, and cost little memory; those made to fill it are refused."""

from __future__ import annotations

import io
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core import picture_size
from fer_core.data.pictures import decode
from fer_core.errors import DataError
from fer_core.inference.detectors import Face
from fer_core.inference.pictures import read_picture
from fer_core.photo import Picture, load_photo


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of pictures, a hundredth of what they are, so that the pictures of these tests are small, too."""
    monkeypatch.setattr(picture_size, "MOST_PIXELS", 500_000)
    monkeypatch.setattr(picture_size, "MOST_WHOLE", 160_000)
    monkeypatch.setattr(picture_size, "MOST_DECODED", 126_000)


def quarters(mode: str, width: int = 800, height: int = 600) -> Image.Image:
    """White above and to the left, black elsewhere."""
    image = Image.new("RGB", (width, height), "black")
    image.paste("white", (0, 0, width // 2, height // 2))
    return image.convert(mode)


class Fixed:
    title = "fixed"

    def detect(self, image_bgr: Picture) -> list[Face]:
        height, width = image_bgr.shape[:2]
        return [Face(width // 4, height // 4, width // 2, height // 2, 0.9, ((width / 4, height / 4),) * 5)]


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_large_jpeg_is_decoded_smaller_and_looks_the_same(small: None, mode: str) -> None:
    photo = load_photo(encoded(quarters(mode), quality=95))
    height, width = photo.picture.shape[:2]
    assert (photo.width, photo.height) == (800, 600)
    assert (width, height) == (400, 300)
    assert photo.picture[20:120, 20:180].min() > 240
    assert photo.picture[180:, 220:].max() < 15


def test_a_small_jpeg_is_decoded_as_it_is(small: None) -> None:
    assert load_photo(encoded(quarters("RGB", 400, 300))).picture.shape == (300, 400, 3)


def test_the_rotation_of_a_large_picture_is_applied_and_its_size_told_upright(small: None) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate 90° clockwise to view": what was on the left is on top
    photo = load_photo(encoded(quarters("RGB"), exif=exif, quality=95))
    assert (photo.width, photo.height) == (600, 800)
    assert photo.picture.shape == (400, 300, 3)
    assert photo.picture[20:180, 180:280].min() > 240
    assert photo.picture[220:].max() < 15


def test_boxes_are_in_the_pixels_of_the_file(small: None) -> None:
    reading = read_picture(load_photo(encoded(quarters("RGB"))), "large.jpg", Fixed())
    [face] = reading.faces
    assert (reading.width, reading.height) == (800, 600)
    assert (face.x, face.y, face.width, face.height) == (200, 150, 400, 300)
    assert face.landmarks is not None
    assert face.landmarks[0] == (200, 150)


def test_a_large_screenshot_is_made_smaller_and_a_larger_one_refused(small: None) -> None:
    assert load_photo(encoded(quarters("RGBA", 450, 340), "PNG")).picture.shape == (170, 225, 3)
    with pytest.raises(DataError, match="Save it as JPEG"):
        load_photo(encoded(quarters("RGB"), "PNG"), "screen.png")


def test_a_progressive_jpeg_which_is_held_whole_while_it_is_read_counts_whole(small: None) -> None:
    with pytest.raises(DataError, match="no plain JPEG"):
        load_photo(encoded(quarters("RGB"), progressive=True))


def test_of_an_animation_the_first_frame_counts(small: None) -> None:
    frames = [Image.new("RGB", (90, 80), colour) for colour in ("white", "black", "red")]
    for kind in ("GIF", "WEBP"):
        content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        assert load_photo(content).picture.min() > 240


def test_sixteen_bits_are_scaled_in_every_band() -> None:
    deep = Image.fromarray(np.full((600, 4), 128 * 256, dtype=np.uint16))
    assert set(np.unique(load_photo(encoded(deep, "PNG")).picture)) == {128}


def test_a_header_that_promises_more_than_memory_is_refused_undecoded() -> None:
    content = bytearray(encoded(Image.new("L", (8, 8)), "PNG"))
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    with pytest.raises(DataError, match="pixels"):
        load_photo(bytes(content))
    with pytest.raises(DataError, match="pixels"):
        decode(bytes(content), "bomb.png")


def test_a_large_jpeg_among_faces_is_decoded_smaller(small: None) -> None:
    face = decode(encoded(quarters("L")), "large.jpg")
    assert face.resized
    assert face.pixels[4:20, 4:20].min() > 200
    assert face.pixels[30:, 30:].max() < 50


PEAK = """
import sys
from pathlib import Path
sys.path.insert(0, "tests")
from peak_memory import peak_bytes
from fer_core.photo import load_photo
load_photo(Path(sys.argv[2]).read_bytes())
before = peak_bytes()
load_photo(Path(sys.argv[1]).read_bytes())
print(peak_bytes() - before)
"""


def test_a_photograph_of_48_megapixels_costs_no_more_memory_than_one_of_twelve(tmp_path: Path) -> None:
    (tmp_path / "large.jpg").write_bytes(encoded(Image.new("RGB", (8000, 6000), "grey")))
    (tmp_path / "tiny.jpg").write_bytes(encoded(Image.new("RGB", (8, 8))))
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-c", PEAK, str(tmp_path / "large.jpg"), str(tmp_path / "tiny.jpg")]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert int(found.stdout) < 110e6
