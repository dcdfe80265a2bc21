"""A token bucket per rate limit, for a connection whose calls all come from this process."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hub.ports import Limit

SLOWEST_PER_SECOND = 0.01


@dataclass(slots=True)
class _Bucket:
    per_second: float
    size: float
    tokens: float
    filled_at: float
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def fill(self, moment: float) -> None:
        self.tokens = min(self.size, self.tokens + (moment - self.filled_at) * self.per_second)
        self.filled_at = moment


class TokenBuckets:
    """A `RateBudget` in memory, for one connection; callers of one limit are served in the order of their coming."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._buckets: dict[str, _Bucket] = {}

    async def take(self, limit: Limit) -> None:
        """Wait for one token."""
        bucket = self._bucket(limit)
        async with bucket.turn:
            bucket.fill(self._clock())
            while bucket.tokens < 1:
                await self._sleep((1 - bucket.tokens) / bucket.per_second)
                bucket.fill(self._clock())
            bucket.tokens -= 1

    async def correct(self, limit: Limit, *, remaining: float | None, per_second: float | None) -> None:
        """Adopt what the vendor's headers say; a bucket larger than declared is learnt from `remaining`."""
        bucket = self._bucket(limit)
        bucket.fill(self._clock())
        if per_second is not None:
            bucket.per_second = max(per_second, SLOWEST_PER_SECOND)
        if remaining is not None:
            bucket.size = max(bucket.size, remaining)
            bucket.tokens = max(remaining, 0)

    def _bucket(self, limit: Limit) -> _Bucket:
        if limit.name not in self._buckets:
            rate = max(limit.per_second, SLOWEST_PER_SECOND)
            size = max(limit.burst, 1)
            self._buckets[limit.name] = _Bucket(rate, size, size, self._clock())
        return self._buckets[limit.name]
