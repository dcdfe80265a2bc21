"""A rate limit is one for all workers, follows the vendor's headers, and holds without Redis too."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count

import pytest
from redis.asyncio import Redis

from hub.ports import Limit
from hub.sync.budget import SLACK, SharedBudget

LIMIT = Limit(per_second=1, burst=4)
_numbers = count()


@dataclass(slots=True)
class Alone:
    """Counts who had to fall back on it."""

    taken: int = 0

    async def take(self, limit: Limit) -> None:
        self.taken += 1

    async def correct(self, limit: Limit, *, remaining: float | None, per_second: float | None) -> None: ...


@dataclass(slots=True)
class Workers:
    """The same connection in two processes, and how long their calls had to wait, in seconds."""

    budgets: list[SharedBudget] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def take(self, calls: int, limit: Limit = LIMIT) -> list[float]:
        """The waits of so many calls; those that need not wait are not among them."""
        self.waits.clear()
        for number in range(calls):
            await self.budgets[number % 2].take(limit)
        return self.waits


@pytest.fixture
async def workers(redis_url: str) -> AsyncIterator[Workers]:
    clients = [Redis.from_url(redis_url) for _ in range(2)]
    workers, name = Workers(), f"connection {next(_numbers)}"
    workers.budgets = [SharedBudget(client, name, alone=Alone(), sleep=workers.sleep) for client in clients]
    yield workers
    for client in clients:
        await client.aclose()


async def test_workers_together_keep_to_the_limit_in_the_order_of_their_coming(workers: Workers) -> None:
    waits = await workers.take(34)

    assert waits == sorted(waits)
    assert 20 < waits[-1] <= 30 + SLACK


async def test_a_call_that_waits_leaves_room_for_requests_that_travel_faster_than_others(workers: Workers) -> None:
    started = time.monotonic()
    (wait,) = await workers.take(2, Limit(per_second=0.01, burst=1))

    assert wait + (time.monotonic() - started) >= 100 + SLACK


async def test_the_vendors_headers_correct_the_limit_for_all(workers: Workers) -> None:
    await workers.budgets[0].correct(LIMIT, remaining=0, per_second=0.01)

    waits = await workers.take(2)

    assert len(waits) == 2
    assert 90 < waits[0] <= 100 + SLACK


async def test_a_bigger_bucket_than_declared_is_learnt(workers: Workers) -> None:
    slow = Limit(per_second=0.01, burst=1)
    await workers.budgets[0].correct(slow, remaining=30, per_second=None)

    assert await workers.take(30, slow) == []


async def test_limits_of_one_connection_are_separate(workers: Workers) -> None:
    reading, writing = Limit(name="read", per_second=0.01, burst=1), Limit(name="write", per_second=0.01, burst=1)

    assert await workers.take(1, reading) == []
    assert await workers.take(1, writing) == []


async def test_without_redis_each_process_keeps_its_own_bucket(tmp_path: object) -> None:
    alone = Alone()
    async with Redis.from_url(f"unix://{tmp_path}/nobody.sock") as nobody:
        budget = SharedBudget(nobody, "connection", alone=alone)
        await budget.take(LIMIT)
        await budget.correct(LIMIT, remaining=3, per_second=1)

    assert alone.taken == 1
