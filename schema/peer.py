"""Who is at the other end of a connection, and whether credentials may travel on it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from hub.settings import Settings

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Peer:
    """The client's address (empty on a unix socket), the Host it asked for, and whether credentials may travel."""

    address: str
    host: str
    secure: bool

    @property
    def local(self) -> bool:
        """The client is a process of this machine."""
        return not self.address or _is_loopback(self.address)


def peer_of(scope: Mapping[str, Any], settings: Settings) -> Peer:
    """Read an ASGI scope; forwarding headers count only when they come from a trusted proxy."""
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    client = scope.get("client")
    near = _address(client[0]) if client else None
    host = _first(headers, b"host")
    if near is not None and _trusted(near, settings):
        far = _forwarded_for(headers, near, settings)
        secure = _last(headers, b"x-forwarded-proto").lower() == "https"
        return Peer(str(far), host, secure or settings.allow_http)
    local = client is None or _is_loopback(client[0])
    secure = local or settings.allow_http or scope["scheme"] in ("https", "wss")
    return Peer(_spelled(client[0]) if client else "", host, secure)


def _forwarded_for(headers: Iterable[tuple[bytes, bytes]], near: Address, settings: Settings) -> Address:
    """The last address that no trusted proxy vouches for: the ones before it may be invented by the client."""
    told = ",".join(value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for")
    far = near
    for part in reversed(told.split(",")):
        address = _address(part.strip())
        if address is None:
            break
        far = address
        if not _trusted(address, settings):
            break
    return far


def _first(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str:
    for name, value in headers:
        if name == wanted:
            return value.decode("latin-1")
    return ""


def _last(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str:
    values = [value.decode("latin-1") for name, value in headers if name == wanted]
    return values[-1].rpartition(",")[2].strip() if values else ""


def _trusted(address: Address, settings: Settings) -> bool:
    return any(address in network for network in settings.trusted_proxies)


@lru_cache(maxsize=1024)
def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=1024)
def _is_loopback(text: str) -> bool:
    address = _address(text)
    return address is not None and address.is_loopback


@lru_cache(maxsize=1024)
def _spelled(text: str) -> str:
    """The one spelling of an address; empty for what is none."""
    address = _address(text)
    return "" if address is None else str(address)
