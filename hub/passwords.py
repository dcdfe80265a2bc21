"""Password hashes (Argon2id): made and verified in threads, few at a time, the least suspicious first."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from itertools import count

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.errors import Invalid

SHORTEST = 8
LONGEST = 1024
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's profile: about 25 ms and 19 MiB a verification."""

DECOY = "$argon2id$v=19$m=19456,t=2,p=1$k0wqh0Gu264ZxG4j0ucSkw$DcoA9+BdMtKqAwnJDl5Bo3Rv/3EBjp/n3kbvutBduPE"
"""What a password for nobody is compared with, so that an unknown login takes the same time as a wrong password."""


def check_password(password: str, *, field: str = "password") -> None:
    """Raise `Invalid` when the password is too short, too long or not a text."""
    if len(password) < SHORTEST:
        raise Invalid(f"must have at least {SHORTEST} characters", field=field)
    if len(password) > LONGEST:
        raise Invalid(f"must have at most {LONGEST} characters", field=field)
    if any("\ud800" <= sign <= "\udfff" for sign in password):
        raise Invalid("is not a valid text", field=field)


async def hashed(password: str) -> str:
    """The hash to store; raises `Invalid` for a password that may not be used."""
    check_password(password)
    return await asyncio.to_thread(HASHER.hash, password)


class Line:
    """The line in front of the few places for verifying; a burst of guesses does not hold up calm logins."""

    def __init__(self, places: int | None = None) -> None:
        self._free = places or max(1, min(4, os.cpu_count() or 1))
        self._order = count()
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def turn(self, suspicion: float) -> AsyncIterator[None]:
        """Wait for a turn to look a login up and compare its password."""
        await self._enter(suspicion)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, suspicion: float) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (suspicion, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            raise

    def _leave(self) -> None:
        while self._waiting:
            turn = heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


async def matches(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one behind the hash; None takes the same time and is never right."""
    right = await asyncio.to_thread(_verify, password_hash or DECOY, password)
    return right and password_hash is not None


def _verify(password_hash: str, password: str) -> bool:
    try:
        return HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
