"""Wakes the processes of one hub through Redis pub/sub: topics only, no data. A lost ring costs a few seconds.

Listeners of the same process hear a ring at once, also while Redis is away; nothing here ever waits for Redis.
"""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub.endings import end

log = logging.getLogger(__name__)

CHANNEL = "crossdock:bell"
SILENCE = timedelta(seconds=2)
PAUSE = 0.5
"""Seconds between two tries while Redis is away."""
OUTAGE = (RedisError, OSError, TimeoutError)


@dataclass(eq=False, slots=True)
class _Listener:
    topics: frozenset[str]
    rung: set[str] = field(default_factory=set)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, topic: str) -> None:
        """Remember a ring; the empty topic means that any may have been missed."""
        if not topic or topic in self.topics:
            self.rung |= {topic} if topic else self.topics
            self.wake.set()


class RedisBell:
    """The `Bell` of one process: one subscription and one publisher, whatever the number of listeners."""

    def __init__(self, redis_url: str, *, silence: timedelta = SILENCE, channel: str = CHANNEL) -> None:
        self._redis: Redis = Redis.from_url(
            redis_url, decode_responses=True, socket_timeout=5, socket_connect_timeout=5, health_check_interval=15
        )
        self._silence = silence.total_seconds()
        self._channel = channel
        self._origin = uuid.uuid4().hex
        self._listeners: set[_Listener] = set()
        self._unpublished: set[str] = set()
        self._publish = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._receive(), name="bell-receiver"),
            asyncio.create_task(self._send(), name="bell-sender"),
        ]
        return self

    async def close(self) -> None:
        await end(self._tasks)
        self._tasks = []
        with contextlib.suppress(*OUTAGE):
            await self._redis.aclose()

    async def ring(self, topic: str) -> None:
        self._deliver(topic)
        self._unpublished.add(topic)
        self._publish.set()

    async def listen(self, *topics: str) -> AsyncGenerator[str, None]:
        """Topics as they ring; an empty text at first and after a silence: look at the database anyway."""
        listener = _Listener(frozenset(topics))
        listener.wake.set()
        self._listeners.add(listener)
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._silence):
                        await listener.wake.wait()
                listener.wake.clear()
                rung, listener.rung = listener.rung, set()
                for topic in sorted(rung) or [""]:
                    yield topic
        finally:
            self._listeners.discard(listener)

    def _deliver(self, topic: str) -> None:
        for listener in self._listeners:
            listener.hear(topic)

    async def _send(self) -> None:
        away = False
        while True:
            await self._publish.wait()
            self._publish.clear()
            topics, self._unpublished = sorted(self._unpublished), set()
            try:
                for topic in topics:
                    await self._redis.publish(self._channel, f"{self._origin} {topic}")
                away = False
            except OUTAGE as error:
                if not away:
                    log.warning("the bell cannot ring: %s; listeners look by themselves every few seconds", error)
                away = True
                await asyncio.sleep(PAUSE)

    async def _receive(self) -> None:
        """The subscription reconnects by itself (redis-py); what rang meanwhile is lost, so everybody is woken then."""
        away = False
        subscription = self._redis.pubsub(ignore_subscribe_messages=True)
        try:
            while True:
                try:
                    if not subscription.subscribed:
                        await subscription.subscribe(self._channel)
                    message = await subscription.get_message(timeout=1.0)
                except OUTAGE as error:
                    if not away:
                        log.warning("the bell cannot be heard: %s", error)
                    away = True
                    await asyncio.sleep(PAUSE)
                    continue
                if away:
                    away = False
                    self._deliver("")
                if message is not None:
                    origin, _, topic = str(message["data"]).partition(" ")
                    if origin != self._origin:
                        self._deliver(topic)
        finally:
            with contextlib.suppress(*OUTAGE):
                await subscription.aclose()  # type: ignore[no-untyped-call]
