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
        address = _address(self.address)
        return address is None or address.is_loopback


def peer_of(scope: Mapping[str, Any], settings: Settings) -> Peer:
    """Read an ASGI scope; forwarding headers count only when they come from a trusted proxy."""
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    client = scope.get("client")
    near = _address(client[0]) if client else None
    host = next((value.decode("latin-1") for name, value in headers if name == b"host"), "")
    if near is not None and _trusted(near, settings):
        far = _forwarded_for(headers, near, settings)
        secure = _last(headers, b"x-forwarded-proto").lower() == "https"
        return Peer(str(far), host, secure or settings.allow_http)
    secure = scope["scheme"] in ("https", "wss")
    local = client is None or (near is not None and near.is_loopback)
    return Peer("" if near is None else str(near), host, secure or local or settings.allow_http)


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
