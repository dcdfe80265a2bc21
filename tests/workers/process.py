"""A worker in a process of its own, that a test may kill: the real connectors, and leases that pass quickly.

The processes are forked from a server that has imported everything once, so that a start costs next to nothing.
"""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.context import ForkServerProcess

from hub.settings import Settings
from hub.sync.engine import Pace
from workers.main import run

PACE = Pace(lease=timedelta(seconds=1.5), heartbeat=timedelta(seconds=0.3))

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload([__name__])


def _work(settings: Settings) -> None:
    asyncio.run(run(settings, pace=PACE))


@dataclass(slots=True)
class WorkerProcess:
    settings: Settings
    process: ForkServerProcess | None = None

    async def start(self) -> None:
        self.process = _server.Process(target=_work, args=(self.settings,), daemon=True)
        self.process.start()

    async def kill(self) -> None:
        """As the kernel kills it: nothing can be tidied up."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int | None:
        """Ask it to end; its exit code, None when it takes longer than ten seconds."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int | None:
        assert self.process is not None, "it was started"
        if self.process.is_alive() and self.process.pid is not None:
            os.kill(self.process.pid, number)
        await asyncio.to_thread(self.process.join, 10)
        return self.process.exitcode


@asynccontextmanager
async def worker_process(database_url: str, redis_url: str, secret_key: str) -> AsyncIterator[WorkerProcess]:
    worker = WorkerProcess(Settings(database_url=database_url, redis_url=redis_url, secret_key=secret_key))
    await worker.start()
    try:
        yield worker
    finally:
        await worker.kill()
