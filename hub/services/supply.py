"""Serves orders with goods: what is free is reserved for them, and what they got decides the state they are in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import NotFound
from hub.queries.orders import LineRow, OrderRow, find_lines, find_order_ids, find_servable_orders, lock_orders
from hub.queries.stock import Need
from hub.services import document_changes, order_states
from hub.services.order_states import KIND, Change
from hub.services.picking import pick_reserved
from hub.services.reservations import Holder, reserve
from hub.services.stock import lock_goods
from hub.services.values import is_id
from hub.statuses import Status

Lines = Mapping[int, Sequence[LineRow]]
"""Order → its lines."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Which orders got goods, and which of all of them are in another state now."""

    served: Sequence[int] = ()
    moved: Sequence[int] = ()


async def settle(work: UnitOfWork, changes: Sequence[Change], *, lines: Lines | None = None) -> Settled:
    """Reserve what the lines of these locked, editable orders miss, earlier orders first, and move the orders.

    An order that asks for no validation is picked as soon as it is covered and released. `lines` are the orders' lines
    when the caller knows them.
    """
    if not changes:
        return Settled()
    orders = [change.after for change in changes]
    if lines is None:
        lines = await find_lines(work.session, work.tenant_id, [order.id for order in orders])
    products = {line.product_id for mine in lines.values() for line in mine}
    await lock_goods(work, products)
    needs = [_need(order, line) for order in orders for line in lines[order.id] if line.missing]
    got = await reserve(work, Holder.ORDER, needs, partly=True)
    settled = [change.to(_state(change.after, lines[change.after.id], got)) for change in changes]
    await pick_reserved(work, [change.after for change in settled if change.after.status is Status.VALIDATED])
    await order_states.write(work, settled)
    return Settled(
        served=[order_id for order_id, mine in lines.items() if any(line.id in got for line in mine)],
        moved=[change.after.id for change in settled if change.moved],
    )


async def recheck(work: UnitOfWork, *, order_ids: Sequence[int] | None = None, most: int | None = None) -> list[int]:
    """Serve orders waiting for supply, oldest first, all or those named; the ids of those whose state changed.

    `most` bounds the work of one call for the periodic run.
    """
    work.scope.require(Level.USER)
    if order_ids is not None:
        await _refuse_unknown(work, order_ids)
    ids = await find_servable_orders(work.session, work.tenant_id, among_ids=order_ids, most=most)
    locked = await lock_orders(work.session, work.tenant_id, ids)
    waiting = [order for order in locked.values() if order.status is Status.WAITING_FOR_SUPPLY]
    waiting.sort(key=lambda order: (order.created_at, order.id))
    settled = await settle(work, [Change(order, order) for order in waiting])
    document_changes.updated(work, kind=KIND, ids=set(settled.served) - set(settled.moved))
    return list(settled.moved)


async def _refuse_unknown(work: UnitOfWork, order_ids: Sequence[int]) -> None:
    known = await find_order_ids(work.session, work.tenant_id, "id", [id_ for id_ in order_ids if is_id(id_)])
    for id_ in order_ids:
        if id_ not in known:
            raise NotFound(f"{id_} does not exist", field="orderIds")


def _need(order: OrderRow, line: LineRow) -> Need:
    return Need(
        product_id=line.product_id,
        warehouse_id=order.warehouse_id,
        quantity=line.missing,
        line_id=line.id,
        location_id=line.location_id,
    )


def _state(order: OrderRow, lines: Sequence[LineRow], got: Mapping[int, Decimal]) -> Status:
    if not lines:
        return Status.IN_PROGRESS
    if any(line.missing > got.get(line.id, 0) for line in lines):
        return Status.WAITING_FOR_SUPPLY
    return Status.ACTIVE if order.requires_validation or not order.released else Status.VALIDATED
