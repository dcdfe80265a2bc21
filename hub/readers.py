"""The reading connections of one process: read-only, of a role bound by the policies, handed out by scope."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from hub.context import Scope
from hub.errors import Unavailable

SCOPE_SETTING = "hub.tenants"
IDLE = 60.0
"""Seconds after which a connection that nobody used is left to the pool, which closes it in the end."""


class ScopedConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that remembers which tenants its setting names."""

    __slots__ = ("scope_key",)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.scope_key: str | None = None  # not known

    def itself(self) -> "ScopedConnection":
        """Without the pool's proxy, from which a lost connection is taken away."""
        return self

    async def enter(self, scope_key: str) -> None:
        """Show the scope's tenants from now on; costs nothing when they are the same as before."""
        if self.scope_key == scope_key:
            return
        self.scope_key = None
        await self.execute(f"SET {SCOPE_SETTING} = '{scope_key}'")
        if not self.is_in_transaction():  # a rollback would undo the setting, not the memo
            self.scope_key = scope_key


@dataclass(slots=True)
class _Reader:
    """A connection of the pool; `since` when nobody uses it."""

    proxy: Any
    connection: ScopedConnection
    since: float = 0.0


class Readers:
    """Connections stay out of the pool between reads, so that a scope finds the one that shows its tenants already.

    The memo of what a connection shows is forgotten at every error, because a rollback undoes the setting and a stale
    memo would show another tenant's rows.
    """

    def __init__(self, pool: asyncpg.Pool, *, said: str = "") -> None:
        """`said`: the settings as commands, where each read is a transaction on whatever connection a pooler gives."""
        self._pool = pool
        self._said = said
        self._free = asyncio.Semaphore(pool.get_max_size())
        self._idle: list[_Reader] = []
        """In the order of their last use."""
        self._closing = False

    async def close(self) -> None:
        """Waits for the reads that are under way."""
        self._closing = True
        while self._idle:
            await self._pool.release(self._idle.pop().proxy)
        await self._pool.close()

    @asynccontextmanager
    async def reading(self, scope: Scope) -> AsyncIterator[asyncpg.Connection]:
        """A connection that sees the scope's tenants only; raises `Unavailable` when the database is."""
        try:
            async with self._free:
                reader = await self._taken(scope.key)
                try:
                    if self._said:
                        async with reader.connection.transaction(readonly=True):
                            await reader.connection.execute(f"{self._said}; SET LOCAL {SCOPE_SETTING} = '{scope.key}'")
                            yield reader.proxy
                    else:
                        await reader.connection.enter(scope.key)
                        yield reader.proxy
                except BaseException:
                    reader.connection.scope_key = None
                    await self._pool.release(reader.proxy)
                    raise
                await self._left(reader)
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError) as error:
            raise Unavailable("the database does not answer", hint="try again in a moment") from error
        except asyncpg.QueryCanceledError as error:
            raise Unavailable("the read took too long", code="TIMEOUT", hint="ask for less at once") from error

    async def _taken(self, scope_key: str) -> _Reader:
        """The connection that last showed these tenants, else the one that was longest without use, else a new one."""
        while self._idle:
            places = range(len(self._idle) - 1, -1, -1)
            same = (place for place in places if self._idle[place].connection.scope_key == scope_key)
            reader = self._idle.pop(next(same, 0))
            fresh = reader.since > asyncio.get_running_loop().time() - IDLE
            if fresh and not reader.connection.is_closed():
                return reader
            await self._pool.release(reader.proxy)
        proxy = await self._pool.acquire()
        return _Reader(proxy, proxy.itself())

    async def _left(self, reader: _Reader) -> None:
        if self._closing:
            await self._pool.release(reader.proxy)
            return
        reader.since = asyncio.get_running_loop().time()
        self._idle.append(reader)
