"""Gives events their positions after commit: gap-free per tenant, by one process at a time, taken over when it dies.

The lock of the event heads' rows makes it right whoever does it. The advisory lock, held by an idle transaction (which
PgBouncer cannot take apart), only spares all other processes the work.
"""

import asyncio
import contextlib
import logging

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.db import Database
from hub.errors import HubError
from hub.events import NUMBERED
from hub.ports import Bell

log = logging.getLogger(__name__)

WRITTEN = "events"
"""Rings when a transaction has written events (hub/db.py)."""
LOCK = 0x43524F53
BATCH = 2000
"""Events numbered per tenant in one transaction."""
PAUSE = 1.0
"""Seconds after which a process without the lock tries for it again."""
GATHER = 0.02
"""Seconds in which events gather for the next turn while there is much to number."""

_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
_STILL_THERE = text("SELECT 1")

_LOCK_HEADS = text("""
    INSERT INTO event_heads AS h (tenant_id, position, kept_from)
    SELECT DISTINCT tenant_id, 0, 1 FROM events WHERE position IS NULL ORDER BY tenant_id
    ON CONFLICT (tenant_id) DO UPDATE SET position = h.position
    RETURNING tenant_id
""")

# A statement of its own, so that its snapshot is younger than the locks.
_NUMBER = text("""
    WITH fresh AS (
        SELECT h.tenant_id, e.id, h.position + row_number() OVER (PARTITION BY h.tenant_id ORDER BY e.occurred_at, e.id)
            AS position
        FROM event_heads AS h
        CROSS JOIN LATERAL (
            SELECT id, occurred_at FROM events AS e
            WHERE e.tenant_id = h.tenant_id AND e.position IS NULL
            ORDER BY e.occurred_at, e.id
            LIMIT :batch
        ) AS e
        WHERE h.tenant_id = ANY (:tenants)
    ), numbered AS (
        UPDATE events AS e SET position = fresh.position
        FROM fresh WHERE e.tenant_id = fresh.tenant_id AND e.id = fresh.id
        RETURNING e.tenant_id, e.position
    )
    UPDATE event_heads AS h SET position = last.position
    FROM (SELECT tenant_id, max(position) AS position, count(*) AS events FROM numbered GROUP BY tenant_id) AS last
    WHERE h.tenant_id = last.tenant_id
    RETURNING last.events
""")


async def number_events(database: Database) -> int:
    """Give positions to what is committed, up to `BATCH` events of each tenant; how many the busiest tenant got."""
    async with database.system_work() as session:
        tenants = list((await session.execute(_LOCK_HEADS)).scalars())
        if not tenants:
            return 0
        numbered = await session.execute(_NUMBER, {"tenants": tenants, "batch": BATCH})
        return max(numbered.scalars(), default=0)


async def keep_numbering(database: Database, bell: Bell) -> None:
    """Until cancelled: number the events, or stand ready to take over from the process that does."""
    while True:
        try:
            async with database.system_work() as watch:
                if (await watch.execute(_TRY_LOCK, {"lock": LOCK})).scalar_one():
                    await _lead(database, bell, watch)
        except (HubError, SQLAlchemyError) as error:
            log.warning("the numbering of events stopped and will be taken up again: %s", error)
        await asyncio.sleep(PAUSE)


async def _lead(database: Database, bell: Bell, watch: AsyncSession) -> None:
    """Number whenever something was written; ends with an error when the lock's connection is gone."""
    async with contextlib.aclosing(bell.listen(WRITTEN)) as rings:
        async for _ in rings:
            await watch.execute(_STILL_THERE)
            numbered = most = await number_events(database)
            while most >= BATCH:
                most = await number_events(database)
            if numbered:
                await bell.ring(NUMBERED)
                await asyncio.sleep(GATHER)
