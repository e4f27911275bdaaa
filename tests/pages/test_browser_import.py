"""Somebody's own faces in a real browser: looked at, corrected, imported, measured, and then in view."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from browser import choose_option
from factories import make_run
from PIL import Image
from playwright.sync_api import expect

from fer_core import emotions
from fer_core.data.dataset import load_dataset
from fer_core.runs.listing import find_run
from fer_core.settings import settings

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
MINUTE = 60_000
MODELS = ("custom_cnn", "custom_cnn_augmented", "resnet50", "vgg16")
FER2013 = {"name": "fer2013", "title": "FER-2013", "kind": "csv"}
WORDS = ("Wut", "disgusted", "Angst", "joy", "sadness", "suprise", "resting", "contempt")


@pytest.fixture
def photographs(drawn_sample: Path, tmp_path: Path) -> Path:
    """A flat folder of coloured pictures of 96×96 pixels with eight classes, one of them under an odd name."""
    dataset = load_dataset(drawn_sample)
    folder = tmp_path / "holiday"
    for label, word in enumerate(WORDS):
        (folder / word).mkdir(parents=True)
        for row in np.flatnonzero(dataset.labels == label % emotions.COUNT)[:5]:
            grey = Image.fromarray(dataset.images[row]).resize((96, 96))
            skin = [grey.point(lambda level, part=part: int(level * part)) for part in (1.0, 0.8, 0.7)]
            Image.merge("RGB", skin).save(folder / word / f"{row}.jpg")
    (folder / "joy" / "empty.jpg").write_bytes(b"")
    return folder


@pytest.fixture
def shipped(home: Path) -> dict[Path, bytes]:
    """Four models that ship with figures on FER-2013: all their files, and what is in them."""
    for seed, name in enumerate(MODELS):
        make_run(settings().models_dir / name, seed=seed, architecture=name, data=FER2013)
    return contents(settings().models_dir)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_flat_folder_of_eight_classes_is_looked_at_corrected_imported_and_measured_on_all_models(
    open_page: Callable[..., Page], photographs: Path, home: Path, shipped: dict[Path, bytes]
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

    choose_option(page.get_by_role("combobox", name=re.compile("resting")), "neutral")
    expect(imported).to_be_enabled()
    imported.click()
    measure = page.get_by_role("button", name="How do our models do on these faces?")
    measure.first.click(timeout=2 * MINUTE)
    expect(page.get_by_text("4 models being measured on")).to_be_visible(timeout=MINUTE)
    page.get_by_role("link", name="See how 4 models did on these faces").click(timeout=2 * MINUTE)
    expect(page.get_by_role("heading", name=re.compile("^Accuracy on "))).to_be_visible(timeout=MINUTE)
    expect(page.get_by_role("combobox", name="Data")).to_have_value("holiday")
    for name in MODELS:
        expect(page.get_by_role("figure", name="Accuracy of each run")).to_contain_text(name)

    info = load_dataset(home / "datasets" / "holiday").info
    assert [sum(numbers) for numbers in zip(*info.counts.values(), strict=True)] == [5] * 7
    assert {one.kind: one.count for one in info.left_out} == {
        "pictures of other classes (contempt)": 5,
        "empty files": 1,
    }
    about_fer2013 = [path for path in shipped if path.name == "metrics.json"]
    assert len(about_fer2013) == len(MODELS)
    assert contents(settings().models_dir) == shipped, "figures on FER-2013 were touched"
    for name in MODELS:
        on_these = find_run(name).metrics(info.fingerprint)
        assert on_these is not None
        assert {split: scores["n"] for split, scores in on_these["splits"].items()} == {
            split: info.split_size(split) for split in (emotions.PUBLIC_TEST, emotions.PRIVATE_TEST)
        }
