"""The worker process put together: jobs, relay, schedule, sweeper and numbering around one database and one Redis.

Redis may go away at any time: ARQ's worker is made anew until it is back, everything else looks at the database anyway.
Asked to stop, the process takes no new job, finishes the pages under way, gives its leases back and ends.
"""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import httpx
from pydantic import BaseModel
from redis.asyncio import Redis

from connectors.registry import REGISTRY, TokenBuckets, transport_for
from connectors.transport import open_client
from hub.bell import RedisBell
from hub.crypto import Vault
from hub.db import Database
from hub.endings import end
from hub.numbering import keep_numbering
from hub.ports import Bell, Connector, HttpSender, RateBudget, Registry
from hub.settings import Settings
from hub.sync.budget import SharedBudget
from hub.sync.engine import PACE, Pace
from hub.sync.outside import OnExchange, OpenBudget, Outside
from workers.jobs import JOBS, WORKSHOP, Workshop
from workers.queue import OUTAGE, ArqQueue, dismiss, make_worker
from workers.relay import keep_relaying
from workers.schedule import keep_scheduling
from workers.supervision import PAUSE, forever
from workers.sweeper import keep_sweeping

log = logging.getLogger(__name__)

JOBS_AT_ONCE = 8
FINISH_SECONDS = 5.0
"""How long the pages under way may take when the process shall end; the rest of the ten seconds is for closing."""


logging.getLogger("arq").setLevel(
    logging.CRITICAL
)  # it logs every job, and our own jobs say themselves what went wrong


async def run(settings: Settings, *, registry: Registry = REGISTRY, pace: Pace = PACE) -> None:
    """A worker process: until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    bell = await RedisBell(settings.redis_url).open()
    # Enough connections for the jobs, each with its heartbeat, and for the endless parts.
    pool_size = max(settings.pool_size, JOBS_AT_ONCE * 2)
    database = Database(settings.database_url, pool_size=pool_size, pgbouncer=settings.pgbouncer, bell=bell)
    try:
        await database.open()
        await run_worker(settings, database, settings.redis_url, bell=bell, stop=stop, registry=registry, pace=pace)
    finally:
        await database.close()
        await bell.close()


async def run_worker(
    settings: Settings,
    database: Database,
    redis_url: str,
    *,
    bell: Bell,
    stop: asyncio.Event,
    registry: Registry = REGISTRY,
    pace: Pace = PACE,
) -> None:
    """Work until `stop` is set, or until cancelled; both end orderly."""
    logging.getLogger("arq").setLevel(logging.CRITICAL)  # it logs every job; ours say themselves what went wrong
    async with _outside(settings, database, redis_url, registry) as outside:
        workshop = Workshop(outside, stop, pace)
        queue = ArqQueue(redis_url)
        parts: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("numbering events", partial(keep_numbering, database, bell)),
            ("the relay", partial(keep_relaying, database, queue, bell)),
            ("the schedule", partial(keep_scheduling, database, registry, bell)),
            ("the sweeper", partial(keep_sweeping, outside, settings.retention)),
            ("the queue's worker", partial(_take_jobs, redis_url, workshop)),
        ]
        tasks = [asyncio.create_task(forever(name, part), name=name) for name, part in parts]
        log.info("the worker is ready")
        try:
            await stop.wait()
        finally:
            stop.set()
            await end(tasks[1:], patience=1.5)
            await workshop.finish(FINISH_SECONDS)
            await end(tasks[:1], patience=1.5)  # what the last pages wrote is numbered
            await queue.close()
            log.info("the worker has stopped")


async def _take_jobs(redis_url: str, workshop: Workshop) -> None:
    """Take jobs from the queue until Redis goes away; what was begun goes on without it."""
    worker = make_worker(redis_url, JOBS, {WORKSHOP: workshop}, at_once=JOBS_AT_ONCE)
    try:
        await worker.async_run()
    except OUTAGE as error:
        log.warning("the queue went away (%s): looking for it again", error)
        await asyncio.sleep(PAUSE)
    finally:
        await dismiss(worker)


@asynccontextmanager
async def _outside(
    settings: Settings, database: Database, redis_url: str, registry: Registry
) -> AsyncIterator[Outside]:
    redis: Redis = Redis.from_url(redis_url, socket_timeout=2, socket_connect_timeout=2)
    async with open_client(allow_private=settings.allow_private_networks) as client:
        try:
            yield Outside(
                database=database,
                registry=registry,
                vault=Vault(settings.secret_key),
                open_sender=partial(_open_sender, client),
                open_budget=_budgets(redis),
            )
        finally:
            with suppress(*OUTAGE):
                await redis.aclose()


def _open_sender(
    client: httpx.AsyncClient,
    connector: Connector,
    config: BaseModel,
    *,
    budget: RateBudget,
    on_exchange: OnExchange | None,
) -> HttpSender:
    return transport_for(connector, config, client=client, budget=budget, on_exchange=on_exchange)


def _budgets(redis: "Redis") -> OpenBudget:
    """One bucket per connection and limit, in this process only while Redis is away."""
    alone: dict[tuple[int, str], TokenBuckets] = {}

    def open_budget(tenant_id: int, code: str) -> RateBudget:
        own = alone.setdefault((tenant_id, code), TokenBuckets())
        return SharedBudget(redis, f"{tenant_id}:{code}", alone=own)

    return open_budget
