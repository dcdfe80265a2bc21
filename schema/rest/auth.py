"""REST credentials: `Bearer <user>:<password>` of a user of the host's tenant; one answer to all mistakes."""

from collections.abc import Iterable
from typing import Protocol

from hub.context import Scope
from hub.errors import Unauthenticated
from schema.peer import Peer

INVALID = "Invalid API KEY"
OVER_HTTP = "Credentials travel over HTTPS only: use https, or set HUB_ALLOW_HTTP=1 on the hub"


class Authenticator(Protocol):
    """Proves the credentials of an `Authorization` header within the tenant of the host."""

    async def by_header(self, *, host: str, header: bytes, address: str) -> Scope: ...


async def scope_of(headers: Iterable[tuple[bytes, bytes]], peer: Peer, authenticator: Authenticator) -> Scope:
    """The caller's scope; raise `Unauthenticated` for everything that is not a right credential."""
    values = [value for name, value in headers if name == b"authorization"]
    if len(values) != 1:
        raise Unauthenticated(INVALID)
    if not peer.secure:
        raise Unauthenticated(OVER_HTTP)
    return await authenticator.by_header(host=peer.host, header=values[0], address=peer.address)
