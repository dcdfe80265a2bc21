"""Purchase orders: what was ordered from suppliers. Goods arrive through NIRs, which `purchase_receipts.py` follows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, insert, select
from sqlalchemy import update as update_rows
from sqlmodel import col

from hub.context import Level, Permission
from hub.db import UnitOfWork
from hub.errors import Conflict, Invalid, NotAllowed, NotFound
from hub.models.companies import Company
from hub.models.movements import PurchaseOrder, PurchaseOrderLine
from hub.models.tenants import Tenant
from hub.queries.conditions import among
from hub.queries.places import find_warehouse
from hub.services import document_changes, product_choice, values
from hub.services.document_changes import step
from hub.services.product_choice import Choice
from hub.services.purchase_receipts import KIND, link, lock, move_to, recount, require_nirs
from hub.statuses import DELETABLE, Status

BY_HAND: Mapping[Status, frozenset[Status]] = {
    Status.IN_PROGRESS: frozenset({Status.CANCELED}),
    Status.ACTIVE: frozenset({Status.CANCELED, Status.VALIDATED, Status.VALIDATED_WITH_DIFFERENCES, Status.CLOSED}),
    Status.VALIDATED: frozenset({Status.CLOSED}),
    Status.VALIDATED_WITH_DIFFERENCES: frozenset({Status.ACTIVE, Status.CLOSED}),
}
"""The steps that a caller may ask for; the others follow from products and NIRs."""
LOCKED = frozenset({Status.CANCELED, Status.CLOSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseLineDraft:
    """A product by id, by code, or by both when they agree."""

    quantity: Decimal
    product_id: int | None = None
    product_code: str | None = None
    price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOrderDraft:
    ordered_on: date
    supplier_id: int
    arrival_date: date | None = None
    warehouse_id: int | None = None
    nir_ids: tuple[int, ...] = ()
    comment: str | None = None
    document_number: str | None = None
    lines: tuple[PurchaseLineDraft, ...] = ()


async def add(work: UnitOfWork, *, purchase_orders: Sequence[PurchaseOrderDraft]) -> list[int]:
    """Add all of them, or none."""
    await require_access(work)
    ids = await work.next_ids("purchase_order", len(purchase_orders))
    for id_, draft in zip(ids, purchase_orders, strict=True):
        await _add(work, id_, draft)
    return ids


async def update(work: UnitOfWork, *, purchase_order_id: int, changes: Mapping[str, Any]) -> None:
    """Set the fields of a draft that `changes` names (not the lines); `nir_ids` replaces the list."""
    await require_access(work)
    row = dict(changes)
    nir_ids = row.pop("nir_ids", None)
    _check(row)
    if nir_ids is not None:
        await require_nirs(work, nir_ids)
    before = await _lock(work, purchase_order_id)
    row = await _resolved(work, row)
    await _check_dates(work, purchase_order_id, row)
    _require_editable(purchase_order_id, before)
    await work.session.execute(
        update_rows(PurchaseOrder).where(*_is(work, purchase_order_id)).values(row | {"updated_at": func.now()})
    )
    if nir_ids is not None and await link(work, purchase_order_id, nir_ids):
        await recount(work, {purchase_order_id: before})
    else:
        document_changes.updated(work, kind=KIND, ids=[purchase_order_id])


async def add_line(work: UnitOfWork, *, purchase_order_id: int, line: PurchaseLineDraft) -> int:
    """Order a product more; returns the line's id."""
    await require_access(work)
    _check_line(line, "")
    (product_id,) = await product_choice.resolve(work, [_choice(line, "")])
    before = await _lock(work, purchase_order_id)
    _require_editable(purchase_order_id, before)
    id_ = await _insert_line(work, purchase_order_id, product_id, line)
    await recount(work, {purchase_order_id: before})
    return id_


async def remove_line(work: UnitOfWork, *, line_id: int) -> int:
    """Returns the purchase order's id."""
    await require_access(work)
    mine = (col(PurchaseOrderLine.tenant_id) == work.tenant_id, col(PurchaseOrderLine.id) == line_id)
    purchase_order_id = await work.session.scalar(select(col(PurchaseOrderLine.purchase_order_id)).where(*mine))
    if purchase_order_id is None:
        raise NotFound(f"{line_id} is not a line of a purchase order", field="id")
    before = await _lock(work, purchase_order_id)
    _require_editable(purchase_order_id, before)
    gone = await work.session.execute(delete_rows(PurchaseOrderLine).where(*mine).returning(col(PurchaseOrderLine.id)))
    if gone.first() is None:
        raise NotFound(f"{line_id} is not a line of a purchase order", field="id")
    await recount(work, {purchase_order_id: before})
    return int(purchase_order_id)


async def change_status(work: UnitOfWork, *, purchase_order_id: int, status: int) -> None:
    """One of the steps `BY_HAND`; the status it has already is no change."""
    await require_access(work)
    if status not in set(Status):
        raise Invalid("must be a status from 0 to 8", field="status")
    before = await _lock(work, purchase_order_id)
    if before == status:
        return
    if status not in BY_HAND.get(before, frozenset()):
        raise Conflict(
            f"purchase order {purchase_order_id} cannot go from {before.name} ({before:d}) "
            f"to {Status(status).name} ({status})",
            field="status",
        )
    await move_to(work, purchase_order_id, before, Status(status))


async def close(work: UnitOfWork, *, purchase_order_id: int) -> None:
    """Expect nothing more; closing again is no change."""
    await change_status(work, purchase_order_id=purchase_order_id, status=Status.CLOSED)


async def delete(work: UnitOfWork, *, purchase_order_ids: Collection[int]) -> list[int]:
    """Delete purchase orders that received nothing; all of them or none."""
    await require_access(work)
    ids = sorted(set(purchase_order_ids))
    statuses = {id_: await _lock(work, id_) for id_ in ids}
    for id_, status in statuses.items():
        if status not in DELETABLE:
            raise Conflict(f"purchase order {id_} is {status.name} ({status:d}) and cannot be deleted", field="status")
    for statement in (
        delete_rows(PurchaseOrderLine).where(
            col(PurchaseOrderLine.tenant_id) == work.tenant_id, among(col(PurchaseOrderLine.purchase_order_id), ids)
        ),
        delete_rows(PurchaseOrder).where(
            col(PurchaseOrder.tenant_id) == work.tenant_id, among(col(PurchaseOrder.id), ids)
        ),
    ):
        await work.session.execute(statement)
    document_changes.deleted(work, kind=KIND, ids=ids)
    return ids


async def require_access(work: UnitOfWork) -> None:
    """Level, permission, and that the tenant uses purchase orders at all."""
    work.scope.require(Level.USER, Permission.PURCHASE_ORDER)
    enabled = select(col(Tenant.purchase_orders_enabled)).where(col(Tenant.id) == work.tenant_id)
    if not await work.session.scalar(enabled):
        raise NotAllowed("Insufficient permissions", hint="purchase orders are switched off for this tenant")


async def _add(work: UnitOfWork, id_: int, draft: PurchaseOrderDraft) -> None:
    row = {name: value for name, value in asdict(draft).items() if name not in ("nir_ids", "lines")}
    _check(row)
    for position, line in enumerate(draft.lines):
        _check_line(line, f"products[{position}]")
    row = await _resolved(work, row)
    choices = [_choice(line, f"products[{position}]") for position, line in enumerate(draft.lines)]
    products = await product_choice.resolve(work, choices)
    await require_nirs(work, draft.nir_ids)
    key = {"tenant_id": work.tenant_id, "id": id_, "status": int(Status.IN_PROGRESS)}
    await work.session.execute(insert(PurchaseOrder), [key | row])
    for product_id, line in zip(products, draft.lines, strict=True):
        await _insert_line(work, id_, product_id, line)
    await document_changes.record(work, kind=KIND, steps=[step(id_, None, Status.IN_PROGRESS)])
    await link(work, id_, draft.nir_ids)
    if draft.lines:
        await recount(work, {id_: Status.IN_PROGRESS})


def _check(row: Mapping[str, Any]) -> None:
    if row.get("comment") is not None:
        values.text(row["comment"], field="comment", longest=4000)
    if row.get("document_number") is not None:
        values.text(row["document_number"], field="documentNumber", longest=64)
    if row.get("ordered_on") and row.get("arrival_date") and row["arrival_date"] < row["ordered_on"]:
        raise Invalid("is before date", field="arrivalDate")


async def _check_dates(work: UnitOfWork, purchase_order_id: int, row: Mapping[str, Any]) -> None:
    """The new dates together with those that stay."""
    found = await work.session.execute(
        select(col(PurchaseOrder.ordered_on), col(PurchaseOrder.arrival_date)).where(*_is(work, purchase_order_id))
    )
    _check({**found.one()._mapping, **row})


def _check_line(line: PurchaseLineDraft, path: str) -> None:
    choice = _choice(line, path)
    values.decimal(line.quantity, field=choice.field("quantity"), above=Decimal(0))
    if line.price is not None:
        values.decimal(line.price, field=choice.field("price"))
    product_choice.check([choice])


def _choice(line: PurchaseLineDraft, path: str) -> Choice:
    return Choice(line.product_id, line.product_code, path)


async def _resolved(work: UnitOfWork, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its warehouse; `NotFound` and `Invalid` for a supplier that is none."""
    resolved = dict(row)
    if "supplier_id" in row:
        await _require_supplier(work, row["supplier_id"])
    if "warehouse_id" in row:
        warehouse_id = await find_warehouse(work.session, work.tenant_id, row["warehouse_id"])
        if warehouse_id is None:
            raise NotFound(f"warehouse {row['warehouse_id']} does not exist", field="warehouseId")
        resolved["warehouse_id"] = warehouse_id
    return resolved


async def _require_supplier(work: UnitOfWork, supplier_id: int | None) -> None:
    if supplier_id is None:
        raise Invalid("is mandatory and cannot be cleared", field="supplier")
    type_ = await work.session.scalar(
        select(col(Company.type)).where(col(Company.tenant_id) == work.tenant_id, col(Company.id) == supplier_id)
    )
    if type_ is None:
        raise NotFound(f"company {supplier_id} does not exist", field="supplier")
    if type_ == "CLIENT":
        raise Invalid(f"company {supplier_id} is a client, not a supplier", field="supplier")


async def _lock(work: UnitOfWork, purchase_order_id: int) -> Status:
    found = await lock(work, [purchase_order_id])
    if purchase_order_id not in found:
        raise NotFound(f"purchase order {purchase_order_id} does not exist", field="purchaseOrderId")
    return found[purchase_order_id]


def _require_editable(purchase_order_id: int, status: Status) -> None:
    if status in LOCKED:
        raise Conflict(
            f"purchase order {purchase_order_id} is {status.name} ({status:d}) and cannot be edited", field="status"
        )


async def _insert_line(work: UnitOfWork, purchase_order_id: int, product_id: int, line: PurchaseLineDraft) -> int:
    id_ = await work.next_id("purchase_order_line")
    key = {"tenant_id": work.tenant_id, "id": id_, "purchase_order_id": purchase_order_id, "product_id": product_id}
    row = {"quantity": line.quantity, "price": line.price, "received_quantity": Decimal(0)}
    await work.session.execute(insert(PurchaseOrderLine), [key | row])
    return id_


def _is(work: UnitOfWork, purchase_order_id: int) -> tuple[Any, Any]:
    return (col(PurchaseOrder.tenant_id) == work.tenant_id, col(PurchaseOrder.id) == purchase_order_id)
