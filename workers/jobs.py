"""The jobs: each hands its ids to the synchronisation and waits.

The work itself is not ARQ's: an outage of Redis ends ARQ's task, but not a page half stored or a push half answered.
"""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from hub.endings import end
from hub.sync import engine, inbox
from hub.sync.engine import PACE, Pace
from hub.sync.outside import Outside

log = logging.getLogger(__name__)

WORKSHOP = "workshop"


@dataclass(slots=True)
class Workshop:
    """The work under way in this process; `stopping` is set when it shall come to an end."""

    outside: Outside
    stopping: asyncio.Event
    pace: Pace = PACE
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._done)
        await asyncio.shield(task)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("a job ended with %r; it is found again in the database", error)

    async def finish(self, seconds: float) -> None:
        """Wait for the work under way; what takes longer is cut off and taken up again elsewhere."""
        if self.tasks:
            await asyncio.wait(set(self.tasks), timeout=seconds)
        await end(self.tasks)


async def work_on_run(context: dict[str, Any], tenant_id: int, run_id: int, slice_number: int) -> None:
    """One slice of one run."""
    workshop: Workshop = context[WORKSHOP]
    await workshop.do(
        engine.work_on(
            workshop.outside,
            tenant_id=tenant_id,
            run_id=run_id,
            slice=slice_number,
            stopping=workshop.stopping,
            pace=workshop.pace,
        )
    )


async def work_on_message(context: dict[str, Any], tenant_id: int, message_id: int) -> None:
    """One message of the inbox."""
    workshop: Workshop = context[WORKSHOP]
    await workshop.do(inbox.work_on_message(workshop.outside, tenant_id=tenant_id, message_id=message_id))


JOBS = (work_on_run, work_on_message)
