"""From an `Authorization` header or a WebSocket's first message to the caller's scope."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.auth import Authenticator
from hub.context import Scope
from hub.errors import NotAllowed, Unauthenticated, Unavailable
from schema.peer import Peer

RECHECK_EVERY = 4.0
"""Seconds between two looks at the rights behind a stream: with what the authenticator remembers, less than 10."""


async def caller_of(authenticator: Authenticator, authorization: Sequence[bytes], peer: Peer) -> Scope | None:
    """The scope of `Bearer user:password`, of an account's `Bearer e-mail:password` or of a session token.

    None without a header. Raises `Unauthenticated`, and `NotAllowed` when credentials travelled in the clear.
    """
    if not authorization:
        return None
    if not peer.secure:
        raise NotAllowed("credentials travel over HTTPS only", hint="use https, or set HUB_ALLOW_HTTP=1 on the hub")
    if len(authorization) > 1:
        raise Unauthenticated("more than one Authorization header")
    return await authenticator.by_header(host=peer.host, header=authorization[0], address=peer.address, accounts=True)


async def still_allowed(authenticator: Authenticator, caller: Scope | None) -> bool:
    """Whether a stream may go on; while the database is away nothing can be read anyway."""
    try:
        return caller is None or await authenticator.still_valid(caller)
    except Unavailable:
        return True


def authorization_of(asgi: Mapping[str, Any]) -> list[bytes]:
    """The `Authorization` headers of an ASGI scope, as they came over the wire."""
    return [value for name, value in asgi["headers"] if name == b"authorization"]
