"""Who still calls which REST route: counted in memory, written now and then, never in a request's own transaction."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from hub.context import Scope
from hub.db import Database, UnitOfWork
from hub.endings import end
from hub.errors import HubError
from hub.models.tenants import LegacyUsage, User

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=15)
NEVER = datetime.min.replace(tzinfo=UTC)
Key = tuple[int, int, str, str]
"""Tenant, user, route, day."""


@dataclass(slots=True)
class Count:
    calls: int = 0
    errors: int = 0
    last_at: datetime = NEVER


class Usage:
    """The counts of this process since they were last written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: dict[Key, Count] = defaultdict(Count)

    def count(self, scope: Scope, route: str, *, failed: bool) -> None:
        if scope.actor.kind != "user" or scope.actor.id is None:
            return
        now = datetime.now(UTC)
        count = self._counts[scope.tenant_id, scope.actor.id, route, now.date().isoformat()]
        count.calls += 1
        count.errors += failed
        count.last_at = now

    @property
    def pending(self) -> int:
        """Calls that are counted here and nowhere else yet."""
        return sum(count.calls for count in self._counts.values())

    async def flush(self) -> None:
        """Write what was counted, one transaction per tenant; what could not be written is kept for the next time."""
        for tenant_id in sorted({key[0] for key in self._counts}):
            taken = {key: self._counts.pop(key) for key in list(self._counts) if key[0] == tenant_id}
            try:
                await self._database.write(Scope.of_system(tenant_id, "usage"), partial(_add, counts=taken))
            except BaseException:
                self._keep(taken)
                raise

    def _keep(self, counts: Mapping[Key, Count]) -> None:
        for key, count in counts.items():
            kept = self._counts[key]
            kept.calls += count.calls
            kept.errors += count.errors
            kept.last_at = max(kept.last_at, count.last_at)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Writes the counts periodically and once more at the end."""
        task = asyncio.create_task(self._repeat())
        try:
            yield
        finally:
            await end([task])
            await self._try_to_flush()

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(EVERY.total_seconds())
            await self._try_to_flush()

    async def _try_to_flush(self) -> None:
        try:
            await self.flush()
        except HubError as error:
            log.warning("the use of REST routes could not be counted: %s", error)


async def _add(work: UnitOfWork, *, counts: Mapping[Key, Count]) -> None:
    """Users who were deleted meanwhile are left out."""
    users = set((await work.session.exec(select(col(User.id)))).all())
    rows = [
        {"tenant_id": tenant_id, "user_id": user_id, "route": route, "day": day}
        | {"calls": count.calls, "errors": count.errors, "last_at": count.last_at}
        for (tenant_id, user_id, route, day), count in sorted(counts.items(), key=lambda item: item[0])
        if user_id in users
    ]
    if not rows:
        return
    statement = insert(LegacyUsage).values(rows)
    await work.session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "user_id", "route", "day"],
            set_={
                "calls": col(LegacyUsage.calls) + statement.excluded.calls,
                "errors": col(LegacyUsage.errors) + statement.excluded.errors,
                "last_at": func.greatest(col(LegacyUsage.last_at), statement.excluded.last_at),
            },
        )
    )
