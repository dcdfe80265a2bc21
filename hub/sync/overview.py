"""What an operator looks at first: where each stream of a connection stands, and the latest runs."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

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
