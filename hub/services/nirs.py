"""Goods receipts (the local legal word is NIR): announced, changed, validated into stock, cancelled, deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import col

from hub.context import Level, Permission
from hub.db import UnitOfWork
from hub.errors import Conflict, Invalid, NotFound
from hub.models.companies import Company
from hub.models.movements import PurchaseOrder, PurchaseOrderNir
from hub.models.stock import Location
from hub.queries.conditions import among
from hub.search import searchable
from hub.services import counting, document_changes, receipts
from hub.services.document_changes import step
from hub.services.nomenclature import Targets
from hub.services.outcomes import Outcome, one_by_one
from hub.services.purchase_receipts import receipts_changed
from hub.services.receipt_lines import (
    CountDraft,
    ReceiptLine,
    ReceiptLineDraft,
    check_lines,
    delete_lines,
    insert_lines,
    resolve_lines,
)
from hub.services.receipts import NIR, Row
from hub.services.values import checked
from hub.statuses import VALIDATED, Status

KEYS = ("external_reference", "third_party_reference")
LINES = "lines"
TEXTS = (*KEYS, "packaging_type", "comment")


@dataclass(frozen=True, slots=True, kw_only=True)
class NirDraft:
    """A goods receipt to be added; without `validation_required` its goods are booked at once."""

    external_reference: str
    third_party_reference: str | None = None
    warehouse_id: int | None = None
    supplier_id: int | None = None
    lines: Sequence[ReceiptLineDraft] = ()
    validation_required: bool = True
    packaging_type: str | None = None
    comment: str | None = None
    purchase_order_ids: Sequence[int] = ()


async def add(work: UnitOfWork, *, nirs: Sequence[NirDraft]) -> list[int]:
    """Add all NIRs, or none; their ids in the same order."""
    work.scope.require(Level.USER)
    for draft in nirs:
        _check(draft)
    return [await _add(work, draft) for draft in nirs]


async def add_each(work: UnitOfWork, *, nirs: Sequence[NirDraft]) -> list[Outcome]:
    """Add the NIRs that can be added; one outcome per draft."""
    work.scope.require(Level.USER)

    async def add_one(draft: NirDraft) -> int:
        _check(draft)
        return await _add(work, draft)

    return await one_by_one(work, nirs, add_one)


async def find_one(work: UnitOfWork, *, nir_id: int | None = None, external_reference: str | None = None) -> int:
    """The NIR meant by its id, by its external reference, or by both when they agree."""
    return await receipts.find_one(work, NIR, document_id=nir_id, external_reference=external_reference)


async def update(work: UnitOfWork, *, nir_id: int, changes: Mapping[str, Any]) -> int:
    """Change an open NIR: its columns, `lines` (replaces all), `requires_validation` (False books it at once)."""
    work.scope.require(Level.USER)
    columns = {name: value for name, value in changes.items() if name != LINES}
    checked(NIR.documents, {name: value for name, value in columns.items() if name != "warehouse_id"}, keys=KEYS)
    if LINES in changes:
        check_lines(changes[LINES], NIR.lines_field)
    (document,) = await receipts.lock(work, NIR, [nir_id])
    if "supplier_id" in columns:
        await _check_supplier(work, columns["supplier_id"])
    if "warehouse_id" in columns:
        columns["warehouse_id"] = await receipts.warehouse_of(work, columns["warehouse_id"])
    after = {**document, **columns}
    new_lines = None
    if LINES in changes:
        new_lines = await resolve_lines(
            work, changes[LINES], NIR.lines_field, noun=NIR.line_noun, warehouse_id=after["warehouse_id"]
        )
    receipts.refuse_settled(NIR, document)
    if not changes:
        return nir_id
    await receipts.refuse_taken(work, NIR, columns, own_id=nir_id)
    lines = await receipts.read_lines(work, NIR, nir_id) if new_lines is None else new_lines
    if new_lines is None and after["warehouse_id"] != document["warehouse_id"]:
        await _refuse_foreign_places(work, lines, after["warehouse_id"])
    if new_lines is not None:
        await delete_lines(work, NIR.lines, NIR.parent, [nir_id])
        await insert_lines(work, NIR.lines, NIR.parent, nir_id, new_lines)
    await _settle(work, before=document["status"], after=after, lines=lines)
    return nir_id


async def validate(work: UnitOfWork, *, nir_id: int, counts: Sequence[CountDraft]) -> int:
    """Book what was counted: 3 when every line came as announced, else 4."""
    work.scope.require(Level.USER, Permission.PROCESS_NIRS)
    counting.check_counts(counts)
    (document,) = await receipts.lock(work, NIR, [nir_id])
    lines = await receipts.read_lines(work, NIR, nir_id)
    counted = await counting.as_counted(work, NIR, document, lines, counts)
    status = await counting.book(work, NIR, document, counted)
    await _moved(work, document, document["status"], status)
    return nir_id


async def cancel(work: UnitOfWork, *, ids: Sequence[int]) -> list[int]:
    """NIRs that are not validated become 0."""
    work.scope.require(Level.USER)
    return await receipts.cancel(work, NIR, ids)


async def delete(work: UnitOfWork, *, targets: Targets) -> list[int]:
    """Delete NIRs (by `id`, `external_reference`) that are not validated."""
    work.scope.require(Level.USER)
    ids = await receipts.find_all(work, NIR, targets)
    return await receipts.delete(work, NIR, ids)


async def update_external_reference(work: UnitOfWork, *, nir_id: int, external_reference: str) -> int:
    """Give a NIR another reference, whatever its status."""
    return await _correct(work, nir_id, {"external_reference": external_reference})


async def update_packaging_type(work: UnitOfWork, *, nir_id: int, packaging_type: str | None) -> int:
    """Note how the goods are packed, whatever the status."""
    return await _correct(work, nir_id, {"packaging_type": packaging_type})


def _check(draft: NirDraft) -> None:
    checked(NIR.documents, {name: getattr(draft, name) for name in TEXTS}, keys=KEYS)
    check_lines(draft.lines, NIR.lines_field)


async def _add(work: UnitOfWork, draft: NirDraft) -> int:
    await _check_supplier(work, draft.supplier_id)
    warehouse_id = await receipts.warehouse_of(work, draft.warehouse_id)
    await _check_purchase_orders(work, draft.purchase_order_ids)
    lines = await resolve_lines(work, draft.lines, NIR.lines_field, noun=NIR.line_noun, warehouse_id=warehouse_id)
    id_ = await work.next_id("nir")
    document = {
        "id": id_,
        "warehouse_id": warehouse_id,
        "supplier_id": draft.supplier_id,
        "status": int(Status.IN_PROGRESS),
        "requires_validation": draft.validation_required,
        **{name: getattr(draft, name) for name in TEXTS},
    }
    await counting.check_announced(work, NIR, document, lines)
    await receipts.refuse_taken(work, NIR, document)
    await work.session.execute(
        insert(NIR.documents).values(tenant_id=work.tenant_id, search=_search(document), **document)
    )
    await insert_lines(work, NIR.lines, NIR.parent, id_, lines)
    if draft.purchase_order_ids:
        links = [
            {"tenant_id": work.tenant_id, "purchase_order_id": order_id, "nir_id": id_}
            for order_id in sorted(set(draft.purchase_order_ids))
        ]
        await work.session.execute(insert(PurchaseOrderNir), links)
    await _settle(work, before=None, after=document, lines=lines)
    return id_


async def _settle(work: UnitOfWork, *, before: int | None, after: Row, lines: Sequence[ReceiptLine]) -> None:
    """Write the document as it is now, in the status that its lines give it; book it when nobody validates it."""
    status = Status.ACTIVE if lines else Status.IN_PROGRESS
    columns = {name: after[name] for name in (*TEXTS, "warehouse_id", "supplier_id", "requires_validation")}
    await receipts.write(work, NIR, after["id"], columns | {"status": int(status), "search": _search(after)})
    if lines and not after["requires_validation"]:
        counted = await counting.as_announced(work, NIR, after["warehouse_id"], lines)
        status = await counting.book(work, NIR, {**after, "status": status}, counted)
    if before == status:
        document_changes.updated(work, kind=NIR.kind, ids=[after["id"]])
    else:
        await _moved(work, after, before, status)


async def _moved(work: UnitOfWork, document: Row, before: int | None, after: int) -> None:
    steps = [step(document["id"], before, after, externalReference=document["external_reference"])]
    await document_changes.record(work, kind=NIR.kind, steps=steps)
    if after in VALIDATED:
        await receipts_changed(work, [document["id"]])


async def _correct(work: UnitOfWork, nir_id: int, values: Row) -> int:
    work.scope.require(Level.USER)
    checked(NIR.documents, values, keys=KEYS)
    (document,) = await receipts.lock(work, NIR, [nir_id])
    await receipts.refuse_taken(work, NIR, values, own_id=nir_id)
    if any(document[name] != value for name, value in values.items()):
        await receipts.write(work, NIR, nir_id, {**values, "search": _search({**document, **values})})
        document_changes.updated(work, kind=NIR.kind, ids=[nir_id])
    return nir_id


def _search(document: Row) -> str:
    return searchable(document["external_reference"], document["third_party_reference"])


async def _check_supplier(work: UnitOfWork, supplier_id: int | None) -> None:
    if supplier_id is None:
        return
    found = await work.session.execute(
        select(col(Company.type)).where(col(Company.tenant_id) == work.tenant_id, col(Company.id) == supplier_id)
    )
    kind = found.scalar_one_or_none()
    if kind is None:
        raise NotFound(f"no company has the id {supplier_id}", field="supplierId")
    if kind == "CLIENT":
        raise Invalid("is a client, not a supplier", field="supplierId", hint="set its type to SUPPLIER or BOTH")


async def _check_purchase_orders(work: UnitOfWork, ids: Sequence[int]) -> None:
    if not ids:
        return
    found = await work.session.execute(
        select(col(PurchaseOrder.id)).where(
            col(PurchaseOrder.tenant_id) == work.tenant_id, among(col(PurchaseOrder.id), ids)
        )
    )
    for id_ in sorted(set(ids) - set(found.scalars())):
        raise NotFound(f"no purchase order has the id {id_}", field="purchaseOrderIds")


async def _refuse_foreign_places(work: UnitOfWork, lines: Sequence[ReceiptLine], warehouse_id: int) -> None:
    """A NIR that changes its warehouse cannot keep lines for locations of the old one."""
    named = {line.location_id for line in lines if line.location_id is not None}
    found = await work.session.execute(
        select(col(Location.code))
        .where(
            col(Location.tenant_id) == work.tenant_id,
            among(col(Location.id), named),
            col(Location.warehouse_id) != warehouse_id,
        )
        .limit(1)
    )
    if (code := found.scalar_one_or_none()) is not None:
        raise Conflict(f"a line names location {code} of another warehouse", hint="give the lines again as well")
