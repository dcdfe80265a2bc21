"""Works on one slice of one run, from its lease to its end: the heart of the synchronisation.

Follow one order through it. The scheduler has opened a run of the stream "orders" (`runs.open_run`), the relay has made
a job of it. `work_on` takes the run's lease (`lease.take`) and opens the connection (`outside.vendor`). It asks the
connector for a page with no transaction open (`_walk`), and stores it in one transaction (`pages.Shelf.store`): the
lease is held, the order is mapped, compared and taken in (`intake.take_in`, `intake_orders.receive`), its external
reference and the checkpoint are written, the event is appended, the outbox gets what follows for the outside. Then the
next page, until the stream is walked to its end, the slice's time is up, or something interrupts. In every case the
lease is given back with what comes next (`policy.decide`). A process that is killed anywhere in between leaves a lease
that passes; whoever takes the next slice begins after the last stored page, and meets records it knows already: they
are unchanged. When the order is picked, `services.outbox` writes what to tell, and `outbound.Sender` tells it.
"""

import asyncio
import logging
import os
import socket
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import cast

from sqlalchemy import text

from hub.context import Scope
from hub.db import UnitOfWork
from hub.errors import HubError
from hub.ports import Direction, Page, Stream
from hub.queries.integrations import Connection
from hub.sync import lease as leases
from hub.sync import outbound, retries, runs
from hub.sync.intake import Source
from hub.sync.lease import LEASE, RUNS, Lease, LeasedRun, LeaseLost
from hub.sync.outside import Outside
from hub.sync.pages import Shelf
from hub.sync.policy import Next, decide
from hub.sync.pulse import Interrupted, Interruption, Pulse
from hub.sync.streams import NOMENCLATURES, is_on

log = logging.getLogger(__name__)

SLICE = timedelta(seconds=60)
SLICE_PAGES = 100
LONGEST_FETCH = timedelta(seconds=50)
"""With the slice's own time this stays below the queue's limit for a job."""


class Result(StrEnum):
    """How a slice came to its end."""

    DONE = "DONE"
    MORE = "MORE"
    CANCELED = "CANCELED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long things may take; tests are faster."""

    slice: timedelta = SLICE
    slice_pages: int = SLICE_PAGES
    fetch: timedelta = LONGEST_FETCH
    lease: timedelta = LEASE
    heartbeat: timedelta = leases.HEARTBEAT


PACE = Pace()
_STOP_CONNECTION = text("""
    UPDATE integrations SET stopped_reason = :reason WHERE tenant_id = :tenant AND code = :code AND active
    RETURNING code
""")
# Nothing is scheduled while it is stopped; once it is mended, everything is due at once.
_DUE_AGAIN = text("UPDATE sync_streams SET due_at = now(), failures = 0 WHERE tenant_id = :tenant AND code = :code")
_OTHER_RUNS = text("""
    SELECT id FROM sync_runs WHERE tenant_id = :tenant AND code = :code AND state IN ('QUEUED', 'RUNNING')
        AND (lease_until IS NULL OR lease_until < now())
""")


def new_owner() -> str:
    """A name for whoever takes a lease; never the same twice."""
    return f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:12]}"


async def work_on(
    outside: Outside, *, tenant_id: int, run_id: int, slice: int, stopping: asyncio.Event, pace: Pace = PACE
) -> None:
    """Work on one slice of a run; nothing happens when it is not to be had. Never raises but for a database away."""
    lease = Lease(tenant_id=tenant_id, run_id=run_id, slice=slice, owner=new_owner(), lasts=pace.lease)
    scope = Scope.of_system(tenant_id)
    run = await outside.database.write(scope, lambda work: leases.take(work, lease))
    if run is not None:
        await _Slice(outside, lease, run, stopping, pace).work()


@dataclass(frozen=True, slots=True)
class _Slice:
    outside: Outside
    lease: Lease
    run: LeasedRun
    stopping: asyncio.Event
    pace: Pace

    async def work(self) -> None:
        """The slice with its heartbeat; whatever happens, the lease is given back."""
        pulse = Pulse(self.outside.database, self.lease, self.stopping, self.pace.heartbeat)
        try:
            async with pulse.beating():
                result = await self._work(pulse)
        except LeaseLost:
            log.info("run %d goes on elsewhere", self.lease.run_id)
        except Interrupted as interrupted:
            if interrupted.why is not Interruption.LOST:
                result = Result.CANCELED if interrupted.why is Interruption.CANCEL else Result.MORE
                await self._leave(result)
        except HubError as error:
            await self._stumble(error)
        except Exception as error:
            log.exception("run %d failed", self.lease.run_id)
            await self._stumble(HubError(f"the hub made a mistake ({type(error).__name__}); see its log"))
        except asyncio.CancelledError:
            await asyncio.shield(self._leave(Result.MORE))
            raise
        else:
            await self._leave(result)

    async def _work(self, pulse: Pulse) -> Result:
        database, scope = self.outside.database, self._scope
        connection = await database.write(scope, lambda work: self.outside.connection(work, self.run.code))
        stream = connection.connector.stream(self.run.stream)
        if stream is None or not connection.active or not is_on(stream, connection.options):
            return Result.CANCELED
        if stream.direction is Direction.OUT:
            return await self._send(connection, stream, pulse)
        return await self._walk(connection, stream, pulse)

    async def _walk(self, connection: Connection, stream: Stream, pulse: Pulse) -> Result:
        """Fetch and store page after page from where the run stands."""
        vendor = self.outside.vendor(connection)
        resync = self.run.trigger == "RESYNC"
        source = Source(
            connector=connection.connector,
            stream=stream,
            mappings=connection.mappings,
            afresh=resync and stream.name in NOMENCLATURES,
        )
        shelf = Shelf(
            database=self.outside.database, lease=self.lease, source=source, vendor=vendor, moves_stream=not resync
        )
        assert stream.fetch is not None, "an inbound stream can be fetched"
        until = time.monotonic() + self.pace.slice.total_seconds()
        pages = cast(AsyncGenerator[Page, None], stream.fetch(vendor, self.run.checkpoint))
        async with aclosing(pages):
            for _ in range(self.pace.slice_pages):
                page = await pulse.unless_interrupted(
                    _next(pages), longest=self.pace.fetch, what=f"a page of {stream.name}"
                )
                if page is None:
                    return Result.DONE
                stored = await shelf.store(page)
                if not stored.go_on:
                    return Result.CANCELED
                if stored.counts.changed and stream.name in NOMENCLATURES:
                    await retries.retry_waiting(self.outside, self.lease.tenant_id, self.run.code, at_once=True)
                pulse.check()
                if time.monotonic() > until:
                    break
        return Result.MORE

    async def _send(self, connection: Connection, stream: Stream, pulse: Pulse) -> Result:
        """Send batch after batch of what waits for this stream."""
        until = time.monotonic() + self.pace.slice.total_seconds()
        sender = outbound.Sender(outside=self.outside, lease=self.lease, connection=connection, stream=stream)
        await sender.begin(self.run)
        while time.monotonic() < until:
            pulse.check()
            if not await sender.send_batch():
                return Result.DONE
        return Result.MORE

    async def _leave(self, result: Result) -> None:
        """Give the lease back: the run is over, or goes on with its next slice."""

        async def action(work: UnitOfWork) -> None:
            cancel = await leases.hold(work, self.lease)
            if result is Result.MORE and not cancel:
                await leases.release(work, self.lease)
            else:
                state = "SUCCEEDED" if result is Result.DONE else "CANCELED"
                await runs.end(work, run_id=self.lease.run_id, state=state, registry=self.outside.registry)

        await self._give_back(action)

    async def _stumble(self, error: HubError) -> None:
        """Give the lease back with what the error means for the run and for its connection."""

        async def action(work: UnitOfWork) -> None:
            cancel = await leases.hold(work, self.lease)
            decision = decide(error, attempts=await self._failed_attempts(work))
            if decision.next is Next.AGAIN and not cancel:
                await leases.release(work, self.lease, wait=decision.wait, attempts=decision.attempts, error=error)
                work.emit(
                    "sync",
                    "run_waits",
                    run_id=self.lease.run_id,
                    code=self.run.code,
                    stream=self.run.stream,
                    message=str(error),
                    seconds=round(decision.wait.total_seconds(), 1),
                )
                return
            registry = self.outside.registry
            await runs.end(work, run_id=self.lease.run_id, state="FAILED", registry=registry, error=error)
            if decision.next is Next.STOP:
                await stop_connection(work, self.outside, self.run.code, error)

        await self._give_back(action)

    async def _failed_attempts(self, work: UnitOfWork) -> int:
        """Failed attempts since the last stored page, which sets them to 0."""
        found = await work.session.execute(
            text("SELECT attempts FROM sync_runs WHERE tenant_id = :tenant AND id = :run"),
            {"tenant": work.tenant_id, "run": self.lease.run_id},
        )
        return int(found.scalar_one())

    async def _give_back(self, action: Callable[[UnitOfWork], Awaitable[None]]) -> None:
        try:
            await self.outside.database.write(self._scope, action)
        except LeaseLost:
            log.info("run %d goes on elsewhere", self.lease.run_id)

    @property
    def _scope(self) -> Scope:
        return Scope.of_system(self.lease.tenant_id)


async def stop_connection(work: UnitOfWork, outside: Outside, code: str, error: HubError) -> None:
    """Stop exchanging data until a person has mended it: further tries could get the account banned."""
    values = {"tenant": work.tenant_id, "code": code}
    stopped = await work.session.execute(_STOP_CONNECTION, values | {"reason": str(error)[:4000]})
    if stopped.first() is None:
        return
    for run_id in (await work.session.execute(_OTHER_RUNS, values)).scalars().all():
        await runs.end(work, run_id=run_id, state="CANCELED", registry=outside.registry, error=error)
    await work.session.execute(_DUE_AGAIN, values)
    work.emit("sync", "connection_stopped", code=code, message=str(error))
    work.ring_after_commit(RUNS)


async def _next(pages: AsyncGenerator[Page, None]) -> Page | None:
    return await anext(pages, None)
