"""Who still calls which REST route: counted in memory, written now and then, never in a request's own transaction."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from hub.context import Scope
from hub.db import Database, UnitOfWork
from hub.errors import HubError
from hub.models.tenants import LegacyUsage, User

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=15)
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Count:
    calls: int = 0
    errors: int = 0
    last_at: datetime = NEVER


class Usage:
    """The counts of this process since they were last written."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: dict[tuple[int, int, str, str], Count] = defaultdict(Count)

    def count(self, scope: Scope, route: str, *, failed: bool) -> None:
        if scope.actor.kind != "user" or scope.actor.id is None:
            return
        now = datetime.now(UTC)
        count = self._counts[scope.tenant_id, scope.actor.id, route, now.date().isoformat()]
        count.calls += 1
        count.errors += failed
        count.last_at = now

    async def flush(self) -> None:
        """Write what was counted, one transaction per tenant; users deleted meanwhile are left out."""
        counts, self._counts = self._counts, defaultdict(Count)
        tenants: dict[int, list[dict[str, object]]] = defaultdict(list)
        for (tenant_id, user_id, route, day), count in sorted(counts.items()):
            tenants[tenant_id].append(
                {"tenant_id": tenant_id, "user_id": user_id, "route": route, "day": day}
                | {"calls": count.calls, "errors": count.errors, "last_at": count.last_at}
            )
        for tenant_id, rows in tenants.items():
            await self._database.write(Scope.of_system(tenant_id, "usage"), partial(_add, rows=rows))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Writes the counts periodically and once more at the end."""
        task = asyncio.create_task(self._repeat())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
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


async def _add(work: UnitOfWork, *, rows: list[dict[str, object]]) -> None:
    users = set((await work.session.exec(select(col(User.id)))).all())
    kept = [row for row in rows if row["user_id"] in users]
    if not kept:
        return
    statement = insert(LegacyUsage).values(kept)
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
