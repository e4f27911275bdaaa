"""The help on Live: which addresses get a camera, what is likely wrong, and the secrets it names."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from live_page import FakeBrowser, OpenApp, texts

from fer_core.inference.stream import connection
from fer_core.inference.stream.connection import Connection, ConnectionStage
from pages.parts.live import camera as live_camera
from pages.parts.live import help


@pytest.mark.parametrize(
    ("address", "secure"),
    [
        ("https://example.streamlit.app/live", True),
        ("http://localhost:8501/live", True),
        ("http://127.0.0.1:8501/", True),
        ("http://[::1]:8501/", True),
        ("http://192.168.1.5:8501/live", False),
        ("http://example.org/live", False),
    ],
)
def test_where_browsers_give_a_camera(address: str, secure: bool) -> None:
    assert help.is_secure(address) is secure


def test_what_is_likely_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    for variables in help.PROVIDERS.values():
        for variable in variables:
            monkeypatch.delenv(variable, raising=False)
    monkeypatch.delenv(live_camera.ICE_VARIABLE, raising=False)
    late, home = Connection(ConnectionStage.LATE, 16.0, False), "https://example.org/live"
    assert "https" in help.likely(late, "http://example.org/live")[0]
    assert "TURN server" in help.likely(late, home)[0]
    assert "Another program" in help.likely(Connection(ConnectionStage.LATE, 16.0, True), home)[0]
    assert "covered" in help.likely(Connection(ConnectionStage.STALLED, 6.0, True), home)[0]
    monkeypatch.setenv("CLOUDFLARE_TURN_KEY_ID", "id")
    assert help.turn_state() == (
        None,
        ["`CLOUDFLARE_TURN_KEY_ID` is set, but `CLOUDFLARE_TURN_KEY_API_TOKEN` is not, so Cloudflare is not used."],
    )
    assert "`CLOUDFLARE_TURN_KEY_API_TOKEN` is not" in help.likely(late, home)[0]
    monkeypatch.setenv("CLOUDFLARE_TURN_KEY_API_TOKEN", "token")
    assert help.turn_state() == ("Cloudflare", [])
    assert "Cloudflare's TURN credentials are set" in help.likely(late, home)[0]
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "sid")
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "token")
    monkeypatch.setattr(help, "find_spec", lambda _: None)
    provider, problems = help.turn_state()
    assert provider == "Cloudflare", "the first that is complete"
    assert "pip install twilio" in problems[0]
    monkeypatch.setenv(live_camera.ICE_VARIABLE, "[]")
    assert live_camera.ICE_VARIABLE in help.likely(late, home)[0]


def test_the_variables_are_those_that_the_library_reads() -> None:
    from streamlit_webrtc import credentials

    source = Path(credentials.__file__).read_text(encoding="utf-8")
    for variables in help.PROVIDERS.values():
        for variable in variables:
            assert f'"{variable}"' in source


@pytest.mark.usefixtures("models")
def test_the_help_opens_by_itself_when_no_picture_comes(
    open_app: OpenApp, camera: FakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variables in help.PROVIDERS.values():
        for variable in variables:
            monkeypatch.delenv(variable, raising=False)
    app = open_app("live")
    assert not app.expander[-1].proto.expanded
    camera.state = SimpleNamespace(playing=False, signalling=True)
    app.run()
    assert "Connecting: 0 s" in texts(app)
    monkeypatch.setattr(connection, "PATIENCE_S", 0.0)
    app.run()
    assert "No picture after" in texts(app)
    assert "no TURN server" in texts(app)
    open_expanders = [expander.label for expander in app.expander if expander.proto.expanded]
    assert open_expanders == ["Connection help"]


def test_the_help_names_the_equal_ways_in_and_the_secrets(open_app: OpenApp, camera: FakeBrowser) -> None:
    app = open_app("live")
    code = "\n".join(block.value for block in app.code)
    for variables in help.PROVIDERS.values():
        for variable in variables:
            assert variable in code
    links = [link.proto.label for link in app.get("page_link")]
    assert {"Take one picture", "Upload pictures", "Upload a video"} <= set(links)
