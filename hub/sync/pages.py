"""Stores one fetched page: rows, references, exceptions, counters, checkpoint and events in one transaction."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from hub.context import Scope
from hub.db import Database, UnitOfWork
from hub.errors import Unavailable
from hub.ports import JsonObject, Page, Vendor
from hub.sync import exceptions, intake_companies, intake_nirs, intake_orders, intake_products
from hub.sync.exceptions import Parked, Trouble
from hub.sync.intake import Counts, Fate, Read, Receive, Source, read, take_in
from hub.sync.lease import Lease, LeaseLost, hold

log = logging.getLogger(__name__)

RECEIVERS: dict[str, Receive] = {
    "products": intake_products.receive,
    "companies": intake_companies.receive,
    "orders": intake_orders.receive,
    "expenditure_receipts": intake_orders.receive,
    "nirs": intake_nirs.receive,
}
CHUNK = 200
"""Records per transaction: an answer that the vendor does not cut into pages is cut here."""

_COUNT = text("""
    UPDATE sync_runs SET pages = pages + :pages, fetched = fetched + :fetched, created = created + :created,
        updated = updated + :updated, unchanged = unchanged + :unchanged, skipped = skipped + :skipped,
        parked = parked + :parked, total = coalesce(:total, total), attempts = 0, error_code = NULL,
        error_message = NULL, checkpoint = coalesce(cast(:checkpoint AS jsonb), checkpoint)
    WHERE tenant_id = :tenant AND id = :run
""")
_MOVE_CHECKPOINT = text("""
    UPDATE sync_streams SET checkpoint = cast(:checkpoint AS jsonb), updated_at = now()
    WHERE tenant_id = :tenant AND code = :code AND stream = :stream
""")
_STILL_ACTIVE = text(
    "SELECT active AND stopped_reason IS NULL FROM integrations WHERE tenant_id = :tenant AND code = :code"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What storing a page came to; without `go_on` the run shall stop: cancelled, or the connection switched off."""

    counts: Counts
    go_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where the pages of a run go."""

    database: Database
    lease: Lease
    source: Source
    vendor: Vendor
    moves_stream: bool
    """False while everything is read again: the stream's own checkpoint stays until the end."""

    async def store(self, page: Page) -> Stored:
        """Store a page in chunks; the checkpoint moves with the last of them."""
        parts = [page.payloads[start : start + CHUNK] for start in range(0, len(page.payloads), CHUNK)] or [()]
        total: dict[Fate, int] = {}
        for number, part in enumerate(parts, start=1):
            reads = read(self.source, self.vendor, part)
            checkpoint = page.checkpoint if number == len(parts) else None
            stored = await self._store(reads, len(part), page.total, checkpoint)
            total = {fate: total.get(fate, 0) + stored.counts[fate] for fate in Fate}
            if not stored.go_on:
                break
        return Stored(counts=Counts(of=total), go_on=stored.go_on)

    async def _store(
        self, reads: Sequence[Read], fetched: int, total: int | None, checkpoint: JsonObject | None
    ) -> Stored:
        async def action(work: UnitOfWork) -> Stored:
            work.run_id = self.lease.run_id
            cancel = await hold(work, self.lease)
            counts = await take_in(work, self.source, self._receiver, reads, run_id=self.lease.run_id)
            await self._count(work, counts, fetched, total, checkpoint)
            return Stored(counts=counts, go_on=not cancel and await self._still_active(work))

        try:
            return await self.database.write(self._scope, action)
        except (LeaseLost, Unavailable):
            raise
        except Exception as error:
            # Whatever the database or a service made of the whole, one bad record must not stop the others.
            if len(reads) <= 1:
                return await self._give_up(reads, fetched, total, checkpoint, error)
        middle = len(reads) // 2
        first = await self._store(reads[:middle], middle, total, None)
        rest = await self._store(reads[middle:], fetched - middle, total, checkpoint)
        counts = {fate: first.counts[fate] + rest.counts[fate] for fate in Fate}
        return Stored(counts=Counts(of=counts), go_on=first.go_on and rest.go_on)

    async def _give_up(
        self,
        reads: Sequence[Read],
        fetched: int,
        total: int | None,
        checkpoint: JsonObject | None,
        error: Exception,
    ) -> Stored:
        """Park the one record that cannot be stored."""
        if not reads:
            raise error
        log.exception("a record of %s cannot be stored", self.source.stream.name, exc_info=error)
        trouble = Trouble.of_any(error)
        parked = [Parked(external_key=one.external_key, payload=one.payload, trouble=trouble) for one in reads]
        counts = Counts(of={Fate.PARKED: len(parked)})

        async def action(work: UnitOfWork) -> Stored:
            cancel = await hold(work, self.lease)
            code, stream = self.source.code, self.source.stream.name
            await exceptions.park(work, code, stream, parked, run_id=self.lease.run_id)
            await self._count(work, counts, fetched, total, checkpoint)
            return Stored(counts=counts, go_on=not cancel)

        return await self.database.write(self._scope, action)

    async def _count(
        self, work: UnitOfWork, counts: Counts, fetched: int, total: int | None, checkpoint: JsonObject | None
    ) -> None:
        code, stream = self.source.code, self.source.stream.name
        moved = None if checkpoint is None else json.dumps(dict(checkpoint))
        numbers: dict[str, Any] = {fate.value: counts[fate] for fate in Fate} | {"fetched": fetched}
        place = {"tenant": work.tenant_id, "run": self.lease.run_id}
        pages = 0 if checkpoint is None else 1
        await work.session.execute(_COUNT, place | numbers | {"pages": pages, "total": total, "checkpoint": moved})
        if moved is not None and self.moves_stream:
            values = {"tenant": work.tenant_id, "code": code, "stream": stream, "checkpoint": moved}
            await work.session.execute(_MOVE_CHECKPOINT, values)
        work.emit("sync", "page_done", run_id=self.lease.run_id, code=code, stream=stream, total=total, **numbers)

    async def _still_active(self, work: UnitOfWork) -> bool:
        values = {"tenant": work.tenant_id, "code": self.source.code}
        return bool((await work.session.execute(_STILL_ACTIVE, values)).scalar_one_or_none())

    @property
    def _receiver(self) -> Receive:
        return RECEIVERS[self.source.stream.name]

    @property
    def _scope(self) -> Scope:
        return Scope.of_system(self.lease.tenant_id, self.source.code.lower())
