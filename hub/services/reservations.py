"""Reservations: parts of stock items promised to lines of orders or transfers, kept equal to the items' `reserved`.

The document's row must be locked by the caller before its lines are reserved or released.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import TextClause, text

from hub.db import UnitOfWork
from hub.queries.sets import arrays
from hub.queries.stock import ItemKey, Need
from hub.services.allocation import allocate, refuse_missing
from hub.services.stock import lock_goods, touched


class Holder(StrEnum):
    """Whose lines hold reservations: the column that names the line."""

    ORDER = "order_line_id"
    TRANSFER = "transfer_line_id"


@dataclass(frozen=True, slots=True)
class Released:
    """A reservation that is no more: the goods it was for are free, and stay so until this transaction ends."""

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


def _of_each_holder(statement: str) -> Mapping[Holder, TextClause]:
    return {holder: text(statement.format(holder=holder.value)) for holder in Holder}


# Items, lines and summary follow the reservations in one statement; a transfer's lines keep no sum of their own.
_PROMISE = _of_each_holder("""
    WITH promised AS (
        SELECT * FROM unnest(cast(:id AS bigint[]), cast(:line_id AS bigint[]), cast(:item_id AS bigint[]),
                             cast(:product_id AS bigint[]), cast(:warehouse_id AS bigint[]),
                             cast(:quantity AS numeric[]))
                      AS n (id, line_id, item_id, product_id, warehouse_id, quantity)
    ), written AS (
        INSERT INTO reservations AS r (tenant_id, id, stock_item_id, {holder}, quantity)
        SELECT :tenant, id, item_id, line_id, quantity FROM promised
        ON CONFLICT (tenant_id, {holder}, stock_item_id) WHERE {holder} IS NOT NULL
        DO UPDATE SET quantity = r.quantity + excluded.quantity
    ), items AS (
        UPDATE stock_items i SET reserved = i.reserved + n.quantity
        FROM (SELECT item_id, sum(quantity) AS quantity FROM promised GROUP BY item_id) n
        WHERE i.tenant_id = :tenant AND i.id = n.item_id
    ), lines AS (
        UPDATE order_lines l SET reserved_quantity = l.reserved_quantity + n.quantity
        FROM (SELECT line_id, sum(quantity) AS quantity FROM promised GROUP BY line_id) n
        WHERE '{holder}' = 'order_line_id' AND l.tenant_id = :tenant AND l.id = n.line_id
    )
    INSERT INTO stock_deltas (tenant_id, product_id, warehouse_id, quantity, reserved)
    SELECT :tenant, product_id, warehouse_id, 0, sum(quantity) FROM promised GROUP BY product_id, warehouse_id
""")
_PROMISED_PRODUCTS = _of_each_holder("""
    SELECT DISTINCT i.product_id FROM reservations r
    JOIN stock_items i ON i.tenant_id = :tenant AND i.id = r.stock_item_id
    WHERE r.tenant_id = :tenant AND r.{holder} = ANY (cast(:line_ids AS bigint[]))
""")
_RELEASE = _of_each_holder("""
    WITH gone AS (
        DELETE FROM reservations r
        WHERE r.tenant_id = :tenant AND r.{holder} = ANY (cast(:line_ids AS bigint[]))
        RETURNING r.{holder} AS line_id, r.stock_item_id, r.quantity
    ), released AS (
        SELECT g.line_id, i.id, i.product_id, i.warehouse_id, i.location_id, i.batch_id, i.serial_number, i.sscc,
               g.quantity, b.expiration_date, l.priority, i.received_at
        FROM gone g
        JOIN stock_items i ON i.tenant_id = :tenant AND i.id = g.stock_item_id
        JOIN locations l ON l.tenant_id = :tenant AND l.id = i.location_id
        LEFT JOIN batches b ON b.tenant_id = :tenant AND b.id = i.batch_id
    ), items AS (
        UPDATE stock_items i SET reserved = i.reserved - n.quantity
        FROM (SELECT id, sum(quantity) AS quantity FROM released GROUP BY id) n
        WHERE i.tenant_id = :tenant AND i.id = n.id
    ), lines AS (
        UPDATE order_lines l SET reserved_quantity = l.reserved_quantity - n.quantity
        FROM (SELECT line_id, sum(quantity) AS quantity FROM released GROUP BY line_id) n
        WHERE '{holder}' = 'order_line_id' AND l.tenant_id = :tenant AND l.id = n.line_id
    ), deltas AS (
        INSERT INTO stock_deltas (tenant_id, product_id, warehouse_id, quantity, reserved)
        SELECT :tenant, product_id, warehouse_id, 0, -sum(quantity) FROM released GROUP BY product_id, warehouse_id
    )
    SELECT * FROM released
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
    items = {allocation.item.id: allocation.item for allocation in allocations}
    promised: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    lines: dict[int, Decimal] = defaultdict(Decimal)
    for allocation in allocations:
        promised[_line(allocation.need), allocation.item.id] += allocation.quantity
        lines[_line(allocation.need)] += allocation.quantity
    await work.session.execute(
        _PROMISE[holder],
        {
            "tenant": work.tenant_id,
            "id": await work.next_ids("reservation", len(promised)),
            "line_id": [line_id for line_id, _ in promised],
            "item_id": [item_id for _, item_id in promised],
            "quantity": list(promised.values()),
            **arrays((items[item_id] for _, item_id in promised), "product_id", "warehouse_id"),
        },
    )
    touched(work, {item.product_id for item in items.values()})
    return lines


async def release(work: UnitOfWork, holder: Holder, line_ids: Collection[int]) -> list[Released]:
    """Give back what is promised to these lines, and tell what it was, in the order in which it is picked."""
    if not line_ids:
        return []
    values = {"tenant": work.tenant_id, "line_ids": list(line_ids)}
    products = await work.session.execute(_PROMISED_PRODUCTS[holder], values)
    await lock_goods(work, list(products.scalars()))
    rows = await work.session.execute(_RELEASE[holder], values)
    released = sorted((Released(*row) for row in rows), key=lambda part: (part.line_id, part.turn))
    touched(work, {part.product_id for part in released})
    return released


def _line(need: Need) -> int:
    if need.line_id is None:
        raise ValueError("a reservation needs the line that holds it")
    return need.line_id
