"""What an error means for a run: its class decides what happens next, and nothing is ever skipped in silence."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from hub.errors import HubError, NeedsAttention, RateLimited, Retryable, Unavailable

FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=5)
MOST_ATTEMPTS = 8
"""Attempts without progress after which a run gives up; the schedule starts another one later."""
SHORTEST_BUSY_WAIT = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(hours=1)


class Next(StrEnum):
    """What to do with the run."""

    AGAIN = "AGAIN"
    """Another attempt after a while."""
    FAIL = "FAIL"
    """End this run; the schedule goes on."""
    STOP = "STOP"
    """End this run and stop the connection until a person has mended it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    next: Next
    wait: timedelta = timedelta(0)
    attempts: int = 0


def decide(error: HubError, *, attempts: int, spread: Callable[[], float] = random.random) -> Decision:
    """`attempts` = failed attempts since the last progress; `spread` (0 to 1) keeps retries from coming all at once."""
    if isinstance(error, NeedsAttention):
        return Decision(next=Next.STOP)
    if isinstance(error, Unavailable):
        return Decision(next=Next.AGAIN, wait=FIRST_WAIT, attempts=attempts)
    if not isinstance(error, Retryable):
        return Decision(next=Next.FAIL)
    if attempts + 1 >= MOST_ATTEMPTS:
        return Decision(next=Next.FAIL)
    wait = backoff(attempts, spread=spread)
    if isinstance(error, RateLimited):
        asked = max(error.retry_after, SHORTEST_BUSY_WAIT) if error.retry_after is not None else wait
        wait = asked * (1 + spread() / 10)
    return Decision(next=Next.AGAIN, wait=wait, attempts=attempts + 1)


def backoff(attempts: int, *, spread: Callable[[], float] = random.random) -> timedelta:
    """Doubling from 2 s to 5 min, of which a random half is taken off."""
    wait = min(FIRST_WAIT * (1 << min(attempts, 30)), LONGEST_WAIT)
    return wait * (0.5 + spread() / 2)


def pause_after(failures: int, every: timedelta) -> timedelta:
    """When a stream is due again: its own rhythm, doubling up to an hour while its runs keep failing."""
    return max(every, min(every * (1 << min(failures, 10)), LONGEST_PAUSE))
