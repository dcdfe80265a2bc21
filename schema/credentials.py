"""From an `Authorization` header or a WebSocket's first message to the caller's scope."""

from collections.abc import Sequence

from hub.auth import Authenticator
from hub.context import Scope
from hub.errors import NotAllowed, Unauthenticated
from schema.peer import Peer


async def caller_of(authenticator: Authenticator, authorization: Sequence[str], peer: Peer) -> Scope | None:
    """The scope of `Bearer user:password`, of an account's `Bearer e-mail:password` or of `Bearer token`.

    None without a header. Raises `Unauthenticated`, and `NotAllowed` when credentials travelled in the clear.
    """
    if not authorization:
        return None
    if len(authorization) > 1:
        raise Unauthenticated("more than one Authorization header")
    if not peer.trustworthy:
        raise NotAllowed("credentials travel over HTTPS only", hint="use https, or set HUB_ALLOW_HTTP=1 on the hub")
    scheme, _, credential = authorization[0].strip().partition(" ")
    credential = credential.strip()
    if scheme.lower() != "bearer" or not credential:
        raise Unauthenticated("the Authorization header must be Bearer with a token or user:password")
    if ":" in credential:
        return await authenticator.by_credentials(
            host=peer.host, credential=credential, address=peer.address, accounts=True
        )
    return await authenticator.by_token(host=peer.host, token=credential)
