"""Odd files are called by their names, whatever they end in."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from fer_core.data.pictures import decode
from fer_core.errors import DataError, UnusableFileError
from fer_core.file_types import PICTURES, is_video, what_to_do
from fer_core.photo import NO_LEVELS, as_face, load_picture


def iso(brand: bytes, *compatible: bytes) -> bytes:
    """The first box of an ISO media file."""
    return (16 + 4 * len(compatible)).to_bytes(4, "big") + b"ftyp" + brand + b"\0\0\0\0" + b"".join(compatible)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (iso(b"heic", b"mif1"), "HEIC picture, as iPhones store them. Open it .* export it as JPEG"),
        (iso(b"mif1", b"heic"), "HEIC"),
        (iso(b"mif1", b"mif1", b"avif"), "HEIC|AVIF"),
        (iso(b"avif", b"mif1"), "an AVIF picture.* export it as JPEG"),
        (iso(b"isom", b"mp41"), "video"),
        (b"\x1aE\xdf\xa3....webm", "video"),
        (b"RIFF\0\0\0\0AVI LIST", "video"),
        (b"%PDF-1.7", "PDF document"),
        (b"PK\x03\x04...", "archive. Unpack it"),
        (b"II*\0\x10\0\0\0CR\x02\0", "camera's raw file.* export it as JPEG"),
        (b"\xff\x0a\xfa", "JPEG XL"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x">', "an SVG picture"),
        (b"P5\n48 48\n255\n", "PGM"),
        (b"\x00\x00\x00\x0cjP  \r\n", "JPEG 2000"),
        (b"\n<!DOCTYPE html><html>", "web page"),
    ],
)
def test_an_odd_file_is_named_with_what_to_do(content: bytes, words: str) -> None:
    with pytest.raises(DataError, match=rf"IMG_1\.jpg (is not a picture|is damaged).*({words})"):
        load_picture(content, "IMG_1.jpg")


def test_what_nobody_knows_gets_the_list_of_readable_kinds() -> None:
    assert what_to_do(b"hello") is None
    with pytest.raises(DataError, match="Readable kinds: JPEG, PNG"):
        load_picture(b"hello", "IMG_1.jpg")


def test_videos_and_webp_are_told_apart() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "WEBP")
    assert not is_video(buffer.getvalue())
    assert load_picture(buffer.getvalue()).shape == (8, 8, 3)
    assert is_video(iso(b"qt  "))
    assert not is_video(iso(b"heic"))


@pytest.mark.parametrize("kind", PICTURES)
def test_every_kind_is_read_by_whatever_its_files_end_in(kind: str) -> None:
    """The kinds that are decoded and the endings that are looked for were two lists."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, kind)
    assert load_picture(buffer.getvalue()).shape == (8, 8, 3)
    known = Image.registered_extensions()
    assert {known[f".{ending}"] for ending in PICTURES[kind]} == {kind}


LEVELS = np.arange(48 * 48, dtype=np.uint8).reshape(48, 48)


@pytest.mark.parametrize(
    ("pixels", "kind"),
    [
        ((LEVELS / 255).astype(np.float32), "TIFF"),
        ((LEVELS / 127.5 - 1).astype(np.float32), "TIFF"),
        (LEVELS.astype(np.float32), "TIFF"),
        (LEVELS.astype(np.int32), "TIFF"),
        (LEVELS.astype(np.int32) * 257, "TIFF"),
        (LEVELS.astype(np.uint16) * 257, "PNG"),
        (LEVELS.astype(np.uint16), "PNG"),
        (LEVELS.astype(np.uint16) * 16, "PNG"),
        (LEVELS.astype(np.uint16) * 4, "TIFF"),
    ],
    ids=["0 to 1", "-1 to 1", "floats to 255", "32 bits", "32 to 65535", "16 bits", "16 to 255", "12 bits", "10 bits"],
)
def test_grey_pictures_beyond_eight_bits_keep_their_levels(pixels: npt.NDArray[np.generic], kind: str) -> None:
    """Fractions from 0 to 1 became a black picture, and so did 8 to 12 bits in 16, without a word."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    picture = load_picture(buffer.getvalue())
    assert np.abs(picture[..., 0].astype(int) - LEVELS).max() <= 1
    assert np.array_equal(decode(buffer.getvalue(), "x").pixels, as_face(picture)), "an import and Photo see the same"


@pytest.mark.parametrize("pixels", [[0.0, 300_000.0], [-5.0, 3.0], [0.0, np.nan]])
def test_levels_of_nobody_are_refused(pixels: list[float]) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 4, 2), pixels, np.float32).reshape(8, 8)).save(buffer, "TIFF")
    with pytest.raises(UnusableFileError, match=r"from (0|-5) to|no numbers") as refused:
        load_picture(buffer.getvalue())
    assert refused.value.kind == NO_LEVELS, "an import called it damaged or cut off"
