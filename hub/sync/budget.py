"""A token bucket per rate limit of a connection, shared by all workers through Redis; each alone while it is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.ports import Limit, RateBudget

log = logging.getLogger(__name__)

SLOWEST_PER_SECOND = 0.01
SLACK = 0.05
"""Seconds that a waiting call waits longer: requests sent in even steps arrive in uneven ones."""

# A token is taken also when there is none: the caller waits until it would be there, after those that came before.
_BUCKET = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local known = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'rate', 'size')
local rate = tonumber(known[3]) or tonumber(ARGV[1])
local size = tonumber(known[4]) or tonumber(ARGV[2])
local tokens = math.min(size, (tonumber(known[1]) or size) + (now - (tonumber(known[2]) or now)) * rate)
"""
_KEEP = """
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', string.format('%.4f', now))
redis.call('PEXPIRE', KEYS[1], 600000)
"""
TAKE = f"""{_BUCKET}
tokens = tokens - 1
{_KEEP}
return tostring(math.max(0, -tokens / rate))
"""
CORRECT = f"""{_BUCKET}
local remaining = tonumber(ARGV[3])
if tonumber(ARGV[4]) then redis.call('HSET', KEYS[1], 'rate', ARGV[4]) end
if remaining then
    redis.call('HSET', KEYS[1], 'size', tostring(math.max(size, remaining)))
    if tokens >= 0 or remaining < tokens then tokens = remaining end
end
{_KEEP}
return '0'
"""


class SharedBudget:
    """The `RateBudget` of one connection; `alone` is the bucket of this process, for when Redis does not answer."""

    def __init__(
        self,
        redis: "Redis",
        connection: str,
        *,
        alone: RateBudget,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._redis = redis
        self._connection = connection
        self._alone = alone
        self._sleep = sleep

    async def take(self, limit: Limit) -> None:
        try:
            wait = float(await self._run(TAKE, limit))
        except (RedisError, OSError, TimeoutError) as error:
            log.debug("the shared rate limit cannot be reached: %s", error)
            await self._alone.take(limit)
            return
        if wait > 0:
            await self._sleep(wait + SLACK)

    async def correct(self, limit: Limit, *, remaining: float | None, per_second: float | None) -> None:
        rate = "" if per_second is None else str(max(per_second, SLOWEST_PER_SECOND))
        left = "" if remaining is None else str(max(remaining, 0.0))
        try:
            await self._run(CORRECT, limit, left, rate)
        except (RedisError, OSError, TimeoutError) as error:
            log.debug("the shared rate limit cannot be reached: %s", error)
        await self._alone.correct(limit, remaining=remaining, per_second=per_second)

    async def _run(self, script: str, limit: Limit, *more: str) -> str:
        rate, size = max(limit.per_second, SLOWEST_PER_SECOND), max(limit.burst, 1)
        key = f"crossdock:budget:{self._connection}:{limit.name}"
        answer = await cast(Awaitable[bytes | str], self._redis.eval(script, 1, key, str(rate), str(size), *more))
        return answer.decode() if isinstance(answer, bytes) else answer
