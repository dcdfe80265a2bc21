"""REST credentials: `Bearer <user>:<password>` of a user of the host's tenant; one answer to all mistakes."""

from collections.abc import Iterable
from typing import Protocol

from hub.context import Scope
from hub.errors import Unauthenticated
from schema.peer import Peer

LONGEST = 4096
INVALID = "Invalid API KEY"
OVER_HTTP = "Credentials travel over HTTPS only: use https, or set HUB_ALLOW_HTTP=1 on the hub"


class Authenticator(Protocol):
    """Proves credentials within the tenant of the host; raises `Unauthenticated`."""

    async def by_credentials(self, *, host: str, credential: str, address: str) -> Scope: ...


async def scope_of(headers: Iterable[tuple[bytes, bytes]], peer: Peer, authenticator: Authenticator) -> Scope:
    """The caller's scope; raise `Unauthenticated` for everything that is not a right credential."""
    credential = _credential([value for name, value in headers if name == b"authorization"])
    if not peer.secure:
        raise Unauthenticated(OVER_HTTP)
    try:
        return await authenticator.by_credentials(host=peer.host, credential=credential, address=peer.address)
    except Unauthenticated as error:
        raise Unauthenticated(INVALID) from error


def _credential(values: list[bytes]) -> str:
    if len(values) != 1:
        raise Unauthenticated(INVALID)
    scheme, blanks, raw = values[0].partition(b" ")
    raw = raw.lstrip(b" \t")
    if scheme.lower() != b"bearer" or not blanks or len(raw) > LONGEST:
        raise Unauthenticated(INVALID)
    try:
        credential = raw.decode()
    except UnicodeDecodeError:
        raise Unauthenticated(INVALID) from None
    user, colon, password = credential.partition(":")
    if not (user and colon and password):
        raise Unauthenticated(INVALID)
    return credential
