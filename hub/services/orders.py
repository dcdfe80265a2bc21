"""Orders: added, changed and deleted as sets. Their states follow from what `supply` reserves for them."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, func
from sqlalchemy import delete as delete_rows
from sqlalchemy import update as update_rows
from sqlmodel import col

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import Conflict, Invalid, NotFound
from hub.models import metadata
from hub.models.orders import Order, OrderLine, OrderRequirement
from hub.queries.conditions import among
from hub.queries.orders import LineRow, find_lines, lock_orders
from hub.search import searchable
from hub.services import document_changes, nomenclature, order_states
from hub.services.buyers import settle_buyers
from hub.services.nomenclature import Nomenclature, Targets
from hub.services.order_drafts import KEYS, ORDERS, OrderDraft
from hub.services.order_states import KIND, Change
from hub.services.order_wishes import Wish, examine, wish_to_add, wish_to_change
from hub.services.outcomes import Effect, OnError, Outcome, first_refusal, in_halves
from hub.services.reservations import Holder, release
from hub.services.stock import lock_goods
from hub.services.supply import Lines, settle
from hub.statuses import DELETABLE_ORDER, Status

_LINES = metadata.tables["order_lines"]
_REQUIREMENTS = metadata.tables["order_requirements"]
_LINE_ROW = tuple(field.name for field in fields(LineRow))

TARGETS = Nomenclature(model=Order, noun="order", keys=KEYS)
"""How orders are named: by `id`, `external_order_id`, `third_party_reference`."""


async def add(work: UnitOfWork, *, orders: Sequence[OrderDraft]) -> list[int]:
    """Add all orders, or none; their ids in the same order."""
    return [outcome.id for outcome in await add_orders(work, orders=orders) if outcome.id is not None]


async def add_orders(work: UnitOfWork, *, orders: Sequence[OrderDraft], on_error: OnError = "raise") -> list[Outcome]:
    """Add orders and reserve for them, earlier ones first. One outcome per draft."""
    work.scope.require(Level.USER)
    ids = await work.next_ids("order", len(orders))
    wishes = [wish_to_add(id_, draft) for id_, draft in zip(ids, orders, strict=True)]
    return await _fulfil(work, wishes, on_error)


async def update(work: UnitOfWork, *, targets: Targets, changes: Mapping[str, Any]) -> list[int]:
    """Give all orders meant the same new values; see `update_orders`."""
    work.scope.require(Level.USER)
    refusal = wish_to_change(0, None, changes).error
    if isinstance(refusal, Invalid):
        raise refusal
    ids = await nomenclature.meant(work, TARGETS, targets, {key: changes[key] for key in KEYS if key in changes})
    await update_orders(work, orders=[(id_, changes) for id_ in ids])
    return ids


async def update_orders(
    work: UnitOfWork, *, orders: Sequence[tuple[int, Mapping[str, Any]]], on_error: OnError = "raise"
) -> list[Outcome]:
    """Change orders (id, new values); a key present is set, None clears it.

    Keys are columns and `company` (BuyerDraft), `lines` (all of them are replaced and reserved again),
    `requirements`. What may change depends on the state.
    """
    work.scope.require(Level.USER)
    locked = await lock_orders(work.session, work.tenant_id, [id_ for id_, _ in orders])
    wishes = [wish_to_change(id_, locked.get(id_), changes) for id_, changes in orders]
    seen: set[int] = set()
    for wish in wishes:
        if wish.id in seen:
            wish.refuse(Invalid("is named twice", field="orderId"))
        seen.add(wish.id)
    return await _fulfil(work, wishes, on_error)


async def delete(work: UnitOfWork, *, targets: Targets) -> list[int]:
    """Delete orders of which nothing was picked; what was reserved for them is free again."""
    work.scope.require(Level.USER)
    ids = await nomenclature.find(work, TARGETS, targets)
    orders = await lock_orders(work.session, work.tenant_id, ids)
    for id_ in ids:
        if id_ not in orders:
            raise NotFound(f"{id_} does not exist", field="orderId")
        if (order := orders[id_]).status not in DELETABLE_ORDER:
            raise Conflict(f"{order.title} is {order.status.name} ({order.status:d}) and cannot be deleted")
    lines = await find_lines(work.session, work.tenant_id, ids)
    await release(work, Holder.ORDER, [line.id for mine in lines.values() for line in mine])
    await _delete_lines(work, ids)
    mine = (col(Order.tenant_id) == work.tenant_id, among(col(Order.id), ids))
    await work.session.execute(delete_rows(Order).where(*mine))
    await order_states.uncount(work, orders.values())
    document_changes.deleted(work, kind=KIND, ids=ids)
    return ids


async def set_awb_link(work: UnitOfWork, *, order_id: int, link: str) -> int:
    """Store the link to the air waybill, in any state but CANCELED."""
    await update_orders(work, orders=[(order_id, {"awb_external_link": link})])
    return order_id


async def _fulfil(work: UnitOfWork, wishes: Sequence[Wish], on_error: OnError) -> list[Outcome]:
    await examine(work, wishes)
    if on_error == "raise":
        if (error := first_refusal([wish.error for wish in wishes])) is not None:
            raise error
        await _write(work, wishes)
    else:
        accepted = [wish for wish in wishes if wish.error is None]
        for wish, error in zip(accepted, await in_halves(work, accepted, lambda p: _write(work, p)), strict=True):
            wish.error = error
    return [_outcome(wish) for wish in wishes]


def _outcome(wish: Wish) -> Outcome:
    if wish.error is not None:
        return Outcome(wish.id if wish.before else None, Effect.REFUSED, wish.error)
    if wish.before is None:
        return Outcome(wish.id, Effect.ADDED)
    return Outcome(wish.id, Effect.UPDATED if wish.changes_anything else Effect.UNCHANGED)


async def _write(work: UnitOfWork, wishes: Sequence[Wish]) -> None:
    new = [None if wish.company_id is not None else wish.company for wish in wishes]
    for wish, made in zip(wishes, await settle_buyers(work, new), strict=True):
        company_id = wish.company_id if made is None else made
        if company_id is not None or wish.clears_company:
            wish.columns["company_id"] = company_id
    changed = [wish for wish in wishes if wish.before is not None and wish.changes_anything]
    now = await _insert(work, [wish for wish in wishes if wish.before is None])
    await _update(work, changed)
    supplied = [wish for wish in wishes if wish.changes_supply]
    old = await find_lines(work.session, work.tenant_id, [wish.id for wish in supplied if wish.before is not None])
    await _lock_goods(work, supplied, old)
    await _take_back(work, [wish for wish in supplied if wish.replaces_reservations], old)
    await _write_requirements(work, [wish for wish in wishes if wish.requirements is not None])
    lines = await _insert_lines(work, [wish for wish in wishes if wish.lines is not None])
    await settle(work, [Change(wish.before, wish.after(now)) for wish in supplied], lines={**old, **lines})
    document_changes.updated(work, kind=KIND, ids=[wish.id for wish in changed])


async def _insert(work: UnitOfWork, wishes: Sequence[Wish]) -> datetime | None:
    """Store new orders; the moment that all of them bear."""
    rows = [
        {"id": wish.id, "status": int(Status.IN_PROGRESS), "company_id": None}
        | wish.columns
        | {"search": _search(wish)}
        for wish in wishes
    ]
    return next(iter(await work.insert(ORDERS, rows, returning="created_at")), None)


async def _update(work: UnitOfWork, wishes: Sequence[Wish]) -> None:
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for wish in wishes:
        columns = wish.differing
        if columns.keys() & set(KEYS):
            columns["search"] = _search(wish)
        row = {"_id": wish.id} | {f"_{name}": value for name, value in columns.items()}
        groups.setdefault(tuple(columns), []).append(row)
    for names, rows in groups.items():
        values: dict[str, Any] = {name: bindparam(f"_{name}") for name in names}
        await work.session.execute(
            update_rows(ORDERS)
            .where(ORDERS.c.tenant_id == work.tenant_id, ORDERS.c.id == bindparam("_id"))
            .values(values | {"updated_at": func.now()}),
            rows,
        )


def _search(wish: Wish) -> str:
    keys = {key: getattr(wish.before, key, None) for key in KEYS} | wish.columns
    return searchable(*(keys[key] for key in KEYS))


async def _lock_goods(work: UnitOfWork, wishes: Sequence[Wish], old: Lines) -> None:
    """Lock the products of the lines that come and of those that go at once, before anything of them is moved."""
    products = {line.product_id for mine in old.values() for line in mine}
    await lock_goods(work, products | {line.product_id for wish in wishes for line in wish.resolved})


async def _take_back(work: UnitOfWork, wishes: Sequence[Wish], old: dict[int, list[LineRow]]) -> None:
    """Release what the orders hold; lines that are replaced are gone, the others must fit into the new warehouse."""
    for wish in wishes:
        if wish.lines is None and any(line.location_id is not None for line in old[wish.id]):
            raise Conflict(
                "the order's lines name locations of the present warehouse",
                field="warehouseId",
                hint="send orderProducts as well",
            )
    await release(work, Holder.ORDER, [line.id for wish in wishes for line in old[wish.id]])
    await _delete_lines(work, [wish.id for wish in wishes if wish.lines is not None])
    for wish in wishes:
        old[wish.id] = [replace(line, reserved_quantity=Decimal(0)) for line in old[wish.id]]


async def _delete_lines(work: UnitOfWork, order_ids: Sequence[int]) -> None:
    if order_ids:
        mine = (col(OrderLine.tenant_id) == work.tenant_id, among(col(OrderLine.order_id), order_ids))
        await work.session.execute(delete_rows(OrderLine).where(*mine))


async def _insert_lines(work: UnitOfWork, wishes: Sequence[Wish]) -> Lines:
    """Store the lines that orders shall have from now on."""
    wanted = [(wish.id, position, line) for wish in wishes for position, line in enumerate(wish.resolved)]
    lines: dict[int, list[LineRow]] = {wish.id: [] for wish in wishes}
    rows = []
    for id_, (order_id, position, line) in zip(await work.next_ids("order_line", len(wanted)), wanted, strict=True):
        row = LineRow(id_, order_id, line.product_id, line.location_id, line.quantity, Decimal(0), Decimal(0))
        lines[order_id].append(row)
        more = {"position": position, "external_line_id": line.external_line_id}
        rows.append({name: getattr(row, name) for name in _LINE_ROW} | more)
    await work.insert(_LINES, rows)
    return lines


async def _write_requirements(work: UnitOfWork, wishes: Sequence[Wish]) -> None:
    replaced = [wish.id for wish in wishes if wish.before is not None]
    if replaced:
        mine = (col(OrderRequirement.tenant_id) == work.tenant_id, among(col(OrderRequirement.order_id), replaced))
        await work.session.execute(delete_rows(OrderRequirement).where(*mine))
    wanted = [(wish.id, number, pair) for wish in wishes for number, pair in enumerate(wish.requirements or ())]
    ids = await work.next_ids("order_requirement", len(wanted))
    rows = [
        {"id": id_, "order_id": order_id, "position": number, "name": name, "value": value}
        for id_, (order_id, number, (name, value)) in zip(ids, wanted, strict=True)
    ]
    await work.insert(_REQUIREMENTS, rows)
