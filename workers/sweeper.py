"""Puts right what time or accident left behind. Every chore is an idempotent scan, done by one process at a time."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import text

from hub import retention, summaries
from hub.context import Scope
from hub.db import Database
from hub.services import supply
from hub.services.outbox import STOCK_OPTION
from hub.sync import lease, outbound_stock, retries, runs
from hub.sync.outside import Outside
from workers.supervision import patiently

TICK = 1.0
ORDERS_AT_ONCE = 200

_TURN = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:chore, 0))")
_LOST = text("""
    SELECT tenant_id, id FROM sync_runs WHERE state IN ('QUEUED', 'RUNNING') AND lease_until < now() LIMIT 500
""")
_UNWANTED = text("""
    SELECT tenant_id, id FROM sync_runs
    WHERE state IN ('QUEUED', 'RUNNING') AND cancel_requested AND (lease_until IS NULL OR lease_until < now()) LIMIT 500
""")
_WAITING = text("""
    SELECT DISTINCT e.tenant_id, e.code FROM sync_exceptions AS e
    JOIN integrations AS i ON i.tenant_id = e.tenant_id AND i.code = e.code AND i.active AND i.stopped_reason IS NULL
    WHERE e.state = 'OPEN' AND e.waits_for IS NOT NULL
""")
_SHORT_OF_GOODS = text("""
    SELECT tenant_id FROM (
        SELECT tenant_id, orders FROM order_summaries WHERE status = 6
        UNION ALL SELECT tenant_id, orders FROM order_deltas WHERE status = 6
    ) AS o GROUP BY tenant_id HAVING sum(orders) > 0
""")
_STOCK_SENDERS = text("""
    SELECT tenant_id, code FROM integrations
    WHERE active AND stopped_reason IS NULL AND stock_push_confirmed AND options @> cast(:option AS jsonb)
""")


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to be done every so often."""

    name: str
    every: timedelta
    work: Callable[[], Awaitable[object]]


async def give_back_leases(database: Database) -> int:
    """Free the runs whose worker died; the relay finds them again."""
    async with database.system_work() as session:
        lost = (await session.execute(_LOST)).all()
    given = 0
    for tenant_id, run_id in lost:
        scope = Scope.of_system(tenant_id, "sweeper")
        given += await database.write(scope, partial(lease.give_back, run_id=run_id))
    return given


async def end_cancelled_runs(outside: Outside) -> int:
    """Close the runs that shall be cancelled and that nobody works on."""
    async with outside.database.system_work() as session:
        unwanted = (await session.execute(_UNWANTED)).all()
    for tenant_id, run_id in unwanted:
        end = partial(runs.end, run_id=run_id, state="CANCELED", registry=outside.registry)
        await outside.database.write(Scope.of_system(tenant_id, "sweeper"), end)
    return len(unwanted)


async def retry_waiting_records(outside: Outside) -> int:
    """Take in what waited for products that somebody has added meanwhile."""
    async with outside.database.system_work() as session:
        waiting = (await session.execute(_WAITING)).all()
    tried = 0
    for tenant_id, code in waiting:
        if code in outside.registry:
            async with patiently(f"taking in what waits in tenant {tenant_id}"):
                tried += await retries.retry_waiting(outside, tenant_id, code)
    return tried


async def recheck_waiting_orders(database: Database) -> int:
    """Serve the orders that wait for goods, oldest first, with what came in meanwhile."""
    async with database.system_work() as session:
        tenants = list((await session.execute(_SHORT_OF_GOODS)).scalars())
    served = 0
    for tenant_id in tenants:
        async with patiently(f"serving waiting orders in tenant {tenant_id}"):
            scope = Scope.of_system(tenant_id, "recheck")
            served += len(await database.write(scope, partial(supply.recheck, most=ORDERS_AT_ONCE)))
    return served


async def send_differing_stock(database: Database) -> int:
    """Have quantities sent that are not what was told last, whatever the reason."""
    async with database.system_work() as session:
        option = f'{{"{STOCK_OPTION}": true}}'
        senders = (await session.execute(_STOCK_SENDERS, {"option": option})).all()
    found = 0
    for tenant_id, code in senders:
        async with patiently(f"comparing stock in tenant {tenant_id}"):
            scope = Scope.of_system(tenant_id, "sweeper")
            found += await database.write(scope, partial(outbound_stock.enqueue_differing, code=code))
    return found


def chores_of(outside: Outside, keep: timedelta) -> list[Chore]:
    """All of them with their rhythm."""
    database = outside.database
    return [
        Chore("give back lost leases", timedelta(seconds=2), lambda: give_back_leases(database)),
        Chore("end cancelled runs", timedelta(seconds=5), lambda: end_cancelled_runs(outside)),
        Chore("fold summaries", timedelta(seconds=5), lambda: summaries.fold(database)),
        Chore("retry waiting records", timedelta(seconds=10), lambda: retry_waiting_records(outside)),
        Chore("recheck waiting orders", timedelta(seconds=60), lambda: recheck_waiting_orders(database)),
        Chore("send differing stock", timedelta(minutes=15), lambda: send_differing_stock(database)),
        Chore("forget what is old", timedelta(hours=1), lambda: retention.forget(database, keep)),
    ]


async def keep_sweeping(outside: Outside, keep: timedelta) -> None:
    """Until cancelled: every chore in its rhythm; each is left to one process at a time."""
    due: dict[str, float] = {}
    while True:
        for chore in chores_of(outside, keep):
            if time.monotonic() >= due.get(chore.name, 0.0):
                async with patiently(chore.name), _alone(outside.database, chore.name) as mine:
                    if mine:
                        await chore.work()
                due[chore.name] = time.monotonic() + chore.every.total_seconds()
        await asyncio.sleep(TICK)


@asynccontextmanager
async def _alone(database: Database, chore: str) -> AsyncIterator[bool]:
    """True for one process at a time; the lock goes with its connection."""
    async with database.system_work() as session:
        yield bool((await session.execute(_TURN, {"chore": f"chore {chore}"})).scalar_one())
