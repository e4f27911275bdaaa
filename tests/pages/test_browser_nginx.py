"""The configuration in ``docs/hosting.md``, tried: a real nginx with https in front of the app."""

from __future__ import annotations

import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.cookiejar import CookieJar
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import sleep
from urllib.error import URLError
from urllib.request import HTTPCookieProcessor, HTTPSHandler, OpenerDirector, build_opener

import pytest
from browser import CHROMIUM_ARGS, AppServer, chromium_path, free_port
from playwright.sync_api import Browser, Page, expect

from fer_core.access.password import VARIABLE
from fer_core.settings import PROJECT_ROOT

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed"),
]
NAME = "fer.example.org"
PASSWORD = "correct horse battery"


@pytest.fixture
def by_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the server, which the environment reaches."""
    monkeypatch.setenv("FER_EXPLORER_OWNER", "")
    monkeypatch.setenv(VARIABLE, PASSWORD)


@pytest.fixture
def https(by_password: None, app: AppServer, tmp_path: Path) -> Iterator[int]:
    """The port on which nginx serves the app, as the guide configures it."""
    with nginx([app.port], tmp_path) as port:
        yield port


@contextmanager
def nginx(apps: Sequence[int], folder: Path) -> Iterator[int]:
    """A real nginx with the guide's configuration before servers on the ports ``apps``, and the port of its own."""
    port = free_port()
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={NAME}"]
    subprocess.run([*make, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    configuration = _of_the_guide(apps, port, certificate, key)
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;\nevents {{}}\nhttp {{\n"
        + "".join(f"{one}_temp_path {folder}/{one};\n" for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        + f"access_log {folder}/access.log;\n{configuration}\n}}\n"
    )
    command = ["nginx", "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(file)]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    server = subprocess.Popen(command)
    try:
        yield port
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def stranger(https: int, chromium: Browser) -> Iterator[Page]:
    """A browser that takes the guide's name for this computer, as a name server would tell it."""
    # By the Playwright of all tests: a thread can have one.
    browser = chromium.browser_type.launch(
        executable_path=chromium_path(), args=[*CHROMIUM_ARGS, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
    )
    page = browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 900}).new_page()
    page.goto(f"https://{NAME}:{https}/dataset")
    yield page
    browser.close()


def _of_the_guide(apps: Sequence[int], port: int, certificate: Path, key: Path) -> str:
    guide = (PROJECT_ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
    found = re.search(r"```nginx\n(.*?)```", guide, flags=re.DOTALL)
    assert found
    servers = "\n".join(f"server 127.0.0.1:{app};" for app in apps)
    text = found[1].replace("server 127.0.0.1:8501;", servers).replace("443 ssl", f"127.0.0.1:{port} ssl")
    text = re.sub(r"(ssl_certificate\s+)\S+;", rf"\g<1>{certificate};", text)
    return re.sub(r"(ssl_certificate_key\s+)\S+;", rf"\g<1>{key};", text)


def test_behind_nginx_everybody_is_a_visitor_until_they_unlock(stranger: Page) -> None:
    page = stranger
    # The page is drawn through the WebSocket: without the upgrade there is none of it.
    expect(page.get_by_role("tab", name="Faces")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("tab", name="Bring real data")).to_have_count(0)
    page.get_by_text("Owner", exact=True).click()
    page.get_by_label("Owner's password").fill(PASSWORD)
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_role("tab", name="Bring real data")).to_be_visible()
    page.get_by_role("button", name="Lock again").click()
    expect(page.get_by_role("tab", name="Bring real data")).to_have_count(0)


def test_a_header_of_ones_own_makes_nobody_the_owner(stranger: Page) -> None:
    stranger.set_extra_http_headers({"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"})
    stranger.reload()
    expect(stranger.get_by_role("tab", name="Faces")).to_be_visible(timeout=60_000)
    expect(stranger.get_by_role("tab", name="Bring real data")).to_have_count(0)


class _Named(BaseHTTPRequestHandler):
    """Answers with the port that it listens on."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(self.server.server_address[1]).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_a_class_behind_one_address_is_spread_and_each_browser_stays(tmp_path: Path) -> None:
    """By their address, all of a class went to one process."""
    with ExitStack() as stack:
        servers = [stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _Named)) for _ in range(2)]
        for server in servers:
            Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
        port = stack.enter_context(nginx([server.server_address[1] for server in servers], tmp_path))
        reached = []
        for _ in range(30):
            opener = build_opener(
                HTTPSHandler(context=ssl._create_unverified_context()), HTTPCookieProcessor(CookieJar())
            )
            answers = {_read(opener, f"https://127.0.0.1:{port}/{number}") for number in range(4)}
            assert len(answers) == 1
            reached += answers
        assert min(reached.count(str(server.server_address[1])) for server in servers) >= 5


def _read(opener: OpenerDirector, url: str) -> str:
    # nginx may still be opening its port.
    for _ in range(100):
        try:
            with opener.open(url, timeout=10) as answer:
                return str(answer.read().decode())
        except URLError:
            sleep(0.05)
    raise TimeoutError(url)
