"""The event log: read after a cursor, followed by many through one listener per process.

Positions are given after commit (hub/numbering.py): per tenant from 1, without gaps, in the order of becoming visible.
So a reader that has seen position n has seen everything up to n, and a cursor is one position per tenant.
"""

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import asyncpg

from hub.context import Grant, Level, Scope
from hub.cursors import decode_cursor, encode_cursor
from hub.db import Database
from hub.endings import end
from hub.errors import Invalid, Unavailable
from hub.ports import Bell

log = logging.getLogger(__name__)

NUMBERED = "events_numbered"
"""Rings when positions have been given."""
BATCH = 500
"""Events read per tenant at once."""
CAPACITY = 2000
"""Events that may wait for one follower before it is cut off."""
PAUSE = 1.0
"""Seconds between two tries while the database is away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One event; `cursor` resumes after it."""

    tenant_id: int
    position: int
    topic: str
    kind: str
    subject_id: int | None
    run_id: int | None
    data: Mapping[str, Any]
    occurred_at: datetime
    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Events after some positions, and the positions that are read through with them."""

    events: list[EventRow]
    reached: dict[int, int]


class CutOff(Unavailable):
    """The follower was too slow and is let go; `cursor` says where to come back."""

    code = "SLOW_CONSUMER"

    def __init__(self, cursor: str) -> None:
        super().__init__("too many events are waiting for this reader", hint="come back with the last cursor")
        self.cursor = cursor


def expired() -> Invalid:
    return Invalid(
        "the events after this cursor are no longer kept",
        code="CURSOR_EXPIRED",
        field="after",
        hint="read a snapshot and follow from its cursor",
    )


async def current_positions(connection: asyncpg.Connection, tenants: Collection[int]) -> dict[int, int]:
    """The last position of each tenant: where "from now on" begins."""
    rows = await connection.fetch(
        "SELECT tenant_id, position FROM event_heads WHERE tenant_id = ANY ($1::bigint[])", list(tenants)
    )
    return dict.fromkeys(tenants, 0) | {row["tenant_id"]: row["position"] for row in rows}


async def start_positions(connection: asyncpg.Connection, scope: Scope, after: str | None) -> dict[int, int]:
    """Where a reader of this scope begins; a tenant that the cursor does not know begins now.

    Raises `Invalid` when the cursor is none or lies in the future.
    """
    now = await current_positions(connection, scope.tenants)
    if after is None:
        return now
    told = decode_cursor(after)
    positions = {tenant: told.get(tenant, now[tenant]) for tenant in scope.tenants}
    if any(positions[tenant] > now[tenant] for tenant in positions):
        raise Invalid("this cursor lies in the future", field="after", hint="use the cursor of an event, unchanged")
    return positions


_HEADS = "SELECT tenant_id, position, kept_from FROM event_heads WHERE tenant_id = ANY ($1::bigint[])"
_READ = """
    SELECT e.tenant_id, e.position, e.topic, e.kind, e.subject_id, e.run_id, e.data::text AS data, e.occurred_at
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS t (tenant_id, after, head)
    CROSS JOIN LATERAL (
        SELECT * FROM events AS e
        WHERE e.tenant_id = t.tenant_id AND e.position > t.after AND e.position <= t.head
            AND ($4::text[] IS NULL OR e.topic = ANY ($4::text[]))
        ORDER BY e.position
        LIMIT $5
    ) AS e
    ORDER BY e.tenant_id, e.position
"""


async def read_events(
    connection: asyncpg.Connection,
    tenants: Collection[int],
    after: Mapping[int, int],
    topics: Collection[str] | None = None,
    limit: int = BATCH,
) -> EventPage:
    """Up to `limit` events of each tenant after its position, in order; raises `CURSOR_EXPIRED` (`Invalid`)."""
    heads, rows = await _read(connection, tenants, after, topics, limit)
    reached = {tenant: max(after.get(tenant, 0), heads.get(tenant, 0)) for tenant in tenants}
    count: dict[int, int] = {}
    for row in rows:
        tenant = row["tenant_id"]
        count[tenant] = count.get(tenant, 0) + 1
        if count[tenant] == limit:
            reached[tenant] = row["position"]
    positions = {tenant: after.get(tenant, 0) for tenant in tenants}
    return EventPage(events=[_event(row, positions) for row in rows], reached=reached)


async def _read(
    connection: asyncpg.Connection,
    tenants: Collection[int],
    after: Mapping[int, int],
    topics: Collection[str] | None,
    limit: int,
) -> tuple[dict[int, int], list[asyncpg.Record]]:
    heads: dict[int, int] = {}
    for head in await connection.fetch(_HEADS, list(tenants)):
        if after.get(head["tenant_id"], 0) < head["kept_from"] - 1:
            raise expired()
        heads[head["tenant_id"]] = head["position"]
    behind = [tenant for tenant, head in heads.items() if head > after.get(tenant, 0)]
    if not behind:
        return heads, []
    rows = await connection.fetch(
        _READ,
        behind,
        [after.get(tenant, 0) for tenant in behind],
        [heads[tenant] for tenant in behind],
        None if topics is None else list(topics),
        limit,
    )
    return heads, rows


def _event(row: asyncpg.Record, positions: dict[int, int]) -> EventRow:
    """Build the row and move `positions` to it."""
    positions[row["tenant_id"]] = row["position"]
    values = {name: row[name] for name in ("tenant_id", "position", "topic", "kind", "subject_id", "run_id")}
    return EventRow(
        **values, data=json.loads(row["data"]), occurred_at=row["occurred_at"], cursor=encode_cursor(positions)
    )


@dataclass(eq=False, slots=True)
class _Follower:
    """One reader: where it stands, what it wants, what waits for it."""

    positions: dict[int, int]
    topics: frozenset[str] | None
    waiting: deque[list[EventRow]] = field(default_factory=deque)
    size: int = 0
    live: bool = False
    cut: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, rows: list[EventRow], capacity: int) -> None:
        """Let the next rows of one tenant wait, or give up when too many do."""
        if not self.live or rows[0].tenant_id not in self.positions:
            return
        self.size += len(rows)
        if self.size > capacity:
            self.cut, self.live = True, False
            self.waiting.clear()
        else:
            self.waiting.append(rows)
        self.wake.set()

    async def next_rows(self) -> list[EventRow]:
        """The wanted ones of the oldest waiting rows, each with this reader's own cursor; none when it was cut off."""
        await self.wake.wait()
        rows = self.waiting.popleft() if self.waiting else []
        if not self.waiting:
            self.wake.clear()
        self.size -= len(rows)
        taken = []
        for row in rows:
            if row.position <= self.positions[row.tenant_id]:
                continue  # read before going live
            self.positions[row.tenant_id] = row.position
            if self.topics is None or row.topic in self.topics:
                taken.append(row if len(self.positions) == 1 else replace(row, cursor=encode_cursor(self.positions)))
        return taken


class EventFeed:
    """The one listener of a process: reads each new event once and hands it to all followers that may see it."""

    def __init__(self, database: Database, bell: Bell, *, capacity: int = CAPACITY) -> None:
        self._database = database
        self._bell = bell
        self._capacity = capacity
        self._tails: dict[int, int] = {}
        self._followers: set[_Follower] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def followers(self) -> int:
        return len(self._followers)

    async def open(self) -> "EventFeed":
        self._task = asyncio.create_task(self._listen(), name="event-feed")
        return self

    async def close(self) -> None:
        if self._task is not None:
            await end([self._task])
            self._task = None

    async def follow(
        self, scope: Scope, *, after: str | None = None, topics: Collection[str] | None = None
    ) -> AsyncIterator[list[EventRow]]:
        """Every event of the scope's tenants after the cursor (None = from now on), each once and in order.

        Never ends by itself; close it (`aclosing`). Raises `Invalid` for a bad or expired cursor, `CutOff` when the
        caller takes the events more slowly than they come.
        """
        async with self._database.reading(scope) as connection:
            positions = await start_positions(connection, scope, after)
        follower = _Follower(positions, None if topics is None else frozenset(topics))
        self._followers.add(follower)
        try:
            while True:
                if follower.cut:
                    raise CutOff(encode_cursor(follower.positions))
                if not follower.live:
                    rows = await self._catch_up(scope, follower)
                else:
                    rows = await follower.next_rows()
                if rows:
                    yield rows
        finally:
            self._followers.discard(follower)

    async def _catch_up(self, scope: Scope, follower: _Follower) -> list[EventRow]:
        """Read what the follower has missed; it goes live once the listener is not ahead of it."""
        async with self._database.reading(scope) as connection:
            page = await read_events(connection, scope.tenants, follower.positions, follower.topics)
        follower.positions = page.reached
        for tenant, position in page.reached.items():
            self._tails.setdefault(tenant, position)
        follower.live = all(self._tails[tenant] <= position for tenant, position in page.reached.items())
        return page.events

    async def _listen(self) -> None:
        async with contextlib.aclosing(self._bell.listen(NUMBERED)) as rings:
            async for _ in rings:
                try:
                    while await self._read_on():
                        pass
                except Exception as error:  # whatever it is, all followers of the process depend on this loop
                    log.warning("the event log cannot be read now: %r", error)
                    await asyncio.sleep(PAUSE)

    async def _read_on(self) -> bool:
        """Hand out the next events of the followed tenants; True when there may be more."""
        watched = {tenant for follower in self._followers for tenant in follower.positions}
        self._tails = {tenant: tail for tenant, tail in self._tails.items() if tenant in watched}
        if not self._tails:
            return False
        scope = Scope({tenant: Grant(Level.VIEWER) for tenant in self._tails})
        async with self._database.reading(scope) as connection:
            page = await read_events(connection, list(self._tails), dict(self._tails))
        by_tenant: dict[int, list[EventRow]] = {}
        for row in page.events:
            single = replace(row, cursor=encode_cursor({row.tenant_id: row.position}))
            by_tenant.setdefault(row.tenant_id, []).append(single)
        for tenant, rows in by_tenant.items():
            self._tails[tenant] = rows[-1].position
            for follower in self._followers:
                follower.offer(rows, self._capacity)
        return any(len(rows) >= BATCH for rows in by_tenant.values())
