"""Batches are locked for some days or for good, and unlocked again; every step stays as history."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlmodel import col

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import Invalid, NotFound
from hub.models.stock import Batch, BatchLock
from hub.queries.conditions import among
from hub.services import values
from hub.services.stock import touched

LONGEST = 36500
"""Days; what is locked longer is locked for good."""
_ROW = (col(Batch.id), col(Batch.product_id), col(Batch.locked))


async def lock(
    work: UnitOfWork, *, batch_ids: Sequence[int], days: int | None = None, reason: str | None = None
) -> list[int]:
    """Keep goods of these batches from being reserved, for `days` from now or until somebody unlocks them."""
    work.scope.require(Level.USER)
    if days is not None and not 1 <= days <= LONGEST:
        raise Invalid(f"must be from 1 to {LONGEST}", field="days", hint="leave it out to lock indefinitely")
    until = None if days is None else datetime.now(UTC) + timedelta(days=days)
    rows = await _lock_rows(work, batch_ids, reason)
    return await _write(work, rows, locked=True, until=until, reason=reason)


async def unlock(work: UnitOfWork, *, batch_ids: Sequence[int], reason: str | None = None) -> list[int]:
    """Let goods of these batches be reserved again; those that are not locked stay as they are."""
    work.scope.require(Level.USER)
    rows = await _lock_rows(work, batch_ids, reason)
    await _write(work, [row for row in rows if row.locked], locked=False, until=None, reason=reason)
    return sorted(row.id for row in rows)


async def unlock_expired(work: UnitOfWork) -> list[int]:
    """Write down that fixed-term locks have passed, and tell that the goods are free; a periodic job calls it."""
    work.scope.require(Level.USER)
    found = await work.session.execute(
        select(*_ROW)
        .where(
            col(Batch.tenant_id) == work.tenant_id,
            col(Batch.locked).is_(True),
            col(Batch.locked_until) <= datetime.now(UTC),
        )
        .order_by(col(Batch.id))
        .with_for_update(skip_locked=True, key_share=True)
    )
    return await _write(work, list(found), locked=False, until=None, reason="the time is over")


async def _lock_rows(work: UnitOfWork, ids: Sequence[int], reason: str | None) -> list[Row[Any]]:
    if not ids:
        raise Invalid("name at least one batch", field="batchIds")
    if reason is not None:
        values.text(reason, field="reason", longest=4000)
    wanted = {id_ for id_ in ids if values.is_id(id_)}
    found = await work.session.execute(
        select(*_ROW)
        .where(col(Batch.tenant_id) == work.tenant_id, among(col(Batch.id), wanted))
        .order_by(col(Batch.id))
        .with_for_update(key_share=True)
    )
    rows = list(found)
    for id_ in sorted(set(ids) - {row.id for row in rows}):
        raise NotFound(f"no batch has the id {id_}", field="batchIds")
    return rows


async def _write(
    work: UnitOfWork, rows: Sequence[Row[Any]], *, locked: bool, until: datetime | None, reason: str | None
) -> list[int]:
    ids = [row.id for row in rows]
    if not ids:
        return ids
    await work.session.execute(
        update(Batch)
        .where(col(Batch.tenant_id) == work.tenant_id, among(col(Batch.id), ids))
        .values(locked=locked, locked_until=until)
        .execution_options(synchronize_session=False)
    )
    history = [
        {
            "tenant_id": work.tenant_id,
            "id": id_,
            "batch_id": row.id,
            "locked": locked,
            "until": until,
            "reason": reason,
            "actor": work.scope.actor.name,
        }
        for id_, row in zip(await work.next_ids("batch_lock", len(rows)), rows, strict=True)
    ]
    await work.session.execute(insert(BatchLock), history)
    for row in rows:
        work.emit("batch", "locked" if locked else "unlocked", subject_id=row.id, productId=row.product_id)
    touched(work, {row.product_id for row in rows})
    return ids
