"""Orders and their lines as the services need them: found by any of their keys, locked, or waiting for goods."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, text
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.models.orders import Order, OrderLine
from hub.queries.conditions import among
from hub.statuses import Status


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order whose row this transaction has locked or written."""

    id: int
    external_order_id: str
    third_party_reference: str | None
    warehouse_id: int
    company_id: int | None
    status: Status
    order_type: int
    requires_validation: bool
    released: bool
    comment: str | None
    awb_external_link: str | None
    invoice_external_link: str | None
    number_of_envelopes: int | None
    number_of_packages: int | None
    created_at: datetime

    @property
    def day(self) -> date:
        """The day under which the summary counts it."""
        return self.created_at.astimezone(UTC).date()

    @property
    def title(self) -> str:
        return f"order {self.id} ({self.external_order_id})"


@dataclass(frozen=True, slots=True)
class LineRow:
    id: int
    order_id: int
    product_id: int
    location_id: int | None
    quantity: Decimal
    reserved_quantity: Decimal
    picked_quantity: Decimal

    @property
    def missing(self) -> Decimal:
        """What is neither promised nor picked yet."""
        return self.quantity - self.reserved_quantity - self.picked_quantity


@dataclass(frozen=True, slots=True)
class OrderedProduct:
    """A product as an order line needs to know it."""

    id: int
    code: str
    active: bool


_ORDER = tuple(col(getattr(Order, name)) for name in OrderRow.__dataclass_fields__)
_LINE = tuple(col(getattr(OrderLine, name)) for name in LineRow.__dataclass_fields__)

_BY_KEY = {
    column: text(
        f"SELECT {column}, id FROM orders WHERE tenant_id = :tenant AND {column} = ANY (cast(:values AS {kind}[]))"
    )
    for column, kind in {"id": "bigint", "external_order_id": "text", "third_party_reference": "text"}.items()
}
_ORDERED_PRODUCTS = text("""
    SELECT id, code, active FROM products
    WHERE tenant_id = :tenant AND (id = ANY (cast(:ids AS bigint[])) OR code = ANY (cast(:codes AS text[])))
""")

# An order without new goods for any of its lines is left alone: a recheck costs what it serves.
_SERVABLE = """
    SELECT o.id FROM orders o
    WHERE o.tenant_id = :tenant AND o.status = 6 {named}
        AND EXISTS (
            SELECT FROM order_lines l
            JOIN stock_items i ON i.tenant_id = :tenant AND i.warehouse_id = o.warehouse_id
                AND i.product_id = l.product_id AND i.quantity > i.reserved
                AND (l.location_id IS NULL OR i.location_id = l.location_id)
            LEFT JOIN batches b ON b.tenant_id = :tenant AND b.id = i.batch_id
            WHERE l.tenant_id = :tenant AND l.order_id = o.id AND l.reserved_quantity < l.quantity
                AND (b.id IS NULL OR NOT b.locked OR b.locked_until <= now()))
    ORDER BY o.created_at, o.id
    LIMIT :most
"""
_ALL_SERVABLE = text(_SERVABLE.format(named=""))
_NAMED_SERVABLE = text(_SERVABLE.format(named="AND o.id = ANY (cast(:ids AS bigint[]))"))


async def find_order_ids(session: AsyncSession, tenant_id: int, column: str, values: Collection[Any]) -> dict[Any, int]:
    """Value of a key (`id`, `external_order_id`, `third_party_reference`) → id, for the orders that exist."""
    if not values:
        return {}
    found = await session.execute(_BY_KEY[column], {"tenant": tenant_id, "values": list(set(values))})
    return {value: int(id_) for value, id_ in found}


async def lock_orders(session: AsyncSession, tenant_id: int, ids: Collection[int]) -> dict[int, OrderRow]:
    """The orders as they are now, locked in ascending order of their ids; those that are gone are missing."""
    if not ids:
        return {}
    found = await session.execute(
        select(*_ORDER)
        .where(col(Order.tenant_id) == tenant_id, among(col(Order.id), ids))
        .order_by(col(Order.id))
        .with_for_update(key_share=True)
    )
    return {row.id: _order(row) for row in found}


async def find_lines(session: AsyncSession, tenant_id: int, order_ids: Collection[int]) -> dict[int, list[LineRow]]:
    """The lines of each order in their sequence; read them after locking the orders."""
    if not order_ids:
        return {}
    found = await session.execute(
        select(*_LINE)
        .where(col(OrderLine.tenant_id) == tenant_id, among(col(OrderLine.order_id), order_ids))
        .order_by(col(OrderLine.order_id), col(OrderLine.position), col(OrderLine.id))
    )
    lines: dict[int, list[LineRow]] = {order_id: [] for order_id in order_ids}
    for row in found:
        lines[row.order_id].append(LineRow(*row))
    return lines


async def find_servable_orders(
    session: AsyncSession, tenant_id: int, *, among_ids: Collection[int] | None, most: int | None
) -> list[int]:
    """Orders waiting for supply for which something is free now, oldest first."""
    values = {"tenant": tenant_id, "most": most}
    if among_ids is None:
        found = await session.execute(_ALL_SERVABLE, values)
    else:
        found = await session.execute(_NAMED_SERVABLE, values | {"ids": list(among_ids)})
    return list(found.scalars())


async def find_ordered_products(
    session: AsyncSession, tenant_id: int, *, ids: Collection[int], codes: Collection[str]
) -> tuple[Mapping[int, OrderedProduct], Mapping[str, OrderedProduct]]:
    """The products that exist among ids and codes: by id, by code."""
    wanted = {"tenant": tenant_id, "ids": list(set(ids)), "codes": list(set(codes))}
    found = await session.execute(_ORDERED_PRODUCTS, wanted)
    products = [OrderedProduct(*row) for row in found]
    return {product.id: product for product in products}, {product.code: product for product in products}


def _order(row: Any) -> OrderRow:
    values = dict(row._mapping) | {"status": Status(row.status)}
    return OrderRow(**values)
