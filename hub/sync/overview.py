"""What an operator looks at first: where each stream of a connection stands, and the latest runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import UnitOfWork
from hub.ports import Registry
from hub.sync.runs import SHOWN_STATE, active_connection
from hub.sync.streams import chosen_streams

_STREAMS = text("""
    SELECT s.stream, s.last_success_at, s.failures, s.due_at,
        (SELECT count(*) FROM sync_exceptions AS e WHERE e.tenant_id = s.tenant_id AND e.code = s.code
            AND e.stream = s.stream AND e.state = 'OPEN') AS parked
    FROM sync_streams AS s WHERE s.tenant_id = :tenant AND s.code = :code
""")
_RUNS = text(f"""
    SELECT id, code, stream, trigger, {SHOWN_STATE} AS state, fetched, created, updated, unchanged, parked,
        error_message, requested_at, finished_at
    FROM sync_runs WHERE tenant_id = :tenant ORDER BY requested_at DESC, id DESC LIMIT :limit
""")
_EXCEPTIONS = text("""
    SELECT id, code, stream, external_key, reason, message, occurred_at FROM sync_exceptions
    WHERE tenant_id = :tenant AND state = 'OPEN' ORDER BY occurred_at DESC, id DESC LIMIT :limit
""")
# As `hub_system`: all tenants at once.
_PICTURE = text(f"""
    SELECT t.slug AS tenant, s.code, s.stream, s.last_success_at, s.failures, i.stopped_reason,
        (SELECT count(*) FROM sync_exceptions AS e WHERE e.tenant_id = s.tenant_id AND e.code = s.code
            AND e.stream = s.stream AND e.state = 'OPEN') AS parked,
        (SELECT count(*) FROM outbox AS o WHERE o.tenant_id = s.tenant_id AND o.code = s.code
            AND o.stream = s.stream AND o.state IN ('WAITING', 'SENDING')) AS waiting,
        coalesce(r.state, 'NEVER') AS state, coalesce(r.fetched, 0) AS fetched, coalesce(r.created, 0) AS created,
        coalesce(r.updated, 0) AS updated
    FROM integrations AS i
    JOIN tenants AS t ON t.id = i.tenant_id
    JOIN sync_streams AS s ON s.tenant_id = i.tenant_id AND s.code = i.code
    LEFT JOIN LATERAL (
        SELECT {SHOWN_STATE} AS state, fetched, created, updated FROM sync_runs
        WHERE tenant_id = s.tenant_id AND code = s.code AND stream = s.stream ORDER BY id DESC LIMIT 1
    ) AS r ON true
    WHERE i.active AND (cast(:tenant AS text) IS NULL OR t.slug = :tenant)
    ORDER BY t.slug, s.stream
""")
_LATEST = text("""
    SELECT t.slug AS tenant, e.topic, e.kind, e.subject_id, e.run_id, e.data, e.occurred_at
    FROM tenants AS t
    CROSS JOIN LATERAL (SELECT * FROM events WHERE tenant_id = t.id ORDER BY id DESC LIMIT :limit) AS e
    WHERE cast(:tenant AS text) IS NULL OR t.slug = :tenant
    ORDER BY e.occurred_at DESC, e.id DESC LIMIT :limit
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPicture:
    """One stream of an active connection at this moment, with its last run."""

    tenant: str
    code: str
    stream: str
    state: str
    fetched: int
    created: int
    updated: int
    parked: int
    waiting: int
    failures: int
    last_success_at: datetime | None
    stopped_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestEvent:
    """One of the latest events."""

    tenant: str
    topic: str
    kind: str
    subject_id: int | None
    run_id: int | None
    data: Mapping[str, Any]
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOverview:
    """One stream that is switched on; `parked` counts its open exceptions."""

    code: str
    stream: str
    last_success_at: datetime | None
    failures: int
    parked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOverview:
    """One run; its state is the one to show."""

    id: int
    code: str
    stream: str
    trigger: str
    state: str
    fetched: int
    created: int
    updated: int
    unchanged: int
    parked: int
    error_message: str | None
    requested_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionOverview:
    """One record that is parked."""

    id: int
    code: str
    stream: str
    external_key: str
    reason: str
    message: str
    occurred_at: datetime


async def picture(
    session: AsyncSession, *, tenant: str | None = None, events: int = 12
) -> tuple[list[StreamPicture], list[LatestEvent]]:
    """Every active stream of all tenants or of one, and the latest events, newest first; in system work."""
    streams = (await session.execute(_PICTURE, {"tenant": tenant})).mappings()
    latest = (await session.execute(_LATEST, {"tenant": tenant, "limit": events})).mappings()
    return [StreamPicture(**row) for row in streams], [LatestEvent(**row) for row in latest]


async def list_streams(work: UnitOfWork, *, registry: Registry) -> list[StreamOverview]:
    """The streams of the active connection, in the order in which they run; none without one."""
    connection = await active_connection(work, registry)
    if connection is None:
        return []
    code = connection.connector.code
    rows = (await work.session.execute(_STREAMS, {"tenant": work.tenant_id, "code": code})).mappings()
    known = {row["stream"]: row for row in rows}
    return [
        StreamOverview(
            code=code,
            stream=stream.name,
            last_success_at=known[stream.name]["last_success_at"] if stream.name in known else None,
            failures=known[stream.name]["failures"] if stream.name in known else 0,
            parked=known[stream.name]["parked"] if stream.name in known else 0,
        )
        for stream in chosen_streams(connection.connector, connection.options)
    ]


async def list_runs(work: UnitOfWork, *, limit: int = 20) -> list[RunOverview]:
    """The latest runs, newest first."""
    rows = (await work.session.execute(_RUNS, {"tenant": work.tenant_id, "limit": limit})).mappings()
    return [RunOverview(**row) for row in rows]


async def list_exceptions(work: UnitOfWork, *, limit: int = 20) -> list[ExceptionOverview]:
    """The records parked last, newest first."""
    rows = (await work.session.execute(_EXCEPTIONS, {"tenant": work.tenant_id, "limit": limit})).mappings()
    return [ExceptionOverview(**row) for row in rows]
