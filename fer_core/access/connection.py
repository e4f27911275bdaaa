"""Whether a connection comes from the owner: from this very computer, and through nothing in between."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from fer_core.settings import PROJECT_ROOT, Ownership, settings

COMMUNITY_CLOUD = Path("/mount/src")
"""Where Streamlit Community Cloud keeps the apps that it runs. Its proxies connect from loopback addresses."""

_FORWARDING = frozenset(
    {
        "forwarded", "via", "client-ip", "true-client-ip", "x-real-ip", "x-client-ip", "x-cluster-client-ip",
        "x-original-forwarded-for", "x-original-host", "x-host", "x-proxyuser-ip", "cf-connecting-ip", "cf-ray",
        "cdn-loop", "fastly-client-ip", "fly-client-ip", "x-amzn-trace-id", "x-appengine-user-ip", "x-azure-clientip",
    }
)  # fmt: skip
_FORWARDING_PREFIXES = ("x-forwarded", "x-envoy-", "x-arr-", "tailscale-", "cf-access-")


def is_owner(peer: str | None, headers: Iterable[tuple[str, str]], *, root: Path = PROJECT_ROOT) -> bool:
    """Whether whoever connects from address ``peer`` with these request headers owns the app, by that alone.

    ``peer`` None: the address is not known. A browser on the same computer sends a local ``Host`` and ``Origin``.
    Another ``Host`` may be a foreign page that had its name resolved to this computer, another ``Origin`` a proxy that
    hides the host. Never true on Community Cloud (``root``, where the project lies, tells), nor where only the
    password counts.
    """
    how = settings().ownership
    if how is Ownership.EVERYONE:
        return True
    if how is Ownership.PASSWORD or root.is_relative_to(COMMUNITY_CLOUD):
        return False
    named: dict[str, list[str]] = {}
    for name, value in headers:
        named.setdefault(name.lower(), []).append(value)
    return _is_loopback(peer) and not _forwarded(named) and _names_this_computer(named)


def listens_to_this_computer_alone(address: str | None) -> bool:
    """Whether a server that listens on this address, as it was told, can be reached from this computer alone.

    None and the empty text are every address. A name other than ``localhost`` may be any address.
    """
    return address == "localhost" or _is_loopback(address)


def names_this_computer(host: str) -> bool:
    """Whether a ``Host`` header names the very computer that the browser runs on: ``localhost:8501``, ``[::1]``."""
    return _is_local("//" + host)


def _forwarded(headers: Mapping[str, list[str]]) -> bool:
    return any(name in _FORWARDING or name.startswith(_FORWARDING_PREFIXES) for name in headers)


def _names_this_computer(headers: Mapping[str, list[str]]) -> bool:
    """Whether there is one local ``Host``, and no ``Origin`` but local ones."""
    hosts, origins = headers.get("host", []), headers.get("origin", [])
    return (
        len(hosts) == 1
        and names_this_computer(hosts[0])
        and len(origins) <= 1
        and all(_is_local(one) for one in origins)
    )


def _is_local(address: str) -> bool:
    try:
        name = urlsplit(address).hostname or ""
    except ValueError:
        return False
    return name == "localhost" or name.endswith(".localhost") or _is_loopback(name)


def _is_loopback(address: str | None) -> bool:
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback
