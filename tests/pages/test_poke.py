"""Poke: tools, undo, links, muscles, the smallest patch. (Painting is tested in a real browser.)"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from factories import make_run
from streamlit.testing.v1 import AppTest

from fer_core import emotions
from fer_core.data.dataset import load_dataset, write_dataset
from fer_core.data.sample import draw_sample
from fer_core.explain.poke.links import to_text
from fer_core.explain.poke.steps import Box, Brush
from fer_core.inference.models import load_model
from fer_core.settings import settings
from pages.parts.poke.canvas import new_strokes, read_stroke

OpenApp = Callable[..., AppTest]
STEPS = "poke.steps"
ROW = 5


@pytest.fixture
def photos(home: Path) -> Path:
    """Faces that count as photographed, and one model."""
    make_run(settings().runs_dir / "net")
    drawn = draw_sample(42, seed=3)
    out = settings().datasets_dir / "photos"
    names = [f"face {row}" for row in range(42)]
    write_dataset(out, drawn.images, drawn.labels, drawn.splits, source_names=names, kind="csv", source="photos.csv")
    return out


def poke(open_app: OpenApp, data: str = "photos", **query: str) -> AppTest:
    app = open_app("poke", **{"data": data, "poke.from": "Dataset", "poke.row": str(ROW), **query})
    assert not app.exception, app.exception
    return app


def changes(app: AppTest) -> str:
    # ``AppTest`` gives back as a text what was one, and as a list what came with the address.
    value = app.query_params.get(STEPS, "")
    return value if isinstance(value, str) else value[0]


def bars_text(app: AppTest) -> str:
    bars = " ".join(block.value for block in app.get("html") if "<section" in block.value or "<ul" in block.value)
    return " ".join(re.sub(r"<[^>]+>", " ", bars).replace("&nbsp;", " ").split())


def tools(app: AppTest, name: str) -> AppTest:
    return app.segmented_control(key="poke.tools").set_value(name).run()


def test_sliders_change_the_bars_and_the_address_and_undo_brings_them_back(photos: Path, open_app: OpenApp) -> None:
    app = tools(poke(open_app), "Light")
    untouched = bars_text(app)
    app.slider(key="_poke_Brightness").set_value(-60).run()
    app.slider(key="_poke_Brightness").set_value(-100).run()
    assert changes(app) == "brightness_-100"
    assert bars_text(app) != untouched
    face = load_dataset(photos).images[ROW]
    darker = np.clip(face.astype(int) - 100, 0, 255).astype(np.uint8)
    before, after = load_model("net").predict(np.stack([face, darker]))
    label = emotions.NAMES[int(after.argmax())]
    assert re.search(rf"{label} (\d+ → )?{100 * after.max():.0f} %", bars_text(app))
    assert (before != after).any()
    app.slider(key="_poke_Blur").set_value(2.0).run()
    assert changes(app) == "brightness_-100~blur_2"
    app.button(key="poke-undo").click().run()
    app.button(key="poke-undo").click().run()
    # Two moves of one slider are one step.
    assert changes(app) == ""
    assert bars_text(app) == untouched
    assert app.slider(key="_poke_Brightness").value == 0
    assert app.button(key="poke-undo").disabled
    app.button(key="poke-redo").click().run()
    assert app.slider(key="_poke_Brightness").value == -100
    app.button(key="poke-reset").click().run()
    assert changes(app) == ""
    app.button(key="poke-undo").click().run()
    assert changes(app) == "brightness_-100"


def test_a_link_shows_the_same_bars_and_can_be_undone(photos: Path, open_app: OpenApp) -> None:
    text = "contrast_2~box_13_34_35_45_0~rotate_20~mirror"
    app = tools(poke(open_app, **{STEPS: text}), "Place")
    again = poke(open_app, **{STEPS: text})
    assert bars_text(app) == bars_text(again)
    assert bars_text(app) != bars_text(poke(open_app))
    assert app.slider(key="_poke_Turn").value == 20
    assert app.toggle(key="_poke_mirror").value
    app.toggle(key="_poke_mirror").set_value(False).run()
    assert changes(app) == "contrast_2~box_13_34_35_45_0~rotate_20"
    app.button(key="poke-undo").click().run()
    assert changes(app) == text
    app.button(key="poke-undo").click().run()
    assert changes(app) == "contrast_2~box_13_34_35_45_0~rotate_20"
    words = " ".join(block.value for block in app.markdown)
    assert "turned by 20° clockwise" in words


def test_parts_are_covered_moved_by_sliders_and_taken_away(photos: Path, open_app: OpenApp) -> None:
    app = poke(open_app)
    app.button(key="poke-cover-mouth").click().run()
    assert changes(app) == "box_13_34_35_45_127"
    app.slider(key="_poke_box_Upper edge").set_value(2).run()
    assert changes(app) == "box_13_2_35_13_127"
    app.slider(key="_poke_box_Width").set_value(48).run()
    assert changes(app) == "box_0_2_48_13_127"
    app.button(key="poke-cover-eyes").click().run()
    assert app.selectbox(key="_poke_box").value == 1
    app.button(key="poke-remove-box").click().run()
    assert changes(app) == "box_0_2_48_13_127"
    app.button(key="poke-undo").click().run()
    assert changes(app).endswith("~box_8_14_40_22_127")


def test_a_drawn_face_has_its_own_parts_and_muscles(home: Path, drawn_sample: Path, open_app: OpenApp) -> None:
    make_run(settings().runs_dir / "net")
    shutil.copytree(drawn_sample, settings().datasets_dir / "sample")
    dataset = load_dataset(settings().datasets_dir / "sample")
    regions = dataset.regions()
    assert regions is not None
    app = tools(poke(open_app, "sample"), "Paint")
    app.button(key="poke-cover-mouth").click().run()
    assert changes(app) == to_text((Box(*map(int, regions["mouth"][ROW]), 127),))
    app.button(key="poke-undo").click().run()
    untouched = bars_text(app)
    app = tools(app, "Muscles")
    smile = app.slider(key="_poke_AU12")
    own = smile.value
    wanted = 100 if own < 50 else 0
    smile.set_value(wanted).run()
    assert changes(app) == f"muscle_12_{wanted // 100}"
    assert bars_text(app) != untouched
    app.slider(key="_poke_AU12").set_value(own).run()
    assert changes(app) == ""
    assert bars_text(app) == untouched


def test_it_opens_on_a_drawn_face_whose_muscles_move(photos: Path, open_app: OpenApp) -> None:
    app = open_app("poke", data="photos")
    assert not app.exception
    at_rest = bars_text(app)
    app.slider(key="_poke_AU12").set_value(80).run()
    assert bars_text(app) != at_rest
    assert changes(app) == "muscle_12_0.8"
    assert bars_text(open_app("poke", data="photos", **{STEPS: "muscle_12_0.8"})) == bars_text(app)
    app.button(key="poke-somebody").click().run()
    assert changes(app) == "muscle_12_0.8"
    seed = app.query_params["poke.drawn"]
    same = open_app("poke", data="photos", **{STEPS: "muscle_12_0.8", "poke.drawn": seed})
    assert bars_text(same) == bars_text(app)
    # A photo has no muscles: what was done to them stays behind, the rest does not.
    app.segmented_control(key="poke.from").set_value("Dataset").run()
    assert changes(app) == ""
    assert not app.warning
    told = poke(open_app, **{STEPS: "muscle_12_0.8"})
    assert any("a photo has none to move" in warning.value for warning in told.warning)


def test_links_from_when_it_was_a_tab_of_explain_lead_to_it(photos: Path, open_app: OpenApp) -> None:
    old = {"data": "photos", "explain.view": "Poke", "explain.row": str(ROW), "explain.tools": "Place"}
    app = open_app("explain", **old, **{"explain.poke": "rotate_20", "explain.models": "net"})
    assert app.title[0].value == "Poke"
    assert changes(app) == "rotate_20"
    assert app.slider(key="_poke_Turn").value == 20
    assert bars_text(app) == bars_text(poke(open_app, **{STEPS: "rotate_20"}))
    drawn = open_app("explain", **old, **{"explain.drawn": "7", "explain.poke": "muscle_12_1"})
    again = open_app("poke", **{"data": "photos", "poke.drawn": "7", STEPS: "muscle_12_1"})
    assert bars_text(drawn) == bars_text(again)


def test_broken_addresses_are_told(photos: Path, open_app: OpenApp) -> None:
    app = poke(open_app, **{STEPS: "laugh_3", "poke.from": "A drawn face", "poke.drawn": "99999"})
    words = " ".join(warning.value for warning in app.warning)
    assert "there is no step 'laugh'" in words
    assert "no drawn face “99999”" in words
    assert bars_text(app) == bars_text(open_app("poke", data="photos"))


def test_more_changes_than_a_link_carries_are_refused(photos: Path, open_app: OpenApp) -> None:
    full = "~".join(["box_0_0_9_9_0"] * 60)
    app = poke(open_app, **{STEPS: full})
    app.button(key="poke-cover-mouth").click().run()
    assert changes(app) == full
    assert any("at most 60 changes" in warning.value for warning in app.warning)
    app.run()
    assert not app.warning


def test_the_smallest_patch_is_searched_and_applied(photos: Path, open_app: OpenApp) -> None:
    app = tools(poke(open_app), "Smallest patch")
    app.selectbox(key="poke-patch-fill").set_value("white").run()
    app.button(key="poke-search").click().run()
    assert not app.exception
    found = [button for button in app.button if button.key == "poke-apply"]
    if not found:
        # This model of random weights may be stubborn: then the page says so.
        assert any("No square" in info.value for info in app.info)
        return
    found[0].click().run()
    assert re.fullmatch(r"box_\d+_\d+_\d+_\d+_255", changes(app))
    assert "changes its mind" in bars_text(app)


def test_the_map_of_the_poked_face_is_laid_over_it(photos: Path, open_app: OpenApp) -> None:
    app = poke(open_app, **{STEPS: "blur_1"})
    app.selectbox(key="_poke_map").set_value("net").run()
    assert not app.exception


def test_without_a_face_or_a_model_it_says_what_to_do(photos: Path, open_app: OpenApp) -> None:
    app = poke(open_app, **{"poke.from": "Your own pictures"})
    assert any("No face was brought" in info.value for info in app.info)
    app.segmented_control(key="poke.from").set_value("A drawn face").run()
    assert "net: " in bars_text(app)
    app.multiselect(key="poke.models").set_value([]).run()
    assert any("Choose at least one model" in info.value for info in app.info)


def test_strokes_of_the_browser_are_checked() -> None:
    value = {"tool": "brush", "grey": 7, "width": 3, "at": -1, "points": [[1, 2], [3, 4]], "number": 1}
    stroke = read_stroke(value)
    assert Brush(stroke.grey, stroke.width, stroke.points).points == ((1, 2), (3, 4))
    for broken in ({"tool": "knife"}, {"points": []}, {"points": [[1, 2]] * 5000}):
        with pytest.raises(ValueError, match="no stroke"):
            read_stroke(value | broken)


def test_strokes_that_are_sent_again_are_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.parts.poke.canvas.st", SimpleNamespace(session_state={}))

    def send(board: str, *numbers: int) -> list[int]:
        one = {"tool": "brush", "grey": 7, "width": 3, "at": -1}
        strokes = [one | {"points": [[number, 0]], "number": number} for number in numbers]
        return [stroke.points[0][0] for stroke in new_strokes({"board": board, "strokes": strokes})]

    assert send("first", 1) == [1]
    # The second stroke was painted before the first one was confirmed.
    assert send("first", 1, 2) == [2]
    assert send("first", 2) == []
    # A page that is loaded again counts from 1.
    assert send("second", 1) == [1]
