"""Keeps a lease alive while its slice is worked on, and notices what must interrupt the work."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from hub.context import Scope
from hub.db import Database
from hub.endings import end
from hub.errors import HubError, Retryable
from hub.sync.lease import HEARTBEAT, Lease, LeaseLost, hold

log = logging.getLogger(__name__)

T = TypeVar("T")


class Interruption(StrEnum):
    CANCEL = "CANCEL"
    """Somebody asked to cancel the run."""
    SHUTDOWN = "SHUTDOWN"
    """This process is about to end."""
    LOST = "LOST"
    """The lease is somebody else's."""


class Interrupted(Exception):
    """The work was dropped before it had an effect."""

    def __init__(self, why: Interruption) -> None:
        super().__init__(why)
        self.why = why


class Pulse:
    """The heartbeat of one slice; `stopping` is set when the process shall end."""

    def __init__(self, database: Database, lease: Lease, stopping: asyncio.Event, every: timedelta = HEARTBEAT) -> None:
        self._database = database
        self._lease = lease
        self._stopping = stopping
        self._every = every
        self._interrupted = asyncio.Event()
        self.why: Interruption | None = None

    @contextlib.asynccontextmanager
    async def beating(self) -> AsyncIterator["Pulse"]:
        tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._watch())]
        try:
            yield self
        finally:
            await end(tasks)

    def check(self) -> None:
        """Raise `Interrupted` when the work must not go on."""
        if self.why is not None:
            raise Interrupted(self.why)

    async def unless_interrupted(self, work: Coroutine[Any, Any, T], *, longest: timedelta, what: str) -> T:
        """Wait for work without effects (a fetch), or drop it: raises `Interrupted`, or `Retryable` when it is slow."""
        task = asyncio.ensure_future(work)
        interrupted = asyncio.ensure_future(self._interrupted.wait())
        try:
            await asyncio.wait(
                {task, interrupted}, timeout=longest.total_seconds(), return_when=asyncio.FIRST_COMPLETED
            )
            if task.done():
                return task.result()
            self.check()
            raise Retryable(f"{what} took longer than {longest.total_seconds():.0f} s")
        finally:
            await end([task, interrupted])

    def _interrupt(self, why: Interruption) -> None:
        self.why = self.why or why
        self._interrupted.set()

    async def _watch(self) -> None:
        await self._stopping.wait()
        self._interrupt(Interruption.SHUTDOWN)

    async def _beat(self) -> None:
        scope = Scope.of_system(self._lease.tenant_id)
        while True:
            await asyncio.sleep(self._every.total_seconds())
            try:
                if await self._database.write(scope, lambda work: hold(work, self._lease)):
                    self._interrupt(Interruption.CANCEL)
            except LeaseLost:
                self._interrupt(Interruption.LOST)
                return
            except HubError as error:
                # The lease may lapse meanwhile; then the next page transaction finds out.
                log.warning("the lease of run %d cannot be prolonged now: %s", self._lease.run_id, error)
