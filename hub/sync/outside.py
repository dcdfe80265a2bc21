"""The way to the external systems: what the composition root hands in, and one connection opened for use."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from pydantic import BaseModel

from hub.crypto import Vault
from hub.db import Database, UnitOfWork
from hub.ports import Connector, HttpSender, RateBudget, Registry, Vendor
from hub.queries.integrations import Connection, load_connection
from hub.sync.connection_state import StoredState


class Exchange(Protocol):
    """One call as it may be kept: no query, no headers, secrets masked, bodies cut."""

    @property
    def method(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def status(self) -> int | None: ...
    @property
    def error(self) -> str: ...
    @property
    def started_at(self) -> datetime: ...
    @property
    def duration(self) -> timedelta: ...
    @property
    def request_body(self) -> bytes: ...
    @property
    def answer_body(self) -> bytes: ...


OnExchange = Callable[[Exchange], None]


class OpenSender(Protocol):
    """Makes the sender of one connection."""

    def __call__(
        self, connector: Connector, config: BaseModel, *, budget: RateBudget, on_exchange: OnExchange | None
    ) -> HttpSender: ...


class OpenBudget(Protocol):
    """Makes the token buckets of one connection, shared by all workers."""

    def __call__(self, tenant_id: int, code: str) -> RateBudget: ...


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Everything the synchronisation needs that is not its own."""

    database: Database
    registry: Registry
    vault: Vault
    open_sender: OpenSender
    open_budget: OpenBudget
    clock: Callable[[], datetime] = utc_now

    async def connection(self, work: UnitOfWork, code: str) -> Connection:
        """Raises `NeedsAttention` when the settings cannot be used."""
        return await load_connection(work.session, work.tenant_id, code, vault=self.vault, registry=self.registry)

    def vendor(self, connection: Connection, *, on_exchange: OnExchange | None = None) -> Vendor:
        """The connection as its connector's functions want it; opens no socket yet."""
        tenant_id, connector = connection.tenant_id, connection.connector
        budget = self.open_budget(tenant_id, connector.code)
        return Vendor(
            config=connection.config,
            http=self.open_sender(connector, connection.config, budget=budget, on_exchange=on_exchange),
            state=StoredState(self.database, tenant_id, connector.code, self.vault),
            now=self.clock(),
            mappings=connection.mappings,
            options=connection.options,
        )
