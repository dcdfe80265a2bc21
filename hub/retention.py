"""Forgets what was kept for a while only: events, raw payloads, delivery attempts, messages, ended runs, answers."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from hub.db import Database

AT_ONCE = 5000

# The first kept position moves before the events go: a reader either finds its events or learns that they are gone.
_MOVE_KEPT = text("""
    UPDATE event_heads AS h SET kept_from = greatest(h.kept_from, gone.position + 1)
    FROM (
        SELECT tenant_id, max(position) AS position FROM events
        WHERE occurred_at < now() - cast(:keep AS interval) AND position IS NOT NULL GROUP BY tenant_id
    ) AS gone
    WHERE h.tenant_id = gone.tenant_id
""")
_DELETE = """
    WITH gone AS (
        DELETE FROM {table} WHERE (tenant_id, id) IN (
            SELECT tenant_id, id FROM {table} WHERE {condition} LIMIT :most
        ) RETURNING 1
    )
    SELECT count(*) FROM gone
"""
_OLD = (
    (
        "events",
        """occurred_at < now() - cast(:keep AS interval)
            AND position < (SELECT h.kept_from FROM event_heads h WHERE h.tenant_id = events.tenant_id)""",
    ),
    ("delivery_attempts", "attempted_at < now() - cast(:keep AS interval)"),
    ("inbox", "state <> 'WAITING' AND received_at < now() - cast(:keep AS interval)"),
    ("outbox", "state IN ('SENT', 'DROPPED', 'FAILED') AND finished_at < now() - cast(:keep AS interval)"),
    (  # what nobody will send any more
        "outbox",
        """state IN ('WAITING', 'SENDING') AND created_at < now() - cast(:keep AS interval) AND NOT EXISTS (
            SELECT FROM integrations i WHERE i.tenant_id = outbox.tenant_id AND i.code = outbox.code AND i.active)""",
    ),
    ("sync_exceptions", "state <> 'OPEN' AND resolved_at < now() - cast(:keep AS interval)"),
    ("sync_runs", "state NOT IN ('QUEUED', 'RUNNING') AND finished_at < now() - cast(:keep AS interval)"),
)
_BLANK = text("""
    UPDATE sync_exceptions SET payload = NULL
    WHERE state = 'OPEN' AND payload IS NOT NULL AND last_attempt_at < now() - cast(:keep AS interval)
""")
_ANSWERS = text("""
    WITH gone AS (
        DELETE FROM idempotency_keys WHERE ctid IN (
            SELECT ctid FROM idempotency_keys WHERE created_at < now() - cast(:keep AS interval) LIMIT :most
        ) RETURNING 1
    )
    SELECT count(*) FROM gone
""")


async def forget(database: Database, keep: timedelta) -> int:
    """Delete what is older than `keep`, and the payloads of exceptions nobody looked at; how many rows went."""
    async with database.system_work() as session:
        await session.execute(_MOVE_KEPT, {"keep": keep})
        await session.execute(_BLANK, {"keep": keep})
    statements = [text(_DELETE.format(table=table, condition=old)) for table, old in _OLD]
    gone = 0
    for statement in [*statements, _ANSWERS]:
        while True:
            count = await _delete(database, statement, {"keep": keep, "most": AT_ONCE})
            gone += count
            if count < AT_ONCE:
                break
    return gone


async def _delete(database: Database, statement: Any, values: dict[str, Any]) -> int:
    async with database.system_work() as session:
        return int((await session.execute(statement, values)).scalar_one())
