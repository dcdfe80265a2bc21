"""The validation of a receipt: counted goods find their lines, are booked into stock and remembered as scans."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import func, text

from hub.db import UnitOfWork
from hub.errors import Conflict, Invalid, NotFound
from hub.queries.places import find_inbound_place
from hub.services import scans
from hub.services.bookings import Arrival, book_in, check_arrivals
from hub.services.receipt_lines import (
    CountDraft,
    ReceiptLine,
    check_goods,
    insert_lines,
    resolve_places,
    resolve_products,
)
from hub.services.receipts import ReceiptKind, Row, refuse_settled, write
from hub.statuses import Status

_SET_VALIDATED = """
    UPDATE {lines} l SET validated_quantity = n.quantity
    FROM unnest(cast(:id AS bigint[]), cast(:quantity AS numeric[])) AS n (id, quantity)
    WHERE l.tenant_id = :tenant AND l.id = n.id
"""
COUNTS = "counts"


@dataclass(frozen=True, slots=True)
class Count:
    """Goods counted for a line, and where they are put; `field` is the count's path in the caller's request."""

    line: ReceiptLine
    place_id: int
    draft: CountDraft
    field: str


@dataclass(frozen=True, slots=True)
class Counted:
    """All counts of a document, its lines, and lines for products that nobody announced."""

    counts: Sequence[Count]
    lines: Sequence[ReceiptLine]
    unannounced: Sequence[ReceiptLine] = ()

    def validated(self) -> dict[int, Decimal]:
        """Line → what came of it. Counts by product fill its lines in order; a surplus stays on the last one."""
        came = {line.id: Decimal(0) for line in (*self.lines, *self.unannounced)}
        by_product: dict[int, Decimal] = {}
        for count in self.counts:
            if count.draft.line_id is not None:
                came[count.line.id] += count.draft.quantity
            else:
                product_id = count.line.product_id
                by_product[product_id] = by_product.get(product_id, Decimal(0)) + count.draft.quantity
        for product_id, quantity in by_product.items():
            lines = [line for line in (*self.lines, *self.unannounced) if line.product_id == product_id]
            for line in lines:
                part = min(quantity, max(line.quantity - came[line.id], Decimal(0)))
                came[line.id] += part
                quantity -= part
            came[lines[-1].id] += quantity
        return came

    def differs(self) -> bool:
        came = self.validated()
        return bool(self.unannounced) or any(came[line.id] != line.quantity for line in self.lines)


def check_counts(drafts: Sequence[CountDraft]) -> None:
    """Raise `Invalid` for what is wrong whatever the document holds."""
    if not drafts:
        raise Invalid("count at least one line", field=COUNTS, hint="cancel the document when nothing came")
    for position, draft in enumerate(drafts):
        path = f"{COUNTS}[{position}]"
        check_goods(draft, path)
        if draft.line_id is None and draft.product_id is None and draft.code is None:
            raise Invalid("name the line or the product", field=f"{path}.lineId")


async def as_announced(work: UnitOfWork, kind: ReceiptKind, warehouse_id: int, lines: Sequence[ReceiptLine]) -> Counted:
    """Everything came as the lines say."""
    inbound = await _inbound(work, warehouse_id)
    counts = [
        Count(
            line,
            line.location_id or inbound,
            CountDraft(line_id=line.id, quantity=line.quantity),
            f"{kind.lines_field}[{number}]",
        )
        for number, line in enumerate(lines)
    ]
    return Counted(counts, lines)


async def check_announced(work: UnitOfWork, kind: ReceiptKind, document: Row, lines: Sequence[ReceiptLine]) -> None:
    """Raise `Invalid` when a document that is booked at once lacks something: that is told before any conflict."""
    if lines and not document["requires_validation"]:
        counted = await as_announced(work, kind, document["warehouse_id"], lines)
        await check_arrivals(work, [_arrival(kind, document, count) for count in counted.counts])


async def as_counted(
    work: UnitOfWork, kind: ReceiptKind, document: Row, lines: Sequence[ReceiptLine], drafts: Sequence[CountDraft]
) -> Counted:
    """Find line and place of each count; a product that nobody announced gets a line of its own."""
    products = await resolve_products(work, drafts, COUNTS)
    places = await resolve_places(work, drafts, COUNTS, warehouse_id=document["warehouse_id"])
    inbound = await _inbound(work, document["warehouse_id"])
    known = {line.id: line for line in lines}
    first = {line.product_id: line for line in reversed(lines)}
    unannounced: dict[int, ReceiptLine] = {}
    counts = []
    for position, (draft, product_id, place_id) in enumerate(zip(drafts, products, places, strict=True)):
        field = f"{COUNTS}[{position}]"
        if draft.line_id is not None or product_id is None:
            line = _named_line(known, draft.line_id, product_id, field)
        elif product_id in first:
            line = first[product_id]
        else:
            extra = unannounced.get(product_id) or await _new_line(
                work, kind, product_id, len(known) + len(unannounced)
            )
            line = replace(extra, quantity=extra.quantity + draft.quantity)
            unannounced[product_id] = line
        counts.append(Count(line, place_id or line.location_id or inbound, draft, field))
    return Counted(counts, lines, tuple(unannounced.values()))


async def book(work: UnitOfWork, kind: ReceiptKind, document: Row, counted: Counted) -> Status:
    """Book everything into stock and make the document 3, or 4 when something differs. The document is locked."""
    refuse_settled(kind, document)
    status = Status.VALIDATED_WITH_DIFFERENCES if counted.differs() else Status.VALIDATED
    await insert_lines(work, kind.lines, kind.parent, document["id"], counted.unannounced)
    movements = await book_in(work, [_arrival(kind, document, count) for count in counted.counts])
    await scans.record(work, movements)
    came = counted.validated()
    await work.session.execute(
        text(_SET_VALIDATED.format(lines=kind.lines.name)),
        {"tenant": work.tenant_id, "id": list(came), "quantity": list(came.values())},
    )
    actor = work.scope.actor
    by = {"validated_by_id": actor.id if actor.kind == "user" else None, "validated_by": actor.name}
    await write(work, kind, document["id"], {"status": int(status), "validated_at": func.now(), **by})
    return status


def _named_line(known: dict[int, ReceiptLine], line_id: int | None, product_id: int | None, field: str) -> ReceiptLine:
    if line_id is None or line_id not in known:
        raise NotFound(f"the document has no line {line_id}", field=f"{field}.lineId")
    if product_id not in (None, known[line_id].product_id):
        raise Invalid("is a line of another product", field=f"{field}.lineId")
    return known[line_id]


async def _new_line(work: UnitOfWork, kind: ReceiptKind, product_id: int, position: int) -> ReceiptLine:
    return ReceiptLine(
        id=await work.next_id(kind.line_noun), position=position, product_id=product_id, quantity=Decimal(0)
    )


async def _inbound(work: UnitOfWork, warehouse_id: int) -> int:
    place = await find_inbound_place(work.session, work.tenant_id, warehouse_id)
    if place is None:
        raise Conflict("the warehouse has no inbound location", hint="make one of its locations the inbound one")
    return place.id


def _arrival(kind: ReceiptKind, document: Row, count: Count) -> Arrival:
    """What the count does not say is as the line announced it."""
    draft, line = count.draft, count.line
    same_batch = draft.batch_code in (None, line.batch_code)
    return Arrival(
        product_id=line.product_id,
        location_id=count.place_id,
        quantity=draft.quantity,
        document_kind=kind.kind,
        document_id=document["id"],
        line_id=line.id,
        batch_code=draft.batch_code or line.batch_code,
        production_date=draft.production_date or (line.production_date if same_batch else None),
        expiration_date=draft.expiration_date or (line.expiration_date if same_batch else None),
        serial_numbers=draft.serial_numbers or (line.serial_numbers if draft.quantity == line.quantity else ()),
        sscc=draft.sscc,
        nir_id=document["id"] if kind.kind == "nir" else None,
        supplier_id=document.get("supplier_id"),
        field=count.field,
    )
