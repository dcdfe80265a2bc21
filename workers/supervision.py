"""Keeps the endless parts of a process going: a failure is logged once per kind, and followed by another try."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError

from hub.errors import HubError

log = logging.getLogger(__name__)

PAUSE = 1.0


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


async def forever(what: str, part: Callable[[], Awaitable[None]]) -> None:
    """Run a part that should never end; begin it again when it does."""
    while True:
        async with patiently(what):
            await part()
        await asyncio.sleep(PAUSE)
