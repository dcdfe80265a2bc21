"""Production orders: a product made from components, whose stock changes when the order is closed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Row
from sqlmodel import col

from hub.context import Level, Permission
from hub.db import UnitOfWork
from hub.errors import Conflict, NotFound
from hub.models.movements import ProductionComponent, ProductionOrder
from hub.models.tenants import Tenant
from hub.queries.conditions import among
from hub.queries.places import Place, find_inbound_place, find_places, find_warehouse
from hub.queries.stock import Need
from hub.queries.traceability import find_demands
from hub.services import document_changes, product_choice, values
from hub.services.bookings import Arrival, Issue, book_in, issue
from hub.services.document_changes import step
from hub.services.nomenclature import ids_by
from hub.services.product_choice import Choice
from hub.services.products import PRODUCTS
from hub.services.stock import lock_goods
from hub.statuses import PRODUCTION_ORDER, Status, move

KIND = "production_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentDraft:
    """What the whole order uses up of one product, named by id, by code, or by both when they agree."""

    quantity: Decimal
    product_id: int | None = None
    product_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionOrderDraft:
    product_id: int
    quantity: Decimal
    third_party_reference: str
    warehouse_id: int | None = None
    comment: str | None = None
    components: tuple[ComponentDraft, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where the finished goods go, and what tells them apart; the default is the warehouse's inbound location."""

    location_code: str | None = None
    batch_code: str | None = None
    production_date: date | None = None
    expiration_date: date | None = None


async def add(work: UnitOfWork, *, production_orders: Sequence[ProductionOrderDraft]) -> list[int]:
    """Add all of them, or none; the stock does not change."""
    work.scope.require(Level.USER, Permission.PRODUCTION)
    ids = await work.next_ids("production_order", len(production_orders))
    for id_, draft in zip(ids, production_orders, strict=True):
        await _add(work, id_, draft)
    return ids


async def close(work: UnitOfWork, *, production_order_id: int, output: Output) -> None:
    """Use up the components from free stock and book the product in; `Conflict` when any component is short."""
    work.scope.require(Level.USER, Permission.PRODUCTION)
    order = await _lock(work, production_order_id)
    place = await _place(work, order.warehouse_id, output.location_code)
    after = move(PRODUCTION_ORDER, order.status, Status.CLOSED, document=f"production order {production_order_id}")
    if order.status == after:
        raise Conflict(f"production order {production_order_id} is closed already", field="status")
    demands = (await find_demands(work.session, work.tenant_id, [order.product_id]))[order.product_id]
    if demands.serial_number:
        raise Conflict(f"product {demands.code} has serial numbers and cannot be produced this way")
    batch_code = output.batch_code
    if batch_code is None and demands.batch_code:
        batch_code = await _new_batch_code(work, production_order_id)
    consumption = await _consumption(work, order)
    products = {order.product_id, *(part.need.product_id for part in consumption)}
    await lock_goods(work, products)
    await issue(work, consumption)
    arrival = Arrival(
        product_id=order.product_id,
        location_id=place.id,
        quantity=order.quantity,
        document_kind=KIND,
        document_id=order.id,
        batch_code=batch_code,
        production_date=output.production_date,
        expiration_date=output.expiration_date,
    )
    await book_in(work, [arrival])
    closed = {"produced_quantity": order.quantity, "batch_code": batch_code, "closed_at": datetime.now(UTC)}
    await _write(work, order, after, closed)


async def cancel(work: UnitOfWork, *, production_order_ids: Collection[int]) -> None:
    """Give up production orders that are not closed; all of them or none."""
    work.scope.require(Level.USER, Permission.PRODUCTION)
    for id_ in sorted(set(production_order_ids)):
        order = await _lock(work, id_)
        after = move(PRODUCTION_ORDER, order.status, Status.CANCELED, document=f"production order {id_}")
        await _write(work, order, after, {})


def batch_code_of(template: str, production_order_id: int, day: date) -> str:
    """`P{productionOrderId}-{yyyyMMdd}` → P7-20260301; also knows {yyyy}, {yy}, {MM} and {dd}."""
    parts = {
        "productionOrderId": str(production_order_id),
        "yyyyMMdd": f"{day:%Y%m%d}",
        "yyyy": f"{day:%Y}",
        "yy": f"{day:%y}",
        "MM": f"{day:%m}",
        "dd": f"{day:%d}",
    }
    code = template
    for name, part in parts.items():
        code = code.replace(f"{{{name}}}", part)
    return code


async def _add(work: UnitOfWork, id_: int, draft: ProductionOrderDraft) -> None:
    _check(draft)
    components = await product_choice.resolve(work, _choices(draft))
    if not await ids_by(work, PRODUCTS, "id", [draft.product_id]):
        raise NotFound(f"product {draft.product_id} does not exist", field="productId")
    warehouse_id = await find_warehouse(work.session, work.tenant_id, draft.warehouse_id)
    if warehouse_id is None:
        raise NotFound(f"warehouse {draft.warehouse_id} does not exist", field="warehouseId")
    await _refuse_taken(work, draft.third_party_reference)
    row = {
        "tenant_id": work.tenant_id,
        "id": id_,
        "third_party_reference": draft.third_party_reference,
        "product_id": draft.product_id,
        "quantity": draft.quantity,
        "warehouse_id": warehouse_id,
        "status": int(Status.ACTIVE),
        "comment": draft.comment,
    }
    await work.session.execute(insert(ProductionOrder), [row | {"produced_quantity": Decimal(0)}])
    ids = await work.next_ids("production_component", len(components))
    parts = [
        {"tenant_id": work.tenant_id, "id": part_id, "production_order_id": id_}
        | {"product_id": product_id, "quantity": part.quantity}
        for part_id, product_id, part in zip(ids, components, draft.components, strict=True)
    ]
    if parts:
        await work.session.execute(insert(ProductionComponent), parts)
    await document_changes.record(work, kind=KIND, steps=[step(id_, None, Status.ACTIVE)])


def _check(draft: ProductionOrderDraft) -> None:
    values.decimal(draft.quantity, field="quantity", above=Decimal(0))
    values.text(draft.third_party_reference, field="thirdPartyReference", longest=255, blank=False)
    if draft.comment is not None:
        values.text(draft.comment, field="comment", longest=4000)
    for position, part in enumerate(draft.components):
        values.decimal(part.quantity, field=f"components[{position}].quantity", above=Decimal(0))
    product_choice.check(_choices(draft))


def _choices(draft: ProductionOrderDraft) -> list[Choice]:
    return [
        Choice(part.product_id, part.product_code, f"components[{position}]", "code")
        for position, part in enumerate(draft.components)
    ]


async def _refuse_taken(work: UnitOfWork, reference: str) -> None:
    taken = select(col(ProductionOrder.id)).where(
        col(ProductionOrder.tenant_id) == work.tenant_id, col(ProductionOrder.third_party_reference) == reference
    )
    if await work.session.scalar(taken) is not None:
        raise Conflict(f"{reference} already exists", field="thirdPartyReference")


async def _lock(work: UnitOfWork, production_order_id: int) -> Row[Any]:
    found = await work.session.execute(
        select(ProductionOrder.__table__)  # type: ignore[attr-defined]  # SQLModel does not declare it
        .where(col(ProductionOrder.tenant_id) == work.tenant_id, col(ProductionOrder.id) == production_order_id)
        .with_for_update()
    )
    row = found.first()
    if row is None:
        raise NotFound(f"production order {production_order_id} does not exist", field="orderId")
    return row


async def _place(work: UnitOfWork, warehouse_id: int, code: str | None) -> Place:
    if code is None:
        place = await find_inbound_place(work.session, work.tenant_id, warehouse_id)
        if place is None:
            raise Conflict("the warehouse has no inbound location", field="locationCode", hint="name a location")
        return place
    found = (await find_places(work.session, work.tenant_id, [code])).get(code)
    if found is None or found.warehouse_id != warehouse_id:
        raise NotFound(f"location {code} does not exist in the order's warehouse", field="locationCode")
    return found


async def _new_batch_code(work: UnitOfWork, production_order_id: int) -> str:
    template = await work.session.scalar(select(col(Tenant.batch_code_format)).where(col(Tenant.id) == work.tenant_id))
    return batch_code_of(str(template), production_order_id, datetime.now(UTC).date())


async def _consumption(work: UnitOfWork, order: Row[Any]) -> list[Issue]:
    part = ProductionComponent
    found = await work.session.execute(
        select(col(part.id), col(part.product_id), col(part.quantity))
        .where(col(part.tenant_id) == work.tenant_id, among(col(part.production_order_id), [order.id]))
        .order_by(col(part.id))
    )
    return [
        Issue(
            need=Need(
                product_id=row.product_id, warehouse_id=order.warehouse_id, quantity=row.quantity, line_id=row.id
            ),
            document_kind=KIND,
            document_id=order.id,
        )
        for row in found
    ]


async def _write(work: UnitOfWork, order: Row[Any], after: Status, changes: dict[str, Any]) -> None:
    await work.session.execute(
        update(ProductionOrder)
        .where(col(ProductionOrder.tenant_id) == work.tenant_id, col(ProductionOrder.id) == order.id)
        .values(changes | {"status": int(after), "updated_at": func.now()})
    )
    await document_changes.record(work, kind=KIND, steps=[step(order.id, order.status, after)])
