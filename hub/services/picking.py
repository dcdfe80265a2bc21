"""Picking: goods leave the stock for the lines of an order, with a scan for each, and the order gets its note."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import insert, text

from hub.db import UnitOfWork
from hub.errors import Conflict
from hub.models.orders import GoodsIssuedNote
from hub.queries.orders import OrderRow, find_lines
from hub.services import scans
from hub.services.reservations import Holder, Released, release
from hub.services.stock import Movement, apply

KIND = "order"

_PICKED = text("""
    UPDATE order_lines l SET picked_quantity = l.picked_quantity + n.quantity
    FROM unnest(cast(:line_id AS bigint[]), cast(:quantity AS numeric[])) AS n (line_id, quantity)
    WHERE l.tenant_id = :tenant AND l.id = n.line_id
""")


async def pick_reserved(work: UnitOfWork, orders: Sequence[OrderRow]) -> None:
    """Take everything that is reserved for these locked orders out of the stock."""
    if not orders:
        return
    lines = await find_lines(work.session, work.tenant_id, [order.id for order in orders])
    owners = {line.id: order_id for order_id, mine in lines.items() for line in mine}
    promised = await release(work, Holder.ORDER, list(owners))
    await book_out(work, [goods_of(part, owners[part.line_id], part.quantity) for part in promised])
    await issue_notes(work, orders)


def goods_of(part: Released, order_id: int, quantity: Decimal) -> Movement:
    """The movement that takes so much of released goods out for their order."""
    return Movement(
        product_id=part.product_id,
        location_id=part.location_id,
        quantity=-quantity,
        document_kind=KIND,
        document_id=order_id,
        line_id=part.line_id,
        batch_id=part.batch_id,
        serial_number=part.serial_number,
        sscc=part.sscc,
    )


async def book_out(work: UnitOfWork, movements: Sequence[Movement]) -> None:
    """Move picked goods out of the stock and note on their lines what was picked."""
    if not movements:
        return
    await apply(work, movements)
    picked: dict[int, Decimal] = defaultdict(Decimal)
    for movement in movements:
        if movement.line_id is not None:
            picked[movement.line_id] -= movement.quantity
    values = {"tenant": work.tenant_id, "line_id": list(picked), "quantity": list(picked.values())}
    await work.session.execute(_PICKED, values)
    await scans.record(work, movements)


async def issue_notes(work: UnitOfWork, orders: Sequence[OrderRow]) -> None:
    """Make the goods issued note of each order; its number is its id."""
    ids = await work.next_ids("goods_issued_note", len(orders))
    rows = [
        {"tenant_id": work.tenant_id, "id": id_, "order_id": order.id, "number": str(id_)}
        for id_, order in zip(ids, orders, strict=True)
    ]
    await work.session.execute(insert(GoodsIssuedNote), rows)


def require_released(order: OrderRow) -> None:
    """Raise `Conflict` while the external system has not released the order for picking."""
    if not order.released:
        raise Conflict(
            f"{order.title} is not released for picking by the external system yet",
            field="status",
            hint="it is released when the external order reaches the mapped picking status",
        )
