from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fer_core.access.connection import is_owner, listens_to_this_computer_alone
from fer_core.settings import settings

LOCAL = [("Host", "localhost:8501"), ("Origin", "http://localhost:8501")]


@pytest.fixture
def owned_by(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def owned(how: str) -> None:
        monkeypatch.setenv("FER_EXPLORER_OWNER", how)
        settings.cache_clear()

    owned("")
    yield owned
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.usefixtures("owned_by")
class TestByConnection:
    @pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST:80", "me.localhost:8501"])
    def test_a_browser_on_this_computer_is_the_owners(self, peer: str, host: str) -> None:
        assert is_owner(peer, [("host", host), ("origin", f"http://{host}")])

    @pytest.mark.parametrize(
        "peer", [None, "", "192.168.1.5", "::ffff:10.0.0.1", "2001:db8::1", "localhost", "testclient"]
    )
    def test_another_computer_is_a_visitors(self, peer: str | None) -> None:
        assert not is_owner(peer, LOCAL)

    @pytest.mark.parametrize(
        "header",
        [
            "Forwarded", "X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Host", "X-Real-IP", "Via",
            "CF-Connecting-IP", "True-Client-IP", "X-Envoy-External-Address", "CDN-Loop",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("value", ["", "127.0.0.1", "localhost"])
    def test_whoever_comes_through_a_proxy_is_a_visitor(self, header: str, value: str) -> None:
        assert not is_owner("127.0.0.1", [*LOCAL, (header, value)])

    @pytest.mark.parametrize(
        "host",
        [
            "fer.example.org",
            "evil.com:8501",
            "localhost.evil.com",
            "127.0.0.1.evil.com",
            "0.0.0.0",
            "[",
            "",
            "10.0.0.1",
            "a@b@",
        ],
    )
    def test_a_foreign_host_is_a_visitors_also_where_it_resolves_to_this_computer(self, host: str) -> None:
        assert not is_owner("127.0.0.1", [("Host", host)])

    @pytest.mark.parametrize("origin", ["https://fer.example.org", "null", "http://evil.com"])
    def test_a_proxy_that_hides_the_host_is_seen_by_the_origin(self, origin: str) -> None:
        assert not is_owner("127.0.0.1", [("Host", "127.0.0.1:8501"), ("Origin", origin)])

    def test_no_host_or_two_are_a_visitors(self) -> None:
        assert not is_owner("127.0.0.1", [])
        assert not is_owner("127.0.0.1", [*LOCAL, ("host", "localhost")])

    def test_on_community_cloud_an_address_makes_nobody_the_owner(self) -> None:
        assert not is_owner("127.0.0.1", LOCAL, root=Path("/mount/src/fer-explorer"))
        assert is_owner("127.0.0.1", LOCAL, root=Path("/mount/srcs"))


def test_a_classroom_may_make_everyone_the_owner(owned_by: Callable[[str], None]) -> None:
    owned_by("everyone")
    assert is_owner(None, [("X-Forwarded-For", "1.2.3.4")])


@pytest.mark.parametrize("how", ["password", "no", "everybody"])
def test_where_the_password_counts_an_address_does_not(owned_by: Callable[[str], None], how: str) -> None:
    owned_by(how)
    assert not is_owner("127.0.0.1", LOCAL)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost", "127.0.0.9"])
def test_a_loopback_address_is_reached_from_this_computer_alone(address: str) -> None:
    assert listens_to_this_computer_alone(address)


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "::", "192.168.1.5", "my-laptop", "localhost.example.org"])
def test_any_other_address_is_reached_by_others(address: str | None) -> None:
    assert not listens_to_this_computer_alone(address)
