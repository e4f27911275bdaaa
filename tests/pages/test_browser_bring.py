"""Answers and a model brought in a real browser: corrected by the table, compared with ResNet50, explained."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import model_files
import numpy as np
import pandas as pd
import pytest
from browser import choose_option
from factories import make_run
from playwright.sync_api import expect

from fer_core.data.dataset import load_dataset, write_dataset
from fer_core.emotions import NAMES
from fer_core.runs.predictions import probabilities_of
from pages.parts.explain.trust import WORDS

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


def test_probabilities_are_brought_corrected_and_compared(answers: Path, open_page: Callable[..., Page]) -> None:
    page = open_page("bring?bring.what=Answers")
    expect(page.get_by_text("Your answers")).to_be_visible(timeout=MINUTE)
    page.locator("input[type=file]").set_input_files(answers)
    expect(page.get_by_text("order of the classes is in doubt")).to_be_visible(timeout=MINUTE)
    bring = page.get_by_role("button", name="Bring them")
    expect(bring).to_be_disabled()
    expect(page.get_by_test_id("stDataFrame").locator("canvas").first).to_be_visible(timeout=MINUTE)
    choose_option(page.get_by_role("combobox", name="Order of the classes"), re.compile("alphabetical"))
    expect(bring).to_be_enabled(timeout=MINUTE)
    bring.click()
    expect(page.get_by_text("torch-net is here")).to_be_visible(timeout=3 * MINUTE)
    page.get_by_role("link", name="Compare it").click()
    expect(page.get_by_role("heading", name="Accuracy on PrivateTest")).to_be_visible(timeout=MINUTE)
    page.get_by_role("tab", name="Difference").click()
    expect(page.get_by_text("McNemar").first).to_be_visible(timeout=MINUTE)
    page.get_by_role("link", name="Mistakes", exact=True).click()
    expect(page.get_by_role("heading", name="Mistakes", exact=True)).to_be_visible(timeout=MINUTE)


SIX = ("angry", "fear", "happy", "neutral", "sad", "surprise")


@pytest.mark.timeout(900)
def test_a_notebooks_model_is_brought_corrected_by_the_table_and_its_mistakes_are_explained(
    home: Path, tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    """In colour, 0..1, six classes in alphabetical order: nothing of that is said in its file."""
    images, labels, splits = model_files.spot_faces()
    write_dataset(home / "datasets" / "spots", images, labels, splits, title="Spots")
    source = model_files.write_spot_model(tmp_path / "notebook.h5", SIX)
    page = open_page("bring?bring.what=A+model&data=spots")
    expect(page.get_by_text("Your model", exact=True)).to_be_visible(timeout=MINUTE)
    page.locator("input[type=file]").set_input_files(source)
    page.get_by_role("button", name="Try it, and bring it").click(timeout=MINUTE)
    expect(page.get_by_text("Say what it is")).to_be_visible(timeout=5 * MINUTE)
    expect(page.get_by_text("always the most frequent class")).to_be_visible()
    expect(page.get_by_role("combobox", name="Order of its classes").first).to_have_value("alphabetical")
    page.get_by_role("button", name="Bring it so").click()
    expect(page.get_by_text("notebook is here")).to_be_visible(timeout=5 * MINUTE)

    page.get_by_role("link", name="Its mistakes").click()
    expect(page.get_by_role("heading", name="Mistakes", exact=True)).to_be_visible(timeout=MINUTE)
    page.get_by_role("button", name="Next").click(timeout=MINUTE)
    page.get_by_role("link", name="Explain this face").click(timeout=MINUTE)
    expect(page.get_by_role("heading", name="Explain", exact=True)).to_be_visible(timeout=MINUTE)
    section = page.locator("section[aria-label='notebook']")
    expect(section.locator("img").first).to_be_visible(timeout=MINUTE)
    expect(section.get_by_text("Testing")).to_have_count(0, timeout=2 * MINUTE)
    assert any(word in section.inner_text() for word in WORDS.values())
