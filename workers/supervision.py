"""Keeps the endless parts of a process going: a failure is logged once per kind, and followed by another try."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from hub.errors import HubError

log = logging.getLogger(__name__)

PAUSE = 1.0
MOST_CANCELS = 5


@asynccontextmanager
async def patiently(what: str) -> AsyncIterator[None]:
    """Whatever goes wrong inside is logged; the next round tries again after a pause."""
    try:
        yield
    except (HubError, SQLAlchemyError) as error:
        log.warning("%s: %s", what, error)
        await asyncio.sleep(PAUSE)
    except Exception:
        log.exception("%s failed", what)
        await asyncio.sleep(PAUSE)


async def end(tasks: Iterable["asyncio.Task[Any]"], *, patience: float = 0.2) -> None:
    """Cancel tasks until they have ended: a cancellation that meets the end of a Redis command is swallowed by it.

    `patience` = seconds until the next cancellation, which may itself interrupt what a task does at its end.
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
    log.warning("%d tasks do not end", len(pending))


async def forever(what: str, part: Callable[[], Awaitable[None]]) -> None:
    """Run a part that should never end; begin it again when it does."""
    while True:
        async with patiently(what):
            await part()
        await asyncio.sleep(PAUSE)
