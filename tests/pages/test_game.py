"""Home as a game: the faces of a round, what turns over, the result and its link; and all of it in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import streamlit as st
from browser import AppServer, press_until
from factories import make_run
from made_up_faces import make_labels, make_noise
from streamlit.testing.v1 import AppTest

from fer_core.data.dataset import Dataset
from fer_core.data.info import read_info
from fer_core.emotions import NAMES
from fer_core.settings import settings

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenApp = Callable[..., AppTest]


@pytest.fixture
def dataset(home: Path) -> Dataset:
    """Faces of noise, and two shipped models that were measured on them."""
    made = make_noise(settings().datasets_dir / "noise")
    labels, splits = make_labels(seed=2013)
    for seed, name in enumerate(("custom_cnn", "resnet50")):
        make_run(settings().models_dir / name, labels=labels, splits=splits, seed=seed, data=dict(made.info.record()))
    return made


def words(app: AppTest) -> str:
    parts = [each.proto.body for each in app.get("html")]
    parts += [each.value for kind in (app.markdown, app.caption, app.header, app.warning) for each in kind]
    return " ".join(parts)


def pictures(app: AppTest) -> list[str]:
    """The faces on the page."""
    return re.findall(r"data:image/jpeg;base64,[\w+/=]+", words(app))


def asked(app: AppTest, name: str) -> str:
    """What the address says; Streamlit's tests know it as a text or as a list."""
    value = app.query_params[name]
    return value if isinstance(value, str) else value[-1]


def answer(app: AppTest, label: int) -> AppTest:
    app.button(key=f"game.answer.{label}").click().run()
    return app.button(key="game.next").click().run()


def play(app: AppTest, faces: int = 10) -> tuple[AppTest, list[str]]:
    """Say the classes in turn; returns the result and the faces."""
    seen = []
    for at in range(faces):
        seen += pictures(app)
        answer(app, at % 7)
    return app, seen


def test_a_fresh_start_shows_a_drawn_face_and_seven_answers_before_any_figure(home: Path, open_app: OpenApp) -> None:
    app = open_app("home")
    assert not app.exception
    assert [app.button(key=f"game.answer.{label}").label for label in range(7)] == list(NAMES)
    assert [app.button(key=f"game.answer.{label}").proto.shortcut for label in range(7)] == list("1234567")
    assert len(pictures(app)) == 1
    app.button(key="game.answer.2").click().run()
    # Without a model nobody but the label turns over.
    assert "who is wrong?" not in words(app)


def test_the_label_of_a_drawn_face_is_never_called_wrong(sample: Path, open_app: OpenApp) -> None:
    about = dict(read_info(sample).record())
    make_run(settings().models_dir / "custom_cnn", accuracy=0.0, data=about)
    app = open_app("home", round="3")
    app.button(key="game.answer.2").click().run()
    assert "was drawn as" in words(app)
    assert "Probably the label" not in words(app)


def test_the_keys_can_be_switched_off_for_the_rest_of_the_visit(dataset: Dataset, open_app: OpenApp) -> None:
    app = open_app("home", round="3")
    app.toggle(key="game.keys").set_value(False).run()
    app.button(key="game.answer.2").click().run()
    assert app.button(key="game.next").proto.shortcut == ""
    app.button(key="game.next").click().run()
    assert app.button(key="game.answer.2").proto.shortcut == ""


def test_an_answer_turns_over_label_models_and_verdict(dataset: Dataset, open_app: OpenApp) -> None:
    app = open_app("home", round="3")
    assert 'class="game-said"' not in words(app)
    assert not re.search("alt=.[^>]*labelled", words(app))
    app.button(key="game.answer.2").click().run()
    assert not app.exception
    text = words(app)
    assert "fear" in text
    assert ("The label says" in text) or ("You and the label" in text)
    assert "custom_cnn" in text
    assert "who is wrong?" in text
    assert [button.key for button in app.button if str(button.key).startswith("game.")] == ["game.next"]


def test_ten_faces_make_a_result_whose_link_leads_to_it(dataset: Dataset, open_app: OpenApp) -> None:
    app = open_app("home", round="3")
    # From the very first run on the link says which faces: another server has others.
    assert asked(app, "data") == "noise"
    app, seen = play(app)
    assert len(set(seen)) == 10
    said = asked(app, "answers")
    assert said.startswith("0123456012-")
    elsewhere = open_app("home", round="3", answers=said, data=asked(app, "data"))
    assert not elsewhere.exception
    assert set(pictures(elsewhere)) == set(seen)
    score = next(each.value for each in app.header if "of 10" in each.value)
    assert score in [each.value for each in elsewhere.header]
    assert "A result from a link" in words(elsewhere)
    # Who then plays the faces meets them in the same order.
    again = elsewhere.button(key="game.again").click().run()
    assert pictures(again) == seen[:1]
    assert "answers" not in again.query_params


def test_a_reload_keeps_the_answers_of_a_half_played_round(dataset: Dataset, open_app: OpenApp) -> None:
    """Phones load a page again that was out of sight: the round was the same, but began with its first face."""
    app = play(open_app("home", round="3"), 4)[0]
    here = pictures(app)
    reloaded = open_app("home", round="3", data=asked(app, "data"), **{"so-far": asked(app, "so-far")})
    assert not reloaded.exception
    assert "Face 5 of 10" in words(reloaded)
    assert pictures(reloaded) == here
    for at in range(4, 10):
        answer(reloaded, at % 7)
    assert asked(reloaded, "answers").startswith("0123456012-")
    assert "so-far" not in reloaded.query_params
    # Whoever goes on has played it.
    assert "A result from a link" not in words(reloaded)


def test_a_half_played_round_from_an_address_can_be_begun_anew(dataset: Dataset, open_app: OpenApp) -> None:
    app = open_app("home", round="3")
    first = pictures(app)
    app = play(app, 4)[0]
    assert "game.again" not in [button.key for button in app.button]
    elsewhere = open_app("home", round="3", **{"so-far": asked(app, "so-far")})
    elsewhere.button(key="game.again").click().run()
    assert pictures(elsewhere) == first
    assert "so-far" not in elsewhere.query_params


@pytest.mark.parametrize("said", ["0123-000000", "0189-{mark}", "01230123012-{mark}", "text"])
def test_answers_of_a_half_round_that_do_not_fit_are_said(dataset: Dataset, open_app: OpenApp, said: str) -> None:
    mark = asked(play(open_app("home", round="3"), 1)[0], "so-far").partition("-")[2]
    app = open_app("home", round="3", **{"so-far": said.format(mark=mark)})
    assert not app.exception
    assert any("no answers to this round" in each.value for each in app.warning)
    assert "Face 1 of 10" in words(app)
    assert "so-far" not in app.query_params


def test_other_data_in_a_half_played_round_begin_one_without_a_complaint(
    dataset: Dataset, sample: Path, open_app: OpenApp
) -> None:
    app = play(open_app("home", round="3", data="noise"), 2)[0]
    app.selectbox(key="data").set_value("sample").run()
    assert not app.exception
    assert not app.warning
    assert "Face 1 of 10" in words(app)
    assert "so-far" not in app.query_params


@pytest.mark.parametrize("said", ["0123456012-000000", "0123-{mark}", "0123456789-{mark}", "text"])
def test_answers_that_do_not_fit_are_said_and_the_round_is_played(
    dataset: Dataset, open_app: OpenApp, said: str
) -> None:
    mark = asked(play(open_app("home", round="3"))[0], "answers").partition("-")[2]
    app = open_app("home", round="3", answers=said.format(mark=mark))
    assert not app.exception
    assert any("no result of this round" in each.value for each in app.warning)
    assert app.button(key="game.answer.0")
    assert "answers" not in app.query_params


def test_another_round_has_other_faces_and_stays_in_the_address(dataset: Dataset, open_app: OpenApp) -> None:
    app = play(open_app("home", round="3"))[0]
    app.button(key="game.new").click().run()
    number = asked(app, "round")
    assert number != "3"
    assert pictures(app) == pictures(open_app("home", round=number))
    assert "answers" not in app.query_params


def test_a_round_that_cannot_be_is_said(dataset: Dataset, open_app: OpenApp) -> None:
    app = open_app("home", round="0")
    assert any("There is no round" in each.value for each in app.warning)
    assert 1 <= int(asked(app, "round")) <= 9999


def test_two_clicks_on_one_face_count_once(dataset: Dataset, open_app: OpenApp) -> None:
    app = open_app("home", round="3")
    app.button(key="game.answer.2").click()
    app.button(key="game.answer.4").click()
    app.run()
    assert "Face 1 of 10" in words(app)
    assert app.session_state["_game"].answers == [2]


def test_a_damaged_run_does_not_stop_the_game(dataset: Dataset, open_app: OpenApp) -> None:
    for path in (settings().models_dir / "resnet50").rglob("predictions.parquet"):
        path.write_bytes(b"PAR1")
    app = open_app("home", round="3")
    assert not app.exception
    app.button(key="game.answer.2").click().run()
    assert not app.exception


def test_the_crowd_answers_too_where_its_votes_are(dataset: Dataset, open_app: OpenApp, monkeypatch) -> None:
    from fer_core.data.ferplus import Crowd

    votes = np.zeros((len(dataset), 10), np.int8)
    votes[np.arange(len(dataset)), dataset.labels] = 10
    monkeypatch.setattr("pages.parts.home.cards.crowd_of", lambda _: Crowd(votes))
    app = open_app("home", round="3")
    before = pictures(app)
    app.button(key="game.answer.2").click().run()
    assert "Ten people" in words(app)
    # The round is the same with and without the votes.
    monkeypatch.undo()
    st.cache_resource.clear()
    assert pictures(open_app("home", round="3")) == before


@pytest.mark.browser
def test_ten_faces_by_keyboard_and_the_link_elsewhere(
    dataset: Dataset, app: AppServer, open_page: Callable[..., Page]
) -> None:
    from playwright.sync_api import expect

    # As many as ship, with their names.
    for name, title in (
        ("custom_cnn_augmented", "Custom CNN + augmentation"),
        ("vgg16", "VGG16 transfer"),
        ("tiny", "Tiny"),
        ("mine", "The vote of four"),
    ):
        labels, splits = make_labels(seed=2013)
        about = dict(dataset.info.record())
        make_run(settings().models_dir / name, name=title, labels=labels, splits=splits, data=about)
    page = open_page("?round=217&data=noise", width=390, height=844)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    faces = []
    for at in range(10):
        expect(page.get_by_text(f"Face {at + 1} of 10")).to_be_visible()
        last = page.get_by_role("button", name="neutral")
        expect(last).to_be_visible()
        if not at:
            # The face and all seven answers lie within the first screen of a phone.
            face, button = page.locator(".game-face").bounding_box(), last.bounding_box()
            assert face is not None
            assert button is not None
            assert 0 < face["y"] < button["y"] < 844 - button["height"]
        faces.append(page.locator(".game-face").get_attribute("src"))
        go_on = page.get_by_role("button", name="Next face" if at < 9 else "See the result")
        press_until(page, str(at % 7 + 1), go_on)
        after = page.get_by_text(f"Face {at + 2} of 10") if at < 9 else page.get_by_role("button", name="New faces")
        press_until(page, "Enter", after)
        if at == 1:
            steps = page.evaluate("history.length")
        if at == 4:
            # A half-played round outlives a reload; it is no step on the way back, nor a part of the link.
            expect(page.get_by_text("Face 6 of 10")).to_be_visible()
            expect(page).to_have_url(re.compile("so-far=01234-"))
            assert page.evaluate("history.length") == steps
            page.get_by_role("button", name="Copy link").click()
            expect(page.get_by_text("Copied")).to_be_visible()
            assert "so-far" not in page.evaluate("navigator.clipboard.readText()")
            page.reload()
    expect(page.get_by_role("button", name="New faces")).to_be_visible()
    expect(page).to_have_url(re.compile("answers=0123456012-"))
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    result = page.locator(".game-scores").inner_text()
    # On a phone the tables fit: that one could be scrolled is shown by nothing.
    page.get_by_text("Who agrees with whom").click()
    expect(page.get_by_text("two say the same")).to_be_visible()
    # A narrow phone, with room for ten people at the usual width.
    page.set_viewport_size({"width": 360, "height": 844})
    tables = page.locator(".game-scroll").evaluate_all("all => all.map(one => [one.scrollWidth, one.clientWidth])")
    assert len(tables) >= 3
    assert all(needs <= has for needs, has in tables), tables
    with page.expect_download() as download:
        page.get_by_role("button", name="Keep it as a picture").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")

    other = open_page(link.removeprefix(app.url()))
    expect(other.get_by_text("A result from a link")).to_be_visible()
    expect(other.locator(".game-scores")).to_have_text(result, use_inner_text=True)
    shown = other.locator(".game-all img").evaluate_all("images => images.map(image => image.src)")
    assert shown == faces
    again = other.get_by_role("button", name="Play these faces yourself")
    again.scroll_into_view_if_needed()
    again.click()
    expect(other.locator(".game-face")).to_have_attribute("src", faces[0] or "")
    # The button lay below the tables of the result; the face is at the top.
    expect(other.locator(".game-face")).to_be_in_viewport(ratio=1)
