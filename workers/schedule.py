"""Opens the runs that are due: inbound streams by their rhythm, outbound streams when something waits to be sent."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass

from sqlalchemy import text

from hub.configuration import options_of
from hub.context import Scope
from hub.db import Database, UnitOfWork
from hub.ports import Bell, Connector, Direction, Registry, Stream
from hub.services.outbox import BELL as OUTBOX
from hub.services.outbox import STOCK
from hub.sync import runs
from hub.sync.lease import RUNS
from hub.sync.streams import chosen_streams
from workers.supervision import patiently

GATHER = 0.3
"""Seconds in which changes of the outbox are gathered into one run."""

_CONNECTIONS = text("""
    SELECT i.tenant_id, i.code, i.options, i.stock_push_confirmed,
        coalesce((SELECT jsonb_object_agg(s.stream, s.due_at IS NULL OR s.due_at <= now()) FROM sync_streams AS s
            WHERE s.tenant_id = i.tenant_id AND s.code = i.code), '{}') AS due,
        coalesce((SELECT jsonb_agg(s.stream) FROM sync_streams AS s
            WHERE s.tenant_id = i.tenant_id AND s.code = i.code AND s.failures > 0 AND s.due_at > now()), '[]')
            AS resting,
        coalesce((SELECT jsonb_agg(r.stream) FROM sync_runs AS r WHERE r.tenant_id = i.tenant_id AND r.code = i.code
            AND r.state IN ('QUEUED', 'RUNNING')), '[]') AS open,
        coalesce((SELECT jsonb_agg(DISTINCT o.stream) FROM outbox AS o WHERE o.tenant_id = i.tenant_id
            AND o.code = i.code AND o.state = 'WAITING' AND o.available_at <= now()), '[]') AS waiting
    FROM integrations AS i JOIN tenants AS t ON t.id = i.tenant_id
    WHERE i.active AND i.stopped_reason IS NULL AND t.active
    ORDER BY i.last_sync_at NULLS FIRST
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the streams of one connection stand."""

    due: Mapping[str, bool]
    resting: list[str]
    """Outbound streams that failed lately and wait."""
    open: list[str]
    waiting: list[str]
    stock_push_confirmed: bool

    def calls_for(self, stream: Stream) -> bool:
        if stream.name in self.open:
            return False
        if stream.direction is Direction.IN:
            return self.due.get(stream.name, True)
        if stream.name == STOCK and not self.stock_push_confirmed:
            return False
        return stream.name in self.waiting and stream.name not in self.resting


async def open_due_runs(database: Database, registry: Registry) -> int:
    """Open a run for every stream that is due and has none; how many were opened. Several may do it at once."""
    async with database.system_work() as session:
        connections = (await session.execute(_CONNECTIONS)).mappings().all()
    opened = 0
    for row in connections:
        connector = registry.get(row["code"])
        if connector is None:
            continue
        standing = Standing(**{name: row[name] for name in Standing.__dataclass_fields__})
        streams = chosen_streams(connector, options_of(connector, row["options"]))
        due = [stream for stream in streams if standing.calls_for(stream)]
        if due:
            await _open(database, row["tenant_id"], connector, due)
            opened += len(due)
    return opened


async def _open(database: Database, tenant_id: int, connector: Connector, streams: list[Stream]) -> None:
    async def action(work: UnitOfWork) -> None:
        for stream in streams:
            trigger = "SCHEDULE" if stream.direction is Direction.IN else "OUTBOX"
            await runs.open_run(work, connector, stream, trigger=trigger)

    await database.write(Scope.of_system(tenant_id, "schedule"), action)


async def keep_scheduling(database: Database, registry: Registry, bell: Bell) -> None:
    """Until cancelled: whenever something waits to be sent, and every few seconds."""
    async with aclosing(bell.listen(OUTBOX, RUNS)) as rings:
        async for topic in rings:
            if topic:
                await asyncio.sleep(GATHER)
            async with patiently("opening runs"):
                await open_due_runs(database, registry)
