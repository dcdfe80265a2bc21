"""Ids: small, from 1, per tenant and noun, taken in blocks outside the writing transaction. Gaps are allowed."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from itertools import islice

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

FIRST_BLOCK = 8
LARGEST_BLOCK = 1024

_TAKE = text(
    "INSERT INTO id_blocks AS b (tenant_id, noun, next_id) VALUES (:tenant, :noun, 1 + :size) "
    "ON CONFLICT (tenant_id, noun) DO UPDATE SET next_id = b.next_id + :size RETURNING next_id - :size"
)

_RAISE = text(
    "INSERT INTO id_blocks AS b (tenant_id, noun, next_id) VALUES (:tenant, :noun, :next) "
    "ON CONFLICT (tenant_id, noun) DO UPDATE SET next_id = greatest(b.next_id, excluded.next_id)"
)


class Ids:
    """The blocks of ids this process holds; a block doubles each time it is used up, so that busy nouns ask seldom."""

    def __init__(self, transaction: Callable[[], AbstractAsyncContextManager[AsyncSession]]) -> None:
        self._transaction = transaction
        self._free: dict[tuple[int, str], deque[int]] = defaultdict(deque)
        self._size: dict[tuple[int, str], int] = {}
        self._locks: dict[tuple[int, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def take(self, tenant_id: int, noun: str, count: int) -> list[int]:
        """`count` ids in ascending order, never given before."""
        if count < 1:
            return []
        key = (tenant_id, noun)
        async with self._locks[key]:
            free = self._free[key]
            if len(free) < count:
                free.extend(await self._block(key, count - len(free)))
            taken = list(islice(free, count))
            for _ in taken:
                free.popleft()
            return taken

    async def keep_clear_of(self, tenant_id: int, noun: str, last: int) -> None:
        """Never give an id up to `last` from now on: the ids of imported records."""
        key = (tenant_id, noun)
        async with self._locks[key]:
            async with self._transaction() as session:
                await session.execute(_RAISE, {"tenant": tenant_id, "noun": noun, "next": last + 1})
            self._free[key].clear()

    def forget(self, tenant_ids: Iterable[int]) -> None:
        """Give up the ids held for these tenants: others have used some of them."""
        mine = set(tenant_ids)
        for tenant_id, noun in [key for key in self._free if key[0] in mine]:
            self._free[tenant_id, noun].clear()

    async def _block(self, key: tuple[int, str], needed: int) -> range:
        size = max(needed, self._size.get(key, FIRST_BLOCK))
        self._size[key] = min(LARGEST_BLOCK, max(size, self._size.get(key, FIRST_BLOCK) * 2))
        async with self._transaction() as session:
            found = await session.execute(_TAKE, {"tenant": key[0], "noun": key[1], "size": size})
            first = int(found.scalar_one())
        return range(first, first + size)
