"""How entries of the outbox become what a connector is handed: one `Telling` per outbound stream."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.db import UnitOfWork
from hub.queries.integrations import Connection
from hub.records import StockLevel
from hub.services.outbox import STOCK
from hub.sync import outbound_statuses, outbound_stock
from hub.sync.outbound_statuses import Told


@dataclass(frozen=True, slots=True)
class Entry:
    """One claimed entry of the outbox."""

    id: int
    key: str
    payload: dict[str, Any]


@dataclass(slots=True)
class Batch:
    """What one call tells: entries with their records in the same order, and entries there is nothing to tell of."""

    entries: list[Entry] = field(default_factory=list)
    records: list[Any] = field(default_factory=list)
    dropped: dict[int, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.entries) + len(self.dropped)


Build = Callable[[UnitOfWork, Connection, Sequence[Entry]], Awaitable[Batch]]
Remember = Callable[[UnitOfWork, Connection, Sequence[Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How the entries of a stream become records, what the connector is handed, and what is remembered of the sent."""

    build: Build
    remember: Remember
    handed: Callable[[Any], Any] = lambda record: record


async def _build_stock(work: UnitOfWork, connection: Connection, entries: Sequence[Entry]) -> Batch:
    ids = {entry.id: int(entry.payload["product_id"]) for entry in entries}
    levels, untold = await outbound_stock.find_levels(work, connection.connector.code, set(ids.values()))
    batch = Batch(dropped={entry.id: untold[ids[entry.id]] for entry in entries if ids[entry.id] in untold})
    batch.entries = [entry for entry in entries if ids[entry.id] in levels]
    batch.records = [levels[ids[entry.id]] for entry in batch.entries]
    return batch


async def _remember_stock(work: UnitOfWork, connection: Connection, sent: Sequence[StockLevel]) -> None:
    await outbound_stock.remember(work, connection.connector.code, sent)


async def _build_statuses(work: UnitOfWork, connection: Connection, entries: Sequence[Entry]) -> Batch:
    batch = Batch()
    for entry in entries:
        told = await outbound_statuses.find_change(work, connection, entry.payload)
        if isinstance(told, str):
            batch.dropped[entry.id] = told
        else:
            batch.entries.append(entry)
            batch.records.append(told)
    return batch


async def _remember_statuses(work: UnitOfWork, connection: Connection, sent: Sequence[Told]) -> None:
    await outbound_statuses.remember(work, connection.connector.code, sent)


_STATUSES = Telling(build=_build_statuses, remember=_remember_statuses, handed=lambda told: told.change)
TELLINGS: Mapping[str, Telling] = {
    STOCK: Telling(build=_build_stock, remember=_remember_stock),
    "order_statuses": _STATUSES,
    "nir_statuses": _STATUSES,
}
