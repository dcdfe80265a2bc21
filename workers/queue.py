"""The `JobQueue` over ARQ: ids as JSON, one job per id, nothing kept. A job that is lost is found in the database."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix
from arq.worker import Function, Worker, func
from redis.asyncio.connection import ConnectionPool
from redis.exceptions import RedisError

from hub.endings import end
from hub.errors import Unavailable

QUEUE = "crossdock:jobs"
JOB_SECONDS = 120
POLL_SECONDS = 0.1
OUTAGE = (RedisError, OSError, TimeoutError)


def _plain(value: Any) -> bytes:
    return json.dumps(value).encode()


def open_redis(redis_url: str) -> ArqRedis:
    """ARQ's client; times out instead of hanging."""
    pool = ConnectionPool.from_url(redis_url, socket_connect_timeout=2, socket_timeout=5)
    redis = ArqRedis(pool, job_serializer=_plain, job_deserializer=json.loads, default_queue_name=QUEUE)
    redis.auto_close_connection_pool = True
    return redis


class ArqQueue:
    """Puts jobs; raises `Unavailable` while Redis does not answer."""

    def __init__(self, redis_url: str) -> None:
        self._redis = open_redis(redis_url)

    async def put(self, job: str, *args: int | str, job_id: str, delay: timedelta | None = None) -> bool:
        try:
            return await self._redis.enqueue_job(job, *args, _job_id=job_id, _defer_by=delay) is not None
        except OUTAGE as error:
            raise Unavailable("the queue does not answer") from error

    async def is_begun(self, job_id: str) -> bool:
        """True when some worker has taken the job and not ended it, be it that it died."""
        try:
            return bool(await self._redis.exists(in_progress_key_prefix + job_id))
        except OUTAGE as error:
            raise Unavailable("the queue does not answer") from error

    async def close(self) -> None:
        with suppress(*OUTAGE):
            await self._redis.aclose()


def make_worker(redis_url: str, jobs: Sequence[Any], context: dict[str, Any], *, at_once: int) -> Worker:
    """ARQ's worker; it lives until Redis goes away, then another one must be made."""
    functions: list[Function] = [func(job, keep_result=0, max_tries=1, timeout=JOB_SECONDS) for job in jobs]
    return Worker(
        functions=functions,
        queue_name=QUEUE,
        redis_pool=open_redis(redis_url),
        handle_signals=False,
        max_jobs=at_once,
        job_timeout=JOB_SECONDS,
        keep_result=0,
        max_tries=1,
        retry_jobs=False,
        poll_delay=POLL_SECONDS,
        ctx=context,
        job_serializer=_plain,
        job_deserializer=json.loads,
        log_results=False,
    )


async def dismiss(worker: Worker) -> None:
    """End a worker and its connections, also while Redis is away. (ARQ's own `close` asks Redis first.)"""
    await end(task for task in (*worker.tasks.values(), worker.main_task) if task is not None)
    with suppress(*OUTAGE):
        await worker.pool.aclose(close_connection_pool=True)
