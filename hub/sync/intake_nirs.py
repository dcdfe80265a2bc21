"""Takes goods receipts (NIRs) in: eligible ones are added, deleted ones cancelled, received ones booked at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.db import UnitOfWork
from hub.errors import CallerError
from hub.records import NirRecord
from hub.services import nirs
from hub.services.nirs import NirDraft
from hub.services.outbox import NIR_STREAMS
from hub.services.receipt_lines import ReceiptLineDraft
from hub.services.receipts import NIR
from hub.statuses import EDITABLE, Status
from hub.sync import identity
from hub.sync.exceptions import Trouble
from hub.sync.intake import SKIPPED, Arrival, Fate, Source, Taken
from hub.sync.intake_companies import as_supplier, take_companies
from hub.sync.intake_lines import KnownProducts, find_products, find_warehouses, unknown_warehouse
from hub.sync.intake_products import exact
from hub.sync.references import content_hash, same_goods

PURCHASE_ORDER = "PO-"
"""How the hub numbers its purchase orders for the outside (PO-17)."""
COMMENT_LENGTH = 4000


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What the NIRs of a page refer to."""

    products: KnownProducts
    suppliers: Mapping[str, int | Trouble | None]
    warehouses: Mapping[str | None, int | None]

    def trouble(self, key: str, record: NirRecord) -> Trouble | None:
        supplier = self.suppliers.get(key)
        if isinstance(supplier, Trouble):
            return supplier
        if record.warehouse_code not in self.warehouses:
            return unknown_warehouse(record.warehouse_code)
        return self.products.missing([line.product for line in record.lines])

    def supplier_id(self, key: str) -> int | None:
        supplier = self.suppliers.get(key)
        return supplier if isinstance(supplier, int) else None


async def receive(work: UnitOfWork, source: Source, arrivals: Sequence[Arrival]) -> list[Taken]:
    """One fate per receipt; each is worked on in a savepoint of its own, because validation books goods."""
    takeover = source.statuses("inboundTakeoverStatusId")
    deleted = source.statuses("inboundDeletedStatusId") or frozenset()

    def concerns_us(one: Arrival) -> bool:
        status_id = one.record.status_id
        return one.known is not None or (status_id not in deleted and (takeover is None or status_id in takeover))

    ours = [arrival for arrival in arrivals if concerns_us(arrival)]
    documents = await _lock(work, ours)
    wanted = {one.external_key: one.known.record_id if one.known else None for one in ours}
    shown = await identity.usable_references(work, source.code, NIR_STREAMS, NIR.documents, wanted)
    around = await _look_around(work, source, ours)
    taken: dict[str, Taken] = {}
    for arrival in ours:
        key = arrival.external_key
        try:
            async with work.savepoint():
                if arrival.known is None:
                    taken[key] = await _add(work, arrival, around, key if key in shown else None)
                else:
                    document = documents.get(arrival.known.record_id)
                    gone = arrival.record.status_id in deleted
                    taken[key] = await _change(work, arrival, document, around, deleted=gone)
        except CallerError as error:
            taken[key] = Taken(fate=Fate.PARKED, trouble=Trouble.of(error))
    return [taken.get(arrival.external_key, SKIPPED) for arrival in arrivals]


async def _lock(work: UnitOfWork, arrivals: Sequence[Arrival]) -> dict[int, Mapping[str, Any]]:
    """The known documents that still exist."""
    ids = sorted({arrival.known.record_id for arrival in arrivals if arrival.known is not None})
    table = NIR.documents
    found = await work.session.execute(
        table.select().where(table.c.tenant_id == work.tenant_id, table.c.id.in_(ids)).order_by(table.c.id)
    )
    return {row["id"]: dict(row) for row in found.mappings()}


async def _look_around(work: UnitOfWork, source: Source, arrivals: Sequence[Arrival]) -> _Surroundings:
    records: list[NirRecord] = [arrival.record for arrival in arrivals]
    suppliers = await take_companies(work, source, [as_supplier(record.supplier) for record in records])
    return _Surroundings(
        products=await find_products(work, source, [line.product for record in records for line in record.lines]),
        suppliers={one.external_key: supplier for one, supplier in zip(arrivals, suppliers, strict=True)},
        warehouses=await find_warehouses(work, {record.warehouse_code for record in records}),
    )


async def _add(work: UnitOfWork, arrival: Arrival, around: _Surroundings, reference: str | None) -> Taken:
    record: NirRecord = arrival.record
    trouble = around.trouble(arrival.external_key, record)
    if trouble is not None:
        return Taken(fate=Fate.PARKED, trouble=trouble)
    draft = NirDraft(
        external_reference=record.number,
        third_party_reference=reference,
        warehouse_id=around.warehouses[record.warehouse_code],
        supplier_id=around.supplier_id(arrival.external_key),
        lines=_lines(record, around),
        validation_required=not record.validated,
        comment=record.comment[:COMMENT_LENGTH] if record.comment else None,
        purchase_order_ids=_purchase_orders(record.purchase_order_number),
    )
    (id_,) = await nirs.add(work, nirs=[draft])
    return Taken(fate=Fate.CREATED, record_id=id_)


async def _change(
    work: UnitOfWork,
    arrival: Arrival,
    document: Mapping[str, Any] | None,
    around: _Surroundings,
    *,
    deleted: bool,
) -> Taken:
    record: NirRecord = arrival.record
    if document is None:
        return _parked("GONE", "the NIR was deleted in the hub and changed outside since")
    id_, status = int(document["id"]), Status(document["status"])
    if deleted:
        if status is Status.CANCELED:
            return Taken(fate=Fate.UNCHANGED, record_id=id_)
        await nirs.cancel(work, ids=[id_])
        return Taken(fate=Fate.UPDATED, record_id=id_)
    goods_differ = not same_goods(arrival.known.payload_hash if arrival.known else "", content_hash(record))
    if not goods_differ:
        return Taken(fate=Fate.UNCHANGED, record_id=id_)
    if status not in EDITABLE:
        return _parked("NOT_EDITABLE", f"NIR {id_} ({record.number}) changed outside, but is {status.name} here")
    trouble = around.trouble(arrival.external_key, record)
    if trouble is not None:
        return Taken(fate=Fate.PARKED, trouble=trouble)
    await nirs.update(work, nir_id=id_, changes=_changes(arrival, around))
    return Taken(fate=Fate.UPDATED, record_id=id_)


def _changes(arrival: Arrival, around: _Surroundings) -> dict[str, Any]:
    record: NirRecord = arrival.record
    changes: dict[str, Any] = {
        "external_reference": record.number,
        "lines": _lines(record, around),
        "requires_validation": not record.validated,
    }
    if (supplier_id := around.supplier_id(arrival.external_key)) is not None:
        changes["supplier_id"] = supplier_id
    if record.warehouse_code is not None:
        changes["warehouse_id"] = around.warehouses[record.warehouse_code]
    if record.comment:
        changes["comment"] = record.comment[:COMMENT_LENGTH]
    return changes


def _lines(record: NirRecord, around: _Surroundings) -> list[ReceiptLineDraft]:
    return [
        ReceiptLineDraft(
            quantity=exact(line.quantity),
            product_id=around.products.find(line.product),
            external_line_id=line.external_line_id,
            purchase_price=exact(line.purchase_price) if line.purchase_price is not None else None,
            location_code=line.location_code,
            batch_code=line.batch_code,
            production_date=line.production_date,
            expiration_date=line.expiration_date,
            serial_numbers=line.serial_numbers,
        )
        for line in record.lines
    ]


def _purchase_orders(number: str | None) -> tuple[int, ...]:
    """The purchase order that a receipt names by the hub's own number; a foreign number links nothing."""
    tail = (number or "").removeprefix(PURCHASE_ORDER)
    return (int(tail),) if number and number.startswith(PURCHASE_ORDER) and tail.isdecimal() else ()


def _parked(reason: str, message: str) -> Taken:
    return Taken(fate=Fate.PARKED, trouble=Trouble(reason=reason, message=message, path="status_id"))
