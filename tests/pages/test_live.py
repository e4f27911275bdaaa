"""Live's models: which answer, what their answers look like, and what the address says of them."""

from __future__ import annotations

import re

import pytest
from factories import make_run
from live_page import FakeBrowser, OpenApp, running, stream_of, texts

from fer_core.settings import settings


def test_without_models_faces_are_followed_and_it_says_what_to_do(open_app: OpenApp, camera: FakeBrowser) -> None:
    app = open_app("live")
    assert not app.exception
    assert "no model yet" in texts(app)
    app = running(app, camera)
    assert "Face 1" in texts(app)
    assert "no model is chosen" in texts(app).lower()


@pytest.mark.usefixtures("models")
def test_all_models_answer_with_seven_bars_each(open_app: OpenApp, camera: FakeBrowser) -> None:
    app = open_app("live")
    assert not app.get("vega_lite_chart"), "no empty picture before there is anything to draw"
    app = running(app, camera)
    (table,) = (element.proto.body for element in app.get("html") if "live-face" in element.proto.body)
    assert "poll says" in table, "the vote leads"
    assert re.findall(r"(\w+): <b>", table) == ["second", "first"]
    assert re.findall(r'scope="row"[^>]*>([^<]*)<', table) == [
        *("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    ]
    assert table.count(" %</td>") == 7
    assert [metric.label for metric in app.metric] == ["Camera", "Models", "Lag", "Dropped"]
    assert stream_of(app).plan.style.model == "poll", "the vote stands on the picture"
    assert "poll about face 1" in texts(app)
    assert len(app.get("vega_lite_chart")) == 1
    assert "Now most likely" in texts(app)


@pytest.mark.usefixtures("models")
def test_a_vote_that_needs_a_model_beyond_those_that_run_is_left_out_of_all(
    open_app: OpenApp, camera: FakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.parts.runs.MOST", 1)
    app = open_app("live")
    assert list(stream_of(app).plan.models) == ["second"]
    app.pills(key="live.model").set_value("poll").run()
    assert list(stream_of(app).plan.models) == ["poll"], "it can be chosen alone"


def test_all_has_ones_own_newest_model_in_it(open_app: OpenApp, camera: FakeBrowser) -> None:
    """The first six by name ran, and whatever one trained was left out."""
    for number in range(6):
        make_run(settings().models_dir / f"shipped{number}")
    make_run(settings().runs_dir / "Zoe")
    running = list(stream_of(open_app("live")).plan.models)
    assert "Zoe" in running
    assert len(running) == 6


@pytest.mark.usefixtures("models")
def test_the_switch_works_while_the_camera_runs(open_app: OpenApp, camera: FakeBrowser) -> None:
    app = running(open_app("live"), camera)
    live = stream_of(app)
    app.pills(key="live.model").set_value("first").run()
    assert stream_of(app) is live, "the stream goes on"
    camera.send(live)
    app.run()
    shot = live.shot()
    assert shot is not None
    (face,) = shot.result.faces
    assert list(face.shown) == ["first"]
    assert face.number == 1
    assert live.error is None


@pytest.mark.usefixtures("models")
def test_the_address_says_it_all(open_app: OpenApp, camera: FakeBrowser) -> None:
    query = {"live.model": "second", "live.map": "happy", "live.beside": "Nothing", "live.mirror": "false"}
    app = open_app("live", **query, **{"live.smoothing": "1.0", "live.unsure": "Never"})
    assert not app.exception
    plan = stream_of(app).plan
    assert list(plan.models) == ["second"]
    assert (plan.style.model, plan.style.bars, plan.style.mirrored) == ("second", False, False)
    assert (plan.settings.map_model, plan.settings.map_class) == ("second", 3)
    assert plan.settings.smoothing_s == 1.0
    assert plan.settings.unsure_below == {"second": 0.0}


@pytest.mark.usefixtures("models")
def test_limits_come_from_publictest_one_a_model(open_app: OpenApp, camera: FakeBrowser) -> None:
    app = open_app("live")
    limits = stream_of(app).plan.settings.unsure_below
    assert isinstance(limits, dict)
    assert set(limits) == {"first", "second", "poll"}
    assert all(0 < limit < 1 for limit in limits.values())
    assert "from this probability on: second" in texts(app)


def test_an_unknown_model_in_the_address_is_named(open_app: OpenApp, camera: FakeBrowser, models: None) -> None:
    app = open_app("live", **{"live.model": "nobody"})
    assert "no model called “nobody”" in texts(app)
    assert len(stream_of(app).plan.models) == 3


def test_a_damaged_model_is_named_and_left_out(open_app: OpenApp, camera: FakeBrowser, models: None) -> None:
    make_run(settings().runs_dir / "broken").tflite_path.write_bytes(b"")
    app = open_app("live")
    assert not app.exception
    assert "model.tflite is damaged" in texts(app)
    assert "broken" not in stream_of(app).plan.models
