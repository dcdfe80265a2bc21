"""Reservations: parts of stock items promised to lines of orders or transfers, kept equal to the items' `reserved`.

The document's row must be locked by the caller before its lines are reserved or released.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import text

from hub.db import UnitOfWork
from hub.queries.sets import arrays
from hub.queries.stock import ItemKey, Need
from hub.services.allocation import Allocation, allocate, refuse_missing
from hub.services.stock import touched


class Holder(StrEnum):
    """Whose lines hold reservations: the column that names the line."""

    ORDER = "order_line_id"
    TRANSFER = "transfer_line_id"


@dataclass(frozen=True, slots=True)
class Released:
    """A reservation that is no more: the goods it was for are free, and their item is locked."""

    line_id: int
    item_id: int
    product_id: int
    warehouse_id: int
    location_id: int
    batch_id: int | None
    serial_number: str | None
    sscc: str | None
    quantity: Decimal
    expiration_date: date | None
    priority: int
    received_at: datetime

    @property
    def key(self) -> ItemKey:
        return ItemKey(self.product_id, self.location_id, self.batch_id, self.serial_number, self.sscc)

    @property
    def turn(self) -> tuple[date, int, datetime, int]:
        return (self.expiration_date or date.max, self.priority, self.received_at, self.item_id)


_PROMISE = """
    INSERT INTO reservations AS r (tenant_id, id, stock_item_id, {holder}, quantity)
    SELECT :tenant, n.id, n.item_id, n.line_id, n.quantity
    FROM unnest(cast(:id AS bigint[]), cast(:item_id AS bigint[]), cast(:line_id AS bigint[]),
                cast(:quantity AS numeric[])) AS n (id, item_id, line_id, quantity)
    ON CONFLICT (tenant_id, {holder}, stock_item_id) WHERE {holder} IS NOT NULL
    DO UPDATE SET quantity = r.quantity + excluded.quantity
"""
_LOCK_PROMISED = """
    SELECT i.id FROM stock_items i
    WHERE i.tenant_id = :tenant AND i.id IN (
        SELECT r.stock_item_id FROM reservations r
        WHERE r.tenant_id = :tenant AND r.{holder} = ANY (cast(:line_ids AS bigint[])))
    ORDER BY i.id
    FOR UPDATE
"""
_RELEASE = """
    WITH gone AS (
        DELETE FROM reservations r
        WHERE r.tenant_id = :tenant AND r.{holder} = ANY (cast(:line_ids AS bigint[]))
        RETURNING r.{holder} AS line_id, r.stock_item_id, r.quantity
    )
    SELECT g.line_id, i.id, i.product_id, i.warehouse_id, i.location_id, i.batch_id, i.serial_number, i.sscc,
           g.quantity, b.expiration_date, l.priority, i.received_at
    FROM gone g
    JOIN stock_items i ON i.tenant_id = :tenant AND i.id = g.stock_item_id
    JOIN locations l ON l.tenant_id = :tenant AND l.id = i.location_id
    LEFT JOIN batches b ON b.tenant_id = :tenant AND b.id = i.batch_id
"""
_CHANGE_ITEMS = text("""
    UPDATE stock_items i SET reserved = i.reserved + n.quantity
    FROM unnest(cast(:item_id AS bigint[]), cast(:quantity AS numeric[])) AS n (item_id, quantity)
    WHERE i.tenant_id = :tenant AND i.id = n.item_id
""")
_CHANGE_LINES = text("""
    UPDATE order_lines l SET reserved_quantity = l.reserved_quantity + n.quantity
    FROM unnest(cast(:line_id AS bigint[]), cast(:quantity AS numeric[])) AS n (line_id, quantity)
    WHERE l.tenant_id = :tenant AND l.id = n.line_id
""")
_DELTAS = text("""
    INSERT INTO stock_deltas (tenant_id, product_id, warehouse_id, quantity, reserved)
    SELECT :tenant, n.product_id, n.warehouse_id, 0, sum(n.quantity)
    FROM unnest(cast(:product_id AS bigint[]), cast(:warehouse_id AS bigint[]), cast(:quantity AS numeric[]))
         AS n (product_id, warehouse_id, quantity)
    GROUP BY n.product_id, n.warehouse_id
""")


async def reserve(
    work: UnitOfWork, holder: Holder, needs: Sequence[Need], *, partly: bool = False
) -> Mapping[int, Decimal]:
    """Promise free goods to lines: what each `line_id` got now. Without `partly`, `Conflict` when something is missing.

    Earliest expiration first, then the location's priority, then the oldest receipt; locked batches are passed over.
    """
    allocations = await allocate(work, needs)
    if not partly:
        await refuse_missing(work, needs, allocations)
    if not allocations:
        return {}
    await _promise(work, holder, allocations)
    changes = [
        _Change(_line(a.need), a.item.id, a.item.product_id, a.item.warehouse_id, a.quantity) for a in allocations
    ]
    return await _change(work, holder, changes)


async def release(work: UnitOfWork, holder: Holder, line_ids: Collection[int]) -> list[Released]:
    """Give back what is promised to these lines, and tell what it was, in the order in which it is picked."""
    if not line_ids:
        return []
    values = {"tenant": work.tenant_id, "line_ids": list(line_ids)}
    await work.session.execute(text(_LOCK_PROMISED.format(holder=holder.value)), values)
    rows = await work.session.execute(text(_RELEASE.format(holder=holder.value)), values)
    released = sorted((Released(*row) for row in rows), key=lambda part: (part.line_id, part.turn))
    if released:
        changes = [_Change(r.line_id, r.item_id, r.product_id, r.warehouse_id, -r.quantity) for r in released]
        await _change(work, holder, changes)
    return released


@dataclass(frozen=True, slots=True)
class _Change:
    line_id: int
    item_id: int
    product_id: int
    warehouse_id: int
    quantity: Decimal


def _line(need: Need) -> int:
    if need.line_id is None:
        raise ValueError("a reservation needs the line that holds it")
    return need.line_id


async def _promise(work: UnitOfWork, holder: Holder, allocations: Sequence[Allocation]) -> None:
    """Write the reservations; a line that asked twice for the same goods holds them in one."""
    promised: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for allocation in allocations:
        promised[allocation.item.id, _line(allocation.need)] += allocation.quantity
    await work.session.execute(
        text(_PROMISE.format(holder=holder.value)),
        {
            "tenant": work.tenant_id,
            "id": await work.next_ids("reservation", len(promised)),
            "item_id": [item_id for item_id, _ in promised],
            "line_id": [line_id for _, line_id in promised],
            "quantity": list(promised.values()),
        },
    )


async def _change(work: UnitOfWork, holder: Holder, changes: Sequence[_Change]) -> Mapping[int, Decimal]:
    """Let items, order lines and the summary follow the reservations; returns the change of each line."""
    lines: dict[int, Decimal] = defaultdict(Decimal)
    items: dict[int, Decimal] = defaultdict(Decimal)
    for change in changes:
        lines[change.line_id] += change.quantity
        items[change.item_id] += change.quantity
    tenant = {"tenant": work.tenant_id}
    await work.session.execute(_CHANGE_ITEMS, tenant | {"item_id": list(items), "quantity": list(items.values())})
    if holder is Holder.ORDER:
        await work.session.execute(_CHANGE_LINES, tenant | {"line_id": list(lines), "quantity": list(lines.values())})
    await work.session.execute(_DELTAS, tenant | arrays(changes, "product_id", "warehouse_id", "quantity"))
    touched(work, {change.product_id for change in changes})
    return lines
