"""How background tasks end."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

log = logging.getLogger(__name__)

MOST_CANCELS = 5


async def end(tasks: Iterable["asyncio.Future[Any]"], *, patience: float = 0.5) -> None:
    """Cancel tasks until they have ended; what they raise is nobody's business any more.

    Once is not enough: a cancellation that meets the end of a command is swallowed by the driver of Redis, and one that
    meets a query leaves the rollback after it as an error of the database. `patience` = seconds until the next one,
    which may itself interrupt what a task does at its end.
    """
    pending = set(tasks)
    for _ in range(MOST_CANCELS):
        for task in pending:
            task.cancel()
        if not pending:
            return
        done, pending = await asyncio.wait(pending, timeout=patience)
        for task in done:
            if not task.cancelled() and (error := task.exception()) is not None:
                log.debug("a task ended with %r", error)
    if pending:
        log.warning("%d tasks do not end", len(pending))
