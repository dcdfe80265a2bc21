"""Keeps child processes running: started again when they die, ended orderly with us, gone when we are killed."""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.embedded.process import dies_with_parent

log = logging.getLogger(__name__)

CALM = 60.0
"""Seconds after which a child counts as well, so that its next start is not delayed."""
LONGEST_PAUSE = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One part of the hub as a process of its own: `hub` with these arguments."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    descriptors: tuple[int, ...] = ()
    patience: float = 6.5
    """Seconds it may take to stop before it is killed."""


async def keep(child: Child) -> None:
    """Until cancelled: run the child; start it again when it ends, later and later if it keeps ending."""
    pause = 0.0
    while True:
        process, started = await _start(child), time.monotonic()
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await _stop(process, child)
            raise
        pause = 0.5 if time.monotonic() - started > CALM else min(LONGEST_PAUSE, pause * 2 + 0.5)
        log.error("the %s ended by itself (%s): starting it again in %.1f s", child.name, _reason(code), pause)
        await asyncio.sleep(pause)


async def _start(child: Child) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hub",
        *child.arguments,
        stdin=asyncio.subprocess.DEVNULL,
        env={**os.environ, **child.environment},
        pass_fds=child.descriptors,
        start_new_session=True,  # Ctrl-C is ours to handle, not the child's
        preexec_fn=dies_with_parent(signal.SIGKILL),
    )


async def _stop(process: asyncio.subprocess.Process, child: Child) -> None:
    """Ask, wait, insist. A second cancellation does not leave the child behind."""
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(child.patience):
            await process.wait()
    except (TimeoutError, asyncio.CancelledError):
        log.warning("the %s does not stop: killing it", child.name)
        process.kill()
        await process.wait()


def _reason(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
