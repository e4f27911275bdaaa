"""Somebody's own faces in a real browser: looked at, corrected, imported, and then in view."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from fer_core import emotions
from fer_core.data.dataset import load_dataset

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
MINUTE = 60_000
WORDS = ("Wut", "disgusted", "Angst", "joy", "sadness", "suprise", "resting", "contempt")


@pytest.fixture
def photographs(drawn_sample: Path, tmp_path: Path) -> Path:
    """A flat folder of coloured pictures of 96×96 pixels with eight classes, one of them under an odd name."""
    dataset = load_dataset(drawn_sample)
    folder = tmp_path / "holiday"
    for label, word in enumerate(WORDS):
        (folder / word).mkdir(parents=True)
        for row in np.flatnonzero(dataset.labels == label % emotions.COUNT)[:5]:
            picture = Image.fromarray(dataset.images[row]).resize((96, 96)).convert("RGB")
            picture.putpixel((0, 0), (255, 0, 0))
            picture.save(folder / word / f"{row}.png")
    (folder / "joy" / "empty.jpg").write_bytes(b"")
    return folder


def test_a_flat_folder_of_eight_classes_is_looked_at_corrected_and_imported(
    open_page: Callable[..., Page], photographs: Path, home: Path
) -> None:
    page = open_page("dataset?view=Bring+real+data&from=File+or+folder+on+this+computer")
    path = page.get_by_role("textbox", name=re.compile("Path of the file"))
    expect(path).to_be_visible(timeout=MINUTE)
    path.fill(str(photographs))
    path.press("Enter")
    page.get_by_role("button", name="Look at what is there").click()
    expect(page.get_by_text("What was found")).to_be_visible(timeout=MINUTE)
    expect(page.get_by_text("pictures of other classes (contempt): 5")).to_be_visible()
    expect(page.get_by_text("empty files: 1")).to_be_visible()
    imported = page.get_by_role("button", name="Import these faces")
    expect(imported).to_be_disabled()
    assert not (home / "datasets" / "holiday").exists()

    page.get_by_role("combobox", name=re.compile("resting")).click()
    page.get_by_role("option", name="neutral").click()
    expect(imported).to_be_enabled()
    imported.click()
    page.get_by_role("button", name="Look at its faces").click(timeout=2 * MINUTE)
    expect(page.get_by_text("35 of 35 faces")).to_be_visible(timeout=MINUTE)
    info = load_dataset(home / "datasets" / "holiday").info
    assert [sum(numbers) for numbers in zip(*info.counts.values(), strict=True)] == [5] * 7
    assert {one.kind: one.count for one in info.left_out} == {
        "pictures of other classes (contempt)": 5,
        "empty files": 1,
    }
