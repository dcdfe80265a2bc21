"""Documents of an old system, stored as records: what happened to the stock is in the opening stock already.

Only orders that are still open do something here: they reserve.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from sqlalchemy import Table, insert

from hub.context import Level
from hub.db import UnitOfWork
from hub.models import metadata
from hub.queries.orders import OrderRow, lock_orders
from hub.services import document_changes, order_states
from hub.services.document_changes import step
from hub.services.nomenclature import Row
from hub.services.order_states import Change
from hub.services.supply import settle
from hub.statuses import EDITABLE_ORDER, Status

RESERVING = EDITABLE_ORDER | {Status.IN_PICKING}
"""The states in which an order holds goods."""

_ORDER_ROW = tuple(field.name for field in fields(OrderRow))
_NIR_LINKS = metadata.tables["purchase_order_nirs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDocument:
    """A document with all its columns, its rows in other tables, and the NIRs that deliver a purchase order."""

    row: Row
    lines: Sequence[tuple[Table, Row]]
    nir_ids: Sequence[int] = ()


async def record(work: UnitOfWork, *, kind: str, table: Table, documents: Sequence[PastDocument]) -> None:
    """Store documents of one kind, each in the state it is in; nothing is booked. Open orders get what is free."""
    work.scope.require(Level.ADMINISTRATOR)
    if kind == "order":
        await _record_orders(work, table, documents)
        return
    await _store(work, table, documents)
    steps = [step(document.row["id"], None, document.row["status"]) for document in documents]
    await document_changes.record(work, kind=kind, steps=steps)


async def _record_orders(work: UnitOfWork, table: Table, documents: Sequence[PastDocument]) -> None:
    """An open order begins without goods: the state it gets follows from what is free for it now."""
    orders = [_order(document.row) for document in documents]
    for document, order in zip(documents, orders, strict=True):
        if order.status in RESERVING:
            document.row["status"] = int(Status.IN_PROGRESS)
    await _store(work, table, documents)
    await order_states.enter(work, [order for order in orders if order.status not in RESERVING])
    picked = {order.id for order in orders if order.status is Status.IN_PICKING}
    # An order in picking is held back here, so that one which needs no validation is not picked a second time.
    open_orders = [
        replace(order, status=Status.IN_PROGRESS, released=order.released and order.id not in picked)
        for order in orders
        if order.status in RESERVING
    ]
    await settle(work, [Change(None, order) for order in open_orders])
    covered = await lock_orders(work.session, work.tenant_id, sorted(picked))
    going_on = [Change(order, order) for order in covered.values() if order.status is Status.ACTIVE]
    if going_on:
        await order_states.write(work, [change.to(Status.IN_PICKING) for change in going_on])
    for document, order in zip(documents, orders, strict=True):
        document.row["status"] = int(order.status)  # the set may be stored again in smaller parts


async def _store(work: UnitOfWork, table: Table, documents: Sequence[PastDocument]) -> None:
    tenant = {"tenant_id": work.tenant_id}
    await work.session.execute(insert(table), [document.row | tenant for document in documents])
    lines: dict[Table, list[Row]] = {}
    for document in documents:
        for line_table, line in document.lines:
            lines.setdefault(line_table, []).append(line | tenant)
    for line_table, rows in lines.items():
        await work.session.execute(insert(line_table), rows)
    links = [
        tenant | {"purchase_order_id": document.row["id"], "nir_id": nir_id}
        for document in documents
        for nir_id in document.nir_ids
    ]
    if links:
        await work.session.execute(insert(_NIR_LINKS), links)


def _order(row: Row) -> OrderRow:
    return OrderRow(**{name: row[name] for name in _ORDER_ROW} | {"status": Status(row["status"])})
