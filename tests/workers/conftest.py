"""Workers inside the test process, around a tenant that is connected to a tiny external system."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from hub.bell import RedisBell
from hub.db import Database
from hub.settings import Settings
from tests.hub.sync.bench import QUICK, Bench, new_bench
from workers.main import run_worker

SECRET = "a key for tests, long enough to be one"


@dataclass(slots=True)
class Crew:
    """Starts workers and waits for what they bring about."""

    database_url: str
    redis_url: str
    stack: AsyncExitStack
    stops: list[asyncio.Event] = field(default_factory=list)

    async def hire(self, bench: Bench) -> "asyncio.Task[None]":
        """One more worker process, but for the process."""
        bell = await RedisBell(self.redis_url).open()
        self.stack.push_async_callback(bell.close)
        database = await Database(self.database_url, bell=bell, pool_size=16).open()
        self.stack.push_async_callback(database.close)
        stop = asyncio.Event()
        self.stops.append(stop)
        settings = Settings(secret_key=SECRET, database_url=self.database_url, redis_url=self.redis_url)
        working = run_worker(
            settings, database, self.redis_url, bell=bell, stop=stop, registry=bench.outside.registry, pace=QUICK
        )
        task = asyncio.create_task(working)
        self.stack.push_async_callback(_end, task, stop)
        return task


async def _end(task: "asyncio.Task[None]", stop: asyncio.Event) -> None:
    stop.set()
    await asyncio.gather(task, return_exceptions=True)


async def eventually(look: Callable[[], Awaitable[Any]], wanted: Any, *, seconds: float = 30) -> None:
    """Look again and again until the wanted is seen."""
    seen: Any = None
    for _ in range(int(seconds / 0.1)):
        seen = await look()
        if seen == wanted:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"wanted {wanted!r}, but saw {seen!r} to the end")


@asynccontextmanager
async def crew_at(database_url: str, redis_url: str) -> AsyncIterator[Crew]:
    async with AsyncExitStack() as stack:
        yield Crew(database_url, redis_url, stack)


@pytest.fixture
async def crew(database_url: str, redis_url: str) -> AsyncIterator[Crew]:
    async with crew_at(database_url, redis_url) as crew:
        yield crew


@pytest.fixture
async def bench(database: Database) -> AsyncIterator[Bench]:
    """Switched off at the end: a worker of the next test serves all tenants of the database."""
    bench = await new_bench(database)
    yield bench
    await bench.world.run("UPDATE integrations SET active = false")
