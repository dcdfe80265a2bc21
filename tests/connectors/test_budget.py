import asyncio

from connectors.budget import TokenBuckets
from hub.ports import Limit

READ = Limit(name="read", per_second=2, burst=3)


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds
        await asyncio.sleep(0)


async def take(budget: TokenBuckets, limit: Limit, times: int) -> None:
    await asyncio.gather(*(budget.take(limit) for _ in range(times)))


async def test_a_burst_is_free_and_then_the_rate_holds() -> None:
    time = Time()
    budget = TokenBuckets(clock=time.clock, sleep=time.sleep)

    await take(budget, READ, 5)

    assert time.slept == [0.5, 0.5]


async def test_limits_do_not_spend_each_others_tokens() -> None:
    time = Time()
    budget = TokenBuckets(clock=time.clock, sleep=time.sleep)

    await take(budget, READ, 3)
    await take(budget, Limit(name="write", per_second=1, burst=2), 2)

    assert not time.slept


async def test_the_vendors_word_counts() -> None:
    time = Time()
    budget = TokenBuckets(clock=time.clock, sleep=time.sleep)

    await budget.correct(READ, remaining=0, per_second=4)
    await take(budget, READ, 2)
    await budget.correct(READ, remaining=6, per_second=None)
    await take(budget, READ, 6)

    assert time.slept == [0.25, 0.25]


async def test_an_idle_bucket_fills_no_further_than_its_size() -> None:
    time = Time()
    budget = TokenBuckets(clock=time.clock, sleep=time.sleep)
    await take(budget, READ, 3)
    time.now += 3600

    await take(budget, READ, 4)

    assert time.slept == [0.5]


async def test_a_rate_of_nothing_is_slow_not_endless() -> None:
    time = Time()
    budget = TokenBuckets(clock=time.clock, sleep=time.sleep)
    await budget.correct(READ, remaining=0, per_second=0)

    await budget.take(READ)

    assert time.slept == [100]
