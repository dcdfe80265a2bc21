"""Makes jobs of the runs and messages that may be worked on now, fairly among tenants. The database says which.

Putting a job twice does no harm: its id is the run and the slice, and whoever comes second finds the lease taken.
"""

import time
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import text

from hub.db import Database
from hub.ports import Bell, JobQueue
from hub.sync.inbox import BELL as INBOX
from hub.sync.lease import RUNS
from hub.sync.streams import NOMENCLATURES
from workers.supervision import patiently

MOST = 200
"""Jobs put in one round."""
REPEAT = 3.0
"""Seconds after which a job that nobody began is put again: the queue may have lost it."""
STUCK = 15.0
"""Seconds after which a job that was begun, but took no lease, is given up: its worker died in between."""

# The first run of each tenant comes before the second of any other. Documents wait for the products they name: for the
# first time until those are there, later for a little while.
_RUNS = text("""
    SELECT tenant_id, id, slice FROM (
        SELECT r.tenant_id, r.id, r.slice, r.requested_at,
            row_number() OVER (PARTITION BY r.tenant_id ORDER BY r.requested_at, r.id)
            + (SELECT count(*) FROM sync_runs l WHERE l.tenant_id = r.tenant_id AND l.state = 'RUNNING'
                AND l.lease_until >= now()) AS turn
        FROM sync_runs AS r
        WHERE r.state IN ('QUEUED', 'RUNNING') AND NOT r.cancel_requested
            AND (r.lease_until IS NULL OR r.lease_until < now())
            AND (r.not_before IS NULL OR r.not_before <= now())
            AND NOT (r.direction = 'IN' AND r.stream <> ALL (:nomenclatures) AND EXISTS (
                SELECT FROM sync_runs AS o
                LEFT JOIN sync_streams AS s ON s.tenant_id = o.tenant_id AND s.code = o.code AND s.stream = o.stream
                WHERE o.tenant_id = r.tenant_id AND o.code = r.code AND o.direction = 'IN'
                    AND o.stream = ANY (:nomenclatures) AND o.state IN ('QUEUED', 'RUNNING')
                    AND (o.not_before IS NULL OR o.not_before <= now())
                    AND (s.last_success_at IS NULL OR o.requested_at > now() - interval '1 minute')))
    ) AS ready
    ORDER BY turn, requested_at LIMIT :most
""")
_MESSAGES = text("""
    SELECT tenant_id, id, attempts FROM inbox WHERE state = 'WAITING' AND available_at <= now()
    ORDER BY available_at LIMIT :most
""")
_NEXT_SLICE = text("""
    UPDATE sync_runs SET slice = slice + 1
    WHERE tenant_id = :tenant AND id = :run AND slice = :slice AND state IN ('QUEUED', 'RUNNING')
        AND (lease_until IS NULL OR lease_until < now())
""")


class Queue(JobQueue, Protocol):
    async def is_begun(self, job_id: str) -> bool: ...


@dataclass(slots=True)
class Relay:
    """One process' relay; it remembers what it put lately."""

    database: Database
    queue: Queue
    repeat: float = REPEAT
    stuck: float = STUCK
    _first: dict[str, float] = field(default_factory=dict)
    _last: dict[str, float] = field(default_factory=dict)

    async def round(self) -> None:
        """Put what may be worked on now."""
        async with self.database.system_work() as session:
            values: dict[str, Any] = {"nomenclatures": list(NOMENCLATURES), "most": MOST}
            runs = (await session.execute(_RUNS, values)).all()
            messages = (await session.execute(_MESSAGES, {"most": MOST})).all()
        wanted = [f"run:{tenant}:{run}:{number}" for tenant, run, number in runs]
        wanted += [f"message:{tenant}:{id_}:{attempts}" for tenant, id_, attempts in messages]
        self._forget_all_but(set(wanted))
        for tenant, run, number in runs:
            await self._put("work_on_run", f"run:{tenant}:{run}:{number}", tenant, run, number)
        for tenant, id_, attempts in messages:
            await self._put("work_on_message", f"message:{tenant}:{id_}:{attempts}", tenant, id_)

    async def _put(self, job: str, job_id: str, *arguments: int) -> None:
        now = time.monotonic()
        first = self._first.setdefault(job_id, now)
        if job_id in self._last and now - self._last[job_id] < self.repeat:
            return
        self._last[job_id] = now
        if await self.queue.put(job, *arguments, job_id=job_id) or now - first < self.stuck:
            return
        if job == "work_on_run" and await self.queue.is_begun(job_id):
            tenant, run, number = arguments
            async with self.database.system_work() as session:
                await session.execute(_NEXT_SLICE, {"tenant": tenant, "run": run, "slice": number})

    def _forget_all_but(self, wanted: set[str]) -> None:
        for memory in (self._first, self._last):
            for job_id in memory.keys() - wanted:
                del memory[job_id]


async def keep_relaying(database: Database, queue: Queue, bell: Bell) -> None:
    """Until cancelled: whenever a run or a message may be worked on, and every few seconds."""
    relay = Relay(database, queue)
    async with aclosing(bell.listen(RUNS, INBOX)) as rings:
        async for _ in rings:
            async with patiently("putting jobs"):
                await relay.round()
