"""Data that nobody labelled: sorted by what models say, labelled by people; and no page takes an answer for a label."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from factories import make_run
from streamlit.testing.v1 import AppTest

from fer_core.data.dataset import load_dataset
from fer_core.data.model_answers import ANSWERS_FILE
from fer_core.data.writer import DatasetWriter
from fer_core.emotions import COUNT, NAMES, PUBLIC_TEST
from fer_core.errors import RunError
from fer_core.review.annotations import LABEL_WRONG, MODEL_WRONG, Annotations
from fer_core.review.answers_without_labels import APART, NEAR, ORDERS, UNSURE, order
from fer_core.settings import settings
from pages.parts import unmeasured
from pages.parts.known_data import KnownData

OpenApp = Callable[..., AppTest]


@pytest.fixture
def answers(home: Path) -> dict[str, np.ndarray]:
    """A dataset "found" of 120 faces of noise, and what two models say of them."""
    generator = np.random.default_rng(4)
    said = {name: generator.dirichlet(np.ones(COUNT), 120).astype(np.float32) for name in ("one", "two")}
    images = generator.integers(0, 256, (120, 48, 48), dtype=np.uint8)
    labels = np.mean(list(said.values()), axis=0).argmax(axis=1)
    with DatasetWriter(settings().datasets_dir / "found", kind="numbers", source="scored") as writer:
        writer.add(images, labels, [PUBLIC_TEST] * 120, [f"{row}.png#1" for row in range(120)])
        writer.add_answers(said)
        writer.understood("A scored folder.", labelled=False)
    make_run(settings().runs_dir / "one")
    return said


def words(app: AppTest) -> str:
    return " ".join(one.value for kind in (app.caption, app.markdown, app.info) for one in kind)


def first_rows(app: AppTest) -> str:
    return app.get("plotly_chart")[0].proto.alt


def marks() -> Annotations:
    info = load_dataset(settings().datasets_dir / "found", unlabelled=True).info
    return Annotations.load(info.fingerprint)


@pytest.mark.parametrize("by", [UNSURE, APART, NEAR])
def test_a_link_sorts_the_faces_by_what_models_say(open_app: OpenApp, answers: dict[str, np.ndarray], by: str) -> None:
    app = open_app("dataset", order=ORDERS[by], face="7")
    assert not app.exception
    expected = order(answers, np.arange(120), by, like=7)
    assert ", ".join(map(str, expected[:12])) in first_rows(app)
    assert "differently on" in words(app)


def test_nothing_here_is_called_labelled(open_app: OpenApp, answers: dict[str, np.ndarray]) -> None:
    app = open_app("dataset", face="7")
    assert "Nobody has labelled these faces" in words(app)
    assert "labelled" not in app.image[0].proto.imgs[0].caption
    assert "Models' answer" in [box.label for box in app.selectbox]
    for view in ("Classes", "Audit"):
        other = open_app("dataset", view=view)
        assert not other.exception
        assert "obody has labelled these faces" in " ".join(one.value for one in other.info)


def test_your_label_is_kept_and_can_be_taken_away(open_app: OpenApp, answers: dict[str, np.ndarray]) -> None:
    dataset = load_dataset(settings().datasets_dir / "found", unlabelled=True)
    answer = int(dataset.labels[7])
    other = (answer + 1) % COUNT
    app = open_app("dataset", face="7")
    app.button(key=f"label.{NAMES[other]}").click().run()
    assert not app.exception
    mark = marks().get(7)
    assert mark is not None
    assert (mark.kind, mark.new_label) == (LABEL_WRONG, other)
    app.button(key=f"label.{NAMES[answer]}").click().run()
    mark = marks().get(7)
    assert mark is not None
    assert mark.kind == MODEL_WRONG  # the answer is what this person sees, too
    assert any("1 labelled face" in button.proto.label for button in app.get("download_button"))
    app.button(key="label.back").click().run()
    assert marks().get(7) is None


@pytest.mark.parametrize("page", ["compare", "mistakes"])
def test_there_is_nothing_to_be_right_or_wrong_about(
    open_app: OpenApp, answers: dict[str, np.ndarray], page: str
) -> None:
    app = open_app(page, data="found")
    assert not app.exception
    assert "Nobody has labelled the faces" in words(app)
    assert "measure-here" not in [button.key for button in app.button]


def test_a_call_measures_nothing_either(answers: dict[str, np.ndarray]) -> None:
    info = load_dataset(settings().datasets_dir / "found", unlabelled=True).info
    with pytest.raises(RunError):
        unmeasured.measure(KnownData("found", info.record(), info, ()))


@pytest.mark.parametrize("page", ["explain", "poke", "train", "home"])
def test_other_pages_show_such_faces_without_a_label(
    open_app: OpenApp, answers: dict[str, np.ndarray], page: str
) -> None:
    app = open_app(page, data="found")
    assert not app.exception
    if page in ("explain", "poke"):
        assert "labelled" not in words(app)


def test_damaged_answers_are_told_and_the_faces_shown(open_app: OpenApp, answers: dict[str, np.ndarray]) -> None:
    (settings().datasets_dir / "found" / ANSWERS_FILE).write_bytes(b"PAR1")
    app = open_app("dataset")
    assert not app.exception
    assert any("Import the scored folder again" in warning.value for warning in app.warning)
    assert "120 of 120 faces" in words(app)
