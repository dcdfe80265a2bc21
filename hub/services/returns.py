"""Returns: goods that come back from a client, with or without the order they left with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import insert

from hub.context import Level, Permission
from hub.db import UnitOfWork
from hub.errors import Conflict, Invalid, NotFound
from hub.queries.orders import OrderRow, find_order_ids, lock_orders
from hub.queries.returns import returned_products
from hub.services import counting, document_changes, nomenclature, order_states, receipts
from hub.services.companies import COMPANIES
from hub.services.document_changes import step
from hub.services.nomenclature import Targets
from hub.services.outcomes import Outcome, one_by_one
from hub.services.receipt_lines import (
    CountDraft,
    ReceiptLine,
    ReceiptLineDraft,
    check_lines,
    insert_lines,
    resolve_lines,
)
from hub.services.receipts import RETURN, Row
from hub.services.values import checked
from hub.statuses import ORDER, PICKED, Status, move

KEYS = ("external_reference", "third_party_reference")
TEXTS = (*KEYS, "comment")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnDraft:
    """A return to be added; the client by `company_id` or by its external reference, the order by either key or not."""

    external_reference: str
    external_client_id: str | None = None
    company_id: int | None = None
    initial_external_order_id: str | None = None
    initial_order_id: int | None = None
    third_party_reference: str | None = None
    warehouse_id: int | None = None
    lines: Sequence[ReceiptLineDraft] = ()
    validation_required: bool = True
    comment: str | None = None


async def add(work: UnitOfWork, *, returns: Sequence[ReturnDraft]) -> list[int]:
    """Add all returns, or none; their ids in the same order."""
    work.scope.require(Level.USER)
    for draft in returns:
        _check(draft)
    return [await _add(work, draft) for draft in returns]


async def add_each(work: UnitOfWork, *, returns: Sequence[ReturnDraft]) -> list[Outcome]:
    """Add the returns that can be added; one outcome per draft."""
    work.scope.require(Level.USER)

    async def add_one(draft: ReturnDraft) -> int:
        _check(draft)
        return await _add(work, draft)

    return await one_by_one(work, returns, add_one)


async def find_one(work: UnitOfWork, *, return_id: int | None = None, external_reference: str | None = None) -> int:
    """The return meant by its id, by its external reference, or by both when they agree."""
    return await receipts.find_one(work, RETURN, document_id=return_id, external_reference=external_reference)


async def validate(work: UnitOfWork, *, return_id: int, counts: Sequence[CountDraft]) -> int:
    """Book what was counted: 3 when every line came back as announced, else 4."""
    work.scope.require(Level.USER, Permission.PROCESS_NIRS)
    counting.check_counts(counts)
    (document,) = await receipts.lock(work, RETURN, [return_id])
    lines = await receipts.read_lines(work, RETURN, return_id)
    counted = await counting.as_counted(work, RETURN, document, lines, counts)
    order = await _lock_order(work, document["initial_order_id"])
    if order is not None:
        came: dict[int, Decimal] = {}
        for count in counted.counts:
            came[count.line.product_id] = came.get(count.line.product_id, Decimal(0)) + count.draft.quantity
        await _refuse_more_than_picked(work, order, came, own_id=return_id)
    status = await counting.book(work, RETURN, document, counted)
    await _moved(work, document, document["status"], status)
    await _settle_order(work, order)
    return return_id


async def cancel(work: UnitOfWork, *, ids: Sequence[int]) -> list[int]:
    """Returns that are not validated become 0."""
    work.scope.require(Level.USER)
    return await receipts.cancel(work, RETURN, ids)


async def delete(work: UnitOfWork, *, targets: Targets) -> list[int]:
    """Delete returns (by `id`, `external_reference`) that are not validated."""
    work.scope.require(Level.USER)
    ids = await receipts.find_all(work, RETURN, targets)
    return await receipts.delete(work, RETURN, ids)


def _check(draft: ReturnDraft) -> None:
    checked(RETURN.documents, {name: getattr(draft, name) for name in TEXTS}, keys=KEYS)
    if draft.external_client_id is None and draft.company_id is None:
        raise Invalid("is required", field="externalClientId")
    check_lines(draft.lines, RETURN.lines_field)


async def _add(work: UnitOfWork, draft: ReturnDraft) -> int:
    company_id = await _company(work, draft)
    order_id = await _order_id(work, draft)
    warehouse_id = await receipts.warehouse_of(work, draft.warehouse_id)
    lines = await resolve_lines(work, draft.lines, RETURN.lines_field, noun=RETURN.line_noun, warehouse_id=warehouse_id)
    document = {
        "id": await work.next_id("return"),
        "company_id": company_id,
        "warehouse_id": warehouse_id,
        "initial_order_id": order_id,
        "status": int(Status.ACTIVE if lines else Status.IN_PROGRESS),
        "requires_validation": draft.validation_required,
        **{name: getattr(draft, name) for name in TEXTS},
    }
    await counting.check_announced(work, RETURN, document, lines)
    await receipts.refuse_taken(work, RETURN, document)
    order = await _lock_order(work, order_id)
    if order is not None:
        await _refuse_more_than_picked(work, order, _by_product(lines), own_id=None)
    await work.session.execute(insert(RETURN.documents).values(tenant_id=work.tenant_id, **document))
    await insert_lines(work, RETURN.lines, RETURN.parent, document["id"], lines)
    status = document["status"]
    if lines and not draft.validation_required:
        counted = await counting.as_announced(work, RETURN, warehouse_id, lines)
        status = await counting.book(work, RETURN, document, counted)
    await _moved(work, document, None, status)
    if status == Status.VALIDATED:
        await _settle_order(work, order)
    return int(document["id"])


async def _moved(work: UnitOfWork, document: Row, before: int | None, after: int) -> None:
    steps = [step(document["id"], before, after, externalReference=document["external_reference"])]
    await document_changes.record(work, kind=RETURN.kind, steps=steps)


async def _company(work: UnitOfWork, draft: ReturnDraft) -> int:
    targets: dict[str, list[Any]] = {}
    if draft.external_client_id is not None:
        targets["external_reference"] = [draft.external_client_id]
    if draft.company_id is not None:
        targets["id"] = [draft.company_id]
    found: set[int] = set()
    for column, values in targets.items():
        ids = await nomenclature.ids_by(work, COMPANIES, column, values)
        if not ids:
            field = "companyId" if column == "id" else "externalClientId"
            raise NotFound(f"no company is known as {values[0]}", field=field)
        found.update(ids.values())
    if len(found) > 1:
        raise Invalid("names another company than externalClientId", field="companyId")
    return found.pop()


async def _order_id(work: UnitOfWork, draft: ReturnDraft) -> int | None:
    found: set[int] = set()
    for column, value, field in (
        ("external_order_id", draft.initial_external_order_id, "initialExternalOrderId"),
        ("id", draft.initial_order_id, "initialOrderId"),
    ):
        if value is not None:
            ids = await find_order_ids(work.session, work.tenant_id, column, [value])
            if not ids:
                raise NotFound(f"no order is known as {value}", field=field)
            found.update(ids.values())
    if len(found) > 1:
        raise Invalid("names another order than initialExternalOrderId", field="initialOrderId")
    return found.pop() if found else None


async def _lock_order(work: UnitOfWork, order_id: int | None) -> OrderRow | None:
    """The initial order; returns of one order come one after the other."""
    if order_id is None:
        return None
    locked = await lock_orders(work.session, work.tenant_id, [order_id])
    if order_id not in locked:
        raise NotFound(f"no order has the id {order_id}", field="initialOrderId")
    return locked[order_id]


async def _refuse_more_than_picked(
    work: UnitOfWork, order: OrderRow, coming: Mapping[int, Decimal], *, own_id: int | None
) -> None:
    """All returns of an order together bring back at most what was picked of each product."""
    if order.status not in PICKED:
        raise Conflict(f"{order.title} is not picked yet", field="initialExternalOrderId")
    for product in await returned_products(work.session, work.tenant_id, order.id, besides=own_id, also=coming):
        back = coming.get(product.id, Decimal(0))
        if back and product.announced + back > product.picked:
            raise Conflict(
                f"{back.normalize():f} of product {product.code} cannot come back: "
                f"{product.picked.normalize():f} were picked, {product.announced.normalize():f} are in other returns",
                field=RETURN.lines_field,
            )


async def _settle_order(work: UnitOfWork, order: OrderRow | None) -> None:
    """The order is 8 once everything picked has come back. Its row is locked."""
    if order is None or order.status is Status.RETURNED:
        return
    products = await returned_products(work.session, work.tenant_id, order.id)
    if all(product.validated >= product.picked for product in products):
        after = move(ORDER, order.status, Status.RETURNED, document=order.title)
        await order_states.write(work, [order_states.Change(order, order).to(after)])


def _by_product(lines: Sequence[ReceiptLine]) -> dict[int, Decimal]:
    quantities: dict[int, Decimal] = {}
    for line in lines:
        quantities[line.product_id] = quantities.get(line.product_id, Decimal(0)) + line.quantity
    return quantities
