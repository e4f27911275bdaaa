"""FER+ on the Dataset page: added by upload or path, removed, and clear words where it does not fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer_core.data.dataset import Dataset, write_dataset
from fer_core.data.ferplus import FERPLUS_FILE, read_ferplus
from fer_core.emotions import COUNT, SPLITS
from fer_core.settings import settings

OpenApp = Callable[..., AppTest]
HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
COLUMN = [4, 5, 6, 1, 3, 2, 0]
"""Of angry, disgust, fear, happy, sad, surprise, neutral."""


@pytest.fixture
def dataset(home: Path) -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (42, 48, 48), dtype=np.uint8)
    labels, splits = np.arange(42) % COUNT, np.repeat(SPLITS, 14)
    return write_dataset(settings().datasets_dir / "mine", images, labels, splits, kind="csv", title="My faces")


def ferplus(dataset: Dataset, shift: int = 0) -> str:
    lines = [HEADER]
    for label, split in zip(dataset.labels, dataset.splits, strict=True):
        votes = [0] * 10
        votes[COLUMN[(label + shift) % COUNT]] = 10
        lines.append(f"{split},," + ",".join(map(str, votes)))
    return "\n".join(lines) + "\n"


def open_tab(open_app: OpenApp) -> AppTest:
    app = open_app("dataset", view="Bring real data")
    assert not app.exception
    return app


def upload(app: AppTest, content: str, name: str = "fer2013new.csv") -> AppTest:
    app.file_uploader(key="ferplus.file").set_value([(name, content.encode(), "text/csv")]).run()
    app.button(key="ferplus.add").click().run()
    assert not app.exception
    return app


def shows(app: AppTest, words: str) -> bool:
    return any(words in text.value for text in (*app.markdown, *app.success, *app.info, *app.error))


def test_what_it_is_where_it_comes_from_and_under_which_licence(open_app: OpenApp, dataset: Dataset) -> None:
    app = open_tab(open_app)
    assert shows(app, "fer2013new.csv")
    assert shows(app, "https://github.com/microsoft/FERPlus")
    assert shows(app, "MIT licence")
    assert app.button(key="ferplus.add").disabled


def test_an_upload_is_added_and_removed_again(open_app: OpenApp, dataset: Dataset) -> None:
    app = upload(open_tab(open_app), ferplus(dataset))
    assert shows(app, "fer2013new.csv is added")
    assert shows(app, "**My faces has FER+.** The crowd gives one of the seven classes to 42 of 42 faces")
    assert shows(app, "for 100.0 % of those")
    crowd = read_ferplus(dataset)
    assert crowd is not None
    np.testing.assert_array_equal(crowd.labels(), dataset.labels)
    assert not list(settings().cache_dir.iterdir())
    app.button(key="ferplus.remove").click().run()
    assert not app.exception
    assert shows(app, "FER+ is removed")
    assert read_ferplus(dataset) is None
    assert app.file_uploader(key="ferplus.file") is not None


def test_a_path_is_added(open_app: OpenApp, dataset: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "fer2013new.csv"
    file.write_text(ferplus(dataset))
    app = open_tab(open_app)
    app.segmented_control(key="ferplus.way").set_value("Path on this computer").run()
    app.text_input(key="ferplus.path").set_value(f" {file} ").run()
    app.button(key="ferplus.add").click().run()
    assert not app.exception
    assert shows(app, "**My faces has FER+.**")
    assert file.exists()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text.replace("neutral", "calm"), "has one column 'neutral'"),
        (lambda text: "\n".join(text.splitlines()[:-1]) + "\n", "has 41 rows, and My faces has 42 faces"),
        (lambda text: text.replace("10", "11", 1), "'11' is no number of votes"),
        (lambda text: text.replace("Training", "PublicTest", 1), "belongs to PublicTest"),
    ],
)
def test_what_does_not_fit_is_told_and_leaves_nothing(
    open_app: OpenApp, dataset: Dataset, spoil: Callable[[str], str], words: str
) -> None:
    app = upload(open_tab(open_app), spoil(ferplus(dataset)))
    (message,) = [error.value for error in app.error]
    assert message.startswith("FER+ was not added. ")
    assert words in message
    # Where an upload lay for a moment is nobody's business.
    assert str(settings().cache_dir) not in message
    assert not (dataset.path / FERPLUS_FILE).exists()
    assert not list(settings().cache_dir.iterdir())


def test_rows_in_another_order_are_refused(open_app: OpenApp, dataset: Dataset) -> None:
    app = upload(open_tab(open_app), ferplus(dataset, shift=1))
    assert shows(app, "the rows do not belong together")


def test_a_path_that_is_not_there(open_app: OpenApp, dataset: Dataset) -> None:
    app = open_tab(open_app)
    app.segmented_control(key="ferplus.way").set_value("Path on this computer").run()
    app.text_input(key="ferplus.path").set_value("/nowhere/fer2013new.csv").run()
    app.button(key="ferplus.add").click().run()
    assert shows(app, "There is no file /nowhere/fer2013new.csv")


def test_a_damaged_file_can_be_removed(open_app: OpenApp, dataset: Dataset) -> None:
    (dataset.path / FERPLUS_FILE).write_bytes(b"not parquet")
    app = open_tab(open_app)
    assert shows(app, "does not fit: it cannot be read")
    app.button(key="ferplus.remove").click().run()
    assert not app.exception
    assert not (dataset.path / FERPLUS_FILE).exists()
    assert not app.error


def test_the_sample_cannot_have_it(open_app: OpenApp, sample: Path) -> None:
    app = open_tab(open_app)
    assert shows(app, "FER+ cannot be added to **")
    assert not [button for button in app.button if button.key == "ferplus.add"]
