"""Who is at the other end: only a trusted proxy may speak for somebody else."""

from ipaddress import ip_network
from typing import Any

import pytest

from hub.settings import Settings
from schema.peer import peer_of

PROXIES = Settings(trusted_proxies=(ip_network("10.0.0.0/8"), ip_network("fd00::/8")))


def scope(client: str | None, scheme: str = "http", **headers: str) -> dict[str, Any]:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"client": None if client is None else (client, 1), "scheme": scheme, "headers": raw}


@pytest.mark.parametrize(
    ("client", "forwarded", "address"),
    [
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.7, 10.9.9.9", "198.51.100.7"),
        ("10.0.0.1", "10.1.1.1, 10.9.9.9", "10.1.1.1"),
        ("10.0.0.1", "nonsense, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7, nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
    ],
)
def test_the_address_is_the_last_that_no_proxy_vouches_for(client: str, forwarded: str, address: str) -> None:
    assert peer_of(scope(client, x_forwarded_for=forwarded), PROXIES).address == address


@pytest.mark.parametrize(
    ("client", "scheme", "proto", "secure"),
    [
        ("192.0.2.1", "http", "", False),
        ("192.0.2.1", "http", "https", False),
        ("192.0.2.1", "https", "", True),
        ("192.0.2.1", "wss", "", True),
        ("127.0.0.1", "http", "", True),
        ("::1", "ws", "", True),
        (None, "http", "", True),
        ("10.0.0.1", "http", "https", True),
        ("10.0.0.1", "http", "HTTPS", True),
        ("10.0.0.1", "http", "http, https", True),
        ("10.0.0.1", "http", "https, http", False),
        ("10.0.0.1", "https", "http", False),
    ],
)
def test_credentials_may_travel_where_nobody_listens(client: str | None, scheme: str, proto: str, secure: bool) -> None:
    assert peer_of(scope(client, scheme, x_forwarded_proto=proto), PROXIES).secure is secure


def test_an_operator_may_allow_plain_http() -> None:
    assert peer_of(scope("192.0.2.1"), Settings(allow_http=True)).secure
