"""Photo in a real browser: pictures to a table and a CSV, to Explain and back; a video to watch."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from factories import make_run
from PIL import Image
from playwright.sync_api import expect

from fer_core.data.dataset import load_dataset
from fer_core.inference.detectors import HaarDetector
from fer_core.inference.pictures import HEADER
from fer_core.inference.stream.video_writer import VideoWriter

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
MINUTE = 60_000
FRAMES, RATE = 40, 20


@pytest.fixture
def runs(home: Path) -> None:
    for name in ("one", "two"):
        make_run(home / "runs" / name)


@pytest.fixture
def clip(drawn_sample: Path, tmp_path: Path) -> Path:
    """A drawn face that Haar finds, swinging: two seconds."""
    detector = HaarDetector()

    def frame_of(face: np.ndarray, shift: int = 0) -> np.ndarray:
        frame = np.full((240, 320, 3), 128, np.uint8)
        frame[50:190, 90 + shift : 230 + shift] = cv2.resize(face, (140, 140), interpolation=cv2.INTER_CUBIC)[..., None]
        return frame

    images = np.asarray(load_dataset(drawn_sample).images[:200])
    face = next(image for image in images if len(detector.detect(frame_of(image))) == 1)
    writer = VideoWriter(tmp_path / "swing.mp4", RATE)
    for number in range(FRAMES):
        writer.write(frame_of(face, round(20 * np.sin(number / 6))), number / RATE)
    writer.finish()
    return writer.path


def upload(page: Page, *files: Path) -> None:
    expect(page.get_by_test_id("stFileUploaderDropzone")).to_be_visible(timeout=MINUTE)
    page.locator("input[type=file]").first.set_input_files([str(file) for file in files])


def test_pictures_make_a_table_lead_to_explain_and_are_kept(
    runs: None, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    faces = np.random.default_rng(0).integers(0, 256, (2, 48, 48), dtype=np.uint8)
    for name, image in zip(("a.png", "b.png"), faces, strict=True):
        Image.fromarray(image).save(tmp_path / name)
    (tmp_path / "IMG_1.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    page = open_page("photo")
    upload(page, tmp_path / "a.png", tmp_path / "b.png", tmp_path / "IMG_1.heic")
    expect(page.get_by_text("2 pictures, 2 faces")).to_be_visible(timeout=MINUTE)
    expect(page.get_by_text(re.compile(r"IMG_1\.heic .* HEIC picture.* export it as JPEG"))).to_be_visible()
    with page.expect_download(timeout=MINUTE) as download:
        page.get_by_role("button", name="All numbers (CSV)").click()
    lines = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))
    assert tuple(lines[0]) == HEADER
    # Runs made in the same moment come in either order.
    assert sorted((line["file"], line["model"]) for line in lines) == [
        (name, model) for name in ("a.png", "b.png") for model in ("one", "two")
    ]
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="b.png")).to_be_visible(timeout=MINUTE)
    page.get_by_role("button", name="Explain").first.click()
    expect(page.get_by_text("b.png, face 1, without a label")).to_be_visible(timeout=MINUTE)
    page.get_by_role("link", name="Photo").click()
    expect(page.get_by_text("3 pictures, in this visit")).to_be_visible(timeout=MINUTE)
    expect(page.get_by_text("2 pictures, 2 faces")).to_be_visible(timeout=MINUTE)
    expect(page.get_by_role("heading", name="b.png")).to_be_visible(timeout=MINUTE)
    page.get_by_role("button", name="Forget").click()
    expect(page.get_by_text("No picture at hand?")).to_be_visible(timeout=MINUTE)


def test_a_video_is_read_and_plays(runs: None, open_page: Callable[..., Page], clip: Path) -> None:
    page = open_page("photo?way=Video")
    upload(page, clip)
    page.get_by_role("button", name="Read the video").click(timeout=MINUTE)
    expect(page.get_by_text("Over time")).to_be_visible(timeout=2 * MINUTE)
    expect(page.get_by_text(re.compile(rf"{FRAMES} frames\. A face is in \d+ %"))).to_be_visible()
    page.wait_for_function("() => (document.querySelector('video') || {}).readyState >= 2", timeout=MINUTE)
    assert page.evaluate("() => document.querySelector('video').videoWidth") == 320
    with page.expect_download(timeout=MINUTE) as download:
        page.get_by_role("button", name=re.compile("All numbers")).click()
    lines = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))
    assert {line["model"] for line in lines} == {"one", "two"}
    assert len(lines) >= FRAMES
    page.get_by_role("button", name="Another video").click()
    expect(page.get_by_role("button", name="Read the video")).to_be_disabled(timeout=MINUTE)
