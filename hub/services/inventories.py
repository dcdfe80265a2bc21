"""Inventories: counts that belong together, and the correction of the stock by what they found."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.engine import Row
from sqlmodel import col

from hub.context import Level, Permission
from hub.db import UnitOfWork
from hub.errors import Conflict, NotFound
from hub.models.movements import Inventory, InventoryCount
from hub.services import document_changes, inventory_counts
from hub.services.document_changes import step
from hub.services.inventory_corrections import KIND, Finding, correct
from hub.services.inventory_counts import InventoryCountDraft
from hub.services.stock import lock_goods
from hub.statuses import EDITABLE, INVENTORY, VALIDATED, Status, move


@dataclass(frozen=True, slots=True)
class RecordedCount:
    inventory_id: int
    count_id: int


_FINDINGS = text("""
    SELECT c.id, c.inventory_id, c.product_id, l.warehouse_id, c.location_id, c.batch_id, c.batch_code,
           c.production_date, c.expiration_date, c.quantity, c.recorded_quantity, c.serial_numbers,
           c.recorded_serial_numbers
    FROM inventory_counts c
    JOIN locations l ON l.tenant_id = c.tenant_id AND l.id = c.location_id
    WHERE c.tenant_id = :tenant AND c.inventory_id = :inventory_id
    ORDER BY c.id
""")
_NAME_BATCHES = text("""
    UPDATE inventory_counts c SET batch_id = n.batch_id
    FROM unnest(cast(:count_id AS bigint[]), cast(:batch_id AS bigint[])) AS n (count_id, batch_id)
    WHERE c.tenant_id = :tenant AND c.id = n.count_id
""")


async def count(work: UnitOfWork, *, draft: InventoryCountDraft, validated: bool = False) -> RecordedCount:
    """Record a count; a second one of the same goods replaces the first.

    `validated` ends the inventory at once: the stock is corrected by all its counts.
    """
    work.scope.require(Level.USER, Permission.PROCESS_INVENTORY)
    inventory_counts.check(draft)
    goods = await inventory_counts.identify(work, draft)
    if draft.inventory_id is None:
        inventory_id, before = await _open(work, goods.place.warehouse_id), None
    else:
        inventory_id, row = draft.inventory_id, await _lock(work, draft.inventory_id)
        before = _require_open(inventory_id, row)
        if row.warehouse_id != goods.place.warehouse_id:
            raise Conflict(f"is not in the warehouse of inventory {inventory_id}", field="locationCode")
    if validated:
        await _lock_products(work, inventory_id, goods.product_id)
    count_id = await inventory_counts.record(work, inventory_id, draft, goods)
    await _move(work, inventory_id, before, Status.ACTIVE)
    if validated:
        await _validate(work, inventory_id, Status.ACTIVE)
    return RecordedCount(inventory_id, count_id)


async def validate(work: UnitOfWork, *, inventory_id: int) -> None:
    """Add to the stock what the counts found beyond what was recorded when they were made (or take it away)."""
    work.scope.require(Level.USER, Permission.PROCESS_INVENTORY)
    before = _require_open(inventory_id, await _lock(work, inventory_id))
    await _validate(work, inventory_id, before)


async def cancel(work: UnitOfWork, *, inventory_id: int) -> None:
    """Give an inventory up; the stock stays as it is."""
    work.scope.require(Level.USER, Permission.PROCESS_INVENTORY)
    row = await _lock(work, inventory_id)
    await _move(work, inventory_id, Status(row.status), Status.CANCELED)


async def _open(work: UnitOfWork, warehouse_id: int) -> int:
    id_ = await work.next_id("inventory")
    row = {"tenant_id": work.tenant_id, "id": id_, "warehouse_id": warehouse_id, "created_by": work.scope.actor.name}
    await work.session.execute(insert(Inventory), [row | {"status": int(Status.IN_PROGRESS)}])
    return id_


async def _lock(work: UnitOfWork, inventory_id: int) -> Row[Any]:
    found = await work.session.execute(
        select(col(Inventory.status), col(Inventory.warehouse_id))
        .where(col(Inventory.tenant_id) == work.tenant_id, col(Inventory.id) == inventory_id)
        .with_for_update()
    )
    row = found.first()
    if row is None:
        raise NotFound(f"inventory {inventory_id} does not exist", field="inventoryId")
    return row


def _require_open(inventory_id: int, row: Row[Any]) -> Status:
    status = Status(row.status)
    if status not in EDITABLE:
        raise Conflict(f"inventory {inventory_id} is {status.name} ({status:d}) already", field="inventoryId")
    return status


async def _lock_products(work: UnitOfWork, inventory_id: int, product_id: int) -> None:
    """What is recorded stays so until it is corrected: two counts of the same goods do not both correct the stock."""
    counted = select(col(InventoryCount.product_id)).where(
        col(InventoryCount.tenant_id) == work.tenant_id, col(InventoryCount.inventory_id) == inventory_id
    )
    others = (await work.session.execute(counted)).scalars()
    await lock_goods(work, {product_id, *others})


async def _validate(work: UnitOfWork, inventory_id: int, before: Status) -> None:
    found = await work.session.execute(_FINDINGS, {"tenant": work.tenant_id, "inventory_id": inventory_id})
    findings = [Finding(*row) for row in found]
    if not findings:
        raise Conflict(f"inventory {inventory_id} has no counts", field="inventoryId")
    await _name_batches(work, await correct(work, findings))
    as_recorded = all(finding.is_as_recorded for finding in findings)
    await _move(work, inventory_id, before, Status.VALIDATED if as_recorded else Status.VALIDATED_WITH_DIFFERENCES)


async def _name_batches(work: UnitOfWork, batches: Mapping[int, int]) -> None:
    """Let counts of batches that came into being with the correction know them."""
    columns = {"count_id": list(batches), "batch_id": list(batches.values())}
    if batches:
        await work.session.execute(_NAME_BATCHES, {"tenant": work.tenant_id} | columns)


async def _move(work: UnitOfWork, inventory_id: int, before: Status | None, after: Status) -> None:
    if before is not None:
        move(INVENTORY, before, after, document=f"inventory {inventory_id}")
    changes: dict[str, object] = {"status": int(after), "updated_at": func.now()}
    if after in VALIDATED:
        changes |= {"validated_at": datetime.now(UTC), "validated_by": work.scope.actor.name}
    await work.session.execute(
        update(Inventory)
        .where(col(Inventory.tenant_id) == work.tenant_id, col(Inventory.id) == inventory_id)
        .values(changes)
    )
    await document_changes.record(work, kind=KIND, steps=[step(inventory_id, before, after)])
    if before == after:
        document_changes.updated(work, kind=KIND, ids=[inventory_id])
