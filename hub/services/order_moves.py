"""The steps of an order that somebody asks for: picking, validation by status, closing, return, cancelling, release."""

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import func, update
from sqlmodel import col

from hub.context import Level, Permission
from hub.db import UnitOfWork
from hub.errors import Conflict, Invalid, NotFound
from hub.models.orders import Order
from hub.queries.conditions import among
from hub.queries.orders import LineRow, OrderRow, find_lines, lock_orders
from hub.services import document_changes, order_states
from hub.services.order_drafts import check_columns
from hub.services.order_states import KIND, Change
from hub.services.picking import pick_reserved, require_released
from hub.services.reservations import Holder, release
from hub.services.supply import settle
from hub.statuses import EDITABLE_ORDER, Status

S = Status
BY_HAND = frozenset(
    {
        (S.ACTIVE, S.IN_PICKING),
        (S.IN_PICKING, S.ACTIVE),
        (S.ACTIVE, S.VALIDATED),
        (S.IN_PICKING, S.VALIDATED),
        (S.WAITING_FOR_SUPPLY, S.VALIDATED_WITH_DIFFERENCES),
        (S.VALIDATED, S.CLOSED),
        (S.VALIDATED_WITH_DIFFERENCES, S.CLOSED),
        (S.VALIDATED, S.RETURNED),
        (S.VALIDATED_WITH_DIFFERENCES, S.RETURNED),
        (S.CLOSED, S.RETURNED),
        (S.IN_PROGRESS, S.CANCELED),
        (S.ACTIVE, S.CANCELED),
        (S.WAITING_FOR_SUPPLY, S.CANCELED),
        (S.IN_PICKING, S.CANCELED),
    }
)
"""The steps that may be asked for by naming the status; the others follow from lines, stock and the picker's counts."""
PICKING = frozenset({S.IN_PICKING, S.VALIDATED, S.VALIDATED_WITH_DIFFERENCES})


async def change_status(work: UnitOfWork, *, order_id: int, status: int, awb_external_link: str | None = None) -> int:
    """Move an order by hand, and store the link when one is given; the status it has already is no step."""
    work.scope.require(Level.USER, Permission.PROCESS_OUTBOUND)
    if status not in set(Status):
        raise Invalid("must be a status from 0 to 8", field="status")
    link = check_columns({} if awb_external_link is None else {"awb_external_link": awb_external_link})
    order = await _lock(work, order_id)
    await _step(work, order, Status(status))
    if link:
        await _set(work, [order_id], link)
        if order.status == status:
            document_changes.updated(work, kind=KIND, ids=[order_id])
    return order_id


async def start_picking(work: UnitOfWork, *, order_id: int) -> int:
    """The caller begins to pick an order that is ACTIVE; one in picking stays with its picker."""
    work.scope.require(Level.USER, Permission.PROCESS_OUTBOUND)
    await _step(work, await _lock(work, order_id), Status.IN_PICKING)
    return order_id


async def cancel(work: UnitOfWork, *, order_id: int) -> int:
    """Cancel an order that is not picked yet; what was reserved for it is free again."""
    work.scope.require(Level.USER)
    await _step(work, await _lock(work, order_id), Status.CANCELED)
    return order_id


async def mark_returned(work: UnitOfWork, *, order_id: int) -> int:
    """Everything picked of this order came back."""
    work.scope.require(Level.USER)
    await _step(work, await _lock(work, order_id), Status.RETURNED)
    return order_id


async def release_for_picking(work: UnitOfWork, *, order_ids: Collection[int]) -> list[int]:
    """The external system allows the picking of orders; the ids of those that were waiting for it.

    Those that ask for no validation and are covered are picked at once.
    """
    work.scope.require(Level.USER)
    locked = await lock_orders(work.session, work.tenant_id, order_ids)
    held = [order for order in locked.values() if not order.released]
    ids = [order.id for order in held]
    await _set(work, ids, {"released": True})
    editable = [order for order in held if order.status in EDITABLE_ORDER]
    await settle(work, [Change(order, replace(order, released=True)) for order in editable])
    document_changes.updated(work, kind=KIND, ids=ids)
    return ids


async def _lock(work: UnitOfWork, order_id: int) -> OrderRow:
    order = (await lock_orders(work.session, work.tenant_id, [order_id])).get(order_id)
    if order is None:
        raise NotFound(f"{order_id} does not exist", field="orderId")
    return order


async def _step(work: UnitOfWork, order: OrderRow, status: Status) -> None:
    if order.status is status:
        return
    if (order.status, status) not in BY_HAND:
        raise Conflict(
            f"{order.title} cannot go from {order.status.name} ({order.status:d}) to {status.name} ({status:d})",
            field="status",
        )
    if status in PICKING:
        require_released(order)
    if status is Status.CANCELED:
        await release(work, Holder.ORDER, [line.id for line in (await _lines(work, order))])
    elif status is Status.VALIDATED_WITH_DIFFERENCES and not any(
        line.reserved_quantity for line in await _lines(work, order)
    ):
        raise Conflict(f"nothing is reserved for {order.title}", field="status")
    elif status in (Status.VALIDATED, Status.VALIDATED_WITH_DIFFERENCES):
        await pick_reserved(work, [order])
    await order_states.write(work, [Change(order, replace(order, status=status))])


async def _lines(work: UnitOfWork, order: OrderRow) -> list[LineRow]:
    return (await find_lines(work.session, work.tenant_id, [order.id]))[order.id]


async def _set(work: UnitOfWork, order_ids: Collection[int], columns: dict[str, object]) -> None:
    if order_ids:
        mine = (col(Order.tenant_id) == work.tenant_id, among(col(Order.id), order_ids))
        await work.session.execute(update(Order).where(*mine).values({**columns, "updated_at": func.now()}))
