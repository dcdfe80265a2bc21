"""What resolvers receive: the caller's scope and the services of this process."""

import uuid
from dataclasses import dataclass, field

from hub.auth import Authenticator
from hub.context import Scope
from hub.crypto import Vault
from hub.db import Database
from hub.errors import Unauthenticated
from hub.events import EventFeed
from hub.ports import Registry
from hub.settings import Settings
from schema.peer import Peer


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The things one API process shares between all its requests."""

    settings: Settings
    database: Database
    authenticator: Authenticator
    feed: EventFeed
    registry: Registry
    vault: Vault


@dataclass(slots=True, kw_only=True)
class RequestContext:
    """One operation's context; `scope` is None for a caller without credentials."""

    services: Services
    caller: Scope | None
    peer: Peer
    explain: bool = False
    """The caller asks for `extensions.plan`; administrators get it where HUB_EXPLAIN allows it."""
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def scope(self) -> Scope:
        """Raises `Unauthenticated` for a caller without credentials."""
        if self.caller is None:
            raise Unauthenticated("credentials are missing", hint="send Authorization: Bearer")
        return self.caller

    @property
    def database(self) -> Database:
        return self.services.database
