"""A CSV of probabilities brought in a real browser: corrected by the table, and compared with ResNet50."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from factories import make_run
from playwright.sync_api import expect

from fer_core.data.dataset import load_dataset
from fer_core.emotions import NAMES
from fer_core.runs.predictions import probabilities_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
MINUTE = 60_000
"""Milliseconds."""


@pytest.fixture
def answers(home: Path, sample: Path, tmp_path: Path) -> Path:
    """Beside a ResNet50 on the drawn sample: what a worse one says, in alphabetical order, under names like ``c0``."""
    dataset = load_dataset(sample)
    resnet = make_run(
        home / "runs" / "resnet50",
        labels=dataset.labels,
        splits=dataset.splits,
        accuracy=0.8,
        architecture="resnet50",
        data=dict(dataset.info.record()),
    )
    frame = resnet.predictions()
    assert frame is not None
    values = probabilities_of(frame).copy()
    # It takes every third face for another.
    values[::3] = np.roll(values[::3], 1, axis=1)
    path = tmp_path / "torch-net.csv"
    alphabetical = pd.DataFrame(values, columns=list(NAMES))[sorted(NAMES)]
    alphabetical.columns = [f"c{number}" for number in range(len(NAMES))]
    alphabetical.assign(row=frame["row"]).to_csv(path, index=False)
    return path


def choose(page: Page, label: str, option: str) -> None:
    """Open the list and choose. It closes again where the page above it still grows: then once more."""
    wanted = page.get_by_role("option", name=option)
    for _ in range(10):
        page.get_by_role("combobox", name=label).click()
        page.wait_for_timeout(1000)
        if wanted.is_visible():
            break
    wanted.click()


def test_probabilities_are_brought_corrected_and_compared(answers: Path, open_page: Callable[..., Page]) -> None:
    page = open_page("bring?bring.what=Answers")
    expect(page.get_by_text("Your answers")).to_be_visible(timeout=MINUTE)
    page.locator("input[type=file]").set_input_files(answers)
    expect(page.get_by_text("order of the classes is in doubt")).to_be_visible(timeout=MINUTE)
    bring = page.get_by_role("button", name="Bring them")
    expect(bring).to_be_disabled()
    expect(page.get_by_test_id("stDataFrame").locator("canvas").first).to_be_visible(timeout=MINUTE)
    choose(page, "Order of the classes", "alphabetical")
    expect(bring).to_be_enabled(timeout=MINUTE)
    bring.click()
    expect(page.get_by_text("torch-net is here")).to_be_visible(timeout=3 * MINUTE)
    page.get_by_role("link", name="Compare it").click()
    expect(page.get_by_role("heading", name="Accuracy on PrivateTest")).to_be_visible(timeout=MINUTE)
    page.get_by_role("tab", name="Difference").click()
    expect(page.get_by_text("McNemar").first).to_be_visible(timeout=MINUTE)
    page.get_by_role("link", name="Mistakes", exact=True).click()
    expect(page.get_by_role("heading", name="Mistakes", exact=True)).to_be_visible(timeout=MINUTE)
