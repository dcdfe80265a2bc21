"""What is in stock, as SQL: totals of a product, and what of a stock item is free."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Numeric,
    Select,
    and_,
    case,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from hub.models.stock import Batch, StockItem

ITEMS = StockItem.__table__  # type: ignore[attr-defined]
BATCHES = Batch.__table__  # type: ignore[attr-defined]


def is_locked(batch: FromClause) -> ColumnElement[bool]:
    """The batch may not be given out at present."""
    return and_(batch.c.locked, or_(batch.c.locked_until.is_(None), batch.c.locked_until > func.now()))


def free_of(item: FromClause) -> ColumnElement[Any]:
    """What nobody has reserved of a stock item; nothing while its batch is locked."""
    batch = BATCHES.alias()
    locked = exists(literal_column("1")).where(
        batch.c.tenant_id == item.c.tenant_id, batch.c.id == item.c.batch_id, is_locked(batch)
    )
    nothing = cast(0, Numeric)
    return case((and_(item.c.batch_id.is_not(None), locked), nothing), else_=item.c.quantity - item.c.reserved)


def product_totals(product: FromClause) -> Select[Any]:
    """One row: `quantity`, `reserved` and `free` over all stock items of the product."""
    item = ITEMS.alias()
    totals = {"quantity": item.c.quantity, "reserved": item.c.reserved, "free": free_of(item)}
    return select(*(func.coalesce(func.sum(value), 0).label(name) for name, value in totals.items())).where(
        item.c.tenant_id == product.c.tenant_id, item.c.product_id == product.c.id
    )


def free_stock(product: FromClause) -> ColumnElement[Any]:
    """The free quantity of a product as a value of its row."""
    item = ITEMS.alias()
    total = select(func.coalesce(func.sum(free_of(item)), 0))
    return total.where(item.c.tenant_id == product.c.tenant_id, item.c.product_id == product.c.id).scalar_subquery()
